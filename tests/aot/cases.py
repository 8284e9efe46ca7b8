"""Every family of schedules, every controller, and six that stand for all of them."""

from collections.abc import Callable
from typing import Any

import jax
import optax

import jaxsched as js
from tests.aot.programs import SCOPE
from tests.control_table import CONTROLLERS
from tests.table import ROWS
from tests.test_growth import LIMITS

Optimizer = optax.GradientTransformation
LARGE = 10_000
RATE = 0.1


def _families() -> dict[str, Any]:
    """The first row of each maker."""
    found: dict[str, Any] = {}
    for row in ROWS:
        schedule = row.make(row.sample)
        found.setdefault(str(schedule.maker), schedule)
    return found


def _large(name: str) -> Callable[[], Any]:
    return lambda: LIMITS[name][0](LARGE)


def adam(rate: Any) -> Optimizer:
    return optax.chain(optax.scale_by_adam(), js.scale_by_learning_rate(rate))


def marked(schedule: Any) -> Callable[[Any], Any]:
    """A schedule whose instructions can be told from others."""

    def rate(count: Any) -> Any:
        with jax.named_scope(SCOPE):
            return schedule(count)

    return rate


SCHEDULES = _families()
LARGE_TABLES = {
    f"{name}, {LARGE:,} segments": _large(name)
    for name in ("piecewise_constant", "monotone table", "join of two forms")
}
CONTROLLED: dict[str, Callable[[], Optimizer]] = {
    **{row.name: lambda row=row: adam(row.make(row.sample)) for row in CONTROLLERS},
    "reduce_on_plateau": lambda: optax.chain(optax.adam(RATE), js.reduce_on_plateau(patience=5)),
}
# Two vectors of as many numbers, besides the count and the rate, or besides Optax's six fields.
STATE_BYTES = {
    "reduce_on": 8 + 2 * 4 * 10,
    "restart_on": 8 + 2 * 4 * 8,
    "advance_on": 8 + 2 * 4 * 10,
    "scale_on": 8 + 2 * 4 * 7,
    "raise_and_lower_on": 8 + 2 * 4 * 12,
    "follow": 8 + 2 * 4 * 12,
    "reduce_on_plateau": 24 + 2 * 4 * 10,
}
FEW_SCHEDULES = [
    "warmup_cosine_decay_schedule",
    "exponential_decay",
    "cosine_restarts_schedule",
    "piecewise_constant_schedule",
]
FEW_CONTROLLERS = ["restart_on", "reduce_on_plateau"]
