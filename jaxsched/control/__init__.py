"""Schedules in an optimizer: transformations, and what their state holds."""
