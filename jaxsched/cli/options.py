"""The arguments and options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

from jaxsched import __version__

MOST = 1_000_000
"""The most steps that are looked at: `jaxsched.inspect.samples.MOST`, without waiting for JAX."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"jaxsched {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
]
Imports = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE",
        help="Run a module, which registers schedules of your own for EXPR.",
    ),
]
Expression = Annotated[str, typer.Argument(metavar="EXPR", help="A schedule.", show_default=False)]
Expressions = Annotated[
    list[str], typer.Argument(metavar="EXPR EXPR...", help="Schedules.", show_default=False)
]
Steps = Annotated[
    int, typer.Option("--steps", min=1, max=2**31 - 1, metavar="N", help="Length of the run.")
]
Run = Annotated[
    str,
    typer.Option(
        "--run",
        metavar="'NAME=X ...'",
        help="For '5 epochs', '2e9 tokens' or '300 examples' in EXPR: steps_per_epoch,"
        " tokens_per_step, batch_size. For '10%' --steps is enough.",
    ),
]
StepsPerEpoch = Annotated[
    float | None,
    typer.Option("--steps-per-epoch", metavar="M", help="Find lengths that look like epochs."),
]
AccumulationSteps = Annotated[
    int | None,
    typer.Option(
        "--accumulation-steps",
        min=1,
        metavar="K",
        help="Micro-batches in a step, to find lengths that count them.",
    ),
]
Every = Annotated[
    int | None,
    typer.Option("--every", min=1, metavar="K", help="Every K-th step, in place of the phases."),
]
Log = Annotated[bool, typer.Option("--log", help="Draw the rates on a logarithmic axis.")]
Png = Annotated[
    Path | None,
    typer.Option("--png", metavar="FILE", help="Write a picture in place of the plot."),
]
Csv = Annotated[bool, typer.Option("--csv", help="Print only step,rate lines.")]
Json = Annotated[bool, typer.Option("--json", help="Print only steps and rates, as JSON.")]
Points = Annotated[
    int,
    typer.Option(
        "--points",
        min=2,
        max=MOST,
        metavar="P",
        help="With --csv and --json: at most so many steps, at even distances.",
    ),
]
Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="Print all about this one.", show_default=False),
]
