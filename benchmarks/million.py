"""A million rates at once, beside a loop over the schedules of PyTorch and Keras."""

import json
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp

import jaxsched
from benchmarks import peers
from benchmarks.families import FAMILIES, TABLES
from benchmarks.markdown import table
from benchmarks.targets import Target, number
from benchmarks.timing import seconds

TIMES = 9
LIMIT = 0.05
FORMS = {
    "cosine": jaxsched.cosine_decay_schedule(peers.PEAK, peers.STEPS),
    "exponential": jaxsched.exponential_decay(peers.PEAK, peers.TRANSITION, peers.DECAY_RATE),
    "piecewise constant": jaxsched.piecewise_constant_schedule(
        peers.PEAK, dict.fromkeys(peers.MILESTONES, 0.1)
    ),
}


class Million(NamedTuple):
    """The seconds a million rates take: of every schedule, of three forms, and of peers' loops."""

    families: Mapping[str, float]
    forms: Mapping[str, float]
    loops: Sequence[peers.Row]


def million(rate: jaxsched.Schedule) -> float:
    """The median time of a million rates at once, compiled before."""
    evaluate, counts = jax.jit(rate), jnp.arange(peers.STEPS)
    evaluate(counts).block_until_ready()
    return statistics.median(
        seconds(lambda: evaluate(counts).block_until_ready()) for _ in range(TIMES)
    )


def loops(python: Path | None) -> list[peers.Row]:
    """What the peers' loops take, in an environment that has the peers, if there is one."""
    if python is None:
        return []
    command = [str(python), "-m", "benchmarks.peers"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return [(form, name, spent * peers.STEPS) for form, name, spent in json.loads(run.stdout)]


def measure(python: Path | None) -> Million:
    """Measures every schedule, and the peers with a Python of their own."""
    families = {name: million(rate) for name, rate in FAMILIES.items()}
    return Million(families, {form: million(r) for form, r in FORMS.items()}, loops(python))


def target(measured: Million) -> Target:
    """The target for schedules that look up no table."""
    return Target(
        "a million rates of a schedule without a table in under 50 ms",
        [
            number(f"`{name}`", spent, LIMIT, f"{spent * 1e3:.1f} ms")
            for name, spent in measured.families.items()
            if name not in TABLES
        ],
    )


def _peer_table(measured: Million) -> str:
    if not measured.loops:
        return ""
    rows = [
        [
            form,
            name,
            f"{spent:,.1f}",
            f"{measured.forms[form] * 1e3:.1f}",
            f"{spent / measured.forms[form]:,.0f}",
        ]
        for form, name, spent in measured.loops
    ]
    header = ["form", "peer", "peer's loop s", "jaxsched ms", "times as fast"]
    return f"""
The schedules of PyTorch and Keras give one rate a call. Their loops were timed over
{peers.TORCH_STEPS:,} and {peers.KERAS_STEPS:,} steps and are given for a million. Keras ran on JAX.

{table(header, rows)}
"""


def section(measured: Million) -> str:
    """The tables."""
    rows = [[f"`{name}`", f"{s * 1e3:.1f}"] for name, s in measured.families.items()]
    return f"""## A million rates

The rates of a million steps at once, in one compiled call; the median of {TIMES}.

{table(["schedule", "ms"], rows)}

{_peer_table(measured)}"""
