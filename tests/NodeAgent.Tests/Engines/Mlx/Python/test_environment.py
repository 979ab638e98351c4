"""What the environment says of itself to the person who opens its console."""

import sys

import pytest
from clusterllm_mlx import PIN_MLX, PIN_MLX_LM, environment


def test_working_environment_tells_versions_and_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.main() == 0

    said = capsys.readouterr().out
    assert sys.executable in said
    assert f"mlx {PIN_MLX}, mlx-lm {PIN_MLX_LM}" in said
    assert "device: " in said


def test_other_versions_are_a_fault(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("clusterllm_mlx.versions.PIN_MLX", "0.0.1")

    assert environment.main() == 1
    assert f"mlx {PIN_MLX} is installed, 0.0.1 is needed" in capsys.readouterr().err


def test_missing_mlx_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "clusterllm_mlx.versions", raising=False)
    monkeypatch.setitem(sys.modules, "mlx_lm", None)

    assert environment.main() == 1
    assert capsys.readouterr().err.startswith("MLX can't be loaded: ")
