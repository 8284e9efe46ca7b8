"""Schedulers of timm."""
