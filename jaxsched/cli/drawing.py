"""Curves in the terminal."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsched.inspect.samples import Samples, number, thinned

_HEIGHT = 18
_TICKS = 5


def draw(curves: Mapping[str, Samples], *, log: bool) -> str:
    """A plot as wide as the terminal of some curves by name, a letter each.

    Several are told apart by color, or where the output has none, drawn in their letters. Rates
    that are not finite are left out, and on a logarithmic axis those that are not positive.

    Raises:
      ImportError: without plotext.
      ValueError: if nothing is left.
    """
    drawn = {name: _drawable(curve, log) for name, curve in curves.items()}
    values = np.concatenate([curve.values for curve in drawn.values()])
    if not values.size:
        raise ValueError(f"There is no {'positive' if log else 'finite'} rate to draw.")
    colored = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    several = len(drawn) > 1
    figure = _figure()
    for name, curve in drawn.items():
        marker = name if several and not colored else "braille"
        signal = figure.signal(curve.steps.tolist(), curve.values.tolist(), marker=marker).lines()
        figure.draw(signal.label(name) if several and colored else signal)
    end = max(int(curve.steps[-1]) for curve in curves.values()) + 1
    low, high = _ends(values, log)
    figure.legend(x=end, y=high, ha="right", va="top", relative=True)
    steps = np.unique(np.linspace(0, end, _TICKS).round())
    heights = np.linspace(low, high, _TICKS)
    _rule(figure.ruler("x"), steps, [f"{step:.0f}" for step in steps])
    _rule(figure.ruler("y"), heights, [number(10**y if log else y) for y in heights])
    lines = figure.build().string(colorless=not colored).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _figure() -> Any:
    """An empty plot."""
    try:
        import plotext
    except ImportError:
        raise ImportError(
            "Plots in the terminal need plotext, which `pip install 'jaxsched[cli]'` installs."
        ) from None
    figure = plotext.figure
    figure.clear()
    figure.theme("simple")
    figure.plot_size(shutil.get_terminal_size().columns, _HEIGHT)
    return figure


def _drawable(curve: Samples, log: bool) -> Samples:
    """The points of a curve that can be drawn, as logarithms to base 10 on such an axis."""
    steps, values = thinned(curve)
    kept = np.isfinite(values) & ((values > 0) | (not log))
    return Samples(steps[kept], np.log10(values[kept]) if log else values[kept])


def _ends(values: np.ndarray, log: bool) -> tuple[float, float]:
    """The ends of the vertical axis, which shows 0 if it is not logarithmic."""
    low, high = float(values.min()), float(values.max())
    if not log:
        low, high = min(low, 0.0), max(high, 0.0)
    return low, high if high > low else low + 1


def _rule(ruler: Any, ticks: np.ndarray, labels: list[str]) -> None:
    ruler.lim(float(ticks[0]), float(ticks[-1]))
    ruler.ticks(ticks.tolist(), labels)
