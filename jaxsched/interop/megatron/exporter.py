"""A plan of batches as an option of Megatron-LM."""

from collections.abc import Sequence

from jaxsched.core import checks


def to_megatron_batches(plan: Sequence[tuple[int, int]], seq_length: int = 1) -> str:
    """A plan of batches as Megatron-LM's `--step-batch-size-schedule`.

    From which number of tokens on a batch has how many samples; `megatron_batches` reads it.

    Args:
      plan: pairs of a number of updates and of the tokens in each, as `batch_plan` makes it.
      seq_length: the tokens in a sample, which Megatron-LM is told too. 1 for a plan in samples.

    Raises:
      ValueError: for a batch that is not of whole samples, or a plan without updates.

    Example:
      >>> to_megatron_batches([(500, 64), (84, 128), (83, 256)], seq_length=32)
      '0:2 32000:4 42752:8'
      >>> from jaxsched import megatron_batches
      >>> megatron_batches({
      ...     "step_batch_size_schedule": "0:2 32000:4 42752:8",
      ...     "seq_length": 32,
      ...     "train_iters": 667,
      ... })
      ((500, 2), (84, 4), (83, 8))
    """
    checks.period("seq_length", checks.whole_number("seq_length", seq_length))
    if not plan:
        checks.refuse("plan", plan, "a plan with at least one update")
    consumed, entries = 0, []
    for steps, size in plan:
        if size % seq_length:
            checks.refuse("plan", size, f"of batches that are multiples of {seq_length}")
        entries.append(f"{consumed}:{size // seq_length}")
        consumed += steps * size
    return " ".join(entries)
