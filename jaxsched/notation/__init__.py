"""Schedules as text and as plain dicts, and back."""

from jaxsched.notation.config import from_config as from_config
from jaxsched.notation.config import to_config as to_config
from jaxsched.notation.parse import parse as parse
from jaxsched.notation.registering import register as register
