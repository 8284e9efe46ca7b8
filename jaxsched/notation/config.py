"""Schedules, monitors and controllers as plain dicts: for JSON, YAML and the like."""

from collections.abc import Mapping
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.control.monitors.monitor import Monitor
from jaxsched.core.bound import Bound
from jaxsched.core.checks import refuse
from jaxsched.core.schedule import Schedule
from jaxsched.notation.reading import is_mapping, made
from jaxsched.notation.writing import written
from jaxsched.planning.units import Run

VERSION = 1
"""Of the form of configurations."""


def to_config(schedule: Schedule | Monitor | Controller) -> dict[str, Any]:
    """A schedule, a monitor or a controller as a dict that JSON and YAML can hold.

        {"version": 1, "name": name, argument: value, ...}

    An inner schedule is such a dict without a version, a list of schedules a list of them, and
    `s + t` has the name "add", likewise "subtract", "multiply", "divide", "negative".
    Arguments at their default are left out, the steps of `boundaries_and_scales` are strings,
    and arrays are lists. Floats keep every digit.

    Args:
      schedule: a schedule, a monitor or a controller made of what jaxsched has.

    Raises:
      TypeError: for a plain function, a traced number or a schedule of one's own inside of it,
        which a configuration cannot hold.
      ValueError: for a number that could not be read again: one that is not finite.

    Example:
      >>> from jaxsched import cosine_decay_schedule, with_warmup
      >>> to_config(with_warmup(cosine_decay_schedule(0.001, 10_000), warmup_steps=500))
      {'version': 1, 'name': 'with_warmup', 'schedule': {'name': 'cosine_decay_schedule',
       'init_value': 0.001, 'decay_steps': 10000}, 'warmup_steps': 500}
    """
    if not isinstance(schedule, Bound):
        refuse("schedule", schedule, "a schedule, a monitor or a controller", TypeError)
    return {"version": VERSION, **written("", schedule)}


def from_config(
    config: Mapping[str, Any], *, run: Run | None = None
) -> Schedule | Monitor | Controller:
    """What a configuration describes: `from_config(to_config(schedule)) == schedule`.

    Errors name the place in the configuration, such as `schedule.schedules[2].decay_steps`. In
    YAML write 1.0e-3: many readers take 1e-3 for a string.

    Args:
      config: the dict of `to_config`, or any other mapping with the same entries, such as an
        `ml_collections.ConfigDict`. Steps that are keys may be numbers or strings. Where a number
        of steps stands, it may say "10%", "5 epochs", "2e9 tokens", or `{"fraction": 0.1}`.
      run: the run that these are lengths of.

    Raises:
      ValueError: for a name that jaxsched does not have, another version, a nesting too deep,
        or a value out of range.
      TypeError: for an argument that is missing or unknown, or of the wrong type.

    Example:
      >>> from_config({
      ...     "version": 1,
      ...     "name": "multiply",
      ...     "left": {"name": "linear_schedule", "init_value": 1, "end_value": 0,
      ...              "transition_steps": 100},
      ...     "right": 0.5,
      ... })
      (linear_schedule(init_value=1, end_value=0, transition_steps=100) * 0.5)
    """
    if not is_mapping(config):
        refuse("config", config, "a mapping", TypeError)
    entries = dict(config.items())
    version = entries.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        refuse("version", version, str(VERSION))
    try:
        return made("", entries, run)
    except RecursionError:
        raise ValueError("`config` is nested too deeply.") from None
