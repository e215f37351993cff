"""q3: Extra."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(points=2, hidden=True)
def test_q3_extra(extra):
    """extra"""
    from adkit import checks

    checks.equal(checks.call(extra), 1, what="extra()")
