"""Schedulers of PyTorch, and back."""
