"""mlx_lm's generation loop with requests that all ranks share."""

from __future__ import annotations

import dataclasses
import gc
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx_lm.generate import StopSequences
from mlx_lm.models.cache import KVCache, make_prompt_cache

from . import tokenizing
from .events import EXIT_PEER_OR_EXCEPTION, die, emit
from .idling import IdlePause
from .loading import load_stage, load_whole
from .lockstep import LockstepBudget, broadcast_json
from .plan import Plan
from .progress import CLOCK
from .promptcache import LockstepPromptCache
from .recorder import TokenRecorder
from .stagetrace import TracedQueue
from .upstream import server

IGNORE_EOS = "\0ignore-eos"
"""Among the stop words: the end token does not end the answer. There is no other field that reaches the matcher on all ranks."""


class Provider(server.ModelProvider):
    """Loads one model, once: `model` strings of requests never load another path."""

    def __init__(self, args: Any, plan: Plan) -> None:
        super().__init__(args)
        self.plan = plan
        self.ready = threading.Event()
        self.vocabulary = 0
        self.caches_trim = False

    def _load(self, model_path: str, adapter_path: str | None = None, draft_model_path: str | None = None) -> None:
        folder = Path(model_path)
        loaded = load_whole(folder, self._report) if self.plan.world == 1 else load_stage(folder, self.plan, self._report)
        self.model = loaded.model
        self.tokenizer = tokenizing.load(folder, loaded.config, self._tokenizer_config)
        self.vocabulary = loaded.config.get("vocab_size") or loaded.config.get("text_config", {}).get("vocab_size") or len(self.tokenizer)
        caches = make_prompt_cache(self.model)
        self.is_batchable = self._on_all_ranks(all(hasattr(c, "merge") for c in caches))
        self.caches_trim = self._on_all_ranks(all(type(c) is KVCache for c in caches)) or self.plan.world == 1
        self.model_key = (model_path, adapter_path, draft_model_path)
        gc.collect()
        mx.clear_cache()
        self.ready.set()
        emit("ready", rank=self.plan.rank, active=mx.get_active_memory(), batchable=self.is_batchable)

    def _report(self, layer: int, done: int, total: int) -> None:
        CLOCK.touch()
        emit("layer", rank=self.plan.rank, layer=layer, done=done, total=total)

    def _on_all_ranks(self, value: bool) -> bool:
        """True only if every rank says so: rules that depend on it then run the same way everywhere."""
        if self.plan.world == 1:
            return value
        return int(mx.distributed.all_sum(mx.array(int(value), mx.int32), stream=mx.cpu).item()) == self.plan.world


