"""The rate, the weight decay and the batches of Megatron-LM, by its options."""

from fractions import Fraction
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.megatron.lengths import lengths_of
from jaxsched.interop.megatron.plan import batches_of, first_with, on_samples, sized
from jaxsched.interop.megatron.rates import ramps, root, stable
from jaxsched.interop.shared.fields import Fields, fields_of, text
from jaxsched.schedules.decay import constant_schedule

_STYLES = text("constant", "linear", "cosine", "inverse-square-root", "WSD")
_SHAPES = {
    "exponential": "exponential",
    "linear": "linear",
    "cosine": "cosine",
    "minus_sqrt": "sqrt",
}
_INCREMENTS = text("constant", "linear", "cosine")


def from_megatron(args: Any, *, faithful: bool = True) -> Schedule:
    """The rate of Megatron-LM at each update, from its options.

        rate(k) = what `OptimizerParamScheduler` sets once the samples of k updates were seen

    Each `lr_decay_style`: a straight warm-up from `lr_warmup_init` to `lr`, then `constant`;
    `linear` or `cosine`, down to `min_lr` at `lr_decay_iters`; `inverse-square-root`, `lr` times
    the root of the warm-up over the samples seen; `WSD`, which falls in the last
    `lr_wsd_decay_iters` in the shape `lr_wsd_decay_style`. Lengths are in iterations, or all in
    samples. With a `step_batch_size_schedule` the samples of an update change, and the rate with
    them. Megatron-LM is not imported. See also `megatron_weight_decay` and `megatron_batches`.

    What Megatron-LM does is reproduced where it is not what is meant; `faithful=False` gives that:

    - "inverse-square-root" falls from its curve to `min_lr` right after `lr_decay_iters`. Meant:
      it goes on.
    - A decay of WSD that is longer than what the warm-up leaves has begun before, and its begin
      is cut off. Meant: an error, which is raised.

    Updates that are skipped, as on an overflow, do not move the rate in Megatron-LM.

    Args:
      args: the parsed options, or a dict of them: `lr_decay_style` or `--lr-decay-style`. What
        is missing has Megatron-LM's default. Read are those named here, `train_iters`,
        `lr_warmup_iters`, `lr_warmup_fraction`, `_samples` for all `_iters`, `seq_length`, and
        `global_batch_size`, or `micro_batch_size` and `data_parallel_size`.
      faithful: whether to do as Megatron-LM does, or as is meant.

    Raises:
      TypeError: for what has no fields.
      ValueError: for a missing option, an unknown style, iterations beside samples, or the
        configuration of another trainer.

    Example:
      >>> rate = from_megatron({
      ...     "lr": 1.0,
      ...     "min_lr": 0.25,
      ...     "lr_decay_style": "cosine",
      ...     "train_iters": 10,
      ...     "lr_warmup_iters": 2,
      ...     "global_batch_size": 64,
      ... })
      >>> print(*(f"{rate(count):.3f}" for count in (0, 1, 2, 6, 10, 11)))
      0.000 0.500 1.000 0.625 0.250 0.250

    Reference:
      `OptimizerParamScheduler` of Megatron-LM.
    """
    fields = fields_of(args, "from_megatron")
    lengths, batches = lengths_of(fields), batches_of(fields)
    peak = float(fields.read("lr", checks.positive))
    end = float(fields.read("min_lr", checks.non_negative, 0.0))
    init = float(fields.read("lr_warmup_init", checks.number, 0.0))
    checks.in_order("min_lr", end, "lr", peak)
    checks.in_order("lr_warmup_init", init, "lr", peak)
    style = fields.read("lr_decay_style", _STYLES, "linear")
    values = init, peak, end
    if style == "inverse-square-root":
        return root(values, lengths, batches, faithful)
    if style == "WSD":
        return stable(values, lengths, batches, _shape(fields), faithful)
    if style == "constant":
        return on_samples(ramps((init, peak, peak), lengths.warmup, lengths.warmup, 1), batches)
    rest = lengths.decay - lengths.warmup
    return on_samples(ramps(values, lengths.warmup, lengths.warmup, rest, style), batches)


def megatron_weight_decay(args: Any) -> Schedule:
    """The weight decay of Megatron-LM at each update, from its options.

    From `start_weight_decay` to `end_weight_decay` over the whole training, `linear` or in half a
    cosine, by `weight_decay_incr_style`; or the constant `weight_decay`.

    Args:
      args: as for `from_megatron`.

    Raises:
      ValueError: as there; also for a weight decay that is to fall, which Megatron-LM refuses.

    Example:
      >>> decay = megatron_weight_decay({
      ...     "start_weight_decay": 0.0,
      ...     "end_weight_decay": 0.5,
      ...     "weight_decay_incr_style": "linear",
      ...     "train_samples": 1000,
      ...     "global_batch_size": 10,
      ... })
      >>> print(decay(0), decay(50), decay(100))
      0.0 0.25 0.5
    """
    fields = fields_of(args, "from_megatron")
    style = fields.read("weight_decay_incr_style", _INCREMENTS, "constant")
    if style == "constant":
        constant = fields.read("weight_decay", checks.non_negative, 0.01)
        return constant_schedule(fields.read("end_weight_decay", checks.non_negative, constant))
    start = float(fields.read("start_weight_decay", checks.non_negative))
    end = float(fields.read("end_weight_decay", checks.non_negative))
    checks.in_order("start_weight_decay", start, "end_weight_decay", end)
    training = lengths_of(fields).training
    curve = ramps((start, start, end), Fraction(0), Fraction(0), training, style)
    return on_samples(curve, batches_of(fields))


def megatron_batches(args: Any) -> tuple[tuple[int, int], ...]:
    """The sizes of Megatron-LM's batches, from its options, as pairs of updates and samples.

    By `step_batch_size_schedule`, whose thresholds are in tokens if there is a `seq_length`, up to
    the last update; else all of one size.

    Args:
      args: as for `from_megatron`.

    Raises:
      ValueError: as there; also for a `rampup_batch_size`, which Megatron-LM no longer reads.

    Example:
      >>> megatron_batches({"step_batch_size_schedule": "0:8 100:16", "train_samples": 1000})
      ((13, 8), (56, 16))
    """
    fields = fields_of(args, "from_megatron")
    if fields.get("rampup_batch_size") is not None:
        raise ValueError(
            "`rampup_batch_size` is no longer read by Megatron-LM:"
            " write it as a `step_batch_size_schedule`."
        )
    batches = batches_of(fields)
    if fields.get("train_iters"):
        return sized(batches, int(fields.get("train_iters")))
    samples = lengths_of(fields).training
    if len(batches) == 1:
        # What does not fill a batch is left out.
        return sized(batches, int(samples // batches[0].size))
    return sized(batches, first_with(batches, samples))


def _shape(fields: Fields) -> str:
    return _SHAPES[fields.read("lr_wsd_decay_style", text(*_SHAPES), "exponential")]
