"""What the gallery draws: schedules over a run, and what hears a metric with its events."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxsched

STEPS = 1000


def noise(t: np.ndarray) -> np.ndarray:
    """Numbers between -1 and 1 without a pattern, the same everywhere."""
    return 2 * (np.abs(np.sin(12.9898 * t) * 437.585) % 1) - 1


METRICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "stalling": lambda t: 1 - 0.002 * np.clip(t, 0, 200) - 0.001 * np.clip(t - 450, 0, 250),
    "rising": lambda t: 0.4 + 2.4e-6 * (t - 400.0) ** 2,
    "noisy": lambda t: 0.3 + 0.7 * np.exp(-t / 50) + 0.03 * noise(t),
    "spiky": lambda t: 0.3 + 0.05 * noise(t) + 0.6 * np.isin(t, [120, 210]),
    "broken": lambda t: np.where(np.isin(t, [300, 600]), np.nan, METRICS["stalling"](t)),
    "gappy": lambda t: np.where((t >= 250) & (t < 350), np.nan, METRICS["stalling"](t)),
}
"""What monitors and controllers hear, by step."""


def evaluated(expression: str) -> Any:
    """What an expression of the gallery's own data file makes."""
    return eval(expression, {name: getattr(jaxsched, name) for name in jaxsched.__all__})


def steered(rate: Any, metric: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The rates that a controller gives while it hears a metric, and the steps of its events."""
    scale = jaxsched.scale_by_learning_rate(rate)

    def step(state: Any, value: jax.Array) -> tuple[Any, Any]:
        _, state = scale.update(jnp.zeros(()), state, value=value)
        return state, (jaxsched.learning_rate(state), jaxsched.record(state)["last_event"])

    values = metric.astype(np.float32)
    _, (rates, last) = jax.jit(lambda state: jax.lax.scan(step, state, values))(
        scale.init(jnp.zeros(()))
    )
    return np.asarray(rates, float), [int(event) for event in np.unique(last) if event >= 0]


def curves(entry: dict[str, Any]) -> tuple[dict[str, np.ndarray], list[int]]:
    """The curves of an entry by label, and its events; of a monitor the curve is the metric."""
    steps = np.arange(entry.get("steps", STEPS))
    if "metric" not in entry:
        shown = entry["show"] if isinstance(entry["show"], dict) else {"rate": entry["show"]}
        return {
            label: np.asarray(evaluated(text)(steps), float) for label, text in shown.items()
        }, []
    bound, metric = evaluated(entry["show"]), METRICS[entry["metric"]](steps)
    if isinstance(bound, jaxsched.Monitor):
        return {"metric": metric}, steered(jaxsched.reduce_on(bound, 1.0), metric)[1]
    rates, events = steered(bound, metric)
    return {"rate": rates, "metric": metric}, events


def digits(found: dict[str, np.ndarray], events: list[int]) -> dict[str, Any]:
    """What is kept in a picture to compare it by: some values of its curves, and the events."""
    kept = {
        label: [
            float(f"{rate:.4g}") if np.isfinite(rate) else None
            for rate in rates[:: len(rates) // 100]
        ]
        for label, rates in found.items()
    }
    return {"curves": kept, "events": events}
