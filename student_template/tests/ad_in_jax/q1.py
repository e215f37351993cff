"""q1: Gradients and Hessians."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(name="The gradient of tr(A X^-1 B) at one X", points=0.5)
def test_q1_gradient_of_the_trace(trace_inverse_derivatives):
    """The gradient of tr(A X^-1 B) at one X"""
    import numpy as np
    from adkit import checks

    A, B, X = np.array([[1.0, 2.0]]), np.array([[3.0], [1.0]]), np.array([[2.0, 1.0], [0.0, 1.0]])
    gradient, _ = checks.call(trace_inverse_derivatives, A, B, X, returns=2, autodiff=True)
    checks.close(gradient, [[-0.5, -0.5], [-1.5, -1.5]], rtol=1e-10, what="the gradient of f")


@test_case(name="The Hessian of tr(A X^-1 B) at the same X, entry [i, j, k, l] for X_ij and X_kl", points=0.5)
def test_q1_hessian_of_the_trace(trace_inverse_derivatives):
    """The Hessian of tr(A X^-1 B) at the same X, entry [i, j, k, l] for X_ij and X_kl"""
    import numpy as np
    from adkit import checks

    A, B, X = np.array([[1.0, 2.0]]), np.array([[3.0], [1.0]]), np.array([[2.0, 1.0], [0.0, 1.0]])
    _, hessian = checks.call(trace_inverse_derivatives, A, B, X, returns=2, autodiff=True)
    expected = [
        [[[0.5, 0.25], [0.5, -0.25]], [[0.25, 0.0], [1.25, 0.5]]],
        [[[0.5, 1.25], [-1.5, 0.75]], [[-0.25, 0.5], [0.75, 3.0]]],
    ]
    checks.close(hessian, expected, rtol=1e-10, what="the Hessian of f")


@test_case(name="Gradient and Hessian of 1/3 ||x||^3 at (3, 4)", points=0.5)
def test_q1_derivatives_of_the_cubic_norm(cubic_norm_derivatives):
    """Gradient and Hessian of 1/3 ||x||^3 at (3, 4)"""
    import numpy as np
    from adkit import checks

    answer = checks.call(cubic_norm_derivatives, np.array([3.0, 4.0]), returns=2, autodiff=True)
    checks.close(answer[0], [15.0, 20.0], rtol=1e-10, what="the gradient of g")
    checks.close(answer[1], [[6.8, 2.4], [2.4, 8.2]], rtol=1e-10, what="the Hessian of g")


@test_case(name="Gradient and Hessian of 1/3 ||x||^3 at 0 are 0", points=0.5)
def test_q1_the_cubic_norm_at_zero(cubic_norm_derivatives):
    """Gradient and Hessian of 1/3 ||x||^3 at 0 are 0"""
    import numpy as np
    from adkit import checks

    answer = checks.call(cubic_norm_derivatives, np.zeros(2), returns=2, autodiff=True)
    checks.close(answer[0], np.zeros(2), rtol=0, what="the gradient of g at 0")
    checks.close(answer[1], np.zeros((2, 2)), rtol=0, what="the Hessian of g at 0")
