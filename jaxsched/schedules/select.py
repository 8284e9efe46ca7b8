"""One of several schedules, by its place among them."""

from typing import Annotated, Any, cast

import jax

from jaxsched.core import checks
from jaxsched.core.schedule import at, schedule
from jaxsched.core.stack import Schedules, Stack


def _within(hyperparams: dict[str, Any]) -> None:
    index, number = checks.known(hyperparams["index"]), len(hyperparams["schedules"])
    if index is not None and index >= number:
        raise ValueError(f"`index` must be below {number}, the number of schedules, got {index}.")


@schedule(check=_within)
def select(
    count: jax.Array, index: Annotated[int | jax.Array, checks.whole_number], schedules: Schedules
):
    """One of several schedules, which may differ in form.

        rate = schedules[index](count)

    With a known index it is that schedule. One that is traced chooses inside of the program, so
    `vmap` over it trains under all of them at once. There is one evaluation a form, however
    many schedules have it, and those of the same form share their numbers as arrays, in float32.

    Args:
      index: the place in the list, from 0. One that is only known in a program is held within
        the list.
      schedules: schedules, numbers, or functions of the count.

    Raises:
      TypeError: for an index that is not a whole number.
      ValueError: for a known index out of range, or no schedules.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from jaxsched import cosine_decay_schedule, linear_schedule
      >>> rates = [0.5, linear_schedule(1.0, 0.0, 4), cosine_decay_schedule(1.0, 4)]
      >>> select(1, rates[:2])
      select(index=1, schedules=[0.5, linear_schedule(init_value=1.0, end_value=0.0,
      transition_steps=4)])
      >>> print(jax.vmap(lambda i: select(i, rates)(4))(jnp.arange(3)))
      [0.5 0.  0. ]
    """
    stack = cast(Stack, schedules)
    if isinstance(index, int):
        return at(stack.member(index), count)
    return stack.at(index, count)
