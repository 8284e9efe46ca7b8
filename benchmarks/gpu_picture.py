"""The picture of the page on a GPU, drawn from its tables where Matplotlib is.

Run as `python -m benchmarks.gpu_picture docs/benchmarks-gpu.md`.
"""

import argparse
import re
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.picture import save

TICKS = 1, 1.1, 1.2, 1.5, 2, 3, 4

SHOWN = {
    "`warmup_cosine_decay_schedule`": "a schedule in adam",
    "`scale_by_learning_rate` of `warmup_cosine_decay_schedule`": "scale_by_learning_rate of it",
    "`reduce_on`": "a controller, reduce_on",
    "`reduce_on_plateau`": "reduce_on_plateau",
    "Optax `reduce_on_plateau`": "Optax's reduce_on_plateau",
    "rule on the host": "the rule on the host",
}
"""The rows that are drawn, and what they are called."""


def read(page: str) -> dict[int, dict[str, float]]:
    """By the number of parameters, the ratios of steps called one by one."""
    _, *sections = re.split(r"^### ([\d,]+) parameters$", page, flags=re.MULTILINE)
    row = re.compile(r"^\| (.+?) \| ([\d.]+) \(", re.MULTILINE)
    return {
        int(size.replace(",", "")): {name: float(ratio) for name, ratio in row.findall(text)}
        for size, text in zip(sections[::2], sections[1::2], strict=True)
    }


def draw(ratios: dict[int, dict[str, float]]) -> Figure:
    """Draws the ratios over the size of the network."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, label in SHOWN.items():
        axes.plot(list(ratios), [each[name] for each in ratios.values()], marker="o", label=label)
    axes.set(xscale="log", yscale="log", xlabel="parameters", title="Steps called one by one")
    axes.set_ylabel("time of a step, that with a constant rate is 1")
    axes.set_yticks(TICKS, map(str, TICKS))
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def main() -> None:
    """Draws beside the page."""
    parser = argparse.ArgumentParser(description="Draw the figures of a page.")
    parser.add_argument("page", type=Path)
    page = parser.parse_args().page
    save(draw(read(page.read_text())), page.with_suffix(".png"))


if __name__ == "__main__":
    main()
