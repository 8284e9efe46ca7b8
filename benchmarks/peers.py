"""The time of a step of PyTorch's and Keras' schedules, in a loop, as JSON.

Imports nothing of jaxsched or JAX: it runs in an environment that has these packages.
"""

import json
import os
import time
import warnings
from collections.abc import Callable, Iterator

PEAK, STEPS = 1e-3, 1_000_000
DECAY_RATE, TRANSITION = 0.9, 10_000
MILESTONES = [300_000, 600_000, 900_000]
TORCH_STEPS, KERAS_STEPS = 100_000, 2_000

Row = tuple[str, str, float]
"""A form, a scheduler with the version of its library, and the seconds a step takes."""


def seconds_a_step(step: Callable[[int], object], steps: int) -> float:
    """The mean time of the steps after a few to warm up."""
    for i in range(10):
        step(i)
    begin = time.perf_counter()
    for i in range(steps):
        step(i)
    return (time.perf_counter() - begin) / steps


def torch_rows() -> Iterator[Row]:
    """PyTorch's schedulers, stepped and read."""
    import torch
    from torch.optim import lr_scheduler

    warnings.filterwarnings("ignore", "Detected call of")
    makers = {
        "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS),
        "exponential": lambda o: lr_scheduler.ExponentialLR(o, DECAY_RATE ** (1 / TRANSITION)),
        "piecewise constant": lambda o: lr_scheduler.MultiStepLR(o, MILESTONES, 0.1),
    }
    for form, make in makers.items():
        scheduler = make(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], PEAK))

        def step(_: int, scheduler=scheduler) -> object:
            scheduler.step()
            return scheduler.get_last_lr()

        name = f"PyTorch {torch.__version__.split('+')[0]} `{type(scheduler).__name__}`"
        yield form, name, seconds_a_step(step, TORCH_STEPS)


def keras_rows() -> Iterator[Row]:
    """Keras' schedules, called with each step."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    schedules = keras.optimizers.schedules
    values = [PEAK * 0.1**i for i in range(len(MILESTONES) + 1)]
    makers = {
        "cosine": schedules.CosineDecay(PEAK, STEPS),
        "exponential": schedules.ExponentialDecay(PEAK, TRANSITION, DECAY_RATE),
        "piecewise constant": schedules.PiecewiseConstantDecay(MILESTONES, values),
    }
    for form, schedule in makers.items():
        name = f"Keras {keras.__version__} `{type(schedule).__name__}`"
        yield form, name, seconds_a_step(lambda i, rate=schedule: float(rate(i)), KERAS_STEPS)


if __name__ == "__main__":
    print(json.dumps([*torch_rows(), *keras_rows()]))
