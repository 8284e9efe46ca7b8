"""Mistakes raise when a schedule is made, and name the argument and the value."""

import contextlib
import functools
import itertools
import logging
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from absl import logging as absl_logging

import jaxsched as js

MAX = 2**31 - 1
FLAGS = np.array([True])
LINE = js.linear_schedule(1.0, 0.0, 10)
CYCLE = {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 2, "decay_steps": 10}


cosine, interpolate = js.cosine_decay_schedule, js.piecewise_interpolate_schedule
join, restarts, sgdr = js.join_schedules, js.cosine_restarts_schedule, js.sgdr_schedule
warm_cosine = js.warmup_cosine_decay_schedule
steps = functools.partial(js.piecewise_constant_schedule, 1.0)
with_stairs = functools.partial(js.warmup_exponential_decay_schedule, 0, 1, 2, 10, 0.5)


@js.schedule
def halved(count, init_value, half_life):
    """A formula without annotations."""
    return init_value * half_life / (half_life + count)


# Every maker with arguments that are right.
RIGHT: dict[Any, dict[str, Any]] = {
    js.constant_schedule: {"value": 0.1},
    js.linear_schedule: {
        "init_value": 1.0,
        "end_value": 0.1,
        "transition_steps": 10,
        "transition_begin": 2,
    },
    js.polynomial_schedule: {
        "init_value": 1.0,
        "end_value": 0.1,
        "power": 2.0,
        "transition_steps": 10,
        "transition_begin": 2,
    },
    js.exponential_decay: {
        "init_value": 1.0,
        "transition_steps": 10,
        "decay_rate": 0.5,
        "transition_begin": 2,
        "end_value": 0.1,
    },
    js.cosine_decay_schedule: {
        "init_value": 1.0,
        "decay_steps": 10,
        "alpha": 0.1,
        "exponent": 2.0,
    },
    js.piecewise_constant_schedule: {"init_value": 1.0},
    js.piecewise_interpolate_schedule: {
        "interpolate_type": "linear",
        "init_value": 1.0,
        "boundaries_and_scales": {10: 0.5},
    },
    js.linear_onecycle_schedule: {
        "transition_steps": 100,
        "peak_value": 1.0,
        "pct_start": 0.25,
        "pct_final": 0.75,
        "div_factor": 10.0,
        "final_div_factor": 100.0,
    },
    js.cosine_onecycle_schedule: {
        "transition_steps": 100,
        "peak_value": 1.0,
        "pct_start": 0.25,
        "div_factor": 10.0,
        "final_div_factor": 100.0,
    },
    js.warmup_constant_schedule: {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 2},
    js.warmup_cosine_decay_schedule: {**CYCLE, "end_value": 0.1, "exponent": 2.0},
    js.warmup_exponential_decay_schedule: {
        "init_value": 0.0,
        "peak_value": 1.0,
        "warmup_steps": 2,
        "transition_steps": 10,
        "decay_rate": 0.5,
        "transition_begin": 2,
        "end_value": 0.1,
    },
    js.cosine_restarts_schedule: {
        "init_value": 1.0,
        "period": 10,
        "period_mult": 2,
        "peak_mult": 0.5,
        "warmup_steps": 2,
        "end_value": 0.1,
    },
    js.with_warmup: {"schedule": 1.0, "warmup_steps": 2, "init_value": 0.1},
    js.with_cooldown: {"schedule": 1.0, "begin": 10, "cooldown_steps": 5, "end_value": 0.1},
    js.repeat: {"schedule": 1.0, "period": 10, "period_mult": 2, "peak_mult": 0.5},
    js.shift: {"schedule": 1.0, "steps": 3},
    js.stretch: {"schedule": 1.0, "factor": 2.0},
    js.clip: {"schedule": 1.0, "min_value": 0.1, "max_value": 0.9},
    js.minimum: {"left": 1.0, "right": 0.5},
    js.maximum: {"left": 1.0, "right": 0.5},
    halved: {"init_value": 1.0, "half_life": 10},
}

# What a number must be, by the name of the argument; names not listed take any finite number.
POSITIVE = ("decay_rate", "div_factor", "final_div_factor", "peak_mult", "factor", "period")
NON_NEGATIVE = ("power", "exponent")
FRACTIONS = ("pct_start", "pct_final")
STEPS = (
    "transition_steps",
    "transition_begin",
    "decay_steps",
    "warmup_steps",
    "begin",
    "cooldown_steps",
    "period",
)
# Makers for which no steps at all have no meaning.
NEEDS_STEPS = (
    js.exponential_decay,
    js.warmup_exponential_decay_schedule,
    js.linear_onecycle_schedule,
    js.cosine_onecycle_schedule,
)
OPTIONAL = ("end_value",)

