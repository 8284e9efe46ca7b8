"""Markdown: tables, and figures in them."""

from collections.abc import Sequence

from benchmarks.timing import Estimate


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def interval(estimate: Estimate) -> str:
    """A median with its interval."""
    return f"{estimate.median:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
