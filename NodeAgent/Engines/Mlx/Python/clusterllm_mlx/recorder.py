"""What was sampled since the last chunk: upstream's stream has neither token counts nor logprobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any


LEAST_LOGPROB = -9999.0
"""JSON has no infinity; this is what OpenAI writes for a probability of zero."""


class TokenRecorder:
    """Follows one answer's tokens while the handler turns them into chunks, and ends it at a stop string."""

    def __init__(self, tokenizer: Any, logprobs: bool, stop_words: list[str]) -> None:
        self._tokenizer = tokenizer
        self._logprobs = logprobs
        self._stop_words = stop_words
        self._longest_stop = max((len(word) for word in stop_words), default=1)
        self._text = ""
        self._count = 0
        self.total = 0
        """Tokens of the whole answer so far."""
        self._entries: list[dict[str, Any]] = []

    def follow(self, responses: Iterator[Any]) -> Iterator[Any]:
        for response in responses:
            self._record(response)
            end = self._stop_end(response)
            if end is None:
                yield response
                continue
            # Two responses, because the handler drops the text of the one that stops: it takes it for the stop string's last token.
            yield replace(response, text=response.text[:end], finish_reason=None)
            yield replace(response, text="", finish_reason="stop")
            return

    def _record(self, response: Any) -> None:
        self._count += 1
        self.total += 1
        ends = response.finish_reason == "stop" and response.token in self._tokenizer.eos_token_ids
        if self._logprobs and not ends:
            self._entries.append(self._entry(response))

    def _stop_end(self, response: Any) -> int | None:
        """Where a stop string ends in this response's text. Upstream compares token ids, and misses a stop string that is split another way."""
        if not self._stop_words or response.finish_reason == "stop":
            return None
        before = self._text
        text = before + response.text
        self._text = text[-self._longest_stop :]
        ends = [text.index(word) + len(word) for word in self._stop_words if word in text]
        return min(ends) - len(before) if ends else None

    def drain(self) -> dict[str, Any]:
        """Tokens and logprob entries since the last call. The token that ends an answer is counted, but has no entry."""
        result: dict[str, Any] = {"tokens": self._count}
        if self._logprobs:
            result["logprobs"] = self._entries
        self._count, self._entries = 0, []
        return result

    def _entry(self, response: Any) -> dict[str, Any]:
        top = sorted(response.top_tokens, key=lambda t: -t["logprob"])
        return {**self._piece(response.token, response.logprob), "top": [self._piece(t["id"], t["logprob"]) for t in top]}

    def _piece(self, token: int, logprob: float) -> dict[str, Any]:
        raw = token_bytes(self._tokenizer, token)
        return {"id": token, "token": raw.decode("utf-8", "replace"), "bytes": list(raw), "logprob": max(logprob, LEAST_LOGPROB)}


def token_bytes(tokenizer: Any, token: int) -> bytes:
    """The bytes that a token stands for, leading space and broken characters included."""
    piece = tokenizer.convert_ids_to_tokens(token)
    if piece is None:
        return b""
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    if "\u2581" in piece:
        return piece.replace("\u2581", " ").encode()
    table = _byte_table()
    if token not in tokenizer.all_special_ids and all(c in table for c in piece):
        return bytes(table[c] for c in piece)
    return piece.encode()


_table: dict[str, int] = {}


def _byte_table() -> dict[str, int]:
    """GPT-2's printable stand-ins for bytes: printable ones stand for themselves, the others for 256 and up, in order."""
    if not _table:
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [b for b in range(256) if b not in printable]
        _table.update({chr(b): b for b in printable})
        _table.update({chr(256 + i): b for i, b in enumerate(others)})
    return _table
