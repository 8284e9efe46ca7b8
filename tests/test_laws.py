"""Laws of the loss against plain sums, fits to curves of known laws, and published figures."""

import itertools
import json

import jax
import numpy as np
import pytest

import jaxsched as js
from tests.compiling import quick_jit

POWER = {
    "L0": 2.4,
    "A": 0.65,
    "alpha": 0.43,
    "B": 520.0,
    "C": 2.0,
    "beta": 0.59,
    "gamma": 0.63,
}
ANNEALING = {"L0": 2.0, "A": 1.0, "alpha": 0.5, "C": 0.5}
FALLING = js.linear_schedule(3e-4, 3e-5, 3000)


def plain(name, numbers, rates, count, memory=None):
    """The law as it is written, step by step."""
    if name == "annealing":
        last = total = 0.0
        for before, rate in itertools.pairwise(rates[:count]):
            last = memory * last + before - rate
            total += last
        drop = numbers["C"] * total
    else:
        drop = 0.0
        for k in range(1, count):
            x = numbers["C"] * rates[k] ** -numbers["gamma"] * sum(rates[k:count])
            log = name == "log_power"
            heard = np.log(1 + x) if log else 1 - (1 + x) ** -numbers["beta"]
            drop += numbers["B"] * (rates[k - 1] - rates[k]) * heard
    return numbers["L0"] + numbers["A"] * sum(rates[:count]) ** -numbers["alpha"] - drop


@pytest.mark.parametrize(
    ("name", "numbers", "memory"),
    [
        ("annealing", ANNEALING, 0.99),
        ("multi_power", POWER, None),
        ("log_power", {k: v for k, v in POWER.items() if k != "beta"} | {"B": 50.0}, None),
    ],
)
def test_it_is_the_formula(name, numbers, memory):
    law = js.LossLaw((name,), (numbers,), (memory,))
    rates = 3e-4 * np.random.default_rng(0).uniform(0.5, 1, 900)
    for count in (2, 401, 900):
        want = plain(name, numbers, rates, count, memory)
        # A change counts as 1e-9 of the peak larger when places are found.
        assert law(rates[:count], count) == pytest.approx(want, rel=1e-7)
    traced = jax.jit(lambda r: law(r, 900))(rates.astype(np.float32))
    assert float(traced) == pytest.approx(law(rates, 900), rel=1e-3)


def test_many_changes_are_thinned():
    law = js.LossLaw(("multi_power",), (POWER,))
    rates = np.asarray(FALLING(np.arange(3000)), float)
    assert law(FALLING, 3000) == pytest.approx(plain("multi_power", POWER, rates, 3000), rel=1e-5)


def test_it_is_differentiable():
    law = js.LossLaw(("annealing", "multi_power"), (ANNEALING, POWER), (0.99, None), (0.5, 0.5))
    slope = quick_jit(jax.grad(lambda end: law(js.linear_schedule(3e-4, end, 1500), 1500)))
    assert np.isfinite(slope(0.0))
    assert np.isfinite(slope(1e-4))


def test_the_mean_and_the_spread_of_two():
    law = js.LossLaw(
        ("annealing", "annealing"), (ANNEALING, ANNEALING | {"L0": 3.0}), (0.9, 0.9), (3, 1)
    )
    one = js.LossLaw(("annealing",), (ANNEALING,), (0.9,))
    assert law(0.01, 50) == pytest.approx(one(0.01, 50) + 0.25)
    assert law.spread(0.01, 50) == pytest.approx(np.sqrt(3) / 4)
    assert one.spread(0.01, 50) == 0


def runs_of(true, peak=3e-4):
    steps = np.arange(100, 6001, 100)
    schedules = [
        js.with_warmup(peak, 100),
        js.with_warmup(js.cosine_decay_schedule(peak, 4000, 0.1), 100),
    ]
    return [
        (rate, counts, true.curve(rate, counts))
        for rate, counts in zip(schedules, (steps, steps[steps <= 4000]), strict=True)
    ]


