"""q2: Negation."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(points=1)
def test_q2_plain_assert(negate):
    from adkit import checks

    assert checks.call(negate, 1.0) == -1.0


@test_case(points=1.5, hidden=True)
def test_q2_grader_bug(negate):
    """a test with a bug for odd answers"""
    from adkit import checks

    assert checks.call(negate, 4711.0) + 0 == -4711.0, "4711 is a secret"
