"""The rate of Levanter and Marin, by the configuration of an optimizer."""

from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.levanter.cycles import Cycle, cycles_of, length
from jaxsched.interop.levanter.shapes import Asked, decay_of
from jaxsched.interop.shared.fields import Fields, fields_of
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.interop.shared.reading import some_whole_steps
from jaxsched.schedules.decay import constant_schedule, linear_schedule


def from_levanter(
    config: Any, num_train_steps: int | None = None, *, faithful: bool = True
) -> Schedule:
    """The rate of Levanter and of its successor Marin at each step, from a configuration.

        rate(k) = config.lr_scheduler(num_train_steps)(k)

    Cycles of a straight warm-up to `learning_rate` (`warmup` in the first cycle, `rewarmup` from
    where the one before ended in the others), a constant, and `lr_schedule` in the last `decay` of
    the cycle, all that is left if not given; then the old `cooldown`, a line to the floor. Cycles
    are given by `cycles`, a number or a list of ends, or by `cycle_length`, one or a list. Lengths
    up to 1 are parts of a cycle, or of the run, cut to whole steps. The floor is
    `min_lr_ratio` of the rate. With D the steps of the decay, and W those of the warm-up:

    | lr_schedule | rate, t steps after its begin |
    |---|---|
    | `constant` | learning_rate |
    | `cosine` | half a cosine to the floor, `exponent` 1 |
    | `linear`, `polynomial` | to the floor, `power` 1 or 2 |
    | `inv_sqrt` | learning_rate sqrt(timescale / max(t + W, timescale)), `timescale` 10000 |
    | `inv` | the inverse of a line, to the floor |
    | `inv_sqrt_decay` | learning_rate / sqrt(1 + decay_constant t / D), `decay_constant` 28.6 |
    | `power` | a batch_size (t batch_size seq_length) ** b, `a` 4.6, `b` -0.51 |

    none of them above the rate, and but for `power` none below the floor. Levanter is not imported.

    What Levanter does is reproduced where it is not what is meant; `faithful=False` gives that:

    - A length that is the whole number 1 is all of the cycle, or of the run. Meant: one step.
    - Where `cycle_length` does not divide the run, the last cycle is longer. Meant: shorter.
    - "inv" has its second value also at its begin. Meant: it begins at the rate.

    What differs in any case: a `warmup` and a `decay` longer than their cycle are cut as in Marin,
    where Levanter's cycles overlap; "power" goes on where tokens do not fit an int32.

    Args:
      config: the configuration of the optimizer, or a dict of its fields; or of the training, with
        `optimizer` and `trainer` in it. `lr_schedule` is a name, a dict with its `type`, or
        an `LrSchedule`. `learning_rate` has to be there; others have Levanter's defaults.
      num_train_steps: the length of the run, if the configuration does not say.
      faithful: whether to do as Levanter does, or as is meant.

    Raises:
      TypeError: for what has no fields.
      ValueError: for an unknown `lr_schedule`, an impossible length, more than one of `cycles`,
        `cycle_length` and `haps`, or the configuration of another trainer.

    Example:
      >>> rate = from_levanter({"learning_rate": 1.0, "warmup": 0.2, "cycles": 2}, 20)
      >>> print(*(f"{rate(count):.2f}" for count in (0, 1, 2, 6, 9, 10, 15)))
      0.00 0.50 1.00 0.55 0.13 1.00 0.55
    """
    fields = fields_of(config, "from_levanter")
    if fields.get("optimizer") is not None:
        trainer = Fields(fields.get("trainer"), "from_levanter")
        steps = trainer.get("num_train_steps") if num_train_steps is None else num_train_steps
        return from_levanter(fields.get("optimizer"), steps, faithful=faithful)
    if num_train_steps is None:
        raise ValueError("`num_train_steps` is missing.")
    steps = some_whole_steps("num_train_steps", num_train_steps)
    rate = float(fields.read("learning_rate", checks.positive))
    end = rate * fields.read("min_lr_ratio", checks.non_negative, 0.1)
    cooldown = length("cooldown", fields.get("cooldown") or 0, steps, faithful)
    cycles = cycles_of(fields, steps - cooldown, faithful)
    parts, reached = [], 0.0
    for cycle in cycles:
        falling = _decay(fields, cycle, rate, end, faithful)
        parts += [
            Part(cycle.begin, linear_schedule(reached, rate, cycle.warmup)),
            Part(cycle.begin + cycle.warmup, constant_schedule(rate)),
            Part(cycle.decay_begin, falling),
        ]
        reached = float(falling(cycle.end - cycle.decay_begin))
    if cooldown:
        parts.append(Part(cycles[-1].end, linear_schedule(reached, end, cooldown)))
    return joined(parts)


def _decay(fields: Fields, cycle: Cycle, rate: float, end: float, faithful: bool) -> Schedule:
    steps, (make, own) = cycle.end - cycle.decay_begin, decay_of(fields)
    if steps == 0:
        return constant_schedule(rate)
    return make(Asked(rate, end, cycle.warmup, steps, own, faithful))