NO_NUMBERS = (
    None,
    "0.1",
    b"0.1",
    True,
    np.True_,
    1j,
    np.complex64(1j),
    Fraction(1, 2),
    Decimal("0.1"),
    {},
    np.longdouble("0.1"),
    np.timedelta64(5, "s"),
)
# A formula without annotations may take a table of numbers, so a list is no mistake there.
NO_SCALARS = ([0.1], (0.1,), [], np.ones(1), np.ones((1, 1)), jnp.ones(1))
NOT_FINITE = (
    float("nan"),
    float("inf"),
    -float("inf"),
    np.float32("nan"),
    np.float64("inf"),
    np.array(np.nan),
    jnp.float32("nan"),
    jnp.float32("inf"),
)


def names(argument: str, value: object) -> str:
    return rf"(?s)`{re.escape(argument)}`.*{re.escape(repr(value))}"


def numbers_of(maker: Any) -> list[str]:
    return [name for name, value in RIGHT[maker].items() if isinstance(value, (int, float))]


def refused(maker: Any, argument: str, value: object, error: type[Exception]) -> Any:
    make = functools.partial(maker, **{**RIGHT[maker], argument: value})
    kind = type(value).__name__
    name = f"{maker.__name__}-{argument}-{kind}-{value}"
    return pytest.param(make, error, names(argument, value), id=name)


def refusals(error: type[Exception], values_for: Callable[[Any, str], tuple[object, ...]]):
    return [
        refused(maker, argument, value, error)
        for maker in RIGHT
        for argument in numbers_of(maker)
        for value in values_for(maker, argument)
    ]


def wrong_types(maker: Any, argument: str) -> tuple[object, ...]:
    exponential = maker in (
        js.exponential_decay,
        js.warmup_exponential_decay_schedule,
    )
    values = NO_NUMBERS[1:] if exponential and argument in OPTIONAL else NO_NUMBERS
    if maker is halved:
        return tuple(value for value in values if not isinstance(value, (bool, np.bool_)))
    return values + NO_SCALARS


def out_of_bounds(maker: Any, argument: str) -> tuple[object, ...]:
    values: tuple[object, ...] = ()
    if argument in STEPS:
        values += (-1, -0.5, np.int32(-1), np.float64(-3.0), np.array(-1), jnp.int32(-1))
    if argument in POSITIVE or (argument == "transition_steps" and maker in NEEDS_STEPS):
        values += (0, 0.0, -0.0, np.float32(0), jnp.float32(0), jnp.int32(0))
    if argument in POSITIVE:
        values += (-0.5, np.float64(-2.0), jnp.float32(-1))
    if argument in NON_NEGATIVE:
        values += (-1, -0.5, np.float32(-1), jnp.float32(-1))
    if argument in FRACTIONS:
        values += (-0.1, 1.1, 2, np.float32(-1), np.float64(1.5), jnp.float32(2))
    if argument == "period_mult":
        values += (0, 0.5, -1, np.float32(0.5), jnp.float32(0.5))
    return values


GENERATED = [
    *refusals(TypeError, wrong_types),
    *refusals(ValueError, lambda maker, argument: NOT_FINITE),
    *refusals(ValueError, out_of_bounds),
]


class Stateful:
    """Looks like an optimizer, or like one of Optax's stateful schedules."""

    def init(self) -> int:
        return 0

    def update(self, state: int) -> int:
        return state

    def __call__(self, state: int) -> float:
        return 0.1


class Unhashable:
    """A function of the count that cannot be a part of a program's key."""

    __hash__ = None

    def __call__(self, count: int) -> float:
        return 0.1


STATEFUL = Stateful()

FLAGS_AND_CHOICES = [
    (lambda: js.exponential_decay(1, 10, 0.5, staircase=1), TypeError, "`staircase`.*1"),
    (lambda: js.exponential_decay(1, 10, 0.5, staircase=None), TypeError, "`staircase`.*None"),
    (lambda: js.exponential_decay(1, 10, 0.5, staircase="yes"), TypeError, "`staircase`.*'yes'"),
    (lambda: js.exponential_decay(1, 10, 0.5, staircase=FLAGS), TypeError, "`staircase`.*True"),
    (lambda: with_stairs(staircase=0.0), TypeError, "`staircase`.*0.0"),
    (lambda: with_stairs(staircase=jnp.asarray(FLAGS)), TypeError, "`staircase`.*True"),
    (lambda: interpolate("cubic", 1, {5: 0.5}), ValueError, "`interpolate_type`.*'cubic'"),
    (lambda: interpolate("", 1, {5: 0.5}), ValueError, "`interpolate_type`.*''"),
    (lambda: interpolate(None, 1, {5: 0.5}), ValueError, "`interpolate_type`.*None"),
    (lambda: interpolate(1.0, {5: 0.5}), ValueError, "`interpolate_type`.*1.0"),
]

