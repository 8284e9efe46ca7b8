"""The bounds of schedules over their peaks, as a picture."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxsched.inspect.figure import axes, saved
from jaxsched.planning.bounds import compare_bounds
from jaxsched.planning.rates import Rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_bounds(
    schedules: Mapping[str, Rates],
    steps: int,
    gradient_norms: Any = 1.0,
    distance: float = 1.0,
    *,
    ax: "Axes | None" = None,
    path: str | os.PathLike[str] | None = None,
) -> "Axes":
    """Draws how the `last_iterate_bound` of schedules changes with a factor of their rates.

        bound(f) = bound* (f / f* + f* / f) / 2        f*, bound*: of `best_peak`

    Args:
      schedules: schedules, or arrays of rates, by label.
      steps: the number of updates.
      gradient_norms: bounds of the norms of gradients: one, or one a step.
      distance: that from the first parameters to the best ones.
      ax: the axes to draw on. None makes a figure of its own, which pyplot does not know of.
      path: a file to write the figure to, in the format that its name ends with.

    Returns:
      The axes.

    Raises:
      ImportError: without Matplotlib.
      ValueError: as `compare_bounds`.

    Example:
      >>> from jaxsched import linear_schedule, plot_bounds
      >>> axes = plot_bounds({"linear": linear_schedule(1.0, 0.0, 100), "constant": 1.0}, 100)
      >>> print([line.get_label() for line in axes.lines])
      ['linear', 'constant']
    """
    table = compare_bounds(schedules, steps, gradient_norms, distance)
    ax = axes(ax)
    for label, (best, bound) in table.items():
        factors = best * np.geomspace(1 / 8, 8, 129)
        ax.plot(factors, bound * (factors / best + best / factors) / 2, label=label)
    ax.set(xlabel="factor of the schedule", ylabel="bound of the last loss", xscale="log")
    ax.legend()
    return saved(ax, path)
