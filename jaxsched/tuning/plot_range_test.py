"""A range test as a picture."""

import os
from typing import TYPE_CHECKING

import jax
import numpy as np

from jaxsched.core import checks
from jaxsched.inspect.figure import axes, saved
from jaxsched.tuning.range_test import RangeTest
from jaxsched.tuning.suggest import considered, suggest_rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_range_test(
    result: RangeTest, *, ax: "Axes | None" = None, path: str | os.PathLike[str] | None = None
) -> "Axes":
    """Draws the smoothed losses of a range test by learning rate, and marks the suggestions.

    The curve ends where `suggest_rates` stops looking: five steps before the end of the test, or
    up to where the loss diverged. The label of a suggestion has its rate, of several runs
    the median.

    Args:
      result: what `range_test` returned, or what it returned for several runs under `vmap`.
      ax: the axes to draw on. None makes a figure of its own, which pyplot does not know of: in
        a notebook, `ax=plt.gca()` shows it.
      path: a file to write the figure to, in the format that its name ends with.

    Returns:
      The axes.

    Raises:
      ImportError: without Matplotlib.
      ValueError: for losses with more than two axes.

    Example:
      >>> import jax.numpy as jnp
      >>> from jaxsched import range_test
      >>> losses = 1 / (1 + jnp.exp(jnp.arange(-12.0, 13.0, 0.25)))
      >>> axes = plot_range_test(range_test(lambda state, loss, rate: (state, loss), None, losses))
      >>> print(axes.get_xscale(), *(line.get_label() for line in axes.lines[1:]), sep="; ")
      log; valley 0.0012; slide 0.21; minimum 0.33; steep 0.0025
    """
    if result.smoothed.ndim not in (1, 2):
        checks.refuse("result", result.smoothed.shape, "of one run, or of several along one axis")
    runs = result if result.smoothed.ndim == 2 else jax.tree.map(lambda leaf: leaf[None], result)
    suggested = jax.vmap(suggest_rates)(runs)
    ends = jax.vmap(considered)(runs)[1]
    shown = np.arange(runs.losses.shape[1]) < np.asarray(ends)[:, None]
    rates, losses = np.asarray(runs.rates), np.where(shown, runs.smoothed, np.nan)
    ax = axes(ax)
    ax.plot(rates.T, losses.T, color="gray", alpha=max(0.3, 1 / len(rates)))
    for name, values in suggested._asdict().items():
        chosen = np.asarray(values)
        rows = zip(np.log(chosen), np.log(rates), losses, strict=True)
        heights = [np.interp(*row) for row in rows]
        if np.isfinite(chosen).any():
            ax.plot(chosen, heights, "o", label=f"{name} {np.nanmedian(chosen):.2g}")
    ax.set(xlabel="learning rate", ylabel="smoothed loss", xscale="log")
    if np.isfinite(suggested.valley).any():
        ax.legend()
    return saved(ax, path)
