"""What convex theory says of a schedule: a bound on the loss of the last iterate."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.traced import is_traced
from jaxsched.core.types import NonNegative
from jaxsched.planning.rates import Rates, in_range, rates_of


class BestPeak(NamedTuple):
    """The factor of a schedule at which its bound is least, and the bound there."""

    factor: Any
    bound: Any


def last_iterate_bound(
    schedule: Rates,
    steps: int,
    gradient_norms: NonNegative | np.ndarray = 1.0,
    distance: NonNegative = 1.0,
) -> Any:
    """How far the loss after a run can be above the least, for subgradient steps on convex losses.

        bound = D^2 / (2 S[0])  +  Q[0] / (2 S[0])  +  1/2 sum_k  r[k] / S[k + 1]  Q[k] / S[k]
        S[k]  = r[k] + ... + r[T - 1]              k = 0, ..., T - 2
        Q[k]  = r[k]^2 G[k]^2 + ... + r[T - 1]^2 G[T - 1]^2

    Of real losses it is no prediction: it tells schedules of one family of runs apart.

    Args:
      schedule: the rates r; or an array of them, one a step.
      steps: T, the number of updates: those at counts 0 to T - 1.
      gradient_norms: G, bounds of the norms of gradients: one, or one a step.
      distance: D, that from the first parameters to the best ones.

    Returns:
      A float64 of the host; under `jit`, `grad` or `vmap` an array.

    Raises:
      ValueError: for rates, norms or a distance that are negative or not finite; and for a
        schedule that is 0 from some step to the end, where the bound is infinite: the message
        says from which step on.

    Example:
      >>> from jaxsched import linear_schedule
      >>> print(f"{last_iterate_bound(linear_schedule(0.1, 0.0, 100), 100):.6f}")
      0.203687

    Reference:
      Defazio, Cutkosky, Mehta and Mishchenko, Optimal Linear Decay Learning Rate Schedules and
      Further Refinements, 2023, theorem 10; Schaipp, Hägele, Taylor, Simsekli and Bach, The
      Surprising Agreement Between Convex Optimization Theory and Learning-Rate Scheduling for
      Large Model Training, 2025, theorem 1.
    """
    travel, noise = _terms(schedule, steps, gradient_norms, distance)
    return travel + noise


def best_peak(
    schedule: Rates,
    steps: int,
    gradient_norms: NonNegative | np.ndarray = 1.0,
    distance: NonNegative = 1.0,
) -> BestPeak:
    """The factor of a schedule at which its `last_iterate_bound` is least, and the bound there.

        factor = sqrt(a / b)      bound = 2 sqrt(a b)      a / f + b f  being the bound at factor f

    The factors of two schedules tell how their peaks compare: the best one of a cosine is 1.9
    times that of a constant rate with a linear cooldown of 20 %.

    Args:
      schedule: the rates; or an array of them, one a step.
      steps: the number of updates.
      gradient_norms: bounds of the norms of gradients: one, or one a step; above 0 somewhere.
      distance: that from the first parameters to the best ones, above 0.

    Raises:
      ValueError: as `last_iterate_bound`.

    Example:
      >>> from jaxsched import cosine_decay_schedule
      >>> factor, bound = best_peak(cosine_decay_schedule(1.0, 4000), 4000)
      >>> print(f"{factor:.6f} {bound:.10f}")
      0.015340 0.0325858508

    Reference:
      Schaipp et al., 2025, as in `last_iterate_bound`.
    """
    travel, noise = _terms(schedule, steps, gradient_norms, distance)
    if not is_traced(travel) and not is_traced(noise) and not (travel > 0 and noise > 0):
        raise ValueError("`distance` and `gradient_norms` must be above 0 to have a best peak.")
    root = jnp.sqrt if is_traced(travel) or is_traced(noise) else np.sqrt
    return BestPeak(root(travel / noise), 2 * root(travel * noise))


class BoundTable(dict[str, BestPeak]):
    """Schedules by label with their best factors and bounds, the least bound first.

    Prints as a table.
    """

    def __str__(self) -> str:
        width = max(map(len, self))
        heading = f"{'':{width}}  {'factor':>10}  {'bound':>10}"
        rows = (f"{name:{width}}  {f:10.4g}  {bound:10.6f}" for name, (f, bound) in self.items())
        return "\n".join([heading, *rows])


def compare_bounds(
    schedules: Mapping[str, Rates],
    steps: int,
    gradient_norms: NonNegative | np.ndarray = 1.0,
    distance: NonNegative = 1.0,
) -> BoundTable:
    """Schedules in the order of their bounds, each at its best peak.

    `plot_bounds` draws them.

    Args:
      schedules: schedules, or arrays of rates, by label.
      steps: the number of updates.
      gradient_norms: bounds of the norms of gradients: one, or one a step.
      distance: that from the first parameters to the best ones.

    Raises:
      ValueError: for no schedules, and as `last_iterate_bound`.

    Example:
      >>> from jaxsched import cosine_decay_schedule, linear_schedule
      >>> schedules = {
      ...     "constant": 1.0,
      ...     "cosine": cosine_decay_schedule(1.0, 400),
      ...     "linear": linear_schedule(1.0, 0.0, 400),
      ... }
      >>> print(compare_bounds(schedules, 400))
                    factor       bound
      linear       0.04956    0.100630
      cosine       0.04824    0.103386
      constant     0.01818    0.137545
    """
    if not schedules:
        checks.refuse("schedules", schedules, "at least one")
    best = {
        label: best_peak(schedule, steps, gradient_norms, distance)
        for label, schedule in schedules.items()
    }
    return BoundTable(sorted(best.items(), key=lambda item: item[1].bound))


def _terms(schedule: Rates, steps: int, gradient_norms: Any, distance: Any) -> tuple[Any, Any]:
    """What of the bound falls with the peak, and what grows with it."""
    rates = rates_of(schedule, steps)
    norms = _norms(gradient_norms, steps)
    checks.non_negative("distance", distance)
    xp = jnp if any(map(is_traced, (rates, norms, distance))) else np
    if xp is np:
        _lasts(rates)
    # Sums from the end: tails as differences of sums from the beginning would lose digits.
    tails = xp.cumsum(rates[::-1])[::-1]
    squares = xp.cumsum((rates * norms)[::-1] ** 2)[::-1]
    kept = rates[:-1] / tails[1:] * squares[:-1] / tails[:-1]
    return distance**2 / (2 * tails[0]), squares[0] / (2 * tails[0]) + xp.sum(kept) / 2


def _norms(norms: Any, steps: int) -> Any:
    if not np.ndim(norms):
        return checks.non_negative("gradient_norms", norms)
    if np.shape(norms) != (steps,):
        raise ValueError(
            f"`gradient_norms` must be one number, or {steps}, one a step; got the shape"
            f" {np.shape(norms)}."
        )
    return in_range("gradient_norms", norms if is_traced(norms) else np.asarray(norms, float), 0)


def _lasts(rates: np.ndarray) -> None:
    """Raises where the rate is 0 to the end."""
    if rates[-1] > 0:
        return
    begin = int(np.max(np.flatnonzero(rates), initial=-1)) + 1
    advice = f" Its run ends there: write `steps={begin}`." if begin else ""
    raise ValueError(
        f"`schedule` must not end in rates of 0, and is 0 from step {begin} on.{advice}"
    )
