"""q4: Where to put the checkpoints."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(name="A strictly increasing subset of 1..n, for n = 1, 10, 16", points=0.5)
def test_q4_valid(choose_checkpoints):
    """A strictly increasing subset of 1..n, for n = 1, 10, 16"""
    from adkit import checks
    from adkit.checks import schedules

    # The largest first, here and below: for small n different mistakes choose the same, and could not be told apart.
    for n in (16, 10, 1):
        schedules.subset(n, checks.call(choose_checkpoints, n))


@test_case(name="With these checkpoints the peak is at most 2*ceil(sqrt(n)), for n = 16, 30, 100", points=1)
def test_q4_peak(choose_checkpoints):
    """With these checkpoints the peak is at most 2*ceil(sqrt(n)), for n = 16, 30, 100"""
    from math import isqrt

    from adkit import checks
    from adkit.checks import schedules

    for n in (100, 30, 16):
        answer = checks.call(choose_checkpoints, n)
        peak = schedules.peak_with(n, schedules.subset(n, answer))
        bound = 2 * (isqrt(n - 1) + 1)
        schedules.at_most(peak, bound, what="the peak memory", case=f"n = {n}", answer=answer)
