"""The example that hands a training in PyTorch over, at reduced size."""

import runpy
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "from_pytorch.py"


def test_a_training_handed_over_has_the_same_rates_and_losses(tmp_path, capsys):
    example, picture = runpy.run_path(str(EXAMPLE)), tmp_path / "picture.png"
    batches = example["make_batches"](2)
    before, after = example["train_torch"](*batches), example["train_jax"](*batches)
    np.testing.assert_allclose(after.rates, before.rates, rtol=1e-6)
    np.testing.assert_allclose(after.losses, before.losses, rtol=1e-4)
    assert before.losses[-1] < before.losses[0] / 3

    example["main"](["--epochs", "1", "--output", str(picture)])
    assert "28 steps" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [picture]


def test_both_curves_are_drawn():
    example = runpy.run_path(str(EXAMPLE))
    curves = [example["Curve"](np.arange(3.0), np.arange(3.0) + shift) for shift in (1, 2)]
    rates, losses = example["draw"](*curves).axes
    assert [line.get_label() for line in rates.lines] == ["PyTorch", "JAX with from_torch"]
    assert [axes.get_ylabel() for axes in (rates, losses)] == ["learning rate", "loss"]
    for curve, line in zip(curves, losses.lines, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve.losses)
