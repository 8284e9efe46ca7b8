"""Schedulers of other libraries as schedules with the same rates, and back."""

from jaxsched.interop.big_vision.importer import from_big_vision as from_big_vision
from jaxsched.interop.fvcore import from_fvcore as from_fvcore
from jaxsched.interop.ignite.importer import from_ignite as from_ignite
from jaxsched.interop.keras.importer import from_keras as from_keras
from jaxsched.interop.keras.importer import to_keras as to_keras
from jaxsched.interop.levanter.exporter import to_levanter as to_levanter
from jaxsched.interop.levanter.importer import from_levanter as from_levanter
from jaxsched.interop.maxtext.batches import maxtext_batches as maxtext_batches
from jaxsched.interop.maxtext.importer import from_maxtext as from_maxtext
from jaxsched.interop.megatron.exporter import to_megatron_batches as to_megatron_batches
from jaxsched.interop.megatron.importer import from_megatron as from_megatron
from jaxsched.interop.megatron.importer import megatron_batches as megatron_batches
from jaxsched.interop.megatron.importer import megatron_weight_decay as megatron_weight_decay
from jaxsched.interop.mmengine.importer import from_mmengine as from_mmengine
from jaxsched.interop.paddle.importer import from_paddle as from_paddle
from jaxsched.interop.scenic import from_scenic as from_scenic
from jaxsched.interop.t5x import from_t5x as from_t5x
from jaxsched.interop.timm.importer import from_timm as from_timm
from jaxsched.interop.torch.importer import from_torch as from_torch
from jaxsched.interop.torch.importer import to_torch as to_torch
from jaxsched.interop.torch.plateau import state_from_torch as state_from_torch
from jaxsched.interop.transformers.importer import from_transformers as from_transformers
from jaxsched.interop.warmup import from_warmup as from_warmup
