"""Of schedules that share a formula, each is as exact as it is alone."""

import math

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from jaxsched.core.stack import read_stack
from tests.measure import WHOLE, distance, exact, interesting
from tests.rows import Row
from tests.table import ROWS


def values_of(members, places, counts):
    """Of each member the values at its counts, in one program."""
    stack = read_stack("members", members)
    return jax.jit(jax.vmap(jax.vmap(stack.at, (None, 0))))(places, np.stack(counts).astype(WHOLE))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_member_is_as_exact_as_alone(row: Row, data: st.DataObject):
    drawn = [data.draw(row.draw), row.sample]
    counts = [interesting(row, draw)[::4] for draw in drawn]
    found = values_of([row.make(draw) for draw in drawn], np.arange(2), counts)
    for draw, at, values in zip(drawn, counts, found, strict=True):
        errors = distance(values, exact(row, draw, at))
        # Factors that only the program knows are multiplied in float32.
        as_traced = row.name == "cumulative_product"
        assert errors.max() <= row.units(draw)[as_traced], (draw, at[errors.argmax()])


def test_rates_near_1_keep_their_digits():
    decays = [js.exponential_decay(1.0, 1, rate) for rate in (0.9999, 0.999)]
    found = float(js.join_schedules(decays, [20_000])(10_000))
    assert math.isclose(found, 0.9999**10_000, rel_tol=1e-6)


def test_lengths_between_steps_divide_as_alone():
    lengths = [2.4, 1000 / 3, 7114.857142857143, 0.7]
    stairs = [js.exponential_decay(1.0, length, 0.999, staircase=True) for length in lengths]
    counts = np.arange(0, 40_000, 7, dtype=np.int32)
    found = values_of(stairs, np.arange(4), [counts] * 4)
    for length, values in zip(lengths, found, strict=True):
        np.testing.assert_allclose(values, 0.999 ** np.floor(counts / length), 2e-6, 1e-37)


def test_lengths_that_follow_from_others_are_those_of_the_schedule_alone():
    for shape in ("linear", "exponential"):
        warmups = [js.untuned_warmup_schedule(b2, shape) for b2 in (0.9, 0.99)]
        found = values_of(warmups, np.arange(2), [np.arange(30, dtype=np.int32)] * 2)
        for warmup, values in zip(warmups, found, strict=True):
            np.testing.assert_allclose(values, warmup(np.arange(30)), 3e-7)


def test_cycles_begin_where_they_do_alone():
    numbers = [(10, 1.5), (7, 2), (100 / 3, 1.1), (5, 1), (9, 1.001), (2**30, 3.0)]
    cycles = [js.cosine_restarts_schedule(1.0, *each) for each in numbers]
    counts = np.unique(2.0 ** np.linspace(0, 30.99, 3000) // 1).astype(np.int32)
    found = values_of(cycles, np.arange(6), [counts] * 6)
    for alone, values in zip(cycles, found, strict=True):
        np.testing.assert_allclose(values, alone(counts), 0, 3e-7)


def test_formulas_of_others_are_given_arrays():
    @js.schedule
    def harmonic(count, half_life):
        return jax.numpy.log(half_life) + count

    found = js.join_schedules([harmonic(2.5), harmonic(4.5)], [10])(np.array([3, 13]))
    np.testing.assert_allclose(found, np.log([2.5, 4.5]) + 3, 3e-7)
