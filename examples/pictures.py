"""How the examples write their pictures."""

import argparse
import os
from pathlib import Path

from matplotlib.figure import Figure


def save(figure: Figure, output: Path, dpi: int = 150) -> None:
    """Writes the picture whole or not at all."""
    partial = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        figure.savefig(partial, format="png", dpi=dpi)
        os.replace(partial, output)
    finally:
        partial.unlink(missing_ok=True)


def check_place(parser: argparse.ArgumentParser, output: Path) -> None:
    """Ends the program with one line if no picture can be written there."""
    folder = output.parent
    if output.is_dir():
        parser.error(f"argument --output: '{output}' is a folder")
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        parser.error(f"argument --output: '{folder}' is not a folder that can be written to")
