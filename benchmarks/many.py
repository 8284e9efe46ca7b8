"""256 runs at once in one program, and one after another, each with a closure of Optax."""

import functools
import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

import jaxsched
from benchmarks.targets import Target, number
from benchmarks.timing import seconds
from benchmarks.training import SIZES, inputs, loss, parameters, step

Rate = Callable[[Any], Any]
SIZE = SIZES[0]
STEPS = 1000
PEAKS = jnp.geomspace(1e-4, 1e-1, 64)
SEEDS = 4


class Many(NamedTuple):
    """The seconds that all runs take.

    Attributes:
      first: at once, with compiling.
      again: at once, compiled before.
      closures: one after another, each compiled anew; from a sample of runs.
      compiled: one after another, compiled before; from the same sample.
      sample: the runs in it.
    """

    first: float
    again: float
    closures: float
    compiled: float
    sample: int


def train(steps: int, rate: Rate, key: jax.Array) -> jax.Array:
    """The loss of a network from random weights after training with Adam."""
    optimizer = optax.with_extra_args_support(optax.adam(rate))
    x = inputs(SIZE.layers)
    noise = jax.random.normal(key)
    params = jax.tree.map(lambda leaf: leaf * (1 + 0.1 * noise), parameters(SIZE.layers))
    carry = (params, optimizer.init(params))
    (params, _), _ = jax.lax.scan(functools.partial(step, optimizer, x), carry, length=steps)
    return loss(params, x)


def measure(quick: bool = False) -> Many:
    """Trains all at once, and a few one after another."""
    steps, sample = (10, 2) if quick else (STEPS, 8)
    keys = jax.random.split(jax.random.key(0), SEEDS)
    every = functools.partial(train, steps)
    ours = jaxsched.warmup_cosine_decay_schedule(0.0, 1e-3, steps // 10, steps)
    schedules = jax.vmap(lambda peak: ours.replace(peak_value=peak))(PEAKS)
    both = jax.jit(jax.vmap(jax.vmap(every, (None, 0)), (0, None)))
    first, again = (seconds(lambda: both(schedules, keys).block_until_ready()) for _ in range(2))
    compiling, compiled = [], []
    for peak in PEAKS[:: len(PEAKS) // sample].tolist():
        rate = optax.warmup_cosine_decay_schedule(0.0, peak, steps // 10, steps)
        one = jax.jit(functools.partial(every, rate))
        for times in (compiling, compiled):
            times.append(seconds(lambda one=one: one(keys[0]).block_until_ready()))
    runs = len(PEAKS) * SEEDS
    closures, alone = (runs * statistics.mean(times) for times in (compiling, compiled))
    return Many(first, again, closures, alone, sample)


def target(measured: Many, times: float) -> Target:
    """The target: so many times as fast as one after another."""
    ratio = measured.closures / measured.first
    part = number("256 runs", 1 / ratio, 1 / times, f"{ratio:,.0f} times")
    return Target(f"a population at least {times:g} times as fast as one run after another", [part])


def section(measured: Many) -> str:
    """The sentences."""
    return f"""## A population

256 runs, 64 peaks times 4 seeds, of {STEPS:,} Adam steps of {SIZE.parameters:,} parameters with a
warm-up cosine. All at once in one program: {measured.first:.1f} s with compiling,
{measured.again:.2f} s again. One after another with Optax's schedule, each run compiled anew:
{measured.closures:,.0f} s; without compiling, {measured.compiled:,.0f} s; both from the mean of
{measured.sample} runs.
"""
