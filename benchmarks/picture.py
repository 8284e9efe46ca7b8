"""The picture of the benchmarks: the cost of rates in a small step, and how programs grow."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import optimizers
from benchmarks.growth import Measured
from benchmarks.overhead import HOST, Overhead
from benchmarks.timing import Estimate

WAYS = {"one by one": "tab:blue", "in a scan": "tab:orange"}
LIBRARIES = {"jaxsched": "-", "optax": ":"}


def draw(step: Overhead, grown: Sequence[Measured]) -> Figure:
    """Both panels."""
    figure = Figure(figsize=(12, 6.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _costs(left, step)
    _sizes(right, grown)
    return figure


def _costs(axes: Axes, step: Overhead) -> None:
    shown = {**optimizers.SIX_SCHEDULES, **optimizers.CONTROLLERS, **optimizers.OPTAX, HOST: None}
    names = list(shown)[::-1]
    for (way, color), figures in zip(WAYS.items(), (step.one, step.scan), strict=True):
        _dots(axes, {names.index(n): e for n, e in figures.items() if n in shown}, way, color)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(names)), [name.replace("`", "") for name in names])
    axes.set(xlabel="time of a step, that with a constant rate is 1", ylim=(-1, len(names)))
    axes.set_title(f"An Adam step of {step.size.parameters:,} parameters")
    axes.legend()


def _dots(axes: Axes, places: dict[int, Estimate], label: str, color: str) -> None:
    medians = [one.median for one in places.values()]
    low = [one.median - one.low for one in places.values()]
    high = [one.high - one.median for one in places.values()]
    axes.errorbar(medians, list(places), xerr=(low, high), fmt="o", color=color, label=label)


def _sizes(axes: Axes, grown: Sequence[Measured]) -> None:
    cases = list(dict.fromkeys(one.case.name for one in grown))
    for case, library, sizes in grown:
        counts = [one.instructions for one in sizes.values()]
        label = case.name.replace("`", "") if library == "jaxsched" else None
        color = f"C{cases.index(case.name)}"
        axes.plot(list(sizes), counts, LIBRARIES[library], marker=".", color=color, label=label)
    axes.set(xscale="log", yscale="log", xlabel="segments", ylabel="instructions")
    axes.set_title("Size of the program, dotted: Optax")
    axes.set_ylim(bottom=1)
    axes.legend(fontsize="small", loc="lower right")


def save(figure: Figure, output: Path) -> None:
    """Writes the picture."""
    figure.savefig(output, format="png", dpi=120)
