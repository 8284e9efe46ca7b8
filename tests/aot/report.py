"""Writes docs/accelerators.md from what the tests have recorded.

Run as `python -m tests.aot.report RESULTS.xml ... --output docs/accelerators.md`.
"""

import argparse
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.aot.targets import GPUS, TPUS

Figures = dict[str, str]
Column = tuple[str, str]

TEXT = """# Compiled for TPU and GPU

Written by `make aot`, which compiles train steps for TPUs and for H100s on a machine that has
neither: nothing is executed, and there are no times here. Each row is a step of data-parallel
training with Adam beside the same step with `optax.adam(0.1)`; parameters and state are donated.
All numbers but *rate in* are what a step has *more* than that one; instructions are counted inside
fusions too. JAX is that of `tests/aot/requirements-*.txt`.

No program has a branch, a loop, an infeed, an outfeed or a call of the host, as `tests/aot`
asserts, and none has a collective more: the loss that a controller is given is a mean over all
devices, which the step with a constant rate computes too.
"""
GPU_TEXT = """
*kernels* are what is started one after another, copies apart. A *copy* is of a donated array that
is read while the next one is written. *rate in* is the number of
kernels in which something of the schedule is computed: one, and not each that updates a parameter.
A lookup among more than 32 boundaries takes a kernel before the one that all schedules have.

The warm-up cosine in `scale_by_learning_rate` is one kernel more. In `optax.adam` it is two, or one
and a copy, whether it is Optax's or ours.
"""
TPU_TEXT = """
On a TPU what is not fused runs on the scalar core; *fusions* are the rest. *rate in* is the number
of these, and of the scalar program, in which something of the schedule is computed.
"""
COMMON: list[Column] = [("instructions", "instructions"), ("bytes of state", "state_bytes")]
GPU_COLUMNS: list[Column] = [
    ("kernels", "kernels"),
    ("copies", "copies"),
    ("rate in", "rates"),
    *COMMON,
]
TPU_COLUMNS: list[Column] = [("fusions", "fusions"), ("rate in", "rates"), *COMMON]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    rows = [row for path in options.results for row in _read(path)]
    tpu = [row for row in rows if "H100" not in row["target"]]
    gpu = [row for row in rows if "H100" in row["target"]]
    parts = [TEXT, "## GPU", GPU_TEXT.strip(), *_tables(gpu, GPU_COLUMNS)]
    parts += ["## TPU", TPU_TEXT.strip(), *_tables(tpu, TPU_COLUMNS)]
    options.output.write_text("\n\n".join(part.strip() for part in parts) + "\n")


def _read(path: Path) -> list[Figures]:
    """The figures of each test that recorded some."""
    cases = ElementTree.parse(path).iter("testcase")
    found = [{p.attrib["name"]: p.attrib["value"] for p in case.iter("property")} for case in cases]
    return [figures for figures in found if figures]


def _tables(rows: list[Figures], columns: list[Column]) -> list[str]:
    """One table for each network and target."""
    order = [*GPUS, *TPUS].index
    places = {(row["target"], row["network"]) for row in rows}
    return [
        part
        for target, network in sorted(places, key=lambda place: (order(place[0]), place[1]))
        for part in (
            f"### {target}: {network}",
            _table([r for r in rows if (r["target"], r["network"]) == (target, network)], columns),
        )
    ]


def _table(rows: list[Figures], columns: list[Column]) -> str:
    heads, figures = zip(*columns, strict=True)
    lines = [["", *heads], ["---"] * (len(heads) + 1)]
    for row in sorted(rows, key=lambda row: row["name"]):
        # Of a controller the rate is not told apart from the rest.
        numbers = ["" if f == "rates" and row[f] == "0" else row[f] for f in figures]
        lines.append([row["name"], *numbers])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
