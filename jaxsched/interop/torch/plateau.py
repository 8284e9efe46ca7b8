"""PyTorch's reduction on a plateau as a controller."""

from typing import Any

from jaxsched.control.controller import Controller
from jaxsched.interop import _plateau
from jaxsched.interop._torch_entry import group_rate


def reduced_on_plateau(scheduler: Any, group: int) -> Controller:
    """A `ReduceLROnPlateau` of a parameter group, from the rate in force."""
    rate = group_rate(scheduler, group, "lr")
    return _plateau.reduced_on_plateau(scheduler, group, rate, rate)
