"""The public names, each from the module that defines it; `jaxsched` itself loads them."""

from importlib.metadata import version as _version

from jaxsched.control.by_path import ScaleByPathState as ScaleByPathState
from jaxsched.control.by_path import scale_by_path as scale_by_path
from jaxsched.control.controller import Controller as Controller
from jaxsched.control.controller import controller as controller
from jaxsched.control.controllers import advance_on as advance_on
from jaxsched.control.controllers import raise_and_lower_on as raise_and_lower_on
from jaxsched.control.controllers import reduce_on as reduce_on
from jaxsched.control.controllers import restart_on as restart_on
from jaxsched.control.controllers import scale_on as scale_on
from jaxsched.control.greedy import follow as follow
from jaxsched.control.greedy import greedy as greedy
from jaxsched.control.inbox import observe as observe
from jaxsched.control.layerwise import layerwise_decay as layerwise_decay
from jaxsched.control.momentum import ScaleByNesterovState as ScaleByNesterovState
from jaxsched.control.momentum import scale_by_nesterov as scale_by_nesterov
from jaxsched.control.momentum import scale_by_restarted_nesterov as scale_by_restarted_nesterov
from jaxsched.control.monitor import Monitor as Monitor
from jaxsched.control.monitor import monitor as monitor
from jaxsched.control.monitors.best import improving as improving
from jaxsched.control.monitors.best import plateau as plateau
from jaxsched.control.monitors.best import worsening as worsening
from jaxsched.control.monitors.events import all_of as all_of
from jaxsched.control.monitors.events import any_of as any_of
from jaxsched.control.monitors.events import every as every
from jaxsched.control.monitors.events import ignore_nonfinite as ignore_nonfinite
from jaxsched.control.monitors.events import nonfinite as nonfinite
from jaxsched.control.monitors.events import threshold as threshold
from jaxsched.control.monitors.windows import slope_test as slope_test
from jaxsched.control.monitors.windows import slow_progress as slow_progress
from jaxsched.control.monitors.windows import spike as spike
from jaxsched.control.plateau import ReduceLROnPlateauState as ReduceLROnPlateauState
from jaxsched.control.plateau import cooldown_on_plateau as cooldown_on_plateau
from jaxsched.control.plateau import reduce_on_plateau as reduce_on_plateau
from jaxsched.control.plateau import restart_on_plateau as restart_on_plateau
from jaxsched.control.reading import learning_rate as learning_rate
from jaxsched.control.reading import learning_rates as learning_rates
from jaxsched.control.reading import record as record
from jaxsched.control.reset import ResetOnState as ResetOnState
from jaxsched.control.reset import reset_on as reset_on
from jaxsched.control.resume import carry_over as carry_over
from jaxsched.control.state import ControllerState as ControllerState
from jaxsched.control.tokens import ScaleByTokensState as ScaleByTokensState
from jaxsched.control.transforms import scale_by_learning_rate as scale_by_learning_rate
from jaxsched.control.transforms import scale_by_schedule as scale_by_schedule
from jaxsched.core.schedule import Schedule as Schedule
from jaxsched.core.schedule import schedule as schedule
from jaxsched.interop.fvcore import from_fvcore as from_fvcore
from jaxsched.interop.ignite import from_ignite as from_ignite
from jaxsched.interop.keras import from_keras as from_keras
from jaxsched.interop.keras import to_keras as to_keras
from jaxsched.interop.mmengine import from_mmengine as from_mmengine
from jaxsched.interop.paddle import from_paddle as from_paddle
from jaxsched.interop.scenic import from_scenic as from_scenic
from jaxsched.interop.t5x import from_t5x as from_t5x
from jaxsched.interop.timm import from_timm as from_timm
from jaxsched.interop.torch import from_torch as from_torch
from jaxsched.interop.torch import to_torch as to_torch
from jaxsched.interop.transformers import from_transformers as from_transformers
from jaxsched.interop.warmup import from_warmup as from_warmup
from jaxsched.schedules.compose import clip as clip
from jaxsched.schedules.compose import maximum as maximum
from jaxsched.schedules.compose import minimum as minimum
from jaxsched.schedules.compose import repeat as repeat
from jaxsched.schedules.compose import shift as shift
from jaxsched.schedules.compose import stretch as stretch
from jaxsched.schedules.coupled import coupled as coupled
from jaxsched.schedules.coupled import mirror as mirror
from jaxsched.schedules.cycles import cosine_restarts_schedule as cosine_restarts_schedule
from jaxsched.schedules.cycles import sgdr_schedule as sgdr_schedule
from jaxsched.schedules.cyclic import cyclic_schedule as cyclic_schedule
from jaxsched.schedules.cyclic import polynomial_cycles_schedule as polynomial_cycles_schedule
from jaxsched.schedules.cyclic import rewarm as rewarm
from jaxsched.schedules.decay import constant_schedule as constant_schedule
from jaxsched.schedules.decay import cosine_decay_schedule as cosine_decay_schedule
from jaxsched.schedules.decay import exponential_decay as exponential_decay
from jaxsched.schedules.decay import linear_schedule as linear_schedule
from jaxsched.schedules.decay import polynomial_schedule as polynomial_schedule
from jaxsched.schedules.epochs import by_epoch as by_epoch
from jaxsched.schedules.inverse import inverse_sqrt_schedule as inverse_sqrt_schedule
from jaxsched.schedules.inverse import inverse_time_schedule as inverse_time_schedule
from jaxsched.schedules.inverse import power_schedule as power_schedule
from jaxsched.schedules.noise import noise_schedule as noise_schedule
from jaxsched.schedules.normalized import (
    normalized_exponential_schedule as normalized_exponential_schedule,
)
from jaxsched.schedules.onecycle import cosine_onecycle_schedule as cosine_onecycle_schedule
from jaxsched.schedules.onecycle import linear_onecycle_schedule as linear_onecycle_schedule
from jaxsched.schedules.piecewise import join_schedules as join_schedules
from jaxsched.schedules.piecewise import piecewise_constant_schedule as piecewise_constant_schedule
from jaxsched.schedules.piecewise import (
    piecewise_interpolate_schedule as piecewise_interpolate_schedule,
)
from jaxsched.schedules.product import (
    cumulative_product_schedule as cumulative_product_schedule,
)
from jaxsched.schedules.ramps import (
    warmup_stable_decay_schedule as warmup_stable_decay_schedule,
)
from jaxsched.schedules.ramps import with_cooldown as with_cooldown
from jaxsched.schedules.ramps import with_warmup as with_warmup
from jaxsched.schedules.reflect import reflect as reflect
from jaxsched.schedules.saturating import (
    exponential_warmup_schedule as exponential_warmup_schedule,
)
from jaxsched.schedules.select import select as select
from jaxsched.schedules.shaped import k_decay_schedule as k_decay_schedule
from jaxsched.schedules.shaped import rex_schedule as rex_schedule
from jaxsched.schedules.shaped import tanh_schedule as tanh_schedule
from jaxsched.schedules.table import table_schedule as table_schedule
from jaxsched.schedules.untuned import radam_warmup_schedule as radam_warmup_schedule
from jaxsched.schedules.untuned import untuned_warmup_schedule as untuned_warmup_schedule
from jaxsched.schedules.warmup import (
    warmup_constant_schedule as warmup_constant_schedule,
)
from jaxsched.schedules.warmup import (
    warmup_cosine_decay_schedule as warmup_cosine_decay_schedule,
)
from jaxsched.schedules.warmup import (
    warmup_exponential_decay_schedule as warmup_exponential_decay_schedule,
)
from jaxsched.tools.check import check as check
from jaxsched.tools.config import from_config as from_config
from jaxsched.tools.config import to_config as to_config
from jaxsched.tools.describe import describe as describe
from jaxsched.tools.parse import parse as parse
from jaxsched.tools.plot import plot as plot
from jaxsched.tools.plot_range_test import plot_range_test as plot_range_test
from jaxsched.tools.population import population as population
from jaxsched.tools.range_test import RangeTest as RangeTest
from jaxsched.tools.range_test import range_test as range_test
from jaxsched.tools.stack import stack as stack
from jaxsched.tools.suggest import SuggestedRates as SuggestedRates
from jaxsched.tools.suggest import suggest_rates as suggest_rates
from jaxsched.tools.units import Run as Run

__version__ = _version("jaxsched")
