"""Where Optax is right, ours agree with it; where it is wrong, both are held to the numbers."""

import inspect
import itertools
import math
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optax import schedules as theirs

import jaxsched as ours

Arguments = dict[str, Any]

FLOAT = jnp.result_type(float)
# The defects of Optax were measured with this release, in float32, on a CPU.
MEASURED = (optax.__version__, FLOAT.name, jax.default_backend()) == ("0.2.8", "float32", "cpu")
KEEPS_STRONG_TYPES = tuple(map(int, optax.__version__.split(".")[:3])) >= (0, 2, 8)
COUNTS = np.array(
    [
        *(*range(7), 9, 10, 11, 19, 20, 21, 29, 30, 31, 40, 41, 42, 46, 50, 70, 75, 85, 95, 99),
        *(100, 101, 105, 110, 300, 301, 500, 750, 851, 990, 999, 1000, 1001, 1005, 5000, 123456),
    ]
)
FRACTIONS = np.array([0.0, 0.25, 0.5, 3.75, 9.5, 10.0, 10.5, 33.25, 99.5, 100.25, 1000.5])

call = jax.jit(lambda schedule, counts: schedule(counts))


def grid(**choices: list[Any]) -> list[Arguments]:
    return [
        dict(zip(choices, chosen, strict=True)) for chosen in itertools.product(*choices.values())
    ]


CYCLES = [
    {"init_value": 0.0, "peak_value": 0.3, "warmup_steps": 5, "decay_steps": 30},
    {"init_value": 0.1, "peak_value": 0.2, "warmup_steps": 0, "decay_steps": 40, "end_value": 0.05},
    {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 9, "decay_steps": 900, "exponent": 2.0},
]
LINE = ("linear_schedule", {"init_value": 0.0, "end_value": 0.3, "transition_steps": 20})
STAIRS = (
    "exponential_decay",
    {"init_value": 0.3, "transition_steps": 7, "decay_rate": 0.5, "staircase": True},
)
COSINE = ("cosine_decay_schedule", {"init_value": 0.2, "decay_steps": 100, "alpha": 0.1})

# A schedule in an argument is its name and its arguments; `make` makes it.
CASES: dict[str, list[Arguments]] = {
    "constant_schedule": grid(value=[0.0, 0.1, -3, 1e-7]),
    "linear_schedule": grid(
        init_value=[1.0, 0.0], end_value=[0.3], transition_steps=[1, 41, 1000], transition_begin=[0]
    )
    + grid(init_value=[-0.3], end_value=[0.2], transition_steps=[7, 100], transition_begin=[5]),
    "polynomial_schedule": grid(
        init_value=[0.3], end_value=[0.01], power=[0.9, 2, 3.5], transition_steps=[41, 1000]
    )
    + grid(
        init_value=[0.0], end_value=[1], power=[1, 2.0], transition_steps=[75], transition_begin=[5]
    ),
    "exponential_decay": grid(
        init_value=[0.3],
        transition_steps=[41],
        decay_rate=[0.5, 0.97],
        staircase=[False, True],
        end_value=[None, 0.01],
    )
    + grid(
        init_value=[0.3],
        transition_steps=[1000.0],
        decay_rate=[1.5],
        transition_begin=[5],
        staircase=[False, True],
        end_value=[0.6],
    ),
    "piecewise_constant_schedule": grid(
        init_value=[0.3],
        boundaries_and_scales=[
            None,
            {10: 0.1},
            {100: 0.1, 20: 0.7},
            {0: 0.5, 5: 2, 100: 0.1, 1000: 0.3},
            {20: 0.0, 30: 1.0},
        ],
    ),
    "piecewise_interpolate_schedule": grid(
        interpolate_type=["linear", "cosine"],
        init_value=[0.3],
        boundaries_and_scales=[
            {100: 0.1, 20: 0.7},
            {5: 2, 100: 0.1, 1000: 0.3},
            {20: 0.0, 30: 1.0},
        ],
    ),
    "cosine_decay_schedule": grid(
        init_value=[0.3], decay_steps=[1, 100], alpha=[0.0, 0.1], exponent=[1.0, 2]
    )
    + grid(init_value=[-0.3], decay_steps=[41, 12345], alpha=[2.0]),
    "cosine_onecycle_schedule": grid(
        transition_steps=[4, 100, 1001], peak_value=[0.3], div_factor=[25.0, 1.0]
    )
    + grid(
        transition_steps=[1000],
        peak_value=[2],
        pct_start=[0.5],
        div_factor=[3],
        final_div_factor=[0.5],
    ),
    "linear_onecycle_schedule": grid(
        transition_steps=[4, 100, 1001], peak_value=[0.3], div_factor=[25.0, 1.0]
    )
    + grid(
        transition_steps=[1000],
        peak_value=[2],
        pct_start=[0.5],
        pct_final=[0.75],
        div_factor=[3],
        final_div_factor=[0.5],
    ),
    "sgdr_schedule": grid(cosine_kwargs=[CYCLES[:1], CYCLES, [CYCLES[0]] * 5]),
    "warmup_constant_schedule": grid(
        init_value=[0.0, 0.5], peak_value=[0.3], warmup_steps=[1, 41, 1000]
    ),
    "warmup_cosine_decay_schedule": grid(
        init_value=[0.0, 0.5],
        peak_value=[0.3],
        warmup_steps=[0, 10],
        decay_steps=[101],
        end_value=[0.0, 0.4],
    )
    + grid(
        init_value=[0.0], peak_value=[0.3], warmup_steps=[1], decay_steps=[1000], exponent=[1.5]
    ),
    "warmup_exponential_decay_schedule": grid(
        init_value=[0.0],
        peak_value=[0.3],
        warmup_steps=[0, 10],
        transition_steps=[41],
        decay_rate=[0.5],
        staircase=[False, True],
        end_value=[None, 0.01],
    )
    + grid(
        init_value=[0.1],
        peak_value=[0.3],
        warmup_steps=[5],
        transition_steps=[1000],
        decay_rate=[1.5],
        transition_begin=[70],
        end_value=[0.4],
    ),
    "join_schedules": [
        {"schedules": [LINE], "boundaries": []},
        {"schedules": [LINE, COSINE], "boundaries": [20]},
        {"schedules": [LINE, COSINE, STAIRS, LINE], "boundaries": [10, 75, 500]},
        {"schedules": [COSINE] * 4, "boundaries": [20, 40, 40]},
    ],
}
NAMES = list(CASES)
SAMPLES = [(name, cases[-1]) for name, cases in CASES.items()]

