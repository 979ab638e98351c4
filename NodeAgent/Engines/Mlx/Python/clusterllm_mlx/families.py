"""Model families that can be split by layers, and what their slices need besides the slice itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .plan import Plan, PlanError

Fix = Callable[[Any, Plan], None]


def _plain(inner: Any, plan: Plan) -> None:
    """The forward pass loops over the layers and knows nothing of their index."""


def _llama(inner: Any, plan: Plan) -> None:
    """Masks are taken from the first full and the first sliding layer: find both again within the slice.

    A kind that the slice lacks gets any index: its mask is built and never used.
    """
    types = inner.layer_types[plan.first_layer : plan.end_layer]
    inner.layer_types = types
    inner.fa_idx = types.index("full_attention") if "full_attention" in types else 0
    inner.swa_idx = types.index("sliding_attention") if "sliding_attention" in types else None


def _gpt_oss(inner: Any, plan: Plan) -> None:
    """As with llama; `layer_types` is also what the caches are made from."""
    types = inner.layer_types[plan.first_layer : plan.end_layer]
    inner.layer_types = types
    inner.ga_idx = types.index("full_attention") if "full_attention" in types else 0
    inner.swa_idx = types.index("sliding_attention") if "sliding_attention" in types else 0


FAMILIES: dict[str, Fix] = {
    "qwen2": _plain,
    "qwen3": _plain,
    "qwen3_moe": _plain,
    "llama": _llama,
    "mistral": _llama,
    "deepseek_v3": _plain,
    "glm4_moe": _plain,
    "gpt_oss": _gpt_oss,
}
"""`model_type` of config.json. Each one has a test that compares 2 and 3 ranks with one process: add none without it."""


def fix_for(model_type: str) -> Fix:
    """The fix-up of a family; refuses, by name, families whose split was not proven right."""
    fix = FAMILIES.get(model_type)
    if fix is None:
        raise PlanError(
            f"Models of type '{model_type}' can't be split over several nodes: only {', '.join(FAMILIES)} can. Run it on one node.")
    return fix
