"""Schedules named in a string, such as `constant * linear_warmup`."""

from collections.abc import Collection

from jaxsched.core.checks import refuse


def names_of(factors: str, known: Collection[str]) -> list[str]:
    """The names in a string of them joined by `*`."""
    if not isinstance(factors, str):
        refuse("factors", factors, "a string of names joined by `*`", TypeError)
    names = [name.strip() for name in factors.split("*")]
    for name in names:
        if name not in known:
            refuse("factors", name, f"of {', '.join(map(repr, known))}, joined by `*`")
    return names
