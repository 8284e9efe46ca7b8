"""Schedulers of Ignite."""
