"""Random inputs of hidden cases: different in every course, the same for a whole run of the grader."""

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np

DEFAULT_SEED = "autodiff-course"
"""What is used when AUTOGRADER_SEED is not set: results repeat, but anyone can compute the inputs."""


_in_use: str | None = None  # of the whole process: a kernel may run each cell in a context of its own


def seed() -> str:
    """The course's secret: the one in use, else the environment variable AUTOGRADER_SEED."""
    return _in_use or os.environ.get("AUTOGRADER_SEED") or DEFAULT_SEED


@contextmanager
def using(secret: str | None) -> Generator[None, None, None]:
    """Puts a course's secret in use; None leaves the one in force."""
    global _in_use
    if secret is None:
        yield
        return
    before, _in_use = _in_use, secret
    try:
        yield
    finally:
        _in_use = before


def rng(*key: str | int) -> np.random.Generator:
    """A random generator for one use: the same for the same seed and key, independent for different keys.

    key: words and numbers that name the use, e.g. rng("matrix_gradients", "q1", "rectangular").
    """
    text = "\x1f".join([seed(), *(f"{type(part).__name__}:{part}" for part in key)])
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
