"""mlx_lm's modules that this package hooks into, and a check that they are the ones it was written for."""

from __future__ import annotations

import importlib
from types import ModuleType

from .versions import fault

server: ModuleType = importlib.import_module("mlx_lm.server")
# `from mlx_lm import generate` gives the function of that name.
generate: ModuleType = importlib.import_module("mlx_lm.generate")

_HOOKS = {
    server: ("_make_sampler", "_make_logits_processors", "ModelProvider", "ResponseGenerator", "APIHandler", "CompletionRequest", "GenerationArguments"),
    server.ResponseGenerator: (
        "_generate", "_next_request", "_share_object", "_share_request", "_tokenize", "_is_batchable", "_make_state_machine", "_log_cache_stats", "generate"),
    server.APIHandler: ("do_GET", "do_POST", "validate_model_parameters", "generate_response", "handle_completion"),
    generate.GenerationBatch: ("_step",),
}


class UpstreamError(RuntimeError):
    """This mlx_lm can't be hooked into."""


def check() -> None:
    """Refuses an mlx_lm whose inside may have changed: a silent mismatch would give wrong tokens."""
    if wrong := fault():
        raise UpstreamError(wrong)
    missing = [f"{owner.__name__}.{name}" for owner, names in _HOOKS.items() for name in names if not hasattr(owner, name)]
    if missing:
        raise UpstreamError(f"mlx-lm lacks {', '.join(missing)}: install the requirements again.")
