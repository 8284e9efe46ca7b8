"""Every monitor and every controller once: how to draw it, make it, and compute it otherwise."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import jaxsched as js
from tests import control_reference as plain
from tests.measure import DTYPE
from tests.rows import within
from tests.table import Draw, draws, floats

LENGTH = 48
"""Of each sequence of metrics, so that one program runs all."""

Metrics = list[Any]
"""The metric of each update, None where there is none."""


@dataclass(frozen=True)
class Row:
    """One monitor or controller.

    Attributes:
      name: of the row.
      draw: strategy for its numbers.
      sample: one draw, for the tests that need no more.
      make: from a draw to the monitor or controller.
      reference: from a draw to the same in plain Python.
    """

    name: str
    draw: st.SearchStrategy[Draw]
    sample: Draw
    make: Callable[[Draw], Any]
    reference: Callable[[Draw], Any]


# The sequences. Of each, the first value is finite, and none is subnormal.

sizes = st.one_of(st.sampled_from([1.0, 0.1, 3.0, 1e5]), floats(1e-3, 1e5))
signed = st.builds(lambda size, sign: sign * size, sizes, st.sampled_from([1, -1]))
steps_down = st.sampled_from([0.0005, 0.001, 0.01])


def improvement(start: float, part: float) -> Metrics:
    """By a part of its size a step."""
    return [start - i * part * abs(start) for i in range(LENGTH)]


def repeated(values: list[float], times: int) -> Metrics:
    return [value for value in values for _ in range(times)] * LENGTH


def noise(start: float, width: float, seed: int) -> Metrics:
    return list(start + width * np.random.default_rng(seed).standard_normal(LENGTH))


runs = st.one_of(
    st.builds(improvement, signed, steps_down),
    st.builds(improvement, signed, steps_down.map(lambda part: -part)),
    st.builds(lambda value: [value] * LENGTH, st.one_of(st.just(0.0), signed)),
    st.builds(repeated, st.lists(signed, min_size=2, max_size=5), st.integers(1, 6)),
    st.builds(noise, signed, sizes, st.integers(0, 1000)),
)
others = st.dictionaries(
    st.integers(0, LENGTH - 1),
    st.sampled_from([None, math.nan, math.inf, -math.inf]),
    max_size=LENGTH // 2,
)


def with_others(first: Metrics, second: Metrics, turn: int, other: dict[int, Any]) -> Metrics:
    """One run, then another; here and there something else."""
    values = first[:turn] + second[turn:LENGTH]
    return [other[i] if i in other else values[i] for i in range(LENGTH)]


def seen(metrics: Metrics) -> Metrics:
    """In the precision of the library."""
    return [None if metric is None else DTYPE(metric) for metric in metrics]


sequences = st.builds(
    with_others,
    runs,
    runs,
    st.sampled_from([LENGTH, LENGTH, LENGTH // 2, LENGTH // 3]),
    st.one_of(st.just({}), others),
).map(seen)


def arrays(metrics: Metrics) -> tuple[np.ndarray, np.ndarray]:
    """The metrics, NaN where there is none, and where there is one."""
    there = np.array([metric is not None for metric in metrics])
    return np.array([np.nan if metric is None else metric for metric in metrics], DTYPE), there


SAMPLE = seen(
    [
        *(5.0, 4.0, 3.0, 2.5, 2.0, 1.6, 1.3, 1.1, 1.0, 1.01, 1.02, 0.99, 1.0, 1.01, 1.0, 1.02),
        *(None, 1.0, math.nan, 1.0, math.nan, math.inf, 2.0, 3.0, 2.9, None, None, 2.5, 2.0, 1.0),
        *(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, -math.inf, 0.4, 0.3, 0.31, 0.3, 0.31, 9.0, 0.3, 0.3, 0.3),
        *(0.3, 0.2),
    ]
)

SEQUENCES = {
    "improvement of 0.05 % a step": improvement(1.0, 0.0005),
    "improvement of 0.1 % a step": improvement(1.0, 0.001),
    "the same of negative values": improvement(-1.0, 0.001),
    "worsening": improvement(1.0, -0.001),
    "worsening of negative values": improvement(-1.0, -0.001),
    "constant": [0.3] * LENGTH,
    "constant and negative": [-0.3] * LENGTH,
    "constant 0": [0.0] * LENGTH,
    "alternating": [1.0, 0.5] * (LENGTH // 2),
    "alternating around 0": [0.1, -0.1] * (LENGTH // 2),
    "noise": noise(1.0, 0.1, seed=0),
    "NaN": [math.nan] * LENGTH,
    "NaN in between": [1.0, 0.9, math.nan] * (LENGTH // 3),
    "infinity": [math.inf] * LENGTH,
    "infinity in between": [1.0, math.inf, 0.9, -math.inf] * (LENGTH // 4),
    "minus infinity": [-math.inf] * LENGTH,
    "nothing": [None] * LENGTH,
    "now and then something": [None, None, 1.0, None] * (LENGTH // 4),
    "all of it": SAMPLE,
}


# The numbers.

modes = st.sampled_from(["min", "max"])
margins = st.one_of(st.sampled_from([0.0, 1e-4, 5e-4, 1e-3]), floats(1e-5, 0.5))
few = st.integers(0, 6)
some = st.integers(1, 6)
growths = st.sampled_from([1.0, 1.3, 2.0])
factors = floats(0.05, 0.95)
rates = floats(1e-3, 10.0)


def margins_of(h: Draw) -> bool:
    return h["rtol"] > 0 or h["atol"] > 0


plateaus = draws(
    patience=few,
    rtol=margins,
    atol=margins,
    mode=modes,
    window=st.integers(1, 4),
    cooldown=few,
)
grown = draws(patience_growth=growths, window_growth=growths, reset_best=st.booleans())
thresholds = draws(target=signed, mode=modes)
windows = st.integers(1, 4)
streaks = draws(patience=some, rtol=margins, atol=margins, mode=modes, cooldown=few, window=windows)

# In what is made of several, each has one mode: a mode is a part of the program.
falling = streaks.map(lambda h: {**h, "mode": "min"})
rising = thresholds.map(lambda h: {**h, "mode": "max"})
flat = plateaus.map(lambda h: {**h, "mode": "min"})
slow = draws(window=some, rtol=margins, atol=margins, mode=st.just("max")).filter(margins_of)

PLATEAU = dict(patience=2, rtol=0.1, atol=0.0, mode="min", window=1, cooldown=1)
STREAK = dict(patience=2, rtol=0.1, atol=0.0, mode="min", cooldown=1, window=1)


def named(name: str, draw: st.SearchStrategy[Draw], make: Callable[..., Any], **sample: Any) -> Row:
    """A row whose draw is the arguments."""
    reference = getattr(plain, name)
    return Row(name, draw, sample, lambda h: make(**h), lambda h: reference(**h))


MONITORS = [
    named("plateau", plateaus, lambda **h: js.plateau(**h), **PLATEAU),
    Row(
        "plateau, growing",
        st.builds(lambda h, g: {**h, **g}, plateaus, grown),
        dict(**PLATEAU, patience_growth=2.0, window_growth=1.3, reset_best=True),
        lambda h: js.plateau(**h),
        lambda h: plain.plateau(**h),
    ),
    named("threshold", thresholds, lambda **h: js.threshold(**h), target=1.0, mode="min"),
    named(
        "slow_progress",
        draws(window=some, rtol=margins, atol=margins, mode=modes).filter(margins_of),
        lambda **h: js.slow_progress(**h),
        window=3,
        rtol=0.1,
        atol=0.0,
        mode="min",
    ),
    Row(
        "slow_progress, growing",
        draws(
            window=some,
            rtol=margins,
            atol=margins,
            mode=modes,
            window_growth=st.sampled_from([1.5, 2.0]),
        ).filter(margins_of),
        dict(window=2, rtol=0.1, atol=0.0, mode="min", window_growth=1.5),
        lambda h: js.slow_progress(**h),
        lambda h: plain.slow_progress(**h),
    ),
    named("worsening", streaks, lambda **h: js.worsening(**h), **STREAK),
    named("improving", streaks, lambda **h: js.improving(**h), **STREAK),
    named(
        "stalled",
        draws(steps=some, rtol=margins, atol=margins, mode=modes),
        lambda **h: js.stalled(**h),
        steps=3,
        rtol=0.1,
        atol=0.0,
        mode="min",
    ),
    named("above", draws(bound=signed), lambda **h: js.above(**h), bound=2.0),
    named("below", draws(bound=signed), lambda **h: js.below(**h), bound=0.5),
    named(
        "spike",
        draws(deviations=floats(1.5, 6.0), window=st.integers(2, 20), min_count=some, mode=modes),
        lambda **h: js.spike(**h),
        deviations=3.0,
        window=8,
        min_count=4,
        mode="min",
    ),
    Row(
        "slope_test",
        draws(window=st.integers(3, 12), significance=floats(0.001, 0.3), mode=modes),
        dict(window=6, significance=0.05, mode="min"),
        lambda h: js.slope_test(**h),
        lambda h: plain.slope_test(**h, traced=True),
    ),
    named("every", draws(steps=some), lambda **h: js.every(**h), steps=5),
    Row(
        "any_of",
        draws(a=falling, b=rising, c=some),
        dict(a=STREAK, b=dict(target=0.9, mode="max"), c=20),
        lambda h: js.any_of([js.worsening(**h["a"]), js.threshold(**h["b"]), js.every(h["c"])]),
        lambda h: plain.any_of(
            [plain.worsening(**h["a"]), plain.threshold(**h["b"]), plain.every(h["c"])]
        ),
    ),
    Row(
        "all_of",
        draws(a=falling, b=rising, c=some),
        dict(a=STREAK, b=dict(target=0.9, mode="max"), c=3),
        lambda h: js.all_of([js.worsening(**h["a"]), js.threshold(**h["b"]), js.every(h["c"])]),
        lambda h: plain.all_of(
            [plain.worsening(**h["a"]), plain.threshold(**h["b"]), plain.every(h["c"])]
        ),
    ),
    named("nonfinite", draws(), lambda **h: js.nonfinite(**h)),
    Row(
        "after",
        draws(a=falling, steps=few, c=some),
        dict(a=STREAK, steps=4, c=20),
        lambda h: js.after(h["steps"], js.any_of([js.worsening(**h["a"]), js.every(h["c"])])),
        lambda h: plain.after(
            h["steps"], plain.any_of([plain.worsening(**h["a"]), plain.every(h["c"])])
        ),
    ),
    Row(
        "ignore_nonfinite",
        draws(a=falling, c=some),
        dict(a=STREAK, c=20),
        lambda h: js.ignore_nonfinite(js.any_of([js.worsening(**h["a"]), js.every(h["c"])])),
        lambda h: plain.ignore_nonfinite(
            plain.any_of([plain.worsening(**h["a"]), plain.every(h["c"])])
        ),
    ),
]


# The controllers run on straight lines, which are simple enough to be written twice.

lines = draws(begin=rates, end=rates, steps=st.integers(1, 60))
LINE = dict(begin=1.0, end=0.25, steps=24)
limits = st.integers(0, 5)


def line(h: Draw) -> Any:
    return js.linear_schedule(h["begin"], h["end"], h["steps"])


def split(h: Draw, *names: str) -> Draw:
    return {name: value for name, value in h.items() if name not in names}


CONTROLLERS = [
    Row(
        "reduce_on",
        draws(a=flat, line=lines, factor=factors, min_value=rates, max_reductions=limits),
        dict(a=PLATEAU, line=LINE, factor=0.5, min_value=0.1, max_reductions=3),
        lambda h: js.reduce_on(js.plateau(**h["a"]), line(h["line"]), **split(h, "a", "line")),
        lambda h: plain.ReduceOn(
            plain.plateau(**h["a"]), plain.line(**h["line"]), **split(h, "a", "line")
        ),
    ),
    Row(
        "restart_on",
        draws(
            a=falling,
            line=lines,
            peak_mult=floats(0.5, 1.5),
            period_mult=st.one_of(st.integers(1, 3), floats(1.0, 2.0)),
            max_restarts=limits,
            reset_monitor=st.booleans(),
        ),
        dict(
            a=STREAK,
            line=LINE,
            peak_mult=0.5,
            period_mult=1.5,
            max_restarts=3,
            reset_monitor=True,
        ),
        lambda h: js.restart_on(js.worsening(**h["a"]), line(h["line"]), **split(h, "a", "line")),
        lambda h: plain.RestartOn(
            plain.worsening(**h["a"]), plain.line(**h["line"]), **split(h, "a", "line")
        ),
    ),
    Row(
        "advance_on",
        draws(a=flat, first=lines, second=lines, rate=rates, third=lines),
        dict(a=PLATEAU, first=LINE, second={**LINE, "begin": 0.0}, rate=0.5, third=LINE),
        lambda h: js.advance_on(
            js.plateau(**h["a"]), [line(h["first"]), line(h["second"]), h["rate"], line(h["third"])]
        ),
        lambda h: plain.AdvanceOn(
            plain.plateau(**h["a"]),
            [
                plain.line(**h["first"]),
                plain.line(**h["second"]),
                plain.constant(h["rate"]),
                plain.line(**h["third"]),
            ],
        ),
    ),
    Row(
        "cooldown_on",
        draws(
            a=flat,
            line=lines,
            cooldown_steps=st.integers(0, 30),
            end_scale=st.one_of(st.just(0.0), floats(1e-3, 1.0)),
            shape=st.just("sqrt"),
        ),
        dict(a=PLATEAU, line=LINE, cooldown_steps=9, end_scale=0.1, shape="sqrt"),
        lambda h: js.cooldown_on(js.plateau(**h["a"]), line(h["line"]), **split(h, "a", "line")),
        lambda h: plain.CooldownOn(
            plain.plateau(**h["a"]), plain.line(**h["line"]), **split(h, "a", "line")
        ),
    ),
    Row(
        "cooldown_on, fraction",
        draws(a=falling, line=lines, fraction=st.sampled_from([0.25, 0.5, 1.0])),
        dict(a=STREAK, line=LINE, fraction=0.5),
        lambda h: js.cooldown_on(
            js.any_of([js.worsening(**h["a"]), js.threshold(0.9)]),
            line(h["line"]),
            fraction=h["fraction"],
        ),
        lambda h: plain.CooldownOn(
            plain.any_of([plain.worsening(**h["a"]), plain.threshold(0.9)]),
            plain.line(**h["line"]),
            fraction=h["fraction"],
        ),
    ),
    Row(
        "restart_on, of several",
        draws(
            a=falling,
            b=slow,
            line=lines,
        ),
        dict(
            a=STREAK,
            b=dict(window=3, rtol=0.1, atol=0.0, mode="max"),
            line=LINE,
        ),
        lambda h: js.restart_on(
            js.any_of(
                [
                    js.all_of([js.worsening(**h["a"]), js.slow_progress(**h["b"])]),
                    js.ignore_nonfinite(js.threshold(0.3)),
                ]
            ),
            line(h["line"]),
        ),
        lambda h: plain.RestartOn(
            plain.any_of(
                [
                    plain.all_of([plain.worsening(**h["a"]), plain.slow_progress(**h["b"])]),
                    plain.ignore_nonfinite(plain.threshold(0.3)),
                ]
            ),
            plain.line(**h["line"]),
        ),
    ),
    Row(
        "scale_on",
        draws(
            a=slow,
            line=lines,
            factor=floats(0.2, 3.0),
            min_scale=floats(1e-3, 0.5),
            max_scale=floats(1.0, 5.0),
        ),
        dict(
            a=dict(window=3, rtol=0.1, atol=0.0, mode="max"),
            line=LINE,
            factor=2.0,
            min_scale=0.1,
            max_scale=5.0,
        ),
        lambda h: js.scale_on(js.slow_progress(**h["a"]), line(h["line"]), **split(h, "a", "line")),
        lambda h: plain.ScaleOn(
            plain.slow_progress(**h["a"]), plain.line(**h["line"]), **split(h, "a", "line")
        ),
    ),
    Row(
        "raise_and_lower_on",
        draws(
            a=falling,
            b=flat,
            line=lines,
            factor=factors,
            min_scale=floats(1e-3, 0.5),
            max_scale=floats(1.0, 20.0),
        ),
        dict(a=STREAK, b=PLATEAU, line=LINE, factor=0.5, min_scale=0.1, max_scale=5.0),
        lambda h: js.raise_and_lower_on(
            js.improving(**h["a"]),
            js.plateau(**h["b"]),
            line(h["line"]),
            **split(h, "a", "b", "line"),
        ),
        lambda h: plain.RaiseAndLowerOn(
            plain.improving(**h["a"]),
            plain.plateau(**h["b"]),
            plain.line(**h["line"]),
            **split(h, "a", "b", "line"),
        ),
    ),
    Row(
        "follow",
        draws(
            line=lines,
            patience=st.integers(1, 3),
            factor=factors,
            min_scale=floats(1e-3, 1.5),
            max_scale=floats(0.8, 20.0),
            rtol=margins,
            atol=margins,
            mode=st.just("min"),
            window=st.just(3),
            cooldown=few,
            raise_cooldown=few,
            reset_after=st.integers(1, 4),
            min_change=st.sampled_from([0.0, 0.037]),
        ).map(lambda h: within(h, "min_scale", "max_scale")),
        dict(
            line=LINE,
            patience=1,
            factor=0.5,
            min_scale=0.25,
            max_scale=5.0,
            rtol=0.0,
            atol=1e-6,
            mode="min",
            window=3,
            cooldown=1,
            raise_cooldown=0,
            reset_after=2,
            min_change=0.0,
        ),
        lambda h: js.follow(js.greedy(**split(h, "line")), line(h["line"])),
        lambda h: plain.Follow(plain.line(**h["line"]), **split(h, "line")),
    ),
]
