"""Solutions of the toy assignment."""

import math


# doubling is adding a number to itself
def _add(a, b):
    """a + b."""
    return a + b


def twice(x):
    """Twice the number x."""
    return _add(x, x)


def total(xs):
    """The sum of the numbers xs; 0 when there are none."""
    result = 0
    for entry in xs:
        result = _add(result, entry)
    return result


def mean(xs):
    """The mean of the numbers xs."""
    return total(xs) / len(xs)


_SMALLEST = -math.inf


def largest(xs):
    """The largest of the numbers xs."""
    best = _SMALLEST
    for candidate in xs:
        best = candidate if candidate > best else best
    return best
