"""The schedule in a controller, for what changes schedules."""

from collections.abc import Callable
from typing import Any

from jaxsched.control.controllers.advance import advance_on
from jaxsched.control.controllers.controller import Controller
from jaxsched.control.controllers.restart import restart_on
from jaxsched.core import checks


def inside(controller: Controller, change: Callable[[Any], Any]) -> Controller:
    """A controller of the same rule and state, with its schedule changed."""
    if controller.maker in (advance_on, restart_on) or "schedule" not in controller.hyperparams:
        wanted = "a controller whose schedule counts the updates of the run, such as `reduce_on`"
        checks.refuse("schedule", controller, wanted)
    schedule = controller.hyperparams["schedule"]
    changed = inside(schedule, change) if isinstance(schedule, Controller) else change(schedule)
    return controller.replace(schedule=changed)
