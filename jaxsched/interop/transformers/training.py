"""What the schedule of a training with Transformers is asked for with."""

import math
from typing import Any, NamedTuple

from jaxsched.core import checks
from jaxsched.interop.shared.fields import Fields, fields_of
from jaxsched.interop.shared.reading import some_whole_steps


class Arguments(NamedTuple):
    """The arguments of `get_scheduler`, with the rate in place of the optimizer; None is not given.

    Attributes:
      name: that of the schedule.
      learning_rate: that of the optimizer.
      num_warmup_steps: the length of the warm-up.
      num_training_steps: the length of the whole.
      scheduler_specific_kwargs: those of one schedule.
    """

    name: Any
    learning_rate: Any
    num_warmup_steps: Any
    num_training_steps: Any
    scheduler_specific_kwargs: Any


def completed(given: Arguments, warmup_ratio: Any) -> Arguments:
    """The arguments with the warm-up in steps, and `TrainingArguments` in place of a name read."""
    if given.num_warmup_steps is not None and warmup_ratio is not None:
        raise ValueError("`num_warmup_steps` and `warmup_ratio` cannot both be given.")
    if warmup_ratio is not None:
        checks.fraction("warmup_ratio", warmup_ratio)
    if not (hasattr(given.name, "lr_scheduler_type") or hasattr(given.name, "keys")):
        return given if warmup_ratio is None else _with_part(given, warmup_ratio)
    training = fields_of(given.name, "from_transformers")
    whole = _stated(training, given)
    if warmup_ratio is not None:
        return _with_part(whole, warmup_ratio)
    return whole if whole.num_warmup_steps is not None else _warmed_up(training, whole)


def _stated(training: Fields, given: Arguments) -> Arguments:
    """What `TrainingArguments` say, but for what else is given."""
    steps = training.get("max_steps")
    stated = Arguments(
        training.get("lr_scheduler_type") or "linear",
        training.read("learning_rate", checks.positive, 5e-5),
        None,
        steps if steps is not None and steps > 0 else None,
        training.get("lr_scheduler_kwargs"),
    )
    pairs = zip(given[1:], stated[1:], strict=True)
    return Arguments(stated.name, *(theirs if own is None else own for own, theirs in pairs))


def _warmed_up(training: Fields, whole: Arguments) -> Arguments:
    steps = training.read("warmup_steps", checks.non_negative, 0)
    if steps >= 1:
        return whole._replace(num_warmup_steps=int(steps))
    # What is below 1 is a part, which had a field of its own before.
    return _with_part(whole, steps or training.read("warmup_ratio", checks.fraction, 0))


def _with_part(given: Arguments, part: Any) -> Arguments:
    """The arguments with a warm-up that is a part of the training."""
    if part == 0:
        return given._replace(num_warmup_steps=0)
    if given.num_training_steps is None:
        raise ValueError("`num_training_steps` is missing, of which the warm-up is a part.")
    steps = some_whole_steps("num_training_steps", given.num_training_steps)
    return given._replace(num_warmup_steps=math.ceil(steps * part))
