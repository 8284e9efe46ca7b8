"""Expressions: the text that a schedule prints as, read back without being run."""

import ast
import warnings

from jaxsched.control.controllers.controller import Controller
from jaxsched.control.monitors.monitor import Monitor
from jaxsched.core.checks import refuse
from jaxsched.core.schedule import Schedule
from jaxsched.inspect.marking import Misplaced, fail, marked
from jaxsched.notation.walking import value_of
from jaxsched.planning.units import Run

MAX_LENGTH = 1_000_000
"""The most characters of a text."""


def parse(text: str, *, run: Run | None = None) -> Schedule | Monitor | Controller:
    """The schedule, monitor or controller that an expression writes: the inverse of `repr`.

        parse(repr(schedule)) == schedule

    An expression is a call of a public name of jaxsched, with arguments by position or by name:
    numbers, strings, True, False, None, lists, dicts from steps to numbers, and expressions.
    Schedules and numbers may be joined by + - * / and put in parentheses. It is written as in
    Python, but Python does not run it, so the text may come from anywhere.

    Args:
      text: the expression, of at most a million characters. Where a number of steps stands, it may
        say "10%", "5 epochs", "2e9 tokens" or "300 examples", in quotes.
      run: the run that these are lengths of.

    Raises:
      ValueError: for anything else, and for arguments that a schedule refuses; it shows the place.
      TypeError: for what is not a string.

    Example:
      >>> parse("with_warmup(cosine_decay_schedule(1e-3, 10_000), 500) * 0.5")
      (with_warmup(schedule=cosine_decay_schedule(init_value=0.001, decay_steps=10000),
       warmup_steps=500) * 0.5)
      >>> from jaxsched import Run
      >>> parse("cosine_decay_schedule(1e-3, '90%')", run=Run(total_steps=2000))
      cosine_decay_schedule(init_value=0.001, decay_steps=1800)
      >>> parse("cosine_decay_schedule(1e-3, -1)")
      Traceback (most recent call last):
      ValueError: `decay_steps` must be at least 0, got -1.
          cosine_decay_schedule(1e-3, -1)
                                      ^
    """
    if not isinstance(text, str):
        refuse("text", text, "a string", TypeError)
    if len(text) > MAX_LENGTH:
        raise ValueError(f"`text` must have at most {MAX_LENGTH} characters, has {len(text)}.")
    text = text.strip()
    try:
        return _bound(_tree(text), run)
    except Misplaced as error:
        raise ValueError(marked(error, text)) from None
    except (RecursionError, MemoryError):
        raise ValueError("`text` is nested too deeply.") from None


def _tree(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            # What Python only warns of, such as an escape that is none, is a mistake as well.
            warnings.simplefilter("error")
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = max(error.offset or 1, 1) - 1
        raise Misplaced(f"{error.msg}.", error.lineno or 1, column, in_bytes=False) from None
    except ValueError:
        raise ValueError("`text` has a character that no expression may have.") from None


def _bound(node: ast.expr, run: Run | None) -> Schedule | Monitor | Controller:
    value = value_of(node, run)
    if not isinstance(value, (Schedule, Monitor, Controller)):
        fail(node, "Expected the call of a schedule, a monitor or a controller.")
    return value
