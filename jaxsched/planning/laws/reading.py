"""Losses from the logs of runs."""

import csv
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Losses(NamedTuple):
    """What a log says of a run.

    Attributes:
      steps: the numbers of updates after which losses were seen.
      losses: the losses.
      rates: the rates there, or None where the log has none.
    """

    steps: np.ndarray
    losses: np.ndarray
    rates: np.ndarray | None


def read_losses(
    path: str | os.PathLike[str], *, step: str = "step", loss: str = "loss", rate: str = "lr"
) -> Losses:
    r"""The losses in a log: CSV with a heading, or JSON lines where its name ends in json or jsonl.

    Rows without a loss are left out, as are those of step 0 and JSON lines without a step. Of a
    step that is there twice, as after a resume, the later row counts.

    Args:
      path: the file, which is only read.
      step: the column, or key, with the number of updates done.
      loss: that with the loss.
      rate: that with the rate; it may be missing.

    Raises:
      ValueError: for a column that is not there, what is not a number, and a log without losses;
        the message names the line.

    Example:
      >>> import pathlib, tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     log = pathlib.Path(folder, "log.csv")
      ...     _ = log.write_text("step,lr,loss\n100,0.1,2.5\n200,0.1,2.25\n")
      ...     print(*(one.tolist() for one in read_losses(log)))
      [100, 200] [2.5, 2.25] [0.1, 0.1]
    """
    source = Path(path)
    with source.open(encoding="utf-8", newline="") as lines:
        by_json = source.suffix in (".json", ".jsonl")
        rows = _json_rows(lines) if by_json else _csv_rows(lines, source, (step, loss))
        found: dict[int, tuple[float, Any]] = {}
        for line, row in rows:
            if row.get(step) in (None, "") or row.get(loss) in (None, ""):
                continue
            count, seen = (_number(source, line, name, row[name]) for name in (step, loss))
            if count != int(count) or count < 0:
                raise ValueError(f"{source}, line {line}: `{step}` is no whole number: {count}.")
            found[int(count)] = seen, row.get(rate)
    found.pop(0, None)
    if not found:
        raise ValueError(f"{source} has no rows with `{step}` and `{loss}`.")
    steps = sorted(found)
    rates = [found[one][1] for one in steps]
    known = all(one not in (None, "") for one in rates)
    return Losses(
        np.array(steps),
        np.array([found[one][0] for one in steps]),
        np.array([float(one) for one in rates]) if known else None,
    )


def _csv_rows(
    lines: Iterable[str], source: Path, needed: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(lines)
    for name in needed:
        if name not in (reader.fieldnames or ()):
            columns = ", ".join(reader.fieldnames or ()) or "none"
            raise ValueError(f"{source} has no column `{name}`; its columns are: {columns}.")
    for row in reader:
        yield reader.line_num, row


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(lines, 1):
        if text.strip():
            try:
                row = json.loads(text)
            except json.JSONDecodeError as error:
                raise ValueError(f"Line {line} is no JSON: {error.msg}.") from None
            if isinstance(row, dict):
                yield line, row


def _number(source: Path, line: int, name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{source}, line {line}: `{name}` is no number: {value!r}.") from None
