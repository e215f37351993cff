"""What the hidden cases of `dual_numbers` share."""

from typing import Any

from adkit import checks
from numpy.random import Generator

from reference import dual_numbers as reference


def compare(function: Any, name: str, random: Generator) -> None:
    """Fails unless `function` agrees with the reference's function `name` on random dual numbers."""
    for _ in range(3):
        a, b = random.uniform(0.5, 2.0, (2, 2)).tolist()
        answer = checks.call(function, a, b, returns=2)
        checks.close(answer, getattr(reference, name)(a, b), rtol=1e-12, what=name)
