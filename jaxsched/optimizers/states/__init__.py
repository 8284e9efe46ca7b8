"""Optimizer states: reading rates from them, and carrying them over to other rules."""
