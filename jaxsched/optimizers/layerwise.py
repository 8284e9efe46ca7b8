"""Factors of a learning rate that fall from the head of a network to its input."""

from jaxsched.core import checks
from jaxsched.optimizers.matching import REST

_NUMBER = r"(\d+)"


def layerwise_decay(
    decay: float,
    num_layers: int,
    pattern: str = r"layers/(\d+)",
    embeddings: str | None = "embed",
) -> dict[str, float]:
    r"""Learning rates that fall from layer to layer towards the input, for `scale_by_path`.

        factor of layer i     = decay ** (num_layers - i),  i from 0 to num_layers - 1
        factor of embeddings  = decay ** (num_layers + 1)
        factor of all others  = 1, for the head, and a norm before it

    So the last layer has `decay`. For fine-tuning, where what is near the input is to change
    least: `scale_by_path(layerwise_decay(0.75, 12), schedule)`.

    Args:
      decay: the factor from one layer to the one before it; above 0 and at most 1.
      num_layers: the number of layers.
      pattern: a regular expression for the paths of layers, with `(\d+)` in place of their
        number, which counts from 0.
      embeddings: one for the paths of what comes before them; None if there is nothing.

    Returns:
      A dict from regular expressions to factors, to be changed like any other: the first
      one that is found in a path counts, so a new one for a part of a layer goes in front.

    Raises:
      TypeError: for an argument of the wrong type.
      ValueError: for a `decay` or a `num_layers` out of range, or a `pattern` in which `(\d+)`
        is not there once.

    Example:
      >>> import jaxsched
      >>> for rule, factor in jaxsched.layerwise_decay(0.5, 2).items():
      ...     print(rule, factor)
      layers/0*0(?!\d) 0.25
      layers/0*1(?!\d) 0.5
      embed 0.125
      .* 1.0

    Reference:
      Clark et al., ELECTRA, 2020; Bao et al., BEiT, 2022, whose exponents these are.
    """
    checks.positive("decay", checks.fraction("decay", decay))
    if not isinstance(num_layers, int) or isinstance(num_layers, bool):
        checks.refuse("num_layers", num_layers, "an integer", TypeError)
    checks.at_least_one("num_layers", num_layers)
    for name, rule in (("pattern", pattern), ("embeddings", embeddings or "")):
        if not isinstance(rule, str):
            checks.refuse(name, rule, "a regular expression, as a string", TypeError)
    if pattern.count(_NUMBER) != 1:
        checks.refuse("pattern", pattern, f"a regular expression with one {_NUMBER}")
    # Not to be found in the path of layer 10 for layer 1; numbers may be filled up with zeros.
    layers = {
        pattern.replace(_NUMBER, rf"0*{i}(?!\d)"): decay ** (num_layers - i)
        for i in range(num_layers)
    }
    before = {} if embeddings is None else {embeddings: decay ** (num_layers + 1)}
    return {**layers, **before, REST: 1.0}
