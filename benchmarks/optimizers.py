"""Adam with every kind of rate: of jaxsched, and of Optax."""

from collections.abc import Iterable
from typing import Any

import optax

import jaxsched
from benchmarks.families import FAMILIES, RULES, SIX

PEAK = 1e-3
CONSTANT = optax.adam(PEAK)
CYCLE = {"init_value": 0.0, "peak_value": PEAK, "warmup_steps": 100, "decay_steps": 1000}
RULE = jaxsched.plateau(patience=100, window=10)
SCHEDULE = jaxsched.warmup_cosine_decay_schedule(**CYCLE)
COOLDOWN = jaxsched.linear_schedule(1.0, 0.0, 1000)


def ours(rate: Any) -> optax.GradientTransformation:
    """Adam that keeps the applied rate in its state."""
    return optax.chain(optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate))


def named(names: Iterable[str]) -> dict[str, Any]:
    """`optax.adam` with schedules of ours."""
    return {f"`{name}`": optax.adam(FAMILIES[name]) for name in names}


SCHEDULES = named(FAMILIES)
"""Every schedule."""

SIX_SCHEDULES = named(SIX)
"""Six that stand for all."""

APPLIED = {
    f"`scale_by_learning_rate` of {name}": ours(rate)
    for name, rate in [
        ("a number", PEAK),
        *((f"`{name}`", FAMILIES[name]) for name in ("warmup_cosine_decay_schedule", SIX[-1])),
    ]
}
"""The same with our transformation, whose state holds the rate too."""

LIKE_THE_HOST = "`reduce_on`"
"""The controller that does what the rule on the host does."""

CONTROLLERS = {
    **{f"`{name}`": ours(rule) for name, rule in RULES.items()},
    LIKE_THE_HOST: ours(jaxsched.reduce_on(RULE, SCHEDULE)),
    "`restart_on`": ours(jaxsched.restart_on(RULE, SCHEDULE, peak_mult=0.5)),
    "`advance_on`": ours(jaxsched.advance_on(RULE, [SCHEDULE, COOLDOWN])),
    "`scale_on`": ours(jaxsched.scale_on(RULE, SCHEDULE, factor=0.5)),
    "`raise_and_lower_on`": ours(
        jaxsched.raise_and_lower_on(jaxsched.improving(patience=10), RULE, SCHEDULE)
    ),
    "`follow`": ours(jaxsched.follow(jaxsched.greedy(), SCHEDULE)),
    "`reduce_on` with `slope_test`": ours(jaxsched.reduce_on(jaxsched.slope_test(), SCHEDULE)),
    "`reduce_on` with `spike`": ours(jaxsched.reduce_on(jaxsched.spike(), SCHEDULE)),
    "`reset_on`": jaxsched.reset_on(RULE, ours(PEAK)),
    "`reduce_on_plateau`": optax.chain(
        CONSTANT, jaxsched.reduce_on_plateau(patience=100, accumulation_size=10)
    ),
}

OURS = {**SCHEDULES, **APPLIED, **CONTROLLERS}
"""All of jaxsched."""

OPTAX = {
    "Optax `constant_schedule`": optax.adam(optax.constant_schedule(PEAK)),
    "Optax `warmup_cosine_decay_schedule`": optax.adam(optax.warmup_cosine_decay_schedule(**CYCLE)),
    "Optax `sgdr_schedule`, 5 cycles": optax.adam(optax.sgdr_schedule([CYCLE] * 5)),
    "Optax `reduce_on_plateau`": optax.chain(
        CONSTANT, optax.contrib.reduce_on_plateau(patience=100, accumulation_size=10)
    ),
    "Optax `inject_hyperparams`": optax.inject_hyperparams(optax.adam)(learning_rate=PEAK),
}
