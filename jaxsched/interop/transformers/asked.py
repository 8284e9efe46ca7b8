"""What a schedule of Transformers was asked for with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.reading import whole_steps
from jaxsched.interop.shared.waves import following
from jaxsched.schedules.decay import linear_schedule

Check = Callable[[str, Any], Any]


@dataclass
class Asked:
    """The arguments of `from_transformers`; those of one schedule are taken out as they are read.

    Attributes:
      kind: the name of the schedule.
      rate: that of the optimizer.
      given: the arguments of the one schedule.
      num_warmup_steps: as given.
      num_training_steps: as given.
      faithful: whether to do as Transformers does, or as is meant.
    """

    kind: str
    rate: float
    given: dict[str, Any]
    num_warmup_steps: Any
    num_training_steps: Any
    faithful: bool

    @property
    def warmup(self) -> int:
        """The steps of the warm-up."""
        return self.needed("num_warmup_steps", self.num_warmup_steps)

    @property
    def training(self) -> int:
        """The steps of the whole."""
        return self.needed("num_training_steps", self.num_training_steps)

    @property
    def decay(self) -> int:
        """The steps after the warm-up."""
        return self.training - self.warmup

    def take(self, name: str, default: Any, check: Check = checks.number) -> Any:
        """One of the arguments of this schedule, checked."""
        value = self.given.pop(name, default)
        return None if value is None else check(name, value)

    def needed(self, name: str, value: Any) -> int:
        """A number of steps that this schedule has to be given."""
        if value is None:
            raise ValueError(f"{self.kind!r} needs `{name}`.")
        return whole_steps(name, value)

    def after_warmup(self, schedule: Schedule | float) -> Schedule:
        """A straight warm-up from 0, then a schedule from its step 0."""
        return following([(linear_schedule(0.0, self.rate, self.warmup), self.warmup)], schedule)
