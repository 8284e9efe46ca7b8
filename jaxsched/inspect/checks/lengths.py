"""The lengths that a schedule was given, wherever they are in it."""

from typing import Any

import jax
import numpy as np

from jaxsched.core.maker import Maker
from jaxsched.core.schedule import Schedule
from jaxsched.core.tables import Table
from jaxsched.planning.said import counts_forwards
from jaxsched.schedules.compose import stretch
from jaxsched.schedules.epochs import by_epoch


def lengths(schedule: Any) -> list[tuple[str, float]]:
    """The names and values of all hyperparameters that are positive whole numbers of steps.

    What is within `by_epoch` and `stretch` has a clock of its own and is left out, and so is
    what is left at its default.
    """
    if not isinstance(schedule, Schedule) or schedule.maker in (by_epoch, stretch):
        return []
    own = [
        (name, length)
        for name in _of_steps(schedule.maker)
        if schedule.maker.defaults.get(name) is not schedule.hyperparams[name]
        for length in _whole(schedule.hyperparams[name])
    ]
    inner = jax.tree.leaves(schedule.hyperparams, is_leaf=lambda node: isinstance(node, Schedule))
    return own + [length for node in inner for length in lengths(node)]


def _of_steps(maker: Maker[..., Any]) -> list[str]:
    return [name for name, reader in maker.readers.items() if counts_forwards(reader)]


def _whole(value: Any) -> list[float]:
    """The positive whole numbers among one number, an array or a table of steps."""
    if value is None:
        return []
    numbers = np.ravel(np.asarray(value.boundaries if isinstance(value, Table) else value))
    return [number for number in numbers.tolist() if number > 0 and number == int(number)]
