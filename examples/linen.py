"""A schedule in a linen `TrainState`: scikit-learn's digits, a warm-up and then a cosine.

The rate is halved as well, each time two epochs have not lowered the training loss by a tenth.

python examples/linen.py
"""

import jax
import numpy as np
import optax
from flax import linen as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import jaxsched
from jaxsched.flax import TrainState

EPOCHS, BATCH_SIZE = 20, 100


@jax.jit
def train_step(state: TrainState, images: jax.Array, labels: jax.Array) -> TrainState:
    """One step of Adam on one batch."""

    def loss(params: dict) -> jax.Array:
        logits = state.apply_fn(params, images)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    value, grads = jax.value_and_grad(loss)(state.params)
    return state.apply_gradients(grads=grads, value=value)


def main() -> None:
    """Trains, and prints the test accuracy every few epochs."""
    images, labels = load_digits(return_X_y=True)
    images, test_images, labels, test_labels = train_test_split(
        images.astype(np.float32) / 16, labels, test_size=0.25, stratify=labels, random_state=0
    )
    batches = len(labels) // BATCH_SIZE
    cosine = jaxsched.cosine_decay_schedule(3e-3, decay_steps=(EPOCHS - 2) * batches)
    schedule = jaxsched.with_warmup(cosine, warmup_steps=2 * batches)
    model = nn.Sequential([nn.Dense(500), nn.relu, nn.Dense(10)])
    params = model.init(jax.random.key(0), images[:1])
    halving = jaxsched.reduce_on_plateau(0.5, patience=2, rtol=0.1, accumulation_size=batches)
    optimizer = optax.chain(optax.adam(schedule), halving)
    state = TrainState.create(apply_fn=model.apply, params=params, tx=optimizer)
    shuffle = np.random.default_rng(0).permutation
    for epoch in range(1, EPOCHS + 1):
        for batch in shuffle(len(labels))[: batches * BATCH_SIZE].reshape(batches, BATCH_SIZE):
            state = train_step(state, images[batch], labels[batch])
        if epoch % 5 == 0:
            hits = state.apply_fn(state.params, test_images).argmax(axis=-1) == test_labels
            halved = jaxsched.record(state)["events"]
            print(f"epoch {epoch:2}: test accuracy {hits.mean():.2%}, halved {halved} times")


if __name__ == "__main__":
    main()
