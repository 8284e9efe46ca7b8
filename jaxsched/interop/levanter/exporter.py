"""Schedules as those of Levanter."""

import functools
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from jaxsched.core.schedule import Operand, operand
from jaxsched.interop.shared.parts import as_schedule


def to_levanter(schedule: Operand) -> Any:
    """A schedule as the `lr_schedule` of an optimizer's configuration in Levanter or Marin.

    Its rates are taken as they are, its steps count from the end of Levanter's own warm-up: for
    none, `AdamConfig(lr_schedule=to_levanter(schedule), warmup=0)`. It is logged with the
    configuration as the text that it prints as.

    Args:
      schedule: any schedule, number or function of the count.

    Raises:
      ImportError: if Levanter is not installed.
      TypeError: for a controller, whose rate depends on more than the step.

    Example:
      >>> import jaxsched
      >>> rate = jaxsched.warmup_cosine_decay_schedule(0.0, 1e-3, 100, 10_000)
      >>> config = AdamConfig(lr_schedule=to_levanter(rate), warmup=0)  # doctest: +SKIP
    """
    rate = as_schedule(operand("schedule", schedule))
    try:
        made = levanter_class()(repr(rate))
    except ImportError as error:
        raise ImportError("`to_levanter` needs Levanter, of which there is none here.") from error
    # Not a field: a configuration is of plain values.
    object.__setattr__(made, "rate", rate)
    return made


@functools.cache
def levanter_class() -> Any:
    """The class of these in Levanter's registry, which takes a name once."""
    base: Any = import_module("levanter.optim.config").LrSchedule

    @dataclass(frozen=True)
    class JaxschedLrSchedule(base):
        """A schedule, by the text that it prints as."""

        schedule: str

        def build(self, ctx: Any) -> Any:
            """The schedule itself."""
            return vars(self)["rate"]

    base.register_subclass("jaxsched")(JaxschedLrSchedule)
    return JaxschedLrSchedule
