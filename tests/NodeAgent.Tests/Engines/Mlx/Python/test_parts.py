"""Parts of the engine that need no second rank."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import pytest
import tiny_models
from clusterllm_mlx import stagetrace
from clusterllm_mlx.progress import CLOCK
from clusterllm_mlx.promptcache import LEAST_REUSED_TOKENS, LockstepPromptCache
from clusterllm_mlx.recorder import TokenRecorder, token_bytes
from clusterllm_mlx.sampling import seeded
from clusterllm_mlx.stagetrace import TracedQueue, read
from clusterllm_mlx.weights import read_weight_map
from mlx_lm.models.cache import KVCache


@dataclass
class Response:
    text: str
    token: int = 1
    logprob: float = -0.5
    finish_reason: str | None = None
    top_tokens: tuple[dict[str, Any], ...] = ()


class Tokenizer:
    eos_token_ids = {9}
    all_special_ids = [9]
    pieces = {1: "Ġcap", 2: "é".encode().decode("latin-1")[0], 3: "▁a", 4: "<0xE2>", 9: "<|end|>"}

    def convert_ids_to_tokens(self, token: int) -> str | None:
        return self.pieces.get(token)


def _follow(words: list[str], *texts: str, last: str | None = "length") -> tuple[str, str | None, int]:
    recorder = TokenRecorder(Tokenizer(), False, words)
    responses = [Response(text, finish_reason=last if i == len(texts) - 1 else None) for i, text in enumerate(texts)]
    followed = list(recorder.follow(iter(responses)))
    return "".join(r.text for r in followed), followed[-1].finish_reason, recorder.total


def test_a_stop_string_over_several_tokens_ends_the_answer_after_it() -> None:
    assert _follow(["ABC"], "x", "yA", "B", "Cz", "more") == ("xyABC", "stop", 4)


def test_a_stop_string_in_the_last_token_wins_over_length() -> None:
    assert _follow(["B", "CC"], "a", "aBb") == ("aaB", "stop", 2)


def test_an_answer_without_its_stop_string_is_left_alone() -> None:
    assert _follow(["ABD"], "A", "B", "C") == ("ABC", "length", 3)


def test_the_token_that_ends_an_answer_is_counted_and_has_no_logprob() -> None:
    recorder = TokenRecorder(Tokenizer(), True, [])
    list(recorder.follow(iter([Response("cap", 1), Response("", 9, finish_reason="stop")])))

    facts = recorder.drain()

    assert facts["tokens"] == 2
    assert [(e["id"], e["token"], e["logprob"]) for e in facts["logprobs"]] == [(1, " cap", -0.5)]
    assert recorder.drain() == {"tokens": 0, "logprobs": []}


def test_top_logprobs_are_sorted_and_the_sampled_token_is_its_own() -> None:
    recorder = TokenRecorder(Tokenizer(), True, [])
    top = ({"id": 3, "token": "x", "logprob": -2.0}, {"id": 1, "token": "y", "logprob": -0.1})
    list(recorder.follow(iter([Response("a", 3, -2.0, top_tokens=top)])))

    (entry,) = recorder.drain()["logprobs"]

    assert entry["id"] == 3 and [t["id"] for t in entry["top"]] == [1, 3]


@pytest.mark.parametrize(("token", "raw"), [(1, b" cap"), (2, b"\xc3"), (3, b" a"), (4, b"\xe2"), (9, b"<|end|>"), (77, b"")])
def test_token_bytes(token: int, raw: bytes) -> None:
    assert token_bytes(Tokenizer(), token) == raw


def _cache(length: int) -> list[KVCache]:
    cache = KVCache()
    cache.update_and_fetch(mx.zeros((1, 1, length, 4)), mx.zeros((1, 1, length, 4)))
    return [cache]


def test_a_prompt_that_is_cached_whole_leaves_its_last_token_to_run() -> None:
    cache = LockstepPromptCache(4, 1000, True)
    prompt = list(range(LEAST_REUSED_TOKENS))
    cache.insert_cache("m", prompt, _cache(len(prompt)))

    found, rest = cache.fetch_nearest_cache("m", prompt)

    assert rest == prompt[-1:] and found[0].offset == len(prompt) - 1


@pytest.mark.parametrize("common", [1, LEAST_REUSED_TOKENS - 1, LEAST_REUSED_TOKENS])
def test_a_beginning_that_is_common_by_chance_is_not_reused(common: int) -> None:
    cache = LockstepPromptCache(4, 1000, True)
    cache.insert_cache("m", list(range(40)), _cache(40))
    prompt = [*range(common), *[77] * 20]

    found, rest = cache.fetch_nearest_cache("m", prompt)

    reused = common if common >= LEAST_REUSED_TOKENS else 0
    assert rest == prompt[reused:]
    assert found[0].offset == reused if reused else found is None


def test_stored_tokens_stay_below_their_limit() -> None:
    cache = LockstepPromptCache(10, 48, True)
    for first in range(5):
        cache.insert_cache("m", [first, *[7] * 19], _cache(20))

    assert cache.token_count == 40
    assert cache.fetch_nearest_cache("m", [0, *[7] * 19])[0] is None
    assert cache.fetch_nearest_cache("m", [4, *[7] * 19])[0] is not None


def test_a_disabled_cache_keeps_nothing() -> None:
    cache = LockstepPromptCache(10, 100, False)
    cache.insert_cache("m", list(range(20)), _cache(20))

    assert cache.fetch_nearest_cache("m", list(range(21))) == (None, list(range(21)))


def test_a_seed_gives_the_same_tokens_whatever_others_draw() -> None:
    logprobs = mx.zeros((1, 1000))

    def draw(disturb: bool) -> list[int]:
        sampler = seeded(SimpleNamespace(temperature=1.0, top_p=1.0, min_p=0.0, top_k=0), 5)
        result = []
        for _ in range(8):
            if disturb:
                mx.random.uniform()
            result.append(sampler(logprobs).item())
        return result

    assert draw(False) == draw(True)
    assert len(set(draw(False))) > 4


def test_weights_are_read_from_the_files_that_are_there(tmp_path: Path) -> None:
    folder = tiny_models.make(tmp_path, "llama")
    entries = read_weight_map(folder)
    index = json.loads((folder / "model.safetensors.index.json").read_text("utf-8"))

    assert {name: entry.file for name, entry in entries.items()} == index["weight_map"]
    assert sum(entry.size for entry in entries.values()) == index["metadata"]["total_size"]


@pytest.mark.parametrize("content", [b"", b"\x08", struct.pack("<Q", 1 << 40) + b"{}", struct.pack("<Q", 200) + b"{"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)

    with pytest.raises(ValueError, match="model.safetensors is cut off"):
        read_weight_map(tmp_path)


TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.mark.parametrize("last", [None, ValueError("too long"), "cut"])
def test_a_traced_request_is_told_once_with_the_steps_of_its_time(monkeypatch: pytest.MonkeyPatch, last: object) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(stagetrace, "emit", lambda event, **fields: told.append({"event": event, **fields}))
    inner: Queue[object] = Queue()
    CLOCK.step(9.0)
    queue = TracedQueue(inner, TRACE, SimpleNamespace(rank=1))
    for _ in range(3):
        CLOCK.step(0.5)
    queue.put("token")
    assert told == []

    if last != "cut":
        queue.put(last)
    del queue

    (event,) = told
    assert event.pop("duration_ms") >= 0
    assert event == {"event": "stage", "rank": 1, "trace": TRACE, "steps": 3, "compute_ms": 1500.0}
    assert inner.get_nowait() == "token"


@pytest.mark.parametrize(("header", "trace"), [(TRACE, TRACE), (None, None), ("", None), (TRACE.upper(), None), (TRACE + "-more", None), ('"}', None)])
def test_only_a_traceparent_is_passed_on(header: str | None, trace: str | None) -> None:
    assert read(header) == trace
