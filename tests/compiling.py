"""Programs that compile in a third of the time, for tests that look at no bits.

What they compute is the same formula; only the loops that XLA makes of it are not made fast.
Tests of bits, of units in the last place and of the text of a program take `jax.jit`, which
compiles as users do.
"""

from functools import cache
from typing import Any

import jax


@cache
def quickly() -> dict[str, Any]:
    """The options, as far as this version of XLA has them."""
    wanted = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    return {name: value for name, value in wanted.items() if is_known(name, value)}


def is_known(name: str, value: Any) -> bool:
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def quick_jit(function: Any, **kwargs: Any) -> Any:
    return jax.jit(function, compiler_options=quickly(), **kwargs)


def quick_flags() -> str:
    """The same for all programs of a process to be started, in its `XLA_FLAGS`."""
    return " ".join(f"--{name}={value}".lower() for name, value in quickly().items())
