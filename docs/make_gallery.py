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
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from gallery_curves import curves, digits

import jaxsched

DOCS = Path(__file__).parent
PAGE, PICTURES = DOCS / "gallery.md", DOCS / "gallery"

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


def draw(entry: dict[str, Any], path: Path) -> None:
    """Writes the picture of an entry."""
    import matplotlib
    from matplotlib.figure import Figure

    found, events = curves(entry)
    kept = json.dumps(digits(found, events), separators=(",", ":"))
    metric = found.pop("metric", None)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6, 2.2), layout="constrained")
        shown = found or {"metric": metric}
        ax = jaxsched.plot(
            shown, len(next(iter(shown.values()))), ax=figure.subplots(), events=events
        )
        if not found:
            ax.lines[0].set_color("darkgray")
            ax.set_ylabel("metric")
        else:
            ax.set_ylim(bottom=0)
            ax.set_ylabel(entry.get("axis", "learning rate"))
        if found and metric is not None:
            beside = ax.twinx()
            beside.plot(metric, color="darkgray")
            beside.set_ylabel("metric")
        if len(found) < 2:
            ax.get_legend().remove()
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
        if not path.exists() or not same(drawn(path), digits(*curves(entry)))
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
