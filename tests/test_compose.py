"""What the table of schedules does not say: cycles of real length, signs, fractions, closures."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import export

import jaxsched as js
from tests import formulas
from tests.measure import DTYPE, MAX_COUNT, REACH, distance

call = jax.jit(lambda schedule, counts: schedule(counts))


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 1000), st.floats(1.1, 4.0))
def test_cycles_of_real_length_begin_at_whole_steps(period, mult):
    rate = js.cosine_restarts_schedule(1.0, period, mult, end_value=0.25)
    begins = [0]
    while begins[-1] <= MAX_COUNT:
        begins.append(round(period * (mult ** len(begins) - 1) / (mult - 1)))
    begins = np.array(begins[:-1])
    np.testing.assert_array_equal(jax.jit(rate)(begins.astype(np.int32)), 1.0)
    counts = np.unique(np.clip(begins[:, None] + [-1, 0, 1, 2], 0, MAX_COUNT))
    exact = [formulas.cosine_restarts(int(c), 1.0, period, mult, end_value=0.25) for c in counts]
    assert distance(jax.jit(rate)(counts.astype(np.int32)), exact).max() <= 8


@pytest.mark.parametrize("mult", [1, 1.0, 1.25, 2.0, 3, 5])
def test_a_traced_multiplier_makes_the_same_cycles(mult):
    counts = np.arange(20_000, dtype=np.int32)
    rate = js.cosine_restarts_schedule(0.5, 16, mult, 0.9, warmup_steps=2, end_value=0.01)
    np.testing.assert_allclose(call(rate, counts), jax.jit(rate)(counts), rtol=1e-5)
    restarts = js.repeat(js.linear_schedule(1.0, 0.5, 16), 16, mult)
    np.testing.assert_allclose(call(restarts, counts), jax.jit(restarts)(counts), rtol=1e-5)


def test_the_cycle_is_exact_at_every_restart_where_a_logarithm_is_not():
    for period in (1, 3, 7, 1000):
        rate = jax.jit(js.cosine_restarts_schedule(1.0, period, 3, 0.5, end_value=0.0))
        for number in range(20):
            begin = period * (3**number - 1) // 2
            if 0 < begin <= MAX_COUNT:
                assert rate(begin) == 0.5**number
                assert period == 1 or rate(begin - 1) < 0.5**number
    guesses = [np.log(3**n) / np.log(3) for n in range(1, 20)]
    assert any(int(guess) != n for n, guess in enumerate(guesses, 1))


# What is below the normal range of float32 counts as 0, as XLA flushes it.
normal = st.floats(-10, 10, width=32, allow_subnormal=False)


@settings(max_examples=30, deadline=None)
@given(normal, normal, st.integers(1, 10**6))
def test_ends_of_opposite_signs(init, end, steps):
    counts = np.unique(np.linspace(0, steps, 64).astype(np.int32))
    counts = np.pad(counts, (0, 64 - counts.size), mode="edge")
    largest = max(abs(init), abs(end), 1e-30)
    for schedule, formula, units in (
        (js.linear_schedule(init, end, steps), formulas.linear, 4),
        (js.polynomial_schedule(init, end, 1.5, steps), None, 7),
    ):
        values = np.asarray(call(schedule, counts), np.float64)
        if formula:
            exact = [float(formula(int(c), init, end, steps)) for c in counts]
        else:
            exact = [float(formulas.polynomial(int(c), init, end, 1.5, steps)) for c in counts]
        unit = 2.0 ** (np.floor(np.log2(largest)) - 23)
        assert np.abs(values - exact).max() <= units * unit
        assert min(init, end) <= values.min() <= values.max() <= max(init, end)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 2000, width=32), st.integers(1, 1000))
def test_fractional_steps(count, steps):
    for schedule, formula in (
        (js.linear_schedule(1.0, 0.5, steps), formulas.linear(count, 1.0, 0.5, steps)),
        (js.cosine_decay_schedule(1.0, steps, 0.5), formulas.cosine(count, 1.0, steps, 0.5)),
        (js.exponential_decay(1.0, steps, 0.75), formulas.exponential(count, 1.0, steps, 0.75)),
    ):
        assert call(schedule, np.float32(count)) == pytest.approx(
            float(formula), rel=2e-6, abs=1e-37
        )


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9, 0.9999, 0.9999999, 1.0, 1.001])
@pytest.mark.parametrize("steps", [1, 7, 1000, 10**6, 2**31 - 1])
def test_known_exponentials(rate, steps):
    reach = min(MAX_COUNT, 80 / abs(np.log2(rate)) * steps) if rate != 1 else MAX_COUNT
    counts = np.unique(np.linspace(0, reach, 500).astype(np.int32))
    exact = [formulas.exponential(int(count), 0.3, steps, rate) for count in counts]
    values = jax.jit(js.exponential_decay(0.3, steps, rate))(counts)
    assert distance(values, exact).max() <= 4


def test_a_float_count_that_is_whole_is_on_the_stair():
    rate = js.exponential_decay(1.0, 41, 0.5, staircase=True)
    counts = np.arange(0, 41 * 20)
    np.testing.assert_array_equal(jax.jit(rate)(counts.astype(np.float32)), jax.jit(rate)(counts))


def closure(count):
    return 0.1 / (1 + count)


@pytest.mark.parametrize("large", [2**31, -3_000_000_000, 2**63, 2**64, 10**30])
def test_whole_numbers_beyond_int32_are_no_less_in_a_join(large):
    rate = js.join_schedules([large, 1], [5])
    assert rate(0) == DTYPE(large)
    shown = [large, 1] if abs(large) <= REACH and np.float64 == DTYPE else [float(large), 1.0]
    assert repr(rate) == f"join_schedules(schedules={shown}, boundaries=[5])"
    assert rate == js.join_schedules([large, 1], [5])


def test_plain_functions_are_accepted_wherever_a_schedule_is():
    theirs = optax.cosine_decay_schedule(1.0, 100)
    ours = js.cosine_decay_schedule(1.0, 100)
    counts = jnp.arange(0, 150, 7)
    for combine in (
        lambda s: s + ours if s is not theirs else ours + s,
        lambda s: ours * s,
        lambda s: js.with_warmup(s, 10),
        lambda s: js.with_cooldown(s, 50, 10),
        lambda s: js.repeat(s, 30),
        lambda s: js.shift(s, -5),
        lambda s: js.stretch(s, 2),
        lambda s: js.clip(s, 0.1, 0.9),
        lambda s: js.minimum(s, 0.5),
        lambda s: js.join_schedules([s, ours, 0.3], [20, 60]),
    ):
        expected = jax.jit(combine(ours))(counts)
        np.testing.assert_allclose(jax.jit(combine(theirs))(counts), expected, atol=1e-6)
    summed = js.join_schedules([closure, closure], [5]) * 2
    assert summed == js.join_schedules([closure, closure], [5]) * 2
    assert summed(7) == pytest.approx(0.2 / 3)


def test_arithmetic_with_numbers_of_every_kind():
    rate = js.linear_schedule(1.0, 0.0, 4)
    for number in (
        2,
        2.0,
        np.float32(2),
        np.float64(2),
        np.int64(2),
        jnp.float32(2),
        np.array(2.0),
    ):
        for schedule, expected in (
            (rate * number, 1.0),
            (number * rate, 1.0),
            (rate + number, 2.5),
            (number + rate, 2.5),
            (rate - number, -1.5),
            (number - rate, 1.5),
            (rate / number, 0.25),
            (number / rate, 4.0),
            (-rate, -0.5),
        ):
            assert isinstance(schedule, js.Schedule)
            assert schedule(2) == expected


def test_a_population_of_schedules():
    schedules = [js.warmup_cosine_decay_schedule(0.0, p, w, 100) for p, w in ((0.1, 0), (0.2, 10))]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *schedules)
    counts = jnp.arange(0, 120, 5)
    together = jax.jit(jax.vmap(lambda schedule: schedule(counts)))(stacked)
    np.testing.assert_allclose(together, [s(counts) for s in schedules], rtol=2e-6)


def test_a_schedule_is_exported_closed_over():
    rate = js.with_warmup(js.cosine_decay_schedule(1.0, 100), 10)
    assert export.export(jax.jit(rate))(jnp.int32(0)).call(jnp.int32(60)) == rate(60)


def test_replace_checks_what_is_new():
    rate = js.cosine_decay_schedule(0.1, 100)
    assert rate.replace(decay_steps=50) == js.cosine_decay_schedule(0.1, 50)
    with pytest.raises(ValueError, match=r"`decay_steps`.*-1"):
        rate.replace(decay_steps=-1)
    with pytest.raises(TypeError, match=r"cosine_decay_schedule.*'speed'"):
        rate.replace(speed=1)


def test_optax_tree_reads_and_sets_a_number_inside_an_optimizer_state():
    state = {"schedule": js.cosine_decay_schedule(0.1, 100), "count": jnp.int32(3)}
    assert optax.tree.get(state, "init_value") == 0.1
    changed = optax.tree.set(state, init_value=0.2)["schedule"]
    assert changed == js.cosine_decay_schedule(0.2, 100)


def test_equal_schedules_share_a_program():
    traces = []

    @jax.jit
    def program(count):
        traces.append(1)
        return count

    static = jax.jit(lambda rate, count: program(rate(count)), static_argnums=0)
    static(js.linear_schedule(1.0, 0.0, 10), 3)
    static(js.linear_schedule(1.0, 0.0, 10), 4)
    assert len(traces) == 1
    assert js.constant_schedule(jnp.float32(0.1)) == js.constant_schedule(jnp.float32(0.1))
    assert js.constant_schedule(jnp.float32(0.1)) == js.constant_schedule(float(np.float32(0.1)))
    assert js.constant_schedule(jnp.float32(0.1)) != js.constant_schedule(0.1)
    assert js.constant_schedule(np.float64(0.1)) == js.constant_schedule(0.1)
    table = js.table_schedule(jnp.array([[1.0, 2.0]])[0])
    assert table == js.table_schedule([1.0, 2.0]) != js.table_schedule([1.0, 2.0, 1.0, 2.0])
    assert js.constant_schedule(1) != js.constant_schedule(1.0)
    assert js.linear_schedule(1.0, 0.0, 10) != "a"


def test_boundaries_after_the_last_schedule_are_ignored():
    pieces = js.linear_schedule(0.0, 1.0, 10), js.constant_schedule(1.0)
    counts = np.arange(30)
    joined = js.join_schedules(pieces, [10, 20])
    np.testing.assert_array_equal(joined(counts), js.join_schedules(pieces, [10])(counts))
    others = optax.linear_schedule(0.0, 1.0, 10), optax.constant_schedule(1.0)
    by_optax = [optax.join_schedules(others, [10, 20])(count) for count in counts]
    np.testing.assert_allclose(joined(counts), by_optax, rtol=3e-7)
    np.testing.assert_array_equal(js.join_schedules([0.5], [3, 7])(counts), np.float32(0.5))
    traced = jax.jit(lambda b: js.join_schedules(pieces, b)(counts))(jnp.array([10, 20, 25]))
    np.testing.assert_array_equal(traced, joined(counts))
    assert eval(repr(joined), vars(js)) == joined == js.from_config(js.to_config(joined))


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_no_boundaries_are_a_constant(kind):
    for rate in (
        js.piecewise_constant_schedule(0.5, {}),
        js.piecewise_interpolate_schedule(kind, 0.5, {}),
    ):
        np.testing.assert_array_equal(rate(np.arange(5)), np.float32(0.5))
        assert eval(repr(rate), vars(js)) == rate
