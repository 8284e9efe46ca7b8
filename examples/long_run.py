"""A run that goes on: a trunk, models branched from it, an extension, a spike skipped, a rewind.

A network learns scikit-learn's digits in batches of 50, and saves a checkpoint with Orbax every 250
steps. Batch 900 is garbage: `skip_on` leaves its update out. Three models are branched from
checkpoints, the trunk is extended where it would have ended, and a run that has no `skip_on` goes
back to a checkpoint from before the garbage, lowers the rate, leaves the batch out, and is
stopped and resumed on the way. Expect the later branch to be the better model, the extension the
best, and the run that went back better than the one that took the garbage in.

Prints a table, draws rates and losses. Half a minute on two cores:

    python examples/long_run.py [--output PICTURE.png]
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint
from matplotlib.figure import Figure
from pictures import check_place, save
from sklearn.datasets import load_digits

import jaxsched as js

EVERY, GARBAGE, BRANCHES, COOLDOWN = 250, 900, (500, 1000, 1500), 250
TRUNK = js.warmup_stable_decay_schedule(0.0, 3e-3, 100, decay_begin=1750, decay_steps=250)
SPIKE = js.spike(deviations=6, window=128)


class Run(NamedTuple):
    """What a checkpoint holds: the parameters, the optimizer's state, the batches drawn."""

    params: Any
    opt_state: Any
    batches: jax.Array


class Log(NamedTuple):
    """What was seen at each step."""

    steps: np.ndarray
    rates: np.ndarray
    losses: np.ndarray


def load_data() -> tuple[jax.Array, jax.Array]:
    """Images and labels of ten digits."""
    images, labels = load_digits(return_X_y=True)
    return jnp.asarray(images / 16), jnp.asarray(labels)


