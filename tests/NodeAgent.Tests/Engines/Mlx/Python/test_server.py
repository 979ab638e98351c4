"""The engine's HTTP side on one and on two ranks, as its agent sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from group import Group, GroupError

MODELS = Path(__file__).resolve().parents[4] / "Testing" / "Models" / "tiny"
MODEL = MODELS / "llama-f32"
GOLDEN = json.loads((MODEL / "golden.json").read_text("utf-8"))["cases"]
SPLIT = [[5, 7], [0, 5]]


@pytest.fixture(scope="module", params=[[[0, 7]], SPLIT], ids=["one", "two"])
def group(request: pytest.FixtureRequest) -> Iterator[Group]:
    with Group(MODEL, request.param) as started:
        yield started


def test_tokens_and_logprobs_are_the_golden_ones(group: Group) -> None:
    for case in GOLDEN:
        answer = group.complete(case["prompt_ids"], max_tokens=16)

        assert answer.tokens == case["native_tokens"]
        assert answer.logprobs == pytest.approx(case["logprobs"], abs=1e-3)
        assert answer.done and answer.finish == "length" and answer.count == 16


def test_health_tells_layers_and_memory(group: Group) -> None:
    status, health = group.health()

    assert status == 200 and health["status"] == "ok"
    assert health["layers"] == group.ranges[0] and health["world"] == len(group.ranges)
    assert health["active"] > 0 and health["last_progress_ms"] < 2000


def test_a_repeated_prompt_is_cached_but_for_its_last_token(group: Group) -> None:
    prompt = "the thesis of the theme: " * 4
    first = group.complete(prompt, max_tokens=8)
    second = group.complete(prompt, max_tokens=8)

    assert second.usage["prompt_tokens_details"]["cached_tokens"] == first.usage["prompt_tokens"] - 1
    assert second.tokens == first.tokens


def test_a_prompt_that_continues_a_whole_cached_sequence_is_answered(group: Group) -> None:
    prompt = list(range(5, 25))
    first = group.complete(prompt, max_tokens=4)
    again = group.complete(prompt + first.tokens[:3], max_tokens=2)

    assert again.tokens[0] == first.tokens[3]


def test_a_seed_repeats_its_answer_beside_other_requests(group: Group) -> None:
    body = {"prompt": "Hello", "max_tokens": 12, "temperature": 1.0, "seed": 42, "logprobs": True}
    alone = group.stream("/v1/completions", **body)
    others = [threading.Thread(target=lambda: group.stream("/v1/completions", prompt="x=y+1;", max_tokens=30, temperature=1.0)) for _ in range(2)]
    for thread in others:
        thread.start()
    beside = group.stream("/v1/completions", **body)
    for thread in others:
        thread.join()

    assert beside.tokens == alone.tokens
    assert group.stream("/v1/completions", **body | {"seed": 43}).tokens != alone.tokens


def test_a_stop_string_ends_the_answer_before_it(group: Group) -> None:
    free = group.complete("x=y+1;", max_tokens=16)
    word = free.text[6:8]
    answer = group.complete("x=y+1;", max_tokens=16, stop=[word])

    assert answer.finish == "stop" and answer.text == free.text[: free.text.index(word)]
    assert answer.usage["completion_tokens"] == answer.count < 16


def test_logprobs_have_the_sampled_token_and_sorted_alternatives(group: Group) -> None:
    answer = group.stream("/v1/completions", prompt="Hello", max_tokens=6, temperature=1.0, seed=3, logprobs=True, top_logprobs=20)

    assert all(len(e["top"]) == 20 and e["top"] == sorted(e["top"], key=lambda t: -t["logprob"]) for e in answer.entries)
    assert b"".join(bytes(e["bytes"]) for e in answer.entries).decode("utf-8", "replace").startswith(answer.text[:3])


def test_the_end_token_can_be_ignored(group: Group) -> None:
    end = json.loads((MODEL / "config.json").read_text("utf-8"))["eos_token_id"]
    bias = {"logit_bias": {str(end): 100}, "max_tokens": 5}

    assert group.complete("Hello", **bias).usage["completion_tokens"] == 1
    ignored = group.complete("Hello", ignore_eos=True, **bias)
    assert ignored.tokens == [end] * 5 and ignored.finish == "length"


def test_a_chat_is_answered_with_its_template(group: Group) -> None:
    answer = group.stream("/v1/chat/completions", messages=[{"role": "user", "content": "Hi!"}], max_tokens=4, temperature=0)

    assert answer.done and answer.chunks[0]["choices"][0]["delta"]["role"] == "assistant" and answer.keepalives


def test_max_tokens_is_cut_to_what_the_context_has_left(group: Group) -> None:
    answer = group.complete([3] * 500, max_tokens=4000)

    assert answer.count == 12 and answer.finish == "length"


@pytest.mark.parametrize("body", [
    b"\xff\xfe", b"[]", b"{", b'{"prompt":"a","temperature":NaN}', b'{"prompt":"a","logit_bias":{"99999999999":1}}', b'{"prompt":"a","stop":[5]}',
    b'{"prompt":""}', b'{"prompt":["a","b"]}', b'{"prompt":"a","top_k":5000,"temperature":1}', b'{"prompt":"a","seed":-1}', b'{"prompt":"a","stream_options":5}',
    b'{"prompt":"a","top_logprobs":5}', b'{"prompt":"a","max_tokens":1e30}', json.dumps({"prompt": [3] * 600}).encode(),
])
def test_what_kills_a_stock_server_is_refused_and_harms_nobody(group: Group, body: bytes) -> None:
    response = group.post("/v1/completions", body)
    error = json.loads(response.read())["error"]

    assert response.status in (400, 404) and error
    assert group.complete("Hello", max_tokens=2).count == 2


def test_a_model_string_loads_nothing_else(group: Group) -> None:
    answer = group.complete("Hello", max_tokens=2, model="/etc", adapters="/etc", draft_model="/etc")

    assert answer.count == 2


def test_a_closed_connection_ends_its_work(group: Group) -> None:
    body = json.dumps({"prompt": "Hello", "max_tokens": 480, "stream": True, "temperature": 1.0, "seed": 1}).encode()
    client = socket.create_connection(("127.0.0.1", group.port))
    client.sendall(b"POST /v1/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    client.recv(200)
    client.close()

    assert group.complete("Hello", max_tokens=4).count == 4
    group.ranks[0].wait_for("beat")
    until = time.monotonic() + 15
    while group.ranks[0].wait_for("beat")["tokens_per_second"] > 0:
        assert time.monotonic() < until, "the abandoned answer still runs"


def _wait_beats(group: Group, count: int) -> None:
    """A beat comes once a second."""
    for _ in range(count):
        group.ranks[0].wait_for("beat")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor times are read as Linux tells them")
def test_an_idle_group_leaves_its_processors_to_others(group: Group) -> None:
    group.complete("Hello", max_tokens=2)
    _wait_beats(group, 2)
    began, before = time.monotonic(), [_cpu_seconds(rank.process.pid) for rank in group.ranks]
    _wait_beats(group, 4)
    took = time.monotonic() - began
    shares = [(_cpu_seconds(rank.process.pid) - start) / took for rank, start in zip(group.ranks, before, strict=True)]

    print(f"share of a core while idle, by rank: {[round(share, 3) for share in shares]}")
    assert max(shares) < 0.5


class TestFaults:
    def test_a_killed_rank_ends_the_others_at_once(self) -> None:
        with Group(MODEL, SPLIT) as group:
            group.ranks[1].process.kill()
            began = time.monotonic()

            assert group.ranks[0].wait_exit(5) == 70
            print(f"rank 0 ended {time.monotonic() - began:.2f} s after its peer was killed")

    def test_a_stopped_rank_is_noticed_by_the_watchdog(self) -> None:
        with Group(MODEL, SPLIT, "--stall-seconds", "3") as group:
            os.kill(group.ranks[1].process.pid, signal.SIGSTOP)
            began = time.monotonic()

            assert group.ranks[0].wait_exit(8) == 71
            print(f"rank 0 ended {time.monotonic() - began:.2f} s after its peer was stopped, limit 3 s")

    def test_a_waiting_group_does_not_stall(self) -> None:
        with Group(MODEL, SPLIT, "--stall-seconds", "2") as group:
            with pytest.raises(GroupError, match="no 'fatal' within 5"):
                group.ranks[0].wait_for("fatal", 5)
            assert group.complete("Hello", max_tokens=2).count == 2

    def test_a_rank_ends_with_its_agent(self) -> None:
        with Group(MODEL, [[0, 7]]) as group:
            stdin = group.ranks[0].process.stdin
            assert stdin is not None
            stdin.close()

            assert group.ranks[0].wait_exit(5) == 72

    def test_missing_weights_are_named_and_end_every_rank(self, tmp_path: Path) -> None:
        source = MODELS / "llama-bf16-sharded"
        for file in source.iterdir():
            if file.name != "model-00002-of-00002.safetensors":
                (tmp_path / file.name).symlink_to(file)
        layers = json.loads((source / "config.json").read_text("utf-8"))["num_hidden_layers"]
        group = Group(tmp_path, [[layers - 1, layers], [0, layers - 1]])
        try:
            fatal = [rank.wait_for("fatal")["reason"] for rank in group.ranks]
            assert any("tensors of layers" in reason and "not in the model's folder" in reason for reason in fatal)
            assert [rank.wait_exit(10) for rank in group.ranks] == [70, 70]
        finally:
            group.__exit__()
