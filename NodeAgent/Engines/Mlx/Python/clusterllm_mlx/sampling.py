"""How the next token is chosen: seeds inside a batch, and penalties that count as OpenAI's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
from mlx_lm.sample_utils import apply_min_p, apply_top_k, apply_top_p, make_logits_processors

from .upstream import server

Sampler = Callable[[mx.array], mx.array]
Processor = Callable[[mx.array, mx.array], mx.array]


def install_seeded_samplers() -> None:
    """Lets a request with a seed join the batch: upstream drains the whole batch for it and then runs it alone."""
    original = server._make_sampler

    def make_sampler(args: Any, tokenizer: Any) -> Sampler:
        return original(args, tokenizer) if args.seed is None or args.sampling.temperature == 0 else seeded(args.sampling, args.seed)

    server._make_sampler = make_sampler


def install_answer_penalties() -> None:
    """Presence and frequency count tokens of the answer only; upstream counts the prompt's too. Repetition counts both everywhere."""

    def make(args: Any) -> list[Processor]:
        logits = args.logits
        whole = make_logits_processors(logits.logit_bias, logits.repetition_penalty, logits.repetition_context_size)
        answer = make_logits_processors(
            presence_penalty=logits.presence_penalty, presence_context_size=logits.presence_context_size,
            frequency_penalty=logits.frequency_penalty, frequency_context_size=logits.frequency_context_size)
        return whole + [_behind(args.prompt_tokens, processor) for processor in answer]

    server._make_logits_processors = make


def _behind(prompt_tokens: int, processor: Processor) -> Processor:
    return lambda tokens, logits: processor(tokens[prompt_tokens:], logits)


def seeded(sampling: Any, seed: int) -> Sampler:
    """Upstream's filters, then a draw with a key of this request's own, so that other sequences of the batch don't matter.

    `xtc_probability` is not applied: its own draw has no key in mlx_lm 0.32.2.
    """
    key = mx.random.key(seed)

    def sample(logprobs: mx.array) -> mx.array:
        nonlocal key
        if 0 < sampling.top_p < 1:
            logprobs = apply_top_p(logprobs, sampling.top_p)
        if sampling.min_p:
            logprobs = apply_min_p(logprobs, sampling.min_p, 1)
        if sampling.top_k:
            logprobs = apply_top_k(logprobs, sampling.top_k)
        key, now = mx.random.split(key)
        return mx.random.categorical(logprobs * (1 / sampling.temperature), key=now)

    return sample
