"""The batches of a run of Megatron-LM, and schedules by sample in steps of them."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from jaxsched.core import checks
from jaxsched.core.checks import MAX_COUNT
from jaxsched.core.schedule import Schedule
from jaxsched.interop.megatron.lengths import running_batch_size
from jaxsched.interop.shared.fields import Fields
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.interop.shared.reading import some_whole_steps

_SUFFIXES = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


class Batches(NamedTuple):
    """Updates on batches of one size.

    Attributes:
      begin: the first of them.
      consumed: the samples that went before.
      size: the samples in each.
    """

    begin: int
    consumed: int
    size: int


def batches_of(args: Fields) -> list[Batches]:
    """The sizes of the batches, each from an update on, the last without end."""
    plan = args.read("step_batch_size_schedule", _text, None)
    if plan is None:
        return [Batches(0, 0, running_batch_size(args))]
    entries = _entries(plan, args.read("seq_length", some_whole_steps, 1))
    found = [Batches(0, 0, entries[0][1])]
    for threshold, size in entries[1:]:
        last = found[-1]
        # The first update that begins with so many samples behind it.
        steps = max(math.ceil(Fraction(threshold - last.consumed, last.size)), 0)
        if steps == 0:
            found.pop()
        found.append(Batches(last.begin + steps, last.consumed + steps * last.size, size))
    return [one for one in found if one.begin <= MAX_COUNT]


def sized(batches: list[Batches], steps: int) -> tuple[tuple[int, int], ...]:
    """How many updates there are of each size in a number of them."""
    begins = [min(one.begin, steps) for one in batches] + [steps]
    pairs = zip(itertools.pairwise(begins), batches, strict=True)
    return tuple((end - begin, one.size) for (begin, end), one in pairs if begin < end)


def first_with(batches: list[Batches], samples: Fraction) -> int:
    """The first update before which at least so many samples were seen."""
    last = [one for one in batches if one.consumed <= samples][-1]
    steps = last.begin + math.ceil((samples - last.consumed) / last.size)
    later = [one.begin for one in batches if one.consumed > samples]
    return min([steps, *later, MAX_COUNT])


def first_beyond(batches: list[Batches], samples: Fraction) -> int:
    """The first update before which more than so many samples were seen."""
    return first_with(batches, Fraction(math.floor(samples) + 1))


def on_samples(curve: Callable[[int], Schedule], batches: list[Batches]) -> Schedule:
    """A curve over samples at each update.

    Args:
      curve: from a number of samples to the curve with these as its step.
      batches: what the updates are of.
    """
    return joined([Part(b.begin, curve(b.size), b.consumed / b.size) for b in batches])


def _entries(plan: str, seq_length: int) -> list[tuple[int, int]]:
    entries = [_entry(item, seq_length) for item in plan.replace(",", " ").split()]
    thresholds = [threshold for threshold, _ in sorted(entries)]
    if not entries or thresholds[0] != 0 or len(set(thresholds)) < len(thresholds):
        wanted = "entries THRESHOLD:SIZE with different thresholds, the first of them 0"
        checks.refuse("step_batch_size_schedule", plan, wanted)
    return sorted(entries)


def _entry(item: str, seq_length: int) -> tuple[int, int]:
    try:
        threshold, size = map(_number, item.split(":"))
    except ValueError:
        wanted = "entries THRESHOLD:SIZE such as '0:768 250B:1536'"
        checks.refuse("step_batch_size_schedule", item, wanted)
    some_whole_steps("step_batch_size_schedule", size)
    return threshold // seq_length, size


def _number(text: str) -> int:
    digits, suffix = text[:-1], text[-1:].upper()
    return int(float(digits) * _SUFFIXES[suffix]) if suffix in _SUFFIXES else int(float(text))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        checks.refuse(name, value, "a string", TypeError)
    return value
