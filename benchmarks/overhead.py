"""What a rate costs in a training step: of jaxsched, of Optax, and by a rule on the host."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks import optimizers
from benchmarks.growth import instructions
from benchmarks.host import HostRule
from benchmarks.markdown import interval, table
from benchmarks.timing import Estimate, estimate, take_turns
from benchmarks.training import Size, trainings

AGAIN = "the constant again"
HOST = "rule on the host"


class Overhead(NamedTuple):
    """What is measured of one network.

    Attributes:
      size: the network.
      one: by name of the rate, the ratios of steps called one by one.
      scan: the ratios of steps in a `lax.scan`.
      together: the ratios of all rates of jaxsched as one sample, of both ways.
      over_host: the time of the controller that does as the rule on the host, over its time.
      microseconds: those of a step with a constant rate, one by one and in a scan.
      program: by name, the counts of the compiled step.
    """

    size: Size
    one: Mapping[str, Estimate]
    scan: Mapping[str, Estimate]
    together: tuple[Estimate, Estimate]
    over_host: Estimate
    microseconds: tuple[float, float]
    program: Mapping[str, list[str]]


def measure(size: Size, rates: Mapping[str, Any], budget: float) -> Overhead:
    """Trains with each rate in turn, each of both ways for `budget` seconds."""
    constant = optimizers.CONSTANT
    compiled = trainings(size, {"": constant, AGAIN: constant, **rates})
    baseline = compiled.pop("")
    host = HostRule(size, optimizers.PEAK)
    calls = {HOST: host.calls, **{name: each.calls for name, each in compiled.items()}}
    one = take_turns(baseline.calls, calls, budget)
    scan = take_turns(baseline.scan, {name: each.scan for name, each in compiled.items()}, budget)
    return Overhead(
        size,
        {name: estimate(sample) for name, sample in one.ratios.items()},
        {name: estimate(sample) for name, sample in scan.ratios.items()},
        (_together(one.ratios), _together(scan.ratios)),
        estimate(one.ratios[optimizers.LIKE_THE_HOST] / one.ratios[HOST]),
        (one.baseline / size.calls * 1e6, scan.baseline / size.scan * 1e6),
        {name: counts(each.one.as_text(), each.arrays) for name, each in compiled.items()},
    )


def _together(ratios: Mapping[str, np.ndarray]) -> Estimate:
    ours = [sample for name, sample in ratios.items() if name in optimizers.OURS]
    return estimate(np.concatenate(ours))


def counts(program: str, arrays: int) -> list[str]:
    """Instructions, fusions and conditionals of a program, and the arrays of the state."""
    figures = [instructions(program), program.count(" fusion("), program.count(" conditional(")]
    return [f"{figure:,}" for figure in [*figures, arrays]]


def _rows(measured: Overhead) -> Iterator[list[str]]:
    for name in (AGAIN, *(name for name in measured.scan if name != AGAIN)):
        yield [
            name,
            interval(measured.one[name]),
            interval(measured.scan[name]),
            *measured.program[name],
        ]
    yield [HOST, interval(measured.one[HOST]), *[""] * 5]


def _table(measured: Overhead) -> str:
    one, scan = measured.microseconds
    header = ["rate", "one by one", "in a scan", "instructions", "fusions"]
    header += ["conditionals", "arrays"]
    return f"""### {measured.size.parameters:,} parameters

A step with a constant rate takes {one:,.1f} µs, in a scan {scan:,.1f} µs. All rates of
jaxsched as one sample: one by one {interval(measured.together[0])}, in a scan
{interval(measured.together[1])}.

{table(header, list(_rows(measured)))}
"""


def section(measured: Sequence[Overhead]) -> str:
    """The tables of all networks."""
    return "\n".join(
        [
            """## Cost in a training step

An Adam step over the same step of `optax.adam(1e-3)`; a batch is 16 vectors, and all rates hear
the loss. Steps are called one by one with a donated state, or all in one `lax.scan`. Short blocks
of all rates take turns in random order in one process, each between two blocks of the constant
rate, all from the same parameters. A figure is the median ratio of neighbours, between the order
statistics that hold it with a confidence of 95 %. The last four columns are of the compiled step:
its instructions, fusions, conditionals, and the arrays of the optimizer's state. The rule on the
host fetches the loss at each step, decides in Python, and feeds the rate back. Schedules are those
of jaxsched in `optax.adam` where nothing else is said; those of `benchmarks/families.py`.
""",
            *map(_table, measured),
        ]
    )


@functools.cache
def rates(everything: bool) -> dict[str, Any]:
    """What is measured: every schedule, or six that stand for all, and all the rest."""
    schedules = optimizers.SCHEDULES if everything else optimizers.SIX_SCHEDULES
    return {**schedules, **optimizers.APPLIED, **optimizers.CONTROLLERS, **optimizers.OPTAX}
