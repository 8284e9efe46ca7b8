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

from benchmarks import many, overhead, step_targets, targets
from benchmarks.machine import machine
from benchmarks.training import SIZES

BUDGET = 20.0
"""The seconds that each network trains, one by one and as long again in a scan."""

HEAD = """# Benchmarks on a GPU

Reproduce with `python -m benchmarks.gpu --output docs`. Matrix products are not tuned, so that
those of all programs are the same.
"""


def page(quick: bool) -> str:
    """Measures everything, and returns the page."""
    sizes = SIZES[:1] if quick else SIZES
    rates = overhead.rates(everything=False)
    steps = [overhead.measure(size, rates, 0.0 if quick else BUDGET) for size in sizes]
    population = many.measure(quick)
    met = [
        *step_targets.targets(steps),
        step_targets.half_again_as_fast_as_the_host(steps),
        many.target(population, 100),
    ]
    parts = [targets.section(met), overhead.section(steps), many.section(population)]
    return "\n".join([HEAD, machine(), "", *parts])


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
    text = page(arguments.quick)
    (arguments.output / "benchmarks-gpu.md").write_text(text)
    print(text)
    print(f"{(time.perf_counter() - begin) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
