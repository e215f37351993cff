"""q3: the largest."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(points=0.5)
def test_q3_of_two(largest):
    """The larger of two"""
    from adkit import checks

    checks.equal(checks.call(largest, [1, 2]), 2, what="largest([1, 2])")


@test_case(points=1.5, hidden=True)
def test_q3_of_negative_numbers(largest):
    """Negative numbers"""
    from adkit import checks

    below_zero = [-5, -2, -9]
    checks.equal(checks.call(largest, below_zero), -2, what="largest")
