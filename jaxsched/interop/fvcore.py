"""fvcore's parameter schedulers as schedules."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxsched.core import checks
from jaxsched.core.schedule import Operand, Schedule
from jaxsched.interop.shared.parts import Part, first_step, joined, whole_if_near
from jaxsched.interop.shared.reading import class_of, one_of, read, some_whole_steps, whole_steps
from jaxsched.schedules.decay import exponential_decay, linear_schedule, polynomial_schedule
from jaxsched.schedules.table import table_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule


class _Run(NamedTuple):
    """The steps of a scheduler: from `first` to before `last`.

    Attributes:
      first: the first of them.
      last: the step after them.
      begin: the real number of steps at which its progress is 0.
      length: that in which it gets to 1.
      where: its progress at a step, as fvcore computes it.
      slack: how much earlier than at its boundary a segment begins.
    """

    first: int
    last: int
    begin: float
    length: float
    where: Callable[[int], float]
    slack: float


def from_fvcore(
    scheduler: Any, num_updates: int, *, group: int = 0, faithful: bool = True
) -> Schedule:
    """A parameter scheduler of fvcore as a schedule of steps: the same value at every step.

        value(k) = scheduler(k / num_updates)   before num_updates, then held

    All classes of `fvcore.common.param_scheduler`, nested `CompositeParamScheduler`s included,
    and classes derived from them that redefine nothing. fvcore is not imported. At and after the
    end of the run, where some classes of fvcore raise and some go back, the value is that at the
    progress of 1.

    What fvcore does is reproduced where it is not what is meant; `faithful=False` gives that:

    - Segments begin when the progress is nearer than 1e-6 to their boundary, which is one or
      more steps early in runs of more than a million. Meant: at the boundary.

    Args:
      scheduler: the scheduler; nothing is changed.
      num_updates: the number of steps of the whole run.
      group: ignored; there for the likeness of all importers. The schedulers know no groups.
      faithful: whether to do as fvcore does, or as is meant.

    Raises:
      TypeError: for any other class, or a derived one that redefines a method.
      ValueError: for an impossible attribute.

    Example:
      >>> module = {"__module__": "fvcore.common.param_scheduler"}  # A stand-in for the real one.
      >>> scheduler = type("LinearParamScheduler", (), module)()
      >>> scheduler._start_value, scheduler._end_value = 1.0, 0.0
      >>> rate = from_fvcore(scheduler, num_updates=4)
      >>> print(*map(float, map(rate, range(6))))
      1.0 0.75 0.5 0.25 0.0 0.0
    """
    del group
    updates = some_whole_steps("num_updates", num_updates)
    slack = 1e-6 if faithful else 0.0
    run = _Run(0, updates, 0.0, updates, lambda step: step / updates, slack)
    return joined(_parts(scheduler, run))


def _parts(scheduler: Any, run: _Run) -> list[Part]:
    kind = class_of(scheduler, "fvcore", _SUPPORTED, ("__call__",))
    if kind == "CompositeParamScheduler":
        return _composite(scheduler, run)
    if kind in _CURVES:
        curve = _CURVES[kind](scheduler, run.length)
        parts = [Part(run.first, curve, max(0.0, whole_if_near(run.first - run.begin)))]
        if kind == "ExponentialParamScheduler":
            # Its own clock goes on after the end.
            end = read(scheduler, "_start_value") * read(scheduler, "_decay") ** run.where(run.last)
            parts.append(Part(run.last, end))
        return parts
    return [Part(run.first, _stairs(_VALUES[kind](scheduler), run))]


def _composite(scheduler: Any, run: _Run) -> list[Part]:
    members, shares = read(scheduler, "_schedulers"), read(scheduler, "_lengths")
    scalings = read(scheduler, "_interval_scaling")
    parts, total = [], 0.0
    for i, (member, share, scaling) in enumerate(zip(members, shares, scalings, strict=True)):
        start, total = total, total + checks.non_negative("_lengths", share)
        first, last = (_reached(run, time, i + j) for j, time in enumerate((start, total)))
        last = run.last if i == len(members) - 1 else last
        if first >= last:
            continue
        if one_of("rescaled", "fixed")("_interval_scaling", scaling) == "fixed":
            inner = run._replace(first=first, last=last)
        else:
            # As fvcore has it, the sum less the share.
            begin, where = total - share, run.where
            inner = run._replace(
                first=first,
                last=last,
                begin=run.begin + whole_if_near(start * run.length),
                length=whole_if_near(share * run.length),
                where=lambda step, a=begin, b=share, where=where: (where(step) - a) / b,
            )
        parts.extend(_parts(member, inner))
    return parts


def _reached(run: _Run, time: float, number: int) -> int:
    """The first step of a run beyond some progress; the first of all for the first member."""
    if number == 0:
        return run.first
    if run.slack == 0:
        return min(
            run.last, max(run.first, math.ceil(whole_if_near(run.begin + time * run.length)))
        )
    return first_step(lambda step: run.where(step) + run.slack > time, run.first, run.last)


def _stairs(steps: tuple[list[float], list[float], float], run: _Run) -> Operand:
    """Values, of which each but the first begins at a number of a whole."""
    values, begins, whole = steps
    knots: dict[int, float] = {0: checks.number("_param_schedule", values[0])}
    for value, begin in zip(values[1:], begins, strict=True):
        if run.slack == 0:
            step = math.ceil(whole_if_near(run.begin + begin / whole * run.length))
        else:
            step = first_step(
                lambda step, begin=begin: int((run.where(step) + run.slack) * whole) >= begin,
                run.first,
                run.last,
            )
        if step < run.last:
            knots[max(0, step - run.first)] = checks.number("_param_schedule", value)
    if len(knots) == 1:
        return knots[0]
    return table_schedule(list(knots.values()), list(knots), "constant")


def _multi_step(scheduler: Any) -> tuple[list[float], list[float], float]:
    values, begins = read(scheduler, "_param_schedule"), read(scheduler, "_milestones")
    if len(values) != len(begins) + 1:
        checks.refuse("_param_schedule", values, "one more than the milestones")
    return list(values), list(begins), read(scheduler, "_num_updates", checks.positive)


def _step(scheduler: Any) -> tuple[list[float], list[float], float]:
    values = list(read(scheduler, "_param_schedule"))
    return values, list(range(1, len(values))), len(values)


def _fixed_gamma(scheduler: Any) -> tuple[list[float], list[float], float]:
    base, gamma = (read(scheduler, name, checks.positive) for name in ("base_value", "gamma"))
    decays = read(scheduler, "num_decays", whole_steps)
    return [base * gamma**i for i in range(decays + 1)], list(range(1, decays + 1)), decays + 1


def _ends(scheduler: Any) -> tuple[float, float]:
    start, end = (read(scheduler, name, checks.number) for name in ("_start_value", "_end_value"))
    return start, end


def _cosine(scheduler: Any, length: float) -> Schedule:
    start, end = _ends(scheduler)
    return warmup_cosine_decay_schedule(start, start, 0, length, end)


def _exponential(scheduler: Any, length: float) -> Schedule:
    decay = read(scheduler, "_decay", checks.positive)
    return exponential_decay(read(scheduler, "_start_value", checks.number), length, decay)


def _polynomial(scheduler: Any, length: float) -> Schedule:
    base, power = read(scheduler, "_base_value", checks.number), read(scheduler, "_power")
    return polynomial_schedule(base, 0.0, checks.non_negative("_power", power), length)


_CURVES: dict[str, Callable[[Any, float], Operand]] = {
    "ConstantParamScheduler": lambda s, _: read(s, "_value", checks.number),
    "CosineParamScheduler": _cosine,
    "ExponentialParamScheduler": _exponential,
    "LinearParamScheduler": lambda s, length: linear_schedule(*_ends(s), length),
    "PolynomialDecayParamScheduler": _polynomial,
}
_VALUES: dict[str, Callable[[Any], tuple[list[float], list[float], float]]] = {
    "MultiStepParamScheduler": _multi_step,
    "StepParamScheduler": _step,
    "StepWithFixedGammaParamScheduler": _fixed_gamma,
}
_SUPPORTED = (*_CURVES, *_VALUES, "CompositeParamScheduler")
