"""What rates that react to a metric cost in a training step, beside Optax and a rule on the host.

Run as `python benchmarks/control.py`. The tables are Markdown; `--output FILE` also writes
them to a file.
"""

import argparse
import functools
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from growth import machine, markdown

import jaxsched

PEAK = 1e-3
RULE = jaxsched.plateau(patience=100, window=10)
SCHEDULE = jaxsched.warmup_cosine_decay_schedule(0.0, PEAK, 1000, 100_000)
COOLDOWN = jaxsched.linear_schedule(1.0, 0.0, 1000)
BASELINE = "constant"
ABOUT = """
An Adam step over the same step with a constant rate, both of them hearing the loss. Steps are
called one by one with a donated state, or all in one `lax.scan`. Short blocks of all variants take
turns in random order in one process; a figure is the median of the ratios of neighbouring blocks,
with a 95 % interval by the bootstrap. The last four columns are of the compiled step: its
instructions, those that are fusions, conditionals, and the arrays in the state. The rule
on the host fetches the loss at each step, decides in Python, and feeds the rate back.
"""


def adam(rate: Any) -> optax.GradientTransformation:
    """Adam with a rate of ours."""
    return optax.chain(optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate))


OPTIMIZERS = {
    BASELINE: adam(PEAK),
    "constant (control)": adam(PEAK),
    "`reduce_on`": adam(jaxsched.reduce_on(RULE, SCHEDULE)),
    "`restart_on`": adam(jaxsched.restart_on(RULE, SCHEDULE, peak_mult=0.5)),
    "`advance_on`": adam(jaxsched.advance_on(RULE, [SCHEDULE, COOLDOWN])),
    "`scale_on`": adam(jaxsched.scale_on(RULE, SCHEDULE, factor=0.5)),
    "`raise_and_lower_on`": adam(
        jaxsched.raise_and_lower_on(jaxsched.improving(patience=10), RULE, SCHEDULE)
    ),
    "`reduce_on` with `slope_test`": adam(jaxsched.reduce_on(jaxsched.slope_test(), SCHEDULE)),
    "`reduce_on` with `spike`": adam(jaxsched.reduce_on(jaxsched.spike(), SCHEDULE)),
    "`reduce_on_plateau`": optax.chain(
        optax.adam(PEAK), jaxsched.reduce_on_plateau(patience=100, accumulation_size=10)
    ),
    "`reset_on`": jaxsched.reset_on(RULE, adam(PEAK)),
    "Optax `reduce_on_plateau`": optax.chain(
        optax.adam(PEAK), optax.contrib.reduce_on_plateau(patience=100, accumulation_size=10)
    ),
    "Optax `inject_hyperparams`": optax.inject_hyperparams(optax.adam)(learning_rate=PEAK),
}
HOST = "rule on the host"


@dataclass(frozen=True)
class Training:
    """A network to train.

    Attributes:
      name: how the tables name it.
      layers: the sizes of its layers.
      calls: steps in a block called one by one.
      scan: steps in a block of one call.
      blocks: how many of each are timed.
    """

    name: str
    layers: tuple[int, ...]
    calls: int
    scan: int
    blocks: int


TRAININGS = [
    Training("1,072 parameters", (16, 32, 16), 200, 1000, 60),
    Training("1,050,112 parameters", (512, 1024, 512), 4, 4, 40),
]


def parameters(layers: tuple[int, ...]) -> list[tuple[jax.Array, jax.Array]]:
    """The weights and biases of a network."""
    generator = np.random.default_rng(0)
    sizes = itertools.pairwise(layers)
    return [
        (jnp.asarray(generator.normal(size=s) / s[0] ** 0.5, jnp.float32), jnp.zeros(s[1]))
        for s in sizes
    ]


def inputs(training: Training) -> jax.Array:
    """A batch of vectors."""
    return jnp.asarray(np.random.default_rng(1).normal(size=(16, training.layers[0])), jnp.float32)


def loss(params: list[tuple[jax.Array, jax.Array]], x: jax.Array) -> jax.Array:
    """How badly a network copies its input."""
    y = x
    for weight, bias in params:
        y = jnp.tanh(y @ weight + bias)
    return jnp.mean((y - x) ** 2)


def step(optimizer: Any, x: jax.Array, carry: Any, _: Any = None) -> tuple[Any, jax.Array]:
    """A training step whose optimizer hears the loss."""
    params, state = carry
    value, grads = jax.value_and_grad(loss)(params, x)
    optimizer = optax.with_extra_args_support(optimizer)
    updates, state = optimizer.update(grads, state, params, value=value)
    return (optax.apply_updates(params, updates), state), value


