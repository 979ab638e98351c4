"""Loads the tensors of a rank's own layers, one layer at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model

from . import stages
from .families import fix_for
from .plan import Plan, PlanError
from .weights import TensorEntry, read_weight_map

OnLayer = Callable[[int, int, int], None]
"""Called with the layer's index, the bytes loaded so far and all bytes of this rank."""

_DTYPES = (mx.float32, mx.bfloat16, mx.float16)


@dataclass(frozen=True)
class LoadedModel:
    model: nn.Module
    config: dict[str, Any]


class MissingWeightsError(ValueError):
    """Tensors of this rank's layers are not in its folder."""


def load_whole(folder: Path, on_layer: OnLayer) -> LoadedModel:
    """One node: any family that mlx_lm knows. Evaluated by layers, so that progress shows and no single evaluation takes seconds."""
    model, config = load_model(folder, lazy=True)
    total = sum(array.nbytes for _, array in tree_flatten(model.parameters()))
    done = 0
    for index, layer in enumerate(getattr(model, "layers", [])):
        done += _evaluate(layer)
        on_layer(index, done, total)
    mx.eval(model.parameters())
    on_layer(-1, total, total)
    return LoadedModel(model, config)


def load_stage(folder: Path, plan: Plan, on_layer: OnLayer) -> LoadedModel:
    """One rank of several: leaves only this rank's layers in the model and puts send and receive at its edges."""
    model_type = json.loads((folder / "config.json").read_text("utf-8"))["model_type"]
    fix = fix_for(model_type)
    model, config = load_model(folder, lazy=True, strict=False)
    inner = model.model
    layers = list(inner.layers)
    if len(layers) != plan.layers:
        raise PlanError(f"The plan covers {plan.layers} layers, the model in {folder.name} has {len(layers)}.")
    own = layers[plan.first_layer : plan.end_layer]
    tied = not hasattr(model, "lm_head")
    edges = _edges(model, plan, tied)
    _check_present(read_weight_map(folder), plan, own, edges)
    total = sum(_bytes(part) for part in [*own, *edges.values()])
    done = 0
    for index, layer in enumerate(own, plan.first_layer):
        done += _evaluate(layer)
        on_layer(index, done, total)
    _replace_edges(model, config, plan, tied)
    inner.layers = _wrap(own, plan)
    fix(inner, plan)
    mx.eval(model.parameters())
    mx.clear_cache()
    on_layer(-1, total, total)
    return LoadedModel(model, config)


def _edges(model: nn.Module, plan: Plan, tied: bool) -> dict[str, nn.Module]:
    """The parts outside the layers that this rank needs, by their name in the files."""
    edges: dict[str, nn.Module] = {}
    if plan.is_first_stage or (plan.is_last_stage and tied):
        edges["model.embed_tokens"] = model.model.embed_tokens
    if plan.is_last_stage:
        edges["model.norm"] = model.model.norm
        if not tied:
            edges["lm_head"] = model.lm_head
    return edges


def _check_present(present: dict[str, TensorEntry], plan: Plan, own: list[nn.Module], edges: dict[str, nn.Module]) -> None:
    parts = {f"model.layers.{index}": layer for index, layer in enumerate(own, plan.first_layer)} | edges
    missing = [f"{prefix}.{name}" for prefix, part in parts.items() for name, _ in tree_flatten(part.parameters()) if f"{prefix}.{name}" not in present]
    if missing:
        raise MissingWeightsError(
            f"{len(missing)} tensors of layers [{plan.first_layer}, {plan.end_layer}) are not in the model's folder, the first is {missing[0]}. "
            "Copy the files that hold them, or convert the model with mlx_lm.convert: other layouts can't be split.")


def _replace_edges(model: nn.Module, config: dict[str, Any], plan: Plan, tied: bool) -> None:
    inner = model.model
    embeddings = inner.embed_tokens
    dtype = _agreed_dtype(embeddings(mx.zeros((1, 1), mx.int32)).dtype, plan)
    inner.embed_tokens = stages.Embedding(embeddings, plan, tied, config["hidden_size"], config["vocab_size"], dtype)
    if not plan.is_last_stage:
        inner.norm = stages.Identity()
        if not tied:
            model.lm_head = stages.NoHead(config["vocab_size"])


def _agreed_dtype(own: mx.Dtype, plan: Plan) -> mx.Dtype:
    """The type of activations between stages: only the first stage is sure to have the embeddings that decide it."""
    if plan.is_first_stage and own not in _DTYPES:
        raise PlanError(f"Activations of type {own} can't travel between stages: use float32, bfloat16 or float16 weights.")
    code = _DTYPES.index(own) + 1 if plan.is_first_stage else 0
    return _DTYPES[int(mx.distributed.all_sum(mx.array(code, mx.int32), stream=mx.cpu).item()) - 1]


def _wrap(own: list[nn.Module], plan: Plan) -> list[nn.Module]:
    first: nn.Module = stages.Timed(own[0], plan) if plan.is_first_stage else stages.StageIn(own[0], plan)
    wrapped = [first, *own[1:]]
    if not plan.is_last_stage:
        wrapped[-1] = stages.StageOut(wrapped[-1], plan)
    return wrapped


def _bytes(module: nn.Module) -> int:
    return sum(array.nbytes for _, array in tree_flatten(module.parameters()))


def _evaluate(layer: nn.Module) -> int:
    mx.eval(layer.parameters())
    mx.clear_cache()
    return _bytes(layer)
