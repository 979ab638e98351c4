"""The versions of MLX that this package was tested with."""

from __future__ import annotations

import mlx.core as mx
import mlx_lm

from . import PIN_MLX, PIN_MLX_LM


def fault() -> str | None:
    """Why this MLX is not the one that the package was tested with."""
    found, wanted = {"mlx": mx.__version__, "mlx-lm": mlx_lm.__version__}, {"mlx": PIN_MLX, "mlx-lm": PIN_MLX_LM}
    wrong = [f"{name} {found[name]} is installed, {wanted[name]} is needed" for name in found if found[name] != wanted[name]]
    return f"{'; '.join(wrong)}: install the requirements of this version." if wrong else None
