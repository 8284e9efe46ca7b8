"""The commands. Those that need JAX import what they do it with."""

import importlib
from typing import TYPE_CHECKING

import typer

from jaxsched.cli import names
from jaxsched.cli import options as of
from jaxsched.cli.layout import beside
from jaxsched.cli.mistakes import Plain
from jaxsched.cli.predict import predict

if TYPE_CHECKING:
    from jaxsched.cli.reading import Curve

_MOST_CURVES = 26


app = typer.Typer(
    cls=Plain,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def main(version: of.Version = False, imports: of.Imports = None) -> None:
    """See, check and compare learning-rate schedules.

    An EXPR is written as in Python: "with_warmup(cosine_decay_schedule(1e-3, 9000), 1000)". It is
    read, not run. One that begins with a minus sign needs parentheses around it.
    """
    for module in imports or []:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise typer.BadParameter(f"{module}: {error}", param_hint="--import") from None


@app.command("list")
def list_names(name: of.Name = None) -> None:
    """List what an EXPR may name.

    That is the schedules, monitors and controllers of jaxsched.
    """
    if name is not None:
        entry = names.find(name)
        typer.echo(f"{entry.call}\n\n{entry.documentation}")
        return
    known = names.entries()
    width = max(map(len, known))
    for kind in ("schedule", "monitor", "controller"):
        typer.echo(f"{kind}s")
        for one, entry in known.items():
            if entry.kind == kind:
                typer.echo(beside(f"  {one:{width}}  ", entry.documentation.splitlines()[0]))


@app.command()
def show(
    expr: of.Expression,
    steps: of.Steps,
    run: of.Run = "",
    log: of.Log = False,
    png: of.Png = None,
    csv: of.Csv = False,
    json: of.Json = False,
    points: of.Points = of.MOST,
) -> None:
    """Draw a schedule, and say what it does.

    Or print its rates.
    """
    if (png is not None) + csv + json > 1:
        raise typer.BadParameter("Only one of --png, --csv and --json can be given.")
    from jaxsched.cli import drawing, views, writing
    from jaxsched.inspect.describe import describe

    curve = _read(expr, steps, run)
    if csv or json:
        _note_if_sampled(steps, points)
        taken = views.taken(curve, steps, points)
        typer.echo(writing.as_csv(taken) if csv else writing.as_json(curve.text, taken))
        return
    if png:
        views.picture({curve.text: curve}, steps, png, log=log)
    else:
        typer.echo(drawing.draw({"A": views.taken(curve, steps)}, log=log))
    typer.echo(describe(curve.schedule, steps))


@app.command()
def check(
    expr: of.Expression,
    steps: of.Steps,
    run: of.Run = "",
    steps_per_epoch: of.StepsPerEpoch = None,
    accumulation_steps: of.AccumulationSteps = None,
) -> None:
    """Say what looks wrong with a schedule.

    If anything does, the exit code is 1.
    """
    from jaxsched.inspect.checks.check import check

    curve = _read(expr, steps, run)
    _note_if_sampled(steps)
    findings = check(
        curve.schedule,
        steps,
        steps_per_epoch=steps_per_epoch,
        accumulation_steps=accumulation_steps,
    )
    for step, message in findings:
        typer.echo(beside(f"step {step}: ", message))
    if findings:
        raise typer.Exit(1)
    typer.echo("Nothing looks wrong.")


@app.command()
def compare(
    expressions: of.Expressions,
    steps: of.Steps,
    run: of.Run = "",
    log: of.Log = False,
    png: of.Png = None,
) -> None:
    """Draw schedules, and say where they differ.

    The area is the sum of the rates at all steps.
    """
    if not 2 <= len(expressions) <= _MOST_CURVES:
        raise typer.BadParameter(f"Expected 2 to {_MOST_CURVES} schedules, got {len(expressions)}.")
    from jaxsched.cli import drawing, views

    curves = {
        chr(ord("A") + place): _read(expr, steps, run) for place, expr in enumerate(expressions)
    }
    _note_if_sampled(steps)
    taken = {letter: views.taken(curve, steps) for letter, curve in curves.items()}
    texts = {letter: f"{letter}: {curve.text}" for letter, curve in curves.items()}
    if png:
        views.picture(
            {texts[letter]: curve for letter, curve in curves.items()}, steps, png, log=log
        )
    else:
        typer.echo(drawing.draw(taken, log=log))
    typer.echo("\n".join([*texts.values(), "", views.comparison(taken, steps)]))


@app.command()
def table(expr: of.Expression, steps: of.Steps, run: of.Run = "", every: of.Every = None) -> None:
    """Print the rates where something changes.

    Or those at every so many steps.
    """
    from jaxsched.cli import views

    curve = _read(expr, steps, run)
    if every:
        typer.echo(views.by_step(curve, steps, every))
    else:
        _note_if_sampled(steps)
        typer.echo(views.by_phase(curve, steps))


app.command()(predict)


def _read(text: str, steps: int, run: str) -> "Curve":
    """The curve of an expression, after a note on what it does not show, if anything."""
    from jaxsched.cli.reading import read, run_of

    curve = read(text, run_of(run, steps))
    if curve.remark:
        typer.echo(f"Note: {curve.remark}", err=True)
    return curve


def _note_if_sampled(steps: int, most: int = of.MOST) -> None:
    if steps > most:
        typer.echo(f"Note: {most} of the {steps} steps are looked at.", err=True)
