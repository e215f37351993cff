"""q1: twice."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(points=1)
def test_q1_of_three(twice):
    """Twice three"""
    from adkit import checks

    checks.equal(checks.call(twice, 3), 6, what="twice(3)")


@test_case(points=3, hidden=True)
def test_q1_of_the_canary(twice):
    """Twice the number that no submission may show"""
    # CANARY-HIDDEN-TEST-5f0c
    from adkit import checks

    checks.equal(checks.call(twice, 314159265.25), 628318530.5, what="twice(x)")
