"""The command that fits a law to logs, and predicts the losses of other schedules."""

import numpy as np
import pytest
from typer.testing import CliRunner

import jaxsched as js
from jaxsched.cli.app import app

TRUE = js.LossLaw(("annealing",), ({"L0": 2.0, "A": 1.0, "alpha": 0.5, "C": 0.05},), (0.999,))
LINE = "linear_schedule(0.01, 1e-5, 4000)"


def predict(*arguments, code=0):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["predict", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def write(path, schedule, heading="step,lr,loss"):
    steps = np.arange(50, 4001, 50)
    rates = np.broadcast_to(np.asarray(js.parse(schedule)(steps - 1)), steps.shape)
    rows = zip(steps, rates, TRUE.curve(js.parse(schedule), steps), strict=True)
    path.write_text("\n".join([heading, *(f"{s},{r},{x}" for s, r, x in rows)]))
    return path


@pytest.fixture
def logs(tmp_path):
    constant = write(tmp_path / "constant.csv", "constant_schedule(0.01)")
    return constant, write(tmp_path / "cosine.csv", "cosine_decay_schedule(0.01, 4000, 0.1)")


def test_it_predicts_and_ranks(logs):
    flat, high = "constant_schedule(0.01)", "constant_schedule(0.02)"
    asked = [word for text in (flat, high, LINE) for word in ("--schedule", text)]
    printed, noted = predict(*logs, *asked, "--steps", 4000, "--law", "annealing")
    heading, *rows = (line.split(maxsplit=2) for line in printed.splitlines())
    assert heading == ["loss", "spread", "schedule"]
    assert [row[2] for row in rows] == [LINE, high, flat]
    for loss, _, text in rows:
        assert float(loss) == pytest.approx(float(TRUE(js.parse(text), 4000)), abs=1e-3)
    assert noted == (
        f"Note: the peak of {high} is 0.02, that of the logs 0.01: no law transfers to other"
        " peaks.\n"
    )


def test_mistakes_end_in_a_message(tmp_path):
    log = write(tmp_path / "log.csv", "constant_schedule(0.01)", "step,rate,loss")
    before = log.read_text()
    arguments = ["--schedule", LINE, "--steps", 100]
    assert "must have the rate, `lr`" in predict(log, *arguments, code=2)[1]
    assert "no column `val`" in predict(log, *arguments, "--loss", "val", code=2)[1]
    assert (
        "'multi_power' or None"
        in predict(log, *arguments, "--rate", "rate", "--law", "power", code=2)[1]
    )
    assert log.read_text() == before
