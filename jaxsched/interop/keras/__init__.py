"""Schedules and callbacks of Keras, and back."""
