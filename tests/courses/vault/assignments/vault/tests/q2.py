"""q2: energy."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(points=1)
def test_q2_of_three_springs(energy):
    """The energy of three springs"""
    import numpy as np
    from adkit import checks

    answer = checks.array(checks.call(energy, np.array([1.0, 2.0, 3.0])), shape=(), what="energy(x)")
    checks.close(answer, 7.0, rtol=1e-9, what="energy(x)")


@test_case(points=3, hidden=True)
def test_q2_without_a_matrix_product(energy):
    """The energy takes no matrix product, and is right as JAX traced it"""
    import numpy as np
    from adkit import checks

    x = np.array([[1.0, 2.0], [-3.0, 0.5]])
    measured = checks.measured(energy, x)
    checks.close(measured.outputs[0], 7.125, rtol=1e-9, what="energy(x)")
    checks.equal(measured.work.products, 0, what="the number of matrix products")