every_name = pytest.mark.parametrize("name", NAMES)
every_sample = pytest.mark.parametrize(("name", "arguments"), SAMPLES, ids=NAMES)
every_case = pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param(name, arguments, id=f"{name}-{number}")
        for name, cases in CASES.items()
        for number, arguments in enumerate(cases)
    ],
)


def make(library: ModuleType, name: str, arguments: Arguments) -> Callable[[Any], Any]:
    if name == "join_schedules":
        parts = [make(library, *part) for part in arguments["schedules"]]
        arguments = {**arguments, "schedules": parts}
    return getattr(library, name)(**arguments)


def one_by_one(schedule: Callable[[Any], Any], counts: np.ndarray) -> np.ndarray:
    """Optax is right only so: see the defects 1, 2 and 3 below."""
    return np.array([float(schedule(count)) for count in counts.tolist()])


def agree(found: Any, wanted: np.ndarray) -> None:
    """Relative, but for the rounding of Optax's `1 + cos` and `1 - count / steps`.

    Those lose the last digits of a value that is small next to the largest one: see defect 7.
    """
    found = np.asarray(found, np.float64)
    np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=2e-7 * np.abs(wanted).max())


@every_name
def test_the_signature_is_the_same(name: str):
    mine = inspect.signature(getattr(ours, name)).parameters.values()
    yours = inspect.signature(getattr(theirs, name)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in mine] == [
        (p.name, p.kind, p.default) for p in yours
    ]
    assert getattr(ours, name).__name__ == name


@every_case
def test_the_values_are_the_same(name: str, arguments: Arguments):
    wanted = one_by_one(make(theirs, name, arguments), COUNTS)
    schedule = make(ours, name, arguments)
    agree(jax.jit(schedule)(COUNTS), wanted)
    agree(call(schedule, COUNTS), wanted)


@every_sample
def test_the_values_are_the_same_between_steps(name: str, arguments: Arguments):
    wanted = one_by_one(make(theirs, name, arguments), FRACTIONS)
    agree(make(ours, name, arguments)(FRACTIONS), wanted)


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_a_scale_at_step_0_applies_at_once(kind: str):
    """Releases of Optax before 0.2.8 divide 0 by 0 here."""
    schedule = ours.piecewise_interpolate_schedule(kind, 1.0, {0: 0.5, 4: 3.0})
    assert schedule(np.array([0, 4, 5])).tolist() == [0.5, 1.5, 1.5]
    np.testing.assert_allclose(schedule(2), 1.0, rtol=1e-6)


