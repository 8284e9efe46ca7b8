"""Rates for other programs."""

import json

import numpy as np

from jaxsched.inspect.samples import Samples


def as_csv(samples: Samples) -> str:
    """A line `step,rate` for each step, below a heading."""
    rates = _shortest(samples.values)
    lines = (f"{step},{rate}" for step, rate in zip(samples.steps.tolist(), rates, strict=True))
    return "\n".join(["step,rate", *lines])


def as_json(text: str, samples: Samples) -> str:
    """An object with the expression, the steps, and the rates, null where they are not finite."""
    rates = ",".join(
        rate if np.isfinite(value) else "null"
        for rate, value in zip(_shortest(samples.values), samples.values, strict=True)
    )
    steps = json.dumps(samples.steps.tolist(), separators=(",", ":"))
    return f'{{"schedule":{json.dumps(text)},"steps":{steps},"rates":[{rates}]}}'


def _shortest(values: np.ndarray) -> list[str]:
    """The fewest digits from which the values, in the precision they have, can be read back."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    exact = single if np.array_equal(single, values, equal_nan=True) else values
    return exact.astype(str).tolist()
