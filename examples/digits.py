"""Nine learning-rate schedules train the same network on scikit-learn's handwritten digits.

Prints a table and draws the learning rates above the test losses. Takes half a minute:

    python examples/digits.py [--epochs N] [--output PICTURE.png] [--seed N]

A digit is 0.22 % of the test set, so the losses tell the schedules apart, not the accuracies.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from pictures import check_place, save
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import jaxsched

BATCH_SIZE = 100
PEAK = 3e-3
COLORS = ["black", "tab:red", "tab:orange", "tab:olive", "tab:green"]
COLORS += ["tab:cyan", "tab:blue", "tab:purple", "tab:pink"]

Schedules = dict[str, jaxsched.Schedule]
Split = tuple[nnx.GraphDef["Network"], optax.Params]
TrainState = tuple[optax.Params, optax.OptState]


class Digits(NamedTuple):
    """Images of 64 pixels from 0 to 1, and labels from 0 to 9."""

    train_images: jax.Array
    test_images: jax.Array
    train_labels: jax.Array
    test_labels: jax.Array


class Result(NamedTuple):
    """The test losses and accuracies before training and after each epoch, and the time."""

    losses: list[float]
    accuracies: list[float]
    seconds: float


class Network(nnx.Module):
    """One hidden layer of 500 units."""

    def __init__(self, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(64, 500, rngs=rngs)
        self.output = nnx.Linear(500, 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        """The score of each digit."""
        return self.output(nnx.relu(self.hidden(images)))


def load_data() -> Digits:
    """The digits; the same quarter of each class is held out in every run."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / 16, labels, test_size=0.25, stratify=labels, random_state=0)
    return Digits(*map(jnp.asarray, parts))


