"""Schedules as a picture."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jaxsched.core import checks
from jaxsched.core.schedule import Operand
from jaxsched.inspect.figure import axes, saved
from jaxsched.inspect.samples import MOST, Samples, evenly, run_length, sample, thinned
from jaxsched.planning.units import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curve = Operand | np.ndarray | jax.Array
"""A schedule, a number or a function of the count; or an array of one rate a step."""

_LABEL = 80


def plot(
    schedules: Curve | Sequence[Curve] | Mapping[str, Curve],
    steps: int | Run,
    *,
    ax: "Axes | None" = None,
    log: bool = False,
    events: Mapping[Any, Any] | Sequence[int] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> "Axes":
    """Draws the rates of one or several schedules over a run.

    All steps are evaluated, of a run of more than a million a million at even distances. Of
    these as many are drawn as can be told apart; peaks, jumps and ends are among them.

    Args:
      schedules: a schedule, a number or a function of the count; or, of a controller, an array
        with the rate that was applied at each step. Or several of these: a sequence, or a
        mapping from labels. Without a label a curve has that of its `repr`, cut short.
      steps: the length of the run: steps 0 to `steps - 1`, or those of a `Run`.
      ax: the axes to draw on. None makes a figure of its own, which pyplot does not know of: in
        a notebook, `ax=plt.gca()` shows it.
      log: whether the rates have a logarithmic axis, on which those of 0 are below the end.
      events: steps to mark: a sequence, a mapping from steps to labels, or what
        `jaxsched.record` returned, the last record or those of all steps as one of arrays.
      path: a file to write the figure to, in the format that its name ends with.

    Returns:
      The axes.

    Raises:
      ImportError: without Matplotlib.
      TypeError: for a controller, which has no rates before a metric is known, and other axes
        than Matplotlib's.
      ValueError: for an array of another length, a population, events outside of the run, or a
        logarithmic axis for rates of which none is above 0.

    Example:
      >>> from jaxsched import cosine_decay_schedule, plot
      >>> axes = plot({"cosine": cosine_decay_schedule(0.5, 90), "constant": 0.25}, 100)
      >>> for line in axes.lines:
      ...     print(line.get_label(), len(line.get_xdata()), line.get_ydata()[0])
      cosine 100 0.5
      constant 100 0.25
    """
    log = checks.switch("log", log)
    length = run_length("steps", steps.total_steps if isinstance(steps, Run) else steps)
    curves = {label: _rates(curve, length) for label, curve in _labelled(schedules).items()}
    if not curves:
        checks.refuse("schedules", schedules, "at least one")
    marks = _marks(events, length)
    if log and not all((curve.values > 0).any() for curve in curves.values()):
        raise ValueError("`log` needs rates above 0, and one of the schedules has none.")
    ax = axes(ax)
    for label, curve in curves.items():
        ax.plot(*thinned(curve), label=label)
    nameless = next((step for step, label in marks.items() if not label), None)
    for step, label in marks.items():
        named = "event" if step == nameless else None  # once in the legend, for all of them
        ax.axvline(step, color="gray", linestyle="--", linewidth=1, label=named)
        ax.annotate(f" {label}", (step, 0.95), xycoords=("data", "axes fraction"))
    ax.set(xlabel="step", ylabel="learning rate", yscale="log" if log else "linear")
    ax.legend()
    return saved(ax, path)


def _labelled(schedules: Any) -> dict[str, Any]:
    if isinstance(schedules, Mapping):
        return {str(label): curve for label, curve in schedules.items()}
    several = schedules if isinstance(schedules, (list, tuple)) else [schedules]
    labels = [_label(curve) for curve in several]
    unique = len(set(labels)) == len(labels)
    return {
        label if unique else f"{i}: {label}": curve
        for i, (label, curve) in enumerate(zip(labels, several, strict=True))
    }


def _label(curve: Any) -> str:
    if np.ndim(curve):
        return "applied rate"
    name = getattr(curve, "__qualname__", repr(curve)).removesuffix(".<locals>.schedule")
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"


def _rates(curve: Any, length: int) -> Samples:
    if not isinstance(curve, (np.ndarray, jax.Array)) or not curve.ndim:
        return sample(curve, evenly(0, length - 1, MOST))
    if curve.shape != (length,):
        raise ValueError(f"An array must be of {length} rates, one a step, got {curve.shape}.")
    return Samples(np.arange(length), np.asarray(curve).astype(float))


def _marks(events: Any, length: int) -> dict[int, str]:
    """The steps of events with their labels."""
    if events is None:
        return {}
    if isinstance(events, Mapping) and "last_event" in events:
        steps = np.unique(np.asarray(events["last_event"]))
        events = steps[steps >= 0].tolist()
    labels = events if isinstance(events, Mapping) else dict.fromkeys(events, "")
    for step in labels:
        if not 0 <= checks.number("events", step) < length:
            checks.refuse("events", step, f"steps from 0 to {length - 1}")
    return {int(step): str(label) for step, label in labels.items()}
