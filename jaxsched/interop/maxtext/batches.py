"""The batches of MaxText, which may grow."""

import math
from typing import Any

from jaxsched.core import checks
from jaxsched.interop.shared.fields import Fields, fields_of
from jaxsched.interop.shared.reading import some_whole_steps


def maxtext_batches(config: Any) -> tuple[tuple[int, int], ...]:
    """The sizes of MaxText's batches, from its configuration, as pairs of steps and examples.

    With `enable_rampup_batch_size` they grow from `per_device_batch_size_start` to
    `per_device_batch_size` by `per_device_batch_size_increment`, each time once
    `global_rampup_samples` over the number of increments were seen at one size; else they are
    all of one size, `gradient_accumulation_steps` included. Sizes are over all devices.

    Args:
      config: as for `from_maxtext`; `per_device_batch_size` and `num_target_devices` have to be
        there.

    Raises:
      ValueError: for a missing field, a size that the increments do not reach, or accumulation
        during the growth.

    Example:
      >>> config = {"steps": 100, "num_target_devices": 4, "per_device_batch_size": 8.0}
      >>> maxtext_batches(config)
      ((100, 32),)
      >>> maxtext_batches({**config, "enable_rampup_batch_size": True})
      ((16, 16), (11, 24), (73, 32))
    """
    fields = fields_of(config, "from_maxtext")
    steps, _ = lengths_of(fields)
    devices = fields.read("num_target_devices", some_whole_steps)
    last = fields.read("per_device_batch_size", checks.positive)
    accumulated = fields.read("gradient_accumulation_steps", some_whole_steps, 1)
    if not fields.read("enable_rampup_batch_size", checks.flag, False):
        return ((steps, int(devices * last) * accumulated),)
    if accumulated > 1:
        wanted = "1 where `enable_rampup_batch_size` is set"
        checks.refuse("gradient_accumulation_steps", accumulated, wanted)
    return _grown(fields, steps, devices, last)


def lengths_of(fields: Fields) -> tuple[int, int]:
    """The steps of the training, and those of the schedule."""
    names = "steps", "learning_rate_schedule_steps"
    # -1 stands for the other.
    given = [
        None if fields.get(name) == -1 else fields.read(name, some_whole_steps, None)
        for name in names
    ]
    lengths = [length for length in given if length is not None]
    if not lengths:
        raise ValueError("`steps` or `learning_rate_schedule_steps` is missing.")
    return lengths[0], lengths[-1]


def _grown(fields: Fields, steps: int, devices: int, last: float) -> tuple[tuple[int, int], ...]:
    first = fields.read("per_device_batch_size_start", checks.positive, 4.0)
    increment = fields.read("per_device_batch_size_increment", checks.positive, 2.0)
    if not (last > first and (last - first) % increment == 0):
        wanted = f"{first} and a whole number of increments of {increment}, at least one"
        checks.refuse("per_device_batch_size", last, wanted)
    samples = fields.read("global_rampup_samples", checks.positive, 500)
    each = samples / ((last - first) // increment)
    size, end, plan = int(devices * first), int(devices * last), []
    while size < end and steps > 0:
        length = min(math.ceil(each / size), steps)
        plan.append((length, size))
        size, steps = min(size + int(devices * increment), end), steps - length
    return (*plan, (steps, end)) if steps > 0 else tuple(plan)
