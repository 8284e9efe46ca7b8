"""Schedulers of MMEngine."""
