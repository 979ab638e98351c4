"""How long this stage worked on a traced request: its agent makes a span of it, since a rank's process tells nothing to a collector."""

from __future__ import annotations

import re
import time
from typing import Any

from .events import emit
from .plan import Plan
from .progress import CLOCK

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def read(header: str | None) -> str | None:
    """The value of a `traceparent` header; None for anything else."""
    return header if header and _TRACEPARENT.fullmatch(header) else None


class TracedQueue:
    """A request's queue, of which the generation thread only uses `put`. The request is over with its last item, or when it was cut and nobody holds the queue any more."""

    def __init__(self, inner: Any, trace: str, plan: Plan) -> None:
        self._inner = inner
        self._trace: str | None = trace
        self._rank = plan.rank
        self._began = time.monotonic()
        self._worked = CLOCK.worked

    def put(self, item: Any) -> None:
        self._inner.put(item)
        if item is None or isinstance(item, Exception):
            self._end()

    def __del__(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._trace is None:
            return
        trace, self._trace = self._trace, None
        (steps, seconds), (steps_before, seconds_before) = CLOCK.worked, self._worked
        emit(
            "stage",
            rank=self._rank,
            trace=trace,
            steps=steps - steps_before,
            compute_ms=round((seconds - seconds_before) * 1000, 3),
            duration_ms=round((time.monotonic() - self._began) * 1000, 3),
        )
