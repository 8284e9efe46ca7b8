"""What a schedule does over a run, in words."""

import numpy as np

from jaxsched.core.schedule import Operand
from jaxsched.inspect.phases import Phase, phases
from jaxsched.inspect.samples import MOST, Samples, evenly, number, run_length, sample

_LINES = 12


def describe(schedule: Operand, steps: int) -> str:
    """What a schedule does in a run: its phases, its highest and end values, its mean.

    The phases are found from the values at all steps of the run, 0 to `steps - 1`; of a run
    of more than a million steps, at a million of them at even distances, and the text says so.
    A rest that is shorter than a hundredth of the run is a part of the phase around it. Of more
    than twelve phases the middle ones are left out.

    Args:
      schedule: a schedule, a number, or a function of the count.
      steps: the length of the run.

    Returns:
      Lines of plain text.

    Raises:
      ValueError: for a length that is not a whole number of at least 1.

    Example:
      >>> from jaxsched import warmup_stable_decay_schedule
      >>> rate = warmup_stable_decay_schedule(0.0, 0.5, 100, decay_begin=800, decay_steps=200)
      >>> print(describe(rate, 1000))
      steps 0 to 100    rises from 0 to 0.5
      steps 100 to 800  constant at 0.5
      steps 800 to 999  falls from 0.5 to 0.0025
      peak              0.5 at step 100
      first             0
      last              0.0025
      mean              0.425
    """
    steps = run_length("steps", steps)
    taken = sample(schedule, evenly(0, steps - 1, MOST))
    finite = np.isfinite(taken.values)
    rows = [*_not_finite(taken), *_in_words(Samples(taken.steps[finite], taken.values[finite]))]
    if steps > MOST:
        rows.append(("seen at", f"{MOST} of {steps} steps"))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:{width}}  {text}" for label, text in rows)


def _not_finite(samples: Samples) -> list[tuple[str, str]]:
    wrong = samples.steps[~np.isfinite(samples.values)]
    if not wrong.size:
        return []
    return [
        (
            "not finite",
            f"{wrong.size} of {len(samples.steps)} steps, the first of them step {wrong[0]}",
        )
    ]


def _in_words(samples: Samples) -> list[tuple[str, str]]:
    if not samples.steps.size:
        return []
    found = phases(samples)
    peak = int(samples.values.argmax())
    return [
        *_shortened([_row(phase) for phase in found]),
        *_restarts(found),
        ("peak", f"{number(samples.values[peak])} at step {samples.steps[peak]}"),
        ("first", number(samples.values[0])),
        ("last", number(samples.values[-1])),
        ("mean", number(samples.values.mean())),
    ]


def _row(phase: Phase) -> tuple[str, str]:
    label = f"steps {phase.begin} to {phase.end}"
    if phase.kind == "constant":
        return label, f"constant at {number(phase.first)}"
    stairs = f" in {phase.stairs} stairs" if phase.stairs else ""
    return label, f"{phase.kind}{stairs} from {number(phase.first)} to {number(phase.last)}"


def _shortened(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(rows) <= _LINES:
        return rows
    ends = _LINES // 2
    return [*rows[:ends], ("...", f"{len(rows) - 2 * ends} more phases"), *rows[-ends:]]


def _restarts(found: list[Phase]) -> list[tuple[str, str]]:
    steps = [phase.end for phase in found if phase.kind == "jumps" and phase.last > phase.first]
    if not steps:
        return []
    shown = ", ".join(map(str, steps[:6])) + (", ..." if len(steps) > 6 else "")
    return [("jumps up", f"{len(steps)}, to step{'s' * (len(steps) > 1)} {shown}")]
