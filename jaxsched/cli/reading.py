"""Expressions of the command line, as functions of the step that can be shown."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.control.controllers.controller import Controller
from jaxsched.control.controllers.greedy import greedy
from jaxsched.control.controllers.phase import Phase
from jaxsched.control.monitors.monitor import Monitor
from jaxsched.core.reach import whole_dtype
from jaxsched.core.types import ScheduleFn
from jaxsched.notation.parse import parse
from jaxsched.planning.units import Run

_OF_A_RUN = ("steps_per_epoch", "tokens_per_step", "batch_size")


class Curve(NamedTuple):
    """What an expression is at each step.

    Attributes:
      text: the expression.
      schedule: a function of the count.
      remark: what is to be known of it; empty for a schedule.
    """

    text: str
    schedule: ScheduleFn
    remark: str


def run_of(text: str, total_steps: int) -> Run:
    """The run of so many steps that a text such as "steps_per_epoch=250 batch_size=64" tells of.

    Raises:
      ValueError: for another text, or a number that is not positive.
    """
    entries = text.replace(",", " ").split()
    given = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    if len(given) < len(entries) or not given.keys() <= set(_OF_A_RUN):
        raise ValueError(f"`--run` has NAME=X for {', '.join(_OF_A_RUN)}, got {text!r}.")
    try:
        numbers = {name: float(value) for name, value in given.items()}
    except ValueError:
        raise ValueError(f"`--run` must have numbers, got {text!r}.") from None
    return Run(total_steps=total_steps, **numbers)


def read(text: str, run: Run | None = None) -> Curve:
    """A schedule as it is, and a controller as it is before its first event.

    Raises:
      ValueError: for what `parse` refuses, and for a monitor.
    """
    made = parse(text, run=run)
    text = " ".join(text.split())
    if isinstance(made, Monitor):
        raise ValueError(f"`{made.__name__}` is a monitor: it gives events, not rates.")
    if isinstance(made, Controller):
        remark = (
            f"`{made.__name__}` reacts to the metric `{', '.join(made.metrics)}`, which there"
            " is none of here: these are the rates before the first event."
        )
        return Curve(text, before_events(made), remark)
    return Curve(text, made, "")


def before_events(controller: Controller) -> ScheduleFn:
    """The rate of a controller at a count while none of its monitors has fired."""
    # `greedy` answers with a scale, which begins at 1, all others whether they fire.
    answers = {
        name: value.maker is greedy
        for name, value in controller.hyperparams.items()
        if isinstance(value, Monitor)
    }
    inner = {
        name: before_events(value)
        for name, value in controller.hyperparams.items()
        if isinstance(value, Controller)
    }

    def rate(count: ArrayLike) -> jax.Array:
        phase = Phase(jnp.asarray(count), jnp.zeros((), whole_dtype()), jnp.ones(()))
        return controller.maker.function(phase, **{**controller.known(), **inner, **answers})[1]

    return rate
