"""Tiny random models of each family that can be split, in the layout that mlx_lm.convert writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten, tree_map_with_path
from mlx_lm.utils import _get_classes

LAYERS = 7
VOCABULARY = 258

_SHARED: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": LAYERS, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5, "vocab_size": VOCABULARY, "rope_theta": 10000.0, "max_position_embeddings": 4096, "tie_word_embeddings": False,
}

CONFIGS: dict[str, dict[str, Any]] = {
    "qwen2": {"model_type": "qwen2", "tie_word_embeddings": True},
    "llama": {"model_type": "llama"},
    "llama-sliding": {
        "model_type": "llama", "sliding_window": 8,
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention", "full_attention", "full_attention", "sliding_attention"],
    },
    "mistral": {"model_type": "mistral", "sliding_window": None},
    "qwen3": {"model_type": "qwen3", "head_dim": 32, "tie_word_embeddings": True},
    "qwen3_moe": {
        "model_type": "qwen3_moe", "head_dim": 32, "num_experts": 4, "num_experts_per_tok": 2, "decoder_sparse_step": 1, "mlp_only_layers": [],
        "moe_intermediate_size": 64, "norm_topk_prob": True,
    },
    "deepseek_v3": {
        "model_type": "deepseek_v3", "num_key_value_heads": 4, "moe_intermediate_size": 64, "n_routed_experts": 4, "n_group": 2, "topk_group": 1,
        "num_experts_per_tok": 2, "n_shared_experts": 1, "kv_lora_rank": 32, "q_lora_rank": 32, "qk_rope_head_dim": 32, "v_head_dim": 32,
        "qk_nope_head_dim": 32, "first_k_dense_replace": 1, "moe_layer_freq": 1,
    },
    "glm4_moe": {
        "model_type": "glm4_moe", "head_dim": 32, "use_qk_norm": True, "attention_bias": True, "moe_intermediate_size": 64, "n_routed_experts": 4,
        "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2, "n_shared_experts": 1, "routed_scaling_factor": 1.0, "first_k_dense_replace": 1,
        "norm_topk_prob": True, "partial_rotary_factor": 0.5, "rope_scaling": None, "scoring_func": "sigmoid", "topk_method": "noaux_tc",
    },
    "gpt_oss": {
        "model_type": "gpt_oss", "head_dim": 32, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 8,
        "layer_types": ["sliding_attention", "full_attention"] * 3 + ["sliding_attention"],
        "rope_scaling": {"rope_type": "yarn", "factor": 8.0, "beta_fast": 32.0, "beta_slow": 1.0, "original_max_position_embeddings": 512},
    },
}


def make(folder: Path, name: str, *, dtype: mx.Dtype = mx.float32, quantized: bool = False, files: int = 3) -> Path:
    """Writes a model whose weights are random, but large enough that a wrong mask, order or offset changes its tokens."""
    config = {**_SHARED, **CONFIGS[name]}
    model_class, args_class = _get_classes(config)
    mx.random.seed(7)
    model = model_class(args_class.from_dict(config))
    model.update(tree_map_with_path(lambda path, p: _spread(path, p, config["tie_word_embeddings"]).astype(dtype), model.parameters()))
    if quantized:
        nn.quantize(model, group_size=32, bits=4)
        config["quantization"] = {"group_size": 32, "bits": 4}
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, dict(tree_flatten(model.parameters())), files)
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": 257}), "utf-8")
    return folder


def _spread(path: str, p: mx.array, tied: bool) -> mx.array:
    if "norm" in path and path.endswith("weight"):
        return 1 + 0.25 * mx.random.normal(p.shape)
    if p.ndim == 1:
        return 0.3 * mx.random.normal(p.shape)
    if "embed_tokens" in path:
        return (0.25 if tied else 1.0) * mx.random.normal(p.shape)
    return 1.6 * mx.random.normal(p.shape) / p.shape[-1] ** 0.5


def _write(folder: Path, tensors: dict[str, mx.array], files: int) -> None:
    names = sorted(tensors)
    size = -(-len(names) // files)
    weight_map = {}
    for index in range(files):
        file = f"model-{index + 1:05d}-of-{files:05d}.safetensors"
        part = {name: tensors[name] for name in names[index * size : (index + 1) * size]}
        mx.save_safetensors(str(folder / file), part, metadata={"format": "mlx"})
        weight_map |= {name: file for name in part}
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": weight_map}), "utf-8")
