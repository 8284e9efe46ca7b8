"""The commands. Those that need JAX import what they do it with."""

import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from jaxsched.cli import names
from jaxsched.cli import options as of

if TYPE_CHECKING:
    from jaxsched.cli.reading import Curve

_MOST_CURVES = 26


class _Plain(TyperGroup):
    """Commands whose mistakes end in a line and an exit code of 2."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (ImportError, OSError, ValueError) as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=_Plain,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def main(version: of.Version = False) -> None:
    """See, check and compare learning-rate schedules.

    An EXPR is written as in Python: "with_warmup(cosine_decay_schedule(1e-3, 9000), 1000)". It is
    read, not run. One that begins with a minus sign needs parentheses around it.
    """


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
                _hanging(f"  {one:{width}}  ", entry.documentation.splitlines()[0])


@app.command()
def show(
    expr: of.Expression,
    steps: of.Steps,
    log: of.Log = False,
    png: of.Png = None,
    csv: of.Csv = False,
    json: of.Json = False,
    points: of.Points = 10**6,
) -> None:
    """Draw a schedule, and say what it does.

    Or print its rates.
    """
    if (png is not None) + csv + json > 1:
        raise typer.BadParameter("Only one of --png, --csv and --json can be given.")
    from jaxsched.cli import drawing, views, writing
    from jaxsched.tools.describe import describe

    curve = _read(expr, min(steps, points) if csv or json else steps)
    if csv or json:
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
    steps_per_epoch: of.StepsPerEpoch = None,
    accumulation_steps: of.AccumulationSteps = None,
) -> None:
    """Say what looks wrong with a schedule.

    If anything does, the exit code is 1.
    """
    from jaxsched.tools.check import check

    findings = check(
        _read(expr, steps).schedule,
        steps,
        steps_per_epoch=steps_per_epoch,
        accumulation_steps=accumulation_steps,
    )
    for step, message in findings:
        _hanging(f"step {step}: ", message)
    if findings:
        raise typer.Exit(1)
    typer.echo("Nothing looks wrong.")


@app.command()
def compare(
    expressions: of.Expressions, steps: of.Steps, log: of.Log = False, png: of.Png = None
) -> None:
    """Draw schedules, and say where they differ.

    The area is the sum of the rates at all steps.
    """
    if not 2 <= len(expressions) <= _MOST_CURVES:
        raise typer.BadParameter(f"Expected 2 to {_MOST_CURVES} schedules, got {len(expressions)}.")
    from jaxsched.cli import drawing, views

    curves = {chr(ord("A") + place): _read(expr) for place, expr in enumerate(expressions)}
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
def table(expr: of.Expression, steps: of.Steps, every: of.Every = None) -> None:
    """Print the rates where something changes.

    Or those at every so many steps.
    """
    from jaxsched.cli import views

    if every:
        typer.echo(views.by_step(_read(expr), steps, every))
    else:
        typer.echo(views.by_phase(_read(expr, steps), steps))


def _read(text: str, steps: int = 0) -> "Curve":
    """The curve of an expression, after a note on what it does not show, if anything."""
    from jaxsched.cli.reading import read
    from jaxsched.tools._samples import MOST

    curve = read(text)
    sampled = f"{MOST} of the {steps} steps are looked at." if steps > MOST else ""
    for note in filter(None, (curve.remark, sampled)):
        typer.echo(f"Note: {note}", err=True)
    return curve


def _hanging(label: str, text: str) -> None:
    """Prints a text beside its label, in lines as long as the terminal is wide."""
    width = max(shutil.get_terminal_size().columns, len(label) + 20)
    lines = textwrap.wrap(text, width - len(label), break_on_hyphens=False)
    typer.echo(label + f"\n{' ' * len(label)}".join(lines))
