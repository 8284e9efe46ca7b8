"""Public runs of a language model of 124M parameters under several schedules.

They are the files in `data/` of https://github.com/fabian-sp/lr-scheduling (MIT).
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import jaxsched


class PublicRun(NamedTuple):
    """A run: its kind and peak, the rate of each update, losses on the way, the final one."""

    kind: str
    peak: float
    rates: np.ndarray
    steps: np.ndarray
    losses: np.ndarray
    final: float

    @property
    def horizon(self) -> int:
        """The number of updates."""
        return len(self.rates)


def read_runs(folder: Path, peak: float) -> list[PublicRun]:
    """The runs of one peak. Some logs are cut, so rates are made from the configuration."""
    runs = [_read(path) for path in sorted(folder.glob(f"*_lr{peak:g}_*.json"))]
    if not runs:
        raise FileNotFoundError(f"{folder} has no runs of peak {peak:g}.")
    return runs


def _read(path: Path) -> PublicRun:
    log = json.loads(path.read_text())
    config, history = log["config"], log["history"]
    # A log may have been written in parts, out of order and with some rows twice.
    seen = dict(zip(history["val"]["iter"], history["val"]["val_loss"], strict=True))
    steps = np.array(sorted(step for step in seen if step))
    kind = path.name.split("_")[0] + ("-sqrt" if "_decay_sqrt_0.2" in path.name else "")
    return PublicRun(
        kind,
        config["lr"],
        _rates(kind, config),
        steps,
        np.array([seen[step] for step in steps.tolist()]),
        history["final-val"]["final_val_loss"][-1],
    )


def _rates(kind: str, config: dict[str, Any]) -> np.ndarray:
    total, warmup, peak = config["iterations"], config["warmup_steps"], config["lr"]
    cooldown = round(config.get("wsd_fract_decay", 0) * total)
    if kind.startswith("cos"):
        end = 0.1 if kind.startswith("cos-10") else 0.0
        schedule = jaxsched.cosine_decay_schedule(peak, total - warmup, end)
    elif cooldown:
        shape = "sqrt" if kind.endswith("-sqrt") else "linear"
        schedule = jaxsched.branch(peak, total - warmup - cooldown, cooldown, shape=shape)
    else:
        schedule = jaxsched.constant_schedule(peak)
    warm = jaxsched.with_warmup(schedule, warmup)
    return np.asarray(warm(np.arange(total)), float)


class Prediction(NamedTuple):
    """A law fitted on two runs: labels, horizons, predicted and seen final losses of the rest."""

    kinds: list[str]
    horizons: np.ndarray
    predicted: np.ndarray
    spreads: np.ndarray
    seen: np.ndarray

    @property
    def error(self) -> float:
        """The mean of the distances."""
        return float(np.abs(self.predicted - self.seen).mean())

    @property
    def rank(self) -> float:
        """Spearman's rank correlation."""
        return rank_correlation(self.predicted, self.seen)


def predict(runs: list[PublicRun]) -> Prediction:
    """All final losses from the constant 50k run and the cosine to 10 % of 25k steps."""
    known = [
        next(run for run in runs if run.kind.startswith(kind) and run.horizon == horizon)
        for kind, horizon in (("stable", 50000), ("cos-10", 25000))
    ]
    law = jaxsched.fit_loss_law(
        [(run.rates[: run.steps[-1]], run.steps, run.losses) for run in known]
    )
    # The final evaluation is on more text. What the law misses of these two is its offset.
    offset = np.mean([run.final - law(run.rates, run.horizon) for run in known])
    law = law.shifted(float(offset))
    others = [run for run in runs if all(run is not one for one in known)]
    return Prediction(
        [run.kind for run in others],
        np.array([run.horizon for run in others]),
        np.array([law(run.rates, run.horizon) for run in others], float),
        np.array([law.spread(run.rates, run.horizon) for run in others], float),
        np.array([run.final for run in others]),
    )


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, of numbers without ties."""
    places = [np.argsort(np.argsort(one)) for one in (first, second)]
    return float(np.corrcoef(places[0], places[1])[0, 1])
