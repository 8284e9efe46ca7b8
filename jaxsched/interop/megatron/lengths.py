"""The lengths of a run of Megatron-LM, which counts samples."""

from fractions import Fraction
from typing import NamedTuple

from jaxsched.core import checks
from jaxsched.interop.shared.fields import Fields
from jaxsched.interop.shared.reading import some_whole_steps, whole_steps


class Lengths(NamedTuple):
    """The lengths of a run, in samples.

    Attributes:
      training: the whole.
      warmup: the warm-up of the rate.
      decay: the rate's way to its end, with the warm-up.
      annealing: the decay at the end of WSD, if it is given.
    """

    training: Fraction
    warmup: Fraction
    decay: Fraction
    annealing: Fraction | None


def lengths_of(args: Fields) -> Lengths:
    """The lengths as Megatron-LM makes them of its options."""
    unit, size = _unit(args)
    training = args.read(f"train_{unit}", some_whole_steps)
    decay = size * args.read(f"lr_decay_{unit}", some_whole_steps, training)
    share = args.read("lr_warmup_fraction", checks.fraction, None)
    warmup = size * args.read(f"lr_warmup_{unit}", whole_steps, 0)
    if share is not None:
        if warmup:
            raise ValueError(f"`lr_warmup_fraction` cannot be given with `lr_warmup_{unit}`.")
        warmup = share * decay
    if not warmup < decay:
        name = f"lr_warmup_{unit}" if share is None else "lr_warmup_fraction"
        checks.refuse(name, args.get(name), f"shorter than `lr_decay_{unit}`, which includes it")
    annealing = args.read(f"lr_wsd_decay_{unit}", whole_steps, None)
    return Lengths(
        Fraction(training * size),
        Fraction(warmup),
        Fraction(decay),
        None if annealing is None else Fraction(annealing * size),
    )


def _unit(args: Fields) -> tuple[str, int]:
    """The unit in which lengths are given, and the samples in it."""
    by_iterations, by_samples = args.get("train_iters"), args.get("train_samples")
    if by_iterations and by_samples:
        raise ValueError("`train_iters` and `train_samples` cannot both be given.")
    if not (by_iterations or by_samples):
        raise ValueError("`train_iters` or `train_samples` is missing.")
    unit, other = ("iters", "samples") if by_iterations else ("samples", "iters")
    for name in ("lr_decay", "lr_warmup", "lr_wsd_decay"):
        if args.get(f"{name}_{other}"):
            raise ValueError(
                f"`{name}_{other}` cannot be given with `train_{unit}`: write `{name}_{unit}`."
            )
    return unit, batch_size(args) if by_iterations else 1


def batch_size(args: Fields) -> int:
    """The samples in an iteration, in which lengths are counted."""
    whole = args.read("global_batch_size", some_whole_steps, None)
    return _on_all_devices(args) if whole is None else whole


def running_batch_size(args: Fields) -> int:
    """The samples in an iteration that is run."""
    whole = batch_size(args)
    if not args.read("decrease_batch_size_if_needed", checks.flag, False):
        return whole
    least = _on_all_devices(args)
    if whole < least:
        checks.refuse("global_batch_size", whole, f"at least {least}, a sample for each device")
    return whole // least * least


def _on_all_devices(args: Fields) -> int:
    parts = "micro_batch_size", "data_parallel_size"
    if len(args.any_of(parts)) < 2:
        raise ValueError(
            "`global_batch_size` is missing, or `micro_batch_size` and `data_parallel_size`."
        )
    micro, devices = (args.read(name, some_whole_steps) for name in parts)
    return micro * devices * args.read("gtp_weight_remat_size", some_whole_steps, 1)
