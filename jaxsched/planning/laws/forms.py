"""The formulas of the laws. Each has the rates of a run, and numbers of updates done."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

SEGMENTS = 1000
"""The most groups of neighbouring steps that the changes of a rate are taken together in."""

SINGLE = 400
"""How many of them, the latest, are of one step: there the laws are steepest."""


class Changes(NamedTuple):
    """The changes of a rate, thinned: of each group the sum, and where in the run it is.

    Attributes:
      gaps: how much the rate falls in each.
      logs: the logarithm of the rate after it.
      areas: for each number of updates (first axis) the sum of the rates from there to it.
    """

    gaps: Any
    logs: Any
    areas: Any


def area(rates: jax.Array, counts: jax.Array) -> jax.Array:
    """S1, the sum of the rates of so many updates."""
    return jnp.cumsum(rates)[counts - 1]


# One program: by itself each of some two hundred operations would be compiled for each length.
@jax.jit
def momentum(rates: jax.Array, counts: Any, memory: Any) -> jax.Array:
    """S2, the sum over the updates of the falls of the rate, each heard for a while."""

    # Not `lax.scan`, which JAX before 0.7 cannot run where values are to be known.
    def after(first: Any, second: Any) -> Any:
        return second[0] * first[0], second[0] * first[1] + second[1]

    gaps = jnp.append(jnp.zeros(1, rates.dtype), -jnp.diff(rates))
    _, heard = jax.lax.associative_scan(after, (jnp.full_like(gaps, memory), gaps))
    return jnp.cumsum(heard)[counts - 1]


def changes(rates: jax.Array, counts: np.ndarray) -> Changes:
    """The changes of a rate, the last few hundred one by one, those before in growing groups."""
    bounds = np.stack([_bounds(count) for count in counts.tolist()])
    # A rate of 0 has no logarithm: its changes count as those of a rate near 0.
    logs = jnp.log(jnp.maximum(rates, 1e-6 * jnp.max(rates)))
    sums = jnp.cumsum(rates)
    # Never 0, so that the mean place of a group without changes is finite.
    weights = jnp.abs(jnp.diff(rates)) + 1e-9 * jnp.max(rates)

    def grouped(values: jax.Array) -> jax.Array:
        before = jnp.append(jnp.zeros(1, rates.dtype), jnp.cumsum(values))
        return jnp.diff(before[bounds], axis=1)

    weight = jnp.maximum(grouped(weights), 1e-9 * jnp.max(rates))
    areas = sums[counts - 1][:, None] - grouped(weights * sums[:-1]) / weight
    gaps = -jnp.diff(rates[bounds], axis=1)
    return Changes(gaps, grouped(weights * logs[1:]) / weight, jnp.maximum(areas, 0))


def _bounds(count: int) -> np.ndarray:
    """Where the groups of the changes before a number of updates begin, and the last ends."""
    last = count - 1
    ages = np.arange(SEGMENTS + 1)
    if last > SEGMENTS:
        ages = np.concatenate([ages[:SINGLE], np.geomspace(SINGLE, last, SEGMENTS + 1 - SINGLE)])
    return np.maximum(last - np.ceil(ages - 1e-9).astype(np.int64), 0)[::-1]


def powers(total: Any, L0: Any, A: Any, alpha: Any) -> Any:
    """The loss at a rate that never falls."""
    return L0 + A * total**-alpha


def annealing_drop(heard: Any, C: Any) -> Any:
    """How much the falls of the rate take from the loss, by the annealing law."""
    return C * heard


def multi_power_drop(heard: Changes, B: Any, C: Any, beta: Any, gamma: Any) -> Any:
    """The same by the multi-power law."""
    passed = jnp.log1p(C * jnp.exp(-gamma * heard.logs) * heard.areas)
    return B * (-jnp.expm1(-beta * passed) * heard.gaps).sum(-1)


def log_power_drop(heard: Changes, B: Any, C: Any, gamma: Any) -> Any:
    """Its limit as beta goes to 0 while B beta stays: B is that product."""
    return B * (jnp.log1p(C * jnp.exp(-gamma * heard.logs) * heard.areas) * heard.gaps).sum(-1)


def features(form: str, rates: jax.Array, counts: Any, memory: Any = None) -> tuple[Any, Any]:
    """What the formula of a law is computed from."""
    heard = momentum(rates, counts, memory) if form == "annealing" else changes(rates, counts)
    return area(rates, counts), heard


def losses(form: str, numbers: dict[str, Any], total: Any, heard: Any) -> Any:
    """The losses of a law."""
    drop = DROPS[form]
    own = {name: numbers[name] for name in NUMBERS[form] if name not in ("L0", "A", "alpha")}
    return powers(total, numbers["L0"], numbers["A"], numbers["alpha"]) - drop(heard, **own)


DROPS = {
    "annealing": annealing_drop,
    "multi_power": multi_power_drop,
    "log_power": log_power_drop,
}

NUMBERS = {
    "annealing": ("L0", "A", "alpha", "C"),
    "multi_power": ("L0", "A", "alpha", "B", "C", "beta", "gamma"),
    "log_power": ("L0", "A", "alpha", "B", "C", "gamma"),
}
