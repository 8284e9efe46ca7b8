"""The schedules of big_vision, by its configuration."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.big_vision.lengths import Run, steps_of
from jaxsched.interop.shared.cooldown import through_zero, to_zero
from jaxsched.interop.shared.fields import Fields, fields_of, text
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import cosine_decay_schedule, linear_schedule, polynomial_schedule
from jaxsched.schedules.inverse import inverse_sqrt_schedule
from jaxsched.schedules.piecewise import join_schedules
from jaxsched.schedules.ramps import with_warmup


def from_big_vision(
    config: Any,
    *,
    total_steps: int | None = None,
    batch_size: int | None = None,
    data_size: int | None = None,
    faithful: bool = True,
) -> Schedule:
    """The rate of big_vision at each step, from its configuration.

        rate(k) = config.lr create_learning_rate_schedule(total_steps, ..., **config.schedule)(k)

    Each `decay_type`, with T the steps of the run and W those of `warmup_*`:

    | decay_type | value, u = (k - W) / (T - W) |
    |---|---|
    | `cosine` | (1 + cos(pi u)) / 2 |
    | `linear`, `polynomial` | end + (1 - end) (1 - u) ** power |
    | `rsqrt` | 1 / sqrt(1 + (k + shift - W) / timescale) |
    | `stair` | 1, then `mults[i]` from step `steps[i]` on |

    times k / W in the warm-up, where all else is as at W, and (T - k) / C in the last C steps,
    those of `cooldown_*`; `scale_with_batchsize` multiplies by `batch_size / 256`, all but the
    end. Each length is in `*_steps`, `*_epochs`, `*_examples`, or `*_percent` of the run, a
    number from 0 to 1. big_vision is not imported.

    What big_vision does is reproduced where it is not what is meant; `faithful=False` gives that:

    - With a cooldown the rate goes on below 0 after the last step. Meant: it is held at 0.

    What differs in any case: a length in a unit whose size is not known raises, where big_vision
    does without a warm-up or a cooldown.

    Args:
      config: the configuration, with `lr`, `schedule`, and `total_steps` or another length of the
        run; or a schedule alone, whose `lr` is 1. Of several schedules all but one must be None.
      total_steps: the steps of the run, if the configuration does not say.
      batch_size: the examples in a step; if not given, `config.input.batch_size`.
      data_size: the examples in an epoch, for lengths in epochs.
      faithful: whether to do as big_vision does, or as is meant.

    Raises:
      TypeError: for what has no fields.
      ValueError: for an unknown `decay_type`, a length that is missing, given twice, or in a unit
        of unknown size, a warm-up as long as the run, or the configuration of another trainer.

    Example:
      >>> rate = from_big_vision({
      ...     "lr": 0.5,
      ...     "total_epochs": 10,
      ...     "schedule": {"decay_type": "cosine", "warmup_steps": 100},
      ...     "input": {"batch_size": 128},
      ... }, data_size=12_800)
      >>> print(f"{rate(50):.2f} {rate(100):.2f} {rate(550):.2f} {rate(1000):.2f}")
      0.25 0.50 0.25 0.00
    """
    fields = fields_of(config, "from_big_vision")
    run = _run(fields, Run(total_steps, batch_size, data_size))
    if not fields.any_of(("lr", "schedule")):
        return _scheduled(fields, 1.0, run, faithful)
    rate = float(fields.read("lr", checks.number))
    return _scheduled(Fields(_only(fields.get("schedule")), fields.importer), rate, run, faithful)


def _run(fields: Fields, given: Run) -> Run:
    batch_size = given.batch_size
    if batch_size is None:
        batch_size = Fields(fields.get("input"), fields.importer).get("batch_size")
    run = given._replace(batch_size=batch_size)
    total = run.total_steps
    total = steps_of(fields, "total", run) if total is None else total
    if total is None:
        raise ValueError("`total_steps` is missing, or `total_epochs` or `total_examples`.")
    return run._replace(total_steps=checks.some_steps("total_steps", total))


def _only(schedule: Any) -> Any:
    """The one schedule, of those for patterns of parameters, that does not freeze them."""
    if not isinstance(schedule, (list, tuple)):
        return {} if schedule is None else schedule
    moving = [one for _, one in schedule if one is not None]
    if len(moving) != 1:
        raise ValueError(
            f"`schedule` has {len(moving)} schedules, {[pattern for pattern, _ in schedule]!r}:"
            " give the one of them that is wanted as `schedule`."
        )
    return moving[0]


def _scheduled(fields: Fields, rate: float, run: Run, faithful: bool) -> Schedule:
    total: Any = run.total_steps
    warmup, cooldown = (steps_of(fields, name, run) or 0 for name in ("warmup", "cooldown"))
    if not warmup < total:
        checks.refuse("warmup", warmup, f"shorter than the run, {total} steps")
    base = rate
    if fields.read("scale_with_batchsize", checks.flag, False):
        if not run.batch_size:
            raise ValueError("`scale_with_batchsize` needs `batch_size`.")
        base = rate * run.batch_size / 256
    kind = fields.read("decay_type", text("stair", *_CURVES), "stair")
    if kind == "stair":
        whole = _stair(fields, base)
        whole = linear_schedule(0.0, 1.0, warmup) * whole if warmup else whole
    else:
        curve = _CURVES[kind](_Asked(fields, run, base, rate, total - warmup))
        whole = _warmed_up(curve, warmup)
    if not cooldown:
        return whole
    return whole * (through_zero if faithful else to_zero)(total, cooldown)


def _warmed_up(curve: Schedule, warmup: float) -> Schedule:
    """A curve after a warm-up, which may also be shorter than a step."""
    if 0 < warmup < 1:
        return join_schedules([linear_schedule(0.0, curve(0), warmup), curve], [warmup])
    return with_warmup(curve, warmup) if warmup else curve


class _Asked(NamedTuple):
    """What a curve after the warm-up is made of.

    Attributes:
      fields: those of the schedule.
      run: for further lengths.
      base: the value it begins with.
      rate: what the end is a part of.
      steps: the length.
    """

    fields: Fields
    run: Run
    base: float
    rate: float
    steps: float


def _cosine(asked: _Asked) -> Schedule:
    return cosine_decay_schedule(asked.base, asked.steps)


def _polynomial(asked: _Asked) -> Schedule:
    read = asked.fields.read
    power = read("power", checks.non_negative, 1)
    end = read("end", checks.number, read("linear_end", checks.number, 0))
    return polynomial_schedule(asked.base, float(asked.rate * end), power, asked.steps)


def _rsqrt(asked: _Asked) -> Schedule:
    lengths = [
        asked.fields.read(name, checks.steps, default)
        if (steps := steps_of(asked.fields, name, asked.run)) is None
        else steps
        for name, default in (("timescale", 10_000), ("shift", 0))
    ]
    rate = inverse_sqrt_schedule(asked.base, checks.some_steps("timescale", lengths[0]))
    return shift(rate, -lengths[1]) if lengths[1] else rate


def _stair(fields: Fields, base: float) -> Schedule:
    steps, mults = (list(fields.get(name) or []) for name in ("steps", "mults"))
    if len(steps) != len(mults):
        checks.refuse("mults", mults, f"as many as `steps`, {len(steps)}")
    return join_schedules([base, *(base * mult for mult in mults)], steps)


_CURVES: dict[str, Callable[[_Asked], Schedule]] = {
    "cosine": _cosine,
    "linear": _polynomial,
    "polynomial": _polynomial,
    "rsqrt": _rsqrt,
}
