"""Bounds and refined schedules against sums in fractions, and published figures."""

import math
import time
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js

# (factor, bound) at 100, 400 and 4000 steps, of the published bound with norms and distance 1.
FIGURES = {
    "linear": [(".097255", ".203608"), (".049563", ".100630"), (".015793", ".0316519")],
    "wsd50": [(".063763", ".207722"), (".032491", ".102422"), (".010358", ".0321754")],
    "cosine": [(".094695", ".209114"), (".048242", ".103386"), (".015340", ".0325858508")],
    "wsd20-sqrt": [(".052427", ".218713"), (".026846", ".107288"), (".008569", ".0336577")],
    "wsd20": [(".049544", ".223028"), (".025374", ".109323"), (".008118", ".0342115")],
    "inverse sqrt": [(".238750", ".225314"), (".212086", ".122264"), (".183668", ".0435435")],
    "wsd10": [(".044000", ".237980"), (".022630", ".116136"), (".007273", ".0361798")],
    "constant": [(".040234", ".248543"), (".018176", ".137545"), (".005033", ".0496768")],
}


def family(name, steps):
    def cooldown(part, **shape):
        return js.with_cooldown(1.0, total_steps=steps, decay_steps=round(part * steps), **shape)

    made = {
        "linear": lambda: js.linear_schedule(1.0, 0.0, steps),
        "cosine": lambda: js.cosine_decay_schedule(1.0, steps),
        "constant": lambda: 1.0,
        "inverse sqrt": lambda: lambda count: 1 / jnp.sqrt(1.0 + count),
    }
    if name in made:
        return made[name]()
    part = int(name[3:5]) / 100
    u = np.clip((np.arange(steps) - (1 - part) * steps) / (part * steps), 0, 1)
    return 1 - (np.sqrt(u) if "sqrt" in name else u)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", FIGURES)
def test_published_figures(name, place):
    steps = (100, 400, 4000)[place]
    best = js.best_peak(family(name, steps), steps)
    for value, figure in zip(best, FIGURES[name][place], strict=True):
        assert f"{value:.{len(figure) - 1}f}" == f"0{figure}"


def exact(rates, norms, distance):
    rates, norms = [Fraction(r) for r in rates], [Fraction(g) for g in norms]
    tail = [sum(rates[k:]) for k in range(len(rates))]
    square = [
        sum((r * g) ** 2 for r, g in zip(rates[k:], norms[k:], strict=True))
        for k in range(len(rates))
    ]
    last = sum(rates[k] / tail[k + 1] * square[k] / tail[k] for k in range(len(rates) - 1))
    return (Fraction(distance) ** 2 / tail[0] + square[0] / tail[0] + last) / 2


def test_it_is_the_formula():
    rng = np.random.default_rng(0)
    rates, norms = rng.uniform(0, 1, 30), rng.uniform(0.5, 2, 30)
    rates[:3] = 0
    want = float(exact(rates, norms, 3.0))
    assert js.last_iterate_bound(rates, 30, norms, 3.0) == pytest.approx(want, rel=1e-14)
    table = js.table_schedule(rates)
    # A schedule holds its values in float64 where they are known.
    assert js.last_iterate_bound(table, 30, norms, 3.0) == pytest.approx(want, rel=1e-7)
    single = jax.jit(lambda r: js.last_iterate_bound(r, 30, norms, 3.0))(rates.astype(np.float32))
    assert float(single) == pytest.approx(want, rel=1e-6)


def test_a_constant_rate_has_a_closed_form():
    steps, rate = 50, 0.25
    harmonic = sum(Fraction(1, k) for k in range(1, steps))
    want = 1 / (2 * steps * Fraction(rate)) + Fraction(rate) / 2 + Fraction(rate) / 2 * harmonic
    assert js.last_iterate_bound(rate, steps) == pytest.approx(float(want), rel=1e-14)


def test_the_best_peak_is_where_the_bound_is_least():
    schedule = js.cosine_decay_schedule(1.0, 60)
    factor, bound = js.best_peak(schedule, 60, 2.0, 3.0)
    assert js.last_iterate_bound(schedule * factor, 60, 2.0, 3.0) == pytest.approx(bound, rel=1e-9)
    for other in (0.99, 1.01):
        assert js.last_iterate_bound(schedule * (factor * other), 60, 2.0, 3.0) > bound


