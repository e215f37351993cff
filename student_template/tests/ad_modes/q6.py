"""q6: Two gradients in closed form."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q6"
points = None


@test_case(name="tr(A X^-1 B) for square A, B, X: every entry against a numerical derivative (complex step)", points=0.75)
def test_q6_gradient_agrees_with_numerical_derivatives(trace_inverse_gradient):
    """tr(A X^-1 B) for square A, B, X: every entry against a numerical derivative (complex step)"""
    import numpy as np
    from adkit import checks

    A = np.array([[1.0, -0.5, 2.0], [0.3, 1.5, -1.0], [-2.0, 0.4, 0.6]])
    B = np.array([[0.7, 1.2, -0.4], [-1.1, 0.5, 0.9], [0.2, -0.8, 1.6]])
    X = np.array([[2.0, 0.5, -0.3], [-0.6, 1.8, 0.7], [0.4, -0.9, 2.5]])
    expected = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            moved = X.astype(complex)
            moved[i, j] += 1e-30j
            expected[i, j] = np.trace(A @ np.linalg.solve(moved, B)).imag / 1e-30
    checks.close(checks.call(trace_inverse_gradient, A, B, X), expected, rtol=1e-12, what="the gradient")


@test_case(name="A (1,2), B (2,1), X (2,2): f is a bilinear form, and its gradient is (2,2)", points=0.5)
def test_q6_gradient_has_the_shape_of_x(trace_inverse_gradient):
    """A (1,2), B (2,1), X (2,2): f is a bilinear form, and its gradient is (2,2)"""
    import numpy as np
    from adkit import checks

    A, B = np.array([[1.0, 2.0]]), np.array([[3.0], [5.0]])
    X = np.array([[2.0, 0.0], [0.0, 4.0]])
    expected = [[-0.75, -0.625], [-0.75, -0.625]]
    checks.close(checks.call(trace_inverse_gradient, A, B, X), expected, rtol=1e-12, what="the gradient")


@test_case(name="The Hessian at (3, 4), where the norm is 5", points=0.75)
def test_q6_hessian_at_3_4(cubic_norm_hessian):
    """The Hessian at (3, 4), where the norm is 5"""
    import numpy as np
    from adkit import checks

    hessian = checks.call(cubic_norm_hessian, np.array([3.0, 4.0]))
    checks.close(hessian, [[6.8, 2.4], [2.4, 8.2]], rtol=1e-12, what="the Hessian")


@test_case(name="The Hessian at 0 is 0, not NaN", points=0.5)
def test_q6_hessian_at_zero(cubic_norm_hessian):
    """The Hessian at 0 is 0, not NaN"""
    import numpy as np
    from adkit import checks

    checks.close(checks.call(cubic_norm_hessian, np.zeros(3)), np.zeros((3, 3)), rtol=0.0, what="the Hessian")
