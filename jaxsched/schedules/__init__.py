"""The formulas, and schedules of schedules."""

from jaxsched.schedules.compose import clip as clip
from jaxsched.schedules.compose import maximum as maximum
from jaxsched.schedules.compose import minimum as minimum
from jaxsched.schedules.compose import repeat as repeat
from jaxsched.schedules.compose import shift as shift
from jaxsched.schedules.compose import stretch as stretch
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
from jaxsched.schedules.mirror import mirror as mirror
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
from jaxsched.schedules.product import cumulative_product_schedule as cumulative_product_schedule
from jaxsched.schedules.ramps import warmup_stable_decay_schedule as warmup_stable_decay_schedule
from jaxsched.schedules.ramps import with_cooldown as with_cooldown
from jaxsched.schedules.ramps import with_warmup as with_warmup
from jaxsched.schedules.reflect import reflect as reflect
from jaxsched.schedules.saturating import exponential_warmup_schedule as exponential_warmup_schedule
from jaxsched.schedules.select import select as select
from jaxsched.schedules.shaped import k_decay_schedule as k_decay_schedule
from jaxsched.schedules.shaped import rex_schedule as rex_schedule
from jaxsched.schedules.shaped import tanh_schedule as tanh_schedule
from jaxsched.schedules.table import table_schedule as table_schedule
from jaxsched.schedules.untuned import radam_warmup_schedule as radam_warmup_schedule
from jaxsched.schedules.untuned import untuned_warmup_schedule as untuned_warmup_schedule
from jaxsched.schedules.warmup import warmup_constant_schedule as warmup_constant_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule as warmup_cosine_decay_schedule
from jaxsched.schedules.warmup import (
    warmup_exponential_decay_schedule as warmup_exponential_decay_schedule,
)
