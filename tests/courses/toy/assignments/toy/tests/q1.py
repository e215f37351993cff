"""q1: twice."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(points=1.5)
def test_q1_of_three(twice):
    """Twice three"""
    from adkit import checks

    # a comment that Otter would drop
    answer = checks.call(twice, 3)
    checks.equal(answer, 6, what=f"twice({3})")


@test_case(points=2.5, hidden=True)
def test_q1_of_many(twice):
    """Twice numbers of both signs"""
    from adkit import checks

    from reference.toy import twice as reference

    for number in (-17, 0, 1.25, 40_000):
        checks.equal(checks.call(twice, number), reference(number), what="twice(x)")
