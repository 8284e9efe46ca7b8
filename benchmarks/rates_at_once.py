"""A million rates at once, and a hundred cycles of SGDR, of jaxsched and of Optax."""

import functools
import statistics
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

import jaxsched
from benchmarks.cases import sgdr
from benchmarks.markdown import table
from benchmarks.timing import seconds, timed

COUNTS, TIMES, CYCLES = 1_000_000, 21, 100
PEAK, STEPS = 1e-3, 1_000_000
FORMS: Mapping[str, Callable[[Any], Any]] = {
    "cosine": lambda library: library.cosine_decay_schedule(PEAK, STEPS),
    "exponential": lambda library: library.exponential_decay(PEAK, 1000, 0.99),
    "warm-up cosine": lambda library: library.warmup_cosine_decay_schedule(0.0, PEAK, 1000, STEPS),
    f"SGDR of {CYCLES} cycles": functools.partial(sgdr, n=CYCLES),
}


class AtOnce(NamedTuple):
    """The seconds a form takes to compile, for a million rates, and for one."""

    compile: float
    million: float
    one: float


def measure() -> dict[str, tuple[AtOnce, AtOnce]]:
    """Each form of both libraries."""
    return {
        form: (_measured(make(jaxsched)), _measured(make(optax))) for form, make in FORMS.items()
    }


def _measured(rate: Callable[[Any], Any]) -> AtOnce:
    counts, one = jnp.arange(COUNTS), jnp.int32(COUNTS // 2)
    spent, compiled = timed(lambda: jax.jit(lambda count: rate(count)).lower(counts).compile())
    single = jax.jit(lambda count: rate(count)).lower(one).compile()
    return AtOnce(spent, _median(compiled, counts), _median(single, one))


def _median(compiled: Any, counts: jax.Array) -> float:
    compiled(counts).block_until_ready()
    return statistics.median(
        seconds(lambda: compiled(counts).block_until_ready()) for _ in range(TIMES)
    )


def section(measured: Mapping[str, tuple[AtOnce, AtOnce]]) -> str:
    """The table."""
    rows = [
        [
            form,
            *(f"{one.compile * 1e3:,.0f}" for one in both),
            *(f"{one.million * 1e6:,.0f}" for one in both),
            *(f"{one.one * 1e6:,.0f}" for one in both),
        ]
        for form, both in measured.items()
    ]
    header = ["form"] + [
        f"{what}, {library}"
        for what in ("compile ms", "a million µs", "one µs")
        for library in ("jaxsched", "Optax")
    ]
    return f"""## A million rates at once

The rates of {COUNTS:,} steps in one compiled call, and of one step; the median of {TIMES}.

{table(header, rows)}
"""
