"""Lengths and counts that int32 does not hold: with floats, and exact under x64."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from jaxsched.core.sampled import double as x64

LINE = js.linear_schedule(0.0, 1.0, 10)
TOKENS = 15 * 10**12
LONG = {
    "cosine": (lambda: js.cosine_decay_schedule(1000.0, 10**10), 1000 * np.cos(np.pi / 20) ** 2),
    "linear": (lambda: js.linear_schedule(0.0, 1.0, 10**10), 0.1),
    "float length": (lambda: js.linear_schedule(0.0, 1.0, 1e10), 0.1),
    "NumPy length": (lambda: js.linear_schedule(0.0, 1.0, np.int64(10**10)), 0.1),
    "polynomial": (lambda: js.polynomial_schedule(1.0, 0.0, 2.0, 10**10), 0.81),
    "exponential": (lambda: js.exponential_decay(1.0, 10**10, 0.5), 0.5**0.1),
    "staircase": (lambda: js.exponential_decay(1.0, 10**10, 0.5, staircase=True), 1.0),
    "restarts": (lambda: js.cosine_restarts_schedule(1.0, 10**10), np.cos(np.pi / 20) ** 2),
    "growing": (lambda: js.cosine_restarts_schedule(1.0, 10**10, 2), np.cos(np.pi / 20) ** 2),
    "join": (lambda: js.join_schedules([1.0, 2.0], [10**10]), 1.0),
    "two": (lambda: js.join_schedules([1.0, 2.0, 3.0], [10**9, 10**10]), 2.0),
    "piecewise": (lambda: js.piecewise_constant_schedule(1.0, {10**9: 0.5, 10**10: 0.5}), 0.5),
    "later": (lambda: js.shift(js.linear_schedule(0.0, 1.0, 10**10), 10**8), 0.09),
    "earlier": (lambda: js.shift(js.linear_schedule(0.0, 1.0, 10**10), -(10**10)), 1.0),
    "epochs": (lambda: js.by_epoch(LINE, 10**10), 0.0),
    "repeat": (lambda: js.repeat(js.linear_schedule(0.0, 1.0, 10**10), 10**10), 0.1),
    "stretch": (lambda: js.stretch(LINE, 10**9), 0.1),
    "table": (lambda: js.table_schedule([0.0, 1.0], knots=[0, 10**10]), 0.1),
    "warm-up": (lambda: js.with_warmup(1.0, 10**10), 0.1),
    "cooldown": (lambda: js.with_cooldown(1.0, 10**10, 5), 1.0),
}


def call(schedule, count):
    return schedule(count)


@pytest.mark.parametrize(("make", "wanted"), LONG.values(), ids=LONG)
def test_a_length_beyond_int32(make, wanted):
    schedule = make()
    values = schedule(10**9), schedule(10**9), jax.jit(call)(schedule, 10**9)
    np.testing.assert_allclose(values, wanted, rtol=2e-6)
    assert eval(repr(schedule), vars(js)) == schedule
    with x64():
        assert abs(float(schedule(10**9)) - wanted) <= 1e-12 * abs(wanted)


def test_as_in_optax():
    ours, theirs = (m.cosine_decay_schedule(1000.0, int(1e10)) for m in (js, optax))
    np.testing.assert_allclose(ours(int(1e9)), theirs(int(1e9)), rtol=1e-6)


def test_float_counts_go_as_far_as_they_are_precise():
    line = js.linear_schedule(0.0, 1.0, int(1e12))
    np.testing.assert_allclose(line(np.float32([1e11, 1e12, 1e13])), [0.1, 1.0, 1.0], rtol=1e-6)
    assert js.cosine_restarts_schedule(1.0, 2**40)(2.0**41) == 1


def test_a_count_of_a_device_is_held_or_exact():
    for count in (jnp.int8(-5), jnp.int32(-5), jnp.bfloat16(-5)):
        assert LINE(count) == 0
    with x64():
        line = js.linear_schedule(0.0, TOKENS, TOKENS)
        assert line(jnp.int64(-(2**32) + 5)) == 0
        assert line(jnp.uint64(2**63 + 5)) == TOKENS
        assert line(jnp.uint32(2**32 - 1)) == 2**32 - 1


def test_tokens_as_steps_are_exact_under_x64():
    near = [step + d for step in (10**11, TOKENS // 2, TOKENS) for d in (-1, 0, 1)]
    with x64():
        line = js.linear_schedule(0.0, 1.0, TOKENS)
        for count in near:
            exact = float(min(Fraction(count, TOKENS), Fraction(1)))
            for value in (line(count), jax.jit(call)(line, count)):
                assert abs(float(value) - exact) <= 2 * np.spacing(exact)
        two = js.join_schedules([1.0, 2.0], [TOKENS])
        for schedule in (two, js.piecewise_constant_schedule(1.0, {TOKENS: 2.0})):
            for program in (schedule, jax.jit(schedule), lambda c, s=schedule: jax.jit(call)(s, c)):
                assert [float(program(TOKENS + d)) for d in (-1, 0)] == [1, 2]


@pytest.mark.parametrize(("mult", "begun"), [(1, 7.0), (2, 7.0), (1.5, 4.75)])
def test_restarts_are_on_the_step_under_x64(mult, begun):
    period = 10**12
    begin = int(begun * period)
    with x64():
        schedule = js.cosine_restarts_schedule(1.0, period, mult)
        for value in (schedule, lambda c: jax.jit(call)(schedule, c)):
            assert value(begin) == 1
            assert value(begin - 1) < 1e-20
        line = js.repeat(js.linear_schedule(0.0, 1.0, period), period, mult)
        assert line(begin) == 0
        assert line(begin + 1) > 0
        number = js.by_epoch(js.linear_schedule(0.0, 100.0, 100), period)
        np.testing.assert_allclose([number(7 * period + d) for d in (-1, 0)], [6, 7], rtol=1e-15)


def test_states_count_on_under_x64():
    with x64():
        rate = js.reduce_on(js.plateau(), js.linear_schedule(0.0, 1.0, TOKENS))
        optimizer = js.scale_by_learning_rate(js.linear_schedule(0.0, TOKENS, TOKENS))
        state = optimizer.init(jnp.ones(1))
        state = state._replace(count=jnp.int64(2**31 - 1))
        for step in range(3):
            _, state = optimizer.update(jnp.ones(1), state)
            assert js.learning_rate(state) == 2**31 - 1 + step
        assert state.count == 2**31 + 2
        assert rate.init().counts["plateau"].dtype == np.int64
        tokens = js.scale_by_learning_rate(LINE, clock="tokens", tokens_per_step=2**40)
        state = tokens.init(jnp.ones(1))
        _, state = tokens.update(jnp.ones(1), state, tokens=2**45 + 3)
        assert (state.count, state.remainder) == (32, 3)


def test_noise_beyond_32_bits_does_not_come_again():
    with x64():
        noise = js.noise_schedule(0.5)
        counts = np.arange(8)
        first, later = noise(counts), noise(counts + 2**32)
        assert len({float(value) for value in (*first, *later)}) == 16
    np.testing.assert_allclose(js.noise_schedule(0.5)(counts), first, rtol=1e-6)