def test_schedules_of_the_two_can_be_mixed():
    boundaries = [10, 75]
    parts = [LINE, COSINE, STAIRS]
    wanted = one_by_one(
        theirs.join_schedules([make(theirs, *part) for part in parts], boundaries), COUNTS
    )
    mixed = [make(ours, *LINE), make(theirs, *COSINE), make(ours, *STAIRS)]
    agree(jax.jit(ours.join_schedules(mixed, boundaries))(COUNTS), wanted)
    agree(one_by_one(theirs.join_schedules(mixed, boundaries), COUNTS), wanted)


@every_sample
def test_an_optimizer_takes_either(name: str, arguments: Arguments):
    def trained(schedule: Callable[[Any], Any]) -> jax.Array:
        def step(carry, _):
            params, state = carry
            updates, state = optimizer.update(jnp.ones(2), state, params)
            return (optax.apply_updates(params, updates), state), updates

        optimizer = optax.sgd(schedule)
        params = jnp.zeros(2)
        return jax.lax.scan(step, (params, optimizer.init(params)), length=8)[1]

    wanted = one_by_one(make(theirs, name, arguments), np.arange(8))
    agree(trained(make(ours, name, arguments))[:, 0], -wanted)


# The defects, by number; 4 and 15 are those of the plateau and are tested with it.


def optax_is_wrong(shown: Callable[[], Any]) -> None:
    """Asserts what is wrong with Optax, in the release it was measured with."""
    assert not MEASURED or shown()


def fails(error: type[Exception] | tuple[type[Exception], ...], call: Callable[[], Any]) -> bool:
    try:
        call()
    except error:
        return True
    return False


def refused(argument: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=f"`{argument}"):
        call()


