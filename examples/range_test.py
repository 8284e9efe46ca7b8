"""A range test finds the learning rate of a network for scikit-learn's handwritten digits.

Eight networks, each with its own initial weights and batches, are tested in one program. The median
of the rates at the `valley` of their losses then trains them. Expect a tenth of it to learn more
slowly, and ten times it to be unstable.

Prints the suggestions and the test losses, draws both. Half a minute at most:

    python examples/range_test.py [--output PICTURE.png]
"""

import argparse
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import jaxsched

SEEDS, EPOCHS, TEST_STEPS, BATCH_SIZE = 8, 15, 200, 50
COLORS = {0.1: "tab:olive", 1.0: "tab:blue", 10.0: "tab:red"}


def load_data() -> Any:
    """Images and labels to train with, and those held out."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / 16, labels, test_size=0.25, stratify=labels, random_state=0)
    train_images, test_images, train_labels, test_labels = map(jnp.asarray, parts)
    return (train_images, train_labels), (test_images, test_labels)


def make_batches(size: int) -> np.ndarray:
    """The indices of each batch of each epoch for each seed."""
    order = np.random.default_rng(0).permuted(np.tile(np.arange(size), (SEEDS, EPOCHS, 1)), axis=2)
    return order[..., : size // BATCH_SIZE * BATCH_SIZE].reshape(SEEDS, EPOCHS, -1, BATCH_SIZE)


class Network(nnx.Module):
    """Two hidden layers of 200 units."""

    def __init__(self, key: jax.Array):
        rngs = nnx.Rngs(key)
        self.first, self.second = nnx.Linear(64, 200, rngs=rngs), nnx.Linear(200, 200, rngs=rngs)
        self.output = nnx.Linear(200, 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        """The logits of the ten digits."""
        return self.output(nnx.relu(self.second(nnx.relu(self.first(images)))))


def cross_entropy(model: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    """The mean loss."""
    return optax.softmax_cross_entropy_with_integer_labels(model(images), labels).mean()


def make_step(images: jax.Array, labels: jax.Array) -> Any:
    """A step of Adam on a batch of these images, with the learning rate as an argument."""

    def step(state: Any, batch: jax.Array, learning_rate: Any) -> tuple[Any, jax.Array]:
        model, opt_state = state
        loss, grads = nnx.value_and_grad(cross_entropy)(model, images[batch], labels[batch])
        params = nnx.state(model, nnx.Param)
        updates, opt_state = optax.adam(learning_rate).update(grads, opt_state, params)
        nnx.update(model, optax.apply_updates(params, updates))
        return (model, opt_state), loss

    return step


def start(model: nnx.Module) -> Any:
    """The state before the first step."""
    return model, optax.adam(0.0).init(nnx.state(model, nnx.Param))


def find_rates(model: nnx.Module, batches: jax.Array, data: Any) -> jaxsched.RangeTest:
    """The range test of one network."""
    steps = batches.reshape(-1, BATCH_SIZE)
    return jaxsched.range_test(
        make_step(*data[0]), start(model), steps, init_value=1e-6, num_steps=TEST_STEPS
    )


def train(learning_rate: Any, model: nnx.Module, batches: jax.Array, data: Any) -> Any:
    """The test loss and accuracy of one network after each epoch at a constant rate."""
    step, (images, labels) = make_step(*data[0]), data[1]

    def epoch(state: Any, batches: jax.Array) -> Any:
        state, _ = jax.lax.scan(
            lambda state, batch: step(state, batch, learning_rate), state, batches
        )
        accuracy = jnp.mean(state[0](images).argmax(axis=-1) == labels)
        return state, (cross_entropy(state[0], images, labels), accuracy)

    return jax.lax.scan(epoch, start(model), batches)[1]


def draw(
    result: jaxsched.RangeTest, losses: dict[float, np.ndarray], rate: float, output: Path
) -> None:
    """The range tests beside the test losses, whose bands are those of all seeds."""
    left, right = Figure(figsize=(11, 4.5), layout="constrained").subplots(1, 2)
    epochs = np.arange(1, EPOCHS + 1)
    for factor, values in losses.items():
        label = f"rate {factor * rate:.2g}"
        right.plot(epochs, values.mean(axis=0), color=COLORS[factor], label=label)
        low, high = values.min(axis=0), values.max(axis=0)
        right.fill_between(epochs, low, high, color=COLORS[factor], alpha=0.2, linewidth=0)
    right.set(xlabel="epoch", ylabel="test loss", yscale="log", title="training at three rates")
    right.legend()
    left.set_title(f"range tests of {SEEDS} networks")
    jaxsched.plot_range_test(result, ax=left, path=output)


def main(argv: list[str] | None = None) -> None:
    """Tests, suggests, trains with three rates, and writes the picture."""
    parser = argparse.ArgumentParser(description="Find a learning rate, and train with it.")
    parser.add_argument("--output", type=Path, default="range_test.png", help="the PNG to write")
    output, data = parser.parse_args(argv).output, load_data()
    networks = jax.jit(jax.vmap(Network))(jax.random.split(jax.random.key(0), SEEDS))
    batches = make_batches(len(data[0][1]))
    result = jax.jit(jax.vmap(find_rates, in_axes=(0, 0, None)))(networks, batches, data)
    suggested = jax.vmap(jaxsched.suggest_rates)(result)
    print("rule       median    lowest   highest")
    for rule, rates in suggested._asdict().items():
        print(f"{rule:8}{np.median(rates):9.2g} {rates.min():9.2g} {rates.max():9.2g}")
    print("\nrate         test loss  test accuracy")
    rate, losses = float(np.median(suggested.valley)), {}
    train_all = jax.jit(jax.vmap(train, in_axes=(None, 0, 0, None)))
    for factor in COLORS:
        values, accuracies = map(np.asarray, train_all(factor * rate, networks, batches, data))
        losses[factor] = values
        print(
            f"{factor * rate:<9.2g} {values[:, -1].mean():12.4f} {accuracies[:, -1].mean():14.2%}"
        )
    draw(result, losses, rate, output)


if __name__ == "__main__":
    main()
