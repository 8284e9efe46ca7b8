"""Axes to draw on, and pictures that are written whole or not at all. Needs Matplotlib."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxsched.core.checks import refuse
from jaxsched.inspect.whole import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes(ax: Any) -> "Axes":
    """The axes that are given, or those of a new figure, which is none of pyplot's."""
    try:
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Pictures need Matplotlib, which `pip install 'jaxsched[plot]'` installs."
        ) from error
    if ax is None:
        return Figure(figsize=(8, 4), layout="constrained").subplots()
    if not isinstance(ax, Axes):
        refuse("ax", ax, "Matplotlib's axes", TypeError)
    return ax


def saved(ax: "Axes", path: str | os.PathLike[str] | None) -> "Axes":
    """The axes, whose figure is written where there is a path.

    In the format that the name ends with, PNG without one.
    """
    if path is None:
        return ax
    if not isinstance(path, (str, os.PathLike)):
        refuse("path", path, "the path of a file", TypeError)
    target = Path(path)
    with whole(target) as partial:
        figure = ax.figure.canvas.figure
        figure.savefig(partial, format=target.suffix[1:] or "png", dpi=150)
    return ax
