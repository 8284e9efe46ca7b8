"""Fine-tuning with a rate for each layer: frozen, decayed towards the input, or all the same.

A network learns scikit-learn's digits 0 to 4. Then it gets another head, and with ten images of
each it learns 5 to 9, in four ways that differ only in the mapping given to `scale_by_path`. At
the end its first head is put back, to see what it still knows of 0 to 4. Expect one rate for all
to learn the new digits best and to forget the most, a frozen body to forget nothing and to learn
the least, and rates that are decayed by layer to be between the two.

Prints a table, draws the rates and the accuracies. About a minute of one core:

    python examples/per_layer.py [--output PICTURE.png]
"""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from matplotlib.figure import Figure
from pictures import save
from sklearn.datasets import load_digits

import jaxsched

SEEDS, SHOTS, LAYERS, WIDTH = 8, 10, 3, 64
FIRST_STEPS, STEPS, BATCH_SIZE = 400, 200, 25
PEAKS = (1e-3, 3e-3, 1e-2, 3e-2)
DECAYED = jaxsched.layerwise_decay(0.5, LAYERS, r"layer(\d+)")
METHODS: dict[str, dict[str, float | None]] = {
    "one rate": {".*": 1.0},
    "decayed by layer": DECAYED,
    "and embedding frozen": {**DECAYED, "embed": None},
    "head only": {"head": 1.0, ".*": None},
}
COLORS = dict(zip(METHODS, ("tab:orange", "tab:blue", "tab:green", "silver"), strict=True))


class Network(nnx.Module):
    """Layers with a residual connection between an embedding of the pixels and a head."""

    def __init__(self, key: jax.Array):
        init = nnx.initializers.lecun_uniform()
        linear = partial(nnx.Linear, kernel_init=init, rngs=nnx.Rngs(key))
        self.embed = linear(64, WIDTH)
        for i in range(LAYERS):
            setattr(self, f"layer{i}", linear(WIDTH, WIDTH))
        self.head = linear(WIDTH, 5)

    def __call__(self, images: jax.Array) -> jax.Array:
        """The logits of five digits."""
        hidden = nnx.relu(self.embed(images))
        for i in range(LAYERS):
            hidden += nnx.relu(getattr(self, f"layer{i}")(hidden))
        return self.head(hidden)


def load_data() -> Any:
    """For each seed images and labels: of 0 to 4 to learn and to test, of 5 to 9 likewise."""
    images, digits = load_digits(return_X_y=True)
    parts: list[list[np.ndarray]] = [[], [], [], []]
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(digits))
        of = [order[digits[order] == digit] for digit in range(10)]
        few = np.concatenate([some[:SHOTS] for some in of[5:]])
        rest = np.concatenate([some[SHOTS:] for some in of[5:]])
        old = order[digits[order] < 5]
        for part, chosen in zip(parts, (old[:700], old[700:], few, rest), strict=True):
            part.append(chosen)
    return [(jnp.asarray(images[part] / 16), jnp.asarray(digits[part] % 5)) for part in parts]


def make_batches(size: int, steps: int) -> np.ndarray:
    """The indices of each batch for each seed."""
    return np.random.default_rng(0).integers(size, size=(SEEDS, steps, BATCH_SIZE))


def measure(model: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    """The accuracy."""
    return jnp.mean(model(images).argmax(axis=-1) == labels)


def cross_entropy(model: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    """The mean loss."""
    return optax.softmax_cross_entropy_with_integer_labels(model(images), labels).mean()


def train(factors: Any, peak: Any, model: Any, batches: jax.Array, data: Any) -> Any:
    """A training with a factor of the rate for each part: its network, and its rates."""
    images, labels = data
    steps = len(batches)
    rate = jaxsched.warmup_cosine_decay_schedule(0.0, peak, steps // 10, steps)
    transform = optax.chain(optax.scale_by_adam(), jaxsched.scale_by_path(factors, rate))

    def step(state: Any, batch: jax.Array) -> tuple[Any, dict[str, jax.Array]]:
        model, optimizer = state
        grads = nnx.grad(cross_entropy)(model, images[batch], labels[batch])
        optimizer.update(model, grads)
        return state, jaxsched.learning_rates(optimizer.opt_state)

    state = model, nnx.Optimizer(model, transform, wrt=nnx.Param)
    (model, _), rates = jax.lax.scan(step, state, batches)
    return model, rates


def fine_tune(
    factors: Any, peak: Any, model: Any, head: Any, batches: Any, few: Any, new: Any, old: Any
) -> Any:
    """A training with another head: its accuracies on new and on old digits, and its rates."""
    first_head, model.head = model.head, head
    model, rates = train(factors, peak, model, batches, few)
    learned = measure(model, *new)
    model.head = first_head
    return jnp.stack([learned, measure(model, *old)]), rates


def draw(rates: dict[str, np.ndarray], accuracies: dict[str, np.ndarray]) -> Figure:
    """The rates of one training, and the accuracies of all on new and on old digits."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, values in rates.items():
        left.plot(values, label=name)
    left.set(title="Rates decayed by layer", xlabel="step", ylabel="learning rate", yscale="log")
    left.legend(title="regular expression")
    for name, values in accuracies.items():
        new, old = values.mean(axis=1).T
        right.plot(old, new, ".-", color=COLORS[name], label=name)
    right.set(title=f"Highest rates of {', '.join(map('{:g}'.format, PEAKS))}")
    right.set(xlabel="test accuracy on old digits", ylabel="test accuracy on new digits")
    right.legend()
    return figure


def main(argv: list[str] | None = None) -> None:
    """Trains all seeds at once, fine-tunes them in each way, prints, and writes the picture."""
    parser = argparse.ArgumentParser(description="Fine-tune with a rate for each layer.")
    parser.add_argument("--output", type=Path, default="per_layer.png", help="the PNG to write")
    output, (first, old, few, new) = parser.parse_args(argv).output, load_data()
    networks, others = map(jax.vmap(Network), jax.random.split(jax.random.key(0), (2, SEEDS)))
    learn = jax.jit(jax.vmap(partial(train, {".*": 1.0}, 1e-2)))
    networks, _ = learn(networks, make_batches(len(first[1][0]), FIRST_STEPS), first)
    batches = make_batches(5 * SHOTS, STEPS)
    accuracies, rates = {}, {}
    print("            highest rate  on new digits  on old digits")
    for name, factors in METHODS.items():
        # Not as an argument: the rules have an order, which `jit` does not keep in a dict.
        seeds = jax.vmap(partial(fine_tune, factors), in_axes=(None, *[0] * 6))
        learn = jax.jit(jax.vmap(seeds, in_axes=(0, *[None] * 6)))
        arguments = networks, others.head, batches, few, new, old
        accuracy, rates[name] = learn(jnp.asarray(PEAKS), *arguments)
        accuracies[name] = np.asarray(accuracy)
        for peak, values in zip(PEAKS, accuracies[name], strict=True):
            both = zip(values.mean(axis=0), values.std(axis=0, ddof=1) / SEEDS**0.5, strict=True)
            print(f"{name:20}  {peak:<6g}", *(f"{mean:6.1%} ± {error:.1%}" for mean, error in both))
    shown = {rule: np.asarray(values)[-2, 0] for rule, values in rates["decayed by layer"].items()}
    save(draw(shown, accuracies), output)


if __name__ == "__main__":
    main()
