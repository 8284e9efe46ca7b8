"""A picture shows the rates at their steps, the events, and what they are called."""

import builtins
import sys

import jax
import numpy as np
import optax
import pytest
from matplotlib.figure import Figure

import jaxsched as js
from jaxsched.inspect.samples import Samples, thinned

LINE = js.linear_schedule(1.0, 0.0, transition_steps=8)


def test_the_rates_of_all_steps_under_their_names():
    ax = js.plot({"line": LINE, "half": 0.5}, 10)
    line, half = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), np.arange(10))
    np.testing.assert_array_equal(line.get_ydata(), np.maximum(1 - np.arange(10) / 8, 0))
    np.testing.assert_array_equal(half.get_ydata(), np.full(10, 0.5))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["line", "half"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == (
        "step",
        "learning rate",
        "linear",
    )


def test_a_curve_without_a_label_shows_how_it_was_made():
    def labels(schedules):
        return [line.get_label() for line in js.plot(schedules, 10).lines]

    assert labels(LINE) == [repr(LINE)]
    assert labels([0.1, np.zeros(10)]) == ["0.1", "applied rate"]
    assert labels([optax.exponential_decay(1.0, 5, 0.5)])[0].startswith("exponential_decay")
    assert labels([0.1, 0.1]) == ["0: 0.1", "1: 0.1"]
    (long,) = labels(js.with_warmup(js.cosine_decay_schedule(0.1, 10**9), warmup_steps=10**9))
    assert len(long) == 80
    assert long.endswith("…")


def test_the_length_may_be_that_of_a_run():
    assert len(js.plot(LINE, js.Run(total_steps=12)).lines[0].get_xdata()) == 12


def test_a_logarithmic_axis():
    assert js.plot(LINE, 10, log=True).get_yscale() == "log"
    with pytest.raises(ValueError, match="`log` needs rates above 0"):
        js.plot([LINE, 0.0], 10, log=True)


def marks(ax):
    lines = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    return dict(zip(lines, (text.get_text().strip() for text in ax.texts), strict=True))


def test_events_are_marked():
    nameless = js.plot(LINE, 10, events=[3, 7])
    assert marks(nameless) == {3: "", 7: ""}
    assert [text.get_text() for text in nameless.get_legend().get_texts()][1:] == ["event"]
    assert marks(js.plot(LINE, 10, events={3: "stalled"})) == {3: "stalled"}
    assert marks(js.plot(LINE, 10)) == {}


def test_the_events_of_a_run_are_those_of_its_records():
    scale = js.scale_by_learning_rate(js.reduce_on(js.plateau(patience=2), LINE, factor=0.5))

    def step(state, value):
        _, state = scale.update(np.ones(1, np.float32), state, value=value)
        return state, (js.learning_rate(state), js.record(state))

    losses = np.array([5, 4, 4, 4, 3, 2, 2, 2, 1, 0], np.float32)
    _, (rates, records) = jax.lax.scan(step, scale.init(np.ones(1, np.float32)), losses)
    ax = js.plot(rates, 10, events=records)
    np.testing.assert_array_equal(
        ax.lines[0].get_ydata(),
        (1 - np.minimum(np.arange(10), 8) / 8) * np.repeat([1, 0.5, 0.25], [3, 4, 3]),
    )
    assert marks(ax) == {3: "", 7: ""}
    last = {name: values[-1] for name, values in records.items()}
    assert marks(js.plot(rates, 10, events=last)) == {7: ""}


def test_given_axes_are_drawn_on(tmp_path):
    figure = Figure()
    upper = figure.subfigures(2)[0].subplots()
    assert js.plot(LINE, 10, ax=upper, path=tmp_path / "rate.svg") is upper
    assert len(upper.lines) == 1
    js.plot(0.5, 10, ax=upper)
    assert len(upper.lines) == 2


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a", b"\x89PNG")]
)
def test_the_picture_is_written(tmp_path, name, start):
    js.plot(LINE, 10, path=tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_a_failure_leaves_the_old_picture_and_no_half_of_a_new_one(tmp_path, monkeypatch):
    def fail(figure, file, **_):
        file.write_bytes(b"half a picture")
        raise RuntimeError("halfway")

    js.plot(LINE, 10, path=tmp_path / "a.svg")
    before = (tmp_path / "a.svg").read_bytes()
    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(RuntimeError, match="halfway"):
        js.plot(LINE, 10, path=str(tmp_path / "a.svg"))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [before]


def test_a_long_run_is_thinned_without_losing_what_stands_out():
    values = np.sin(np.arange(50_000) / 7000)
    values[12_345], values[33_333], values[44_444] = 5, -5, np.nan
    seen = thinned(Samples(np.arange(50_000), values))
    assert len(seen.steps) <= 4000
    assert {0, 12_345, 33_333, 49_999} <= set(seen.steps)
    np.testing.assert_array_equal(seen.values, values[seen.steps])
    on_a_screen = np.interp(np.arange(50_000), *seen)
    kept = np.r_[0:12_000, 13_000:33_000, 34_000:44_000]
    np.testing.assert_allclose(on_a_screen[kept], values[kept], atol=1e-4)
    stairs = js.piecewise_constant_schedule(1.0, {10**9: 0.5})
    assert len(js.plot(stairs, 2 * 10**9).lines[0].get_xdata()) <= 4000


def test_pyplot_is_left_alone():
    js.plot(LINE, 10)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((LINE, 0), {}, ValueError, "steps"),
        ((LINE, 1.5), {}, ValueError, "whole number"),
        (([], 10), {}, ValueError, "`schedules`"),
        ((np.ones(9), 10), {}, ValueError, r"10 rates, one a step, got \(9,\)"),
        ((np.ones((10, 2)), 10), {}, ValueError, "10 rates"),
        ((js.reduce_on(js.plateau(), 0.1), 10), {}, TypeError, "stateful"),
        ((LINE, 10), {"events": [10]}, ValueError, "`events` must be steps from 0 to 9, got 10"),
        ((LINE, 10), {"events": {"peak": 3}}, TypeError, "`events`"),
    ],
)
def test_mistakes(arguments, options, error, message):
    with pytest.raises(error, match=message):
        js.plot(*arguments, **options)


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def absent(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImportError, match=r"jaxsched\[plot\]"):
        js.plot(LINE, 10)
