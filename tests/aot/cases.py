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
        found.setdefault(schedule.__name__, schedule)
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
    "skip_on": lambda: js.skip_on(js.spike(), optax.adam(RATE)),
}


def _bytes_of(controller: Any) -> int:
    return sum(leaf.size * 4 for leaf in jax.tree.leaves(jax.eval_shape(controller.init)))


# Of a rate the count and the rate besides.
STATE_BYTES = {
    **{row.name: 8 + _bytes_of(row.make(row.sample)) for row in CONTROLLERS},
    "reduce_on_plateau": 2 * 4 * 10,
    "skip_on": 2 * 4 * 7,
}
FEW_SCHEDULES = [
    "warmup_cosine_decay_schedule",
    "exponential_decay",
    "cosine_restarts_schedule",
    "piecewise_constant_schedule",
]
FEW_CONTROLLERS = ["restart_on", "reduce_on_plateau"]
