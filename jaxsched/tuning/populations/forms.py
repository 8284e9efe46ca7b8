"""Schedules and controllers of any forms, by what goes into one program."""

from typing import Any

import jax
import numpy as np

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import operand
from jaxsched.core.stack import form_of


def by_form(schedules: Any) -> list[list[int]]:
    """The places of all that are no controllers, and those of the controllers of each form."""
    if not checks.is_list(schedules):
        checks.refuse("schedules", schedules, "a list of schedules", TypeError)
    groups: dict[Any, list[int]] = {}
    for place, schedule in enumerate(schedules):
        groups.setdefault(_form(f"schedules[{place}]", schedule), []).append(place)
    return list(groups.values()) or [[]]


def _form(name: str, schedule: Any) -> Any:
    if isinstance(schedule, Controller):
        return form_of(schedule)
    operand(name, schedule)
    return None


def in_order(groups: list[list[int]], metrics: list[Any]) -> Any:
    """The metrics of all groups, whose first axis is the members, as one in the given order."""
    order = np.argsort(np.concatenate(groups))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[order], *metrics)
