"""Where a controller stands, as its function sees it."""

from typing import Any, NamedTuple

import jax


class Phase(NamedTuple):
    """Where a controller stands: what the function of a `controller` is given, and returns.

    It returns `phase, rate`: the phase after the event, if there was one, and the rate of this
    update. `phase._replace(count=...)` changes a field; the count goes on by itself.

    Attributes:
      count: updates since the schedule began or began again; a whole number.
      events: the events that it has acted on; likewise.
      scale: what the schedule now in force is multiplied by; float32.
      updates: updates in all, before this one; to be read.
      anew: whether the monitors begin anew after this update, as after a restart; False unless
        the function says so.
    """

    count: jax.Array
    events: jax.Array
    scale: jax.Array
    updates: Any = 0
    anew: Any = False