def make_batches(size: int, epochs: int, seed: int) -> np.ndarray:
    """The indices of every batch of every epoch, shuffled in each."""
    order = np.tile(np.arange(size), (epochs, 1))
    order = np.random.default_rng(seed).permuted(order, axis=1)
    return order[:, : size // BATCH_SIZE * BATCH_SIZE].reshape(epochs, -1, BATCH_SIZE)


def make_schedules(steps: int) -> Schedules:
    """Schedules by name for a run of `steps` steps, all with the same peak."""
    warmup_steps = steps // 10
    return {
        "constant": jaxsched.constant_schedule(PEAK),
        "step decay": jaxsched.exponential_decay(PEAK, math.ceil(steps / 4), 0.3, staircase=True),
        "exponential": jaxsched.exponential_decay(PEAK, steps, 0.01),
        "linear": jaxsched.linear_schedule(PEAK, 0.0, steps),
        "polynomial": jaxsched.polynomial_schedule(PEAK, 0.0, 3, steps),
        "cosine": jaxsched.cosine_decay_schedule(PEAK, steps),
        "warm-up, cosine": jaxsched.with_warmup(
            jaxsched.cosine_decay_schedule(PEAK, steps - warmup_steps), warmup_steps
        ),
        # Cycles of 1, 2 and 4 sevenths, so that the third ends with the run.
        "warm restarts": jaxsched.cosine_restarts_schedule(PEAK, math.ceil(steps / 7), 2),
        "one-cycle": jaxsched.cosine_onecycle_schedule(steps, PEAK),
    }


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """The mean loss over a batch."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


@jax.jit
def train_epoch(
    schedule: jaxsched.Schedule,
    graphdef: nnx.GraphDef[Network],
    state: TrainState,
    digits: Digits,
    batches: jax.Array,
) -> TrainState:
    """One epoch as one program. The schedule is an argument: new numbers compile nothing."""
    optimizer = optax.adam(schedule)

    def step(state: TrainState, batch: jax.Array) -> tuple[TrainState, None]:
        def loss(params: optax.Params) -> jax.Array:
            logits = nnx.merge(graphdef, params)(digits.train_images[batch])
            return cross_entropy(logits, digits.train_labels[batch])

        params, opt_state = state
        updates, opt_state = optimizer.update(jax.grad(loss)(params), opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), None

    return jax.lax.scan(step, state, batches)[0]


@jax.jit
def evaluate(
    graphdef: nnx.GraphDef[Network], params: optax.Params, digits: Digits
) -> tuple[jax.Array, jax.Array]:
    """The loss and the accuracy on the held-out digits."""
    logits = nnx.merge(graphdef, params)(digits.test_images)
    hits = logits.argmax(axis=-1) == digits.test_labels
    return cross_entropy(logits, digits.test_labels), hits.mean()


def train(
    schedule: jaxsched.Schedule, network: Split, digits: Digits, epochs: np.ndarray, bar: tqdm
) -> Result:
    """Trains a network with Adam under one schedule, on the batches of each epoch."""
    begin = time.perf_counter()
    graphdef, params = network
    state = params, optax.adam(schedule).init(params)
    tests = [evaluate(graphdef, params, digits)]
    for batches in epochs:
        state = train_epoch(schedule, graphdef, state, digits, batches)
        tests.append(jax.block_until_ready(evaluate(graphdef, state[0], digits)))
        bar.update()
    losses, accuracies = zip(*jax.tree.map(float, tests), strict=True)
    return Result(list(losses), list(accuracies), time.perf_counter() - begin)


def train_all(
    schedules: Schedules, network: Split, digits: Digits, epochs: np.ndarray
) -> dict[str, Result]:
    """Trains the same network once per schedule, behind one progress bar."""
    results = {}
    with tqdm(total=len(schedules) * len(epochs), unit="epoch", leave=False) as bar:
        for name, schedule in schedules.items():
            bar.set_description(f"{name:15}")
            results[name] = train(schedule, network, digits, epochs, bar)
    return results


def table(results: dict[str, Result]) -> Iterator[str]:
    """The lines of the table."""
    yield "schedule         final accuracy  best accuracy  final test loss  seconds"
    for name, (losses, accuracies, seconds) in results.items():
        final, best = accuracies[-1], max(accuracies)
        yield f"{name:15} {final:15.2%} {best:14.2%} {losses[-1]:16.4f} {seconds:8.1f}"
    yield "Seconds include compilation, which step decay and exponential share."


def draw(schedules: Schedules, results: dict[str, Result], steps: int) -> Figure:
    """The learning rates above the test losses."""
    figure = Figure(figsize=(11, 8), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(2, 3))
    for (name, schedule), color in zip(schedules.items(), COLORS, strict=True):
        losses = results[name].losses
        rates = jax.jit(schedule)(jnp.arange(steps))
        upper.plot(rates, color=color, label=name)
        lower.plot(jnp.linspace(0, steps, len(losses)), losses, color=color)
    upper.set_ylabel("learning rate")
    lower.set(xlabel="step", xlim=(0, steps), ylabel="test loss")
    scale_losses(lower, min(min(result.losses) for result in results.values()))
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def scale_losses(axes: Axes, lowest: float) -> None:
    """A log scale up to a few times the lowest loss, as the first steps need the most room."""
    axes.set_yscale("log")
    axes.set_ylim(top=min(6 * lowest, axes.get_ylim()[1]))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The flags; a bad one ends the program with one line that names it."""
    parser = argparse.ArgumentParser(
        description="Train one small network under nine learning-rate schedules.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, default=60, help="epochs per schedule")
    parser.add_argument("--output", type=Path, default="digits.png", help="the PNG to write")
    parser.add_argument("--seed", type=int, default=0, help="seed of the network and the batches")
    args = parser.parse_args(argv)
    if args.epochs < 1:
        parser.error(f"argument --epochs: must be at least 1, got {args.epochs}")
    if not 0 <= args.seed < 2**31:
        parser.error(f"argument --seed: must be from 0 to 2**31 - 1, got {args.seed}")
    check_place(parser, args.output)
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Trains, prints the table and writes the picture."""
    args = parse(argv)
    digits = load_data()
    epochs = make_batches(len(digits.train_labels), args.epochs, args.seed)
    steps = epochs.shape[0] * epochs.shape[1]
    schedules = make_schedules(steps)
    network = nnx.split(Network(nnx.Rngs(args.seed)))
    results = train_all(schedules, network, digits, epochs)
    print(*table(results), sep="\n")
    save(draw(schedules, results, steps), args.output)
    print(f"The picture is {args.output}.")


if __name__ == "__main__":
    main()
