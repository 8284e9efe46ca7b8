"""The rate of MaxText, by its configuration."""

from typing import Any, NamedTuple

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.maxtext.batches import lengths_of
from jaxsched.interop.shared.fields import Fields, fields_of, text
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.schedules.decay import constant_schedule, linear_schedule
from jaxsched.schedules.reflect import reflect
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule


def from_maxtext(config: Any, *, faithful: bool = True) -> Schedule:
    """The rate of MaxText at each step, from its configuration.

        rate(k) = create_learning_rate_schedule(config)(k)

    A straight warm-up from 0 to `learning_rate` in the first `warmup_steps_fraction` of the
    schedule, cut to whole steps; then half a cosine, or, by `lr_schedule_type`, "wsd": a constant
    and a decay in the last `wsd_decay_steps_fraction`, in the shape `wsd_decay_style`. Both are at
    `learning_rate_final_fraction` of the rate in the last step of `learning_rate_schedule_steps`.
    If there are more `steps` than these, the rate is 0 in them. MaxText is not imported. See
    also `maxtext_batches`.

    What MaxText does is reproduced where it is not what is meant; `faithful=False` gives that:

    - A "linear" decay of one step is at the rate, not at the end. Meant: at the end, as a cosine.
    - After the last step a cosine rises again, if there are no steps of rate 0. Meant: it is held.

    Args:
      config: the configuration, or a dict of its fields. `learning_rate` and `steps`, or
        `learning_rate_schedule_steps`, have to be there; others have MaxText's defaults.
      faithful: whether to do as MaxText does, or as is meant.

    Raises:
      TypeError: for what has no fields.
      ValueError: for a missing or impossible field, or the configuration of another trainer.

    Example:
      >>> config = {"learning_rate": 1.0, "steps": 12, "learning_rate_schedule_steps": 11}
      >>> rate = from_maxtext(config)
      >>> print(*(f"{rate(count):.2f}" for count in (0, 1, 5, 10, 11)))
      0.00 1.00 0.63 0.10 0.00
    """
    fields = fields_of(config, "from_maxtext")
    peak = float(fields.read("learning_rate", checks.non_negative))
    end = peak * fields.read("learning_rate_final_fraction", checks.non_negative, 0.1)
    phases = _phases(fields)
    parts = [
        Part(0, linear_schedule(0.0, peak, phases.warmup)),
        Part(phases.warmup, constant_schedule(peak)),
    ]
    if phases.decay:
        parts.append(Part(phases.whole - phases.decay, _falling(peak, end, phases, faithful)))
    if phases.steps > phases.whole:
        parts.append(Part(phases.whole, constant_schedule(0.0)))
    return joined(parts)


class _Phases(NamedTuple):
    """The lengths of a run, in steps, and the shape of its decay.

    Attributes:
      steps: the training.
      whole: the schedule, which may be shorter or longer.
      warmup: its first steps.
      decay: its last steps.
      shape: "cosine" or "linear".
    """

    steps: int
    whole: int
    warmup: int
    decay: int
    shape: str


def _phases(fields: Fields) -> _Phases:
    steps, whole = lengths_of(fields)
    share = fields.read("warmup_steps_fraction", checks.fraction, 0.1)
    warmup = int(whole * share)
    if fields.read("lr_schedule_type", text("cosine", "wsd"), "cosine") == "cosine":
        return _Phases(steps, whole, warmup, whole - warmup, "cosine")
    decay_share = fields.read("wsd_decay_steps_fraction", checks.fraction, 0.1)
    if share + decay_share > 1:
        checks.refuse("wsd_decay_steps_fraction", decay_share, f"at most 1 - {share}, the rest")
    shape = fields.read("wsd_decay_style", text("linear", "cosine"), "linear")
    return _Phases(steps, whole, warmup, int(whole * decay_share), shape)


def _falling(peak: float, end: float, phases: _Phases, faithful: bool) -> Schedule:
    """A decay that is at its end in its last step."""
    last = phases.decay - 1
    if phases.shape == "linear":
        stays = faithful and last == 0
        return linear_schedule(peak, peak if stays else end, last)
    cosine = warmup_cosine_decay_schedule(peak, peak, 0, last, end)
    return reflect(cosine, last) if faithful and last else cosine
