"""Small faults of a source file: one operator, comparison or number that is another."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
NAMES = {"minimum": "maximum", "min": "max", "floor": "ceil", "any": "all", "less": "less_equal"}
NAMES |= {other: name for name, other in NAMES.items()}


class Fault(NamedTuple):
    """One change of a file.

    Attributes:
      path: of the file, from the root of the project.
      inside: the function or class in which it is.
      before: the expression.
      after: what it becomes.
      span: the first and the last byte of it in the file.
      line: its number.
    """

    path: str
    inside: str
    before: str
    after: str
    span: tuple[int, int]
    line: int

    @property
    def name(self) -> str:
        """What does not change when lines move."""
        return f"{self.path} {self.inside}: {self.before} -> {self.after}"

    def apply(self, source: bytes) -> bytes:
        begin, end = self.span
        return source[:begin] + f"({self.after})".encode() + source[end:]


def faults(path: str, source: bytes) -> Iterator[Fault]:
    """All of a file, from its first line to its last."""
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    for node, inside in expressions(ast.parse(source), "module"):
        span = (
            begins[node.lineno - 1] + node.col_offset,
            begins[node.end_lineno - 1] + node.end_col_offset,
        )
        for after in others(node):
            yield Fault(path, inside, ast.unparse(node), after, span, node.lineno)


def expressions(node: ast.AST, inside: str) -> Iterator[tuple[ast.expr, str]]:
    """Those that are computed: no annotations; no texts, whose places Python 3.11 does not know."""
    if isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        inside = node.name
    if isinstance(node, ast.expr):
        yield node, inside
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from expressions(child, inside)


def others(node: ast.expr) -> Iterator[str]:
    """What an expression could be by mistake."""
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OPERATORS:
        yield with_other(node, "op", OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield with_other(node, "ops", [OPERATORS[type(node.ops[0])]()])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield ast.unparse(node.operand)
    if isinstance(node, ast.Constant):
        yield from other_numbers(node.value)
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield with_other(node, "attr", NAMES[node.attr])
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield NAMES[node.id]
    if isinstance(node, ast.IfExp):
        yield ast.unparse(ast.IfExp(node.test, node.orelse, node.body))


def with_other(node: ast.expr, field: str, value: object) -> str:
    fields = {**dict(ast.iter_fields(node)), field: value}
    return ast.unparse(ast.fix_missing_locations(type(node)(**fields)))


def other_numbers(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield str(value + 1)
    elif isinstance(value, float):
        yield repr(value * 1.5 or 1.0)
