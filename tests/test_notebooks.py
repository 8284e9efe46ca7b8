"""A schedule in a notebook: the call, and its picture."""

import re
import sys
from xml.etree import ElementTree

import jax
import pytest

import jaxsched as js


def test_the_call_and_the_picture():
    shown = js.with_warmup(js.cosine_decay_schedule(1e-3, 100), 10)._repr_html_()
    call, picture = shown.split("</pre>")
    assert call.startswith("<pre>with_warmup(schedule=cosine_decay_schedule(init_value=0.001,")
    assert ElementTree.fromstring(picture).tag.endswith("svg")


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (js.linear_schedule(1.0, 0.0, 60, transition_begin=20), 81),
        (js.constant_schedule(0.1), 101),
        (js.piecewise_constant_schedule(1.0, {10 * i: 0.5 for i in range(1, 10)}), 181),
        (js.cosine_decay_schedule(1.0, 10**12), 2**31 - 1),
    ],
)
def test_the_picture_shows_every_length(schedule, steps, monkeypatch):
    asked = []
    plot = sys.modules["jaxsched.inspect.plot"].plot
    monkeypatch.setattr(
        "jaxsched.inspect.notebooks.plot",
        lambda schedule, steps: asked.append(steps) or plot(schedule, 10),
    )
    assert "<svg" in schedule._repr_html_()
    assert asked == [steps]


def test_what_is_no_markup_is_written_out():
    shown = (js.constant_schedule(1.0) * abs)._repr_html_()
    assert "&lt;built-in function abs&gt;" in shown


def test_without_matplotlib_and_of_traced_numbers_it_is_the_call(monkeypatch):
    seen = []

    @jax.jit
    def program(value):
        seen.append(js.linear_schedule(value, 0.0, 10)._repr_html_())
        return value

    program(1.0)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    seen.append(js.linear_schedule(1.0, 0.0, 10)._repr_html_())
    for shown in seen:
        assert re.fullmatch(r"<pre>linear_schedule\(.*</pre>", shown)
