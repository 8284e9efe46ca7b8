"""Measures everything and writes a page: `python -m benchmarks --output docs/benchmarks.md`.

Beside the page goes a picture of the same name; the targets of `benchmarks-population.md` there
are added. `--peers` is a Python that has PyTorch and
Keras; `--quick` shows in a minute that everything runs, on few networks and in few rounds.
"""

import argparse
import time
from pathlib import Path

from benchmarks import growth, growth_targets, importing, million, overhead, step_targets, targets
from benchmarks.machine import machine
from benchmarks.picture import draw, save
from benchmarks.training import SIZES

BUDGETS = {"1k": 45.0, "100k": 15.0, "1M": 45.0, "10M": 50.0}
"""The seconds that each network trains, one by one and as long again in a scan."""

HEAD = """# Benchmarks

`make bench` writes this page anew, on the machine that it runs on.

![Cost in a step of 1,072 parameters, and the size of programs with many segments]({picture})
"""
ELSEWHERE = """There was no GPU here: `python -m benchmarks.gpu` measures on one. What the compilers
for TPU and GPU make of the same steps is in [accelerators.md](accelerators.md), which counts
kernels and has no times. Populations are in [benchmarks-population.md](benchmarks-population.md).
"""


def trained(quick: bool) -> list[overhead.Overhead]:
    """The cost in a step: of all schedules in the smallest network, of six in the others."""
    if quick:
        return [overhead.measure(SIZES[0], overhead.rates(everything=False), 0.0)]
    return [
        overhead.measure(size, overhead.rates(size is SIZES[0]), BUDGETS[size.name])
        for size in SIZES
    ]


def page(output: Path, quick: bool, peers: Path | None) -> str:
    """Measures everything, draws the picture, and returns the page."""
    steps = trained(quick)
    grown = growth.measure((10, 100), (10,)) if quick else growth.measure()
    rates = million.measure(peers)
    imported = importing.measure(3 if quick else 15)
    picture = output.with_suffix(".png")
    save(draw(steps[0], grown), picture)
    met = [
        *step_targets.targets(steps),
        million.target(rates),
        *growth_targets.targets(grown),
        *targets.of_page(output.with_name("benchmarks-population.md")),
    ]
    return "\n".join(
        [
            HEAD.format(picture=picture.name),
            machine(),
            "",
            ELSEWHERE,
            targets.section(met),
            overhead.section(steps),
            growth.section(grown),
            million.section(rates),
            importing.section(*imported),
        ]
    )


def main() -> None:
    """Measures, prints, and writes where asked to."""
    parser = argparse.ArgumentParser(description="Measure jaxsched beside its peers.")
    parser.add_argument("--output", type=Path, default="benchmarks.md", help="the page to write")
    parser.add_argument("--peers", type=Path, help="a Python that has PyTorch and Keras")
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    text = page(arguments.output, arguments.quick, arguments.peers)
    arguments.output.write_text(text)
    print(text)
    print(f"{arguments.output}: {(time.perf_counter() - begin) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
