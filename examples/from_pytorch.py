"""A training script of PyTorch, and the same in JAX with the scheduler handed over.

A network learns scikit-learn's digits with SGD, momentum, and `SequentialLR` of a linear warm-up
and a cosine. Then JAX trains from the same first weights on the same batches, with the rate that
`from_torch` makes of that scheduler. Expect the same rates to the last digits, and the same losses
up to the rounding of float32, which the steps of a training amplify.

Needs PyTorch as well. Prints the largest differences, draws rates and losses:

    python examples/from_pytorch.py [--epochs 20] [--output PICTURE.png]
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from matplotlib.figure import Figure
from pictures import save
from sklearn.datasets import load_digits
from torch.optim import lr_scheduler

import jaxsched

BATCH_SIZE, PEAK, MOMENTUM = 64, 0.1, 0.9
Params = dict[str, np.ndarray]


class Curve(NamedTuple):
    """The rate and the loss of each step."""

    rates: np.ndarray
    losses: np.ndarray


def make_batches(epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of each step."""
    images, labels = load_digits(return_X_y=True)
    shuffle, steps = np.random.default_rng(0).permutation, len(labels) // BATCH_SIZE
    order = np.concatenate([shuffle(len(labels))[: steps * BATCH_SIZE] for _ in range(epochs)])
    rows = order.reshape(-1, BATCH_SIZE)
    return images[rows].astype(np.float32) / 16, labels[rows]


def make_network() -> torch.nn.Sequential:
    """One hidden layer, in PyTorch."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))


def make_scheduler(optimizer: torch.optim.Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """A tenth of the run warms up, the rest is a cosine."""
    warmup_steps = steps // 10
    warmup = lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=warmup_steps)
    cosine = lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps - warmup_steps)
    return lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[warmup_steps])


def train_torch(images: np.ndarray, labels: np.ndarray) -> Curve:
    """The script as it was."""
    network = make_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=PEAK, momentum=MOMENTUM)
    scheduler = make_scheduler(optimizer, len(images))
    rates, losses = [], []
    for batch, classes in zip(torch.tensor(images), torch.tensor(labels), strict=True):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(batch), classes)
        loss.backward()
        rates.append(scheduler.get_last_lr()[0])
        losses.append(loss.item())
        optimizer.step()
        scheduler.step()
    return Curve(np.array(rates), np.array(losses))


def handed_over(steps: int) -> tuple[Params, jaxsched.Schedule]:
    """The first weights as arrays, and the scheduler as a schedule."""
    network = make_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=PEAK, momentum=MOMENTUM)
    params = {name: value.detach().numpy() for name, value in network.named_parameters()}
    return params, jaxsched.from_torch(make_scheduler(optimizer, steps))


def cross_entropy(params: Params, images: jax.Array, labels: jax.Array) -> jax.Array:
    """The same network and loss, under PyTorch's names of the weights."""
    hidden = jax.nn.relu(images @ params["0.weight"].T + params["0.bias"])
    logits = hidden @ params["2.weight"].T + params["2.bias"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def train_jax(images: np.ndarray, labels: np.ndarray) -> Curve:
    """The same in JAX, as one compiled loop."""
    params, rate = handed_over(len(images))
    optimizer = optax.chain(optax.trace(MOMENTUM), jaxsched.scale_by_learning_rate(rate))

    def step(state: tuple, batch: tuple) -> tuple[tuple, Curve]:
        params, opt_state = state
        loss, grads = jax.value_and_grad(cross_entropy)(params, *batch)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        curve = Curve(jaxsched.learning_rate(opt_state), loss)
        return (optax.apply_updates(params, updates), opt_state), curve

    start = jax.tree.map(jnp.asarray, params)
    run = jax.jit(lambda state: jax.lax.scan(step, state, (images, labels))[1])
    return jax.tree.map(np.asarray, run((start, optimizer.init(start))))


def draw(before: Curve, after: Curve) -> Figure:
    """Rates above losses, each of both."""
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    axes = figure.subplots(2, sharex=True)
    for axis, label, old, new in zip(axes, ("learning rate", "loss"), before, after, strict=True):
        axis.plot(old, color="silver", linewidth=5, label="PyTorch")
        axis.plot(new, color="tab:blue", linewidth=1, label="JAX with from_torch")
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
    axes[0].legend()
    axes[1].set(xlabel="step", yscale="log")
    return figure


def main(argv: list[str] | None = None) -> None:
    """Trains twice, prints the differences and writes the picture."""
    parser = argparse.ArgumentParser(description="Train in PyTorch, and the same in JAX.")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of each training")
    parser.add_argument("--output", type=Path, default="from_pytorch.png", help="the PNG to write")
    args = parser.parse_args(argv)
    batches = make_batches(args.epochs)
    before, after = train_torch(*batches), train_jax(*batches)
    rates, losses = (np.abs(new - old).max() for old, new in zip(before, after, strict=True))
    print(f"{len(before.rates)} steps, the largest differences:")
    print(f"learning rate {rates:.1e} (the highest is {before.rates.max():.1e})")
    print(f"loss          {losses:.1e} (the lowest is {before.losses.min():.1e})")
    save(draw(before, after), args.output)


if __name__ == "__main__":
    main()