class Runner:
    """An optimizer at work: blocks of steps called one by one, and of steps in one call."""

    def __init__(self, training: Training, optimizer: Any):
        params, x = parameters(training.layers), inputs(training)
        take = functools.partial(step, optimizer, x)
        self.training = training
        self.one = jax.jit(lambda carry: take(carry)[0], donate_argnums=0)
        self.many = jax.jit(
            lambda carry: jax.lax.scan(take, carry, None, training.scan)[0], donate_argnums=0
        )
        self.carry = jax.block_until_ready((params, optimizer.init(params)))
        self.program = self.one.lower(self.carry).compile().as_text()
        self.arrays = len(jax.tree.leaves(self.carry[1]))
        self.calls()
        self.scan()

    def calls(self) -> None:
        """Steps called one by one."""
        for _ in range(self.training.calls):
            self.carry = self.one(self.carry)
        jax.block_until_ready(self.carry)

    def scan(self) -> None:
        """As many or more in one call."""
        self.carry = jax.block_until_ready(self.many(self.carry))


class HostRunner:
    """The same rule in Python: the loss is fetched at each step, the rate is fed back."""

    def __init__(self, training: Training):
        params, x = parameters(training.layers), inputs(training)
        memory = optax.scale_by_adam()

        def take(carry: Any, rate: Any) -> tuple[Any, jax.Array]:
            params, state = carry
            value, grads = jax.value_and_grad(loss)(params, x)
            updates, state = memory.update(grads, state, params)
            params = jax.tree.map(lambda p, u: p - rate * u, params, updates)
            return (params, state), value

        self.training, self.rate = training, PEAK
        self.best, self.bad = float("inf"), 0
        self.one = jax.jit(take, donate_argnums=0)
        self.carry = (params, memory.init(params))
        self.calls()

    def calls(self) -> None:
        """Steps called one by one, each after a decision on the loss of the one before."""
        for _ in range(self.training.calls):
            self.carry, value = self.one(self.carry, self.rate)
            self.decide(float(value))

    def decide(self, value: float) -> None:
        """Lowers the rate where the loss has stalled."""
        improved = value < self.best * (1 - 1e-4)
        self.best, self.bad = (value, 0) if improved else (self.best, self.bad + 1)
        if self.bad >= 1000:
            self.rate, self.bad = self.rate * 0.1, 0


def seconds(action: Callable[[], None]) -> float:
    """How long something takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def ratios(blocks: dict[str, Callable[[], None]], rounds: int) -> dict[str, np.ndarray]:
    """The times of blocks over that of the baseline, in rounds of random order."""
    times: dict[str, list[float]] = {name: [] for name in blocks}
    for _ in range(rounds):
        for name in random.sample(list(blocks), len(blocks)):
            times[name].append(seconds(blocks[name]))
    return {name: np.array(times[name]) / np.array(times[BASELINE]) for name in blocks}


def interval(sample: np.ndarray) -> str:
    """The median of a sample, with a 95 % interval by the bootstrap."""
    draws = np.random.default_rng(0).choice(sample, (2000, sample.size))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return f"{np.median(sample):.3f} ({low:.3f} to {high:.3f})"


def rows(training: Training) -> Iterator[list[str]]:
    """A row of figures for each optimizer."""
    runners = {name: Runner(training, optimizer) for name, optimizer in OPTIMIZERS.items()}
    host = HostRunner(training)
    called = {**{name: r.calls for name, r in runners.items()}, HOST: host.calls}
    one = ratios(called, training.blocks)
    many = ratios({name: r.scan for name, r in runners.items()}, training.blocks)
    for name, runner in runners.items():
        if name != BASELINE:
            counts = [
                counted(runner.program, word) for word in (" = ", " fusion(", " conditional(")
            ]
            figures = [interval(one[name]), interval(many[name])]
            yield [training.name, name, *figures, *counts, str(runner.arrays)]
    yield [training.name, HOST, interval(one[HOST]), "", "", "", "", ""]


def counted(program: str, word: str) -> str:
    """How often a word occurs in a program."""
    return str(program.count(word))


def report() -> Iterator[str]:
    """The page."""
    yield "# What rates that react to a metric cost\n"
    yield machine()
    yield ABOUT
    header = ["network", "rate", "one by one", "in a scan", "instructions", "fusions"]
    header += ["conditionals", "arrays"]
    yield markdown(header, [row for training in TRAININGS for row in rows(training)])


def main() -> None:
    """Measures, prints, and writes where asked to."""
    parser = argparse.ArgumentParser(description="Measure controllers beside Optax.")
    parser.add_argument("--output", type=Path, help="a Markdown file to write to")
    arguments = parser.parse_args()
    page = "\n".join(report())
    print(page)
    if arguments.output:
        arguments.output.write_text(page + "\n")


if __name__ == "__main__":
    main()
