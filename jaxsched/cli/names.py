"""What an expression may name, read from the sources: to import them is to wait for JAX."""

import ast
import difflib
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parent.parent.parent
_DECORATORS = {
    "schedule": ("schedule", 1),
    "monitor": ("monitor", 2),
    "ticking": ("monitor", 3),
    "controller": ("controller", 1),
}
"""What each makes of a function, and how many of its arguments are no hyperparameters."""


class Entry(NamedTuple):
    """A public schedule, monitor or controller.

    Attributes:
      kind: 'schedule', 'monitor' or 'controller'.
      call: its name with its hyperparameters and their defaults.
      documentation: its docstring.
    """

    kind: str
    call: str
    documentation: str


def entries() -> dict[str, Entry]:
    """All of them by name, in alphabetical order."""
    faces = [_tree(face) for face in ("jaxsched/schedules/__init__", "jaxsched/control/__init__")]
    imports = [node for face in faces for node in face.body if isinstance(node, ast.ImportFrom)]
    public = {(node.module, alias.name) for node in imports for alias in node.names}
    found = {
        node.name: _entry(node)
        for module in {str(node.module) for node in imports}
        for node in _tree(module.replace(".", "/")).body
        if isinstance(node, ast.FunctionDef) and (module, node.name) in public
    }
    return {name: entry for name, entry in sorted(found.items()) if entry}


def find(name: str) -> Entry:
    """The one of that name.

    Raises:
      ValueError: if there is none.
    """
    known = entries()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f" Did you mean `{near[0]}`?" if near else ""
        raise ValueError(f"There is no schedule, monitor or controller `{name}`.{meant}")
    return known[name]


def _tree(module: str) -> ast.Module:
    path = _ROOT / f"{module}.py"
    return ast.parse(path.read_text(encoding="utf-8"))


def _entry(node: ast.FunctionDef) -> Entry | None:
    """What a decorator makes of a function, if it is one of those above."""
    called = [item.func if isinstance(item, ast.Call) else item for item in node.decorator_list]
    names = [item.id for item in called if isinstance(item, ast.Name) and item.id in _DECORATORS]
    if not names:
        return None
    kind, first = _DECORATORS[names[0]]
    call = f"{node.name}({', '.join(_hyperparameters(node.args)[first:])})"
    return Entry(kind, call, ast.get_docstring(node) or "")


def _hyperparameters(arguments: ast.arguments) -> list[str]:
    names = [argument.arg for argument in arguments.args]
    defaults = [f"={ast.unparse(default)}" for default in arguments.defaults]
    padded = [""] * (len(names) - len(defaults)) + defaults
    return [name + default for name, default in zip(names, padded, strict=True)]