TOGETHER = [
    (lambda: warm_cosine(0, 1, 11, 10), ValueError, "`warmup_steps`.*`decay_steps`.*11.*10"),
    (
        lambda: warm_cosine(0, 1, jnp.int32(11), np.int64(10)),
        ValueError,
        "`warmup_steps`.*`decay_steps`.*11.*10",
    ),
    (lambda: restarts(1, 10, warmup_steps=11), ValueError, "`warmup_steps`.*`period`.*11.*10"),
    (
        lambda: js.linear_onecycle_schedule(100, 1, pct_start=0.9),
        ValueError,
        "`pct_start`.*`pct_final`.*0.9.*0.85",
    ),
    (
        lambda: js.linear_onecycle_schedule(100, 1, 0.5, np.float32(0.25)),
        ValueError,
        "`pct_start`.*`pct_final`.*0.5.*0.25",
    ),
    (lambda: js.clip(LINE, 0.9, 0.1), ValueError, "`min_value`.*`max_value`.*0.9.*0.1"),
    (lambda: js.clip(LINE, jnp.float32(2), 1), ValueError, "`min_value`.*`max_value`.*2.*1"),
    (lambda: js.repeat(LINE, 1, 1 + 1e-9), ValueError, "`period_mult`.*1.000000001"),
    (lambda: js.repeat(LINE, 10, np.float64(1.00001)), ValueError, "`period_mult`.*1.00001"),
    (lambda: restarts(1, 10, jnp.float32(1.00001)), ValueError, "`period_mult`.*1.00001"),
    (lambda: restarts(1, 10, 1 + 2**-52), ValueError, "`period_mult`.*1.0000000000000002"),
]

SCALES = "boundaries_and_scales"
BOUNDARIES_AND_SCALES = [
    (lambda: steps([(10, 0.5)]), TypeError, rf"`{SCALES}`.*\[\(10, 0.5\)\]"),
    (lambda: steps(10), TypeError, f"`{SCALES}`.*10"),
    (lambda: steps({10: -0.5}), ValueError, f"{SCALES}.*10.*-0.5"),
    (lambda: interpolate("cosine", 1, {5: 1, 10: -0.5}), ValueError, f"{SCALES}.*10.*-0.5"),
    (lambda: steps({10: float("nan")}), ValueError, f"{SCALES}.*10.*nan"),
    (lambda: steps({10: jnp.float32("inf")}), ValueError, f"{SCALES}.*10.*inf"),
    (lambda: steps({10: None}), TypeError, f"{SCALES}.*10.*None"),
    (lambda: steps({10: "0.5"}), TypeError, f"{SCALES}.*10.*'0.5'"),
    (lambda: steps({10: True}), TypeError, f"{SCALES}.*10.*True"),
    (lambda: steps({10: [0.5]}), TypeError, rf"{SCALES}.*10.*\[0.5\]"),
    (lambda: steps({10: np.ones(1)}), TypeError, rf"{SCALES}.*10.*\[1.\]"),
    (lambda: steps({"10": 0.5}), TypeError, f"{SCALES}.*'10'"),
    (lambda: steps({5: 0.5, None: 0.5}), TypeError, f"{SCALES}.*None"),
    (lambda: steps({True: 0.5}), TypeError, f"{SCALES}.*True"),
    (lambda: steps({-1: 0.5}), ValueError, f"{SCALES}.*-1"),
    (lambda: steps({float("nan"): 0.5}), ValueError, f"{SCALES}.*nan"),
]

