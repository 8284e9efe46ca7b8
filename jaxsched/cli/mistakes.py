"""What becomes of mistakes."""

from typing import Any

import typer
from typer.core import TyperGroup


class Plain(TyperGroup):
    """Commands whose errors end in a message and an exit code of 2, without a stack trace."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (ImportError, OSError, ValueError) as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2) from None
