"""`python -m clusterllm_mlx.probe`: what MLX this machine has, as one JSON object."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import mlx.core as mx
import mlx_lm
from mlx_lm.utils import MODEL_REMAPPING

from .families import FAMILIES
from .versions import fault


def model_types() -> list[str]:
    """`model_type`s that mlx_lm has a class for."""
    files = (Path(mlx_lm.__file__).parent / "models").glob("*.py")
    return sorted({file.stem for file in files if "\nclass Model(" in file.read_text("utf-8")} | set(MODEL_REMAPPING))


def main() -> None:
    print(json.dumps({
        "python": platform.python_version(),
        "mlx": mx.__version__,
        "mlx_lm": mlx_lm.__version__,
        "fault": fault(),
        "metal": mx.metal.is_available(),
        "ring": mx.distributed.is_available("ring"),
        "jaccl": mx.distributed.is_available("jaccl"),
        "device": {key: value for key, value in mx.device_info().items() if isinstance(value, (str, int))},
        "families": sorted(FAMILIES),
        "model_types": model_types(),
    }))


if __name__ == "__main__":
    main()
