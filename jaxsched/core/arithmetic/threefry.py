"""Random bits of a counter: the same key and counter give the same bits everywhere.

Threefry-2x32 with 20 rounds (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011),
written out in 32-bit additions, rotations and exclusive ors. The generator of `jax.random` is
the same function; on some backends it is a loop, or bits that depend on the device.
"""

from typing import Any

import jax
import jax.numpy as jnp

_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
_PARITY = 0x1BD11BDA


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    """Two 32-bit words from a key and a counter of two words each."""
    first, second = (jnp.asarray(word, jnp.uint32) for word in key)
    keys = first, second, first ^ second ^ jnp.uint32(_PARITY)
    x, y = (jnp.asarray(word, jnp.uint32) for word in counter)
    x, y = x + keys[0], y + keys[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            x = x + y
            y = ((y << rotation) | (y >> (32 - rotation))) ^ x
        x = x + keys[(group + 1) % 3]
        y = y + keys[(group + 2) % 3] + jnp.uint32(group + 1)
    return x, y
