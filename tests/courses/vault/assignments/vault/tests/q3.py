"""q3: at_one."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(points=1)
def test_q3_of_a_square(at_one):
    """The square, at one"""
    import numpy as np
    from adkit import checks

    checks.close(checks.call(at_one, lambda x: (x**2).sum(), np.ones(3)), 3.0, rtol=1e-9, what="at_one(f, x)")


@test_case(points=1, hidden=True)
def test_q3_of_a_cube(at_one):
    """The cube, at two"""
    import numpy as np
    from adkit import checks

    checks.close(
        checks.call(at_one, lambda x: 271828.5 * (x**3).sum(), np.full(2, 2.0)),
        4349256.0,
        rtol=1e-9,
        what="at_one(f, x)",
    )
