"""Batches that grow where the rate would fall."""

import itertools
import math
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from jaxsched.core import checks
from jaxsched.core.schedule import Operand, Schedule, operand
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import constant_schedule
from jaxsched.schedules.piecewise import join_schedules

Plan = tuple[tuple[int, int], ...]
"""Pairs of a number of updates and of the tokens in each."""


class Exponents(NamedTuple):
    """What a rule does where the batch is r times the first one.

    Attributes:
      fall: the batch is there where the base has fallen to r ** -fall of its peak.
      scale: the rate is r ** scale times the base.
    """

    fall: float
    scale: float


RULES = {
    "seesaw": Exponents(fall=1.0, scale=0.5),
    "sqrt": Exponents(fall=0.5, scale=0.5),
    "linear": Exponents(fall=1.0, scale=1.0),
}
Rule = Annotated[Literal["seesaw", "sqrt", "linear"], checks.choice(*RULES)]


class _Stage(NamedTuple):
    """Updates on batches of one size: the tokens before them, the size, how many."""

    begin: int
    size: int
    steps: int


def batch_plan(
    schedule: Operand,
    tokens: int,
    batch_size: int,
    max_batch_size: int,
    multiple_of: int = 1,
    rule: Rule = "seesaw",
    growth: float = 2.0,
) -> tuple[Plan, Schedule]:
    """Larger batches in place of a lower rate: the same loss after fewer updates, in theory.

    Where the base has fallen to a times its peak, the batch and the rate become

        seesaw    batch_size / a        peak sqrt(a)    for Adam, in the theory of its paper
        sqrt      batch_size / a ** 2   peak            for Adam, at the edge of that theory
        linear    batch_size / a        peak            for SGD

    at each step down by which the batch grows `growth` times. Between these the rate is held, and
    once the batch is at its largest it is the base times `r ** (1/2)`, of "linear" times r, with r
    the largest batch over the first. The warm-up is as in the base.

    Args:
      schedule: the base, by nominal steps of `batch_size` tokens: a schedule, a number or a
        function of the count.
      tokens: of the whole run; all of them are used, the last batch may be smaller.
      batch_size: the tokens in a batch at first.
      max_batch_size: the most.
      multiple_of: what the tokens in every batch are a multiple of, such as the length of a
        sequence times the number of devices.
      rule: "seesaw", "sqrt" or "linear".
      growth: a batch over the one before, before it is rounded down to a multiple.

    Returns:
      The plan, pairs of a number of updates and of the tokens in each; and the schedule for
      `scale_by_learning_rate(schedule, clock="tokens", tokens_per_step=batch_size)`.

    Raises:
      ValueError: for numbers that are not multiples, with the nearest that are; a batch below 1 or
        above the largest; fewer tokens than a batch.

    Example:
      >>> from jaxsched import cosine_decay_schedule
      >>> plan, rate = batch_plan(cosine_decay_schedule(1.0, 1000), 1000 * 64, 64, 256)
      >>> plan
      ((500, 64), (84, 128), (83, 256))
      >>> print(*(f"{rate(step):.3f}" for step in (0, 498, 500, 666, 668, 1000)))
      1.000 1.000 0.707 0.707 0.496 0.000

    Reference:
      Meterez et al., Seesaw: Accelerating Training by Balancing Learning Rate and Batch Size
      Scheduling, 2025; Smith et al., Don't Decay the Learning Rate, Increase the Batch Size, 2018.
    """
    base = operand("schedule", schedule)
    exponents = RULES[checks.choice(*RULES)("rule", rule)]
    _check_sizes(tokens, batch_size, max_batch_size, multiple_of, growth)
    sizes = _sizes(batch_size, max_batch_size, multiple_of, growth)
    rates = _rates(base, -(-tokens // batch_size))
    falls = _falls(rates, [batch_size / size for size in sizes], exponents.fall)
    stages = _stages(sizes, [step * batch_size for step in falls], tokens)
    plan = tuple((stage.steps, stage.size) for stage in stages)
    return _with_the_rest(plan, tokens), _schedule(base, rates, stages, exponents, batch_size)


def _check_sizes(tokens: Any, first: Any, most: Any, multiple: Any, growth: Any) -> None:
    given = {"tokens": tokens, "batch_size": first, "max_batch_size": most}
    for name, value in {**given, "multiple_of": multiple}.items():
        checks.period(name, checks.whole_number(name, value))
    if not checks.positive("growth", growth) > 1:
        checks.refuse("growth", growth, "above 1")
    for name, value in given.items():
        if value % multiple:
            below = value // multiple * multiple
            near = f"{below} or {below + multiple}" if below else f"{multiple}"
            checks.refuse(name, value, f"a multiple of {multiple}, such as {near}")
    checks.in_order("batch_size", first, "max_batch_size", most)
    checks.in_order("batch_size", first, "tokens", tokens)


def _sizes(first: int, most: int, multiple: int, growth: float) -> list[int]:
    """The sizes of batches, ascending; the largest is the most."""
    sizes, wanted = [first], first * growth
    while wanted < most:
        size = int(wanted) // multiple * multiple
        sizes += [size] if size > sizes[-1] else []
        wanted *= growth
    return sizes if sizes[-1] == most else [*sizes, most]


def _rates(base: Any, steps: int) -> np.ndarray:
    counts = np.arange(steps + 1)
    values = base(counts) if callable(base) else np.full(counts.shape, base)
    return np.asarray(values, float)


def _falls(rates: np.ndarray, parts: list[float], exponent: float) -> list[int]:
    """The nominal steps at which the base is down to what each size asks for, as far as it is."""
    peak = int(rates.argmax())
    found = [0]
    for part in parts[1:]:
        # A base in stairs of float32 is down to a half where it says so.
        low = rates[peak:] <= rates[peak] * part**exponent * (1 + 1e-6)
        if not low.any() or rates[peak] <= 0:
            break
        found.append(peak + int(low.argmax()))
    return found


def _stages(sizes: list[int], begins: list[int], tokens: int) -> list[_Stage]:
    """The stages that have updates, each from the first batch that begins at its place or later."""
    found, consumed = [], 0
    for size, end in zip(sizes, [*begins[1:], None], strict=False):
        last = end is None
        left = max((tokens if last else min(end, tokens)) - consumed, 0)
        steps = left // size if last else min(math.ceil(left / size), (tokens - consumed) // size)
        if steps:
            found.append(_Stage(consumed, size, steps))
            consumed += steps * size
    return found


def _with_the_rest(plan: Plan, tokens: int) -> Plan:
    rest = tokens - sum(steps * size for steps, size in plan)
    return (*plan, (1, rest)) if rest else plan


def _schedule(
    base: Any, rates: np.ndarray, stages: list[_Stage], exponents: Exponents, first: int
) -> Any:
    """The base to its peak, a constant for each stage, and the base again for the largest batch."""
    peak = int(rates.argmax())
    if len(stages) == 1:
        return shift(base, 0)
    ratios = [stage.size / first for stage in stages]
    # The whole step in the middle of the last batch before: rounding of the clock decides nothing.
    begins = [
        (2 * after.begin - before.size + first) // (2 * first)
        for before, after in itertools.pairwise(stages)
    ]
    held = [
        constant_schedule(float(rates[peak]) * ratio ** (exponents.scale - exponents.fall))
        for ratio in ratios[:-1]
    ]
    last = shift(base * ratios[-1] ** exponents.scale, -begins[-1])
    return join_schedules([base, *held, last], [peak, *begins])
