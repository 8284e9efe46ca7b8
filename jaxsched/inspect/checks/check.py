"""What looks wrong with a schedule over a run."""

import numpy as np

from jaxsched.core.checks import positive
from jaxsched.core.schedule import Operand
from jaxsched.tools._ends import above_its_floor, early_end, never_at_its_peak
from jaxsched.tools._mistaken import epochs_for_steps, micro_batches
from jaxsched.tools._samples import run_length
from jaxsched.tools._shape import cut_off, decay_in_warmup, falls_before_peak, jumps
from jaxsched.tools._signs import negative, not_finite, zero_at_first
from jaxsched.tools._view import Finding, View, view


def check(
    schedule: Operand,
    total_steps: int,
    *,
    steps_per_epoch: float | None = None,
    accumulation_steps: int | None = None,
) -> list[Finding]:
    """What looks wrong with a schedule over a run; nothing if all is well.

    Found from the values at the steps of the run, 0 to `total_steps - 1`, and some after it:

        the first step has a rate of 0; a rate is negative or not finite
        the peak is not within the run, or a fall comes before it
        a product of a warm-up and a decay has the decay begin at step 0
        the rate jumps by more than a factor of 2, and neither restarts nor goes in stairs
        the run ends above the last value of the schedule, or in the middle of a cycle
        the last value, after a decay, holds for more than a fifth of the run
        lengths look like epochs, or count micro-batches

    Of a run of more than a million steps a million are looked at, half of them next to the
    ends. Strong noise looks like jumps; check the schedule without it. Whether a finding is a
    mistake is for the reader to say.

    Args:
      schedule: a schedule, a number, or a function of the count.
      total_steps: the length of the run, in updates of the optimizer.
      steps_per_epoch: the updates in an epoch, to find lengths that look like epochs.
      accumulation_steps: the micro-batches in an update, to find lengths that count these.

    Returns:
      Findings by step, each with a `step` and a `message`.

    Raises:
      ValueError: for a length that is not a whole number of at least 1.

    Example:
      >>> from jaxsched import warmup_cosine_decay_schedule
      >>> rate = warmup_cosine_decay_schedule(1e-5, 0.1, warmup_steps=100, decay_steps=1000)
      >>> check(rate, 1000)
      []
      >>> for step, message in check(rate, 600):
      ...     print(step, message)
      599 The run ends at a rate of 0.04149, but the schedule goes on to 0, at about step 1000:
      its lengths are those of a longer run, or leave out that a warm-up delays what follows it.
    """
    total_steps = run_length("total_steps", total_steps)
    if steps_per_epoch is not None:
        positive("steps_per_epoch", steps_per_epoch)
    if accumulation_steps is not None:
        run_length("accumulation_steps", accumulation_steps)
    seen = view(schedule, total_steps)
    findings = [*not_finite(seen), *negative(seen), *zero_at_first(seen)]
    if np.isfinite(seen.run.values).all() and seen.run.values.max() > 0:
        findings += _over_time(seen, steps_per_epoch or total_steps, accumulation_steps or 1)
    return sorted(findings, key=lambda finding: finding.step)


def _over_time(view: View, steps_per_epoch: float, accumulation_steps: int) -> list[Finding]:
    """What the rates show together; of several findings with one cause, the most telling."""
    return [
        *(decay_in_warmup(view) or falls_before_peak(view)),
        *jumps(view),
        *cut_off(view),
        *(epochs_for_steps(view, steps_per_epoch) or early_end(view)),
        *(
            micro_batches(view, accumulation_steps)
            or never_at_its_peak(view)
            or above_its_floor(view)
        ),
    ]
