"""How far rates may be from those of another library."""

from typing import Any

import jax.numpy as jnp
import numpy as np

UNITS = 16
"""Units in the last place of float32, relative: a few for every factor of a product."""

DRIFT = 1e-9
"""Of the highest rate: what recursions in float64 add up to in some thousand steps."""


def agree(found: Any, wanted: Any) -> None:
    """Raises unless rates are those of another library, to the digits of float32."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    digits = np.finfo(np.float32)
    allowed = UNITS * digits.eps * np.abs(wanted) + DRIFT * np.max(np.abs(wanted)) + digits.tiny
    worst = np.argmax(np.abs(found - wanted) - allowed)
    error = abs(found[worst] - wanted[worst])
    assert error <= allowed[worst], f"{found[worst]} != {wanted[worst]} at {worst}"


def answers(controller: Any, metrics: list[float]) -> list[Any]:
    """The rate before any metric, and those at each of them."""
    state = controller.init()
    rates = [controller(state)]
    for metric in metrics:
        rate, state = controller.advance(state, value=jnp.asarray(metric, jnp.float32))
        rates.append(rate)
    return rates