JOINED = [
    (lambda: join([], []), ValueError, r"`schedules`.*\[\]"),
    (lambda: join((), [3]), ValueError, r"`schedules`.*\(\)"),
    (lambda: join([LINE] * 2, []), ValueError, "`boundaries`.*`schedules`.*0.*2"),
    (lambda: join([LINE] * 3, [5]), ValueError, "`boundaries`.*`schedules`.*1.*3"),
    (lambda: join([LINE] * 3, [10, 5]), ValueError, r"`boundaries`.*order.*\[10, 5\]"),
    (lambda: join([LINE] * 3, np.array([10, 5])), ValueError, r"`boundaries`.*\[10, 5\]"),
    (lambda: join([LINE] * 3, jnp.array([10, 5])), ValueError, r"`boundaries`.*\[10, 5\]"),
    (lambda: join([LINE] * 2, 5), TypeError, "`boundaries`.*5"),
    (lambda: join([LINE] * 2, None), TypeError, "`boundaries`.*None"),
    (lambda: join([LINE] * 2, "5"), TypeError, "`boundaries`.*'5'"),
    (lambda: join([LINE] * 2, {5}), TypeError, r"`boundaries`.*\{5\}"),
    (lambda: join([LINE] * 2, np.array([[5]])), TypeError, r"`boundaries`.*\[\[5\]\]"),
    (lambda: join([LINE] * 2, ["5"]), TypeError, r"`boundaries\[0\]`.*'5'"),
    (lambda: join([LINE] * 2, [True]), TypeError, r"`boundaries\[0\]`.*True"),
    (lambda: join([LINE] * 2, np.array([True])), TypeError, r"`boundaries\[0\]`.*True"),
    (lambda: join([LINE] * 2, [None]), TypeError, r"`boundaries\[0\]`.*None"),
    (lambda: join([LINE] * 2, [[5]]), TypeError, r"`boundaries\[0\]`.*\[5\]"),
    (lambda: join([LINE] * 2, [-1]), ValueError, r"`boundaries\[0\]`.*-1"),
    (lambda: join([LINE] * 3, [5, float("nan")]), ValueError, r"`boundaries\[1\]`.*nan"),
    (lambda: join(LINE, []), TypeError, "`schedules`.*linear_schedule"),
    (lambda: join(None, []), TypeError, "`schedules`.*None"),
    (lambda: join("ab", [5]), TypeError, "`schedules`.*'ab'"),
    (lambda: join({LINE: 1}, []), TypeError, "`schedules`.*linear_schedule"),
    (lambda: join([LINE, None], [5]), TypeError, r"`schedules\[1\]`.*None"),
    (lambda: join(["a", LINE], [5]), TypeError, r"`schedules\[0\]`.*'a'"),
    (lambda: join([True, LINE], [5]), TypeError, r"`schedules\[0\]`.*True"),
    (lambda: join([float("nan"), LINE], [5]), ValueError, r"`schedules\[0\]`.*nan"),
    (lambda: join([LINE, js.clip], [5]), TypeError, r"`schedules\[1\]`.*clip"),
]

WARM_RESTARTS = [
    (lambda: sgdr([]), ValueError, r"`cosine_kwargs`.*\[\]"),
    (lambda: sgdr(iter(())), ValueError, "`cosine_kwargs`"),
    (lambda: sgdr(None), TypeError, "`cosine_kwargs`.*None"),
    (lambda: sgdr(3), TypeError, "`cosine_kwargs`.*3"),
    (lambda: sgdr([3]), TypeError, "cosine_kwargs.*3"),
    (lambda: sgdr([CYCLE, None]), TypeError, "cosine_kwargs.*None"),
    (lambda: sgdr(CYCLE), TypeError, "cosine_kwargs.*init_value"),
    (lambda: sgdr([{"init_value": 0}]), TypeError, "warmup_cosine.*missing.*'peak_value'"),
    (lambda: sgdr([{**CYCLE, "speed": 1}]), TypeError, "warmup_cosine.*unexpected.*'speed'"),
    (
        lambda: sgdr([CYCLE, {**CYCLE, "warmup_steps": 11}]),
        ValueError,
        "`warmup_steps`.*`decay_steps`.*11.*10",
    ),
    (lambda: sgdr([{**CYCLE, "decay_steps": -1}]), ValueError, "`decay_steps`.*-1"),
]

BYTES = [
    (lambda: join(b"ab", [5]), TypeError, "`schedules`.*b'ab'"),
    (lambda: join([LINE] * 2, b"a"), TypeError, "`boundaries`.*b'a'"),
    (lambda: sgdr(b"ab"), TypeError, "`cosine_kwargs.*97"),
    (lambda: js.select(0, b"ab"), TypeError, "`schedules`.*b'ab'"),
    (lambda: js.table_schedule(b"ab"), TypeError, "`values`.*b'ab'"),
    (lambda: js.table_schedule(bytearray(b"ab")), TypeError, "`values`.*bytearray"),
    (lambda: js.stack(b"ab"), TypeError, "`schedules`.*b'ab'"),
    (lambda: js.any_of(b"ab"), TypeError, "`monitors`.*b'ab'"),
    (lambda: js.advance_on(js.plateau(), b"ab"), TypeError, "`schedules`.*b'ab'"),
]