@pytest.mark.parametrize("steps", [7, 41, 1000, 10_000])
def test_1_a_fractional_power_reaches_its_end(steps: int):
    curve = ours.polynomial_schedule(0.1, 1e-4, 0.9, steps)
    line = ours.linear_schedule(0.1, 0.0, steps)
    counts = np.array([0, 1, steps // 2, steps - 1, steps, steps + 1, 5 * steps])
    left = [(steps - min(count, steps)) / steps for count in counts.tolist()]
    for rates in (jax.jit(curve)(counts), call(curve, counts)):
        np.testing.assert_allclose(rates, [1e-4 + (0.1 - 1e-4) * x**0.9 for x in left], rtol=1e-6)
        assert np.all(rates[-3:] == FLOAT.type(1e-4))
    for rates in (jax.jit(line)(counts), call(line, counts)):
        np.testing.assert_allclose(rates, [0.1 * x for x in left], rtol=1e-6)
        assert np.all(rates[-3:] == 0)


def test_1_optax_is_nan_for_ever_or_negative():
    curve = jax.jit(theirs.polynomial_schedule(0.1, 1e-4, 0.9, 1000))
    line = jax.jit(theirs.linear_schedule(0.1, 0.0, 7))
    optax_is_wrong(lambda: all(np.isnan(curve(count)) for count in (1000, 1001, 10**9)))
    optax_is_wrong(lambda: line(7) < 0)


@pytest.mark.parametrize("steps", [3, 41, 1000, 10**6 + 3, 2**24 + 1])
def test_2_stairs_flip_at_their_step(steps: int):
    stairs = ours.exponential_decay(1.0, steps, 0.5, staircase=True)
    counts = [n * steps + d for n in (1, 2, 3, 10, 20, 50, 100) for d in (-1, 0, 1)]
    wanted = [0.5 ** (count // steps) for count in counts]
    one = np.array([stairs(count) for count in counts])
    for rates in (jax.jit(stairs)(np.array(counts)), call(stairs, np.array(counts)), one):
        # Under x64 a power is an exponential of a logarithm, right to the last digits.
        np.testing.assert_allclose(rates, wanted, rtol=1e-14 if jax.config.jax_enable_x64 else 0)


def test_2_optax_flips_late_or_early():
    late = jax.jit(theirs.exponential_decay(1.0, 41, 0.5, staircase=True))
    early = jax.jit(theirs.exponential_decay(1.0, 10**6, 0.5, staircase=True))
    optax_is_wrong(lambda: late(41) == 1)
    optax_is_wrong(lambda: early(30 * 10**6 - 1) == 0.5**30)


def test_3_counts_may_be_arrays():
    counts = np.array([[0, 25, 60], [30, 85, 100]])
    scales = {50: 0.5}
    wanted = {
        "line": np.interp(counts, [0, 50], [1.0, 0.5]),
        "linear": np.interp(counts, [0, 30, 85, 100], [0.04, 1, 0.04, 4e-6]),
        "cosine": [
            [0.04, 0.04 + 0.96 * math.sin(math.pi * 25 / 60) ** 2, after_the_peak(30 / 70)],
            [1.0, after_the_peak(55 / 70), 4e-6],
        ],
    }
    line = ours.piecewise_interpolate_schedule("linear", 1.0, scales)
    linear, cosine = (
        ours.linear_onecycle_schedule(100, 1.0),
        ours.cosine_onecycle_schedule(100, 1.0),
    )
    for schedule, name in ((line, "line"), (linear, "linear"), (cosine, "cosine")):
        np.testing.assert_allclose(schedule(counts), wanted[name], rtol=1e-6)
        np.testing.assert_allclose(schedule(counts[0]), wanted[name][0], rtol=1e-6)

    line = theirs.piecewise_interpolate_schedule("linear", 1.0, scales)
    linear, cosine = (
        theirs.linear_onecycle_schedule(100, 1.0),
        theirs.cosine_onecycle_schedule(100, 1.0),
    )
    optax_is_wrong(lambda: line(counts[0]).tolist() == [1.75, 1.75, 2.25])
    optax_is_wrong(lambda: np.ptp(linear(counts[0])) == 0)
    optax_is_wrong(lambda: fails(TypeError, lambda: cosine(counts[0])))


def after_the_peak(gone: float) -> float:
    return 4e-6 + (1 - 4e-6) * math.cos(math.pi * gone / 2) ** 2


def test_5_without_warm_up_steps_the_peak_is_there_at_once():
    for count in (0, 1, 1000):
        assert ours.warmup_constant_schedule(0.0, 1.0, 0)(count) == 1
        assert ours.linear_schedule(0.0, 1.0, 0)(count) == 1
        assert ours.polynomial_schedule(0.0, 1.0, 2.0, 0, transition_begin=1)(count) == (count > 0)
        optax_is_wrong(lambda count=count: theirs.warmup_constant_schedule(0.0, 1.0, 0)(count) == 0)
        optax_is_wrong(lambda count=count: theirs.linear_schedule(0.0, 1.0, -3)(count) == 0)
    refused("transition_steps", lambda: ours.linear_schedule(0.0, 1.0, -3))


def test_6_no_length_overflows():
    for steps in (2 * 10**9, np.int64(2 * 10**9), 2e9):
        for rate in (
            ours.linear_schedule(1.0, 0.0, steps),
            ours.cosine_decay_schedule(1.0, steps),
            ours.exponential_decay(1.0, steps, 0.25),
            ours.join_schedules([1.0, 0.5], [steps // 2]),
        ):
            for value in (rate(10**9), jax.jit(rate)(10**9), call(rate, 10**9)):
                np.testing.assert_allclose(value, 0.5, rtol=1e-6)
            assert rate(0) == 1


def test_6_optax_overflows_or_wraps():
    wrapped = np.int64(3 * 10**9)
    optax_is_wrong(lambda: fails(OverflowError, lambda: theirs.linear_schedule(1.0, 0.0, 2**31)(5)))
    optax_is_wrong(lambda: theirs.linear_schedule(1.0, 0.0, wrapped)(5) == 0)
    optax_is_wrong(lambda: theirs.cosine_decay_schedule(1.0, wrapped)(0) == 0)
    ones = [theirs.constant_schedule(1.0), theirs.constant_schedule(2.0)]
    optax_is_wrong(lambda: jax.jit(theirs.join_schedules(ones, [wrapped]))(5) == 2)


def test_7_the_tail_of_a_cosine_has_its_digits():
    steps, left = 10**6, np.arange(1, 401)
    counts = steps - left
    wanted = np.sin(np.pi * left / (2 * steps)) ** 2
    cosine = ours.cosine_decay_schedule(1.0, steps)
    for rates in (cosine(counts), jax.jit(cosine)(counts), call(cosine, counts)):
        np.testing.assert_allclose(rates, wanted, rtol=1e-6)
    rates = np.asarray(theirs.cosine_decay_schedule(1.0, steps)(counts), np.float64)
    optax_is_wrong(lambda: np.sum(rates == 0) == 77)
    optax_is_wrong(lambda: np.sum(np.abs(rates / wanted - 1) > 0.1) == 167)


def test_8_joined_schedules_need_their_boundaries():
    for boundaries in ([5], [10, 5], []):
        refused("boundaries", lambda b=boundaries: ours.join_schedules([1.0, 2.0, 3.0], b))
    refused("schedules", lambda: ours.join_schedules([], []))
    refused("cosine_kwargs", lambda: ours.sgdr_schedule([]))
    joined = ours.join_schedules([1.0, 2.0, 3.0], [5, 10])
    assert joined(np.array([0, 4, 5, 9, 10, 11])).tolist() == [1, 1, 2, 2, 3, 3]

    parts = [theirs.constant_schedule(value) for value in (1.0, 2.0, 3.0)]
    short, unsorted = theirs.join_schedules(parts, [5]), theirs.join_schedules(parts, [10, 5])
    optax_is_wrong(lambda: 3 not in [short(count) for count in range(20)])
    optax_is_wrong(lambda: 2 not in [unsorted(count) for count in range(20)])
    optax_is_wrong(lambda: fails(IndexError, lambda: theirs.join_schedules([], [])(0)))
    optax_is_wrong(lambda: fails(IndexError, lambda: theirs.sgdr_schedule([])(0)))


def test_9_a_short_cycle_begins_below_its_peak():
    low, last = 1 / 25, 1 / 25 / 1e4
    wanted = {
        1: [low, last, last],
        2: [low, 1, last, last],
        3: [low, 1, low, last, last],
        4: [low, 1, (1 + low) / 2, low, last, last],
    }
    for steps, rates in wanted.items():
        schedule = ours.linear_onecycle_schedule(steps, 1.0)
        np.testing.assert_allclose(schedule(np.arange(steps + 2)), rates, rtol=1e-6)
    optax_is_wrong(lambda: theirs.linear_onecycle_schedule(3, 1.0)(0) == 1)
    optax_is_wrong(lambda: theirs.cosine_onecycle_schedule(3, 1.0)(0) == 1)
    assert ours.cosine_onecycle_schedule(3, 1.0)(0) == FLOAT.type(low)


def test_10_an_exponential_needs_a_rate_and_steps():
    for rate in (0, 0.0, -0.5):
        refused("decay_rate", lambda rate=rate: ours.exponential_decay(1.0, 10, rate))
    for steps in (0, -10):
        refused("transition_steps", lambda steps=steps: ours.exponential_decay(1.0, steps, 0.5))
    optax_is_wrong(lambda: theirs.exponential_decay(1.0, 10, 0.0)(50) == 1)
    optax_is_wrong(lambda: theirs.exponential_decay(1.0, 0, 0.5)(50) == 1)
    optax_is_wrong(lambda: np.isnan(theirs.exponential_decay(1.0, 10, -0.5)(5)))


def test_11_the_gradient_with_respect_to_the_peak_is_finite():
    def gradient(library: ModuleType, count: int) -> jax.Array:
        def rate(peak):
            schedule = library.warmup_exponential_decay_schedule(0.0, peak, 100_000, 1, 0.5)
            return jnp.asarray(schedule(count))

        return jax.grad(rate)(1.0)

    wanted = {0: 0, 5: 5e-5, 50_000: 0.5, 99_999: 0.99999, 100_000: 1, 100_003: 0.125}
    for count, slope in wanted.items():
        np.testing.assert_allclose(gradient(ours, count), slope, rtol=1e-6)
    optax_is_wrong(lambda: np.isnan(gradient(theirs, 5)))


# Every number of every schedule, and another value for it.
OTHER = {
    "value": 0.5,
    "init_value": 0.75,
    "end_value": 0.125,
    "peak_value": 2.0,
    "alpha": 0.5,
    "power": 3.0,
    "exponent": 2.0,
    "transition_steps": 50,
    "transition_begin": 10,
    "decay_rate": 0.75,
    "warmup_steps": 20,
    "decay_steps": 300,
    "pct_start": 0.5,
    "pct_final": 0.875,
    "div_factor": 4.0,
    "final_div_factor": 8.0,
}
POPULATIONS = {
    "constant_schedule": {"value": 0.25},
    "linear_schedule": {
        "init_value": 1.0,
        "end_value": 0.25,
        "transition_steps": 100,
        "transition_begin": 5,
    },
    "polynomial_schedule": {
        "init_value": 1.0,
        "end_value": 0.25,
        "power": 2.0,
        "transition_steps": 100,
        "transition_begin": 5,
    },
    "exponential_decay": {
        "init_value": 1.0,
        "transition_steps": 41,
        "decay_rate": 0.5,
        "transition_begin": 5,
        "end_value": 0.25,
    },
    "cosine_decay_schedule": {
        "init_value": 1.0,
        "decay_steps": 100,
        "alpha": 0.25,
        "exponent": 1.0,
    },
    "cosine_onecycle_schedule": {
        "transition_steps": 100,
        "peak_value": 1.0,
        "pct_start": 0.25,
        "div_factor": 16.0,
        "final_div_factor": 64.0,
    },
    "linear_onecycle_schedule": {
        "transition_steps": 100,
        "peak_value": 1.0,
        "pct_start": 0.25,
        "pct_final": 0.75,
        "div_factor": 16.0,
        "final_div_factor": 64.0,
    },
    "warmup_constant_schedule": {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 41},
    "warmup_cosine_decay_schedule": {
        "init_value": 0.0,
        "peak_value": 1.0,
        "warmup_steps": 10,
        "decay_steps": 100,
        "end_value": 0.25,
        "exponent": 1.0,
    },
    "warmup_exponential_decay_schedule": {
        "init_value": 0.0,
        "peak_value": 1.0,
        "warmup_steps": 10,
        "transition_steps": 41,
        "decay_rate": 0.5,
        "transition_begin": 5,
        "end_value": 0.25,
    },
}
NOT_TRACEABLE = ("decay_rate", "transition_begin", "pct_start", "pct_final", "div_factor")
TRACER_ERRORS = (
    jax.errors.TracerBoolConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.ConcretizationTypeError,
)


def optax_cannot_trace(name: str, argument: str) -> bool:
    return (
        argument.endswith("_steps")
        or argument in (*NOT_TRACEABLE, "final_div_factor")
        or (name, argument) == ("warmup_cosine_decay_schedule", "peak_value")
    )


@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, argument) for name, arguments in POPULATIONS.items() for argument in arguments],
)
def test_12_a_hyperparameter_may_be_an_axis_of_a_population(name: str, argument: str):
    def rates(library: ModuleType, value: Any) -> Any:
        return make(library, name, {**arguments, argument: value})(COUNTS)

    arguments = POPULATIONS[name]
    values = [arguments[argument], OTHER[argument]]
    mapped = jax.jit(jax.vmap(lambda value: rates(ours, value)))(jnp.array(values))
    for found, value in zip(mapped, values, strict=True):
        agree(found, one_by_one(make(theirs, name, {**arguments, argument: value}), COUNTS))
    if optax_cannot_trace(name, argument):
        optax_is_wrong(
            lambda: fails(TRACER_ERRORS, lambda: jax.jit(lambda v: rates(theirs, v))(values[0]))
        )


def test_12_so_may_what_is_in_a_list_or_a_dict():
    def cycles(library, peak):
        return library.sgdr_schedule([CYCLES[0], {**CYCLES[1], "peak_value": peak}])

    def steps(library, scale):
        return library.piecewise_constant_schedule(1.0, {10: scale, 20: 0.5})

    def lines(library, scale):
        return library.piecewise_interpolate_schedule("linear", 1.0, {10: scale, 20: 0.5})

    def joined(library, peak):
        parts = [library.constant_schedule(peak), library.linear_schedule(peak, 0.0, 30)]
        return library.join_schedules(parts, [20])

    values = [0.25, 0.75]
    for making in (cycles, steps, lines, joined):
        mapped = jax.jit(jax.vmap(lambda value, making=making: making(ours, value)(COUNTS)))
        for found, value in zip(mapped(jnp.array(values)), values, strict=True):
            agree(found, one_by_one(making(theirs, value), COUNTS))
    for making in (cycles, steps, lines):
        traced = jax.jit(lambda value, making=making: making(theirs, value)(5))
        optax_is_wrong(lambda traced=traced: fails(TRACER_ERRORS, lambda: traced(0.25)))


@every_sample
def test_13_a_schedule_is_pickled_compared_printed_and_passed(name: str, arguments: Arguments):
    schedule, same = make(ours, name, arguments), make(ours, name, arguments)
    assert schedule == same
    assert hash(schedule) == hash(same)
    assert schedule != schedule * 2
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert eval(repr(schedule), vars(ours)) == schedule
    assert len(jax.tree.leaves(schedule)) > 0
    agree(call(pickle.loads(pickle.dumps(schedule)), COUNTS), one_by_one(schedule, COUNTS))

    yours = make(theirs, name, arguments)
    optax_is_wrong(
        lambda: fails((AttributeError, pickle.PicklingError), lambda: pickle.dumps(yours))
    )
    optax_is_wrong(lambda: yours != make(theirs, name, arguments))
    optax_is_wrong(lambda: repr(yours).startswith("<function"))
    optax_is_wrong(lambda: fails(TypeError, lambda: call(yours, 0)))


def test_13_new_numbers_compile_nothing_new():
    traces = []

    @jax.jit
    def rate(schedule: ours.Schedule, count: int) -> jax.Array:
        traces.append(schedule)
        return schedule(count)

    for steps, peak in itertools.product((10, 20, 40), (0.5, 1.0)):
        found = rate(ours.warmup_cosine_decay_schedule(0.0, peak, steps, 3 * steps), 2 * steps)
        np.testing.assert_allclose(found, peak / 2, rtol=1e-6)
    assert len(traces) == 1


@every_sample
def test_14_jit_and_scan_agree_and_the_type_is_the_same(name: str, arguments: Arguments):
    schedule = make(ours, name, arguments)
    jitted = jax.jit(schedule)(COUNTS)
    _, scanned = jax.lax.scan(lambda _, count: (None, schedule(count)), None, jnp.array(COUNTS))
    assert scanned.tolist() == jitted.tolist()
    assert jax.jit(jax.vmap(schedule))(COUNTS).tolist() == jitted.tolist()
    unit = np.spacing(np.abs(np.asarray(jitted)).max())
    assert np.max(np.abs(schedule(COUNTS) - jitted)) <= 2 * unit

    for count in (3, np.int64(3), jnp.int32(3), jnp.uint8(3), 3.0, jnp.float32(3), jnp.bfloat16(3)):
        rate = jax.eval_shape(schedule, count)
        assert rate.dtype == FLOAT
        assert not rate.weak_type


def test_14_optax_has_several_values_and_types():
    line, counts = theirs.linear_schedule(0.1, 0.01, 1000), np.arange(1001)
    eager = [float(line(count)) for count in counts.tolist()]
    optax_is_wrong(lambda: np.sum(np.asarray(jax.jit(line)(counts)) != np.float32(eager)) > 100)

    cosine = theirs.cosine_decay_schedule(1.0, 10)
    optax_is_wrong(lambda: isinstance(theirs.constant_schedule(1.0)(3), float))
    optax_is_wrong(lambda: line(3).weak_type and not line(jnp.int32(3)).weak_type)
    optax_is_wrong(lambda: cosine(jnp.bfloat16(3)).dtype == jnp.bfloat16)


def rates_of_an_optimizer(schedule: Callable[[Any], Any], steps: int) -> jax.Array:
    def step(state, _):
        _, state = optimizer.update(params, state, params)
        return state, state.hyperparams["learning_rate"]

    params = jnp.ones(3, jnp.bfloat16)
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=schedule)
    return jax.lax.scan(step, optimizer.init(params), length=steps)[1]


def test_14_the_rate_is_not_rounded_to_the_type_of_the_parameters():
    arguments = (0.1, 10_000)
    rates = rates_of_an_optimizer(ours.cosine_decay_schedule(*arguments), 500)
    wanted = [0.1 * math.cos(math.pi * count / 20_000) ** 2 for count in range(500)]
    # Releases before 0.2.8 round whatever a schedule returns.
    if KEEPS_STRONG_TYPES:
        assert rates.dtype == FLOAT
        assert len(set(rates.tolist())) > 450
    np.testing.assert_allclose(
        np.asarray(rates, np.float64), wanted, rtol=1e-6 if KEEPS_STRONG_TYPES else 1e-2
    )

    rates = rates_of_an_optimizer(theirs.cosine_decay_schedule(*arguments), 500)
    optax_is_wrong(lambda: rates.dtype == jnp.bfloat16)
    optax_is_wrong(lambda: len(set(rates.tolist())) == 2)
