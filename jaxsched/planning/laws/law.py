"""A law of the loss: what it predicts, and schedules in its order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.sampled import double
from jaxsched.core.traced import any_traced
from jaxsched.planning.laws import forms
from jaxsched.planning.rates import Rates, rates_of, whole_steps


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["numbers", "memories", "weights"],
    meta_fields=["names"],
)
@dataclass(frozen=True)
class LossLaw:
    """A formula of the loss after a run of any schedule, or the mean of several: a pytree.

        loss = L0 + A S1^-alpha - drop         S1 = sum of the rates
        drop = C S2                            'annealing'
        drop = B sum_k (r[k - 1] - r[k]) (1 - (1 + C r[k]^-gamma S[k])^-beta)    'multi_power'
        drop = B sum_k (r[k - 1] - r[k]) log(1 + C r[k]^-gamma S[k])             'log_power'

    S2 is the sum over all updates of m[i] = memory m[i - 1] + r[i - 1] - r[i], and S[k] the sum
    of the rates from step k on. 'log_power' is the limit of 'multi_power' as beta goes to 0 and
    B beta stays. Of rates that are known it is computed in float64, under `jit`, `grad` or `vmap`
    with what the program has. Annealing is linear in the number of steps; the changes of a
    rate are taken in at most 1,000 groups by the other two, exact ones for the latest.

    Attributes:
      names: the formulas: 'annealing', 'multi_power' or 'log_power'; static.
      numbers: for each formula a dict of its numbers by the names above.
      memories: for each formula the memory; None where it has none.
      weights: for each formula its part in the mean.
    """

    names: tuple[str, ...]
    numbers: tuple[dict[str, Any], ...]
    memories: tuple[Any, ...] = (None,)
    weights: tuple[Any, ...] = (1.0,)

    def __call__(self, schedule: Rates, steps: int) -> Any:
        """The loss after so many updates."""
        return self.curve(schedule, [steps])[0]

    def curve(self, schedule: Rates, counts: Sequence[int] | np.ndarray) -> Any:
        """The losses of one run after each of some numbers of updates, which are at least 1."""
        members = self.members(schedule, counts)
        total = sum(self.weights)
        return sum(w * one for w, one in zip(self.weights, members, strict=True)) / total

    def spread(self, schedule: Rates, steps: int) -> Any:
        """How far the formulas are apart after so many updates: the standard deviation; 0 of one.

        They err in different ways, so this is a measure of the uncertainty of the mean.
        """
        members = [one[0] for one in self.members(schedule, [steps])]
        mean = self(schedule, steps)
        squares = sum(w * (one - mean) ** 2 for w, one in zip(self.weights, members, strict=True))
        return (squares / sum(self.weights)) ** 0.5

    def members(self, schedule: Rates, counts: Sequence[int] | np.ndarray) -> list[Any]:
        """What each formula says of the losses after some numbers of updates."""
        counts = read_counts(counts)
        rates = rates_of(schedule, int(counts.max()))
        several = zip(self.names, self.numbers, self.memories, strict=True)
        if any_traced((rates, self)):
            return [_losses(*one, jnp.asarray(rates), counts) for one in several]
        with jax.ensure_compile_time_eval(), double():
            return [np.asarray(_losses(*one, jnp.asarray(rates), counts)) for one in several]

    def shifted(self, by: Any) -> "LossLaw":
        """The same law of losses that are all higher by a number, as of another evaluation set.

        Example:
          >>> numbers = {"L0": 2.0, "A": 1.0, "alpha": 0.5, "C": 1.0}
          >>> law = LossLaw(("annealing",), (numbers,), (0.99,))
          >>> print(round(float(law(0.01, 100)), 6), round(float(law.shifted(0.25)(0.01, 100)), 6))
          3.0 3.25
        """
        numbers = tuple({**one, "L0": one["L0"] + by} for one in self.numbers)
        return LossLaw(self.names, numbers, self.memories, self.weights)


def read_counts(counts: Any) -> np.ndarray:
    """Numbers of updates, each a whole number of at least 1."""
    read = np.asarray(counts)
    if read.ndim != 1 or not read.size or read.dtype.kind not in "iu" or read.min() < 1:
        checks.refuse("steps", counts, "whole numbers of at least 1")
    return read.astype(np.int64)


def _losses(name: str, numbers: Any, memory: Any, rates: Any, counts: np.ndarray) -> Any:
    return forms.losses(name, numbers, *forms.features(name, rates, counts, memory))


def rank(law: LossLaw, schedules: Mapping[str, Rates], steps: int) -> dict[str, float]:
    """The losses that a law predicts for schedules by label, the lowest first.

    Args:
      law: what `fit_loss_law` returned.
      schedules: schedules, or arrays of rates, by label, of the peak that the law was fitted at:
        no law transfers to other peaks.
      steps: the number of updates.

    Raises:
      ValueError: for no schedules.

    Example:
      >>> from jaxsched import linear_schedule
      >>> law = LossLaw(("annealing",), ({"L0": 2.0, "A": 1.0, "alpha": 0.5, "C": 1.0},), (0.99,))
      >>> schedules = {"constant": 0.01, "linear": linear_schedule(0.01, 0.0, 1000)}
      >>> for label, loss in rank(law, schedules, 1000).items():
      ...     print(label, round(loss, 4))
      linear 1.547
      constant 2.3162
    """
    if not schedules:
        checks.refuse("schedules", schedules, "at least one")
    whole_steps("steps", steps)
    losses = {label: float(law(schedule, steps)) for label, schedule in schedules.items()}
    return dict(sorted(losses.items(), key=lambda item: item[1]))
