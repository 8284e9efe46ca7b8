"""The cycles of a run of Levanter, and the phases of each, in steps."""

import itertools
from typing import Any, NamedTuple

from jaxsched.core import checks
from jaxsched.interop.shared.fields import Fields
from jaxsched.interop.shared.reading import some_whole_steps


class Cycle(NamedTuple):
    """A warm-up, a constant and a decay.

    Attributes:
      begin: its first step.
      warmup: the length of the warm-up.
      decay_begin: the first step of the decay.
      end: the first step after it.
    """

    begin: int
    warmup: int
    decay_begin: int
    end: int


def length(name: str, value: Any, whole: int, faithful: bool) -> int:
    """A length in steps: what is up to 1 is a part of a whole, cut to whole steps."""
    number = checks.known(checks.non_negative(name, value))
    assert number is not None
    if number > 1 and number % 1 != 0:
        checks.refuse(name, value, "a part from 0 to 1, or a whole number of steps")
    if number > 1 or not (faithful or isinstance(number, float)):
        return int(number)
    return int(number * whole)


def cycles_of(fields: Fields, steps: int, faithful: bool) -> list[Cycle]:
    """The cycles of so many steps."""
    ends = _ends(fields, steps, faithful)
    if sorted(ends) != ends:
        checks.refuse("cycles", ends, f"in ascending order, and within the run of {steps} steps")
    pairs = enumerate(itertools.pairwise([0, *ends]))
    return [_cycle(fields, i, begin, end, faithful) for i, (begin, end) in pairs]


def _cycle(fields: Fields, number: int, begin: int, end: int, faithful: bool) -> Cycle:
    whole = end - begin
    name, default = ("rewarmup", 0.0) if number else ("warmup", 0.01)
    value = fields.get(name)
    warmup = min(length(name, default if value is None else value, whole, faithful), whole)
    decay = fields.get("decay")
    falling = whole if decay is None else length("decay", decay, whole, faithful)
    return Cycle(begin, warmup, end - min(falling, whole - warmup), end)


def _ends(fields: Fields, steps: int, faithful: bool) -> list[int]:
    """Where each cycle ends, up to the end of the run."""
    given = fields.any_of(("cycles", "cycle_length", "haps"))
    if len(given) > 1:
        raise ValueError("Only one of " + " and ".join(f"`{name}`" for name in given) + " can be.")
    inner = _INNER[given[0]](fields.get(given[0]), steps, faithful) if given else []
    return inner if inner and inner[-1] == steps else [*inner, steps]


def _by_number_or_ends(cycles: Any, steps: int, _: bool) -> list[int]:
    if isinstance(cycles, (list, tuple)):
        return [some_whole_steps("cycles", end) for end in cycles]
    number = some_whole_steps("cycles", cycles)
    return [int(steps / number * (i + 1)) for i in range(number - 1)]


def _by_length(given: Any, steps: int, faithful: bool) -> list[int]:
    if isinstance(given, (list, tuple)):
        ends = list(itertools.accumulate(some_whole_steps("cycle_length", n) for n in given))
        if ends and ends[-1] > steps:
            wanted = f"within the run of {steps} steps"
            checks.refuse("cycle_length", given, wanted)
        return ends
    each = length("cycle_length", given, steps, faithful)
    if each == 0:
        checks.refuse("cycle_length", given, f"at least a step of {steps}")
    # Levanter leaves out the last whole cycle if another begins after it.
    number = steps // each if faithful else -(-steps // each)
    return [i * each for i in range(1, number)]


_INNER = {"cycles": _by_number_or_ends, "haps": _by_number_or_ends, "cycle_length": _by_length}
