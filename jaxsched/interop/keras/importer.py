"""Keras' learning-rate schedules as schedules, and schedules as Keras'."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import jax.numpy as jnp

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Operand, Schedule, operand
from jaxsched.interop.keras.callbacks import reduced_on_plateau, scheduled
from jaxsched.interop.keras.restarts import restarts
from jaxsched.interop.shared.reading import class_of, plain, read, whole_steps
from jaxsched.schedules.cyclic import polynomial_cycles_schedule
from jaxsched.schedules.decay import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    polynomial_schedule,
)
from jaxsched.schedules.inverse import inverse_time_schedule
from jaxsched.schedules.piecewise import join_schedules, piecewise_constant_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule

_METHODS = ("__call__", "on_train_begin", "on_epoch_begin", "on_epoch_end", "_is_improvement")


def from_keras(
    schedule: Any, *, learning_rate: Any = None, steps: int | None = None, faithful: bool = True
) -> Schedule | Controller:
    """A live Keras schedule, or callback that sets the rate, as a schedule.

        rate(k) = schedule(k)

    Every class of `keras.optimizers.schedules`, and of callbacks `ReduceLROnPlateau`, which becomes
    a controller, `reduce_on(plateau(...), learning_rate)`, and `LearningRateScheduler`, whose
    count is the epoch. Also classes derived from them that redefine nothing. Keras is not imported.
    In Keras' conventions, which are kept:

    - `PiecewiseConstantDecay` changes at the step after each boundary.
    - The `decay_steps` of `CosineDecay` do not include its warm-up, which is ignored without
      a `warmup_target`; `alpha` is a part of the rate, and so is the `m_mul` of
      `CosineDecayRestarts`, of what is above `alpha`.
    - `PolynomialDecay` with `cycle` is at its end at every multiple of `decay_steps`.
    - `ReduceLROnPlateau` fires at the `patience`-th epoch without improvement.

    What Keras does is reproduced where it is not what is meant; `faithful=False` gives that:

    - `ReduceLROnPlateau` leaves out an epoch less than its `cooldown`, so that 1 is as 0.
      Meant: as many.
    - A whole `initial_learning_rate` makes Keras round all other numbers towards 0, pi
      included. That is not reproduced but raises. Meant: the same number as a float.

    What is not reproduced is Keras' rounding, in float32 by default. A power is off by some 2^-24
    of itself for every time that the rate was multiplied, and steps beyond 2^24 are rounded. At
    some steps where it should restart `CosineDecayRestarts` is at the end of the cycle before,
    and in a compiled step some stairs are one step late. Nor is this: a metric that is NaN
    in the first epoch is the best for ever.

    Args:
      schedule: the schedule, or the callback. Nothing is changed.
      learning_rate: the optimizer's, for a callback that belongs to no model yet.
      steps: how many further epochs to tabulate of a `LearningRateScheduler`; after them the rate
        is held.
      faithful: whether to do as Keras does, or as is meant.

    Raises:
      TypeError: for any other class, or a derived one that redefines a method.
      ValueError: for an impossible attribute; for `t_mul` below 1, where Keras is soon NaN.

    Example:
      >>> module = {"__module__": "keras.optimizers.schedules"}  # A stand-in for the real one.
      >>> schedule = type("PiecewiseConstantDecay", (), module)()
      >>> schedule.boundaries, schedule.values = [100], [1.0, 0.5]
      >>> rate = from_keras(schedule)
      >>> print(rate(100), rate(101))
      1.0 0.5
    """
    kind = class_of(schedule, "keras", SUPPORTED, _METHODS)
    if kind == "ReduceLROnPlateau":
        return reduced_on_plateau(schedule, learning_rate, faithful)
    if kind == "LearningRateScheduler":
        return scheduled(schedule, learning_rate, steps)
    return _SCHEDULES[kind](schedule, _initial(schedule, faithful))


def _initial(schedule: Any, faithful: bool) -> float:
    """The initial rate, unless it is one that spoils the others."""
    if not hasattr(schedule, "initial_learning_rate"):
        return 0.0
    init = read(schedule, "initial_learning_rate", checks.number)
    if faithful and isinstance(init, int):
        label = f"{type(schedule).__name__}.initial_learning_rate"
        checks.refuse(label, init, "a float: Keras rounds all other numbers to its type")
    return float(init)


def _exponential(schedule: Any, init: float) -> Schedule:
    steps = read(schedule, "decay_steps", checks.some_steps)
    rate, staircase = read(schedule, "decay_rate", checks.non_negative), read(schedule, "staircase")
    if rate == 0:
        return piecewise_constant_schedule(init, {steps if staircase else 1: 0.0})
    return exponential_decay(init, steps, rate, staircase=bool(staircase))


def _piecewise(schedule: Any, _: float) -> Schedule:
    label = f"{type(schedule).__name__}.boundaries"
    boundaries = [int(plain(step)) for step in read(schedule, "boundaries")]
    values = [plain(value) for value in read(schedule, "values")]
    if not boundaries or boundaries != sorted(boundaries):
        checks.refuse(label, boundaries, "a list in ascending order")
    # A step equal to the boundary still has the value before it.
    return join_schedules(values, [whole_steps(label, step) + 1 for step in boundaries])


def _polynomial(schedule: Any, init: float) -> Schedule:
    steps = read(schedule, "decay_steps", checks.some_steps)
    end = read(schedule, "end_learning_rate", checks.number)
    power = read(schedule, "power", checks.non_negative)
    if power == 0:
        return constant_schedule(init)
    if read(schedule, "cycle"):
        return polynomial_cycles_schedule(init, steps, power, end)
    return polynomial_schedule(init, end, power, steps)


def _inverse_time(schedule: Any, init: float) -> Schedule:
    steps = read(schedule, "decay_steps", checks.some_steps)
    rate = read(schedule, "decay_rate", checks.non_negative)
    return inverse_time_schedule(init, steps, rate, staircase=bool(read(schedule, "staircase")))


def _cosine(schedule: Any, init: float) -> Schedule:
    steps = read(schedule, "decay_steps", checks.some_steps)
    alpha, peak = read(schedule, "alpha", checks.number), read(schedule, "warmup_target")
    if peak is None:
        return cosine_decay_schedule(init, steps, alpha)
    peak = checks.number(f"{type(schedule).__name__}.warmup_target", peak)
    warmup = read(schedule, "warmup_steps", checks.steps)
    return warmup_cosine_decay_schedule(init, peak, warmup, warmup + steps, alpha * peak)


def _cosine_restarts(schedule: Any, init: float) -> Schedule:
    return restarts(
        init,
        read(schedule, "first_decay_steps", checks.some_steps),
        read(schedule, "_t_mul", checks.at_least_one),
        read(schedule, "_m_mul", checks.positive),
        read(schedule, "alpha", checks.number),
    )


_SCHEDULES: dict[str, Callable[[Any, float], Schedule]] = {
    "ExponentialDecay": _exponential,
    "PiecewiseConstantDecay": _piecewise,
    "PolynomialDecay": _polynomial,
    "InverseTimeDecay": _inverse_time,
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _cosine_restarts,
}
SUPPORTED = (*_SCHEDULES, "ReduceLROnPlateau", "LearningRateScheduler")


def to_keras(schedule: Operand) -> Any:
    """A schedule as a `keras.optimizers.schedules.LearningRateSchedule`, on the JAX backend.

    For `keras.optimizers.Adam(learning_rate=to_keras(schedule))`; it becomes a part of the
    compiled step. Keras cannot save it with a model: it has no `get_config`.

    Args:
      schedule: any schedule, number or function of the count.

    Raises:
      ImportError: if Keras is not installed.
      RuntimeError: if its backend is another than JAX.
      TypeError: for a controller, whose rate depends on more than the step.

    Example:
      >>> import jaxsched
      >>> rate = jaxsched.cosine_decay_schedule(0.1, 100)
      >>> optimizer = keras.optimizers.Adam(to_keras(rate))  # doctest: +SKIP
    """
    rate = operand("schedule", schedule)
    try:
        keras: Any = import_module("keras")
    except ImportError as error:
        raise ImportError("`to_keras` needs Keras, which `pip install keras` installs.") from error
    if keras.backend.backend() != "jax":
        raise RuntimeError(
            f"`to_keras` needs Keras on the JAX backend, not {keras.backend.backend()!r}:"
            " set the environment variable KERAS_BACKEND to 'jax' before Keras is imported."
        )

    class JaxSchedule(keras.optimizers.schedules.LearningRateSchedule):
        """Calls a schedule with the step."""

        def __call__(self, step: Any) -> Any:
            count = keras.ops.convert_to_tensor(step)
            return jnp.asarray(rate(count) if callable(rate) else rate)

    return JaxSchedule()