class Generator(server.ResponseGenerator):
    """The generation thread. Whatever it raises ends the process: peers must not wait for a rank that is half alive."""

    def __init__(self, provider: Provider) -> None:
        self._plan = provider.plan
        self._pause = IdlePause(provider.plan.world)
        self._answer = threading.local()
        super().__init__(provider, None)

    def _generate(self) -> None:
        try:
            self._time_budget = LockstepBudget(self._plan)
            self.model_provider.load_default()
            args = self.model_provider.cli_args
            self.prompt_cache = LockstepPromptCache(args.prompt_cache_size, args.prompt_cache_tokens, self.model_provider.caches_trim)
            super()._generate()
        except BaseException as error:
            traceback.print_exc()
            die(EXIT_PEER_OR_EXCEPTION, f"{type(error).__name__}: {error}", rank=self._plan.rank)

    def _is_batchable(self, args: Any) -> bool:
        return self.model_provider.is_batchable

    def _make_state_machine(self, model_key: Any, tokenizer: Any, stop_words: list[str]) -> tuple[Any, Any]:
        if IGNORE_EOS not in stop_words:
            return super()._make_state_machine(model_key, tokenizer, stop_words)
        words = [word for word in stop_words if word != IGNORE_EOS]
        _, text = super()._make_state_machine(model_key, tokenizer, words)
        return StopSequences([tuple(tokenizer.encode(word, add_special_tokens=False)) for word in words]), text

    def _log_cache_stats(self) -> None:
        """Upstream writes four lines per request here."""

    def _next_request(self, timeout: float | None = None) -> Any:
        """With a timeout the group is idle: rank 0 waits for a request, the others rest meanwhile. Every rank still hears from rank 0 many times a second."""
        CLOCK.touch()
        rest = None if timeout is None else self._pause.next()
        if rest is not None and not self._plan.is_last_stage:
            time.sleep(rest)
        request = super()._next_request(rest)
        if rest is None or request is not None:
            self._pause.reset()
        return request

    def _share_object(self, obj: Any) -> Any:
        return broadcast_json(obj, self._plan)

    def _share_request(self, request: Any) -> Any:
        """Rank 0 does everything that can fail (template, tokens, stop words) before the others hear of the request."""
        if request is not None:
            request = self._prepare(*request)
        if self._plan.world == 1:
            return request
        message = broadcast_json(None if request is None else _to_json(request[1], request[2]), self._plan)
        if message is None:
            return None
        queue = request[0] if request is not None else server.Queue()
        if message["trace"] is not None:
            queue = TracedQueue(queue, message["trace"], self._plan)
        return queue, *_from_json(message)

    def _prepare(self, queue: Any, request: Any, args: Any) -> Any:
        try:
            provider = self.model_provider
            request.tokenized = self._tokens_of(request, args)
            self._make_state_machine(provider.model_key, provider.tokenizer, args.stop_words)
            args.prompt_tokens = len(request.tokenized[0])
            args.max_tokens = self._room(args.prompt_tokens, args.max_tokens)
            return queue, request, args
        except Exception as error:
            queue.put(error)
            return None

    def _tokens_of(self, request: Any, args: Any) -> tuple[list[int], list[list[int]], list[str], str, None]:
        if isinstance(request.prompt, list):
            return request.prompt, [request.prompt], ["assistant"], "normal", None
        return super()._tokenize(self.model_provider.tokenizer, request, args)

    def _room(self, prompt_tokens: int, wanted: int) -> int:
        context = self.model_provider.cli_args.context_tokens
        if prompt_tokens == 0:
            raise ValueError("prompt: it has no tokens")
        if prompt_tokens >= context:
            raise ValueError(f"context_length_exceeded: the prompt has {prompt_tokens} tokens, the context holds {context} with the answer")
        return min(wanted, context - prompt_tokens)

    def _tokenize(self, tokenizer: Any, request: Any, args: Any) -> Any:
        return request.tokenized

    def generate(self, request: Any, generation_args: Any, progress_callback: Callable[[int, int], None] | None = None) -> tuple[Any, Iterator[Any]]:
        """Called on the handler's thread; `recorder` is that thread's afterwards."""
        context, responses = super().generate(request, generation_args, progress_callback)
        self._answer.recorder = TokenRecorder(self.model_provider.tokenizer, generation_args.logprobs, [word for word in generation_args.stop_words if word != IGNORE_EOS])
        return context, self._answer.recorder.follow(self._counted(responses))

    @property
    def recorder(self) -> TokenRecorder | None:
        return getattr(self._answer, "recorder", None)

    @staticmethod
    def _counted(responses: Iterator[Any]) -> Iterator[Any]:
        for response in responses:
            CLOCK.tokens(1)
            yield response


def _to_json(request: Any, args: Any) -> dict[str, Any]:
    # Messages and prompt stay here: only their tokens matter to the other ranks.
    return {"args": dataclasses.asdict(args), "tokenized": request.tokenized[:4], "trace": getattr(request, "trace", None)}


def _from_json(message: dict[str, Any]) -> tuple[Any, Any]:
    request = server.CompletionRequest("text", "", [], None, None)
    request.tokenized = (*message["tokenized"], None)
    data = message["args"]
    logits = data["logits"]
    if logits["logit_bias"]:
        # JSON has no integer keys.
        logits["logit_bias"] = {int(token): bias for token, bias in logits["logit_bias"].items()}
    args = server.GenerationArguments(**{
        **data,
        "model": server.ModelDescription(**data["model"]),
        "sampling": server.SamplingArguments(**data["sampling"]),
        "logits": server.LogitsProcessorArguments(**logits),
    })
    args.prompt_tokens = len(request.tokenized[0])
    return request, args
