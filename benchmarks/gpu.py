"""The cost of rates in a training step, and of a population, on a GPU, in under 8 minutes.

Run as `python -m benchmarks.gpu --output docs`: it writes `benchmarks-gpu.md` there. It needs
only JAX for the GPU, Optax and NumPy. `--quick --any` shows on a CPU that everything runs.
"""

import argparse
import os
import time
from pathlib import Path

# All programs with the same matrix products: tuning picks others in each, by noisy times.
os.environ.setdefault("XLA_FLAGS", "--xla_gpu_autotune_level=0")

import jax

from benchmarks import kernels, many, overhead, rates_at_once, step_targets, targets
from benchmarks.machine import machine
from benchmarks.training import SIZES

BUDGET = 20.0
"""The seconds that each network trains, one by one and as long again in a scan."""

HEAD = """# Benchmarks on a GPU

Reproduce with `python -m benchmarks.gpu --output docs`. Matrix products are not tuned, so that
those of all programs are the same. The picture is drawn from this page by
`python -m benchmarks.gpu_picture docs/benchmarks-gpu.md`.

![The time of a step over that with a constant rate, by size of the network](benchmarks-gpu.png)

A small step is bound by the kernels that it starts: 13 with a constant rate, some 1 µs each in a
scan. A rate that is computed is one kernel more, a controller two, with what it remembers. In steps
called one by one the host pays for each array of the state besides. The larger the network, the
less it is. The rule on the host waits for the loss at each step.
"""


def page(quick: bool, path: Path) -> str:
    """Measures everything, writing what there is after each part, and returns the page."""
    head = [HEAD, machine(), ""]
    at_once = rates_at_once.section(rates_at_once.measure())
    population, started = many.measure(quick), kernels.measure()
    tail = [many.section(population), kernels.section(started), at_once]
    met = [many.target(population, 100), *kernels.targets(started)]
    path.write_text("\n".join([*head, targets.section(met), *tail]))
    rates, steps = overhead.rates(everything=False), []
    for size in SIZES[:1] if quick else SIZES:
        steps.append(overhead.measure(size, rates, 0.0 if quick else BUDGET))
        parts = [targets.section([*_targets(steps), *met]), overhead.section(steps), *tail]
        path.write_text("\n".join([*head, *parts]))
    return path.read_text()


def _targets(steps: list[overhead.Overhead]) -> list[targets.Target]:
    """The targets on any machine, without what was tried on a CPU."""
    found = [*step_targets.targets(steps), step_targets.half_again_as_fast_as_the_host(steps)]
    return [target._replace(tried="") for target in found]


def main() -> None:
    """Measures, prints, and writes; on a machine without a GPU it only says so."""
    parser = argparse.ArgumentParser(description="Measure jaxsched on a GPU.")
    parser.add_argument("--output", type=Path, default=".", help="the folder to write to")
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    parser.add_argument("--any", action="store_true", help="on whatever JAX has")
    arguments = parser.parse_args()
    if jax.default_backend() != "gpu" and not arguments.any:
        raise SystemExit(f"There is no GPU here: JAX has {jax.devices()[0].device_kind}.")
    begin = time.perf_counter()
    print(page(arguments.quick, arguments.output / "benchmarks-gpu.md"))
    print(f"{(time.perf_counter() - begin) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
