"""Schedules of other libraries as schedules of this one, and back: one file a library."""
