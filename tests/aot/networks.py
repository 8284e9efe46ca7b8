"""Two small networks, as functions of their parameters."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

INPUTS, HIDDEN, CLASSES = 32, 64, 10
WIDTH, HEADS, LENGTH, LAYERS = 32, 2, 8, 2


class Network(NamedTuple):
    """Parameters, what one example is, and the outputs for a batch of them."""

    parameters: dict[str, Any]
    example: tuple[int, ...]
    dtype: Any
    apply: Callable[[Any, jax.Array], jax.Array]


def _shapes(dtype: Any, **shapes: tuple[int, ...]) -> dict[str, Any]:
    return {name: jax.ShapeDtypeStruct(shape, dtype) for name, shape in shapes.items()}


def _mlp(params: Any, x: jax.Array) -> jax.Array:
    return jax.nn.relu(x @ params["w1"] + params["b1"]) @ params["w2"] + params["b2"]


def _normalized(x: jax.Array) -> jax.Array:
    wide = x.astype(jnp.float32)
    return (wide * jax.lax.rsqrt(jnp.mean(wide**2, axis=-1, keepdims=True) + 1e-6)).astype(x.dtype)


def _transformer(params: Any, x: jax.Array) -> jax.Array:
    for layer in params["layers"]:
        parts = (_normalized(x) @ layer["qkv"]).reshape(*x.shape[:-1], 3, HEADS, -1)
        query, key, value = jnp.moveaxis(parts, -3, 0)
        attended = jax.nn.dot_product_attention(query, key, value, is_causal=True)
        x = x + attended.reshape(x.shape) @ layer["out"]
        x = x + jax.nn.gelu(_normalized(x) @ layer["up"]) @ layer["down"]
    return _normalized(x).mean(axis=1) @ params["head"]


def mlp(dtype: Any = jnp.float32) -> Network:
    """One hidden layer: four parameters."""
    shapes = dict(w1=(INPUTS, HIDDEN), b1=(HIDDEN,), w2=(HIDDEN, CLASSES), b2=(CLASSES,))
    return Network(_shapes(dtype, **shapes), (INPUTS,), dtype, _mlp)


def transformer(dtype: Any = jnp.bfloat16) -> Network:
    """Two layers, written out, as a loop over them would be a loop in the program."""
    shapes = dict(
        qkv=(WIDTH, 3 * WIDTH), out=(WIDTH, WIDTH), up=(WIDTH, 4 * WIDTH), down=(4 * WIDTH, WIDTH)
    )
    layers = [_shapes(dtype, **shapes) for _ in range(LAYERS)]
    parameters = {"layers": layers, **_shapes(dtype, head=(WIDTH, CLASSES))}
    return Network(parameters, (LENGTH, WIDTH), dtype, _transformer)
