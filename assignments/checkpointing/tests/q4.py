"""q4: Where to put the checkpoints."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(points=0.5)
def test_q4_valid(choose_checkpoints):
    """A strictly increasing subset of 1..n, for n = 1, 10, 16"""
    from adkit import checks
    from adkit.checks import schedules

    # The largest first, here and below: for small n different mistakes choose the same, and could not be told apart.
    for n in (16, 10, 1):
        schedules.subset(n, checks.call(choose_checkpoints, n))


@test_case(points=1)
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


@test_case(points=1, hidden=True)
def test_q4_valid_for_any_n(choose_checkpoints):
    """A strictly increasing subset of 1..n, for many n"""
    from adkit import checks
    from adkit.checks import schedules

    for n in range(40, 0, -1):
        schedules.subset(n, checks.call(choose_checkpoints, n, repeat=False))


@test_case(points=1.5, hidden=True)
def test_q4_peak_for_any_n(choose_checkpoints):
    """The peak is at most 2*ceil(sqrt(n)), simulated, for every n up to 120 and some up to 900"""
    from math import isqrt

    from adkit import checks
    from adkit.checks import schedules

    from reference.checkpointing import checkpointed_schedule
    from reference.inputs.seeds import rng

    some = rng("checkpointing", "q4").integers(121, 900, size=10)
    # 500 first: there no other rule (log2, the cube root, half the square root) makes a distance of ten, which has
    # a sentence of its own.
    for n in [500, 900, *(int(n) for n in some), *range(120, 0, -1)]:
        answer = checks.call(choose_checkpoints, n, repeat=False)
        chosen = schedules.subset(n, answer)
        peak = schedules.legal(n, checkpointed_schedule(n, chosen)).peak
        bound = 2 * (isqrt(n - 1) + 1)
        schedules.at_most(peak, bound, what="the peak memory", case=f"n = {n}", answer=answer)
