"""Findings on where the run ends, against where the schedule does."""

from jaxsched.inspect.checks.view import Finding, View
from jaxsched.inspect.samples import number


def never_at_its_peak(view: View) -> list[Finding]:
    """A run that is over before the schedule is at its highest, unless that goes in cycles."""
    run, later = view.run, view.later
    if not later.steps.size or view.lows or later.values.max() <= 1.001 * run.values.max():
        return []
    peak = int(later.values.argmax())
    message = (
        f"The run ends before the peak of the schedule: its highest rate is"
        f" {number(run.values.max())}, and {number(later.values[peak])} would come at about step"
        f" {later.steps[peak]}. The warm-up is longer than the run, or has another unit."
    )
    return [Finding(int(run.steps[run.values.argmax()]), message)]


def above_its_floor(view: View) -> list[Finding]:
    """A run that is over before the decay is."""
    end, run, final = view.end, view.run, view.whole.values[-1]
    if end is None or end < view.total_steps or not view.later.steps.size:
        return []
    last = min(run.values[-1], view.later.values[0])
    if last - final <= 1e-3 * view.highest:
        return []
    message = (
        f"The run ends at a rate of {number(run.values[-1])}, but the schedule goes on to"
        f" {number(final)}, at about step {end}: its lengths are those of a longer run, or"
        " leave out that a warm-up delays what follows it."
    )
    return [Finding(int(run.steps[-1]), message)]


def early_end(view: View) -> list[Finding]:
    """A decay that is over long before the run is."""
    if len(view.phases) < 2:
        return []
    before, last = view.phases[-2:]
    rest = last.end - last.begin
    decayed = before.kind == "falls" and not before.stairs
    if last.kind != "constant" or not decayed or rest <= 0.2 * view.total_steps:
        return []
    message = (
        f"The rate is at its last value, {number(last.last)}, from here on, for"
        f" {rest / view.total_steps:.0%} of the run: the lengths of the schedule are those of a"
        " shorter run, or count something else than steps."
    )
    return [Finding(last.begin, message)]
