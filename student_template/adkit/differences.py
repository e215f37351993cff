"""Finite differences along one direction, and the picture of their error against the step size.

The derivative of f at x along v is the limit of difference quotients. In floating point there is no limit to take:
a large step leaves the truncation error (h for the one-sided, h^2 for the central difference), a small one divides
the rounding of f by h. `error_plot` shows both in one log-log picture.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from adkit.drawing.error_plot import error_plot

__all__ = ["central_difference", "error_plot", "forward_difference"]


def forward_difference(f: Callable[[Any], Any], x: Any, v: Any, h: float) -> float:
    """(f(x + h v) - f(x)) / h for a scalar f; x and v are arrays of the same shape, or numbers."""
    x, v = np.asarray(x, dtype=np.float64), np.asarray(v, dtype=np.float64)
    return (float(f(x + h * v)) - float(f(x))) / h


def central_difference(f: Callable[[Any], Any], x: Any, v: Any, h: float) -> float:
    """(f(x + h v) - f(x - h v)) / (2 h) for a scalar f; x and v are arrays of the same shape, or numbers."""
    x, v = np.asarray(x, dtype=np.float64), np.asarray(v, dtype=np.float64)
    return (float(f(x + h * v)) - float(f(x - h * v))) / (2 * h)
