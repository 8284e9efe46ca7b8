"""The validation loss steers the rate: a restart when it stalls, a cooldown when it stalls again.

A network learns scikit-learn's digits, with a quarter of the labels wrong. Each time the
validation loss has stalled, `advance_on` goes on to the next of three schedules: a run, the same
run again, and a cooldown to 0. Expect it to end with the loss that a cosine ends with, after
fewer epochs, though only the cosine is told how long to train; a constant rate ends worse.

Prints a table and the events, draws rates and losses. Half a minute at most:

    python examples/plateau.py [--output PICTURE.png]
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
from pictures import save
from sklearn.datasets import load_digits

import jaxsched
import jaxsched.flax

EPOCHS, SEEDS, BATCH_SIZE, PEAK = 50, 8, 50, 1e-2
COLORS = {"constant": "silver", "cosine": "tab:orange", "steered": "tab:blue"}


def load_data() -> Any:
    """Images and labels for training, validation and test; of the first two a quarter are wrong."""
    images, labels = load_digits(return_X_y=True)
    random = np.random.default_rng(0)
    wrong = (labels + random.integers(1, 10, len(labels))) % 10
    noisy = np.where(random.random(len(labels)) < 0.25, wrong, labels)
    train, validation, test = np.split(random.permutation(len(labels)), [1050, 1400])
    parts = (train, noisy), (validation, noisy), (test, labels)
    return jax.tree.map(jnp.asarray, [(images[part] / 16, kind[part]) for part, kind in parts])


def make_batches(size: int) -> np.ndarray:
    """The indices of each batch of each epoch for each seed."""
    order = np.random.default_rng(0).permuted(np.tile(np.arange(size), (SEEDS, EPOCHS, 1)), axis=2)
    return order.reshape(SEEDS, EPOCHS, -1, BATCH_SIZE)


class Network(nnx.Module):
    """One hidden layer of 200 units."""

    def __init__(self, key: jax.Array):
        rngs = nnx.Rngs(key)
        self.hidden, self.output = nnx.Linear(64, 200, rngs=rngs), nnx.Linear(200, 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        """The logits of the ten digits."""
        return self.output(nnx.relu(self.hidden(images)))


def make_rates(epoch: int) -> dict[str, Any]:
    """What to train with, by name; an epoch has that many steps."""
    run = jaxsched.with_warmup(jaxsched.exponential_decay(PEAK, 15 * epoch, 0.3), epoch // 2)
    cooldown = jaxsched.linear_schedule(1.0, 0.0, 6 * epoch)  # fractions of the rate before it
    # All three hear the validation loss, but those with one schedule have nowhere to go.
    stalled = jaxsched.plateau(patience=4, reset_best=True)
    schedules = [PEAK], [jaxsched.cosine_decay_schedule(PEAK, EPOCHS * epoch)], [run, run, cooldown]
    return {n: jaxsched.advance_on(stalled, s) for n, s in zip(COLORS, schedules, strict=True)}


def cross_entropy(model: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    """The mean loss."""
    return optax.softmax_cross_entropy_with_integer_labels(model(images), labels).mean()


def train(rate: Any, model: nnx.Module, batches: jax.Array, data: Any) -> dict[str, jax.Array]:
    """A whole training: a scan over epochs, each of which is a scan over steps."""
    (images, labels), validation, (test_images, test_labels) = data
    scale = jaxsched.scale_by_learning_rate(rate)
    transform = optax.chain(optax.scale_by_adam(), optax.add_decayed_weights(0.7), scale)

    def step(state: Any, batch: jax.Array) -> tuple[Any, jax.Array]:
        model, optimizer = state
        grads = nnx.grad(cross_entropy)(model, images[batch], labels[batch])
        optimizer.update(model, grads)  # with `value=loss` the training loss would steer
        return state, jaxsched.learning_rate(optimizer.opt_state)[...]

    def epoch(state: Any, batches: jax.Array) -> tuple[Any, dict[str, jax.Array]]:
        (model, optimizer), rates = jax.lax.scan(step, state, batches)
        loss = cross_entropy(model, *validation)
        jaxsched.flax.observe(optimizer, value=loss)  # heard by the next step
        accuracy = jnp.mean(model(test_images).argmax(axis=-1) == test_labels)
        record = jaxsched.record(optimizer.opt_state)
        return (model, optimizer), {"rate": rates, "loss": loss, "accuracy": accuracy, **record}

    state = model, nnx.Optimizer(model, transform, wrt=nnx.Param)
    return jax.lax.scan(epoch, state, batches)[1]


def mean(values: np.ndarray, form: str) -> str:
    """The mean over seeds and its standard error."""
    return f"{values.mean():{form}} ± {values.std(ddof=1) / SEEDS**0.5:{form}}"


def draw(results: dict[str, Any], events: dict[int, str]) -> Figure:
    """The rates of the first seed above its validation losses, with the events."""
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(2, 3))
    for name, result in results.items():
        rates, losses = result["rate"][0], result["loss"][0]
        upper.plot(rates.ravel(), color=COLORS[name], label=name)
        lower.plot(rates.shape[1] * np.arange(1, EPOCHS + 1), losses, ".-", color=COLORS[name])
    for step, text in events.items():
        upper.axvline(step, color="black", linestyle="--", linewidth=1)
        lower.axvline(step, color="black", linestyle="--", linewidth=1)
        lower.annotate(f" {text}", (step, 0.94), xycoords=("data", "axes fraction"))
    upper.set(ylabel="learning rate", title="Restart and then cooldown as validation loss stalls")
    lower.set(xlabel="step", ylabel="validation loss")
    upper.legend()
    return figure


def main(argv: list[str] | None = None) -> None:
    """Trains all seeds at once with each rate, prints, and writes the picture."""
    parser = argparse.ArgumentParser(description="Steer the learning rate by a validation loss.")
    parser.add_argument("--output", type=Path, default="plateau.png", help="the PNG to write")
    output, data = parser.parse_args(argv).output, load_data()
    networks = jax.vmap(Network)(jax.random.split(jax.random.key(0), SEEDS))
    batches, results = make_batches(len(data[0][1])), {}
    train_all = jax.jit(jax.vmap(train, in_axes=(None, 0, 0, None)))
    print("          validation loss  test accuracy  epochs with a rate above 0")
    for name, rate in make_rates(batches.shape[2]).items():
        result = results[name] = jax.tree.map(np.asarray, train_all(rate, networks, batches, data))
        loss, accuracy = mean(result["loss"][:, -1], ".4f"), mean(result["accuracy"][:, -1], ".1%")
        print(f"{name:8}  {loss}  {accuracy}   {mean(result['rate'].any(2).sum(1), '.1f')}")
    steps = np.unique(results["steered"]["last_event"][0])[1:]  # the first is -1: no event yet
    stalls = zip(steps.tolist(), ["restart", "cooldown"], strict=False)
    events = {step: f"epoch {step // batches.shape[2]}: {text}" for step, text in stalls}
    print(*(f"stalled at step {step}, {text}" for step, text in events.items()), sep="\n")
    save(draw(results, events), output)


if __name__ == "__main__":
    main()
