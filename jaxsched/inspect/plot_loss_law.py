"""Losses of runs and what a law says of them, as a picture."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxsched.inspect.figure import axes, saved
from jaxsched.inspect.samples import evenly
from jaxsched.planning.laws.law import LossLaw
from jaxsched.planning.rates import Rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_loss_law(
    law: LossLaw,
    curves: Sequence[tuple[Rates, Any, Any]] = (),
    predicted: Mapping[str, tuple[Rates, int]] | None = None,
    *,
    ax: "Axes | None" = None,
    path: str | os.PathLike[str] | None = None,
) -> "Axes":
    """Draws seen losses as points, the law through them, and what it predicts of other runs.

    Args:
      law: what `fit_loss_law` returned.
      curves: runs with their losses: what it was fitted to, or others to test it on.
      predicted: by label a schedule and a number of updates, to be drawn as dashed lines.
      ax: the axes to draw on. None makes a figure of its own, which pyplot does not know of.
      path: a file to write the figure to, in the format that its name ends with.

    Returns:
      The axes.

    Raises:
      ImportError: without Matplotlib.

    Example:
      >>> from jaxsched import LossLaw, plot_loss_law
      >>> law = LossLaw(("annealing",), ({"L0": 2.0, "A": 1.0, "alpha": 0.5, "C": 0.5},), (0.999,))
      >>> axes = plot_loss_law(law, predicted={"constant": (0.01, 2000)})
      >>> print([line.get_label() for line in axes.lines])
      ['constant']
    """
    ax = axes(ax)
    for place, (schedule, steps, losses) in enumerate(curves):
        (points,) = ax.plot(steps, losses, ".", markersize=3, label=f"run {place}: seen")
        ax.plot(steps, law.curve(schedule, steps), color=points.get_color(), label="law")
    for label, (schedule, steps) in (predicted or {}).items():
        counts = np.unique(np.maximum(evenly(steps // 20, steps, 200), 1))
        ax.plot(counts, law.curve(schedule, counts), "--", label=label)
    ax.set(xlabel="step", ylabel="loss")
    ax.legend()
    return saved(ax, path)
