"""`python -m clusterllm_mlx --plan plan.json --rank 0 --model FOLDER --port 18080`: one rank of an MLX engine."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import threading
from pathlib import Path

import mlx.core as mx

from . import beats, events, handler, lockstep, sampling, upstream, waiting, watchdog
from .generation import Generator, Provider
from .plan import Assignment, Plan, PlanError, read_assignment


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="clusterllm_mlx", description="One rank of an MLX engine.")
    parser.add_argument("--plan", type=Path, required=True, help="JSON file: {'group', 'world', 'layers': [first, end], 'backend'}; rank 0 holds the last layers")
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="HTTP port of rank 0; 0 takes a free one, which the event 'listening' tells")
    parser.add_argument("--context-tokens", type=int, required=True, help="prompt and answer together")
    parser.add_argument("--concurrency", type=int, default=4, help="sequences that decode together")
    parser.add_argument("--prefill-step-size", type=int, default=512, help="tokens per prefill chunk: how long decoding may stand still")
    parser.add_argument("--prompt-cache-size", type=int, default=4, help="stored KV caches; 0 stores none")
    parser.add_argument("--prompt-cache-tokens", type=int, default=32768, help="tokens of all stored KV caches together")
    parser.add_argument("--stall-seconds", type=float, default=120, help="no progress for so long ends the process; longer than the slowest prefill chunk")
    parser.add_argument("--wired", default="auto", help="auto, off, or bytes that Metal may wire")
    parser.add_argument("--cache-limit-bytes", type=int, default=2 << 30, help="freed buffers that MLX keeps")
    parser.add_argument("--chat-template-args", type=json.loads, default={}, help="JSON object for the chat template")
    parser.add_argument("--watch-parent", action="store_true", help="end when stdin closes, and leave the parent's process group")
    return parser.parse_args()


def upstream_arguments(args: argparse.Namespace) -> argparse.Namespace:
    """What mlx_lm's server reads from its own command line."""
    return argparse.Namespace(
        **{name: value for name, value in vars(args).items() if name not in ("model", "plan")},
        model=str(args.model), adapter_path=None, draft_model=None, num_draft_tokens=0, pipeline=False,
        trust_remote_code=False, chat_template="", use_default_chat_template=False,
        # The answer may fill the context unless the request says less.
        temp=1.0, top_p=1.0, top_k=0, min_p=0.0, max_tokens=args.context_tokens,
        decode_concurrency=args.concurrency, prompt_concurrency=min(args.concurrency, 4),
        prompt_cache_bytes=None, kv_bits=None, kv_group_size=64, quantized_kv_start=0, allowed_origins=[])


def limit_memory(wired: str, cache_limit: int) -> None:
    mx.set_cache_limit(cache_limit)
    if not mx.metal.is_available() or wired == "off":
        return
    recommended = int(mx.device_info()["max_recommended_working_set_size"])
    mx.set_wired_limit(recommended if wired == "auto" else min(int(wired), recommended))


def join(own: Assignment) -> Plan:
    """Connects to the neighbours and compares all ranks' layers. Strict: a missing variable would silently make every rank a server of its own."""
    if own.world == 1:
        return own.with_ranges([[own.first_layer, own.end_layer]])
    with waiting.instead_of_polling() if own.backend == "ring" else contextlib.nullcontext():
        group = mx.distributed.init(strict=True, backend=own.backend)
    if group.size() != own.world or group.rank() != own.rank:
        raise PlanError(f"MLX says rank {group.rank()} of {group.size()}, the plan says {own.rank} of {own.world}.")
    ranges = mx.distributed.all_gather(mx.array([[own.first_layer, own.end_layer]], mx.int32), stream=mx.cpu).tolist()
    plan = own.with_ranges(ranges)
    events.emit("joined", rank=plan.rank, ranks=ranges)
    lockstep.install_token_broadcast(plan)
    return plan


def agree(args: argparse.Namespace, plan: Plan) -> None:
    """What steers the batch must be the same everywhere: rank 0's word counts, and the smallest prompt cache."""
    names = ("concurrency", "prefill_step_size", "prompt_cache_size")
    shared = lockstep.broadcast_json({name: getattr(args, name) for name in names}, plan)
    for name in names:
        setattr(args, name, shared[name])
    if plan.world > 1:
        args.prompt_cache_tokens = int(mx.distributed.all_min(mx.array(args.prompt_cache_tokens, mx.int32), stream=mx.cpu).item())


def main() -> None:
    args = arguments()
    events.reserve_stdout()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if args.watch_parent:
        # What is sent to the agent's group (Ctrl+C in a terminal) is for the agent: it ends its ranks in order.
        if os.getpgrp() != os.getpid():
            os.setpgid(0, 0)
        watchdog.watch_parent()
    try:
        upstream.check()
        limit_memory(args.wired, args.cache_limit_bytes)
        plan = join(read_assignment(args.plan, args.rank))
        agree(args, plan)
    except (PlanError, upstream.UpstreamError, OSError, RuntimeError) as error:
        events.die(events.EXIT_PEER_OR_EXCEPTION, str(error), rank=args.rank)
    run(args, plan)


def run(args: argparse.Namespace, plan: Plan) -> None:
    sampling.install_seeded_samplers()
    sampling.install_answer_penalties()
    provider = Provider(upstream_arguments(args), plan)
    watchdog.watch_stalls(args.stall_seconds, provider.ready)
    beats.start(plan, provider.ready)
    generator = Generator(provider)
    if plan.is_last_stage:
        threading.Thread(target=handler.serve, args=(args.host, args.port, generator), name="http", daemon=True).start()
    generator.join()
    events.die(events.EXIT_PEER_OR_EXCEPTION, "the generation thread ended", rank=plan.rank)


if __name__ == "__main__":
    main()