SECONDS = np.timedelta64(5, "s")
LONG = np.longdouble(5)
OTHER_NUMBERS = [
    (lambda: join([LINE] * 2, [SECONDS]), TypeError, r"`boundaries\[0\]`.*timedelta64"),
    (lambda: join([LINE] * 2, np.array([SECONDS])), TypeError, r"`boundaries\[0\]`.*timedelta64"),
    (lambda: join([LINE] * 2, [LONG]), TypeError, r"`boundaries\[0\]`.*longdouble"),
    (lambda: join([LINE] * 2, np.array([LONG])), TypeError, r"`boundaries\[0\]`.*longdouble"),
    (lambda: js.table_schedule(np.array([SECONDS])), TypeError, r"`values\[0\]`.*timedelta64"),
    (lambda: js.table_schedule(np.array([LONG])), TypeError, r"`values\[0\]`.*longdouble"),
    (lambda: steps({SECONDS: 0.5}), TypeError, "boundaries_and_scales.*timedelta64"),
    (lambda: steps({10: LONG}), TypeError, "boundaries_and_scales.*longdouble"),
    (lambda: js.constant_schedule(np.longdouble("1e4000")), TypeError, "`value`.*longdouble"),
    (lambda: js.constant_schedule(10**5000), ValueError, "`value`.*`int`"),
    (lambda: js.Run(total_steps=SECONDS), TypeError, "`total_steps`.*timedelta64"),
    (lambda: js.Run(total_steps=0.5), ValueError, "`total_steps`.*0.5"),
]


def rate_of(controller: js.Controller) -> Any:
    return controller(controller.init())


def returned(value: Any) -> list[Callable[[], Any]]:
    """A schedule, a function in a formula and one that an optimizer has, which return a value."""

    def anything(count):
        return value

    formula = js.schedule(anything)()
    return [
        lambda: formula(1),
        lambda: (formula * 2)(np.arange(3)),
        lambda: (LINE * anything)(1),
        lambda: join([LINE, anything], [5])(1),
        lambda: js.scale_by_learning_rate(anything).init(1.0),
        lambda: rate_of(js.reduce_on(js.plateau(), anything)),
    ]


RETURNED = [
    (make, error, f"`anything` must return {wanted}.*{shown}")
    for value, error, wanted, shown in (
        (np.ones(3), ValueError, "one number", r"\(3,\)"),
        (jnp.ones((1, 1)), ValueError, "one number", r"\(1, 1\)"),
        (1j, TypeError, "a real number", "1j"),
        (np.complex64(1j), TypeError, "a real number", "1j"),
        ("0.1", TypeError, "a real number", "'0.1'"),
        (None, TypeError, "a real number", "None"),
        ((0.1, 0.2), TypeError, "a real number", "0.1, 0.2"),
    )
    for make in returned(value)
]

NO_SCHEDULES = [
    (lambda: js.with_warmup(cosine, 10), TypeError, "`schedule`.*cosine_decay_schedule"),
    (lambda: js.linear_schedule(1.0, 0.0, 10) / 0, ValueError, "`right`.*0"),
    (lambda: js.repeat(1.0, 0.5), ValueError, "`period`.*at least 1.*0.5"),
    (lambda: js.cosine_restarts_schedule(1.0, 1e-300), ValueError, "`period`.*1e-300"),
    (lambda: js.with_cooldown(halved, 5, 5), TypeError, "`schedule`.*halved"),
    (lambda: js.repeat(js.repeat, 5), TypeError, "`schedule`.*repeat"),
    (lambda: js.shift(dict, 5), TypeError, "`schedule`.*<class 'dict'>"),
    (lambda: js.shift(float, 5), TypeError, "`schedule`.*<class 'float'>"),
    (lambda: js.stretch(js.Schedule, 5), TypeError, "`schedule`.*Schedule"),
    (lambda: js.stretch(Stateful, 5), TypeError, "`schedule`.*Stateful"),
    (lambda: js.with_warmup(STATEFUL, 10), TypeError, "`schedule`.*Stateful"),
    (lambda: js.with_warmup(optax.sgd(0.1), 10), TypeError, "`schedule`.*Gradient"),
    (lambda: js.with_warmup(Unhashable(), 10), TypeError, "`schedule`.*Unhashable"),
    (lambda: js.minimum(LINE, STATEFUL), TypeError, "`right`.*Stateful"),
    (lambda: js.clip(LINE, 0, STATEFUL), TypeError, "`max_value`.*Stateful"),
    (lambda: halved(js.linear_schedule, 1), TypeError, "`init_value`.*linear_schedule"),
    (lambda: halved(STATEFUL, 1), TypeError, "`init_value`.*Stateful"),
]

