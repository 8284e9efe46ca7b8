"""What jaxsched costs, beside Optax, PyTorch and Keras: `make bench`."""
