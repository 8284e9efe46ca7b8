"""The values of a schedule at its first steps, in float64 wherever they are known."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.schedule import at
from jaxsched.core.traced import any_traced


def sampled(operand: Any, steps: int, first: int = 1) -> Any:
    """The values at `steps` counts from `first`: float64 of the host, or traced as they are."""
    counts = np.arange(first, first + steps, dtype=np.int32)
    if any_traced(operand):
        return _mapped(operand, counts)
    try:
        with jax.ensure_compile_time_eval(), double():
            values = jax.jit(functools.partial(_mapped, operand))(counts)
            return np.asarray(values, np.float64)
    except TypeError:
        # It is for Python integers only, or made of what is being traced.
        return _called(operand, counts)


def _mapped(operand: Any, counts: Any) -> jax.Array:
    values = jax.vmap(functools.partial(at, operand))(counts)
    return values.astype(jnp.result_type(float))


def _called(operand: Any, counts: np.ndarray) -> Any:
    try:
        return np.array([float(operand(count)) for count in counts.tolist()])
    except jax.errors.ConcretizationTypeError:
        return _mapped(operand, counts)


def double() -> Any:
    """A context in which JAX computes in float64."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    # Where JAX before 0.8 had it.
    from jax.experimental import enable_x64  # pyright: ignore[reportAttributeAccessIssue]

    return enable_x64()
