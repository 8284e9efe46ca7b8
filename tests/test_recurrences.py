"""Rules for the rate of the next step, run in Python's float64 beside the schedules they are."""

import math

import jax
import numpy as np
import pytest

import jaxsched as js

STEPS = 4_000
RATE, DECAY, HORIZON = 0.3, 0.4, 3_000


def held(step):
    """The fraction of the horizon behind."""
    return min(step, HORIZON) / HORIZON


def of_previous(factor, last=STEPS):
    """The rates of `rate = rate * factor(step)`, up to a step."""
    rates = [RATE]
    for step in range(1, STEPS):
        rates.append(rates[-1] * (factor(step) if step <= last else 1))
    return rates


def closed(formula):
    return [formula(step) for step in range(STEPS)]


def slowly(step):
    return 1 + 1e-3 * math.cos(step * math.pi / HORIZON)


CASES = {
    "a0 (1 - t/T)": (
        js.linear_schedule(RATE, 0.0, HORIZON),
        closed(lambda t: RATE * (1 - held(t))),
    ),
    "a0 (1 - t/T)^g": (
        js.polynomial_schedule(RATE, 0.0, 1.7, HORIZON),
        closed(lambda t: RATE * (1 - held(t)) ** 1.7),
    ),
    "a g every k steps": (
        js.exponential_decay(RATE, 700, 0.3, staircase=True),
        of_previous(lambda t: 1 if t % 700 else 0.3),
    ),
    "a_t = a_{t-1} g^t": (
        js.cumulative_product_schedule(RATE, js.exponential_decay(1.0, 1, 0.99999), STEPS),
        of_previous(lambda t: 0.99999**t),
    ),
    "a_t = a_{t-1} (1 + g cos(t pi/T))": (
        js.cumulative_product_schedule(RATE, slowly, STEPS),
        of_previous(slowly),
    ),
    "a_t = a_{t-1} (1 - d t/T)": (
        js.cumulative_product_schedule(
            RATE, js.linear_schedule(1.0, 1 - DECAY / 100, HORIZON), HORIZON
        ),
        of_previous(lambda t: 1 - DECAY / 100 * t / HORIZON, HORIZON),
    ),
    "a_t = a_{t-1} (1 - d t/T)^d": (
        js.cumulative_product_schedule(
            RATE, lambda t: (1 - DECAY / 100 * t / HORIZON) ** DECAY, HORIZON
        ),
        of_previous(lambda t: (1 - DECAY / 100 * t / HORIZON) ** DECAY, HORIZON),
    ),
    "a_t = a_{t-1} (t + 1)^-d": (
        js.cumulative_product_schedule(RATE, lambda t: (t + 1.0) ** -DECAY, STEPS),
        of_previous(lambda t: (t + 1.0) ** -DECAY),
    ),
    "base (1 - d)^t": (
        js.exponential_decay(RATE, 1, 1 - DECAY / 100),
        of_previous(lambda t: 1 - DECAY / 100),
    ),
    "a0 - d t": (
        js.linear_schedule(RATE, 0.0, 3_000),
        closed(lambda t: max(RATE - 1e-4 * t, 0.0)),
    ),
    "a constant, then a line from another value": (
        js.join_schedules([0.01, js.linear_schedule(RATE, 0.0, HORIZON)], [500]),
        closed(lambda t: 0.01 if t < 500 else RATE * (1 - held(t - 500))),
    ),
    "a0 (1 - d t/T)": (
        js.linear_schedule(RATE, RATE * (1 - DECAY), HORIZON),
        closed(lambda t: RATE * (1 - DECAY * held(t))),
    ),
}


@pytest.mark.parametrize(("schedule", "rates"), CASES.values(), ids=CASES)
def test_a_schedule_is_its_recurrence(schedule, rates):
    counts = np.arange(STEPS)
    assert min(rates) >= 0
    for found in (schedule(counts), jax.jit(schedule)(counts)):
        # A subnormal float32 is 0 in a program.
        np.testing.assert_allclose(found, rates, rtol=1e-6, atol=2.0**-126)
