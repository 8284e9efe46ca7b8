"""Exact arithmetic of steps, powers and curves."""
