"""When this rank last got somewhere: read by the watchdog and by the health endpoint."""

from __future__ import annotations

import threading
import time
from collections import deque
from statistics import median


class ProgressClock:
    """A timestamp that the generation thread renews, and the stage's decode step times."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._steps: deque[tuple[float, float]] = deque(maxlen=512)
        self._tokens: deque[tuple[float, int]] = deque(maxlen=4096)
        self._worked = (0, 0.0)
        self._lock = threading.Lock()

    def touch(self) -> None:
        self._at = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last progress."""
        return time.monotonic() - self._at

    def step(self, seconds: float) -> None:
        """Records what this stage computed for one decode step."""
        with self._lock:
            self._steps.append((time.monotonic(), seconds))
            self._worked = (self._worked[0] + 1, self._worked[1] + seconds)

    @property
    def worked(self) -> tuple[int, float]:
        """Decode steps since the start, and the seconds that this stage computed for them."""
        return self._worked

    def tokens(self, count: int) -> None:
        with self._lock:
            self._tokens.append((time.monotonic(), count))

    def median_step(self, window: float = 10.0) -> float:
        """Median seconds of a decode step over the last `window` seconds; 0 when idle."""
        since = time.monotonic() - window
        with self._lock:
            recent = [seconds for at, seconds in self._steps if at >= since]
        return median(recent) if recent else 0.0

    def token_rate(self, window: float = 10.0) -> float:
        """Tokens per second over the last `window` seconds, all sequences together."""
        since = time.monotonic() - window
        with self._lock:
            return sum(count for at, count in self._tokens if at >= since) / window


CLOCK = ProgressClock()
"""One per process: a rank has one generation thread."""
