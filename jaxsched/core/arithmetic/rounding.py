"""Products that are rounded by themselves, whatever a compiler would like to fuse."""

import jax
import jax.numpy as jnp


def unfused(product: jax.Array) -> jax.Array:
    """A product as no compiler fuses it with an addition: held within what is finite.

    Fused they are rounded once, and compilers do so in some programs and not in others. Two
    bounds, for a compiler drops the one that the sign of the product rules out.
    """
    limits = jnp.finfo(product.dtype)
    return jax.lax.clamp(limits.min, product, limits.max)