TABLES = [
    (lambda: halved(["a"], 1), TypeError, r"`init_value\[0\]`.*'a'"),
    (lambda: halved([None], 1), TypeError, r"`init_value\[0\]`.*None"),
    (lambda: halved([1j], 1), TypeError, r"`init_value\[0\]`.*1j"),
    (lambda: halved([0.1, float("nan")], 1), ValueError, r"`init_value\[1\]`.*nan"),
    (lambda: halved(jnp.array([0.1, jnp.inf]), 1), ValueError, "`init_value`.*inf"),
    (lambda: halved([[1], [1, 2]], 1), TypeError, r"`init_value\[0\]`.*\[1\]"),
]

# Finite in Python, infinite in a program (`BEYOND` at once under x64).
BEYOND = float(jnp.finfo(jnp.result_type(float)).max) * 10
TOO_LARGE = [
    (lambda: js.constant_schedule(10**400), ValueError, "`value`.*1000000"),
    (lambda: js.linear_schedule(0, -(10**400), 10), ValueError, "`end_value`.*-1000000"),
    (lambda: js.exponential_decay(1, 10, 10**400), ValueError, "`decay_rate`.*1000000"),
    (lambda: js.polynomial_schedule(1, 0, 10**400, 10), ValueError, "`power`.*1000000"),
    (lambda: restarts(1, 10, 10**400), ValueError, "`period_mult`.*1000000"),
    (lambda: js.stretch(LINE, 10**400), ValueError, "`factor`.*1000000"),
    (lambda: steps({10: 10**400}), ValueError, f"{SCALES}.*10.*1000000"),
    (lambda: LINE * 10**400, ValueError, "`right`.*1000000"),
    (lambda: halved(10**400, 1), ValueError, "`init_value`.*1000000"),
    (lambda: js.constant_schedule(BEYOND), ValueError, f"`value`.*{re.escape(repr(BEYOND))}"),
    (lambda: js.polynomial_schedule(1, 0, BEYOND, 10), ValueError, "`power`"),
    (lambda: js.exponential_decay(1, 10, BEYOND), ValueError, "`decay_rate`"),
    (lambda: js.cosine_decay_schedule(1, 10, exponent=BEYOND), ValueError, "`exponent`"),
]

ARITHMETIC = [
    (lambda: LINE + "a", TypeError, "`right`.*'a'"),
    (lambda: "a" + LINE, TypeError, "`left`.*'a'"),
    (lambda: LINE - None, TypeError, "`right`.*None"),
    (lambda: LINE * [1.0], TypeError, r"`right`.*\[1.0\]"),
    (lambda: LINE * True, TypeError, "`right`.*True"),
    (lambda: 1j / LINE, TypeError, "`left`.*1j"),
    (lambda: np.ones(2) * LINE, TypeError, "`left`.*array"),
    (lambda: LINE * jnp.ones(2), TypeError, "`right`.*Array"),
    (lambda: LINE + js.linear_schedule, TypeError, "`right`.*linear_schedule"),
    (lambda: js.linear_schedule + LINE, TypeError, "`left`.*linear_schedule"),
    (lambda: LINE + STATEFUL, TypeError, "`right`.*Stateful"),
    (lambda: LINE * int, TypeError, "`right`.*<class 'int'>"),
    (lambda: LINE + float("nan"), ValueError, "`right`.*nan"),
    (lambda: np.float32("inf") * LINE, ValueError, "`left`.*inf"),
]

CHANGES = [
    (lambda: LINE.replace(init_value=None), TypeError, "`init_value`.*None"),
    (lambda: LINE.replace(transition_steps=-1), ValueError, "`transition_steps`.*-1"),
    (lambda: LINE.replace(peak_value=1), TypeError, "linear_schedule.*'peak_value'"),
    (lambda: js.clip(LINE, 0, 1).replace(max_value=-1), ValueError, "`max_value`.*0.*-1"),
]

NO_COUNTS = (
    *(None, True, "3", b"3", 1j, {}, LINE, [True], [1j], ["3"], np.True_, np.complex64(1)),
    *(np.array(True), np.array([True, False]), np.array(1j), np.array("3"), np.array([None])),
    *(jnp.array(True), jnp.array([1j]), SECONDS, LONG, np.array([SECONDS]), np.array([LONG])),
)
COUNTS = [
    pytest.param(
        functools.partial(LINE, count), TypeError, "`count`", id=f"count-{type(count)}-{count}"
    )
    for count in NO_COUNTS
]

