"""Ends the process when it gets nowhere: runs beside the thread that may be blocked in native code."""

from __future__ import annotations

import os
import threading
import time

from .events import EXIT_PARENT_GONE, EXIT_STALLED, die
from .progress import CLOCK


def watch_stalls(limit: float, ready: threading.Event) -> None:
    """Ends with 71 when there was no progress for `limit` seconds after loading. A waiting group makes progress too: it beats many times a second."""

    def run() -> None:
        ready.wait()
        CLOCK.touch()
        while True:
            time.sleep(min(0.25, limit / 4))
            if CLOCK.silence > limit:
                die(EXIT_STALLED, f"no progress for {limit:g} s: a rank or its link hangs")

    threading.Thread(target=run, name="stall-watchdog", daemon=True).start()


def watch_parent() -> None:
    """Ends with 72 when the agent that holds the other end of stdin is gone, however it died."""

    def run() -> None:
        # Not sys.stdin: its lock would be held while the interpreter shuts down.
        while os.read(0, 4096):
            pass
        os._exit(EXIT_PARENT_GONE)

    threading.Thread(target=run, name="parent-watch", daemon=True).start()
