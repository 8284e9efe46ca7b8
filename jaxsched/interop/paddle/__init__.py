"""Schedulers of PaddlePaddle."""
