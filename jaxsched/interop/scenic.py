"""The compound schedules of scenic's configurations."""

from collections.abc import Callable, Mapping
from typing import Any

from jaxsched.core.checks import refuse
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.cooldown import through_zero, to_zero
from jaxsched.interop.shared.factors import names_of
from jaxsched.schedules.compose import shift
from jaxsched.schedules.cycles import cosine_restarts_schedule
from jaxsched.schedules.decay import (
    constant_schedule,
    exponential_decay,
    linear_schedule,
    polynomial_schedule,
)
from jaxsched.schedules.inverse import inverse_sqrt_schedule
from jaxsched.schedules.piecewise import join_schedules
from jaxsched.schedules.table import table_schedule


def from_scenic(lr_configs: Mapping[str, Any], *, faithful: bool = True) -> Schedule:
    """The schedule of scenic's `get_learning_rate_fn`, from its `lr_configs`.

    A configuration without a `learning_rate_schedule` is the constant `base_learning_rate`. A
    compound one applies the names in its `factors` from left to right: `constant`,
    `polynomial`, `piecewise_constant`, `piecewise_linear`, `linear_warmup`, `rsqrt_decay`,
    `decay_every`, `exponential_decay`, `cosine_decay`, `linear_decay`, `linear_cooldown`.

    Args:
      lr_configs: a mapping, such as an `ml_collections.ConfigDict` or a dict.
      faithful: whether to do as scenic does where that is hardly meant. Its
        `piecewise_constant` changes one step after each event, and its `linear_cooldown` goes
        on below 0 after `total_steps`; otherwise it changes at the event, and stays at 0.

    Two things differ either way: restarts with a `t_mul` are on the exact step, where scenic's
    logarithm is off by one at some, and a `piecewise_linear` has no 1e-6 in its slopes.

    Raises:
      ValueError: for a schedule or a factor that scenic does not have.
      KeyError: for an entry that a factor needs and the configuration lacks.

    Example:
      >>> rate = from_scenic({
      ...     "learning_rate_schedule": "compound",
      ...     "factors": "constant * linear_warmup * cosine_decay",
      ...     "base_learning_rate": 0.5,
      ...     "warmup_steps": 10,
      ...     "steps_per_cycle": 110,
      ... })
      >>> print(f"{rate(5):.2f} {rate(10):.2f} {rate(60):.2f}")
      0.25 0.50 0.25
    """
    name = lr_configs.get("learning_rate_schedule")
    if name is None:
        return constant_schedule(lr_configs["base_learning_rate"])
    if name != "compound":
        refuse("learning_rate_schedule", name, "'compound'")
    rate: Any = 1.0
    for factor in names_of(lr_configs["factors"], _FACTORS):
        rate = _FACTORS[factor](rate, lr_configs, faithful)
    return rate


def _times(rate: Any, factor: Schedule) -> Schedule:
    return rate * factor if isinstance(rate, Schedule) else factor


def _constant(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    return _times(rate, constant_schedule(config["base_learning_rate"]))


def _polynomial(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    end, power, steps = config["end_factor"], config["power"], config["decay_steps"]
    return _times(rate, polynomial_schedule(1.0, end, power, steps))


def _piecewise_constant(rate: Any, config: Mapping[str, Any], faithful: bool) -> Schedule:
    boundaries = [event + faithful for event in config["decay_events"]]
    return _times(rate, join_schedules([1.0, *map(float, config["decay_factors"])], boundaries))


def _piecewise_linear(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    values, knots = [1.0, *config["decay_factors"]], [0, *config["decay_events"]]
    return _times(rate, table_schedule(values, knots))


def _linear_warmup(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    alpha = config.get("warmup_alpha", 0.0)
    return _times(rate, linear_schedule(alpha, 1.0, config["warmup_steps"]))


def _rsqrt_decay(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    decay = inverse_sqrt_schedule(1.0, config.get("timescale", 10_000))
    return _times(rate, shift(decay, config.get("warmup_steps", 0)))


def _decay_every(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    steps, factor = config["steps_per_decay"], config["decay_factor"]
    return _times(rate, exponential_decay(1.0, steps, factor, staircase=True))


def _exponential_decay(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    steps, factor = config["decay_steps"], config["decay_rate"]
    stairs = bool(config.get("staircase", False))
    return _times(rate, exponential_decay(1.0, steps, factor, staircase=stairs))


def _cosine_decay(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    warmup, period = config.get("warmup_steps", 0), config["steps_per_cycle"]
    period -= int(warmup / (config.get("total_steps", period) / period))
    mults, alpha = (config.get("t_mul", 1), config.get("m_mul", 1.0)), config.get("alpha", 0.0)
    cycles = cosine_restarts_schedule(1.0 - alpha, period, *mults) + alpha
    return _times(rate, shift(cycles, warmup + config.get("start_decay_step", 0)))


def _linear_decay(rate: Any, config: Mapping[str, Any], _: bool) -> Schedule:
    begin, end = config.get("warmup_steps", 0), config.get("end_learning_rate", 0.0)
    line = linear_schedule(1.0, 0.0, config["total_steps"] - begin, begin)
    return (rate - end) * line + end


def _linear_cooldown(rate: Any, config: Mapping[str, Any], faithful: bool) -> Schedule:
    total, steps = config["total_steps"], config["cooldown_steps"]
    way = through_zero if faithful else to_zero
    return _times(rate, way(total, steps, config.get("warmup_steps", 0)))


_FACTORS: dict[str, Callable[[Any, Mapping[str, Any], bool], Schedule]] = {
    "constant": _constant,
    "polynomial": _polynomial,
    "piecewise_constant": _piecewise_constant,
    "piecewise_linear": _piecewise_linear,
    "linear_warmup": _linear_warmup,
    "rsqrt_decay": _rsqrt_decay,
    "decay_every": _decay_every,
    "exponential_decay": _exponential_decay,
    "cosine_decay": _cosine_decay,
    "linear_decay": _linear_decay,
    "linear_cooldown": _linear_cooldown,
}
