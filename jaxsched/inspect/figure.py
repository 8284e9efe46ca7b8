"""Axes to draw on, and pictures that are written whole or not at all. Needs Matplotlib."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jaxsched.inspect.whole import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def new_axes() -> "Axes":
    """The axes of a new figure, which belongs to no window and to none of pyplot's."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Pictures need Matplotlib, which `pip install 'jaxsched[plot]'` installs."
        ) from error
    return Figure(figsize=(8, 4), layout="constrained").subplots()


def save(ax: "Axes", path: str | os.PathLike[str]) -> None:
    """Writes the figure of some axes, in the format that the name ends with, PNG without one."""
    target = Path(path)
    with whole(target) as partial:
        figure = ax.figure.canvas.figure
        figure.savefig(partial, format=target.suffix[1:] or "png", dpi=150)
