"""Every family that may be split gives the same tokens and logprobs on 2 and 3 ranks as in one process."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from clusterllm_mlx.families import FAMILIES, fix_for
from clusterllm_mlx.plan import PlanError
from group import PACKAGE, free_ports

CUTS = {1: [[0, 7]], 2: [[5, 7], [0, 5]], 3: [[6, 7], [1, 6], [0, 1]]}
VARIANTS = [(name, False) for name in tiny_models.CONFIGS] + [("qwen3_moe", True), ("gpt_oss", True), ("llama", True)]
HERE = Path(__file__).parent


def _run(world: int, models: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    rnd = random.Random(3)
    prompts = [[rnd.randrange(tiny_models.VOCABULARY - 2) for _ in range(length)] for length in (3, 21, 12, 9)]
    job = folder / f"job-{world}.json"
    job.write_text(json.dumps({"ranges": CUTS[world], "models": models, "prompts": prompts, "count": 16}), "utf-8")
    hosts = folder / f"hosts-{world}.json"
    hosts.write_text(json.dumps([[f"127.0.0.1:{port}"] for port in free_ports(world)]), "utf-8")
    outputs = [folder / f"out-{world}-{rank}.json" for rank in range(world)]
    processes = []
    for rank, output in enumerate(outputs):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE), str(HERE)]), "MLX_DISABLE_COMPILE": "1"}
        if world > 1:
            environment |= {"MLX_RANK": str(rank), "MLX_HOSTFILE": str(hosts)}
        processes.append(subprocess.Popen(
            [sys.executable, str(HERE / "family_rank.py"), str(job), str(rank), str(output)], env=environment, stderr=subprocess.PIPE, text=True))
    try:
        for process in processes:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors[-3000:]
    finally:
        for process in processes:
            process.kill()
    return [json.loads(output.read_text("utf-8")) for output in outputs]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("families")
    models = {
        f"{name}{'-q4' if quantized else ''}": str(tiny_models.make(folder / f"{name}-{quantized}", name, quantized=quantized))
        for name, quantized in VARIANTS}
    models["llama-bf16"] = str(tiny_models.make(folder / "llama-bf16", "llama", dtype=tiny_models.mx.bfloat16))
    return {world: _run(world, models, folder) for world in CUTS}


NAMES = [f"{name}{'-q4' if quantized else ''}" for name, quantized in VARIANTS] + ["llama-bf16"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("world", [2, 3])
def test_split_gives_the_tokens_and_logprobs_of_one_process(results: dict[int, list[dict[str, Any]]], name: str, world: int) -> None:
    whole, split = results[1][0][name], results[world][0][name]

    assert split["tokens"] == whole["tokens"]
    assert split["logprobs"] == whole["logprobs"]
    assert len({token for answer in whole["tokens"] for token in answer}) > 8, "the model says too little to prove anything"


@pytest.mark.parametrize("name", NAMES)
def test_every_rank_continues_with_the_tokens_of_rank_zero(results: dict[int, list[dict[str, Any]]], name: str) -> None:
    assert all(rank[name]["tokens"] == results[3][0][name]["tokens"] for rank in results[3])


@pytest.mark.parametrize("name", NAMES)
def test_a_rank_holds_its_own_layers_only(results: dict[int, list[dict[str, Any]]], name: str) -> None:
    whole = results[1][0][name]["active"]

    assert all(rank[name]["active"] < whole for rank in results[3])


def test_every_family_has_a_model_here() -> None:
    assert {config["model_type"] for config in tiny_models.CONFIGS.values()} == set(FAMILIES)


def test_other_families_are_refused_by_name() -> None:
    with pytest.raises(PlanError, match="'gemma3n' can't be split"):
        fix_for("gemma3n")
