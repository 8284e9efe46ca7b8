"""The targets for program size and compile time."""

from collections.abc import Callable, Sequence

from benchmarks.growth import Growth, Measured
from benchmarks.targets import Part, Target, number

TRIED = (
    "These are restarts with a warm-up and a lower peak in each cycle, which add their formula."
    " Plain restarts take 36 instructions. Up to 32 boundaries are compared one by one, in the"
    " kernel of what follows: more instructions than the search among 10,000, but two kernels"
    " fewer. With it a small step under growing restarts took 1.09 of a constant rate, and 1.21"
    " with the search."
)


def targets(measured: Sequence[Measured]) -> list[Target]:
    """The targets, with the figures of all schedules of jaxsched."""
    ours = [one for one in measured if one.library == "jaxsched"]

    def parts(figure: Callable[[Growth, Growth], float], limit: float, unit: str) -> list[Part]:
        figures = {
            one.case.name: figure(one.sizes[min(one.sizes)], one.sizes[max(one.sizes)])
            for one in ours
        }
        return [number(name, value, limit, f"{value:.3g}{unit}") for name, value in figures.items()]

    def size(one: Measured) -> Part:
        most = max(each.instructions for each in one.sizes.values())
        return number(one.case.name, most, one.case.most, f"{most} of {one.case.most}")

    return [
        Target(
            "a program of at most 80 instructions, 120 for two forms", [*map(size, ours)], TRIED
        ),
        Target(
            "at most 10 more instructions for 10,000 segments than for 10",
            parts(lambda few, many: many.instructions - few.instructions, 10, " more"),
        ),
        Target(
            "10,000 segments compiled in at most twice the time of 10",
            parts(lambda few, many: min(many.compile) / min(few.compile), 2, " times"),
        ),
        Target("10,000 segments made in under 1 s", parts(lambda _, many: many.make, 1, " s")),
        Target(
            "a million rates of a table of 10,000 in under 1 s",
            parts(lambda _, many: many.million, 1, " s"),
        ),
    ]
