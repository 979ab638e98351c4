"""One rank that answers the same prompts with every model of a list: `family_rank.py JOB.json RANK OUT.json`.

One ring for all models, because starting Python and MLX costs more than a tiny model's tokens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mlx.core as mx
from clusterllm_mlx import lockstep, waiting
from clusterllm_mlx.loading import load_stage, load_whole
from clusterllm_mlx.plan import Plan
from mlx_lm.generate import BatchGenerator


def answers(model: Any, prompts: list[list[int]], count: int) -> dict[str, Any]:
    """Greedy tokens of all prompts in one batch that grows while it runs."""
    batch = BatchGenerator(model, completion_batch_size=8, prefill_batch_size=2, prefill_step_size=8, stream=mx.default_stream(mx.default_device()))
    queued = list(prompts)
    tokens: dict[int, list[int]] = {}
    logprobs: dict[int, list[float]] = {}
    steps = 0
    while queued or len(tokens) < len(prompts) or any(len(t) < count for t in tokens.values()):
        if queued and steps % 4 == 0:
            (uid,) = batch.insert([queued.pop(0)], max_tokens=[count])
            tokens[uid], logprobs[uid] = [], []
        for response in batch.next()[1]:
            tokens[response.uid].append(response.token)
            logprobs[response.uid].append(response.logprobs[response.token].item())
        steps += 1
    return {"tokens": list(tokens.values()), "logprobs": list(logprobs.values())}


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    rank, world = int(sys.argv[2]), len(job["ranges"])
    plan = Plan("families", tuple(tuple(r) for r in job["ranges"]), rank)
    if world > 1:
        with waiting.instead_of_polling():
            mx.distributed.init(strict=True, backend="ring")
        lockstep.install_token_broadcast(plan)
    results = {}
    for name, folder in job["models"].items():
        loaded = load_whole(Path(folder), lambda *_: None) if world == 1 else load_stage(Path(folder), plan, lambda *_: None)
        before = mx.get_active_memory()
        results[name] = answers(loaded.model, job["prompts"], job["count"]) | {"active": before}
        del loaded
        mx.clear_cache()
    Path(sys.argv[3]).write_text(json.dumps(results), "utf-8")


if __name__ == "__main__":
    main()
