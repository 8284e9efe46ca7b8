"""One-cycle policies: up to a peak and down to almost nothing."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.chosen import from_known, whole
from jaxsched.core.arithmetic.curves import Curve, cosine, linear, transition
from jaxsched.core.reach import whole_dtype
from jaxsched.core.schedule import schedule
from jaxsched.core.types import Fraction, Number, Positive, SomeSteps


def _phases_in_order(hyperparams: dict[str, Any]) -> None:
    pct_start, pct_final = hyperparams["pct_start"], hyperparams["pct_final"]
    checks.in_order("pct_start", pct_start, "pct_final", pct_final)


@schedule(check=_phases_in_order)
def linear_onecycle_schedule(
    count: jax.Array,
    transition_steps: SomeSteps,
    peak_value: Number,
    pct_start: Fraction = 0.3,
    pct_final: Fraction = 0.85,
    div_factor: Positive = 25.0,
    final_div_factor: Positive = 1e4,
):
    """Up to a peak, back down, and on to almost nothing, in three straight lines.

    From `init = peak_value / div_factor` at step 0 to `peak_value` at step
    `int(pct_start * transition_steps)`, back to `init` at `int(pct_final * transition_steps)`,
    and to `init / final_div_factor` at `transition_steps`, held from there on. While there
    are steps for it, each phase takes at least one; Optax begins at the peak if
    `pct_start * transition_steps` is below 1.

    Args:
      transition_steps: the length of the whole.
      peak_value: the highest value.
      pct_start: the fraction of the steps, from 0 to 1, after which the peak is reached.
      pct_final: the fraction of the steps after which the first value is reached again.
      div_factor: the peak over the first value.
      final_div_factor: the first value over the last one.

    Example:
      >>> rate = linear_onecycle_schedule(20, 1.0, 0.25, 0.75, div_factor=10, final_div_factor=4)
      >>> print(*(f"{rate(count):.3f}" for count in (0, 5, 10, 15, 20)))
      0.100 1.000 0.550 0.100 0.025

    Reference:
      Smith and Topin, Super-Convergence, 2017.
    """
    low = peak_value / div_factor
    peak = _knot(transition_steps, pct_start, 0)
    foot = _knot(transition_steps, pct_final, peak)
    knots, values = (
        [0, peak, foot, transition_steps],
        [low, peak_value, low, low / final_div_factor],
    )
    return _through(count, knots, values, linear)


@schedule
def cosine_onecycle_schedule(
    count: jax.Array,
    transition_steps: SomeSteps,
    peak_value: Number,
    pct_start: Fraction = 0.3,
    div_factor: Positive = 25.0,
    final_div_factor: Positive = 1e4,
):
    """Up to a peak and down to almost nothing, in two half cosines.

    From `init = peak_value / div_factor` at step 0 to `peak_value` at step
    `int(pct_start * transition_steps)`, and to `init / final_div_factor` at
    `transition_steps`, held from there on. The rise takes at least one step unless
    `pct_start` is 0.

    Args:
      transition_steps: the length of the whole.
      peak_value: the highest value.
      pct_start: the fraction of the steps, from 0 to 1, after which the peak is reached.
      div_factor: the peak over the first value.
      final_div_factor: the first value over the last one.

    Example:
      >>> rate = cosine_onecycle_schedule(20, 1.0, 0.25, div_factor=10, final_div_factor=4)
      >>> print(*(f"{rate(count):.3f}" for count in (0, 5, 10, 15, 20)))
      0.100 1.000 0.756 0.269 0.025

    Reference:
      Smith and Topin, Super-Convergence, 2017.
    """
    low = peak_value / div_factor
    knots = [0, _knot(transition_steps, pct_start, 0), transition_steps]
    return _through(count, knots, [low, peak_value, low / final_div_factor], cosine)


def _knot(steps: Any, pct: Any, previous: Any) -> Any:
    """`int(pct * steps)`, a step or more after the previous knot where `pct` and `steps` allow."""
    known = from_known(_known_knot, steps, pct, previous)
    if known is not None:
        return whole(known)
    steps = whole(steps)
    return jnp.minimum(
        jnp.maximum(jnp.floor(pct * steps).astype(whole_dtype()), previous + (pct > 0)), steps
    )


def _known_knot(steps: float, pct: float, previous: float) -> float:
    return min(max(int(pct * steps), previous + (pct > 0)), steps)


def _through(count: jax.Array, knots: list[Any], values: list[Any], curve: Curve) -> jax.Array:
    knots = [jnp.asarray(whole(knot)) for knot in knots]
    begin, end, before, after = knots[0], knots[1], values[0], values[1]
    for i in range(1, len(knots) - 1):
        reached = count >= knots[i]
        begin, end = jnp.where(reached, knots[i], begin), jnp.where(reached, knots[i + 1], end)
        before = jnp.where(reached, values[i], before)
        after = jnp.where(reached, values[i + 1], after)
    return transition(before, after, count - begin, end - begin, curve)
