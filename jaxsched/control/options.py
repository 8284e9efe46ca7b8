"""The kinds of hyperparameter that monitors and controllers have besides numbers."""

import keyword
from typing import Annotated, Any

from jaxsched.core import checks
from jaxsched.core.leaves import Text

_TAKEN = ("self", "updates", "state", "params", "opt_state")


def mode(name: str, value: Any) -> Text:
    """Whether the metric is to fall or to rise."""
    if value not in ("min", "max"):
        checks.refuse(name, value, "'min' or 'max'")
    return Text(value)


def metric(name: str, value: Any) -> Text:
    """The keyword under which `update` and `observe` are given a metric."""
    if not isinstance(value, str):
        checks.refuse(name, value, "the name of a metric", TypeError)
    if not value.isidentifier() or keyword.iskeyword(value) or value in _TAKEN:
        wanted = f"the name of an argument, other than {', '.join(_TAKEN)}"
        checks.refuse(name, value, wanted)
    return Text(value)


def axis(name: str, value: Any) -> Any:
    """The name of a mapped axis, or several."""
    if isinstance(value, (list, tuple)) and value:
        return tuple(axis(f"{name}[{i}]", item) for i, item in enumerate(value))
    if not isinstance(value, str) or not value:
        checks.refuse(name, value, "the name of a mapped axis", TypeError)
    return Text(value)


def factor(name: str, value: Any) -> Any:
    """A number between 0 and 1, without them."""
    concrete = checks.known(checks.number(name, value))
    if concrete is not None and not 0 < concrete < 1:
        checks.refuse(name, value, "between 0 and 1, without them")
    return value


def window(name: str, value: Any) -> Any:
    """A whole number of observations of at least 1."""
    return _whole(name, checks.period(name, value))


def observations(name: str, value: Any) -> Any:
    """A whole number of observations of at least 0."""
    return _whole(name, checks.steps(name, value))


def _whole(name: str, value: Any) -> Any:
    concrete = checks.known(value)
    if concrete is not None and concrete != int(concrete):
        checks.refuse(name, value, "a whole number")
    return value


Mode = Annotated[str, mode]
Metric = Annotated[str, metric]
Axis = Annotated[str | tuple[str, ...], axis]
Factor = Annotated[float | Any, factor]
Window = Annotated[int | Any, window]
Observations = Annotated[int | Any, observations]
