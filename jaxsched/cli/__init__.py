"""The command `jaxsched`: see, check and compare schedules without writing a program."""

import os
import signal
import sys


def main() -> None:
    """Runs the command with the arguments of the process.

    JAX stays on the CPU, which starts at once, unless `JAX_PLATFORMS` says otherwise.
    """
    # JAX calls Python where an interrupt would be printed and forgotten.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        from jaxsched.cli.app import app
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        print(
            "The command `jaxsched` needs Typer, which `pip install 'jaxsched[cli]'` installs.",
            file=sys.stderr,
        )
        sys.exit(2)
    app(prog_name="jaxsched")
