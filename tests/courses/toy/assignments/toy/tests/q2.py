"""q2: sums."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(points=1)
def test_q2_total(total):
    """The sum of three numbers"""
    from adkit import checks

    checks.equal(checks.call(total, [1, 2, 3]), 6, what="total([1, 2, 3])")


@test_case(points=1, hidden=True)
def test_q2_total_of_nothing(total):
    """The empty sum"""
    from adkit import checks

    nothing = []
    checks.equal(checks.call(total, nothing), 0, what="the empty sum")


@test_case(points=1, hidden=True)
def test_q2_mean(mean):
    """The mean"""
    from adkit import checks

    sample = [2, 4, 9, 13]
    checks.equal(checks.call(mean, sample), 7, what="the mean")
