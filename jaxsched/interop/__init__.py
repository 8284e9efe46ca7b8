"""Schedules of other libraries as ours: one file a library, none of which is imported."""
