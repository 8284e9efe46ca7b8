"""How schedules grow with their segments, and what they cost in training, beside Optax.

Run as `python benchmarks/growth.py`. The tables are Markdown; `--output FILE` also writes
them to a file, and `--full` also measures Optax at 10,000 segments, which takes minutes.
"""

import argparse
import itertools
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxsched

Rate = Callable[[Any], Any]
SIZES = (10, 1_000, 10_000)
OPTAX_LIMIT = 1_000
HORIZON = 1_000_000
PEAK = 1e-3
ROUNDS = 5
ROUND_SECONDS = 1.0
CALLS = 500
PAIRS = 250
RESOLUTION = 0.05


# The schedules. Segments are uneven and values differ: XLA would fold a table of equal
# numbers into one constant, and one of equal steps into a product.


def lengths(n: int) -> np.ndarray:
    """The steps of `n` uneven segments that cover about the horizon."""
    mean = HORIZON // n
    return np.random.default_rng(0).integers(mean // 2, mean + mean // 2, n)


def boundaries(n: int) -> list[int]:
    """The last steps of `n` uneven segments."""
    return np.cumsum(lengths(n)).tolist()


def values(n: int) -> list[float]:
    """Different rates between half of the peak and the peak."""
    return (PEAK * np.random.default_rng(1).uniform(0.5, 1, n)).tolist()


def scales(n: int) -> dict[int, float]:
    """Boundaries, and scales whose products stay between half of the first value and twice."""
    levels = np.array([PEAK, *values(n)])
    return dict(zip(boundaries(n), (levels[1:] / levels[:-1]).tolist(), strict=True))


def piecewise_constant(library: Any, n: int) -> Rate:
    """Constants."""
    return library.piecewise_constant_schedule(PEAK, scales(n))


def piecewise_linear(library: Any, n: int) -> Rate:
    """Lines from boundary to boundary."""
    return library.piecewise_interpolate_schedule("linear", PEAK, scales(n))


def join_linear(library: Any, n: int) -> Rate:
    """A join of lines."""
    lines = [
        library.linear_schedule(value, value / 2, steps)
        for value, steps in zip(values(n), lengths(n).tolist(), strict=True)
    ]
    return library.join_schedules(lines, boundaries(n)[:-1])


def join_mixed(library: Any, n: int) -> Rate:
    """A join of lines and cosines in turn."""
    members = [
        library.cosine_decay_schedule(value, steps, 0.1)
        if i % 2
        else library.linear_schedule(value, value / 2, steps)
        for i, (value, steps) in enumerate(zip(values(n), lengths(n).tolist(), strict=True))
    ]
    return library.join_schedules(members, boundaries(n)[:-1])


def sgdr(library: Any, n: int) -> Rate:
    """Uneven cycles, each with a warm-up."""
    cycles = [
        {
            "init_value": value / 20,
            "peak_value": value,
            "warmup_steps": steps // 10,
            "decay_steps": steps,
            "end_value": value / 50,
        }
        for value, steps in zip(values(n), lengths(n).tolist(), strict=True)
    ]
    return library.sgdr_schedule(cycles)


def equal_restarts(library: Any, n: int) -> Rate:
    """Equal cycles without end, `n` of them up to the horizon."""
    period = HORIZON // n
    return library.cosine_restarts_schedule(
        PEAK, period, peak_mult=0.9999, warmup_steps=period // 10, end_value=PEAK / 50
    )


def growing_restarts(library: Any, n: int) -> Rate:
    """Cycles that grow, `n` of them up to the horizon and more beyond it."""
    period = HORIZON // (2 * n)
    return library.cosine_restarts_schedule(
        PEAK,
        period,
        growth(n),
        peak_mult=0.9999,
        warmup_steps=period // 10,
        end_value=PEAK / 50,
    )


def growth(n: int) -> float:
    """The factor `m` by which `n` growing cycles of mean 1 begin at half of it.

    It solves `(m^n - 1) / (m - 1) = 2 n` by bisection.
    """
    low, high = 1 + 1e-9, 1 + 2 / n
    for _ in range(100):
        middle = (low + high) / 2
        if math.expm1(n * math.log(middle)) < 2 * n * (middle - 1):
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True)
class Case:
    """A schedule to measure.

    Attributes:
      name: how the tables name it.
      make: makes it from a library and the number of its segments.
      most: the target for its optimized instructions.
      in_optax: whether Optax has it.
    """

    name: str
    make: Callable[[Any, int], Rate]
    most: int = 80
    in_optax: bool = True