def batch_of(data: tuple[jax.Array, jax.Array], number: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A batch by its number alone, so that any run can go on from any of them.

    One label in four is another in each batch: noise for which a lower rate has use.
    """
    images, labels = data
    keys = jax.random.split(jax.random.fold_in(jax.random.key(0), number), 3)
    chosen = jax.random.randint(keys[0], (50,), 0, 1500)
    wrong = jax.random.bernoulli(keys[1], 0.25, (50,))
    others = jax.random.randint(keys[2], (50,), 0, 10)
    garbage = jnp.where(number == GARBAGE, -300.0, 1.0)
    return images[chosen] * garbage, jnp.where(wrong, others, labels[chosen])


def loss_of(params: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    """The cross-entropy of a network with one hidden layer."""
    hidden = jax.nn.relu(images @ params["hidden"])
    logits = hidden @ params["output"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def optimizer_of(rate: js.Schedule, skips: bool = True) -> optax.GradientTransformation:
    """Adam, and the updates at spikes left out."""
    adam = optax.scale_by_adam()
    inner = js.skip_on(SPIKE, adam) if skips else adam
    return optax.chain(inner, js.scale_by_learning_rate(rate))


def begun(optimizer: optax.GradientTransformation) -> Run:
    """A run before its first update."""
    keys = jax.random.split(jax.random.key(1))
    params = {
        "hidden": jax.random.normal(keys[0], (64, 100)) / 8,
        "output": jax.random.normal(keys[1], (100, 10)) / 10,
    }
    return Run(params, optimizer.init(params), jnp.zeros((), jnp.int32))


def trainer(optimizer: Any, data: Any, left_out: int = -1) -> Callable[[Run, int], tuple[Run, Any]]:
    """From a run to the same some steps later, in one program; a batch may be left out."""

    def step(run: Run, _: None) -> tuple[Run, tuple[jax.Array, jax.Array]]:
        number = run.batches + (run.batches == left_out)
        loss, grads = jax.value_and_grad(loss_of)(run.params, *batch_of(data, number))
        updates, state = optimizer.update(grads, run.opt_state, run.params, value=loss)
        after = Run(optax.apply_updates(run.params, updates), state, number + 1)
        return after, (js.learning_rate(state), loss)

    return jax.jit(lambda run, steps: jax.lax.scan(step, run, length=steps), static_argnums=1)


class Checkpoints:
    """Runs by their step, in a folder."""

    def __init__(self, folder: Path):
        self.folder, self.orbax = folder, orbax.checkpoint.StandardCheckpointer()

    def save(self, step: int, run: Run) -> None:
        """Writes a run."""
        self.orbax.save(self.folder / str(step), run)
        self.orbax.wait_until_finished()

    def restore(self, step: int, like: Run) -> Run:
        """The run of a step, into one of the same optimizer."""
        return self.orbax.restore(self.folder / str(step), like)


def go_on(run: Run, train: Any, first: int, last: int, kept: Checkpoints | None) -> Any:
    """Trains from a step to a later one, with a checkpoint every so often."""
    logs = []
    for step in range(first, last, EVERY):
        run, log = train(run, min(EVERY, last - step))
        logs.append(log)
        if kept:
            kept.save(step + EVERY, run)
    rates, losses = (np.concatenate(part) for part in zip(*logs, strict=True))
    return run, Log(np.arange(first, last), rates, losses)


def train_all(data: Any, folder: Path) -> dict[str, tuple[Run, Log]]:
    """All runs by name."""
    optimizer, kept = optimizer_of(TRUNK), Checkpoints(folder / "trunk")
    start = begun(optimizer)
    runs = {"trunk": go_on(start, trainer(optimizer, data), 0, 2000, kept)}
    for at in BRANCHES:
        rate = js.branch(TRUNK, at, COOLDOWN)
        assert not js.check(rate, at + COOLDOWN, resumed_from=(TRUNK, at))
        train = trainer(optimizer_of(rate), data)
        runs[f"branch {at}"] = go_on(kept.restore(at, start), train, at, at + COOLDOWN, None)
    longer = trainer(optimizer_of(js.extend(TRUNK, 2500, count=1750)), data)
    runs["extended"] = go_on(kept.restore(1750, start), longer, 1750, 2500, None)
    runs |= rewound(data, folder)
    return runs


def rewound(data: Any, folder: Path) -> dict[str, tuple[Run, Log]]:
    """A run that takes in the garbage, and one that goes back before it, stopped on the way."""
    kept = Checkpoints(folder / "spiked")
    optimizer = optimizer_of(TRUNK, skips=False)
    start = begun(optimizer)
    spiked = go_on(start, trainer(optimizer, data), 0, 1250, kept)
    back = GARBAGE // EVERY * EVERY
    lowered = js.join_schedules([TRUNK, 0.5 * js.shift(TRUNK, -back)], boundaries=[back])
    train = trainer(optimizer_of(lowered, skips=False), data, left_out=GARBAGE)
    again = Checkpoints(folder / "rewound")
    go_on(kept.restore(back, start), train, back, 1000, again)
    # Here the process may end: what follows reads the checkpoint only.
    runs = go_on(again.restore(1000, start), train, 1000, 1250, None)
    return {"spiked": spiked, "rewound": runs}


def report(runs: dict[str, tuple[Run, Log]], data: Any) -> None:
    """A line for each run: its loss on what no run has seen."""
    images, labels = data
    print(f"{'run':12} {'steps':>6} {'loss':>7} {'skipped':>8}")
    for name, (run, log) in runs.items():
        loss = loss_of(run.params, images[1500:], labels[1500:])
        records = js.record(run.opt_state)["events"] if name not in ("spiked", "rewound") else 0
        print(f"{name:12} {log.steps[-1] + 1:6} {loss:7.3f} {int(records):8}")


def draw(runs: dict[str, tuple[Run, Log]]) -> Figure:
    """Rates above, losses below, averaged over 25 steps."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    for name, (_, log) in runs.items():
        above.plot(log.steps, log.rates, label=name)
        below.plot(log.steps[::25], log.losses.reshape(-1, 25).mean(axis=1))
    above.set(ylabel="rate")
    below.set(ylabel="training loss", xlabel="step", yscale="log")
    above.legend(ncols=4, fontsize="small")
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Trains, prints and draws."""
    parser = argparse.ArgumentParser(description="A run that goes on.")
    parser.add_argument("--output", type=Path, default=Path("long_run.png"))
    output = parser.parse_args(arguments).output
    check_place(parser, output)
    data = load_data()
    with tempfile.TemporaryDirectory() as folder:
        runs = train_all(data, Path(folder))
    report(runs, data)
    save(draw(runs), output)


if __name__ == "__main__":
    main()
