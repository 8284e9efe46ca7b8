"""The face to Optax: transformations that apply a rate, and what their states say."""

from jaxsched.optimizers.by_path import ScaleByPathState as ScaleByPathState
from jaxsched.optimizers.by_path import scale_by_path as scale_by_path
from jaxsched.optimizers.layerwise import layerwise_decay as layerwise_decay
from jaxsched.optimizers.momentum import ScaleByNesterovState as ScaleByNesterovState
from jaxsched.optimizers.momentum import scale_by_nesterov as scale_by_nesterov
from jaxsched.optimizers.momentum import scale_by_restarted_nesterov as scale_by_restarted_nesterov
from jaxsched.optimizers.plateau import reduce_on_plateau as reduce_on_plateau
from jaxsched.optimizers.plateau_state import ReduceLROnPlateauState as ReduceLROnPlateauState
from jaxsched.optimizers.reset import ResetOnState as ResetOnState
from jaxsched.optimizers.reset import reset_on as reset_on
from jaxsched.optimizers.scale import scale_by_learning_rate as scale_by_learning_rate
from jaxsched.optimizers.scale import scale_by_schedule as scale_by_schedule
from jaxsched.optimizers.skip import SkipOnState as SkipOnState
from jaxsched.optimizers.skip import skip_on as skip_on
from jaxsched.optimizers.states.carrying_over import carry_over as carry_over
from jaxsched.optimizers.states.reading import learning_rate as learning_rate
from jaxsched.optimizers.states.reading import learning_rates as learning_rates
from jaxsched.optimizers.states.records import log_values as log_values
from jaxsched.optimizers.states.records import record as record
from jaxsched.optimizers.stop import StopOnState as StopOnState
from jaxsched.optimizers.stop import should_stop as should_stop
from jaxsched.optimizers.stop import stop_on as stop_on
from jaxsched.optimizers.tokens import ScaleByTokensState as ScaleByTokensState
