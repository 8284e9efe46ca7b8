"""How often a controller acts at most."""

from typing import Any

_UNLIMITED = 2**31 - 1


def limit(events: Any) -> Any:
    """As a number: None is more often than steps can be counted."""
    return _UNLIMITED if events is None else events