OTHERS = {
    "linear": js.linear_schedule(3e-4, 1e-6, 6000),
    "cooldown": js.warmup_stable_decay_schedule(0.0, 3e-4, 100, 4700, 1200, end_value=1e-6),
    "cosine": js.cosine_decay_schedule(3e-4, 6000, 0.1),
}


@pytest.mark.parametrize("asked", ["annealing", None])
def test_a_fit_predicts_other_runs(asked):
    true = js.LossLaw(("annealing",), (ANNEALING,), (0.999,))
    law = js.fit_loss_law(runs_of(true), asked)
    for schedule in OTHERS.values():
        # Of the mean of three laws one is the true one.
        assert law(schedule, 6000) == pytest.approx(
            true(schedule, 6000), abs=0.02 if asked is None else 1e-4
        )
    assert list(js.rank(law, OTHERS, 6000)) == list(js.rank(true, OTHERS, 6000))


def test_far_points_hardly_move_a_fit():
    true = js.LossLaw(("annealing",), (ANNEALING,), (0.999,))
    runs = runs_of(true)
    runs[0][2][[20, 41]] += 2.0
    law = js.fit_loss_law(runs, "annealing")
    assert law(OTHERS["linear"], 6000) == pytest.approx(true(OTHERS["linear"], 6000), abs=0.02)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run: (run[0], run[1], -run[2]), "above 0 and finite"),
        (lambda run: (run[0], run[1], run[2] * np.nan), "got nan"),
        (lambda run: (run[0], run[1], run[2][:-1]), "one loss for each"),
        (lambda run: (run[0] * 2.0, run[1], run[2]), "one peak rate"),
        (lambda run: (run[0], run[1] * 1.5, run[2]), "whole numbers of at least 1"),
        (lambda run: (-run[0], run[1], run[2]), "at least 0 and finite"),
    ],
)
def test_bad_runs_are_named(change, said):
    runs = runs_of(js.LossLaw(("annealing",), (ANNEALING,), (0.999,)))
    with pytest.raises(ValueError, match=said):
        js.fit_loss_law([runs[0], change(runs[1])])


def test_too_few_and_other_mistakes():
    runs = runs_of(js.LossLaw(("annealing",), (ANNEALING,), (0.999,)))
    with pytest.raises(ValueError, match="at least 10 losses"):
        js.fit_loss_law(runs, skip=5900)
    with pytest.raises(ValueError, match="'annealing', 'multi_power' or None"):
        js.fit_loss_law(runs, "power")
    with pytest.raises(TypeError, match="a list of"):
        js.fit_loss_law([])
    with pytest.raises(ValueError, match="at least one"):
        js.rank(js.LossLaw(("annealing",), (ANNEALING,), (0.9,)), {}, 10)


def test_logs_are_read(tmp_path):
    table = tmp_path / "log.csv"
    table.write_text("step,loss,lr\n0,9,0.1\n10,3,0.1\n20,,0.1\n10,2.5,0.2\n30,2,0.1\n")
    assert [one.tolist() for one in js.read_losses(table)] == [[10, 30], [2.5, 2.0], [0.2, 0.1]]
    lines = tmp_path / "log.jsonl"
    rows = [{"it": 10, "val": 3.0}, {"note": "x"}, {"it": 20, "val": 2.0}]
    lines.write_text("\n".join(map(json.dumps, rows)))
    found = js.read_losses(lines, step="it", loss="val")
    assert found.losses.tolist() == [3.0, 2.0]
    assert found.rates is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "iter,loss\n1,2\n", "no column `step`; its columns are: iter, loss"),
        ("a.csv", "step,loss\n1,x\n", "line 2: `loss` is no number: 'x'"),
        ("a.csv", "step,loss\n1.5,2\n", "line 2: `step` is no whole number"),
        ("a.csv", "", "no column `step`"),
        ("a.jsonl", '{"step": 1}\n', "no rows with `step` and `loss`"),
        ("a.jsonl", "{\n", "Line 1 is no JSON"),
    ],
)
def test_bad_logs_are_named(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        js.read_losses(tmp_path / name)
    assert (tmp_path / name).read_text() == text
