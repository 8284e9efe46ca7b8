"""Text in columns."""

import shutil
import textwrap
from collections.abc import Sequence


def columns(rows: Sequence[Sequence[object]]) -> str:
    """Rows of cells below one another, the first row being the heading."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def beside(label: str, text: str) -> str:
    """A text on the right of its label, in lines as long as the terminal is wide."""
    width = max(shutil.get_terminal_size().columns - len(label), 20)
    lines = textwrap.wrap(text, width, break_on_hyphens=False)
    return label + f"\n{' ' * len(label)}".join(lines)
