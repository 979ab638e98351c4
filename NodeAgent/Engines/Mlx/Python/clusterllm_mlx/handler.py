"""HTTP on loopback, for this rank's agent only."""

from __future__ import annotations

import json
from http.server import ThreadingHTTPServer
from typing import Any

import mlx.core as mx

from . import stagetrace
from .events import emit
from .generation import IGNORE_EOS
from .progress import CLOCK
from .upstream import server
from .validation import FieldError, check_body


class Handler(server.APIHandler):
    """mlx_lm's handler with a health that tells the truth, stricter checks, and token facts in each chunk."""

    def do_GET(self) -> None:
        if self.path != "/health":
            self._reply(404, {"error": "Not Found"})
            return
        provider, generator = self.response_generator.model_provider, self.response_generator
        plan = provider.plan
        loading, healthy = not provider.ready.is_set(), generator.generation_available()
        status = "loading" if loading and healthy else "ok" if healthy else "failed"
        self._reply(200 if status == "ok" else 503, {
            "status": status,
            "rank": plan.rank,
            "world": plan.world,
            "layers": [plan.first_layer, plan.end_layer],
            "active": mx.get_active_memory(),
            "peak": mx.get_peak_memory(),
            "cache": mx.get_cache_memory(),
            "last_progress_ms": round(CLOCK.silence * 1000),
        })

    def do_POST(self) -> None:
        if not self.response_generator.model_provider.ready.is_set():
            self._reply(503, {"error": "The model is still loading."})
            return
        try:
            super().do_POST()
        except UnicodeDecodeError:
            self._reply(400, {"error": "The body is no UTF-8."})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def validate_model_parameters(self) -> None:
        check_body(self.body, self.response_generator.model_provider.vocabulary)
        # One process serves one model: nothing in a body may load another path.
        self.requested_model, self.requested_draft_model, self.adapter = "default_model", "default_model", None
        self.body.pop("role_mapping", None)
        self.xtc_probability, self.xtc_threshold = float(self.xtc_probability), float(self.xtc_threshold)
        if self.stream_options is not None:
            if not isinstance(self.stream_options, dict):
                raise FieldError("stream_options", "must be an object")
            # Upstream reads the key without asking whether it is there, after the last chunk.
            self.stream_options = {"include_usage": bool(self.stream_options.get("include_usage"))}
        # Upstream takes at most 11; OpenAI 20, which check_body has seen to.
        alternatives, self.top_logprobs = self.top_logprobs, -1
        super().validate_model_parameters()
        self.top_logprobs = alternatives

    def handle_completion(self, request: Any, stop_words: list[str]) -> None:
        request.trace = stagetrace.read(self.headers.get("traceparent"))
        super().handle_completion(request, [*stop_words, IGNORE_EOS] if self.body.get("ignore_eos") is True else stop_words)

    def generate_response(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        response = super().generate_response(*args, **kwargs)
        if self.stream and (recorder := self.response_generator.recorder) is not None:
            response["clusterllm"] = recorder.drain()
        return response

    def completion_usage_response(
        self, prompt_token_count: int | None = None, completion_token_count: int | None = None, prompt_cache_count: int | None = None
    ) -> dict[str, Any]:
        recorder = self.response_generator.recorder
        count = completion_token_count if recorder is None else recorder.total
        return super().completion_usage_response(prompt_token_count, count, prompt_cache_count)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Nothing per request: the agent counts them."""

    def _reply(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def serve(host: str, port: int, generator: Any) -> None:
    """Answers until the process ends."""
    fingerprint = server.get_system_fingerprint()
    with Server((host, port), lambda *args, **kwargs: Handler(generator, *args, system_fingerprint=fingerprint, **kwargs)) as http:
        emit("listening", port=http.server_address[1])
        http.serve_forever()
