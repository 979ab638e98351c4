"""`python -m clusterllm_mlx.probe`: what MLX this machine has, as one JSON object."""

from __future__ import annotations

import json
import platform

import mlx.core as mx
import mlx_lm

from . import PIN_MLX_LM
from .families import FAMILIES


def main() -> None:
    print(json.dumps({
        "python": platform.python_version(),
        "mlx": mx.__version__,
        "mlx_lm": mlx_lm.__version__,
        "wanted_mlx_lm": PIN_MLX_LM,
        "metal": mx.metal.is_available(),
        "ring": mx.distributed.is_available("ring"),
        "jaccl": mx.distributed.is_available("jaccl"),
        "device": {key: value for key, value in mx.device_info().items() if isinstance(value, (str, int))},
        "families": sorted(FAMILIES),
    }))


if __name__ == "__main__":
    main()
