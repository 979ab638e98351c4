"""KV caches of earlier prompts, kept by rules that give the same answer on every rank."""

from __future__ import annotations

from typing import Any

from mlx_lm.models.cache import LRUPromptCache, can_trim_prompt_cache, trim_prompt_cache


LEAST_REUSED_TOKENS = 16
"""A shorter common beginning is chance or a begin-of-text token: copying a cache for it costs more than computing it, and prompts that are measured would count as cached."""


class LockstepPromptCache(LRUPromptCache):
    """Counts sequences and tokens, never bytes: ranks with fewer layers need fewer bytes for the same tokens, and would evict at other times."""

    def __init__(self, sequences: int, tokens: int, enabled: bool) -> None:
        super().__init__(max_size=max(1, sequences))
        self._max_tokens = tokens
        self._enabled = enabled and sequences > 0

    def fetch_nearest_cache(self, model: Any, tokens: list[int]) -> tuple[Any, list[int]]:
        if not self._enabled:
            return None, tokens
        cache, rest = super().fetch_nearest_cache(model, tokens)
        if cache is None or len(tokens) - len(rest) < LEAST_REUSED_TOKENS:
            return None, tokens
        if rest:
            return cache, rest
        # The whole prompt is cached, but the last token must run again to give logits: upstream has no case for an empty rest.
        if not can_trim_prompt_cache(cache):
            return None, tokens
        trim_prompt_cache(cache, 1)
        return cache, tokens[-1:]

    def insert_cache(self, model: Any, tokens: list[int], prompt_cache: list[Any], *, cache_type: str = "assistant") -> None:
        if not self._enabled or len(tokens) > self._max_tokens:
            return
        super().insert_cache(model, tokens, prompt_cache, cache_type=cache_type)
        while self.token_count > self._max_tokens:
            self.trim_to(n_sequences=len(self) - 1)

    @property
    def token_count(self) -> int:
        """Tokens of all kept sequences; a prefix that two of them share counts twice."""
        return sum(len(tokens) for lru in self._lru._lrus.values() for _, tokens in lru)
