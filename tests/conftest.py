"""Settings every test shares: 64-bit floats on the CPU, as in the grader."""

import os

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
