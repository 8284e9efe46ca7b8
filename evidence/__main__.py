"""Runs the experiments, and writes what they found as a page.

    python -m evidence [--logs FOLDER] [--output docs/evidence.md]

FOLDER has the public runs; without it their section says where they are.
"""

import argparse
from pathlib import Path

from evidence import page
from evidence.problems import softmax_digits, streaming_least_squares
from evidence.rules import run_all, table


def main() -> None:
    """Writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=Path)
    parser.add_argument("--output", type=Path, default=Path("docs/evidence.md"))
    options = parser.parse_args()
    text = page.write(
        squares=table(run_all(streaming_least_squares()), 1e-4),
        digits=table(run_all(softmax_digits()), 1e-3),
        logs=page.logs(options.logs) if options.logs else page.NO_LOGS,
    )
    options.output.write_text(text)


if __name__ == "__main__":
    main()
