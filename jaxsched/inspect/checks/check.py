"""What looks wrong with a schedule over a run."""

import numpy as np

from jaxsched.core import checks
from jaxsched.core.checks import positive
from jaxsched.core.schedule import Operand
from jaxsched.inspect.checks.ends import above_its_floor, early_end, never_at_its_peak
from jaxsched.inspect.checks.going_on import Resumed, going_on, resumed
from jaxsched.inspect.checks.mistaken_units import epochs_for_steps, micro_batches
from jaxsched.inspect.checks.shape import cut_off, decay_in_warmup, falls_before_peak, jumps
from jaxsched.inspect.checks.signs import negative, not_finite, zero_at_first
from jaxsched.inspect.checks.view import Finding, View, view
from jaxsched.inspect.samples import run_length


def check(
    schedule: Operand,
    total_steps: int,
    *,
    steps_per_epoch: float | None = None,
    accumulation_steps: int | None = None,
    resumed_from: tuple[Operand, int] | None = None,
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
        a run that goes on has a jump there, a second warm-up, or a schedule that is over

    Of a run of more than a million steps a million are looked at, half of them next to the
    ends. Strong noise looks like jumps; check the schedule without it. Whether a finding is a
    mistake is for the reader to say.

    Args:
      schedule: a schedule, a number, or a function of the count.
      total_steps: the length of the run, in updates of the optimizer.
      steps_per_epoch: the updates in an epoch, to find lengths that look like epochs.
      accumulation_steps: the micro-batches in an update, to find lengths that count these.
      resumed_from: for a run that goes on, a pair of the schedule until then and of the step from
        which on the new one holds; what lies before that step is not looked at.

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
      >>> longer = rate.replace(decay_steps=2000)
      >>> for step, message in check(longer, 2000, resumed_from=(rate, 900)):
      ...     print(step, message)
      900 The rate jumps where the run goes on, at 900 from 0.003015 to 0.06227: the new schedule
      is not the old one there, as happens where a length is changed that the rates before its end
      depend on.
    """
    total_steps = run_length("total_steps", total_steps)
    if steps_per_epoch is not None:
        positive("steps_per_epoch", steps_per_epoch)
    if accumulation_steps is not None:
        run_length("accumulation_steps", accumulation_steps)
    seen = view(schedule, total_steps)
    if resumed_from is not None:
        return _where_it_goes_on(seen, resumed(resumed_from))
    findings = [*not_finite(seen), *negative(seen), *zero_at_first(seen)]
    if np.isfinite(seen.run.values).all() and seen.run.values.max() > 0:
        findings += _over_time(seen, steps_per_epoch or total_steps, accumulation_steps or 1)
    return sorted(findings, key=lambda finding: finding.step)


def _where_it_goes_on(view: View, before: Resumed) -> list[Finding]:
    """What is wrong there and afterwards: a first rate of 0 was lived through long ago."""
    if before.count >= view.total_steps:
        checks.refuse("resumed_from[1]", before.count, f"below {view.total_steps}, the run's end")
    wrong = [*not_finite(view), *negative(view)]
    if np.isfinite(view.run.values).all() and view.run.values.max() > 0:
        wrong += [*going_on(view, before), *jumps(view), *cut_off(view), *above_its_floor(view)]
    return sorted(
        (finding for finding in wrong if finding.step >= before.count),
        key=lambda finding: finding.step,
    )


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
