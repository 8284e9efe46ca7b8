"""What a schedule does in a run: drawn, in words, and checked for mistakes."""

from jaxsched.inspect import notebooks as _notebooks  # noqa: F401
from jaxsched.inspect.checks.check import check as check
from jaxsched.inspect.describe import describe as describe
from jaxsched.inspect.plot import plot as plot
from jaxsched.inspect.plot_bounds import plot_bounds as plot_bounds
from jaxsched.inspect.plot_loss_law import plot_loss_law as plot_loss_law
