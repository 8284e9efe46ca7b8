"""How one of PyTorch's schedulers takes over a parameter group."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from jaxsched.core import checks
from jaxsched.interop.shared.reading import plain, read, read_item


@dataclass(frozen=True)
class Entry:
    """How a scheduler takes over a parameter group.

    Attributes:
      group: the index of the group.
      init: the rate it finds there.
      how: "made" by its constructor, "set" to its step 0 at a milestone, or "stepped" to it, as
        happens to the members of a scheduler that is itself the first member of another.
      depth: how many schedulers this one is the first member of.
      unit: the rate that counts as 1.
      faithful: whether to do as PyTorch does, or as is meant.
      horizon: the last step to be tabulated, or None.
    """

    group: int
    init: float
    how: Literal["made", "set", "stepped"] = "made"
    depth: int = 0
    unit: float = 1.0
    faithful: bool = True
    horizon: int | None = None

    def base(self, scheduler: Any) -> float:
        """The base rate of a scheduler."""
        return read_item(scheduler, "base_lrs", self.group, checks.number) / self.unit

    def start(self, scheduler: Any) -> float:
        """The rate that its factors multiply."""
        return self.base(scheduler) if self.how == "set" else self.init

    def factor_of(self, base: float) -> "Entry":
        """The same in units of a base rate, for a factor of a product."""
        return replace(self, init=1.0, unit=self.unit * base)


def group_rate(scheduler: Any, group: int, key: str) -> float:
    """A rate that the optimizer keeps for a parameter group."""
    groups = read(read(scheduler, "optimizer"), "param_groups")
    if key not in groups[group]:
        raise ValueError(f"`{type(scheduler).__name__}.optimizer` keeps no `{key}` of its groups.")
    value = groups[group][key]
    return checks.number(key, plain(value))
