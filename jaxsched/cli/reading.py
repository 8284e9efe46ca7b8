"""Expressions of the command line, as functions of the step that can be shown."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.control.controller import Controller, Phase
from jaxsched.control.greedy import greedy
from jaxsched.control.monitor import Monitor
from jaxsched.core.types import ScheduleFn
from jaxsched.tools.parse import parse


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


def read(text: str) -> Curve:
    """A schedule as it is, and a controller as it is before its first event.

    Raises:
      ValueError: for what `parse` refuses, and for a monitor.
    """
    made = parse(text)
    text = " ".join(text.split())
    if isinstance(made, Monitor):
        raise ValueError(f"`{made.maker}` is a monitor: it gives events, not rates.")
    if isinstance(made, Controller):
        remark = (
            f"`{made.maker}` reacts to the metric `{made.metric}`, which there is none of here:"
            " these are the rates before the first event."
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

    def rate(count: ArrayLike) -> jax.Array:
        phase = Phase(jnp.asarray(count), jnp.zeros((), jnp.int32), jnp.ones(()))
        return controller.maker.function(phase, **{**controller.known(), **answers})[1]

    return rate
