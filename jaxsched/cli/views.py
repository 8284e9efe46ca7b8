"""What the commands that evaluate schedules print."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxsched.cli.layout import columns
from jaxsched.cli.reading import Curve
from jaxsched.inspect.phases import ROUNDING, Phase, phases
from jaxsched.inspect.plot import plot
from jaxsched.inspect.samples import MOST, Samples, evenly, number, sample

_MOST_ROWS = 100


def taken(curve: Curve, steps: int, points: int = MOST) -> Samples:
    """The rates at all steps of a run, or at so many of them at even distances."""
    return sample(curve.schedule, evenly(0, steps - 1, points))


def picture(curves: Mapping[str, Curve], steps: int, path: Path, *, log: bool) -> None:
    """Writes a picture of some curves by their labels.

    Raises:
      ImportError: without Matplotlib.
      ValueError: for a name or a place that no file can be written to.
    """
    schedules = {label: curve.schedule for label, curve in curves.items()}
    try:
        plot(schedules, steps, log=log, path=path)
    except OSError as error:
        raise ValueError(f"`--png` {path} cannot be written: {error.strerror}.") from None


def comparison(curves: Mapping[str, Samples], steps: int) -> str:
    """The main values of each curve, and where each of the others first leaves the first one."""
    heading = ("", "first", "last", "peak", "at step", "mean", "area")
    rows = [(name, *_values(curve, steps)) for name, curve in curves.items()]
    first, *others = curves.items()
    return "\n".join([columns([heading, *rows]), "", *(_apart(first, one) for one in others)])


def _values(curve: Samples, steps: int) -> tuple[object, ...]:
    values = curve.values
    with np.errstate(invalid="ignore"):
        mean = values.mean()
    peak = int(values.argmax())
    shown = (number(value) for value in (mean, mean * steps))
    return number(values[0]), number(values[-1]), number(values[peak]), curve.steps[peak], *shown


def _apart(one: tuple[str, Samples], other: tuple[str, Samples]) -> str:
    (here, a), (there, b) = one, other
    both = np.stack([a.values, b.values])
    highest = np.abs(both[np.isfinite(both)]).max(initial=0)
    apart = ~np.isclose(*both, rtol=0, atol=ROUNDING * highest, equal_nan=True)
    if not apart.any():
        return f"{here} and {there} are the same at all steps."
    first = int(apart.argmax())
    return (
        f"{here} and {there} differ first at step {a.steps[first]}:"
        f" {number(a.values[first])} and {number(b.values[first])}."
    )


def by_phase(curve: Curve, steps: int) -> str:
    """The rates where the phases of a run begin, what happens then, and the last rate.

    Raises:
      ValueError: if no rate is finite.
    """
    samples = taken(curve, steps)
    finite = np.isfinite(samples.values)
    if not finite.any():
        raise ValueError("There is no finite rate.")
    found = phases(Samples(samples.steps[finite], samples.values[finite]))
    rows = [(phase.begin, number(phase.first), _then(phase)) for phase in found]
    rows.append((found[-1].end, number(found[-1].last), ""))
    more = len(rows) - _MOST_ROWS
    rest = f"\n{more} more rows; --every K has every K-th step." if more > 0 else ""
    return columns([("step", "rate", "then"), *rows[:_MOST_ROWS]]) + rest


def _then(phase: Phase) -> str:
    return f"{phase.kind} in {phase.stairs} stairs" if phase.stairs else phase.kind


def by_step(curve: Curve, steps: int, every: int) -> str:
    """The rates at every so many steps, and at the last one.

    Raises:
      ValueError: for more than a million of them.
    """
    if steps // every > MOST:
        raise ValueError(f"`--every` must be at least {-(-steps // MOST)}, for {MOST} rows.")
    rows = sample(curve.schedule, np.union1d(np.arange(0, steps, every), [steps - 1]))
    rates = map(number, rows.values)
    return columns([("step", "rate"), *zip(rows.steps, rates, strict=True)])
