"""Robust least squares by damped Gauss-Newton steps, in float64."""

from collections.abc import Callable

import jax
import numpy as np

Residuals = Callable[[jax.Array], jax.Array]


def least_squares(
    residuals: Residuals, start: np.ndarray, *, width: float, steps: int = 60
) -> tuple[np.ndarray, float]:
    """The point where the Huber cost of residuals is least, near a start, and that cost.

    The caller has JAX compute in float64.
    """
    linearized = jax.jit(lambda point: (residuals(point), jax.jacfwd(residuals)(point)))
    point, damping = start, 1e-2
    values, slopes = map(np.asarray, linearized(point))
    least = _huber(values, width)
    for _ in range(steps):
        weights = np.minimum(1, width / np.maximum(np.abs(values), 1e-300))
        normal, gradient = slopes.T @ (weights[:, None] * slopes), slopes.T @ (weights * values)
        normal = normal + np.diag(damping * np.diag(normal) + 1e-12)
        other = point - np.clip(np.linalg.solve(normal, gradient), -1, 1)
        tried, steeper = map(np.asarray, linearized(other))
        cost = _huber(tried, width)
        if not cost < least:
            damping *= 5
            if damping > 1e8:
                break
            continue
        done = least - cost < 1e-10 * least
        point, values, slopes, least, damping = other, tried, steeper, cost, damping / 5
        if done:
            break
    return point, least


def _huber(values: np.ndarray, width: float) -> float:
    """Squares near 0, and lines further out than `width`."""
    if not np.isfinite(values).all():
        return np.inf
    far = np.abs(values)
    return float(np.sum(np.where(far <= width, values**2 / 2, width * (far - width / 2))))
