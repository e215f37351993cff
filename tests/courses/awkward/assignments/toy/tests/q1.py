"""q1: Doubling."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(points=1)
def test_q1_of_three(double):
    """twice three"""
    from adkit import checks

    checks.close(checks.call(double, 3.0), 6.0, rtol=1e-9, what="double(3)")


@test_case(points=2, hidden=True)
def test_q1_secret_title(double):
    """secret title 4711"""
    from adkit import checks

    checks.close(checks.call(double, 4711.0), 9422.0, rtol=1e-9, what="double")
