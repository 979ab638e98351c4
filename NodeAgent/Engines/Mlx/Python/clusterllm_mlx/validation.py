"""Refuses bodies that would end the generation thread, or the process, for everybody."""

from __future__ import annotations

import math
from typing import Any

NUMBERS: dict[str, tuple[float, float]] = {
    "temperature": (0, 100),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "repetition_penalty": (0, 100),
    "presence_penalty": (-100, 100),
    "frequency_penalty": (-100, 100),
    "xtc_probability": (0, 1),
    "xtc_threshold": (0, 0.5),
}
ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


class FieldError(ValueError):
    """A field of the body that can't be used; the message begins with its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


def check_body(body: dict[str, Any], vocabulary: int) -> None:
    """Checks ranges that upstream does not. Types that upstream checks are left to it."""
    for name, (low, high) in NUMBERS.items():
        value = body.get(name)
        if value is not None:
            _number(name, value, low, high)
    _number("top_k", body.get("top_k", 0), 0, vocabulary - 1)
    _number("top_logprobs", body.get("top_logprobs", 0), 0, min(20, vocabulary))
    if body.get("top_logprobs") and body.get("logprobs") is not True:
        raise FieldError("top_logprobs", "needs logprobs: true")
    seed = body.get("seed")
    if seed is not None and not (type(seed) is int and 0 <= seed < 1 << 63):
        raise FieldError("seed", "must be a whole number from 0 to 2^63 - 1")
    _stop(body.get("stop"))
    _logit_bias(body.get("logit_bias"), vocabulary)
    if "messages" in body:
        _messages(body["messages"])
    else:
        _prompt(body.get("prompt"), vocabulary)


def _prompt(prompt: Any, vocabulary: int) -> None:
    if isinstance(prompt, str) and prompt:
        return
    if not isinstance(prompt, list) or not prompt or not all(type(token) is int and 0 <= token < vocabulary for token in prompt):
        raise FieldError("prompt", f"must be a text or a list of token ids below {vocabulary}, not empty")


def _number(name: str, value: Any, low: float, high: float) -> None:
    # Not isinstance: True is an int to Python.
    if type(value) not in (int, float) or not math.isfinite(value) or not low <= value <= high:
        raise FieldError(name, f"must be a number from {low} to {high}")


def _stop(stop: Any) -> None:
    words = [stop] if isinstance(stop, str) else [] if stop is None else stop
    if not isinstance(words, list) or len(words) > 16 or not all(isinstance(word, str) and word for word in words):
        raise FieldError("stop", "must be a text or up to 16 texts, none of them empty")


def _logit_bias(bias: Any, vocabulary: int) -> None:
    """An id outside the vocabulary writes to memory that it does not own: the process would end by SIGSEGV."""
    if bias is None:
        return
    if not isinstance(bias, dict) or len(bias) > 1024:
        raise FieldError("logit_bias", "must be an object of at most 1024 token ids")
    for token, value in bias.items():
        if not (token.isascii() and token.isdigit() and int(token[:12]) < vocabulary):
            raise FieldError("logit_bias", f"'{token[:32]}' is no token id below {vocabulary}")
        _number("logit_bias", value, -100, 100)


def _messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise FieldError("messages", "must be a list that is not empty")
    for index, message in enumerate(messages):
        field = f"messages[{index}]"
        if not isinstance(message, dict):
            raise FieldError(field, "must be an object")
        if message.get("role") not in ROLES:
            raise FieldError(f"{field}.role", f"must be one of {', '.join(sorted(ROLES))}")
        _content(f"{field}.content", message.get("content"))


def _content(field: str, content: Any) -> None:
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise FieldError(field, "must be a text or a list of text parts")
    for part in content:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise FieldError(field, "only parts of type 'text' are supported")
