"""What replaces parts of the model on a rank that holds only some of its layers.

The `eval`s cut the graph around the network: no GPU command buffer ever waits for a peer, which Metal's watchdog would punish.
"""

from __future__ import annotations

import time
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from .plan import Plan
from .progress import CLOCK


class _Wrapped(nn.Module):
    """A layer that still answers for the attributes of the layer inside it (`is_linear`, `use_sliding`, …)."""

    def __init__(self, inner: nn.Module, plan: Plan) -> None:
        super().__init__()
        self.inner = inner
        self._plan = plan

    def __getattr__(self, key: str) -> Any:
        if key in self:
            return self[key]
        if "inner" in self and not key.startswith("__"):
            return getattr(self["inner"], key)
        raise AttributeError(key)


class StageIn(_Wrapped):
    """The first owned layer: its input comes from the stage before, which is the next higher rank."""

    def __call__(self, x: mx.array, *args: Any, **kwargs: Any) -> mx.array:
        received = mx.distributed.recv(x.shape, x.dtype, self._plan.rank + 1, stream=mx.cpu)
        mx.eval(received)
        CLOCK.touch()
        STAGE_TIMER.begin(x.shape[1])
        return self.inner(received, *args, **kwargs)


class StageOut(_Wrapped):
    """The last owned layer: its output goes to the stage after, which is the next lower rank."""

    def __call__(self, x: mx.array, *args: Any, **kwargs: Any) -> mx.array:
        h = self.inner(x, *args, **kwargs)
        h = h if h.dtype == x.dtype else h.astype(x.dtype)
        mx.eval(h)
        STAGE_TIMER.end()
        mx.eval(mx.distributed.send(h, self._plan.rank - 1, stream=mx.cpu))
        CLOCK.touch()
        return h


class Timed(_Wrapped):
    """The first layer of the first stage: nothing is received, only the clock starts."""

    def __call__(self, x: mx.array, *args: Any, **kwargs: Any) -> mx.array:
        STAGE_TIMER.begin(x.shape[1])
        return self.inner(x, *args, **kwargs)


class StageTimer:
    """Times decode steps of this stage: from its input's arrival until its output is computed."""

    def __init__(self) -> None:
        self._began: float | None = None

    def begin(self, rows: int) -> None:
        self._began = time.perf_counter() if rows == 1 else None

    def end(self) -> None:
        if self._began is not None:
            CLOCK.step(time.perf_counter() - self._began)
            self._began = None


STAGE_TIMER = StageTimer()


class Identity(nn.Module):
    """The final norm of a rank that does not sample."""

    def __call__(self, h: mx.array) -> mx.array:
        return h


class NoHead(nn.Module):
    """The output layer of a rank that does not sample: zeros that are never materialized."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self._vocabulary = vocabulary

    def __call__(self, h: mx.array) -> mx.array:
        return mx.broadcast_to(mx.zeros((1, 1, 1)), (*h.shape[:2], self._vocabulary))


class Embedding(nn.Module):
    """The embeddings as far as this rank needs them: to embed (first stage), as the tied output layer (last stage), or not at all."""

    def __init__(self, inner: nn.Module, plan: Plan, tied: bool, hidden: int, vocabulary: int, dtype: mx.Dtype) -> None:
        super().__init__()
        self._embeds = plan.is_first_stage
        self._projects = plan.is_last_stage and tied
        self._hidden, self._vocabulary, self._dtype = hidden, vocabulary, dtype
        if self._embeds or self._projects:
            self.inner = inner

    def __call__(self, ids: mx.array) -> mx.array:
        if self._embeds:
            return self.inner(ids)
        return mx.broadcast_to(mx.zeros((1, 1, 1), self._dtype), (*ids.shape, self._hidden))

    def as_linear(self, h: mx.array) -> mx.array:
        return self.inner.as_linear(h) if self._projects else NoHead(self._vocabulary)(h)