CASES = (
    Case("`piecewise_constant_schedule`", piecewise_constant),
    Case("`piecewise_interpolate_schedule`", piecewise_linear),
    Case("`join_schedules`, linear", join_linear),
    Case("`join_schedules`, linear and cosine", join_mixed, most=80 + 40),
    Case("`sgdr_schedule`", sgdr, most=120),
    Case("`cosine_restarts_schedule`, equal cycles", equal_restarts, in_optax=False),
    Case("`cosine_restarts_schedule`, growing cycles", growing_restarts, in_optax=False),
)


# Size and time.


@dataclass
class Growth:
    """What is measured of one schedule; times in seconds."""

    make: float = math.inf
    trace: list[float] = field(default_factory=list)
    compile: list[float] = field(default_factory=list)
    instructions: int = 0
    call: float = math.inf
    million: float = math.nan


def seconds(action: Callable[[], Any]) -> tuple[float, Any]:
    """The time that an action takes, and its result."""
    begin = time.perf_counter()
    result = action()
    return time.perf_counter() - begin, result


def fresh(rate: Rate) -> Rate:
    """The same schedule as a new function, of which JAX has cached nothing."""
    return lambda count: rate(count)


def instructions(compiled: Any) -> int:
    """The optimized instructions of a program, those inside fusions included."""
    return sum(" = " in line for line in compiled.as_text().splitlines())


