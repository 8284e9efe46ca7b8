"""Writes docs/gallery.md and its pictures from docs/gallery.toml and the docstrings.

    python docs/make_gallery.py [--check]

With `--check` nothing is written: it fails if the text, or the rates in a picture, are not
those of the library.
"""

import argparse
import inspect
import json
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jax
import jax.numpy as jnp
import numpy as np

import jaxsched

DOCS = Path(__file__).parent
PAGE, PICTURES = DOCS / "gallery.md", DOCS / "gallery"
STEPS = 1000

INTRODUCTION = """# Gallery

Every schedule, combinator, controller and monitor: what it computes, when to use it, and how it
looks in a short run. Under each picture is the call that it shows.
Controllers and monitors hear the metric that is drawn in grey; dashed lines are their events.
Written by `python docs/make_gallery.py` from the docstrings.
"""

STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "lines.linewidth": 1.3,
    "path.simplify_threshold": 0.2,
    "svg.fonttype": "none",
    "svg.hashsalt": "gallery",
}


def noise(t: np.ndarray) -> np.ndarray:
    """Numbers between -1 and 1 without a pattern, the same everywhere."""
    return 2 * (np.abs(np.sin(12.9898 * t) * 437.585) % 1) - 1


METRICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "stalling": lambda t: 1 - 0.002 * np.clip(t, 0, 200) - 0.001 * np.clip(t - 450, 0, 250),
    "rising": lambda t: 0.4 + 2.4e-6 * (t - 400.0) ** 2,
    "noisy": lambda t: 0.3 + 0.7 * np.exp(-t / 50) + 0.03 * noise(t),
    "spiky": lambda t: 0.3 + 0.05 * noise(t) + 0.6 * np.isin(t, [120, 210]),
    "broken": lambda t: np.where(np.isin(t, [300, 600]), np.nan, METRICS["stalling"](t)),
    "gappy": lambda t: np.where((t >= 250) & (t < 350), np.nan, METRICS["stalling"](t)),
}
"""What monitors and controllers hear, by step."""


def evaluated(expression: str) -> Any:
    """What an expression of the gallery's own data file makes."""
    return eval(expression, dict(vars(jaxsched)))


