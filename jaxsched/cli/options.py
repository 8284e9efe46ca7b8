"""The arguments and options that commands share."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

MOST = 1_000_000
"""The most steps that are looked at: `jaxsched.tools._samples.MOST`, without waiting for JAX."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"jaxsched {version('jaxsched')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
]
Expression = Annotated[str, typer.Argument(metavar="EXPR", help="A schedule.", show_default=False)]
Expressions = Annotated[
    list[str], typer.Argument(metavar="EXPR EXPR...", help="Schedules.", show_default=False)
]
Steps = Annotated[
    int, typer.Option("--steps", min=1, max=2**31 - 1, metavar="N", help="Length of the run.")
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
