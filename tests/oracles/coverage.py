"""How many of a package's classes are compared with live ones: `python -m tests.oracles.coverage`.

The classes are found by looking into the package, so a new version's new class fails the run.
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Collection
from typing import Any

from tests.oracles import (
    fvcore_cases,
    ignite_cases,
    keras_cases,
    megatron_cases,
    mmengine_cases,
    paddle_cases,
    timm_cases,
    torch_cases,
    transformers_cases,
    warmup_cases,
)


def torch_classes() -> set[str]:
    """The public schedulers of `torch.optim.lr_scheduler`, and `SWALR`."""
    import torch
    from torch.optim import lr_scheduler

    public = {
        name: cls
        for name, cls in inspect.getmembers(lr_scheduler, inspect.isclass)
        if issubclass(cls, lr_scheduler.LRScheduler) and not name.startswith("_")
    }
    return (public.keys() - {"LRScheduler"}) | {torch.optim.swa_utils.SWALR.__name__}


def keras_classes() -> set[str]:
    """The schedules of `keras.optimizers.schedules`."""
    from keras.optimizers import schedules

    public = inspect.getmembers(schedules, inspect.isclass)
    return {name for name, _ in public} - {"LearningRateSchedule"}


def transformers_types() -> set[str]:
    """The values of `transformers.SchedulerType`."""
    import transformers

    return {kind.value for kind in transformers.SchedulerType}


def warmup_classes() -> set[str]:
    """The warm-ups of `pytorch_warmup`."""
    import pytorch_warmup

    public = inspect.getmembers(pytorch_warmup, inspect.isclass)
    return {name for name, _ in public} - {"BaseWarmup"}


def subclasses(module: Any, base: str, abstract: Collection[str] = ()) -> set[str]:
    """The classes of a module that derive from one of it, and can be made."""
    bases = getattr(module, base)
    return {
        name
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, bases) and name not in (base, *abstract)
    }


def timm_classes() -> set[str]:
    """The schedulers of `timm.scheduler`."""
    package = timm_cases.package()
    base = importlib.import_module("timm.scheduler.scheduler").Scheduler
    members = inspect.getmembers(package, inspect.isclass)
    return {name for name, cls in members if issubclass(cls, base)}


def mmengine_classes() -> set[str]:
    """The schedulers of `mmengine.optim.scheduler`."""
    module = importlib.import_module("mmengine.optim.scheduler")
    return subclasses(module, "_ParamScheduler")


def fvcore_classes() -> set[str]:
    """The schedulers of `fvcore.common.param_scheduler`."""
    return subclasses(importlib.import_module("fvcore.common.param_scheduler"), "ParamScheduler")


def ignite_classes() -> set[str]:
    """The schedulers of `ignite.handlers`, of the optimizer's and of the engine's parameters."""
    of_optimizers = importlib.import_module("ignite.handlers.param_scheduler")
    of_states = importlib.import_module("ignite.handlers.state_param_scheduler")
    abstract = ("ParamScheduler", "CyclicalScheduler", "StateParamScheduler")
    found = [subclasses(m, "BaseParamScheduler", abstract) for m in (of_optimizers, of_states)]
    return set.union(*found) | {of_optimizers.ParamGroupScheduler.__name__}


def paddle_classes() -> set[str]:
    """The schedulers of `paddle.optimizer.lr`."""
    return subclasses(importlib.import_module("paddle.optimizer.lr"), "LRScheduler")


def megatron_styles() -> set[str]:
    """The styles of `megatron.core.optimizer_param_scheduler`."""
    module = importlib.import_module("megatron.core.optimizer_param_scheduler")
    return megatron_cases.existing(module.OptimizerParamScheduler)


_MMENGINE = {
    kind + suffix
    for kind in (*mmengine_cases.LEAVES, "ReduceOnPlateau")
    for suffix in ("LR", "Momentum", "ParamScheduler")
}
PEERS = {
    "torch": (torch_classes, {*torch_cases.STRATEGIES, "ReduceLROnPlateau"}),
    "timm": (timm_classes, {*timm_cases.STRATEGIES, "PlateauLRScheduler"}),
    "mmengine": (mmengine_classes, _MMENGINE),
    "fvcore": (fvcore_classes, {*fvcore_cases.STRATEGIES}),
    "ignite": (ignite_classes, {*ignite_cases.STRATEGIES, "ReduceLROnPlateauScheduler"}),
    "paddle": (paddle_classes, {*paddle_cases.STRATEGIES, "ReduceOnPlateau"}),
    "keras": (keras_classes, {*keras_cases.SCHEDULES}),
    "transformers": (
        transformers_types,
        {*transformers_cases.STEPS, *transformers_cases.ON_METRICS},
    ),
    "megatron": (megatron_styles, megatron_cases.COVERED),
    "pytorch_warmup": (warmup_classes, {*warmup_cases.WARMUPS}),
}
"""For each package the classes that exist, and those with cases."""

OPTIONAL = ("paddle",)
"""Packages that have an environment of their own."""


def main(names: Collection[str] = ()) -> int:
    """Prints the counts, and says whether a class is missing."""
    missing = 0
    for name in names or PEERS:
        existing, covered = PEERS[name]
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed")
            missing += name not in OPTIONAL
            continue
        classes = existing()
        print(f"{name}: {len(classes & covered)} of {len(classes)}", *sorted(classes - covered))
        missing += len(classes - covered)
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
