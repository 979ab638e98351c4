"""`python -m clusterllm_mlx.environment`: what this environment has, in lines for a person. Exits with 1 when MLX can't be used in it."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("mlx", "mlx-lm", "transformers", "tokenizers", "numpy")


def lines() -> list[str]:
    """Interpreter, versions and device."""
    import mlx.core as mx

    from .families import FAMILIES

    device = mx.device_info()
    name = device.get("device_name") or device.get("architecture") or platform.machine()
    memory = f", {device['memory_size'] / 2**30:.0f} GiB" if "memory_size" in device else ""
    return [
        ", ".join(f"{package} {_version(package)}" for package in PACKAGES),
        f"device: {name}{memory}, {'Metal' if mx.metal.is_available() else 'CPU only'}",
        f"families that can be split over nodes: {', '.join(sorted(FAMILIES))}",
    ]


def problem() -> str | None:
    """Why MLX can't be used here, in one sentence."""
    try:
        from .versions import fault
    except ImportError as error:
        return f"MLX can't be loaded: {error}."
    return fault()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def main() -> int:
    print(f"Python {platform.python_version()}: {sys.executable}")
    if wrong := problem():
        print(wrong, file=sys.stderr)
        return 1
    print("\n".join(lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
