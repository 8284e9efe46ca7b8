"""What the nodes of a syntax tree stand for: a few kinds have a meaning, all others are refused."""

import ast
import operator
import sys
from collections.abc import Callable
from typing import Any

from jaxsched.core.maker import Maker, bound
from jaxsched.core.schedule import Schedule, add, divide, multiply, negative, subtract
from jaxsched.inspect.marking import fail
from jaxsched.notation.catalogue import hint
from jaxsched.notation.registering import callable_by_name
from jaxsched.planning.said import counts_steps, in_steps
from jaxsched.planning.units import Run

_WANTED = (
    "Expected a number, a string, True, False, None, a list, a dict, the call of a schedule, a"
    " monitor or a controller, or + - * / between them."
)
_OPERATORS: dict[type[ast.operator], tuple[Callable[[Any, Any], Any], Maker[..., Schedule]]] = {
    ast.Add: (operator.add, add),
    ast.Sub: (operator.sub, subtract),
    ast.Mult: (operator.mul, multiply),
    ast.Div: (operator.truediv, divide),
}


def value_of(node: ast.expr, run: Run | None = None) -> Any:
    """The number, text, list, dict, schedule, monitor or controller that a node stands for.

    Lengths in other units than steps are those of the run.
    """
    match node:
        case ast.Constant(value=bool() | str() | None as value):
            return value
        case ast.Constant(value=int() | float() as value):
            return _finite(node, value)
        case ast.List():
            return [value_of(item, run) for item in node.elts]
        case ast.Tuple():
            return tuple(value_of(item, run) for item in node.elts)
        case ast.Dict():
            return _table(node, run)
        case ast.Call():
            return _call(node, run)
        case ast.UnaryOp(op=ast.USub()):
            return _negated(node, run)
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _combined(node, run)
    fail(node, _WANTED)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _finite(node: ast.expr, value: Any) -> Any:
    if not abs(value) <= sys.float_info.max:
        fail(node, "Expected a number that a float can hold.")
    return value


def _checked(node: ast.expr, make: Callable[[], Any]) -> Any:
    """What is made; an error shows the node."""
    try:
        return make()
    except (TypeError, ValueError, ArithmeticError) as error:
        fail(node, str(error))


def _table(node: ast.Dict, run: Run | None) -> dict[Any, Any]:
    table: dict[Any, Any] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        step = None if key is None else value_of(key, run)
        if not (_is_number(step) or isinstance(step, str)) or step in table:
            fail(key or item, "Expected a step, each once, and a number after a colon.")
        table[step] = value_of(item, run)
    return table


def _operand(node: ast.expr, run: Run | None) -> Any:
    value = value_of(node, run)
    if not _is_number(value) and not isinstance(value, Schedule):
        fail(node, "Expected a number or a schedule to compute with.")
    return value


def _negated(node: ast.UnaryOp, run: Run | None) -> Any:
    value = _operand(node.operand, run)
    return -value if _is_number(value) else negative(value)


def _combined(node: ast.BinOp, run: Run | None) -> Any:
    left, right = _operand(node.left, run), _operand(node.right, run)
    of_numbers, of_schedules = _OPERATORS[type(node.op)]
    if _is_number(left) and _is_number(right):
        return _finite(node, _checked(node, lambda: of_numbers(left, right)))
    return _checked(node, lambda: of_schedules(left, right))


def _call(node: ast.Call, run: Run | None) -> Any:
    maker = _maker(node.func)
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if len(named) < len(node.keywords):
        fail(node, "Expected arguments by position or by name, each once.")
    given = _checked(node, lambda: bound(maker, node.args, named))
    arguments = {name: _argument(maker, name, item, run) for name, item in given.items()}
    return _checked(node, lambda: maker(**arguments))


def _argument(maker: Maker[..., Any], name: str, node: ast.expr, run: Run | None) -> Any:
    value, reader = value_of(node, run), maker.readers[name]
    if counts_steps(reader):
        return _checked(node, lambda: reader(name, in_steps(name, value, run)))
    return _checked(node, lambda: reader(name, value))


def _maker(node: ast.expr) -> Maker[..., Any]:
    if not isinstance(node, ast.Name) or node.id not in callable_by_name():
        meant = hint(node.id) if isinstance(node, ast.Name) else ""
        fail(node, f"Expected the name of a schedule, a monitor or a controller.{meant}")
    return callable_by_name()[node.id]
