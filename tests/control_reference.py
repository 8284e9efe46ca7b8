"""Monitors and controllers in plain Python, written from what their documentation says.

Each is called with the metric of an update, or with None where there is none. A monitor
answers whether it fires; a controller answers with the rate, and keeps the record.

Metrics are in the precision of the library, and so is what is compared with them: at a tie
both must decide alike. Where a decision rests on sums of squares, which have no ties but
by rounding, the answer is None if it is closer than float32 can tell.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from scipy import special

from tests.measure import DTYPE

Rule = Callable[[Any], Any]
Steps = Iterator[Any]


class Made:
    """A rule made of a generator, which is sent metrics and yields events."""

    def __init__(self, make: Callable[..., Any], hears: bool, /, *args: Any, **kwargs: Any):
        self.make, self.arguments, self.observing = make, (args, kwargs), hears
        self.begin()

    def begin(self, **kept: Any) -> None:
        args, kwargs = self.arguments
        self.steps = self.make(*args, **kwargs, **kept)
        next(self.steps)

    def __call__(self, value: Any) -> Any:
        return False if self.observing and value is None else self.steps.send(value)

    def anew(self) -> None:
        """What a restart makes of it."""
        name, known = self.make.__name__, self.steps.gi_frame.f_locals
        if name in ("any_of", "all_of", "ignore_nonfinite", "after"):
            for rule in known.get("monitors") or [known["monitor"]]:
                rule.anew()
            if name == "after":
                self.begin()
        elif name not in ("threshold", "every", "nonfinite", "above", "below"):
            self.begin(**{kept: known[kept] for kept in ("left_out", "events") if kept in known})


def ticking(steps: Callable[..., Any]) -> Callable[..., Rule]:
    """From a generator to what makes such rules."""
    return functools.partial(Made, steps, False)


def observing(steps: Callable[..., Any]) -> Callable[..., Rule]:
    """Likewise, for a rule to which an update without a metric is nothing."""
    return functools.partial(Made, steps, True)


def answers(rule: Rule, metrics: Sequence[Any]) -> list[Any]:
    with np.errstate(all="ignore"):
        return [rule(metric) for metric in metrics]


def mean_of(values: Sequence[Any]) -> Any:
    mean = DTYPE(0)
    for number, value in enumerate(values, start=1):
        mean += (value - mean) / DTYPE(number)
    return mean


def margin(value: Any, rtol: float, atol: float) -> Any:
    return DTYPE(rtol) * abs(value) + DTYPE(atol)


def improves(value: Any, best: Any, rtol: float, atol: float, mode: str) -> bool:
    if best is None or not np.isfinite(value):
        return bool(np.isfinite(value))
    allowed = margin(best, rtol, atol)
    return bool(value < best - allowed if mode == "min" else value > best + allowed)


def grown(number: int, growth: float, events: int) -> int:
    """Rounded to whole numbers; a half, as near as float32 can tell, goes down."""
    return math.ceil(number * growth**events - 0.501)


@observing
def plateau(
    patience=10,
    rtol=1e-4,
    atol=0.0,
    mode="min",
    window=1,
    cooldown=0,
    patience_growth=1.0,
    window_growth=1.0,
    reset_best=False,
    left_out=0,
    events=0,
) -> Steps:
    best, bad, seen, fires = None, 0, [], False
    while True:
        seen.append((yield fires))
        fires = False
        if len(seen) < grown(window, window_growth, events):
            continue
        value, seen = mean_of(seen), []
        improved = improves(value, best, rtol, atol, mode)
        best = value if improved and not (left_out and reset_best) else best
        bad = 0 if improved or left_out else bad + 1
        left_out = max(left_out - 1, 0)
        if bad >= max(grown(patience, patience_growth, events), 1):
            fires, bad, left_out, events = True, 0, cooldown, events + 1
            best = None if reset_best else best


@observing
def worsening(
    patience=1, rtol=0.0, atol=0.0, mode="min", cooldown=0, window=1, left_out=0
) -> Steps:
    best, worse, seen, fires = None, 0, [], False
    opposite = "max" if mode == "min" else "min"
    while True:
        seen.append((yield fires))
        fires = False
        if len(seen) < window:
            continue
        value, seen = mean_of(seen), []
        finite = bool(np.isfinite(value))
        is_worse = not finite or (best is not None and improves(value, best, rtol, atol, opposite))
        worse = worse + 1 if is_worse and not left_out else 0
        left_out = max(left_out - 1, 0)
        best = value if improves(value, best, 0, 0, mode) else best
        fires = worse >= patience
        if fires:
            worse, left_out, best = 0, cooldown, value if finite else None


@observing
def improving(
    patience=1, rtol=1e-4, atol=0.0, mode="min", cooldown=0, window=1, left_out=0
) -> Steps:
    best, good, seen, fires = None, 0, [], False
    while True:
        seen.append((yield fires))
        fires = False
        if len(seen) < window:
            continue
        value, seen = mean_of(seen), []
        improved = improves(value, best, rtol, atol, mode)
        best = value if improved else best
        good = good + 1 if improved and not left_out else 0
        left_out = max(left_out - 1, 0)
        fires = good >= patience
        if fires:
            good, left_out = 0, cooldown


@observing
def threshold(target, mode="min") -> Steps:
    reached, fires = False, False
    while True:
        value = yield fires
        fires = False
        if np.isfinite(value):
            there = value <= DTYPE(target) if mode == "min" else value >= DTYPE(target)
            fires, reached = bool(there) and not reached, bool(there)


@observing
def above(bound) -> Steps:
    fires = False
    while True:
        fires = bool((yield fires) > DTYPE(bound))


@observing
def below(bound) -> Steps:
    fires = False
    while True:
        fires = bool((yield fires) < DTYPE(bound))


@ticking
def after(steps, monitor) -> Steps:
    fires = False
    for _ in range(steps):
        yield fires
    while True:
        fires = monitor((yield fires))


@ticking
def stalled(steps, rtol=1e-4, atol=0.0, mode="min") -> Steps:
    best, since, fires = None, 0, False
    for update in itertools.count():
        value = yield fires
        improved = value is not None and improves(value, best, rtol, atol, mode)
        fires = value is not None and not improved and update - since >= steps
        best = value if improved else best
        since = update if improved or fires else since


@observing
def nonfinite() -> Steps:
    fires = False
    while True:
        fires = not np.isfinite((yield fires))


@ticking
def every(steps) -> Steps:
    yield False
    for update in itertools.count():
        yield update > 0 and update % steps == 0


@ticking
def any_of(monitors) -> Steps:
    fires = False
    while True:
        value = yield fires
        fired = [monitor(value) for monitor in monitors]
        fires = any(fired)


@ticking
def all_of(monitors) -> Steps:
    fired, fires = [False] * len(monitors), False
    while True:
        value = yield fires
        fired = [before | monitor(value) for before, monitor in zip(fired, monitors, strict=True)]
        fires = all(fired)
        fired = [False] * len(monitors) if fires else fired


@ticking
def ignore_nonfinite(monitor) -> Steps:
    fires = False
    while True:
        value = yield fires
        fires = monitor(None if value is None or not np.isfinite(value) else value)


@observing
def slow_progress(window=10, rtol=1e-3, atol=0.0, mode="min", window_growth=1.0, events=0) -> Steps:
    previous, seen, fires = None, [], False
    while True:
        seen.append((yield fires))
        fires = False
        if len(seen) < grown(window, window_growth, events):
            continue
        mean, seen = mean_of(seen), []
        if previous is not None:
            gained = previous - mean if mode == "min" else mean - previous
            fires = not np.isfinite(mean) or bool(gained < margin(previous, rtol, atol))
            events += fires
        previous = mean if np.isfinite(mean) else previous


@observing
def spike(deviations=6.0, window=128, min_count=64, mode="min", skip_fired=False) -> Steps:
    seen, fires = [], False
    while True:
        value = float((yield fires))
        if not math.isfinite(value):
            fires = True
            continue
        fires = False
        if len(seen) >= min_count:
            # From the first value on, so that what is constant has no deviation at all.
            passed = np.array(seen) - seen[0]
            age = np.arange(len(seen))[::-1]
            weights = (1 - 1 / window) ** np.minimum(age, max(len(seen) - window, 0))
            mean = np.average(passed, weights=weights)
            bar = deviations * math.sqrt(np.average((passed - mean) ** 2, weights=weights))
            jump = value - seen[0] - mean if mode == "min" else mean - (value - seen[0])
            fires = decided(jump, bar, 1e-6 * max(map(abs, [*seen, value])))
        if not (fires and skip_fired):
            seen.append(value)


def decided(jump: float, bar: float, noise: float) -> bool | None:
    if jump == bar == 0:
        return False
    return None if abs(jump - bar) <= 1e-4 * abs(jump) + noise else bool(jump > bar)


@observing
def slope_test(
    window=100, significance=0.05, mode="min", window_growth=1.0, traced=False, events=0
) -> Steps:
    y, fires = [], False
    while True:
        y.append(float((yield fires)))
        fires, size = False, grown(window, window_growth, events)
        if len(y) == size:
            quantile = special.ndtri if traced else functools.partial(special.stdtrit, size - 2)
            critical = max(-quantile(significance), 0.0)
            fires, y = is_not_falling(np.array(y), critical, 1 if mode == "min" else -1), []
            events += bool(fires)


def is_not_falling(y: np.ndarray, critical: float, sign: int) -> bool | None:
    if not np.isfinite(y).all() or np.ptp(y) == 0:
        return True
    n = len(y)
    i, noise = np.arange(n) - (n - 1) / 2, 1e-6 * np.abs(y).max() * math.sqrt(n)
    y = y - y.mean()
    slope = i @ y / (i @ i)
    explained, residual = slope**2 * (i @ i), np.sum((y - slope * i) ** 2)
    rest = explained * (n - 2) - critical**2 * residual
    slack = (1e-4 * (y @ y) + 2 * math.sqrt(y @ y) * noise + noise**2) * max(n - 2, critical**2)
    return None if abs(rest) <= slack else bool(sign * slope >= 0 or rest < 0)


class Controller:
    """What all controllers do: count, and ask `react` for the rate."""

    def __init__(self) -> None:
        self.count = self.updates = self.observations = self.events = self.since = 0
        self.last_event, self.scale = -1, 1.0

    def __call__(self, value: Any) -> float:
        before = self.events
        rate = self.react(value)
        self.observations += value is not None
        self.since += value is not None
        if self.events > before:
            self.last_event, self.since = self.updates, 0
        self.count += 1
        self.updates += 1
        return rate

    def react(self, value: Any) -> float:
        raise NotImplementedError

    def record(self) -> dict[str, int]:
        return {
            "count": self.count,
            "updates": self.updates,
            "observations": self.observations,
            "events": self.events,
            "last_event": self.last_event,
            "observations_since_event": self.since,
        }


class Single(Controller):
    """A controller of one schedule by one monitor."""

    def __init__(self, monitor: Rule, schedule: Callable[[Any], float]):
        super().__init__()
        self.monitor, self.schedule = monitor, schedule

    def fires(self, value: Any, limit: int | None = None) -> bool:
        fires = self.monitor(value) and (limit is None or self.events < limit)
        self.events += fires
        return fires


class ReduceOn(Single):
    def __init__(self, monitor, schedule, factor=0.1, min_value=0.0, max_reductions=None):
        super().__init__(monitor, schedule)
        self.factor, self.floor, self.limit = factor, min_value, max_reductions

    def react(self, value):
        self.fires(value, self.limit)
        rate = self.schedule(self.count)
        return max(rate * self.factor**self.events, min(rate, self.floor))


class RestartOn(Single):
    def __init__(
        self,
        monitor,
        schedule,
        peak_mult=1.0,
        period_mult=1,
        max_restarts=None,
        reset_monitor=True,
    ):
        super().__init__(monitor, schedule)
        self.peak, self.period, self.limit = peak_mult, period_mult, max_restarts
        self.reset_monitor = reset_monitor

    def react(self, value):
        if self.fires(value, self.limit):
            self.count = 0
            if self.reset_monitor:
                self.monitor.anew()
        return self.peak**self.events * self.schedule(self.count / self.period**self.events)


class AdvanceOn(Single):
    def __init__(self, monitor, schedules):
        super().__init__(monitor, schedules[0])
        self.schedules = schedules

    def react(self, value):
        in_force = self.scale * self.schedules[self.events](self.count)
        if self.fires(value, len(self.schedules) - 1):
            self.count = 0
            first = self.schedules[self.events](0)
            self.scale = in_force / first if first else 1.0
        return self.scale * self.schedules[self.events](self.count)


class CooldownOn(Single):
    def __init__(
        self, monitor, schedule, cooldown_steps=None, end_scale=0.0, shape="linear", fraction=None
    ):
        super().__init__(monitor, schedule)
        self.steps, self.end, self.fraction = cooldown_steps, end_scale, fraction
        self.gone = {"linear": lambda u: u, "square": lambda u: u**2, "sqrt": math.sqrt}[shape]

    def react(self, value):
        rate = self.schedule(self.count)
        if self.fires(value, 1):
            self.count, self.scale = 0, rate
            if self.fraction is not None:
                self.steps = round(self.fraction * self.updates)
        if not self.events:
            return rate
        u = min(self.count / self.steps, 1.0) if self.steps else 1.0
        return self.scale * ((1 - self.gone(u)) + self.end * self.gone(u))


class ScaleOn(Single):
    def __init__(self, monitor, schedule, factor, min_scale=0.0, max_scale=1.0):
        super().__init__(monitor, schedule)
        self.factor = factor if callable(factor) else lambda _: factor
        self.low, self.high = min_scale, max_scale

    def react(self, value):
        rate = self.schedule(self.count)
        if self.fires(value):
            self.scale = min(max(self.scale * self.factor(self.scale * rate), self.low), self.high)
        return self.scale * rate


class RaiseAndLowerOn(Controller):
    def __init__(
        self, raise_on, lower_on, schedule, factor=0.95, min_scale=0.01, max_scale=10.0
    ) -> None:
        super().__init__()
        self.raise_on, self.lower_on, self.schedule = raise_on, lower_on, schedule
        self.factor, self.low, self.high = factor, min_scale, max_scale

    def react(self, value):
        up, down = self.raise_on(value), self.lower_on(value)
        if up and not down:
            self.scale = min(self.scale / self.factor, self.high)
        if down and not up:
            self.scale = max(self.scale * self.factor, self.low)
        self.events += up != down
        return self.scale * self.schedule(self.count)


class Follow(Controller):
    def __init__(
        self,
        schedule,
        patience,
        factor,
        min_scale,
        max_scale,
        rtol,
        atol,
        mode,
        window,
        cooldown,
        raise_cooldown,
        reset_after,
        min_change,
    ) -> None:
        super().__init__()
        self.schedule, self.patience, self.factor = schedule, patience, factor
        self.low, self.high, self.min_change = min_scale, max_scale, min_change
        self.margins, self.window = (rtol, atol, mode), window
        self.pauses, self.reset_after = (cooldown, raise_cooldown), reset_after
        self.idle = 0
        self.begin()

    def begin(self) -> None:
        self.best, self.recent, self.streak, self.at_floor, self.scale = None, [], 0, 0, 1.0

    def react(self, value):
        if value is not None:
            before = self.scale
            self.hear(value)
            # Not if it is back where it was, but for rounding.
            self.events += abs(self.scale - before) > 1e-6 * before
        return self.scale * self.schedule(self.count)

    def hear(self, value):
        self.recent = [value, *self.recent][: self.window]
        mean = sum(self.recent[1:], self.recent[0]) / DTYPE(len(self.recent))
        if self.idle:
            self.idle, self.streak = self.idle - 1, 0
            return
        if improves(mean, self.best, *self.margins):
            self.best, self.streak = mean, max(self.streak, 0) + 1
        else:
            self.streak = min(self.streak, 0) - 1
        if abs(self.streak) >= self.patience:
            self.change(self.streak > 0)

    def change(self, up):
        self.streak, self.idle = 0, self.pauses[up]
        scale = self.scale / self.factor if up else self.scale * self.factor
        # As the library does: what is within rounding of a bound is at it.
        if up and scale >= self.high * (1 - 4e-7):
            scale = self.high
        if not up and scale <= self.low * (1 + 4e-7):
            scale = self.low
        if (scale - self.scale if up else self.scale - scale) > self.min_change:
            self.scale = scale
        self.at_floor = 0 if up else self.at_floor + (self.scale <= self.low * (1 + 4e-7))
        if not up and self.at_floor >= self.reset_after:
            self.begin()


def line(begin: float, end: float, steps: float) -> Callable[[Any], float]:
    return lambda count: begin + (end - begin) * min(count / steps, 1.0)


def constant(value: float) -> Callable[[Any], float]:
    return lambda _: value


def reduce_on_plateau(factor, accumulation_size=1, min_scale=0.0, **options) -> ReduceOn:
    return ReduceOn(plateau(window=accumulation_size, **options), constant(1.0), factor, min_scale)
