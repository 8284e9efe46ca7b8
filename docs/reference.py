"""The pages of the API reference: what each face of the package offers, in the gallery's order."""

import importlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

GALLERY = tomllib.loads((Path(__file__).parent / "gallery.toml").read_text())
TITLES = {
    "core": "What a schedule is",
    "schedules": "Schedules",
    "control": "Monitors and controllers",
    "optimizers": "Optimizers",
    "interop": "Other libraries",
    "inspect": "See and check",
    "notation": "Text and configurations",
    "planning": "Planning a run",
    "tuning": "Finding a rate",
}
FLAX = ["flax.TrainState", "flax.observe"]


def names(face: str) -> list[str]:
    """What a face offers, in the order of its lines."""
    offered = vars(importlib.import_module(f"jaxsched.{face}"))
    return [
        name
        for name, value in offered.items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    ]


def page(face: str) -> str:
    """The page of a face: what is not in the gallery first, then the gallery's sections."""
    left = names(face)
    module = importlib.import_module(f"jaxsched.{face}")
    lines = [f"# {TITLES[face]}", module.__doc__ or "", f"In `jaxsched` and `jaxsched.{face}`."]
    sections = {
        title: [name for name in entries if name in left] for title, entries in GALLERY.items()
    }
    drawn = {name for section in sections.values() for name in section}
    lines += _entries([name for name in left if name not in drawn])
    for title, section in sections.items():
        if section:
            lines += [f"## {title}", *_entries(section)]
    return "\n\n".join([*lines, *(_flax() if face == "optimizers" else [])]) + "\n"


def pages() -> dict[str, str]:
    """All pages by their path."""
    return {f"api/{face}.md": page(face) for face in TITLES}


def _entries(listed: Iterable[str]) -> list[str]:
    return [f"::: jaxsched.{name}" for name in listed]


def _flax() -> list[str]:
    return ["## Flax", "In `jaxsched.flax`, which needs Flax.", *_entries(FLAX)]