def test_descending_the_bound_recovers_linear_decay():
    steps = 40

    def bound(logs):
        return js.best_peak(js.table_schedule(jnp.exp(logs)), steps).bound

    @jax.jit
    def descend(logs):
        def step(_, carry):
            logs, speed = carry
            speed = 0.9 * speed - jax.grad(bound)(logs)
            return logs + speed, speed

        return jax.lax.fori_loop(0, 20_000, step, (logs, jnp.zeros(steps)))[0]

    rates = np.exp(np.asarray(descend(jnp.zeros(steps)), float))
    linear = 1 - np.arange(steps) / steps
    # A line to 0. Of the last rate, which no step follows, the bound wants more than that.
    slope, start = np.polyfit(np.arange(steps - 3), rates[:-3], 1)
    assert np.abs(start + slope * np.arange(steps - 3) - rates[:-3]).max() < 0.01 * start
    assert -start / slope == pytest.approx(steps, rel=0.1)
    assert js.best_peak(rates, steps).bound <= js.best_peak(linear, steps).bound


def test_a_million_steps_take_seconds():
    begin = time.perf_counter()
    bound = js.best_peak(js.linear_schedule(1.0, 0.0, 1_000_000), 1_000_000).bound
    assert time.perf_counter() - begin < 10
    assert bound * 1000 == pytest.approx(2, abs=1e-4)


def test_a_comparison_is_in_order_and_prints():
    schedules = {name: family(name, 400) for name in reversed(FIGURES)}
    table = js.compare_bounds(schedules, 400)
    order = list(FIGURES)
    assert [*table] == [*order[:5], "wsd10", "inverse sqrt", "constant"]
    assert len(str(table).splitlines()) == 9


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: js.last_iterate_bound(-0.1, 10), "at least 0 and finite, got -0.1 at step 0"),
        (lambda: js.last_iterate_bound(np.array([1, math.nan, 1]), 3), "got nan at step 1"),
        (lambda: js.last_iterate_bound(np.array([1, 1, 0, 0]), 4), "0 from step 2 on.*steps=2"),
        (lambda: js.last_iterate_bound(0.0, 4), "0 from step 0 on"),
        (lambda: js.last_iterate_bound(np.ones(3), 4), "4 of them, got the shape"),
        (lambda: js.last_iterate_bound(1.0, 0), "`steps` must be at least 1"),
        (lambda: js.last_iterate_bound(1.0, 2.5), "`steps` must be a whole number"),
        (lambda: js.last_iterate_bound(1.0, 3, [1.0, 2.0]), "`gradient_norms` must be one number"),
        (lambda: js.last_iterate_bound(1.0, 2, [1.0, -2.0]), "got -2.0 at step 1"),
        (lambda: js.last_iterate_bound(1.0, 2, 1.0, -1.0), "`distance` must be at least 0"),
        (lambda: js.best_peak(1.0, 2, 0.0), "must be above 0"),
        (lambda: js.compare_bounds({}, 10), "`schedules` must be at least one"),
        (lambda: js.refine([1.0]), "two or more"),
        (lambda: js.refine([1.0, 0.0]), "above 0 and finite, got 0.0 at step 1"),
        (lambda: js.refine([1.0, 2.0], power=3), "`power` must be 1 or 2"),
        (lambda: js.refine([1.0, 2.0], smoothing=1.0), "below 1"),
    ],
)
def test_mistakes_are_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_refined_constant_norms_are_linear_decay():
    steps = 1001
    refined = js.refine(np.full(steps, 0.7), 0.5)
    want = [float(Fraction(max(steps - 1 - t, 0), 2 * (steps - 1))) for t in range(1100)]
    np.testing.assert_array_equal(refined(np.arange(1100)), np.float32(want))


@pytest.mark.parametrize("power", [1, 2])
def test_refined_rates_are_the_formula(power):
    norms = np.random.default_rng(1).uniform(0.5, 2, 20)
    weights = [Fraction(g) ** -power for g in norms]
    shape = [w * sum(weights[t + 1 :]) for t, w in enumerate(weights)]
    want = [float(3 * u / max(shape)) for u in shape]
    np.testing.assert_allclose(js.refine(norms, 3.0, power=power)(np.arange(20)), want, rtol=3e-7)


def test_the_trend_of_norms_is_a_median():
    norms = np.ones(40)
    norms[7] = 100.0
    smooth = js.refine(norms, smoothing=0.2)
    np.testing.assert_array_equal(smooth(np.arange(40)), js.refine(np.ones(40))(np.arange(40)))
