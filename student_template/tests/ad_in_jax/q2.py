"""q2: The cheaper mode."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(name="The Jacobian of A x + b is A: shape (m, n)", points=0.5)
def test_q2_jacobian_of_an_affine_map(jacobian):
    """The Jacobian of A x + b is A: shape (m, n)"""
    import numpy as np
    from adkit import checks, functions

    f = functions.Affine(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([1.0, -1.0]))
    J = checks.call(jacobian, f, np.array([0.5, -1.0, 2.0]), autodiff=True)
    checks.close(J, f.A, rtol=1e-10, what="the Jacobian")


@test_case(name="One result: the Jacobian has one row", points=0.5)
def test_q2_jacobian_of_one_result(jacobian):
    """One result: the Jacobian has one row"""
    import numpy as np
    from adkit import checks, functions

    f = functions.TanhMap(np.array([[1.0, -2.0]]), np.array([0.5]), np.array([[3.0]]))
    J = checks.call(jacobian, f, np.array([2.0, 1.0]), autodiff=True)
    checks.close(J, np.array([[3.0, -6.0]]) / np.cosh(0.5) ** 2, rtol=1e-10, what="the Jacobian")


@test_case(name="Work: 40 inputs and 2 results, at most twice the multiplications of the cheaper mode", points=1)
def test_q2_few_results(jacobian):
    """Work: 40 inputs and 2 results, at most twice the multiplications of the cheaper mode"""
    import numpy as np
    from adkit import checks, functions
    from adkit.checks import transformations

    n, k, m = 40, 20, 2
    random = np.random.default_rng(41)
    f = functions.TanhMap(random.standard_normal((k, n)) / n, np.zeros(k), random.standard_normal((m, k)))
    J = transformations.by_the_cheaper_mode(jacobian, f, np.zeros(n))
    checks.close(J, f.B @ f.A, rtol=1e-10, what="the Jacobian")
