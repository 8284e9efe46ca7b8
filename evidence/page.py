"""The page that says what was found."""

from pathlib import Path
from string import Template

import numpy as np

import jaxsched
from evidence.public_logs import PublicRun, predict, rank_correlation, read_runs

HORIZON = 4000
PUBLIC_PEAKS = (1e-4, 5e-4, 1e-3)
NO_LOGS = "Not run here."
TEMPLATE = Path(__file__).with_name("page.md").read_text()


def write(*, squares: str, digits: str, logs: str) -> str:
    """The page with the tables of the experiments."""
    return Template(TEMPLATE).substitute(squares=squares, digits=digits, logs=logs, bounds=bounds())


def bounds() -> str:
    """The bounds of common schedules, the least first."""
    schedules = {
        "linear to 0": jaxsched.linear_schedule(1.0, 0.0, HORIZON),
        "cosine to 0": jaxsched.cosine_decay_schedule(1.0, HORIZON),
        "constant, last half linear": jaxsched.branch(1.0, HORIZON // 2, HORIZON // 2, "linear"),
        "constant, last fifth 1-sqrt": jaxsched.branch(1.0, HORIZON * 4 // 5, HORIZON // 5),
        "constant": 1.0,
    }
    best = jaxsched.compare_bounds(schedules, HORIZON)
    rows = (f"| {name} | {one.factor:.4f} | {one.bound:.5f} |" for name, one in best.items())
    return "\n".join(["| schedule | best peak | bound |", "|---|---|---|", *rows])


def logs(folder: Path) -> str:
    """What the bound and the laws say of public runs, by peak."""
    rows = [
        "| peak | runs predicted | mean error | rank correlation | of the bound, same horizon |",
        "|---|---|---|---|---|",
    ]
    for peak in PUBLIC_PEAKS:
        runs = read_runs(folder, peak)
        found = predict(runs)
        row = f"{peak:g} | {len(found.seen)} | {found.error:.4f} | {found.rank:.3f}"
        rows.append(f"| {row} | {bound_ranks(runs)} |")
    return "\n".join(rows)


def bound_ranks(runs: list[PublicRun]) -> str:
    """Rank correlations of the bound with the final loss, within each horizon."""
    ranks = []
    for horizon in sorted({run.horizon for run in runs}):
        same = [run for run in runs if run.horizon == horizon]
        least = [jaxsched.best_peak(run.rates, horizon).bound for run in same]
        rank = rank_correlation(np.array(least), np.array([run.final for run in same]))
        ranks.append(f"{rank:.2f} ({horizon // 1000}k)")
    return ", ".join(ranks)
