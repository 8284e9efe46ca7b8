"""64 learning-rate schedules of six families, with four seeds each, in one compiled program.

Trains 256 networks on scikit-learn's handwritten digits, ranks the schedules, and draws the test
losses. Takes half a minute; `--directory` keeps what is finished, so that a run that was
stopped goes on where it was:

    python examples/population.py [--steps N] [--seeds N] [--output PICTURE.png] [--directory DIR]
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.figure import Figure
from pictures import check_place, save
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import jaxsched

BATCH_SIZE = 64
HIDDEN = 64
CHUNK = 16
PEAKS = [0.001 * 2**i for i in range(8)]
SHOWN = 15
COLORS = ["black", "tab:red", "tab:orange", "tab:green", "tab:blue", "tab:purple"]

Params = dict[str, jax.Array]
Rate = Callable[[Any], Any]


class Digits(NamedTuple):
    """Images of 64 pixels from 0 to 1, and labels from 0 to 9."""

    train_images: np.ndarray
    test_images: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray


class Candidate(NamedTuple):
    """A schedule to try.

    Attributes:
      family: the name of its family.
      setting: what else tells it apart.
      peak: its highest rate.
      schedule: itself.
    """

    family: str
    setting: str
    peak: float
    schedule: Rate


def load_data() -> Digits:
    """The digits; the same quarter of each class is held out in every run."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / 16, labels, test_size=0.25, stratify=labels, random_state=0)
    return Digits(*(np.asarray(p, np.float32 if p.ndim > 1 else np.int32) for p in parts))


def make_candidates(steps: int, library: Any = jaxsched) -> list[Candidate]:
    """Six families for a run of `steps` steps: two in two settings, and all with eight peaks.

    With Optax as the library they are its closures, for `benchmarks/population.py`.
    """
    warmup = steps // 10
    makers: list[tuple[str, str, Callable[[float], Rate]]] = [
        ("constant", "", lambda peak: library.constant_schedule(peak)),
        ("linear", "", lambda peak: library.linear_schedule(peak, 0.0, steps)),
        ("cosine", "", lambda peak: library.cosine_decay_schedule(peak, steps)),
        ("one-cycle", "", lambda peak: library.cosine_onecycle_schedule(steps, peak)),
    ]
    for rate in (0.1, 0.01):
        makers.append(
            (
                "exponential",
                f"to {rate:g}",
                lambda p, r=rate: library.exponential_decay(p, steps, r),
            )
        )
    for part in (2, 4):
        decay = steps // part
        makers.append(
            (
                "warm-up, stable, decay",
                f"last 1/{part}",
                lambda peak, decay=decay: library.join_schedules(
                    [
                        library.linear_schedule(0.0, peak, warmup),
                        library.constant_schedule(peak),
                        library.linear_schedule(peak, 0.0, decay),
                    ],
                    [warmup, steps - decay],
                ),
            )
        )
    return [
        Candidate(family, setting, peak, make(peak))
        for family, setting, make in makers
        for peak in PEAKS
    ]


def initialize(key: jax.Array) -> Params:
    """A network with one hidden layer."""
    normal = jax.random.normal(key, (64 + 10, HIDDEN))
    return {
        "w1": normal[:64] / 64**0.5,
        "b1": jnp.zeros(HIDDEN),
        "w2": normal[64:].T / HIDDEN**0.5,
        "b2": jnp.zeros(10),
    }


def loss_and_hits(params: Params, images: Any, labels: Any) -> tuple[jax.Array, jax.Array]:
    """The mean loss over a batch, and the part of it that is right."""
    hidden = jax.nn.relu(images @ params["w1"] + params["b1"])
    logits = hidden @ params["w2"] + params["b2"]
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return losses.mean(), (logits.argmax(axis=-1) == labels).mean()


