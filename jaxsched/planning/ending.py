"""Where a schedule ends, and the same schedule with its end elsewhere."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxsched.core.arithmetic.chosen import whole
from jaxsched.core.checks import known
from jaxsched.core.schedule import Schedule, add, divide, multiply, negative, subtract
from jaxsched.schedules.compose import clip, maximum, minimum, shift, stretch
from jaxsched.schedules.cyclic import rewarm
from jaxsched.schedules.decay import cosine_decay_schedule, linear_schedule, polynomial_schedule
from jaxsched.schedules.epochs import by_epoch
from jaxsched.schedules.normalized import normalized_exponential_schedule
from jaxsched.schedules.onecycle import cosine_onecycle_schedule, linear_onecycle_schedule
from jaxsched.schedules.piecewise import join_schedules
from jaxsched.schedules.ramps import warmup_stable_decay_schedule, with_cooldown, with_warmup
from jaxsched.schedules.shaped import k_decay_schedule, rex_schedule, tanh_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule


class Ending(NamedTuple):
    """The end of a schedule.

    Attributes:
      steps: the step from which on it is at its last value.
      begin: the step at which it turns towards its end: what lies before stays where the end is
        moved. The end itself for a schedule that is on its way from the beginning.
      moved: from another end to the schedule that has it.
    """

    steps: float
    begin: float
    moved: Callable[[float], Schedule]


def ending(schedule: Any) -> Ending | None:
    """The end of a schedule whose numbers are known; None for what goes on for ever."""
    rule = _RULES.get(schedule.maker) if isinstance(schedule, Schedule) else None
    return rule(schedule) if rule else None


def number_of(schedule: Schedule, name: str) -> Any:
    """A hyperparameter as a Python number."""
    return known(schedule.hyperparams[name])


def rises(schedule: Any) -> bool:
    """Whether it only goes up to its last value, as a factor or a part that warms up does."""
    if not isinstance(schedule, Schedule) or not {"init_value", "end_value"} <= {
        *schedule.hyperparams
    }:
        return False
    return "peak_value" not in schedule.hyperparams and number_of(
        schedule, "init_value"
    ) < number_of(schedule, "end_value")


def _as_long_as(length: str, offset: str | None = None) -> Callable[[Schedule], Ending]:
    """The rule of what is on its way for a length, after an offset."""

    def rule(schedule: Schedule) -> Ending:
        begin = number_of(schedule, offset) if offset else 0
        end = begin + number_of(schedule, length)
        return Ending(end, end, lambda total: schedule.replace(**{length: whole(total - begin)}))

    return rule


def _decaying_from(begin: str, length: str) -> Callable[[Schedule], Ending]:
    """The rule of what turns at a step, and is at its end a length later."""

    def rule(schedule: Schedule) -> Ending:
        first, steps = number_of(schedule, begin), number_of(schedule, length)
        return Ending(
            first + steps,
            first,
            lambda total: schedule.replace(**{begin: whole(total - steps)}),
        )

    return rule


def _of_inner(
    offset: str | None = None, factor: str | None = None
) -> Callable[[Schedule], Ending | None]:
    """The rule of what delays or stretches the schedule in it."""

    def rule(schedule: Schedule) -> Ending | None:
        inner = ending(schedule.hyperparams["schedule"])
        if inner is None:
            return None
        delay = number_of(schedule, offset) if offset else 0
        times = number_of(schedule, factor) if factor else 1
        return Ending(
            delay + times * inner.steps,
            delay + times * inner.begin,
            lambda total: schedule.replace(schedule=inner.moved(whole((total - delay) / times))),
        )

    return rule


def _of_sides(*names: str) -> Callable[[Schedule], Ending | None]:
    """The rule of several side by side: those that end last give the end; a warm-up does not."""

    def rule(schedule: Schedule) -> Ending | None:
        sides = {name: schedule.hyperparams[name] for name in names}
        found = {name: ending(side) for name, side in sides.items() if not rises(side)}
        ends = {name: end for name, end in found.items() if end}
        if not ends:
            return None
        steps = max(end.steps for end in ends.values())
        last = {name: end for name, end in ends.items() if end.steps == steps}
        return Ending(
            steps,
            min(end.begin for end in last.values()),
            lambda total: schedule.replace(**{n: end.moved(total) for n, end in last.items()}),
        )

    return rule


def _of_parts(schedule: Schedule) -> Ending | None:
    """The rule of parts one after another: the last moves, or is made longer."""
    parts = schedule.hyperparams["schedules"].members()
    boundaries = schedule.hyperparams["boundaries"].tolist()[: len(parts) - 1]
    last = ending(parts[-1])
    if last is None or not boundaries:
        return last
    begin = boundaries[-1]

    def later(total: float) -> Schedule:
        return schedule.replace(boundaries=[*boundaries[:-1], whole(total - last.steps)])

    def longer(total: float) -> Schedule:
        return schedule.replace(schedules=[*parts[:-1], last.moved(total - begin)])

    if ending(parts[-2]) is None:
        return Ending(begin + last.steps, begin, later)
    return Ending(begin + last.steps, begin + last.begin, longer)


_RULES: dict[Any, Callable[[Schedule], Ending | None]] = {
    cosine_decay_schedule: _as_long_as("decay_steps"),
    normalized_exponential_schedule: _as_long_as("decay_steps"),
    k_decay_schedule: _as_long_as("decay_steps"),
    rex_schedule: _as_long_as("decay_steps"),
    tanh_schedule: _as_long_as("decay_steps"),
    warmup_cosine_decay_schedule: _as_long_as("decay_steps"),
    cosine_onecycle_schedule: _as_long_as("transition_steps"),
    linear_onecycle_schedule: _as_long_as("transition_steps"),
    linear_schedule: _as_long_as("transition_steps", "transition_begin"),
    polynomial_schedule: _as_long_as("transition_steps", "transition_begin"),
    warmup_stable_decay_schedule: _decaying_from("decay_begin", "decay_steps"),
    with_cooldown: _decaying_from("begin", "cooldown_steps"),
    with_warmup: _of_inner(offset="warmup_steps"),
    shift: _of_inner(offset="steps"),
    stretch: _of_inner(factor="factor"),
    by_epoch: _of_inner(factor="steps_per_epoch"),
    rewarm: _of_inner(),
    clip: _of_inner(),
    negative: _of_sides("operand"),
    **dict.fromkeys((add, subtract, multiply, divide), _of_sides("left", "right")),
    **dict.fromkeys((minimum, maximum), _of_sides("left", "right")),
    join_schedules: _of_parts,
}
