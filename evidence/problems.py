"""Small noisy problems: a fresh sample of the gradient at each step, and the exact excess loss."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits


class Problem(NamedTuple):
    """What is minimized.

    Attributes:
      start: the first parameters.
      sampled: the loss of a sample that a key draws.
      excess: how far the expected loss is above the least.
      peak: the largest of the peak rates tried.
      steps: the length of a run.
    """

    start: jax.Array
    sampled: Callable[[jax.Array, jax.Array], jax.Array]
    excess: Callable[[jax.Array], jax.Array]
    peak: float
    steps: int


def streaming_least_squares(size: int = 20) -> Problem:
    """One sample a step, curvatures 1/i, noise of variance 1."""
    curvature = 1 / jnp.arange(1.0, size + 1)

    def sampled(weights: jax.Array, key: jax.Array) -> jax.Array:
        inputs, noise = jnp.split(jax.random.normal(key, (size + 1,)), [size])
        error = (inputs * jnp.sqrt(curvature)) @ (weights - 1) - noise[0]
        return error**2 / 2

    def excess(weights: jax.Array) -> jax.Array:
        return (curvature * (weights - 1) ** 2).sum() / 2

    return Problem(jnp.zeros(size), sampled, excess, float(1 / (2 * curvature.sum())), 20_000)


def softmax_digits(l2: float = 1e-3) -> Problem:
    """Logistic regression on scikit-learn's digits, batches of 8."""
    images, labels = load_digits(return_X_y=True)
    inputs = jnp.asarray(np.c_[images / 16, np.ones(len(images))], jnp.float32)
    targets = jax.nn.one_hot(jnp.asarray(labels), 10)

    def loss(weights: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
        fit = -(jax.nn.log_softmax(x @ weights) * y).sum(-1).mean()
        return fit + l2 / 2 * (weights**2).sum()

    def sampled(weights: jax.Array, key: jax.Array) -> jax.Array:
        drawn = jax.random.randint(key, (8,), 0, len(inputs))
        return loss(weights, inputs[drawn], targets[drawn])

    def excess(weights: jax.Array) -> jax.Array:
        return loss(weights, inputs, targets) - LEAST_DIGITS

    return Problem(jnp.zeros((65, 10)), sampled, excess, 1.6, 10_000)


LEAST_DIGITS = 0.263925823295
"""The least loss of `softmax_digits`, by Newton's method in float64."""
