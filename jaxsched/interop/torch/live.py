"""PyTorch's schedulers of a user's own, which only they themselves can step."""

import copy
import warnings
from typing import Any

from jaxsched.interop.shared.reading import plain, whole_steps
from jaxsched.interop.torch.compose import COMPOSED, kind_of, members_of

_BASES = ("LRScheduler", "_LRScheduler")


def is_own(scheduler: Any) -> bool:
    """Whether it, or one that it holds, is of a class of the user's own."""
    try:
        kind = kind_of(scheduler)
    except TypeError:
        bases = type(scheduler).__mro__
        return any(c.__name__ in _BASES and c.__module__.startswith("torch.") for c in bases)
    return kind in COMPOSED and any(map(is_own, members_of(scheduler)))


def stepped(scheduler: Any, group: int, steps: int) -> list[float]:
    """The rate in force, and those after each of some steps more of a copy."""
    optimizer = copy.copy(scheduler.optimizer)
    # The parameters stay where they are; the rates may be tensors, which are set in place.
    optimizer.param_groups = [
        {name: v if name == "params" else copy.deepcopy(v) for name, v in one.items()}
        for one in scheduler.optimizer.param_groups
    ]
    apart = copy.deepcopy(scheduler, {id(scheduler.optimizer): optimizer})
    rates = [float(plain(optimizer.param_groups[group]["lr"]))]
    with warnings.catch_warnings():
        # Of steps without one of the optimizer.
        warnings.simplefilter("ignore")
        for _ in range(whole_steps("steps", steps)):
            apart.step()
            rates.append(float(plain(optimizer.param_groups[group]["lr"])))
    return rates
