"""The test files most likely to notice a fault: those that have most of the words around it."""

import ast
import re
from collections import Counter
from pathlib import Path

from tests.mutants.faults import Fault

FIRST = 4
"""How many files run before all others."""


def likely(root: Path, fault: Fault) -> list[str]:
    """The file itself with its examples, then tests, the likeliest first."""
    words = words_of(fault, (root / fault.path).read_text())
    scores = Counter({path: score(path, words) for path in (root / "tests").glob("test_*.py")})
    best = [path for path, points in scores.most_common(FIRST) if points]
    return [fault.path, *(str(path.relative_to(root)) for path in best)]


def words_of(fault: Fault, source: str) -> dict[str, float]:
    """Names with their weights: of the function, of its neighbours, of the file and its folder."""
    tree = ast.parse(source)
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = {node.name: 1.0 for node in ast.walk(tree) if isinstance(node, kinds)}
    path = Path(fault.path)
    return {**names, path.stem: 3.0, path.parent.name: 1.0, fault.inside: 5.0}


def score(path: Path, words: dict[str, float]) -> float:
    """Words in the name of a file count most."""
    found = Counter(re.findall(r"\w+", path.read_text()))
    named = {word: word in path.stem for word in words}
    return sum(weight * (min(found[word], 20) + 40 * named[word]) for word, weight in words.items())
