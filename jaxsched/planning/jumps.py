"""Whether a rate jumps where a run goes on with another schedule."""

from typing import Any

import numpy as np

SMALL = 1e-3
"""What part of a rate is no jump."""


def jump(old: Any, new: Any, count: int) -> str | None:
    """Where and how far the rate jumps, or None: "at 40000 from 0.0005 to 0.00091".

    Args:
      old: the schedule until now.
      new: the one to go on with.
      count: the step of the first update that it gives the rate of.
    """
    before, after = (_rate(rate, count) for rate in (old, new))
    if abs(after - before) <= SMALL * max(abs(before), abs(after)):
        return None
    return f"at {count} from {before:.4g} to {after:.4g}"


def _rate(rate: Any, count: int) -> float:
    return float(np.asarray(rate(count) if callable(rate) else rate))
