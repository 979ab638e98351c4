"""Keeps all ranks at the same step: who is told what, and how often they look for news."""

from __future__ import annotations

import json
import time
from typing import Any

import mlx.core as mx

from .plan import Plan
from .progress import CLOCK
from .stages import STAGE_TIMER
from .upstream import generate

MAX_CONTROL_BYTES = 64 << 20


def broadcast_json(value: Any, plan: Plan) -> Any:
    """Sends rank 0's value to all ranks as JSON: never pickle, which would run what a peer sends. None and [] become None."""
    if plan.world == 1:
        return value
    data = b"" if value is None or value == [] else json.dumps(value, separators=(",", ":")).encode()
    size = _from_rank_zero(mx.array(len(data), mx.int32), plan).item()
    CLOCK.touch()
    if size == 0:
        return None
    if not 0 < size <= MAX_CONTROL_BYTES:
        raise RuntimeError(f"A control message of {size} bytes came in: the ranks are out of step.")
    payload = mx.array(memoryview(data)) if plan.is_last_stage else mx.zeros((size,), mx.uint8)
    received = mx.distributed.all_sum(payload, stream=mx.cpu)
    message = json.loads(bytes(memoryview(received)))
    CLOCK.touch()
    return message


def _from_rank_zero(value: mx.array, plan: Plan) -> mx.array:
    return mx.distributed.all_sum(value if plan.is_last_stage else mx.zeros_like(value), stream=mx.cpu)


def install_token_broadcast(plan: Plan) -> None:
    """After each step all ranks continue with rank 0's tokens: no rank needs equal logits, an equal seed or the output layer."""
    original = generate.GenerationBatch._step

    def step(self: Any) -> Any:
        CLOCK.touch()
        result = original(self)
        sampled = self._next_tokens.astype(mx.int32)
        if plan.is_last_stage:
            mx.eval(sampled)
            STAGE_TIMER.end()
        self._next_tokens = _from_rank_zero(sampled, plan).astype(mx.uint32)
        mx.async_eval(self._next_tokens)
        return result

    generate.GenerationBatch._step = step


class LockstepBudget:
    """How many steps are made before all ranks look for new requests: about `seconds` worth, decided by rank 0's clock alone.

    Upstream averages the clocks of all ranks in float32 and lets each rank round the result, which need not agree on three ranks.
    """

    def __init__(self, plan: Plan, seconds: float = 0.1, sync_every: int = 8) -> None:
        self._plan = plan
        self._seconds = seconds
        self._sync_every = sync_every
        self._steps = 4
        self._loops = 0
        self._spent = 0.0
        self._done = 0
        self._began = 0.0

    def __iter__(self) -> LockstepBudget:
        self._began = time.monotonic()
        self._done = 0
        return self

    def __next__(self) -> None:
        CLOCK.touch()
        if self._plan.world == 1:
            if time.monotonic() - self._began > self._seconds:
                raise StopIteration
            return
        self._done += 1
        if self._done > self._steps:
            self._end_of_loop()
            raise StopIteration

    def _end_of_loop(self) -> None:
        self._loops += 1
        self._spent += time.monotonic() - self._began
        if self._loops < self._sync_every:
            return
        per_step = self._spent / (self._loops * self._steps)
        wanted = max(1, min(64, round(self._seconds / max(per_step, 1e-6))))
        self._steps = int(_from_rank_zero(mx.array(wanted, mx.int32), self._plan).item())
        self._loops, self._spent = 0, 0.0