def steered(rate: Any, metric: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The rates that a controller gives while it hears a metric, and the steps of its events."""
    scale = jaxsched.scale_by_learning_rate(rate)

    def step(state: Any, value: jax.Array) -> tuple[Any, Any]:
        _, state = scale.update(jnp.zeros(()), state, value=value)
        return state, (jaxsched.learning_rate(state), jaxsched.record(state)["last_event"])

    values = metric.astype(np.float32)
    _, (rates, last) = jax.jit(lambda state: jax.lax.scan(step, state, values))(
        scale.init(jnp.zeros(()))
    )
    return np.asarray(rates, float), [int(event) for event in np.unique(last) if event >= 0]


def curves(entry: dict[str, Any]) -> tuple[dict[str, np.ndarray], list[int]]:
    """The curves of an entry by label, and its events; of a monitor the curve is the metric."""
    steps = np.arange(entry.get("steps", STEPS))
    if "metric" not in entry:
        shown = entry["show"] if isinstance(entry["show"], dict) else {"rate": entry["show"]}
        return {
            label: np.asarray(evaluated(text)(steps), float) for label, text in shown.items()
        }, []
    bound, metric = evaluated(entry["show"]), METRICS[entry["metric"]](steps)
    if isinstance(bound, jaxsched.Monitor):
        return {"metric": metric}, steered(jaxsched.reduce_on(bound, 1.0), metric)[1]
    rates, events = steered(bound, metric)
    return {"rate": rates, "metric": metric}, events


def digits(entry: dict[str, Any]) -> dict[str, Any]:
    """What is kept in a picture to compare it by: some of the rates, and the events."""
    found, events = curves(entry)
    kept = {
        label: [
            float(f"{rate:.4g}") if np.isfinite(rate) else None
            for rate in rates[:: len(rates) // 100]
        ]
        for label, rates in found.items()
    }
    return {"curves": kept, "events": events}


def draw(entry: dict[str, Any], path: Path) -> None:
    """Writes the picture of an entry."""
    import matplotlib
    from matplotlib.figure import Figure

    found, events = curves(entry)
    metric = found.pop("metric", None)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6, 2.2), layout="constrained")
        shown = found or {"metric": metric}
        ax = jaxsched.plot(shown, entry.get("steps", STEPS), ax=figure.subplots(), events=events)
        if not found:
            ax.lines[0].set_color("darkgray")
            ax.set_ylabel("metric")
        else:
            ax.set_ylim(bottom=0)
        if found and metric is not None:
            beside = ax.twinx()
            beside.plot(metric, color="darkgray")
            beside.set_ylabel("metric")
        if len(found) < 2:
            ax.get_legend().remove()
        kept = json.dumps(digits(entry), separators=(",", ":"))
        about = {"Date": None, "Creator": None, "Description": kept}
        figure.savefig(path, format="svg", metadata=about)


def head(name: str) -> str:
    """A docstring up to its first section, formulas as indented code."""
    text = inspect.getdoc(getattr(jaxsched, name)) or ""
    return re.split(r"\n(?:Args|Raises|Returns|Example|Reference)s?:\n", text)[0].strip()


def picture(name: str) -> Path:
    """Where the picture of an entry is."""
    return PICTURES / f"{name if name.isidentifier() else 'arithmetic'}.svg"


def written(name: str, entry: dict[str, Any]) -> str:
    """An entry in Markdown."""
    show = entry["show"]
    calls = "\n".join(show.values()) if isinstance(show, dict) else show.strip()
    title = f"### `{name}`" if name.isidentifier() else f"### {name}"
    return f"""{title}

{entry.get("text") or head(name)}

**When:** {entry["when"]}

![{name}]({picture(name).relative_to(DOCS)})

```python
{calls}
```
"""


def page(gallery: dict[str, dict[str, Any]]) -> str:
    """The whole page."""
    sections = [
        "\n".join([f"## {title}\n", *(written(name, entry) for name, entry in entries.items())])
        for title, entries in gallery.items()
    ]
    return "\n".join([INTRODUCTION, *sections])


def drawn(path: Path) -> dict[str, Any]:
    """What a picture was drawn from."""
    about = ElementTree.parse(path).find(".//{http://purl.org/dc/elements/1.1/}description")
    return json.loads(about.text or "{}") if about is not None else {}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two pictures show the same, but for a thousandth of the greatest value."""
    if one.get("events") != other["events"] or [*one["curves"]] != [*other["curves"]]:
        return False
    for label, new in other["curves"].items():
        old, new = (np.array(values, float) for values in (one["curves"][label], new))
        least = 1e-3 * np.nanmax(np.abs(new))
        if old.shape != new.shape or not np.allclose(old, new, 0, least, equal_nan=True):
            return False
    return True


def stale(gallery: dict[str, dict[str, Any]]) -> list[str]:
    """What is not up to date."""
    entries = {picture(name): entry for part in gallery.values() for name, entry in part.items()}
    found = [] if PAGE.exists() and PAGE.read_text() == page(gallery) else [PAGE.name]
    unknown = set(PICTURES.glob("*")) - set(entries)
    wrong = [
        path
        for path, entry in entries.items()
        if not path.exists() or not same(drawn(path), digits(entry))
    ]
    return found + sorted(path.name for path in {*unknown, *wrong})


def main() -> None:
    """Writes the gallery, or checks it."""
    parser = argparse.ArgumentParser(description="Write docs/gallery.md and its pictures.")
    parser.add_argument("--check", action="store_true", help="fail if they are not up to date")
    check = parser.parse_args().check
    gallery = tomllib.loads((DOCS / "gallery.toml").read_text())
    if check:
        if found := stale(gallery):
            sys.exit(f"Not up to date: {', '.join(found)}. Run `python docs/make_gallery.py`.")
        return
    PICTURES.mkdir(exist_ok=True)
    for part in gallery.values():
        for name, entry in part.items():
            draw(entry, picture(name))
    PAGE.write_text(page(gallery))


if __name__ == "__main__":
    main()
