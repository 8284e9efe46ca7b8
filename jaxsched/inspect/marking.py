"""The place of a mistake in a text."""

import ast
import re
from typing import NoReturn

_WIDTH = 60
"""The most characters shown on each side of a place."""


class Misplaced(Exception):
    """Something that may not stand where it stands: a message, a line from 1 on, a column from 0.

    The syntax tree counts columns in bytes, the parser in characters.
    """

    def __init__(self, message: str, line: int, column: int, *, in_bytes: bool):
        super().__init__(message)
        self.line, self.column, self.in_bytes = line, column, in_bytes


def fail(node: ast.expr, message: str) -> NoReturn:
    """Raises at the place of a node."""
    raise Misplaced(message, node.lineno, node.col_offset, in_bytes=True)


def marked(error: Misplaced, text: str) -> str:
    """The message, the line of the place, and a mark below it."""
    lines = re.split("\r\n|\r|\n", text)
    line = lines[min(error.line, len(lines)) - 1]
    column = error.column
    if error.in_bytes:
        column = len(line.encode()[:column].decode(errors="ignore"))
    begin = max(column - _WIDTH, 0)
    return f"{error}\n    {line[begin : column + _WIDTH]}\n    {' ' * (column - begin)}^"
