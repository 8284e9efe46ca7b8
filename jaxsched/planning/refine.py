"""A schedule made of the gradient norms of a run."""

from typing import Any

import numpy as np

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.core.types import BelowOne, Positive
from jaxsched.planning.rates import in_range
from jaxsched.schedules.table import table_schedule


def refine(
    gradient_norms: Any,
    peak_value: Positive = 1.0,
    *,
    power: int = 2,
    smoothing: BelowOne = 0.0,
) -> Schedule:
    """The schedule that suits the gradient norms of a run: low where they were large.

        rate[t] = peak_value u[t] / max u        u[t] = w[t] (w[t + 1] + ... + w[T - 1])
        w[t]    = G[t] ** -power                 t = 0, ..., T - 1

    It minimizes a bound on the loss of the last iterate. Norms that do not change give linear
    decay to 0. Norms that fall towards the end give a warm-up and a faster decay. Train once,
    refine, train again.

    Args:
      gradient_norms: G, one a step, all above 0: norms of gradients for SGD.
      peak_value: the highest rate.
      power: 2 for SGD with the l2 norms; 1 for Adam and others that step alike in each
        coordinate, with the l1 norms.
      smoothing: the part of the run over which a running median is taken, to find its trend:
        up to 0.25, say. The ends are mirrored.

    Returns:
      A `table_schedule` of T rates, of which the last is 0.

    Raises:
      ValueError: for fewer than two norms, norms that are not above 0, and another power.

    Example:
      >>> import numpy as np
      >>> print(*map(float, refine(np.full(5, 0.3))(np.arange(6))))
      1.0 0.75 0.5 0.25 0.0 0.0
      >>> print(*map(float, refine([4.0, 1.0, 1.0])(np.arange(3))))
      0.125 1.0 0.0

    Reference:
      Defazio, Cutkosky, Mehta and Mishchenko, Optimal Linear Decay Learning Rate Schedules and
      Further Refinements, 2023.
    """
    norms = np.asarray(gradient_norms, np.float64)
    if norms.ndim != 1 or len(norms) < 2:
        checks.refuse("gradient_norms", gradient_norms, "two or more numbers, one a step")
    in_range("gradient_norms", norms, 0, open_end=True)
    if power not in (1, 2):
        checks.refuse("power", power, "1 or 2")
    checks.positive("peak_value", peak_value)
    norms = _medians(norms, int(checks.below_one("smoothing", smoothing) * len(norms) / 2))
    weights = (norms / norms.min()) ** -power
    later = np.append(np.cumsum(weights[:0:-1])[::-1], 0.0)
    shape = weights * later
    return table_schedule(peak_value * (shape / shape.max()))


def _medians(values: np.ndarray, reach: int) -> np.ndarray:
    """The median of each value and as many as `reach` on either side."""
    if not reach:
        return values
    padded = np.pad(values, reach, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.array([np.median(window) for window in windows])
