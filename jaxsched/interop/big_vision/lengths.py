"""Lengths in big_vision: in steps, epochs, examples, or as a part of the run."""

from typing import Any, NamedTuple

from jaxsched.core import checks
from jaxsched.interop.shared.fields import Fields


class Run(NamedTuple):
    """What lengths are converted with; None is not known.

    Attributes:
      total_steps: the steps of the run.
      batch_size: the examples in a step.
      data_size: the examples in an epoch.
    """

    total_steps: float | None
    batch_size: float | None
    data_size: float | None


def steps_of(fields: Fields, prefix: str, run: Run) -> float | None:
    """The length of that name in steps, None if there is none.

    Negative numbers stand for none. What is not in steps is rounded to whole ones, at least 1
    for a length that is not 0.

    Raises:
      ValueError: for a length in two units, a part above 1, or a unit of unknown size.
    """
    names = [f"{prefix}_{unit}" for unit in ("steps", "examples", "epochs", "percent")]
    given = [name for name in names if _there(name, fields.get(name))]
    if not given:
        return None
    if len(given) > 1:
        raise ValueError("Only one of " + " and ".join(f"`{name}`" for name in given) + " can be.")
    name, length = given[0], checks.known(fields.get(given[0]))
    assert length is not None
    if name.endswith("_steps"):
        return checks.steps(name, length)
    if name.endswith("_examples"):
        steps = length / _known(name, "batch_size", run.batch_size)
    elif name.endswith("_epochs"):
        batch = _known(name, "batch_size", run.batch_size)
        steps = length * (_known(name, "data_size", run.data_size) / batch)
    else:
        checks.fraction(name, length)
        steps = length * _known(name, "total_steps", run.total_steps)
    return max(1, round(steps)) if steps else 0


def _there(name: str, value: Any) -> bool:
    return value is not None and checks.number(name, value) >= 0


def _known(name: str, unit: str, value: float | None) -> float:
    if not value:
        raise ValueError(f"`{name}` needs `{unit}`.")
    return checks.positive(unit, value)
