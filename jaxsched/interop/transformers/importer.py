"""The schedules of Hugging Face Transformers, by the arguments of its `get_scheduler`."""

from collections.abc import Callable, Mapping
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.reading import one_of, some_whole_steps, whole_steps
from jaxsched.interop.shared.waves import following
from jaxsched.interop.transformers.asked import Asked
from jaxsched.interop.transformers.control import greedy_rate, reduced_rate
from jaxsched.interop.transformers.cosine import restarting, swinging
from jaxsched.interop.transformers.training import Arguments, completed
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import constant_schedule, linear_schedule, polynomial_schedule
from jaxsched.schedules.inverse import inverse_sqrt_schedule
from jaxsched.schedules.ramps import warmup_stable_decay_schedule, with_warmup
from jaxsched.schedules.warmup import warmup_constant_schedule, warmup_cosine_decay_schedule


def from_transformers(
    name: Any,
    *,
    learning_rate: float | None = None,
    num_warmup_steps: int | None = None,
    warmup_ratio: float | None = None,
    num_training_steps: int | None = None,
    scheduler_specific_kwargs: Mapping[str, Any] | None = None,
    faithful: bool = True,
) -> Schedule | Controller:
    """A schedule of Transformers: the same rate at every step.

        rate(k) = the rate after k calls of step() on get_scheduler(name, optimizer, ...)

    with the names of the arguments of `transformers.get_scheduler`, and the rate of the optimizer
    in place of the optimizer; or `TrainingArguments`, as the `Trainer` reads them. Transformers is
    not imported. "reduce_lr_on_plateau" and "greedy"
    become controllers, which listen to "value". Warm-ups are from 0, at step 0, to the rate, at
    step `num_warmup_steps`, which `num_training_steps` includes, except where noted here:

    - "cosine_warmup_with_min_lr" is at its peak at step `num_warmup_steps - 1`, from
      `warmup_lr_rate` of it or one step above 0, and at its floor at `num_training_steps - 1`.
    - "warmup_stable_decay" warms up from `min_lr_ratio`.
    - "constant" has no warm-up; it ignores all further arguments, as in Transformers.
    - "greedy" begins anew if it is to be lowered `reset_start` times at its floor. Its default
      `min_lr` is 1e-3: a rate that is below it is only ever raised. For bounds that are safe, use
      `follow(greedy(...), rate)`.

    What Transformers does is reproduced where it is not what is meant; `faithful=False` gives that:

    - "cosine", "cosine_with_min_lr" and "cosine_warmup_with_min_lr" rise again after
      `num_training_steps`. Meant: the value there is held.
    - "cosine_with_restarts" is 0 at a step where a cycle is to begin, if a rounded division
      puts that step before it, and the cycle begins with its second step. Meant: it begins.
    - "polynomial" divides by 0 where the warm-up is as long as the training, and so this
      raises. Meant: `lr_end` from there on.
    - "warmup_stable_decay" with more steps of warm-up and decay than there are cuts off the
      begin of its decay. Meant: an error, which is raised.

    What differs in any case: "rel" does not take a slightly worse negative metric for a better
    one. In "greedy" a metric that is not finite is never the best, and it is no longer in the
    mean after `window_size` observations. A rate that is above its floor by a rounding, as one
    may be that was raised and lowered again, is at the floor; Transformers then never begins anew.

    Args:
      name: a `SchedulerType` or its value; or `TrainingArguments`, another object with their
        fields, or a dict of them. What else is given here goes before what these say.
      learning_rate: that of the optimizer. Another rate of a parameter group multiplies the
        schedule; for a controller, it takes its place.
      num_warmup_steps: the length of the warm-up, in updates.
      warmup_ratio: the same, as a part of the training, rounded up to whole updates.
      num_training_steps: the length of the whole; that of `TrainingArguments` is `max_steps`.
      scheduler_specific_kwargs: the further arguments of the schedule of that name.
      faithful: whether to do as Transformers does, or as is meant.

    Raises:
      TypeError: for an argument that the schedule does not have.
      ValueError: for an unknown name, an argument that is missing, or an impossible value.

    Example:
      >>> rate = from_transformers(
      ...     "linear", learning_rate=1.0, num_warmup_steps=2, num_training_steps=6
      ... )
      >>> print(*map(float, map(rate, range(8))))
      0.0 0.5 1.0 0.75 0.5 0.25 0.0 0.0
      >>> training = {"lr_scheduler_type": "linear", "learning_rate": 1.0, "warmup_ratio": 0.25}
      >>> from_transformers(training, num_training_steps=6) == rate
      True
    """
    given = Arguments(
        name, learning_rate, num_warmup_steps, num_training_steps, scheduler_specific_kwargs
    )
    return _made(completed(given, warmup_ratio), faithful)


def _made(arguments: Arguments, faithful: bool) -> Schedule | Controller:
    name, learning_rate, warmup, training, own = arguments
    kind = str(getattr(name, "value", name))
    if kind not in _MAKERS:
        checks.refuse("name", name, "one of " + ", ".join(_MAKERS))
    if learning_rate is None:
        raise ValueError(f"{kind!r} needs `learning_rate`.")
    given, rate = dict(own or {}), checks.positive("learning_rate", learning_rate)
    asked = Asked(kind, float(rate), given, warmup, training, faithful)
    schedule = _MAKERS[kind](asked)
    if given and kind != "constant":
        raise TypeError(f"{kind!r} has no {', '.join(map(repr, given))} that could be read.")
    return schedule


def _constant(asked: Asked) -> Schedule:
    return constant_schedule(asked.rate)


