"""Numbers of steps as people say them: "10%", "5 epochs", "2e9 tokens"."""

import inspect
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from jaxsched.core import checks
from jaxsched.core.maker import Reader
from jaxsched.core.tables import read_boundaries, read_table
from jaxsched.planning.units import Run

_LENGTHS = {
    checks.steps,
    checks.ramp_steps,
    checks.some_steps,
    checks.period,
    read_boundaries,
    read_table,
}
UNITS = ("epochs", "fraction", "tokens", "examples")
_SAID = re.compile(
    r"\s*(?P<number>[+-]?[0-9][0-9_]*(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?|\.[0-9]+)"
    r"\s*(?P<unit>%|steps?|epochs?|tokens?|examples?)\s*"
)


def counts_steps(reader: Reader) -> bool:
    """Whether what a reader reads is a number of steps, or several."""
    return counts_forwards(reader) or inspect.unwrap(reader) is checks.signed_steps


def counts_forwards(reader: Reader) -> bool:
    """Whether it is one that cannot be negative."""
    return inspect.unwrap(reader) in _LENGTHS


def in_steps(name: str, value: Any, run: Run | None) -> Any:
    """A length as a number of steps, where it is said in a unit; anything else as it is.

    Args:
      name: of the argument, for errors.
      value: text such as "10%", "5 epochs", "2e9 tokens", "300 examples" or "20 steps"; a mapping
        from a unit to a number, such as `{"fraction": 0.1}`; or a list of these, or a mapping
        from these to scales.
      run: how long the run is; None where nobody has said.

    Raises:
      ValueError: for another text, a percentage outside of 0 to 100, or a unit that needs a run,
        or of which the run does not say how long it is.
    """
    if isinstance(value, str):
        return _of_text(name, value, run)
    if is_said(value):
        ((unit, number),) = value.items()
        return _steps(name, value, run, str(unit), number)
    if hasattr(value, "items"):
        return {_key(name, key, run): scale for key, scale in value.items()}
    if isinstance(value, Sequence):
        return [in_steps(f"{name}[{i}]", item, run) for i, item in enumerate(value)]
    return value


def is_said(value: Any) -> bool:
    """Whether a mapping is one length, such as `{"epochs": 5}`."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in UNITS


def _key(name: str, key: Any, run: Run | None) -> Any:
    """A step among the keys of a table; JSON turns numbers into text."""
    return _of_text(name, key, run) if isinstance(key, str) and _SAID.fullmatch(key) else key


def _of_text(name: str, text: str, run: Run | None) -> int:
    said = _SAID.fullmatch(text)
    if said is None:
        checks.refuse(name, text, 'a number of steps, or such as "10%", "5 epochs", "2e9 tokens"')
    number, unit = Decimal(said["number"]), said["unit"]
    if unit == "%":
        if not 0 <= number <= 100:
            checks.refuse(name, text, "between 0% and 100%")
        return _steps(name, text, run, "fraction", float(number / 100))
    if unit.startswith("step"):
        if number < 0 or number != int(number):
            checks.refuse(name, text, "a whole number of steps of at least 0")
        return int(number)
    return _steps(name, text, run, unit.rstrip("s") + "s", float(number))


def _steps(name: str, value: Any, run: Run | None, unit: str, number: Any) -> int:
    if run is None:
        raise ValueError(
            f"`{name}` is {checks.quoted(value)}, of which only a `Run` tells how many steps it is:"
            " give `run=`."
        )
    try:
        return run.steps(**{unit: number})
    except (TypeError, ValueError) as error:
        raise type(error)(f"`{name}` is {checks.quoted(value)}: {error}") from None
