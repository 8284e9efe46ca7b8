"""How far counts reach: to the end of int32, or with x64 as far as float64 is exact."""

import jax.numpy as jnp
import numpy as np


def whole_dtype() -> np.dtype:
    """The dtype of counts: int32, or int64 under `jax_enable_x64`."""
    return jnp.result_type(int)


def reach() -> int:
    """The last step that a count can reach: 2^31-1, or 2^53 under `jax_enable_x64`."""
    return 2**31 - 1 if whole_dtype() == np.int32 else 2**53
