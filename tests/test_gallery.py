"""The gallery and the reference have everything, and a stale picture is noticed."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

import jaxsched
from jaxsched.notation.catalogue import public

DOCS = Path(__file__).parent.parent / "docs"
GALLERY = tomllib.loads((DOCS / "gallery.toml").read_text())
ENTRIES = {name: entry for part in GALLERY.values() for name, entry in part.items()}


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        return runpy.run_path(str(DOCS / "make_gallery.py"))


def test_everything_public_is_in_the_gallery():
    assert sorted({*public(), "sgdr_schedule", "+ - * /"}) == sorted(ENTRIES)


def test_every_entry_shows_what_it_is_about():
    for name, entry in ENTRIES.items():
        shown = entry["show"].values() if isinstance(entry["show"], dict) else [entry["show"]]
        assert all(f"{name}(" in text for text in list(shown)[-1:]) or name == "+ - * /"


def test_everything_public_is_in_the_reference():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        pages = runpy.run_path(str(DOCS / "reference.py"))["pages"]()
    listed = re.findall(r"^::: jaxsched\.([\w.]+)$", "".join(pages.values()), re.MULTILINE)
    assert sorted(listed) == sorted([*jaxsched.__all__, "flax.TrainState", "flax.observe"])
    navigation = (DOCS.parent / "mkdocs.yml").read_text()
    assert [page for page in pages if page not in navigation] == []


def test_the_page_is_that_of_the_docstrings(script):
    assert (DOCS / "gallery.md").read_text() == script["page"](GALLERY)
    assert "    rate = init_value + (end_value - init_value) t" in script["head"]("linear_schedule")
    assert "Args" not in script["head"]("linear_schedule")


def test_a_picture_of_other_rates_or_events_is_stale(script):
    name = "piecewise_constant_schedule"
    kept = script["drawn"](script["picture"](name))
    now = script["digits"](*script["curves"](ENTRIES[name]))
    assert script["same"](kept, now)
    rates = now["curves"]["rate"]
    a_little = [rate * (1 + 1e-5) for rate in rates]
    other = [*rates[:50], 0.011, *rates[51:]]
    assert script["same"](kept, {**now, "curves": {"rate": a_little}})
    assert not script["same"](kept, {**now, "curves": {"rate": other}})
    assert not script["same"](kept, {**now, "curves": {"other": rates}})
    assert not script["same"](kept, {**now, "events": [3]})
    assert not script["same"]({}, now)
