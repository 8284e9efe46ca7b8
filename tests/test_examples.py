"""The examples, at reduced size."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pictures
import pytest
from matplotlib.figure import Figure

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


def test_a_failure_halfway_leaves_no_picture(tmp_path):
    class Broken(Figure):
        def savefig(self, fname, **kwargs):
            Path(fname).write_bytes(b"half a picture")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        pictures.save(Broken(), tmp_path / "digits.png")
    assert list(tmp_path.iterdir()) == []


def test_plateau_reacts_to_stalls_and_saves_a_picture(tmp_path, monkeypatch, capsys):
    plateau = runpy.run_path(str(EXAMPLES / "plateau.py"))
    picture, settings = tmp_path / "plateau.png", plateau["main"].__globals__
    monkeypatch.setitem(settings, "EPOCHS", 30)
    monkeypatch.setitem(settings, "SEEDS", 2)
    steered = {"steered": plateau["make_rates"](epoch=21)["steered"]}
    monkeypatch.setitem(settings, "make_rates", lambda epoch: steered)
    plateau["main"](["--output", str(picture)])
    printed = capsys.readouterr().out
    assert re.search(r"^steered .*%", printed, re.MULTILINE)
    stalls = re.findall(r"stalled at step (\d+), epoch (\d+): (\w+)", printed)
    assert [text for *_, text in stalls] == ["restart", "cooldown"][: len(stalls)]
    assert stalls
    assert all(int(step) == 21 * int(epoch) for step, epoch, _ in stalls)
    assert list(tmp_path.iterdir()) == [picture]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_range_test_finds_a_rate_and_saves_a_picture(tmp_path, monkeypatch, capsys):
    main = runpy.run_path(str(EXAMPLES / "range_test.py"))["main"]
    for name, value in {"SEEDS": 2, "EPOCHS": 1, "TEST_STEPS": 40, "COLORS": {1.0: "blue"}}.items():
        monkeypatch.setitem(main.__globals__, name, value)
    main(["--output", str(tmp_path / "range_test.png")])
    printed = capsys.readouterr().out
    for rule in ("valley", "slide", "minimum", "steep"):
        assert re.search(rf"^{rule} .*\d", printed, re.MULTILINE)
    assert printed.strip().endswith("%")
    assert [file.read_bytes()[:4] for file in tmp_path.iterdir()] == [b"\x89PNG"]


def test_per_layer(tmp_path, monkeypatch, capsys):
    example = runpy.run_path(str(EXAMPLES / "per_layer.py"))
    settings, picture = example["main"].__globals__, tmp_path / "per_layer.png"
    method, layer = "decayed by layer", r"layer0*0(?!\d)"
    smaller = dict(SEEDS=2, FIRST_STEPS=30, STEPS=40, PEAKS=(1e-3, 1e-2), LAYERS=1, WIDTH=16)
    smaller["METHODS"] = {method: {layer: example["DECAYED"][layer], "embed": None, ".*": 1.0}}
    for name, value in smaller.items():
        monkeypatch.setitem(settings, name, value)
    example["main"](["--output", str(picture)])
    printed = capsys.readouterr().out
    rows = re.findall(rf"^{method} +(\S+) +\S+% ± \S+% +\S+% ± \S+%$", printed, re.MULTILINE)
    assert rows == ["0.001", "0.01"]
    assert list(tmp_path.iterdir()) == [picture]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_population_ranks_its_schedules_and_saves_a_picture(tmp_path, capsys):
    population = runpy.run_path(str(EXAMPLES / "population.py"))
    picture = tmp_path / "population.png"
    population["main"](["--steps", "20", "--seeds", "2", "--output", str(picture)])
    printed = capsys.readouterr()
    ranks = re.findall(
        r"^ +(\d+)  \S.* (0\.\d+) +(\d\.\d+) ± \S+ +\S+%$", printed.out, re.MULTILINE
    )
    losses = [float(loss) for _, _, loss in ranks]
    assert [int(rank) for rank, *_ in ranks[:15]] == list(range(1, 16))
    assert losses == sorted(losses)
    assert "128/128" in printed.err
    assert list(tmp_path.iterdir()) == [picture]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_char_lm_cools_down_when_its_validation_loss_stalls(tmp_path, monkeypatch, capsys):
    example = runpy.run_path(str(EXAMPLES / "char_lm.py"))
    drawn, picture = [], tmp_path / "char_lm.png"
    smaller = dict(
        CONTEXT=16, WIDTH=16, HEADS=2, LAYERS=1, PIECES=8, EVERY=10, PEAK=2e-2, COOLDOWN=50
    )
    rules = example["make_optimizers"](400)
    assert list(rules) == ["cosine", "warm-up, stable, decay", "plateau"]
    smaller["make_optimizers"] = lambda steps: {
        "plateau": example["make_optimizers"](steps)["plateau"]
    }
    smaller["draw"] = lambda *args: drawn.append(example["draw"](*args)) or drawn[0]
    for name, value in smaller.items():
        monkeypatch.setitem(example["main"].__globals__, name, value)

    example["main"](["--steps", "400", "--output", str(picture)])
    printed = capsys.readouterr().out
    loss = re.search(r"^plateau +\d+ +(\d\.\d{3})$", printed, re.MULTILINE)[1]
    event = int(re.search(r"stalled at step (\d+)", printed)[1])
    counts = np.bincount(example["load_text"]()[1])
    shares = counts[counts > 0] / counts.sum()
    assert float(loss) < -np.sum(shares * np.log2(shares))
    rates = drawn[0].axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(rates[[event, event + 1, -1]], 2e-2 * np.array([1, 0.98, 0]))
    assert list(tmp_path.iterdir()) == [picture]


def test_linen(monkeypatch, capsys):
    linen = runpy.run_path(str(EXAMPLES / "linen.py"))
    monkeypatch.setitem(linen["main"].__globals__, "EPOCHS", 5)
    linen["main"]()
    assert "epoch  5: test accuracy" in capsys.readouterr().out
    assert "linen" not in sys.modules


def test_long_run_branches_extends_skips_and_rewinds(tmp_path, capsys):
    long_run = runpy.run_path(str(EXAMPLES / "long_run.py"))
    picture = tmp_path / "long_run.png"
    long_run["main"](["--output", str(picture)])
    _, *lines = capsys.readouterr().out.splitlines()
    table = {line[:12].strip(): [float(entry) for entry in line[12:].split()] for line in lines}
    loss = {name: entries[1] for name, entries in table.items()}
    assert loss["extended"] < loss["branch 1500"] < loss["branch 1000"] < loss["branch 500"]
    assert loss["rewound"] < loss["spiked"]
    assert [entries[2] for entries in table.values()] == [1, 0, 1, 1, 1, 0, 0]
    assert picture.read_bytes().startswith(b"\x89PNG")