def make_train(digits: Digits, steps: int) -> Callable[[Rate, jax.Array], dict[str, jax.Array]]:
    """A function of a schedule and a key: it trains with Adam, and tests."""
    images, labels = jnp.asarray(digits.train_images), jnp.asarray(digits.train_labels)

    def train(schedule: Rate, key: jax.Array) -> dict[str, jax.Array]:
        optimizer = optax.adam(schedule)
        weights, order = jax.random.split(key)

        def step(state: Any, batch: jax.Array) -> tuple[Any, None]:
            params, opt_state = state
            grads, _ = jax.grad(loss_and_hits, has_aux=True)(params, images[batch], labels[batch])
            updates, opt_state = optimizer.update(grads, opt_state, params)
            return (optax.apply_updates(params, updates), opt_state), None

        params = initialize(weights)
        batches = jax.random.randint(order, (steps, BATCH_SIZE), 0, len(labels))
        (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), batches)
        loss, hits = loss_and_hits(params, digits.test_images, digits.test_labels)
        return {"loss": loss, "accuracy": hits}

    return train


def table(candidates: list[Candidate], metrics: dict[str, np.ndarray]) -> Iterator[str]:
    """The best of all, and the best of each family that is not among them."""
    losses = metrics["loss"].mean(axis=1)
    yield "rank  family                  setting      peak    test loss         accuracy"
    seen = set()
    for rank, i in enumerate(np.argsort(losses), start=1):
        family, setting, peak, _ = candidates[i]
        if rank <= SHOWN or family not in seen:
            spread, accuracy = metrics["loss"][i].std(), metrics["accuracy"][i].mean()
            yield (
                f"{rank:4}  {family:22}  {setting:8} {peak:8.3f} {losses[i]:8.4f} ± {spread:.4f}"
                f" {accuracy:12.2%}"
            )
        seen.add(family)


def draw(candidates: list[Candidate], losses: np.ndarray, steps: int) -> Figure:
    """The best schedule of each family, and the test losses by peak and family."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    families = list(dict.fromkeys(candidate.family for candidate in candidates))
    means = losses.mean(axis=1)
    for family, color in zip(families, COLORS, strict=True):
        members = [i for i, candidate in enumerate(candidates) if candidate.family == family]
        best = min(members, key=means.__getitem__)
        rates = jax.jit(candidates[best].schedule)(jnp.arange(steps))
        left.plot(np.asarray(rates), color=color, label=family)
        alike = [i for i in members if candidates[i].setting == candidates[best].setting]
        right.plot(PEAKS, means[alike], "o-", color=color, markersize=4)
        low, high = losses[alike].min(axis=1), losses[alike].max(axis=1)
        right.fill_between(PEAKS, low, high, color=color, alpha=0.12, linewidth=0)
    left.set(title="the best of each family", xlabel="step", ylabel="learning rate")
    left.set(xlim=(0, steps), ylim=(0, None))
    right.set(title=f"mean and range of {losses.shape[1]} seeds", xlabel="peak learning rate")
    right.set(ylabel="test loss", xscale="log", yscale="log")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=len(families), frameon=False)
    return figure


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The flags; a bad one ends the program with one line that names it."""
    parser = argparse.ArgumentParser(
        description="Train networks under 64 learning-rate schedules at once.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=260, help="steps of each run")
    parser.add_argument("--seeds", type=int, default=4, help="runs of each schedule")
    parser.add_argument("--output", type=Path, default="population.png", help="the PNG to write")
    parser.add_argument("--directory", type=Path, help="where finished chunks are kept")
    args = parser.parse_args(argv)
    if args.steps < 10:
        parser.error(f"argument --steps: must be at least 10, got {args.steps}")
    if args.seeds < 1:
        parser.error(f"argument --seeds: must be at least 1, got {args.seeds}")
    check_place(parser, args.output)
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Trains, prints the table and writes the picture."""
    args = parse(argv)
    candidates = make_candidates(args.steps)
    metrics = jaxsched.population(
        make_train(load_data(), args.steps),
        [candidate.schedule for candidate in candidates],
        jax.random.split(jax.random.key(0), args.seeds),
        chunk=CHUNK,
        directory=args.directory,
    )
    print(*table(candidates, metrics), sep="\n")
    save(draw(candidates, metrics["loss"], args.steps), args.output, dpi=120)
    print(f"The picture is {args.output}.")


if __name__ == "__main__":
    main()
