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
    texts = {path: path.read_text() for path in (root / "tests").glob("test_*.py")}
    found = {path: Counter(re.findall(r"\w+", text)) for path, text in texts.items()}
    words = words_of(fault, (root / fault.path).read_text())
    # A word that is in every file says nothing.
    rare = {word: x / max(1, sum(word in c for c in found.values())) for word, x in words.items()}
    scores = Counter({path: score(path, counts, rare) for path, counts in found.items()})
    best = [path for path, points in scores.most_common(FIRST) if points]
    return [fault.path, *(str(path.relative_to(root)) for path in best)]


def words_of(fault: Fault, source: str) -> dict[str, float]:
    """Names with their weights: of the function, of its neighbours, of the file and its folder."""
    tree = ast.parse(source)
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = {node.name: 1.0 for node in ast.walk(tree) if isinstance(node, kinds)}
    path = Path(fault.path)
    return {**names, path.stem: 3.0, path.parent.name: 1.0, fault.inside: 5.0}


def score(path: Path, counts: Counter[str], words: dict[str, float]) -> float:
    """Words in the name of a file count most."""
    return sum(
        weight * (min(counts[word], 20) + 40 * (word in path.stem))
        for word, weight in words.items()
    )