WRITTEN = [
    *FLAGS_AND_CHOICES,
    *TOGETHER,
    *BOUNDARIES_AND_SCALES,
    *JOINED,
    *WARM_RESTARTS,
    *NO_SCHEDULES,
    *TABLES,
    *TOO_LARGE,
    *ARITHMETIC,
    *CHANGES,
    *BYTES,
    *OTHER_NUMBERS,
    *RETURNED,
]


@pytest.mark.parametrize(("make", "error", "pattern"), [*GENERATED, *WRITTEN, *COUNTS])
def test_a_mistake_raises_its_name_and_value(make, error, pattern):
    with pytest.raises(error, match=pattern):
        make()


@pytest.mark.parametrize("maker", [*RIGHT, js.join_schedules], ids=lambda maker: maker.__name__)
def test_missing_and_unknown_arguments_name_the_maker(maker):
    first, *_ = maker.__signature__.parameters
    with pytest.raises(TypeError, match=rf"{maker.__name__}.*missing.*'{first}'"):
        maker()
    with pytest.raises(TypeError, match=rf"{maker.__name__}.*unexpected.*'speed'"):
        maker(**RIGHT.get(maker, {"schedules": [LINE], "boundaries": []}), speed=1)
    with pytest.raises(TypeError, match=rf"{maker.__name__}.*too many"):
        maker(*range(20))


def test_missing_and_unknown_arguments_of_the_plain_function():
    with pytest.raises(TypeError, match=r"sgdr_schedule.*missing.*'cosine_kwargs'"):
        js.sgdr_schedule()
    with pytest.raises(TypeError, match=r"sgdr_schedule.*unexpected.*'speed'"):
        js.sgdr_schedule([CYCLE], speed=1)


@pytest.mark.parametrize(
    "make",
    [
        *(functools.partial(maker, **right) for maker, right in RIGHT.items()),
        lambda: js.linear_schedule(1.0, 0.0, 0),
        lambda: js.linear_schedule(1.0, 0.0, MAX, MAX),
        lambda: js.linear_schedule(1.0, 0.0, float(MAX)),
        lambda: js.polynomial_schedule(1.0, 0.0, 0, 0),
        lambda: js.cosine_decay_schedule(1.0, 0),
        lambda: js.warmup_constant_schedule(0.0, 1.0, 0),
        lambda: js.warmup_cosine_decay_schedule(0.0, 0.0, 0, 0, 0.1),
        lambda: js.warmup_cosine_decay_schedule(0.0, 1.0, 10, 10),
        lambda: js.exponential_decay(1.0, MAX, 2.0),
        lambda: js.linear_onecycle_schedule(1, 1.0, 0, 0),
        lambda: js.cosine_onecycle_schedule(1, 1.0, 1),
        lambda: js.cosine_restarts_schedule(1.0, 10, warmup_steps=10),
        lambda: js.cosine_restarts_schedule(1.0, 1, 10**9),
        lambda: js.cosine_restarts_schedule(1.0, 1, 1e38),
        lambda: js.repeat(LINE, MAX, 2),
        lambda: js.shift(LINE, -MAX),
        lambda: js.clip(LINE, 0.5, 0.5),
        lambda: js.clip(LINE, LINE, -1.0),
        lambda: js.join_schedules([LINE] * 3, [5, 5]),
        lambda: js.join_schedules([LINE], []),
        lambda: js.piecewise_constant_schedule(1.0, None),
        lambda: js.piecewise_constant_schedule(1.0, {20: 0.0, 0: 0.5}),
        lambda: js.piecewise_interpolate_schedule("cosine", 1.0, {20: 0.0, 0: 0.5}),
        lambda: js.sgdr_schedule(iter([CYCLE])),
    ],
)
def test_what_is_right_is_finite_and_says_nothing(make, caplog, capfd):
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.INFO, logger="absl")
    assert np.all(np.isfinite(make()(np.array([0, 1, 5, 10, 1000, MAX]))))
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_what_is_wrong_is_not_logged_either(caplog):
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.INFO, logger="absl")
    absl_logging.info("This way Optax reports a mistake.")
    assert len(caplog.records) == 1
    for make in (*(param.values[0] for param in GENERATED), *(row[0] for row in WRITTEN)):
        with contextlib.suppress(Exception):
            make()
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda value: js.constant_schedule(value),
        lambda value: js.linear_schedule(value, 0.0, 10),
        lambda value: js.linear_schedule(value, 0, 10),
        lambda value: js.exponential_decay(value, 10, 0.5),
        lambda value: js.cosine_decay_schedule(value, 10),
        lambda value: js.piecewise_constant_schedule(value, {5: 0.5}),
        lambda value: js.piecewise_interpolate_schedule("linear", value, {5: 0.5}),
        lambda value: js.cosine_onecycle_schedule(10, value, 0, 25),
        lambda value: js.warmup_constant_schedule(value, 0, 10),
        lambda value: js.cosine_restarts_schedule(value, 10),
        lambda value: js.with_warmup(value, 0),
        lambda value: js.clip(value, 0, value),
        lambda value: js.maximum(0.0, value),
        lambda value: js.constant_schedule(1.0) * value,
    ],
)
def test_a_value_may_be_a_whole_number_beyond_int32(make):
    for value in (3 * 10**9, np.int64(2**40)):
        assert make(value)(0) == float(np.float32(value))


