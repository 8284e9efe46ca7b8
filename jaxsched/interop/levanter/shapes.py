"""The decays of Levanter."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.fields import Fields
from jaxsched.schedules.compose import clip, maximum, minimum, shift
from jaxsched.schedules.decay import (
    constant_schedule,
    cosine_decay_schedule,
    linear_schedule,
    polynomial_schedule,
)
from jaxsched.schedules.inverse import (
    inverse_sqrt_schedule,
    inverse_time_schedule,
    power_schedule,
)
from jaxsched.schedules.piecewise import join_schedules


class Asked(NamedTuple):
    """What a decay is made of.

    Attributes:
      rate: the value it begins with.
      end: the least value.
      warmup: the steps of the warm-up before it.
      steps: its length, at least 1.
      fields: those of the `lr_schedule`.
      faithful: whether to do as Levanter does, or as is meant.
    """

    rate: float
    end: float
    warmup: int
    steps: int
    fields: Fields
    faithful: bool


def decay_of(fields: Fields) -> tuple[Callable[[Asked], Schedule], Fields]:
    """The decay that the `lr_schedule` of a configuration names, and its own fields."""
    given = fields.get("lr_schedule")
    given = {"type": "cosine" if given is None else given} if _is_name(given) else given
    own = Fields(given, fields.importer)
    kind = own.get("type") if isinstance(given, Mapping) else _CLASSES.get(type(given).__name__)
    if kind not in SHAPES:
        shown = kind if isinstance(given, Mapping) else given
        checks.refuse("lr_schedule", shown, "one of " + ", ".join(map(repr, SHAPES)))
    return SHAPES[kind], own


def _is_name(given: Any) -> bool:
    return given is None or isinstance(given, str)


def _constant(asked: Asked) -> Schedule:
    return constant_schedule(asked.rate)


def _cosine(asked: Asked) -> Schedule:
    exponent = asked.fields.read("exponent", checks.non_negative, 1.0)
    return cosine_decay_schedule(asked.rate, asked.steps, asked.end / asked.rate, exponent)


def _linear(asked: Asked) -> Schedule:
    return linear_schedule(asked.rate, asked.end, asked.steps)


def _polynomial(asked: Asked) -> Schedule:
    power = asked.fields.read("power", checks.non_negative, 2.0)
    return polynomial_schedule(asked.rate, asked.end, power, asked.steps)


def _inv_sqrt(asked: Asked) -> Schedule:
    timescale = asked.fields.read("timescale", checks.positive, 10_000)
    # Levanter counts from 1 where the timescale is shorter than a step.
    flat = max(timescale, 1)
    rate = inverse_sqrt_schedule(asked.rate * (timescale / flat) ** 0.5, flat)
    return maximum(shift(rate, flat - asked.warmup), asked.end)


def _inv(asked: Asked) -> Schedule:
    if not 0 < asked.end <= asked.rate:
        ratio = asked.end / asked.rate
        checks.refuse("min_lr_ratio", ratio, "above 0 and at most 1 for 'inv'")
    growth = asked.rate / asked.end - 1
    first = asked.rate / (1 + growth / asked.steps) if asked.faithful else asked.rate
    return clip(inverse_time_schedule(asked.rate, asked.steps, growth), asked.end, first)


def _inv_sqrt_decay(asked: Asked) -> Schedule:
    constant = asked.fields.read("decay_constant", checks.positive, 28.6)
    return maximum(inverse_sqrt_schedule(asked.rate, asked.steps / constant), asked.end)


def _power(asked: Asked) -> Schedule:
    batch_size, seq_length = (
        asked.fields.read(name, checks.positive) for name in ("batch_size", "seq_length")
    )
    a, b = asked.fields.read("a", checks.positive, 4.6), asked.fields.read("b", _negative, -0.51)
    first = batch_size * a * float(batch_size * seq_length) ** b
    return join_schedules([asked.rate, minimum(power_schedule(first, b), asked.rate)], [1])


def _negative(name: str, value: Any) -> Any:
    if not checks.number(name, value) < 0:
        checks.refuse(name, value, "negative")
    return value


SHAPES: dict[Any, Callable[[Asked], Schedule]] = {
    "constant": _constant,
    "cosine": _cosine,
    "linear": _linear,
    "inv_sqrt": _inv_sqrt,
    "inv": _inv,
    "polynomial": _polynomial,
    "inv_sqrt_decay": _inv_sqrt_decay,
    "power": _power,
}
_CLASSES = {
    "".join(part.title() for part in name.split("_")) + "LrSchedule": name for name in SHAPES
}
