"""A description names the phases of a schedule, where they are, and its main values."""

import jax
import numpy as np
import optax
import pytest

import jaxsched as js
from jaxsched.inspect.phases import phases, turns
from jaxsched.inspect.samples import MOST, dense_at_ends, evenly, sample


def kinds(schedule, steps):
    found = phases(sample(schedule, np.arange(steps)))
    return [(phase.kind, phase.begin, phase.end) for phase in found]


WSD = js.warmup_stable_decay_schedule(0.0, 1.0, 100, decay_begin=800, decay_steps=200)


def test_gradual_phases():
    expected = [("rises", 0, 100), ("constant", 100, 800), ("falls", 800, 999)]
    assert kinds(WSD, 1000) == expected
    assert kinds(optax.warmup_cosine_decay_schedule(0.0, 1.0, 10, 100), 120) == [
        ("rises", 0, 10),
        ("falls", 10, 100),
        ("constant", 100, 119),
    ]


@pytest.mark.parametrize("steps", [1, 2, 3, 100])
def test_a_constant_is_one_phase(steps):
    assert kinds(0.1, steps) == [("constant", 0, steps - 1)]


def test_jumps_and_restarts():
    few = js.piecewise_constant_schedule(1.0, {10: 0.1, 20: 0.1})
    assert kinds(few, 30) == [
        ("constant", 0, 9),
        ("jumps", 9, 10),
        ("constant", 10, 19),
        ("jumps", 19, 20),
        ("constant", 20, 29),
    ]
    restarts = js.cosine_restarts_schedule(1.0, 100, peak_mult=0.5)
    expected = [("falls", 0, 99), ("jumps", 99, 100), ("falls", 100, 199)]
    assert kinds(restarts, 200) == expected
    assert kinds(js.cyclic_schedule(0.0, 1.0, 5), 21) == [
        ("rises", 0, 5),
        ("falls", 5, 10),
        ("rises", 10, 15),
        ("falls", 15, 20),
    ]


def test_many_stairs_are_one_phase():
    stairs = js.exponential_decay(1.0, 10, 0.5, staircase=True)
    (found,) = phases(sample(stairs, np.arange(100)))
    assert (found.kind, found.stairs) == ("falls", 9)
    rising = js.by_epoch(js.with_warmup(js.linear_schedule(1.0, 0.0, 20), 10), 7)
    assert [(p.kind, p.stairs) for p in phases(sample(rising, np.arange(210)))] == [
        ("rises", 10),
        ("falls", 19),
    ]


def test_rounding_is_no_phase():
    assert len(kinds(js.cosine_decay_schedule(0.1, MOST), MOST)) == 1
    assert len(kinds(js.linear_schedule(1.0, 0.9999, 10_000), 10_000)) == 1
    assert turns(np.array([0.0, 1.0, 0.99, 1.01, 0.0]), 0.1) == [0, 3, 4]
    assert turns(np.array([1.0, 0.0, 0.01, 0.0, 1.0]), 0.1) == [0, 1, 4]
    assert turns(np.zeros(5), 0.1) == [0, 4]


def test_the_text():
    line = js.linear_schedule(0.5, 0.0, 100)
    assert js.describe(js.repeat(line, 100, period_mult=2), 300).splitlines() == [
        "steps 0 to 99     falls from 0.5 to 0.005",
        "steps 99 to 100   jumps from 0.005 to 0.5",
        "steps 100 to 299  falls from 0.5 to 0.0025",
        "jumps up          1, to step 100",
        "peak              0.5 at step 0",
        "first             0.5",
        "last              0.0025",
        "mean              0.2517",
    ]


def test_many_phases_are_shortened():
    text = js.describe(js.cosine_restarts_schedule(0.1, 10), 1000)
    assert "187 more phases" in text
    assert "99, to steps 10, 20, 30, 40, 50, 60, ..." in text
    assert len(text.splitlines()) < 20


def test_a_long_run_is_seen_at_a_million_steps():
    text = js.describe(js.warmup_cosine_decay_schedule(0.0, 1.0, 10**6, 2 * 10**9), 2 * 10**9)
    assert "seen at" in text
    assert f"{MOST} of 2000000000 steps" in text
    assert "seen at" not in js.describe(0.1, MOST)


@pytest.mark.parametrize("total", [1, 2, MOST, MOST + 1, 3 * MOST, 2**31 - 1])
def test_steps_looked_at(total):
    for steps in (dense_at_ends(total), evenly(0, total - 1, MOST)):
        assert (steps[0], steps[-1]) == (0, total - 1)
        assert len(steps) == min(total, MOST)
        assert (np.diff(steps) > 0).all()


def test_values_that_are_not_finite_are_counted():
    text = js.describe(lambda count: 1.0 / (count - 5.0), 10)
    assert "not finite  " in text.splitlines()[0]
    assert text.splitlines()[0].endswith("  1 of 10 steps, the first of them step 5")
    assert js.describe(lambda count: count * float("nan"), 3).startswith("not finite")


def test_what_is_no_schedule_is_refused():
    with pytest.raises(ValueError, match="steps"):
        js.describe(0.1, 0)
    with pytest.raises(ValueError, match="whole number"):
        js.describe(0.1, 1.5)
    with pytest.raises(TypeError, match="stateful"):
        js.describe(js.reduce_on(js.plateau(), 0.1), 10)
    population = jax.vmap(lambda peak: js.linear_schedule(peak, 0.0, 9))(np.ones(3))
    with pytest.raises(ValueError, match="population"):
        js.describe(population, 10)
