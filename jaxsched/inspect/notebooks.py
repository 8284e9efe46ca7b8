"""How a schedule shows in a notebook: the call, and what `plot` draws.

Notebooks look for the methods on the class. They need what stands above it, so they are given to
it here.
"""

import html
import io
from typing import Any

from jaxsched.core import checks
from jaxsched.core.bound import Bound
from jaxsched.core.maker import is_default
from jaxsched.core.schedule import Schedule
from jaxsched.core.stack import Stack
from jaxsched.inspect.checks.lengths import lengths
from jaxsched.inspect.plot import plot

_UNKNOWN_LENGTH = 100


def as_html(schedule: Schedule) -> str:
    """The call that makes a schedule, above its picture in SVG where one can be drawn.

    It shows the steps of all lengths that the schedule was given, one after another, and at
    most twice the longest. No picture is drawn without Matplotlib, and of traced numbers.
    """
    return f"<pre>{html.escape(repr(schedule))}</pre>{_picture(schedule)}"


def as_tree(bound: Bound, path: str | None, subtree_renderer: Any) -> Any:
    """A call for Treescope, which can fold each hyperparameter."""
    from treescope.repr_lib import render_object_constructor

    return render_object_constructor(
        object_type=bound.maker,  # pyright: ignore[reportArgumentType] # whose name is read
        attributes=_given(bound),
        path=path and f"{path}.hyperparams",
        subtree_renderer=subtree_renderer,
        roundtrippable=True,
    )


def _given(bound: Bound) -> dict[str, Any]:
    """The hyperparameters that are not at their default; of several schedules the list."""
    return {
        name: list(value.members()) if isinstance(value, Stack) else value
        for name, value in bound.hyperparams.items()
        if not is_default(bound.maker, name, bound.hyperparams)
    }


def _picture(schedule: Schedule) -> str:
    try:
        axes = plot(schedule, _steps(schedule))
    except (ImportError, TypeError, ValueError):
        return ""
    written = io.StringIO()
    axes.figure.canvas.figure.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def _steps(schedule: Schedule) -> int:
    given = [int(length) for _, length in lengths(schedule)]
    steps = min(sum(given), 2 * max(given)) if given else _UNKNOWN_LENGTH
    return min(steps + 1, checks.MAX_COUNT)


Schedule._repr_html_ = as_html  # pyright: ignore[reportAttributeAccessIssue]
Bound.__treescope_repr__ = as_tree  # pyright: ignore[reportAttributeAccessIssue]
