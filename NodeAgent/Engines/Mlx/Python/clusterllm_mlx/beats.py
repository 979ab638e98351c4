"""Readings for the agent, once a second."""

from __future__ import annotations

import threading
import time

import mlx.core as mx

from .events import emit
from .plan import Plan
from .progress import CLOCK


def start(plan: Plan, ready: threading.Event, interval: float = 1.0) -> None:
    def run() -> None:
        ready.wait()
        while True:
            emit(
                "beat",
                rank=plan.rank,
                active=mx.get_active_memory(),
                peak=mx.get_peak_memory(),
                cache=mx.get_cache_memory(),
                tokens_per_second=round(CLOCK.token_rate(), 3),
                stage_step_ms=round(CLOCK.median_step() * 1000, 3),
                last_progress_ms=round(CLOCK.silence * 1000),
            )
            time.sleep(interval)

    threading.Thread(target=run, name="beats", daemon=True).start()