@pytest.mark.parametrize("count", [10**30, 2**63, np.uint64(2**63), np.array([3, 2**60])])
def test_a_count_out_of_reach(count):
    with pytest.raises(ValueError, match=f"`count` must be at most.*{re.escape(repr(count))}"):
        LINE(count)
    assert LINE(np.asarray(count, float)).min() == 0


@pytest.mark.parametrize("count", [-(10**30), -(2**63), np.int64(-(2**63)), -1, -1e30])
def test_a_count_below_0_is_the_first_one(count):
    assert LINE(count) == 1


def test_a_float_scalar_of_any_width_is_a_number():
    for dtype in (jnp.bfloat16, np.float16, np.float32, np.float64):
        assert js.constant_schedule(np.asarray(0.5, dtype)[()])(0) == 0.5
    for dtype in (jnp.bfloat16, jnp.float16, jnp.float32):
        assert js.constant_schedule(jnp.asarray(0.5, dtype))(0) == 0.5


def of_tracers(maker: Any, values: dict[str, Any], count: Any) -> jax.Array:
    return maker(**{**RIGHT[maker], **values})(count)


@pytest.mark.parametrize("maker", RIGHT, ids=lambda maker: maker.__name__)
@pytest.mark.parametrize("value", [-1.0, -1, 0, 5, float("nan"), float("inf"), 1e10])
def test_values_that_are_traced_pass_every_check(maker, value):
    values = dict.fromkeys(numbers_of(maker), jnp.asarray(value))
    rate = jax.eval_shape(functools.partial(of_tracers, maker), values, 3)
    assert rate == jax.ShapeDtypeStruct((), jnp.result_type(float))


@pytest.mark.parametrize("maker", RIGHT, ids=lambda maker: maker.__name__)
def test_values_may_be_mapped(maker):
    values = {
        name: jnp.array([RIGHT[maker][name], -RIGHT[maker][name]]) for name in numbers_of(maker)
    }
    made = jax.vmap(lambda values: of_tracers(maker, values, 3))
    assert jax.eval_shape(made, values).shape == (2,)


@pytest.mark.parametrize("maker", RIGHT, ids=lambda maker: maker.__name__)
def test_the_type_of_a_traced_value_is_checked(maker):
    wrong = (1j,) if maker is halved else (1j, True, np.array([1.0]))
    for name, value in itertools.product(numbers_of(maker), wrong):
        with pytest.raises(TypeError, match=f"`{name}`"):
            jax.eval_shape(functools.partial(of_tracers, maker), {name: value}, 3)


def test_traced_tables_and_choices_pass():
    def rates(boundary, scale, flag):
        joined = js.join_schedules([LINE, LINE], [boundary])
        arrayed = js.join_schedules([LINE, LINE, LINE], jnp.stack([boundary, -boundary]))
        scaled = js.piecewise_constant_schedule(1.0, {5: scale})
        stairs = js.exponential_decay(1.0, 10, 0.5, staircase=flag)
        return [schedule(3) for schedule in (joined, arrayed, scaled, stairs)]

    assert len(jax.eval_shape(rates, -1, -1.0, True)) == 4


def test_the_number_of_traced_boundaries_is_checked():
    with pytest.raises(ValueError, match=r"`boundaries`.*`schedules`.*1.*3"):
        jax.eval_shape(lambda b: js.join_schedules([LINE] * 3, b)(3), jnp.arange(1))


def test_the_type_of_a_traced_count_is_checked():
    for count in (True, 1j):
        with pytest.raises(TypeError, match="`count`"):
            jax.eval_shape(LINE, count)


def test_what_is_traced_runs():
    made = jax.jit(lambda init_value, steps: js.linear_schedule(init_value, 0.0, steps)(5))
    assert made(1.0, 10) == 0.5
    assert made(-1.0, 20) == -0.75
