"""Schedules of Transformers."""
