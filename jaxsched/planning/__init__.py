"""Lengths of a run in steps, schedules judged before they are run, and runs that go on."""

from jaxsched.planning.batches import batch_plan as batch_plan
from jaxsched.planning.bounds import BestPeak as BestPeak
from jaxsched.planning.bounds import BoundTable as BoundTable
from jaxsched.planning.bounds import best_peak as best_peak
from jaxsched.planning.bounds import compare_bounds as compare_bounds
from jaxsched.planning.bounds import last_iterate_bound as last_iterate_bound
from jaxsched.planning.branch import branch as branch
from jaxsched.planning.extend import extend as extend
from jaxsched.planning.laws.fit import fit_loss_law as fit_loss_law
from jaxsched.planning.laws.law import LossLaw as LossLaw
from jaxsched.planning.laws.law import rank as rank
from jaxsched.planning.laws.reading import read_losses as read_losses
from jaxsched.planning.refine import refine as refine
from jaxsched.planning.units import Run as Run
