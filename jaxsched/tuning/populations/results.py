"""What a population found, as a table to read: each schedule over all keys."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtrit

from jaxsched.core import checks


def results_table(
    schedules: Sequence[Any], values: Any, *, confidence: float = 0.95, maximize: bool = False
) -> str:
    """One metric of a `population` as text: each schedule's mean over keys, the best one first.

        mean +- t s / sqrt(n)

    with s the standard deviation over the n keys, and t the quantile of Student's distribution
    with n - 1 degrees of freedom. The keys are the same for all schedules, so the last column
    compares each with the best one key by key: an interval of the difference that holds 0 says
    that these keys do not tell the two apart. That the best one was chosen by the same values is
    not accounted for.

    Args:
      schedules: what was compared, or names for it; each is a row.
      values: one number for each schedule and key, in this order of axes.
      confidence: of the intervals, between 0 and 1.
      maximize: whether the greatest mean is the best, as of an accuracy.

    Raises:
      ValueError: for values of another shape, or a confidence beyond its bounds.

    Example:
      >>> losses = [[0.30, 0.34, 0.32], [0.20, 0.26, 0.23]]
      >>> print(results_table(["constant", "cosine"], losses))
      schedule               mean   minus the best
      cosine      0.23 +- 0.07452                -
      constant    0.32 +- 0.04968  0.09 +- 0.02484
    """
    rows = np.asarray(values, np.float64)
    if rows.ndim != 2 or len(rows) != len(schedules) or not rows.size:
        wanted = f"of shape ({len(schedules)}, keys), with at least one key"
        checks.refuse("values", rows.shape, wanted)
    if not 0 < confidence < 1:
        checks.refuse("confidence", confidence, "between 0 and 1")
    order = np.argsort(-rows.mean(axis=1) if maximize else rows.mean(axis=1), kind="stable")
    best = rows[order[0]]
    lines = [("schedule", "mean", "minus the best")]
    for place in order:
        apart = "-" if place == order[0] else _interval(rows[place] - best, confidence)
        lines.append((str(schedules[place]), _interval(rows[place], confidence), apart))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  {mean:>{widths[1]}}  {apart:>{widths[2]}}"
        for name, mean, apart in lines
    )


def _interval(numbers: np.ndarray, confidence: float) -> str:
    mean, n = numbers.mean(), len(numbers)
    if n == 1:
        return f"{mean:.4g}"
    half = stdtrit(n - 1, (1 + confidence) / 2) * numbers.std(ddof=1) / np.sqrt(n)
    return f"{mean:.4g} +- {half:.4g}"
