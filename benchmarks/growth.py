"""How schedules grow with the number of their segments, beside Optax."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

import jaxsched
from benchmarks.cases import CASES, HORIZON, Case, Rate
from benchmarks.markdown import table
from benchmarks.timing import seconds, timed

SIZES = (10, 1_000, 10_000)
OPTAX_SIZES = (10, 1_000)
ROUNDS = 5
ROUND_SECONDS = 1.0
CALLS = 500


@dataclass
class Growth:
    """What is measured of one schedule; times in seconds."""

    make: float = math.inf
    trace: list[float] = field(default_factory=list)
    compile: list[float] = field(default_factory=list)
    call: float = math.inf
    instructions: int = 0
    million: float = math.nan


class Measured(NamedTuple):
    """A schedule of one library at several numbers of segments."""

    case: Case
    library: str
    sizes: dict[int, Growth]


def instructions(program: str) -> int:
    """The instructions of a program, those inside fusions included."""
    return program.count(" = ")


def _fresh(rate: Rate) -> Rate:
    """The same schedule as a new function, of which JAX has cached nothing."""
    return lambda count: rate(count)


def _call_seconds(compiled: Any) -> float:
    """The median time of a compiled call with a scalar count."""
    counts = [jnp.int32(count) for count in range(0, HORIZON, HORIZON // 100)]
    times = [
        seconds(lambda count=count: compiled(count).block_until_ready())
        for _ in range(CALLS // len(counts))
        for count in counts
    ]
    return statistics.median(times)


def _million_seconds(rate: Rate) -> float:
    """The time of the second evaluation of a million counts at once."""
    evaluate, counts = jax.jit(rate), jnp.arange(HORIZON)
    evaluate(counts).block_until_ready()
    return seconds(lambda: evaluate(counts).block_until_ready())


def _grow(case: Case, library: Any, sizes: Sequence[int]) -> Measured:
    # The sizes take turns, so that a busy moment of the machine does not fall on one alone.
    measured = {n: Growth() for n in sizes}
    for _ in range(ROUNDS):
        for n, one in measured.items():
            if sum(one.trace) + sum(one.compile) <= ROUND_SECONDS:
                _measure(case, library, n, one)
    return Measured(case, library.__name__, measured)


def _measure(case: Case, library: Any, n: int, one: Growth) -> None:
    spent, rate = timed(lambda: case.make(library, n))
    one.make = min(one.make, spent)
    jitted = jax.jit(_fresh(rate))
    spent, lowered = timed(lambda: jitted.lower(jnp.int32(0)))
    one.trace.append(spent)
    spent, compiled = timed(lowered.compile)
    one.compile.append(spent)
    one.call = min(one.call, _call_seconds(compiled))
    if not one.instructions:
        one.instructions = instructions(compiled.as_text())
        one.million = _million_seconds(rate) if library is jaxsched else math.nan


def measure(
    sizes: Sequence[int] = SIZES, optax_sizes: Sequence[int] = OPTAX_SIZES
) -> list[Measured]:
    """Measures all schedules of both libraries."""
    jax.jit(lambda x: x + 1).lower(jnp.int32(0)).compile()
    ours = [_grow(case, jaxsched, sizes) for case in CASES]
    return ours + [_grow(case, optax, optax_sizes) for case in CASES if case.in_optax]


def _rows(measured: Sequence[Measured]) -> Iterator[list[str]]:
    for case, library, sizes in sorted(measured, key=lambda one: CASES.index(one.case)):
        for n, one in sizes.items():
            yield [
                case.name,
                library,
                f"{n:,}",
                f"{one.make:.3f}",
                f"{min(one.trace):.3f}",
                f"{min(one.compile):.3f}",
                f"{one.instructions:,}",
                f"{one.call * 1e6:.1f}",
                "" if math.isnan(one.million) else f"{one.million:.3f}",
            ]


def section(measured: Sequence[Measured]) -> str:
    """The table of sizes and times."""
    header = ["schedule", "library", "n", "make s", "trace s", "compile s"]
    header += ["instructions", "µs a call", "10⁶ counts s"]
    return f"""## Growth with the number of segments

`n` uneven segments, or cycles, that cover about a million steps; the values are the same for
both libraries. *instructions* are those of the optimized program for one int32 count, inside
fusions too. Times are the best of up to {ROUNDS}, of which that of a call is each the median of
{CALLS:,}; *10⁶ counts* is the second evaluation of a million counts at once. Optax at 10,000
segments takes minutes to compile, and is left out.

{table(header, list(_rows(measured)))}
"""
