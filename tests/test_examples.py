"""The examples, at reduced size."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def digits():
    return runpy.run_path(str(EXAMPLES / "digits.py"))


def test_digits_trains_under_nine_schedules_and_saves_a_picture(digits, tmp_path, capsys):
    picture = tmp_path / "digits.png"
    digits["main"](["--epochs", "1", "--output", str(picture)])
    table = capsys.readouterr().out
    for name in ("constant", "step decay", "exponential", "linear", "polynomial", "cosine"):
        assert name in table
    for name in ("warm-up, cosine", "warm restarts", "one-cycle"):
        assert name in table
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [picture]


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--output", "nowhere/picture.png"]])
def test_digits_refuses_before_it_trains(digits, arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        digits["main"](arguments)
    assert stop.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_failure_halfway_leaves_no_picture(digits, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    def fail(figure, file, **kwargs):
        Path(file).write_bytes(b"half a picture") if isinstance(file, (str, Path)) else None
        raise RuntimeError("halfway")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(RuntimeError, match="halfway"):
        digits["main"](["--epochs", "1", "--output", str(tmp_path / "digits.png")])
    assert list(tmp_path.iterdir()) == []


def test_linen(monkeypatch, capsys):
    linen = runpy.run_path(str(EXAMPLES / "linen.py"))
    monkeypatch.setitem(linen["main"].__globals__, "EPOCHS", 5)
    linen["main"]()
    assert "epoch  5: test accuracy" in capsys.readouterr().out
    assert "linen" not in sys.modules