def _constant_with_warmup(asked: Asked) -> Schedule:
    asked.given.clear()
    return warmup_constant_schedule(0.0, asked.rate, asked.warmup)


def _linear(asked: Asked) -> Schedule:
    return asked.after_warmup(linear_schedule(asked.rate, 0.0, max(asked.decay, 0)))


def _cosine(asked: Asked) -> Schedule:
    cycles, steps = asked.take("num_cycles", 0.5), max(asked.decay, 1)
    return asked.after_warmup(swinging(asked.rate, cycles, steps, 0.0, asked.faithful))


def _cosine_with_restarts(asked: Asked) -> Schedule:
    cycles, steps = asked.take("num_cycles", 1), max(asked.decay, 1)
    return asked.after_warmup(restarting(asked.rate, cycles, steps, asked.faithful))


def _floor(asked: Asked) -> float:
    """The lowest rate as a part of the highest."""
    least = asked.take("min_lr", None, checks.non_negative)
    part = asked.take("min_lr_rate", None, checks.non_negative)
    if (least is None) == (part is None):
        raise ValueError(f"{asked.kind!r} needs either `min_lr` or `min_lr_rate`.")
    return least / asked.rate if part is None else part


def _cosine_with_min_lr(asked: Asked) -> Schedule:
    cycles, steps = asked.take("num_cycles", 0.5), max(asked.decay, 1)
    return asked.after_warmup(swinging(asked.rate, cycles, steps, _floor(asked), asked.faithful))


def _cosine_warmup_with_min_lr(asked: Asked) -> Schedule:
    cycles, steps = asked.take("num_cycles", 0.5), max(asked.decay, 1)
    first = asked.take("warmup_lr_rate", None)
    falling = swinging(asked.rate, cycles, steps, _floor(asked), asked.faithful)
    if first is None:
        rising = shift(linear_schedule(0.0, asked.rate, asked.warmup), -1)
    else:
        rising = linear_schedule(first * asked.rate, asked.rate, max(asked.warmup - 1, 1))
    return following([(rising, asked.warmup)], shift(falling, -1))


def _polynomial(asked: Asked) -> Schedule:
    end, power = asked.take("lr_end", 1e-7), asked.take("power", 1.0, checks.positive)
    if not end < asked.rate:
        checks.refuse("lr_end", end, f"below the learning rate, {asked.rate}")
    if asked.decay == 0 and asked.faithful:
        raise ValueError(
            "Transformers divides by 0 after a warm-up that is as long as the training;"
            " `faithful=False` gives what is meant."
        )
    falling = polynomial_schedule(asked.rate, end, power, max(asked.decay, 0))
    return asked.after_warmup(falling)


def _inverse_sqrt(asked: Asked) -> Schedule:
    timescale = asked.take("timescale", None, some_whole_steps) or asked.warmup or 10_000
    return with_warmup(inverse_sqrt_schedule(asked.rate, timescale), asked.warmup)


_TYPES = one_of("linear", "cosine", "1-sqrt")


def _warmup_stable_decay(asked: Asked) -> Schedule:
    decay = asked.needed("num_decay_steps", asked.take("num_decay_steps", None))
    stable = asked.take("num_stable_steps", None, whole_steps)
    stable = asked.decay - decay if stable is None else stable
    if stable < 0 and not asked.faithful:
        wanted = f"at most {asked.decay}, the steps after the warm-up"
        checks.refuse("num_decay_steps", decay, wanted)
    ratio = asked.take("min_lr_ratio", 0.0, checks.non_negative)
    cycles, end = asked.take("num_cycles", 0.5), ratio * asked.rate
    rising = _rising(asked, asked.take("warmup_type", "linear", _TYPES), end)
    shape = asked.take("decay_type", "cosine", _TYPES)
    if shape == "cosine":
        falling = swinging(asked.rate, cycles, max(decay, 1), ratio)
    else:
        shape = "sqrt" if shape == "1-sqrt" else shape
        falling = warmup_stable_decay_schedule(0.0, asked.rate, 0, 0, decay, end, shape)
    # Without enough steps the decay has begun before the end of the warm-up.
    begun = max(-stable, 0)
    falling = shift(falling, -begun) if begun else falling
    parts = [(rising, asked.warmup), (asked.rate, stable), (falling, decay - begun)]
    return following(parts, end)


def _rising(asked: Asked, shape: str, first: float) -> Schedule:
    if shape == "cosine":
        return warmup_cosine_decay_schedule(first, first, 0, asked.warmup, asked.rate)
    power = 0.5 if shape == "1-sqrt" else 1.0
    return polynomial_schedule(first, asked.rate, power, asked.warmup)


def _reduced(asked: Asked) -> Controller:
    return reduced_rate(asked.rate, asked.take)


def _greedy(asked: Asked) -> Controller:
    return greedy_rate(asked.rate, asked.take)


_MAKERS: dict[str, Callable[[Asked], Any]] = {
    "linear": _linear,
    "cosine": _cosine,
    "cosine_with_restarts": _cosine_with_restarts,
    "polynomial": _polynomial,
    "constant": _constant,
    "constant_with_warmup": _constant_with_warmup,
    "inverse_sqrt": _inverse_sqrt,
    "reduce_lr_on_plateau": _reduced,
    "cosine_with_min_lr": _cosine_with_min_lr,
    "cosine_warmup_with_min_lr": _cosine_warmup_with_min_lr,
    "warmup_stable_decay": _warmup_stable_decay,
    "greedy": _greedy,
}
