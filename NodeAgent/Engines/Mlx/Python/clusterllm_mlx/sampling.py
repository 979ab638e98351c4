"""Seeded sampling inside a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx

from .upstream import server

Sampler = Callable[[mx.array], mx.array]


def install_seeded_samplers() -> None:
    """Lets a request with a seed join the batch: upstream drains the whole batch for it and then runs it alone."""
    original = server._make_sampler

    def make_sampler(args: Any, tokenizer: Any) -> Sampler:
        sampler = original(args, tokenizer)
        return sampler if args.seed is None or args.sampling.temperature == 0 else seeded(sampler, args.seed)

    server._make_sampler = make_sampler


def seeded(sampler: Sampler, seed: int) -> Sampler:
    """Runs `sampler` on a random state of its own, so that other sequences of the batch don't matter."""
    own = mx.random.key(seed)

    def sample(logprobs: mx.array) -> mx.array:
        nonlocal own
        shared = mx.random.state[0]
        mx.random.state[0] = own
        try:
            return sampler(logprobs)
        finally:
            own = mx.random.state[0]
            mx.random.state[0] = shared

    return sample