def call_seconds(compiled: Any) -> float:
    """The median time of a compiled call with a scalar count."""
    counts = [jnp.int32(count) for count in range(0, HORIZON, HORIZON // 100)]
    times = [
        seconds(lambda count=count: compiled(count).block_until_ready())[0]
        for _ in range(CALLS // len(counts))
        for count in counts
    ]
    return statistics.median(times)


def million_seconds(rate: Rate) -> float:
    """The time of the second evaluation of a million counts at once."""
    evaluate, counts = jax.jit(rate), jnp.arange(HORIZON)
    evaluate(counts).block_until_ready()
    return seconds(lambda: evaluate(counts).block_until_ready())[0]


def grow(case: Case, library: Any, sizes: Sequence[int]) -> dict[int, Growth]:
    """Measures a schedule at several numbers of segments.

    The sizes take turns, so that a busy moment of the machine does not fall on one alone.
    """
    measured = {n: Growth() for n in sizes}
    for _ in range(ROUNDS):
        for n, one in measured.items():
            if sum(one.trace) + sum(one.compile) > ROUND_SECONDS:
                continue
            spent, rate = seconds(lambda n=n: case.make(library, n))
            one.make = min(one.make, spent)
            jitted = jax.jit(fresh(rate))
            spent, lowered = seconds(lambda jitted=jitted: jitted.lower(jnp.int32(0)))
            one.trace.append(spent)
            spent, compiled = seconds(lowered.compile)
            one.compile.append(spent)
            one.call = min(one.call, call_seconds(compiled))
            if len(one.trace) == 1:
                one.instructions = instructions(compiled)
                one.million = million_seconds(rate) if library is jaxsched else math.nan
    return measured


def growth_rows(case: Case, name: str, measured: dict[int, Growth]) -> Iterator[list[str]]:
    """The rows of the table of sizes and times, for one schedule of one library."""
    for n, one in measured.items():
        yield [
            case.name,
            name,
            f"{n:,}",
            f"{one.make:.3f}",
            f"{min(one.trace):.3f}",
            f"{min(one.compile):.3f}",
            f"{one.instructions:,}",
            f"{one.call * 1e6:.1f}",
            "" if math.isnan(one.million) else f"{one.million:.3f}",
        ]


def target_rows(case: Case, measured: dict[int, Growth]) -> Iterator[list[str]]:
    """The rows of the table of targets, for one schedule."""
    few, many = measured[min(measured)], measured[max(measured)]
    most = max(one.instructions for one in measured.values())
    more = many.instructions - few.instructions
    ratio = min(many.compile) / min(few.compile)
    yield target(case, f"at most {case.most} instructions", f"{most}", most <= case.most)
    yield target(case, "at most 10 more at 10,000 than at 10", f"{more:+d}", more <= 10)
    yield target(case, "compiled in at most twice the time", f"{ratio:.2f} times", ratio <= 2)
    yield target(case, "made in under 1 s", f"{many.make:.3f} s", many.make < 1)
    million = many.million
    yield target(case, "a million counts in under 1 s", f"{million:.3f} s", million < 1)


def target(case: Case, wanted: str, figure: str, met: bool) -> list[str]:
    """One row of the table of targets."""
    return [case.name, wanted, figure, "met" if met else "**missed**"]


def growth_tables(full: bool) -> str:
    """Measures all schedules; the tables of sizes, times and targets."""
    jax.jit(lambda x: x + 1).lower(jnp.int32(0)).compile()
    rows, targets = [], []
    for case in CASES:
        measured = grow(case, jaxsched, SIZES)
        rows += growth_rows(case, "jaxsched", measured)
        targets += target_rows(case, measured)
        if case.in_optax:
            sizes = [n for n in SIZES if full or n <= OPTAX_LIMIT]
            rows += growth_rows(case, "optax", grow(case, optax, sizes))
            rows += [
                [case.name, "optax", f"{n:,}", *["not run"] * 5, ""]
                for n in SIZES
                if n not in sizes
            ]
    header = ["schedule", "library", "n", "make s", "trace s", "compile s"]
    header += ["instructions", "µs a call", "10⁶ counts s"]
    return f"""## Growth with the number of segments

`n` uneven segments, or cycles, that cover about a million steps; the values are the same for
both libraries. *instructions* are those of the optimized program for one int32 count, inside
fusions too. Times are the best of up to {ROUNDS}, of which that of a call is each the median of
{CALLS:,}; *10⁶ counts* is the second evaluation of a million counts at once.
Optax at 10,000 segments takes minutes, and is run with `--full` only.

{markdown(header, rows)}

Targets for jaxsched. The time of compilation is that at 10,000 over that at 10; the times
are at 10,000; the instructions are the most of all `n`.

{markdown(["schedule", "target", "measured", ""], targets)}
"""


# Training.


@dataclass(frozen=True)
class Training:
    """A kind of training to measure in.

    Attributes:
      name: how the tables name it.
      layers: the widths of the network, from input to output.
      batch: the examples of a step.
      calls: the calls of the compiled function that make a block.
      scanned: the steps inside each call.
    """

    name: str
    layers: tuple[int, ...]
    batch: int
    calls: int
    scanned: int


TRAININGS = (
    Training("one step a call", (512, 1024, 512), batch=16, calls=2, scanned=1),
    Training("1,000 steps in a `lax.scan`", (16, 32, 16), batch=8, calls=1, scanned=1_000),
)


def parameters(layers: Sequence[int]) -> list[tuple[jax.Array, jax.Array]]:
    """The weights and biases of a network."""
    rng = np.random.default_rng(2)
    return [
        (jnp.asarray(rng.normal(0, a**-0.5, (a, b)), jnp.float32), jnp.zeros(b))
        for a, b in itertools.pairwise(layers)
    ]


def loss(params: list[tuple[jax.Array, jax.Array]], x: jax.Array, y: jax.Array) -> jax.Array:
    """The squared error of the network."""
    *hidden, (weights, biases) = params
    for w, b in hidden:
        x = jnp.tanh(x @ w + b)
    return jnp.mean((x @ weights + biases - y) ** 2)


def block(training: Training, rate: Any) -> Callable[[], None]:
    """A compiled block of training steps.

    Each block begins at the same parameters, so that all blocks do the same arithmetic.
    """
    optimizer = optax.adam(rate)
    params = parameters(training.layers)
    rng = np.random.default_rng(3)
    x = jnp.asarray(rng.normal(size=(training.batch, training.layers[0])), jnp.float32)
    y = jnp.asarray(rng.normal(size=(training.batch, training.layers[-1])), jnp.float32)

    def step(state: Any, _: None) -> tuple[Any, None]:
        params, inner = state
        updates, inner = optimizer.update(jax.grad(loss)(params, x, y), inner, params)
        return (optax.apply_updates(params, updates), inner), None

    @jax.jit
    def steps(state: Any) -> Any:
        if training.scanned == 1:
            return step(state, None)[0]
        return jax.lax.scan(step, state, length=training.scanned)[0]

    first = (params, optimizer.init(params))

    def run() -> None:
        state = first
        for _ in range(training.calls):
            state = steps(state)
        jax.block_until_ready(state)

    run()
    return run


def rates() -> dict[str, Any]:
    """The schedules to train with, by name; ours first."""
    horizon = 1_000
    cosine = {
        "init_value": 0.0,
        "peak_value": PEAK,
        "warmup_steps": horizon // 10,
        "decay_steps": horizon,
        "end_value": PEAK / 50,
    }
    return {
        "jaxsched constant (control)": jaxsched.constant_schedule(PEAK),
        "jaxsched warm-up and cosine": jaxsched.warmup_cosine_decay_schedule(**cosine),
        "jaxsched cosine restarts": equal_restarts(jaxsched, HORIZON // 100),
        "jaxsched join of 1,000": join_linear(jaxsched, 1_000),
        "jaxsched SGDR of 100": sgdr(jaxsched, 100),
        "optax constant (control)": optax.constant_schedule(PEAK),
        "optax warm-up and cosine": optax.warmup_cosine_decay_schedule(**cosine),
        "optax SGDR of 100": sgdr(optax, 100),
    }


def paired(baseline: Callable[[], None], other: Callable[[], None]) -> tuple[np.ndarray, float]:
    """The ratios of the times of neighbouring blocks, and the median time of the first."""
    times = np.array([(seconds(baseline)[0], seconds(other)[0]) for _ in range(PAIRS)])
    return np.sort(times[:, 1] / times[:, 0]), float(np.median(times[:, 0]))


def interval(ordered: np.ndarray) -> tuple[float, float]:
    """The order statistics that hold the median with a confidence of 95 %."""
    rank = math.floor((ordered.size - 1.96 * math.sqrt(ordered.size)) / 2)
    return float(ordered[rank - 1]), float(ordered[-rank])


def verdict(low: float, high: float) -> str:
    """Whether a ratio of 1 is in the interval, where the noise lets a larger one be seen."""
    if low > 1:
        return "**missed**"
    return "met" if high <= 1 + RESOLUTION else "too noisy"


def training_rows(training: Training) -> Iterator[list[str]]:
    """The rows of one kind of training."""
    steps = training.calls * training.scanned
    weights = sum(leaf.size for leaf in jax.tree.leaves(parameters(training.layers)))
    baseline = block(training, PEAK)
    for name, rate in rates().items():
        ratios, spent = paired(baseline, block(training, rate))
        low, high = interval(ratios)
        median = float(np.median(ratios))
        yield [
            f"{training.name}, {weights:,} parameters",
            name,
            f"{spent / steps * 1e6:.1f}",
            f"{median:.4f}",
            f"{low:.4f} to {high:.4f}",
            f"{(median - 1) * spent / steps * 1e6:+.2f}",
            verdict(low, high) if name.startswith("jaxsched") else "",
        ]


def training_table() -> str:
    """Measures all kinds of training; the table of ratios."""
    header = ["training", "rate", "µs a step", "ratio", "95 % interval", "more µs a step", ""]
    rows = [row for training in TRAININGS for row in training_rows(training)]
    return f"""## Cost in a training step

Adam with a schedule over Adam with a plain number. Blocks of steps with the one and the other
take turns in one process; *ratio* is the median over {PAIRS} neighbouring pairs, with an
interval from order statistics, and *µs a step* is that of the plain number. With any schedule
Optax keeps a count, which the control shows. The target for jaxsched is an interval that
reaches down to 1: no cost that can be told from noise. One that also reaches above
{1 + RESOLUTION} is too wide to say so.

{markdown(header, rows)}
"""


# The report.


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def processor() -> str:
    """The model of the processor."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        info = ""
    names = [line.split(":")[1].strip() for line in info.splitlines() if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def machine() -> str:
    """What the figures were measured on."""
    rows = [
        ["processor", processor()],
        ["cores", str(os.cpu_count())],
        ["JAX backend", jax.default_backend()],
        ["Python", platform.python_version()],
        ["JAX", jax.__version__],
        ["Optax", optax.__version__],
        ["jaxsched", jaxsched.__version__],
    ]
    return markdown(["", ""], rows)


def report(full: bool) -> Iterator[str]:
    """The parts of the report, each measured when it is asked for."""
    command = "python benchmarks/growth.py" + " --full" * full
    yield f"# Benchmarks\n\nReproduce with `{command}`.\n\n{machine()}\n"
    yield growth_tables(full)
    yield training_table()


def main() -> None:
    """Measures, prints, and writes where asked to."""
    parser = argparse.ArgumentParser(description="Measure jaxsched beside Optax.")
    parser.add_argument("--full", action="store_true", help="Optax at 10,000 segments too")
    parser.add_argument("--output", type=Path, help="a Markdown file to write to")
    arguments = parser.parse_args()
    parts = []
    for part in report(arguments.full):
        print(part, flush=True)
        parts.append(part)
    if arguments.output:
        arguments.output.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
