"""`python -m clusterllm_mlx --plan plan.json --rank 0 --model FOLDER --port 18080`: one rank of an MLX engine."""

from __future__ import annotations

import argparse
import json
import logging
import threading
from pathlib import Path

import mlx.core as mx

from . import beats, events, handler, lockstep, sampling, upstream, watchdog
from .generation import Generator, Provider
from .plan import Plan, PlanError, read_plan


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="clusterllm_mlx", description="One rank of an MLX engine.")
    parser.add_argument("--plan", type=Path, required=True, help="JSON file: {'group', 'ranks': [[first, end], …], 'backend'}; rank 0 holds the last layers")
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="HTTP port of rank 0; 0 on the others")
    parser.add_argument("--context-tokens", type=int, required=True, help="prompt and answer together")
    parser.add_argument("--concurrency", type=int, default=4, help="sequences that decode together")
    parser.add_argument("--prefill-step-size", type=int, default=512, help="tokens per prefill chunk: how long decoding may stand still")
    parser.add_argument("--prompt-cache-size", type=int, default=4, help="stored KV caches; 0 stores none")
    parser.add_argument("--prompt-cache-tokens", type=int, default=32768, help="tokens of all stored KV caches together")
    parser.add_argument("--stall-seconds", type=float, default=120, help="no progress for so long ends the process; longer than the slowest prefill chunk")
    parser.add_argument("--wired", default="auto", help="auto, off, or bytes that Metal may wire")
    parser.add_argument("--cache-limit-bytes", type=int, default=2 << 30, help="freed buffers that MLX keeps")
    parser.add_argument("--chat-template-args", type=json.loads, default={}, help="JSON object for the chat template")
    parser.add_argument("--watch-parent", action="store_true", help="end when stdin closes")
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


def join(plan: Plan) -> None:
    """Connects to the neighbours. Strict: a missing variable would silently make every rank a server of its own."""
    if plan.world == 1:
        return
    group = mx.distributed.init(strict=True, backend=plan.backend)
    if group.size() != plan.world or group.rank() != plan.rank:
        raise PlanError(f"MLX says rank {group.rank()} of {group.size()}, the plan says {plan.rank} of {plan.world}.")
    events.emit("joined", rank=plan.rank, world=plan.world)
    lockstep.install_token_broadcast(plan)


def main() -> None:
    args = arguments()
    events.reserve_stdout()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if args.watch_parent:
        watchdog.watch_parent()
    try:
        upstream.check()
        plan = read_plan(args.plan, args.rank)
        limit_memory(args.wired, args.cache_limit_bytes)
        join(plan)
    except (PlanError, upstream.UpstreamError, OSError, RuntimeError) as error:
        events.die(events.EXIT_PEER_OR_EXCEPTION, str(error), rank=args.rank)
    run(args, plan)


def run(args: argparse.Namespace, plan: Plan) -> None:
    sampling.install_seeded_samplers()
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
