"""Every schedule and controller of jaxsched once, as the gallery shows it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jaxsched
from jaxsched.core.bound import Bound
from jaxsched.notation.catalogue import public

_GALLERY = tomllib.loads((Path(__file__).parent.parent / "docs" / "gallery.toml").read_text())

TABLES = {
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "join_schedules",
    "cumulative_product_schedule",
    "table_schedule",
}
"""Those that look up arrays."""

SIX = [
    "cosine_decay_schedule",
    "exponential_decay",
    "inverse_sqrt_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_stable_decay_schedule",
    "cosine_restarts_schedule",
]
"""Those that stand for all where one measurement takes long."""


def _shown(kind: type) -> dict[str, Any]:
    """The schedules or the controllers of the gallery: of several that an entry has, the last."""
    entries = {name: entry for part in _GALLERY.values() for name, entry in part.items()}
    makers = {name: maker for name, maker in public().items() if maker.kind is kind}
    return {name: _part(name, entries[name]["show"]) for name in entries if name in makers}


def _part(name: str, show: str | dict[str, str]) -> Any:
    """What a maker of that name made, within what an expression makes."""
    text = show if isinstance(show, str) else [*show.values()][-1]
    return next(part for part in _parts(jaxsched.parse(text)) if part.maker.__name__ == name)


def _parts(bound: Any) -> Iterator[Any]:
    if isinstance(bound, Bound):
        yield bound
        for value in bound.hyperparams.values():
            yield from _parts(value)


FAMILIES = _shown(jaxsched.Schedule)
RULES = _shown(jaxsched.Controller)
