"""Laws fitted to the losses of runs."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.sampled import double
from jaxsched.planning.laws import forms
from jaxsched.planning.laws.law import LossLaw, read_counts
from jaxsched.planning.laws.least_squares import least_squares
from jaxsched.planning.rates import Rates, in_range, rates_of

Curve = tuple[Rates, Any, Any]
"""A schedule, the numbers of updates at which losses were seen, and these losses."""

MEMORIES = (0.999, 0.9995)
"""The memories of the annealing laws: it hears a change of the rate for a thousand steps or two."""

_MOST_POINTS = 250
_FEWEST_POINTS = 10
_WIDTH = 0.01
_HOLD = 0.01


class _Seen(NamedTuple):
    """What was seen of one run."""

    rates: np.ndarray
    counts: np.ndarray
    losses: np.ndarray


def fit_loss_law(
    curves: Sequence[Curve],
    law: Literal["annealing", "multi_power"] | None = None,
    *,
    skip: int | None = None,
) -> LossLaw:
    """The law that fits the losses of one or two runs, to predict those of other schedules.

    Least squares in the logarithm of the loss, with far points weighed down (Huber), and each
    run counted alike. All runs must have one peak: no law transfers to another. One of a constant
    rate and a shorter one that decays tell the most.

    Args:
      curves: for each run the schedule, or an array of its rates; the numbers of updates after
        which losses were seen; and the losses, all above 0.
      law: 'annealing' or 'multi_power'. None is the mean of one of these, half of it, and two of
        those with different memories: they err in opposite ways, and `LossLaw.spread` says by
        how much they differ.
      skip: losses after fewer updates are left out, those of the warm-up at least. None is a
        twentieth of the longest run: no law holds at the beginning.

    Raises:
      TypeError: for what is no sequence of such triples.
      ValueError: for fewer than 10 losses after the beginning, losses that are not above 0 or not
        finite, steps that are not whole numbers of at least 1, rates that are negative, or peaks
        that differ.

    Example:
      >>> import numpy as np
      >>> from jaxsched import linear_schedule
      >>> numbers = {"L0": 2.0, "A": 1.0, "alpha": 0.5, "C": 0.05}
      >>> true = LossLaw(("annealing",), (numbers,), (0.999,))
      >>> steps = np.arange(100, 4001, 100)
      >>> runs = [(rate, steps, true.curve(rate, steps)) for rate in (
      ...     0.01, linear_schedule(0.01, 0.001, 4000))]
      >>> law = fit_loss_law(runs, "annealing")
      >>> untried = linear_schedule(0.01, 0.0, 8000)
      >>> print(abs(law(untried, 8000) - true(untried, 8000)) < 1e-4)
      True

    Reference:
      Tissue, Wang and Wang, Scaling Law with Learning Rate Annealing, 2024; Luo, Wen, Hu, Sun,
      Liu, Sun, Lyu and Chen, A Multi-Power Law for Loss Curve Prediction Across Learning Rate
      Schedules, 2025.
    """
    seen = _after_the_beginning(_read(curves), skip)
    with jax.ensure_compile_time_eval(), double():
        if law == "annealing":
            fitted = [_annealing(seen, memory) for memory in MEMORIES]
            return min(fitted, key=lambda one: one[1])[0]
        if law == "multi_power":
            return _multi_power(seen)
        if law is not None:
            checks.refuse("law", law, "'annealing', 'multi_power' or None")
        members = [_multi_power(seen), *(_annealing(seen, memory)[0] for memory in MEMORIES)]
    return LossLaw(
        tuple(one.names[0] for one in members),
        tuple(one.numbers[0] for one in members),
        tuple(one.memories[0] for one in members),
        (0.5, 0.25, 0.25),
    )


def _read(curves: Any) -> list[_Seen]:
    """Runs with their rates as far as losses were seen."""
    if not isinstance(curves, Sequence) or not curves or isinstance(curves[0], str):
        checks.refuse("curves", curves, "a list of (schedule, steps, losses)", TypeError)
    runs = []
    for place, curve in enumerate(curves):
        if not isinstance(curve, (list, tuple)) or len(curve) != 3:
            checks.refuse(f"curves[{place}]", curve, "(schedule, steps, losses)", TypeError)
        schedule, counts, losses = curve
        counts, losses = read_counts(counts), np.asarray(losses, np.float64)
        if losses.shape != counts.shape:
            raise ValueError(
                f"`curves[{place}]` must have one loss for each of its steps, got {losses.size}"
                f" for {counts.size}."
            )
        in_range(f"curves[{place}]", losses, 0, open_end=True)
        rates = rates_of(schedule, int(counts.max()))
        runs.append(_Seen(np.asarray(rates, np.float64), counts, losses))
    peaks = [run.rates.max() for run in runs]
    if not min(peaks) > 0 or max(peaks) > 1.01 * min(peaks):
        raise ValueError(
            "`curves` must be of runs with one peak rate above 0, got peaks of"
            f" {', '.join(f'{peak:g}' for peak in peaks)}: no law transfers to other peaks."
        )
    return runs


def _after_the_beginning(runs: list[_Seen], skip: int | None) -> list[_Seen]:
    """What was seen after the warm-up and after `skip` updates, at most 250 losses a run."""
    longest = max(int(run.counts.max()) for run in runs)
    begin: int = longest // 20 if skip is None else checks.non_negative("skip", skip)
    kept = []
    for rates, counts, losses in runs:
        later = np.flatnonzero(counts > max(begin, int(rates.argmax())))
        few = later[:: -(-later.size // _MOST_POINTS) or 1]
        kept.append(_Seen(rates, counts[few], losses[few]))
    if (number := sum(run.counts.size for run in kept)) < _FEWEST_POINTS:
        raise ValueError(
            f"`curves` must have at least {_FEWEST_POINTS} losses after step {begin}, where"
            f" the beginning ends, got {number}."
        )
    return kept


def _annealing(runs: list[_Seen], memory: float) -> tuple[LossLaw, float]:
    known = {"C": 0.1 / max(run.rates.max() for run in runs) / 1000}
    numbers, cost = _fitted("annealing", runs, [known], {}, memory)
    return LossLaw(("annealing",), (numbers,), (memory,)), cost


# What the fits of Luo et al. to models of 25M, 100M and 400M agree on within a tenth.
_PUBLISHED = {"C": 2.07, "beta": 0.59, "gamma": 0.64}


def _multi_power(runs: list[_Seen]) -> LossLaw:
    """Two runs say little of three of the numbers: these stay near what longer studies found."""
    peak = max(run.rates.max() for run in runs)
    starts = [
        {**_PUBLISHED, "B": 0.3 / peak},
        {"C": 0.1, "beta": 0.5, "gamma": 1.0, "B": 0.3 / peak},
    ]
    numbers, _ = _fitted("multi_power", runs, starts, _PUBLISHED, None)
    return LossLaw(("multi_power",), (numbers,))


def _fitted(
    form: str,
    runs: list[_Seen],
    starts: list[dict[str, float]],
    expected: dict[str, float],
    memory: float | None,
) -> tuple[dict[str, float], float]:
    """The numbers of one formula, from the best of some starts."""
    names = forms.NUMBERS[form]
    heard = [_features(form, run, memory) for run in runs]
    observed = [jnp.log(run.losses) for run in runs]
    most = max(map(len, observed))

    def residuals(point: jax.Array) -> jax.Array:
        numbers = dict(zip(names, jnp.exp(point), strict=True))
        apart = [
            # Runs count alike, however often their losses were seen.
            (jnp.log(forms.losses(form, numbers, *one)) - seen) * (most / len(seen)) ** 0.5
            for one, seen in zip(heard, observed, strict=True)
        ]
        held = [_HOLD * jnp.log(numbers[name] / value) for name, value in expected.items()]
        return jnp.concatenate([*apart, jnp.array(held)])

    least = min(run.losses.min() for run in runs)
    common = {"L0": 0.9 * least, "A": 0.2 * least, "alpha": 0.5}
    found = [
        least_squares(
            residuals, np.log([{**common, **start}[name] for name in names]), width=_WIDTH
        )
        for start in starts
    ]
    point, cost = min(found, key=lambda one: one[1])
    return dict(zip(names, np.exp(point).tolist(), strict=True)), cost


def _features(form: str, run: _Seen, memory: float | None) -> Any:
    area, heard = forms.features(form, jnp.asarray(run.rates), run.counts, memory)
    if form == "annealing":
        return area, heard
    # Groups without changes say nothing, and a constant rate has no others.
    some = np.flatnonzero(np.asarray(heard.gaps).any(0))
    return area, forms.Changes(*(one[:, some] for one in heard))
