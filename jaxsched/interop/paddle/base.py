"""The rate that a scheduler of Paddle begins from."""

from typing import Any

from jaxsched.core import checks
from jaxsched.interop.shared.reading import (
    read,
)


def base_rate(scheduler: Any) -> float:
    """What its constructor was given."""
    return read(scheduler, "base_lr", checks.number)
