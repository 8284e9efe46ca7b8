"""The environment in which both compilers run on a machine that has neither device."""

import os

os.environ["JAX_PLATFORMS"] = "cpu"
# libtpu asks the host what it is part of, unless it is told.
os.environ["TPU_SKIP_MDS_QUERY"] = "1"
os.environ["TPU_WORKER_HOSTNAMES"] = "localhost"
os.environ["TPU_ACCELERATOR_TYPE"] = "v5litepod-4"
# Choosing among kernels by trying them needs a GPU.
os.environ["XLA_FLAGS"] = "--xla_gpu_autotune_level=0"
