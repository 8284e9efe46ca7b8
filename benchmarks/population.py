"""What a population saves: 256 runs in one program, beside one run after another with Optax.

Run as `python -m benchmarks.population`. The tables are Markdown; `--output FILE` also writes
them to a file. The runs are those of `examples/population.py`.
"""

import argparse
import runpy
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

import jaxsched
from benchmarks.machine import machine
from benchmarks.markdown import table
from benchmarks.timing import timed

EXAMPLES = Path(__file__).parent.parent / "examples"
sys.path.insert(0, str(EXAMPLES))  # as `python examples/population.py` has it
EXAMPLE = runpy.run_path(str(EXAMPLES / "population.py"))
STEPS, SEEDS = 260, 4
SAMPLE = 12
ROUNDS = 3
LEAST = 4 if jax.default_backend() == "cpu" else 100
ABOUT = f"""
64 schedules of six families, with {SEEDS} seeds each, train a network on the digits: {STEPS} steps
of Adam with batches of {EXAMPLE["BATCH_SIZE"]}, as in `examples/population.py`. One after another
is a jitted run for each Optax closure: {SAMPLE} of them, spread over the families, are timed, and
their mean is multiplied by the number of runs. *All included* is tracing, compiling and running,
for `population` the median of {ROUNDS} times; *arithmetic* is running alone, once everything is
compiled. Both ways take turns.
"""

SCHEDULES = [candidate.schedule for candidate in EXAMPLE["make_candidates"](STEPS)]
CLOSURES = [candidate.schedule for candidate in EXAMPLE["make_candidates"](STEPS, optax)]
RUNS = len(SCHEDULES) * SEEDS


class Alone(NamedTuple):
    """A run of its own.

    Attributes:
      first: the seconds of the first call, which traces and compiles.
      second: those of another call.
      loss: what came out.
    """

    first: float
    second: float
    loss: float


def finished(function: Callable[..., Any], *args: Any) -> tuple[float, Any]:
    """The seconds until a call's results are there, and the results."""
    return timed(lambda: jax.block_until_ready(function(*args)))


def alone(train: Any, closure: Any, key: jax.Array) -> Alone:
    """A run with an Optax closure."""
    jitted = jax.jit(lambda key: train(closure, key))
    first, metrics = finished(jitted, key)
    return Alone(first, finished(jitted, key)[0], float(metrics["loss"]))


def together(train: Any, keys: jax.Array) -> tuple[float, np.ndarray]:
    """The seconds of all runs as a population, and the losses."""
    population = jaxsched.population
    time, metrics = timed(
        lambda: population(train, SCHEDULES, keys, chunk=EXAMPLE["CHUNK"], progress=False)
    )
    return time, metrics["loss"]


def compiled(train: Any, keys: jax.Array) -> float:
    """The seconds of all runs in the program of a population, compiled before."""

    @jax.jit
    @jax.vmap
    def some(run: jax.Array) -> Any:
        return train(jaxsched.select(run // SEEDS, SCHEDULES), keys[run % SEEDS])

    chunks = np.arange(RUNS, dtype=np.int32).reshape(-1, EXAMPLE["CHUNK"])
    jax.block_until_ready(some(chunks[0]))
    return finished(lambda: [some(chunk) for chunk in chunks])[0]


class Measured(NamedTuple):
    """All figures: some runs alone, by schedule and seed, and all of them together."""

    runs: dict[tuple[int, int], Alone]
    ours: float
    arithmetic: float
    losses: np.ndarray


def measure() -> Measured:
    """Measures both ways in turns."""
    train = EXAMPLE["make_train"](EXAMPLE["load_data"](), STEPS)
    keys = jax.random.split(jax.random.key(0), SEEDS)
    places = np.linspace(0, len(CLOSURES) - 1, SAMPLE).astype(int).tolist()
    runs, times, arithmetic, losses = {}, [], [], np.zeros(0)
    for turn in range(ROUNDS):
        for place in places[turn::ROUNDS]:
            seed = place % SEEDS
            runs[place, seed] = alone(train, CLOSURES[place], keys[seed])
        time, losses = together(train, keys)
        times.append(time)
        arithmetic.append(compiled(train, keys))
    return Measured(runs, statistics.median(times), statistics.median(arithmetic), losses)


def report() -> Iterator[str]:
    """The page."""
    runs, ours, arithmetic, losses = measure()
    first = statistics.mean(run.first for run in runs.values())
    second = statistics.mean(run.second for run in runs.values())
    anew = RUNS * first
    once = len(CLOSURES) * first + (RUNS - len(CLOSURES)) * second
    yield "# What a population saves\n"
    yield machine()
    yield ABOUT
    rows = [
        ["Optax closures, each run compiled anew", "all included", anew],
        ["Optax closures, compiled once a schedule", "all included", once],
        ["Optax closures", "arithmetic", RUNS * second],
        ["`population`", "all included", ours],
        ["`population`", "arithmetic", arithmetic],
    ]
    header = [f"{RUNS} runs", "", "seconds", "over `population`"]
    yield table(header, [[*names, f"{s:.1f}", f"{s / ours:.2f}"] for *names, s in rows])
    apart = [abs(losses[place] / run.loss - 1) for place, run in runs.items()]
    yield f"""
Arithmetic is {arithmetic / ours:.0%} of the time of `population`, so near is it to its limit, at
which it would be {anew / arithmetic:.0f} times as fast as one after another. Between both ways the
test losses of the {len(runs)} runs differ by {statistics.median(apart):.4%} in the median, and by
{max(apart):.2%} at most: rounding grows where the rate is high.
"""
    met = "met" if anew / ours >= LEAST else "**missed**"
    target = f"at least {LEAST} times as fast as one after another, each compiled anew"
    yield table(["target", "measured", ""], [[target, f"{anew / ours:.1f} times", met]])


def main() -> None:
    """Measures, prints, and writes where asked to."""
    parser = argparse.ArgumentParser(description="Measure a population beside run after run.")
    parser.add_argument("--output", type=Path, help="a Markdown file to write to")
    arguments = parser.parse_args()
    page = "\n".join(report())
    print(page)
    if arguments.output:
        arguments.output.write_text(page + "\n")


if __name__ == "__main__":
    main()
