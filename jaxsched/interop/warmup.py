"""The warm-ups of pytorch-warmup as factors."""

from collections.abc import Callable
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.reading import class_of, plain, read, read_group, whole_steps
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import linear_schedule
from jaxsched.schedules.saturating import exponential_warmup_schedule
from jaxsched.schedules.untuned import radam_warmup_schedule

_METHODS = ("warmup_factor", "dampen", "dampening")


def from_warmup(warmup: Any, *, group: int = 0) -> Schedule:
    """A live warm-up of pytorch-warmup as a schedule: the factor at every step.

        rate(k) = warmup.warmup_factor(warmup.last_step + k, ...)

    To multiply a schedule with: `from_torch(scheduler) * from_warmup(warmup)`. The scheduler is
    to be read before the warm-up is made, which changes the rate of the optimizer.

    `LinearWarmup`, `ExponentialWarmup`, `UntunedLinearWarmup`, `UntunedExponentialWarmup` and
    `RAdamWarmup`, and classes derived from them that redefine nothing. Neither PyTorch nor
    pytorch-warmup is imported. In pytorch-warmup's conventions, which are kept:

    - Step 0 is already above 0: a linear warm-up has the factor 1 at step `warmup_period - 1`.
    - An untuned one has a whole length, `int(2 / (1 - beta2))` or `int(1 / (1 - beta2))`.
    - That of RAdam begins at the first step at which RAdam itself is defined.

    Args:
      warmup: the warm-up. Its state says where it stands; nothing is changed.
      group: the index of the parameter group.

    Raises:
      TypeError: for any other class, or a derived one that redefines a method.
      ValueError: for an impossible attribute.

    Example:
      >>> module = {"__module__": "pytorch_warmup.base"}  # A stand-in for the real one.
      >>> warmup = type("LinearWarmup", (), module)()
      >>> warmup.warmup_params, warmup.last_step = [{"warmup_period": 4}], 0
      >>> print(*map(float, map(from_warmup(warmup), range(5))))
      0.25 0.5 0.75 1.0 1.0
    """
    kind = class_of(warmup, "pytorch_warmup", _FACTORS, _METHODS)
    params = read_group(warmup, "warmup_params", group)
    factor = _FACTORS[kind](f"{type(warmup).__name__}.warmup_params[{group}]", params)
    done = read(warmup, "last_step", whole_steps)
    return shift(factor, -done) if done else factor


def _item(label: str, params: Any, name: str, check: Callable[[str, Any], Any]) -> Any:
    if name not in params:
        raise ValueError(f"`{label}` has no {name!r}.")
    return check(f"{label}[{name!r}]", plain(params[name]))


def _linear(label: str, params: Any) -> Schedule:
    steps = _item(label, params, "warmup_period", checks.some_steps)
    return shift(linear_schedule(0.0, 1.0, steps), -1)


def _exponential(label: str, params: Any) -> Schedule:
    return exponential_warmup_schedule(_item(label, params, "warmup_period", checks.some_steps))


def _radam(label: str, params: Any) -> Schedule:
    return radam_warmup_schedule(_item(label, params, "beta2", checks.fraction))


_FACTORS: dict[str, Callable[[str, Any], Schedule]] = {
    "LinearWarmup": _linear,
    "ExponentialWarmup": _exponential,
    "UntunedLinearWarmup": _linear,
    "UntunedExponentialWarmup": _exponential,
    "RAdamWarmup": _radam,
}
