"""Events for the agent: one JSON object per line on stdout. Everything else goes to stderr."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, NoReturn

EXIT_PEER_OR_EXCEPTION = 70
EXIT_STALLED = 71
EXIT_PARENT_GONE = 72

_lock = threading.Lock()
_stdout = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")


def reserve_stdout() -> None:
    """Sends what libraries print to stdout to stderr, so that stdout holds events only."""
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def emit(event: str, **fields: Any) -> None:
    """Writes one event. A closed pipe means that the agent is gone: the parent watch ends the process then."""
    line = json.dumps({"event": event, **fields}, separators=(",", ":"))
    with _lock:
        try:
            _stdout.write(line + "\n")
            _stdout.flush()
        except BrokenPipeError:
            os._exit(EXIT_PARENT_GONE)


def die(code: int, reason: str, **fields: Any) -> NoReturn:
    """Ends the process at once, whatever other threads wait for: peers then see a closed socket."""
    emit("fatal", code=code, reason=reason, **fields)
    sys.stderr.flush()
    os._exit(code)
