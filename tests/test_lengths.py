"""Lengths that are not whole: stairs, epochs, cycles and boundaries come on the very step."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxsched as js
from jaxsched.core.arithmetic.steps import divide
from tests.measure import REACH, distance, exact, interesting
from tests.rows import Draw, Row
from tests.table import ROWS

call = jax.jit(lambda schedule, counts: schedule(counts))
divided = jax.jit(divide)

KNOWN = [1000 / 3, 7114.857142857143, 2.4, 1.1, 49.804, 1281167 / 48, 123456.789, 100 * math.pi]
lengths = st.one_of(
    st.builds(lambda a, b: max(a / b, 1.0), st.integers(1, 10**7), st.integers(2, 1000)),
    st.floats(1, 1e6),
    st.floats(1, 1e6).map(lambda x: max(round(x, 3), 1.0)),
)


def near_multiples(length: float) -> np.ndarray:
    """Multiples of a length and their neighbours, the first and the last ones among them."""
    last = math.floor((2**31 - 1) / length)
    numbers = np.unique(np.concatenate([np.arange(300), last - np.arange(300)]))
    numbers = np.pad(numbers, (600 - numbers.size, 0), mode="edge")
    near = np.rint(numbers * length)[:, None] + [-1, 0, 1]
    return np.clip(near, 0, 2**31 - 1).astype(np.int32).ravel()


def quotients(counts: np.ndarray, length: float) -> np.ndarray:
    """What IEEE 754 says: a float64 quotient, rounded down."""
    return np.floor(counts.astype(np.float64) / length)


@pytest.mark.parametrize("length", KNOWN)
def test_a_known_length_divides_as_float64_does(length):
    counts = near_multiples(length)
    times, rest = jax.jit(lambda count: divide(count, length))(counts)
    np.testing.assert_array_equal(times, quotients(counts, length))
    exact = [
        Fraction(int(c)) - int(n) * Fraction(length) for c, n in zip(counts, times, strict=True)
    ]
    # A length that float64 rounded is the fraction that was meant.
    meant = counts * 2.0**-53 + 2e-7 * length
    assert np.all(np.abs(np.asarray(rest, float) - [float(x) for x in exact]) <= meant)


@settings(max_examples=25, deadline=None)
@given(lengths)
def test_any_known_length(length):
    counts = near_multiples(length)
    times, _ = divide(jnp.asarray(counts), length)
    np.testing.assert_array_equal(times, quotients(counts, length))


@settings(max_examples=200, deadline=None)
@given(lengths)
def test_a_traced_length_is_the_float_it_is(length):
    held = jnp.asarray(length, float)
    counts = near_multiples(float(held))
    times, rest = divided(counts, held)
    np.testing.assert_array_equal(times, quotients(counts, float(held)))
    exact = [
        # At a multiple nothing is left, though the float may be a little less or more.
        0
        if held.dtype == np.float64 and n == c / np.float64(held)
        else Fraction(int(c)) - int(n) * Fraction(float(held))
        for c, n in zip(counts, times, strict=True)
    ]
    assert distance(rest, exact).max() <= 1


@pytest.mark.parametrize(
    ("schedule", "count", "value"),
    [
        (js.exponential_decay(1.0, 2.4, 0.5, staircase=True), 12, 0.03125),
        (js.inverse_time_schedule(1.0, 2.4, 1.0, staircase=True), 12, 1 / 6),
        (js.by_epoch(js.linear_schedule(1000.0, 0.0, 1000), 1000 / 3), 1000, 997.0),
        (js.by_epoch(js.linear_schedule(1000.0, 0.0, 1000), 1000 / 3), 999, 998.0),
        (js.repeat(js.linear_schedule(1.0, 0.0, 1000), 1000 / 3), 1000, 1.0),
        (js.cosine_restarts_schedule(1.0, 1000 / 3), 1000, 1.0),
        (js.rewarm(1.0, 1000 / 3, 10), 1000, 0.0),
        (js.cyclic_schedule(0.0, 1.0, 500 / 3), 1000, 0.0),
        (js.polynomial_cycles_schedule(1.0, 1000 / 3, end_value=0.5), 1000, 0.5),
        (js.reflect(js.linear_schedule(0.0, 1.0, 1), 1000 / 3), 2000, 0.0),
        (js.join_schedules([1.0, 2.0], [2**24 + 2.5]), 2**24 + 2, 1.0),
        (js.join_schedules([1.0, 2.0], [2**24 + 2.5]), 2**24 + 3, 2.0),
        (js.linear_schedule(1.0, 0.5, 2**24 + 2.5), 2**24 + 3, 0.5),
        (js.with_warmup(0.5, 2**24 + 2.5, 1.0), 2**24 + 2, 0.5 + 0.25 / (2**24 + 2.5)),
    ],
    ids=lambda x: x.maker.__name__ if isinstance(x, js.Schedule) else None,
)
def test_it_comes_on_the_very_step(schedule, count, value):
    assert distance([schedule(count)], [value]) <= 1


@pytest.mark.parametrize("steps", [1000 / 3, 2.4, 2**20 + 1 / 3])
def test_the_last_steps_of_a_line(steps):
    counts = np.array([*range(3), *range(math.floor(steps) - 2, math.ceil(steps) + 2)])
    for length, rate in ((steps, js.linear_schedule(1.0, 0.0, steps)),):
        exact = [max(1 - Fraction(int(c)) / Fraction(length), Fraction(0)) for c in counts]
        assert distance(jax.jit(rate)(counts), exact).max() <= 4
        seen = Fraction(float(jnp.asarray(length, float)))
        exact = [max(1 - Fraction(int(c)) / seen, Fraction(0)) for c in counts]
        assert distance(call(rate, counts), exact).max() <= 4


def test_no_quotient_is_beyond_the_reach_of_a_count():
    times, _ = divided(REACH, jnp.asarray(0.5, float))
    assert 0.99 * REACH < times <= REACH


@pytest.mark.parametrize("dtype", [jnp.int8, jnp.uint8, jnp.int16, jnp.bfloat16, jnp.float16])
def test_small_numbers_are_taken_to_the_working_type(dtype):
    def rate(first, second, length, count):
        line = js.linear_schedule(jnp.asarray(1, dtype), 0.0, length)
        return js.join_schedules([line, 2.0], [first + 0 * second])(count)

    numbers = (jnp.asarray(x, dtype) for x in (120, 0, 100))
    found = jax.jit(rate)(*numbers, np.array([0, 50, 119, 120, 1000]))
    np.testing.assert_array_equal(found, [1.0, 0.5, 0.0, 2.0, 2.0])
    table = jax.jit(lambda steps, count: js.join_schedules([1.0, 2.0, 3.0], steps)(count))
    found = table(jnp.asarray([0, 120], dtype), np.array([0, 119, 120, 1000]))
    np.testing.assert_array_equal(found, [2.0, 2.0, 3.0, 3.0])


@pytest.mark.parametrize("factor", [100, 37, 7 / 3, 1000 / 3])
def test_a_stretched_schedule_is_as_exact_as_plain(factor):
    inner = [
        (js.linear_schedule(1.0, 0.0, 10), lambda t: max(1 - t / 10, Fraction(0))),
        (
            js.join_schedules([0.5, js.linear_schedule(1.0, 0.0, 10)], [4]),
            lambda t: Fraction(1, 2) if t < 4 else max(1 - (t - 4) / 10, Fraction(0)),
        ),
        (
            js.polynomial_cycles_schedule(1.0, 10),
            lambda t: 1 - t / (10 * max(1, math.ceil(t / 10))),
        ),
    ]
    meant = Fraction(factor).limit_denominator(1000)
    near = {math.floor(n * meant) + d for n in (4, 10, 14, 20) for d in range(-3, 3)}
    counts = np.array(sorted(near | {0, 1, 2}), np.int32)
    for schedule, formula in inner:
        values = jax.jit(js.stretch(schedule, factor))(counts)
        assert distance(values, [formula(Fraction(int(c)) / meant) for c in counts]).max() <= 4
        if isinstance(factor, int):
            values = call(js.stretch(schedule, factor), counts)
            assert distance(values, [formula(Fraction(int(c)) / meant) for c in counts]).max() <= 4


def test_who_is_called_between_steps_is_called_with_a_float():
    @js.schedule
    def rate(count):
        return jax.lax.sin(count)

    for inner in (rate(), lambda count: jax.lax.sin(jnp.asarray(count, float))):
        assert js.stretch(inner, 4)(3) == pytest.approx(math.sin(0.75))


def test_cycles_of_a_traced_real_length_begin_on_the_step():
    counts = np.arange(20_000, dtype=np.int32)
    for period, mult in ((10, 1.5), (7, 1.25), (1, 1.125), (3, 2.0)):
        cycles = js.cosine_restarts_schedule(1.0, period, mult)
        begins = [Fraction(0)]
        while begins[-1] < counts.size:
            power = Fraction(mult) ** len(begins)
            begins.append(period * (power - 1) / (Fraction(mult) - 1))
        steps = np.array([round(begin) for begin in begins[:-1]])
        np.testing.assert_array_equal(call(cycles, steps.astype(np.int32)), 1.0)
        known, traced = jax.jit(cycles)(counts), call(cycles, counts)
        np.testing.assert_allclose(traced, known, rtol=1e-6, atol=1e-9)


line = js.linear_schedule(1.0, 0.0, 50)


@pytest.mark.parametrize(
    ("formula", "at", "slope"),
    [
        (lambda x: js.stretch(js.linear_schedule(1.0, 0.0, 25), x)(4), 2.0, 4 / 4 / 25),
        (lambda x: js.repeat(js.linear_schedule(1.0, 0.0, 4), 4, x)(7), 1.5, 3 / 1.5**2 / 4),
        (line, 0.0, -1 / 50),
        (line, 25.0, -1 / 50),
        (line, 50.0, 0.0),
        (js.linear_schedule(1.0, 0.5, 50), 0.0, -0.5 / 50),
        (lambda x: js.normalized_exponential_schedule(1.0, 4, 0.0, x)(1), 1.0, 3 / 32),
        (lambda x: js.repeat(line, x)(70), 60.0, 1 / 50),
    ],
)
def test_the_slope_at_a_kink_is_that_of_the_piece_that_begins_there(formula, at, slope):
    assert jax.grad(formula)(at) == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_a_power_below_every_float_times_a_value_that_is_not():
    rate = js.cosine_decay_schedule(2.0, 259_695, exponent=4.0)
    exact = 2 * math.sin(math.pi / 2 * 3 / 259_695) ** 8
    assert distance([rate(259_692), call(rate, 259_692)], [exact] * 2).max() <= 16


LENGTHS = {
    *("transition_steps", "transition_begin", "decay_steps", "decay_begin", "warmup_steps"),
    *("cooldown_steps", "up_steps", "down_steps", "begin", "period", "timescale"),
    *("steps_per_epoch", "steps", "factor"),
}


def with_halves(row: Row) -> Draw:
    """The sample of a row, each of whose lengths is half a step longer."""
    return {
        name: value + 0.5
        if name in LENGTHS and isinstance(value, (int, float)) and value
        else value
        for name, value in row.sample.items()
    }


OF_REAL_LENGTHS = [row for row in ROWS if with_halves(row) != row.sample]


@pytest.mark.parametrize("row", OF_REAL_LENGTHS, ids=lambda row: row.name)
def test_every_schedule_takes_lengths_between_steps(row: Row):
    draw = with_halves(row)
    schedule, counts = row.make(draw), interesting(row, row.sample)[::4]
    wanted, (known, traced) = exact(row, draw, counts.tolist()), row.units(draw)
    assert distance(jax.jit(schedule)(counts), wanted).max() <= known
    assert distance(call(schedule, counts), wanted).max() <= traced
