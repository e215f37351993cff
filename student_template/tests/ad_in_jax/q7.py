"""q7: Sparse Jacobians."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q7"
points = None


@test_case(name="The Jacobian of a function of four numbers with two results", points=0.5)
def test_q7_a_small_pattern(sparse_jacobian):
    """The Jacobian of a function of four numbers with two results"""
    import numpy as np
    from adkit import checks, functions

    f = functions.SparseMap(np.array([2.0, -1.0, 3.0]), (0, 0, 1), (0, 1, 3), 2)
    pattern = np.array([[True, True, False, False], [False, False, False, True]])
    J = checks.call(sparse_jacobian, f, np.zeros(4), pattern, autodiff=True)
    checks.close(J, [[2.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 3.0]], rtol=1e-10, what="the Jacobian")


@test_case(name="The Jacobian of a function in which each result depends on three neighbours", points=0.5)
def test_q7_a_ring(sparse_jacobian):
    """The Jacobian of a function in which each result depends on three neighbours"""
    import numpy as np
    from adkit import checks, functions

    f, x = functions.Stencil(np.array([0.0, 2.0, 3.0])), np.arange(1.0, 7.0)
    expected = np.zeros((6, 6))
    for i in range(6):  # f_i is 2 x_i x_{i + 1} + 3 x_{i - 1}^2, and the last one is a neighbour of the first
        expected[i, i] = 2 * x[(i + 1) % 6]
        expected[i, (i + 1) % 6] = 2 * x[i]
        expected[i, i - 1] = 6 * x[i - 1]
    pattern = expected != 0
    J = checks.call(sparse_jacobian, f, x, pattern, autodiff=True)
    checks.close(J, expected, rtol=1e-10, what="the Jacobian")


@test_case(name="Work: three vectors through f are enough for 30 columns", points=1)
def test_q7_three_vectors(sparse_jacobian):
    """Work: three vectors through f are enough for 30 columns"""
    import numpy as np
    from adkit import checks, functions
    from adkit.checks import transformations

    n = 30
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    f = functions.Stencil(np.array([0.0, 0.0, 1.0]))
    x = np.arange(1.0, n + 1)
    J = transformations.pushes_few_vectors(sparse_jacobian, f, x, (apart <= 1) | (apart == n - 1), 3)
    checks.close(J, 2 * np.roll(np.diag(np.roll(x, 1)), -1, axis=1), rtol=1e-10, what="the Jacobian")
