"""fastai's `lr_find` on given losses: `python -m tests.oracles.fastai_lr_find` records it.

What it writes to `fastai_lr_find.json`, `tests/test_range_test.py` compares with, which has no
fastai.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

RULES = ("valley", "slide", "minimum", "steep")
RECORD = Path(__file__).with_suffix(".json")


def curve(seed: int, steps: int, noise: float) -> np.ndarray:
    """Losses that are flat, fall, and rise again, as those of a range test do."""
    random = np.random.default_rng(seed)
    x = np.linspace(-7, 1, steps)
    fall = 2 / (1 + np.exp(random.uniform(1, 4) * (x + random.uniform(1, 5))))
    rise = np.exp(random.uniform(3, 6) * (x - random.uniform(-2, 1)))
    losses = 0.3 + fall + rise + noise * random.normal(size=steps)
    return np.round(losses, 4).astype(np.float32)


def curves() -> dict[str, np.ndarray]:
    """Losses by what is special about them."""
    infinite, lost, walk = curve(3, 100, 0.05), curve(4, 100, 0.05), np.random.default_rng(0)
    infinite[70:], lost[60:] = np.inf, np.nan
    return {
        "almost smooth": curve(0, 100, 0.01),
        "noisy": curve(1, 100, 0.1),
        "very noisy": curve(2, 100, 1.0),
        "infinite at the end": infinite,
        "not a number at the end": lost,
        "falling": np.linspace(2, 1, 100, dtype=np.float32) ** 2,
        "rising": np.linspace(1, 2, 100, dtype=np.float32) ** 2,
        "a walk": (5 + 0.3 * walk.normal(size=100).cumsum()).round(4).astype(np.float32),
    }


def lr_find(losses: np.ndarray) -> dict[str, Any]:
    """What a live learner whose losses are these records and suggests."""
    import torch
    from fastai.callback import schedule
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import SGD

    class Replay(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, loss: torch.Tensor) -> torch.Tensor:
            return loss + 0 * self.weight

    data = torch.utils.data.TensorDataset(torch.tensor(losses), torch.zeros(len(losses)))
    loader = torch.utils.data.DataLoader(data, batch_size=1)
    with tempfile.TemporaryDirectory() as folder:
        learner = Learner(
            DataLoaders(loader, loader),
            Replay(),
            loss_func=lambda loss, _: loss.mean(),
            opt_func=SGD,
            path=folder,
        )
        rules = tuple(getattr(schedule, rule) for rule in RULES)
        with learner.no_bar():
            found = learner.lr_find(num_it=len(losses), show_plot=False, suggest_funcs=rules)
        recorder = learner.recorder
    smoothed = [float(f"{loss.item():.9g}") for loss in recorder.losses]
    return {"rates": recorder.lrs, "smoothed": smoothed, "suggested": found._asdict()}


def suggested(rule: str, rates: np.ndarray, losses: np.ndarray) -> float:
    """What one of fastai's functions says of a curve; NaN where it fails for want of points."""
    import torch
    from fastai.callback import schedule

    try:
        return getattr(schedule, rule)(torch.tensor(rates), torch.tensor(losses), len(rates))[0]
    except (IndexError, RuntimeError, ValueError):
        return float("nan")


def main() -> None:
    """Writes what the live package does."""
    import fastai

    cases = [
        {"name": name, "losses": [float(f"{loss:.9g}") for loss in losses], **lr_find(losses)}
        for name, losses in curves().items()
    ]
    lines = ",\n".join(json.dumps(case) for case in cases)
    RECORD.write_text(f'{{"version": "{fastai.__version__}", "cases": [\n{lines}\n]}}\n')
    print(f"fastai {fastai.__version__}: {len(cases)} cases")


if __name__ == "__main__":
    main()
