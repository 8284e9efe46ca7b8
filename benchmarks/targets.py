"""Targets, and whether what was measured meets them."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.markdown import interval, table
from benchmarks.timing import Estimate

MET, NOISY, MISSED = RANKS = ("met", "too noisy to tell", "**missed**")


class Part(NamedTuple):
    """One figure under a target.

    Attributes:
      name: of what was measured.
      figure: what was measured, for people.
      share: the figure over its limit.
      verdict: whether the figure meets the target.
    """

    name: str
    figure: str
    share: float
    verdict: str


class Target(NamedTuple):
    """A target with all figures under it, and what was tried where they miss it."""

    wanted: str
    parts: Sequence[Part]
    tried: str = ""

    @property
    def verdict(self) -> str:
        """The worst verdict of the parts, and of how many of them."""
        for verdict in (MISSED, NOISY):
            number = sum(part.verdict == verdict for part in self.parts)
            if number:
                return f"{verdict}, {number} of {len(self.parts)}"
        return MET


def number(name: str, figure: float, limit: float, shown: str) -> Part:
    """A figure that is known: the limit is the last that meets the target."""
    return Part(name, shown, figure / limit, MET if figure <= limit else MISSED)


def at_most(limit: float, estimates: Mapping[str, Estimate]) -> list[Part]:
    """Figures with an interval, all of which must lie below the limit to meet the target."""
    return [
        Part(name, interval(one), one.median / limit, _verdict(one, limit))
        for name, one in estimates.items()
    ]


def _verdict(one: Estimate, limit: float) -> str:
    if one.high <= limit:
        return MET
    return MISSED if one.low > limit else NOISY


def of_page(page: Path) -> list[Target]:
    """The targets in a table of a page that was written before, if there is one."""
    lines = page.read_text().splitlines() if page.exists() else []
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    begins = [i + 2 for i, row in enumerate(cells) if row[0] == "target"]
    rows = [
        row for i in begins for row in itertools.takewhile(lambda row: len(row) == 3, cells[i:])
    ]
    return [
        Target(wanted, [Part(page.stem, figure, 1, verdict)]) for wanted, figure, verdict in rows
    ]


def section(targets: Sequence[Target]) -> str:
    """The table of targets, and a list of what misses them."""
    rows = []
    for target in targets:
        worst = max(target.parts, key=lambda part: (RANKS.index(part.verdict), part.share))
        rows.append([target.wanted, f"{worst.figure}: {worst.name}", target.verdict])
    return "\n".join(
        [
            "## Targets\n",
            "Beside each target, the worst figure that was measured. One with an interval meets it",
            "if the whole interval does, and misses it if none of it does. Rates are judged by the",
            "time of a step over that with a constant rate.\n",
            table(["target", "measured", ""], rows),
            *_misses(targets),
            "",
        ]
    )


def _misses(targets: Sequence[Target]) -> Iterator[str]:
    for target in targets:
        missed = [part for part in target.parts if part.verdict == MISSED]
        if missed:
            figures = ", ".join(f"{part.name} {part.figure}" for part in missed)
            yield f"\n**{target.wanted}** is missed by {figures}. {target.tried}".rstrip()
