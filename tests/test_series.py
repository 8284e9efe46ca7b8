"""What cycles, tables, products and noise do beyond the contracts of every schedule."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.interpolate import PchipInterpolator

import jaxsched as js
from jaxsched.core.arithmetic.threefry import threefry
from tests import formulas_series

call = jax.jit(lambda schedule, counts: schedule(counts))


@pytest.mark.parametrize("kind", ["linear", "constant", "monotone"])
@pytest.mark.parametrize("n", [1, 2, 3, 40])
@pytest.mark.parametrize("levels", ["mixed", "sorted", "repeated"])
def test_a_table_by_knots_agrees_with_numpy_and_scipy(kind, n, levels):
    random = np.random.default_rng(n)
    knots, values = np.cumsum(random.integers(1, 50, n)), random.uniform(-1, 1, n)
    values = np.sort(values) if levels == "sorted" else values
    values = np.repeat(values, 2)[:n] if levels == "repeated" else values
    schedule = js.table_schedule(values.tolist(), knots.tolist(), kind)
    counts = np.concatenate([np.arange(knots[-1] + 3), np.arange(0, knots[-1] + 2, 0.375)])
    held = np.clip(counts, knots[0], knots[-1])
    if kind == "linear" or n == 1:
        expected = np.interp(held, knots, values)
    elif kind == "constant":
        expected = values[np.searchsorted(knots, held, side="right") - 1]
    else:
        expected = PchipInterpolator(knots, values)(held)
    for found in (schedule(counts), call(schedule, counts)):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_monotone_table_stays_between_its_neighbours_and_never_turns():
    random = np.random.default_rng(0)
    values = np.sort(random.uniform(0, 1, 50) ** 8)[::-1].astype(np.float32)
    knots = np.cumsum(random.integers(1, 300, 50))
    schedule = js.table_schedule(values.tolist(), knots.tolist(), "monotone")
    for rates in (schedule(np.arange(knots[-1])), call(schedule, np.arange(knots[-1]))):
        assert np.all(np.diff(rates) <= 2 * np.spacing(rates[:-1]))
        segment = np.maximum(np.searchsorted(knots, np.arange(knots[-1]), side="right") - 1, 0)
        assert np.all(rates <= values[segment])
        assert np.all(
            rates >= values[np.minimum(segment + 1, 49)] * (np.arange(knots[-1]) >= knots[0])
        )


def test_a_table_by_step_is_read_between_steps_and_held():
    for kind, between in (("linear", 0.75), ("constant", 0.5), ("monotone", 0.890625)):
        schedule = js.table_schedule([0.5, 1.0, 0.25], interpolate_type=kind)
        np.testing.assert_array_equal(
            schedule(np.array([0.0, 0.5, 2.0, 9.5])), [0.5, between, 0.25, 0.25]
        )


def test_a_table_of_a_million_values():
    values = np.linspace(1, 0, 10**6)
    schedule = js.table_schedule(values)
    counts = np.array([0, 1, 123_456, 999_999, 2**31 - 1])
    expected = values[np.minimum(counts, 999_999)].astype(np.float32)
    np.testing.assert_array_equal(jax.jit(schedule)(counts).astype(np.float32), expected)
    text = jax.jit(schedule).lower(jnp.int32(5)).as_text()
    assert "while" not in text


def test_tables_of_one_length_are_one_form_of_a_join():
    tables = [js.table_schedule([0.1 * i, 0.2, 0.3], [0, 5, 9], "monotone") for i in range(1, 4)]
    joined = js.join_schedules(tables, [10, 20])
    assert eval(repr(joined), vars(js)) == joined
    for i, schedule in enumerate(tables):
        np.testing.assert_allclose(joined(10 * i + 3), schedule(3), rtol=1e-6)


def test_cycles_are_those_of_pytorch():
    torch_cyclic = [0.1, 0.55, 1.0, 0.7, 0.4, 0.1, 0.55]
    np.testing.assert_allclose(
        js.cyclic_schedule(0.1, 1.0, 2, 3)(np.arange(7)), torch_cyclic, rtol=1e-6
    )
    halved = js.cyclic_schedule(0.0, 1.0, 3, 2, peak_mult=0.5)
    peaks = [1, 0.5, 0.25, 0.125, 0.0625]
    np.testing.assert_allclose(halved(5 * np.arange(5) + 3), peaks, rtol=1e-6)


@pytest.mark.parametrize("numbers", [(0.0, 1.0, 0, 4), (0.0, 1.0, 4, 0), (0.5, 0.25, 1, 1)])
def test_flanks_of_no_length(numbers):
    init, peak, up, down = numbers
    rates = js.cyclic_schedule(*numbers)(np.arange(100) * (up + down))
    np.testing.assert_array_equal(rates, np.full(100, init if up else peak))
    assert np.isfinite(jax.grad(lambda x: js.cyclic_schedule(init, x, up, down)(3))(peak))


def test_a_growing_cycle_ends_at_the_greatest_float():
    for schedule in (
        js.cyclic_schedule(1.0, 2.0, 5, peak_mult=2.0),
        js.cyclic_schedule(1.0, 0.0, 5, decay_rate=2.0),
        js.cyclic_schedule(1.0, 1.0, 5, decay_rate=2.0),
        js.cyclic_schedule(1.0, 2.0, 5, peak_mult=1e-3, decay_rate=2.0),
    ):
        for rates in (schedule(10 * np.arange(3000) + 7), call(schedule, 10 * np.arange(3000) + 7)):
            assert np.isfinite(rates).all()


def test_polynomial_cycles_are_those_of_keras():
    keras = [
        1,
        0.775,
        0.55,
        0.325,
        0.1,
        0.4375,
        0.325,
        0.2125,
        0.1,
        0.325,
        0.25,
        0.175,
        0.1,
        0.26875,
    ]
    schedule = js.polynomial_cycles_schedule(1.0, 4, end_value=0.1)
    np.testing.assert_allclose(schedule(np.arange(14)), keras, rtol=1e-6)


def test_rewarming_goes_down_once_a_period_and_nowhere_else():
    cosine = js.cosine_decay_schedule(1.0, 10_000)
    rates = np.asarray(js.rewarm(cosine, 1000, 100)(np.arange(10_000)))
    assert np.abs(np.diff(rates))[np.arange(9_999) % 1000 != 999].max() < 0.011
    np.testing.assert_array_equal(rates[1000::1000], 0)
    np.testing.assert_array_equal(rates[:1000], cosine(np.arange(1000)))
    np.testing.assert_array_equal(rates[1100:2000], cosine(np.arange(1100, 2000)))


def test_rewarming_near_the_last_count_does_not_wrap():
    last = 2**31 - 1
    schedule = js.rewarm(js.linear_schedule(1.0, 2.0, last), 2**30, 2**30)
    assert 1.9 < schedule(last) <= 2.0


@pytest.mark.parametrize(
    "factor",
    [
        lambda count: 1.0 if count % 10 else 0.5,
        lambda count: np.float64(0.5) ** (math.floor(count / 10) - math.floor((count - 1) / 10)),
        lambda count: jnp.where(count % 10, 1.0, 0.5),
    ],
)
def test_factors_are_functions_of_python_integers_or_of_tracers(factor):
    schedule = js.cumulative_product_schedule(0.3, factor, 100)
    counts = np.array([0, 9, 10, 19, 20, 99, 100, 10**6])
    expected = np.float32(0.3) / 2.0 ** np.minimum(counts // 10, 10)
    for found in (schedule(counts), call(schedule, counts), jax.jit(schedule)(counts)):
        np.testing.assert_array_equal(np.asarray(found, np.float32), expected.astype(np.float32))
    assert schedule(19.5) == schedule(19)


def test_ten_thousand_known_factors_are_rounded_once():
    factor = js.linear_schedule(1.0, 0.999, 10_000)
    schedule = js.cumulative_product_schedule(1.0, factor, 10_000)
    exact = np.cumprod([1.0, *(1 - 0.001 * t / 10_000 for t in range(1, 10_001))])
    np.testing.assert_allclose(schedule(np.arange(10_001)), exact, rtol=6.1e-8)


def test_a_factor_may_be_made_of_what_is_traced():
    def last(x):
        return js.cumulative_product_schedule(1.0, lambda count: x * count, 3)(5)

    assert jax.jit(last)(0.5) == last(0.5) == 0.75
    assert jax.grad(last)(0.5) == 4.5
    np.testing.assert_array_equal(jax.vmap(last)(jnp.array([0.5, 1.0])), [0.75, 6.0])


# As published with Random123, for keys and counters of zeros, of ones, and of digits of pi.
KNOWN_ANSWERS = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("key", "counter", "answer"), KNOWN_ANSWERS)
def test_random_bits_are_those_published(key, counter, answer):
    assert tuple(map(int, threefry(key, counter))) == answer
    assert formulas_series.threefry(key, counter) == answer


NOISES = {
    "uniform": (js.noise_schedule(0.5, seed=1), stats.uniform(0.5, 1.0)),
    "normal": (js.noise_schedule(1.0, 0.25, 2), stats.truncnorm(-4, 4, 1, 0.25)),
    "cut": (js.noise_schedule(0.1, 0.2, 3), stats.truncnorm(-0.5, 0.5, 1, 0.2)),
}


@pytest.mark.parametrize(("schedule", "expected"), NOISES.values(), ids=NOISES)
def test_noise_is_distributed_as_promised(schedule, expected):
    n = 100_000
    found = np.sort(np.asarray(schedule(np.arange(n)), np.float64))
    assert abs(found.mean() - expected.mean()) < 4 * expected.std() / n**0.5
    assert found.std() == pytest.approx(expected.std(), rel=0.01)
    low, high = expected.support()
    assert low - 1e-7 <= found[0]
    assert found[-1] <= high + 1e-7
    # The distance of Kolmogorov and Smirnov: above 1.95 / sqrt(n) once in a thousand.
    distance = np.abs(expected.cdf(found) - (np.arange(n) + 0.5) / n).max()
    assert distance < 1.95 / n**0.5


def test_noise_of_neighbouring_seeds_and_steps_is_independent():
    n = 100_000
    noise = [np.asarray(js.noise_schedule(1.0, seed=seed)(np.arange(n))) - 1 for seed in range(6)]
    pairs = np.corrcoef([*noise, *(np.roll(row, 1) for row in noise)])
    assert np.abs(pairs - np.eye(12)).max() < 4.5 / n**0.5


def test_noise_of_a_step_is_the_same_everywhere():
    schedule = js.noise_schedule(0.5, 0.5, seed=11)
    alone = [float(schedule(step)) for step in (3, 77, 2**31 - 1)]
    np.testing.assert_array_equal(schedule(np.array([3, 77, 2**31 - 1])), alone)
    # With traced numbers the edge of the distribution is rounded to float32.
    traced = np.asarray(call(schedule, np.array([3, 77, 2**31 - 1])))
    np.testing.assert_array_max_ulp(traced, np.asarray(alone, traced.dtype), maxulp=2)
    assert schedule(77.9) == schedule(77)
    assert js.noise_schedule(0.0)(5) == 1
    assert js.noise_schedule(0.5, seed=2.0)(3) == js.noise_schedule(0.5, seed=2)(3)
