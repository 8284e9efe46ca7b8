"""Rules that react to the loss beside fixed schedules, on two small noisy problems.

A rule hears the mean loss of 100 steps. Each has one setting for all problems, peaks and seeds.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxsched
from evidence.problems import Problem

REPORT = 100
PEAKS = 5
SEEDS = 8
T_QUANTILE = 2.365
"""Of 97.5 % with 7 degrees of freedom: a mean of 8 seeds and its 95 % interval."""

Rule = Callable[[Any, int], Any]

RULES: dict[str, Rule] = {
    "constant": lambda peak, steps: jaxsched.constant_schedule(peak),
    "linear to 0": lambda peak, steps: jaxsched.linear_schedule(peak, 0.0, steps),
    "cosine to 0": lambda peak, steps: jaxsched.cosine_decay_schedule(peak, steps),
    "cosine told twice the steps": lambda peak, steps: jaxsched.cosine_decay_schedule(
        peak, 2 * steps
    ),
    "cosine told half the steps": lambda peak, steps: jaxsched.cosine_decay_schedule(
        peak, steps // 2
    ),
    "constant, last fifth 1-sqrt to 0": lambda peak, steps: jaxsched.branch(
        peak, steps - steps // 5, steps // 5
    ),
    "inverse time, half life 1000": lambda peak, steps: jaxsched.inverse_time_schedule(
        peak, 1000, 1.0
    ),
    "reduce_on, as it is": lambda peak, steps: jaxsched.reduce_on(jaxsched.plateau(), peak),
    "reduce_on, factor 0.5": lambda peak, steps: jaxsched.reduce_on(
        jaxsched.plateau(), peak, factor=0.5
    ),
    "reduce_on, factor 0.5, windows grow 1.41": lambda peak, steps: jaxsched.reduce_on(
        jaxsched.plateau(window_growth=1.41), peak, factor=0.5
    ),
}
AVERAGED = "constant, mean of the second half"


def run_all(problem: Problem) -> dict[str, np.ndarray]:
    """For each rule the excess loss at the end: a row a peak, a column a seed."""
    found: dict[str, np.ndarray] = {}
    for name, rule in RULES.items():
        last, averaged = _train(problem, rule)
        found[name] = last
        if name == "constant":
            found[AVERAGED] = averaged
    return found


def _train(problem: Problem, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    reports = problem.steps // REPORT

    def run(peak: jax.Array, key: jax.Array) -> Any:
        optimizer = jaxsched.scale_by_learning_rate(rule(peak, problem.steps))

        def step(carry: Any, key: jax.Array) -> Any:
            weights, state, total = carry
            loss, gradient = jax.value_and_grad(problem.sampled)(weights, key)
            updates, state = optimizer.update(gradient, state, weights)
            weights = weights + updates
            return (weights, state, total + weights), loss

        def report(carry: Any, place: jax.Array) -> Any:
            weights, state, total = carry
            # Only the second half counts in the mean.
            total = jnp.where(place == reports // 2, 0.0, total)
            keys = jax.random.split(jax.random.fold_in(key, place), REPORT)
            (weights, state, total), losses = jax.lax.scan(step, (weights, state, total), keys)
            if listens:
                state = jaxsched.observe(state, value=losses.mean())
            return (weights, state, total), None

        listens = hasattr(rule(0.1, problem.steps), "update")
        start = problem.start, optimizer.init(problem.start), jnp.zeros_like(problem.start)
        (weights, _, total), _ = jax.lax.scan(report, start, jnp.arange(reports))
        half = (reports - reports // 2) * REPORT
        return problem.excess(weights), problem.excess(total / half)

    peaks = jnp.asarray(problem.peak / 2.0 ** np.arange(PEAKS))
    keys = jax.random.split(jax.random.key(0), SEEDS)
    both = jax.jit(jax.vmap(jax.vmap(run, (None, 0)), (0, None)))(peaks, keys)
    return np.asarray(both[0], float), np.asarray(both[1], float)


def table(found: dict[str, np.ndarray], unit: float) -> str:
    """The rules, the best at its best peak first, as Markdown."""
    rows = ["| rule | at its best peak | at its worst of a 16-fold range |", "|---|---|---|"]
    for name, excess in sorted(found.items(), key=lambda item: item[1].mean(1).min()):
        by_peak = excess.mean(1)
        cells = (_interval(excess[place], unit) for place in (by_peak.argmin(), by_peak.argmax()))
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _interval(values: np.ndarray, unit: float) -> str:
    half = T_QUANTILE * values.std(ddof=1) / len(values) ** 0.5
    return f"{values.mean() / unit:.3g} ± {half / unit:.2g}"
