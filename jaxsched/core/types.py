"""The kinds of hyperparameter. Each is a type for the reader, and a check for the maker."""

from collections.abc import Callable
from typing import Annotated

import jax
from jax.typing import ArrayLike

from jaxsched.core import checks

ScheduleFn = Callable[[ArrayLike], ArrayLike]
"""What Optax calls a schedule: a function of the step count."""

Number = Annotated[float | jax.Array, checks.number]
Positive = Annotated[float | jax.Array, checks.positive]
NonNegative = Annotated[float | jax.Array, checks.non_negative]
AtLeastOne = Annotated[float | jax.Array, checks.at_least_one]
Fraction = Annotated[float | jax.Array, checks.fraction]
BelowOne = Annotated[float | jax.Array, checks.below_one]
Steps = Annotated[float | jax.Array, checks.steps]
RampSteps = Annotated[float | jax.Array, checks.ramp_steps]
SomeSteps = Annotated[float | jax.Array, checks.some_steps]
Period = Annotated[float | jax.Array, checks.period]
SignedSteps = Annotated[float | jax.Array, checks.signed_steps]
Flag = Annotated[bool | jax.Array, checks.flag]
