"""The command that predicts the loss of runs not made."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from jaxsched.cli import options as of
from jaxsched.cli.layout import columns

Logs = Annotated[
    list[Path],
    typer.Argument(
        metavar="LOG LOG...",
        help="Logs of one or two runs of one peak rate: CSV or JSON lines, with the rate.",
        show_default=False,
    ),
]
Schedules = Annotated[
    list[str],
    typer.Option("--schedule", metavar="EXPR", help="What to predict; may be given again."),
]
Step = Annotated[str, typer.Option("--step", metavar="NAME", help="Column of updates done.")]
Loss = Annotated[str, typer.Option("--loss", metavar="NAME", help="Column of the loss.")]
Rate = Annotated[str, typer.Option("--rate", metavar="NAME", help="Column of the rate.")]
Law = Annotated[
    str | None,
    typer.Option("--law", metavar="NAME", help="annealing or multi_power; else a mean of both."),
]


def predict(
    logs: Logs,
    schedules: Schedules,
    steps: of.Steps,
    run: of.Run = "",
    step: Step = "step",
    loss: Loss = "loss",
    rate: Rate = "lr",
    law: Law = None,
) -> None:
    """Predict the loss at the end of runs not made.

    A law is fitted to the logs. The spread says how far its formulas are apart. Rates between the
    steps of a log are on the line between those there.
    """
    from jaxsched.cli.reading import read, run_of
    from jaxsched.planning.laws.fit import fit_loss_law
    from jaxsched.planning.rates import rates_of

    curves = [_curve(log, step, loss, rate) for log in logs]
    read_ones = [read(text, run_of(run, steps)) for text in schedules]
    fitted = fit_loss_law(curves, cast(Any, law))
    peak = max(rates.max() for rates, _, _ in curves)
    rows = []
    for one in read_ones:
        if one.remark:
            typer.echo(f"Note: {one.remark}", err=True)
        rates = rates_of(one.schedule, steps)
        if not peak / 1.01 <= rates.max() <= peak * 1.01:
            typer.echo(
                f"Note: the peak of {one.text} is {rates.max():.4g}, that of the logs {peak:.4g}:"
                " no law transfers to other peaks.",
                err=True,
            )
        rows.append((float(fitted(rates, steps)), float(fitted.spread(rates, steps)), one.text))
    cells = [(f"{loss:.4f}", f"{spread:.4f}", text) for loss, spread, text in sorted(rows)]
    typer.echo(columns([("loss", "spread", "schedule"), *cells]))


def _curve(log: Path, step: str, loss: str, rate: str) -> tuple[Any, Any, Any]:
    import numpy as np

    from jaxsched.planning.laws.reading import read_losses

    seen = read_losses(log, step=step, loss=loss, rate=rate)
    if seen.rates is None:
        raise ValueError(f"{log} must have the rate, `{rate}`, in each row with a loss.")
    # The rate of the update after which the loss was seen.
    return np.interp(np.arange(1, seen.steps[-1] + 1), seen.steps, seen.rates), *seen[:2]
