"""The tokenizer, with the first space of an answer kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlx_lm.tokenizer_utils import BPEStreamingDetokenizer
from mlx_lm.utils import load_tokenizer


class _SpaceKeepingDetokenizer(BPEStreamingDetokenizer):
    """Upstream drops the space that an answer begins with: `/v1/completions` would then join words."""

    def _maybe_trim_space(self, current_text: str) -> str:
        return current_text


def load(folder: Path, config: dict[str, Any], options: dict[str, Any]) -> Any:
    """The tokenizer of a model's folder. SentencePiece models keep upstream's rule: their first token's space is made up."""
    tokenizer = load_tokenizer(folder, options, eos_token_ids=config.get("eos_token_id"))
    if type(tokenizer._detokenizer) is BPEStreamingDetokenizer:
        object.__setattr__(tokenizer, "_detokenizer", _SpaceKeepingDetokenizer(tokenizer._tokenizer))
    return tokenizer
