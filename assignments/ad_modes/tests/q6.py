"""q6: Two gradients in closed form."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q6"
points = None


@test_case(points=0.75)
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


@test_case(points=0.5)
def test_q6_gradient_has_the_shape_of_x(trace_inverse_gradient):
    """A (1,2), B (2,1), X (2,2): f is a bilinear form, and its gradient is (2,2)"""
    import numpy as np
    from adkit import checks

    A, B = np.array([[1.0, 2.0]]), np.array([[3.0], [5.0]])
    X = np.array([[2.0, 0.0], [0.0, 4.0]])
    expected = [[-0.75, -0.625], [-0.75, -0.625]]
    checks.close(checks.call(trace_inverse_gradient, A, B, X), expected, rtol=1e-12, what="the gradient")


@test_case(points=0.75)
def test_q6_hessian_at_3_4(cubic_norm_hessian):
    """The Hessian at (3, 4), where the norm is 5"""
    import numpy as np
    from adkit import checks

    hessian = checks.call(cubic_norm_hessian, np.array([3.0, 4.0]))
    checks.close(hessian, [[6.8, 2.4], [2.4, 8.2]], rtol=1e-12, what="the Hessian")


@test_case(points=0.5)
def test_q6_hessian_at_zero(cubic_norm_hessian):
    """The Hessian at 0 is 0, not NaN"""
    import numpy as np
    from adkit import checks

    checks.close(checks.call(cubic_norm_hessian, np.zeros(3)), np.zeros((3, 3)), rtol=0.0, what="the Hessian")


@test_case(points=1.25, hidden=True)
def test_q6_gradient_for_random_matrices(trace_inverse_gradient):
    """Random A, B and non-symmetric X of condition at most 5"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q6", "gradient")
    for n in (3, 5):
        ad_modes.compare_trace_gradients(trace_inverse_gradient, random, n, n)


@test_case(points=0.5, hidden=True)
def test_q6_gradient_for_rectangular_matrices(trace_inverse_gradient):
    """A (m,n) and B (n,m) with m < n, m > n, m = 1 and n = 1"""
    # beside test_q6_gradient_for_random_matrices: the formula right for square matrices is most of the points, and a
    # solution that mixes up m and n, as no fault in two solves does, loses these only
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q6", "rectangular")
    for m, n in ((2, 4), (5, 3), (1, 3), (3, 1)):
        ad_modes.compare_trace_gradients(trace_inverse_gradient, random, m, n)


@test_case(points=1, hidden=True)
def test_q6_hessian_at_random_points(cubic_norm_hessian):
    """The Hessian at random points of several dimensions, one with an entry that is 0"""
    from adkit import checks

    from reference.ad_modes import cubic_norm_hessian as reference
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q6", "hessian")
    for n in (2, 5, 7, 4):
        x = random.normal(size=n)
        if n == 4:
            x[1] = 0.0
        checks.close(checks.call(cubic_norm_hessian, x), reference(x), rtol=1e-12, what="the Hessian")


@test_case(points=0.5, hidden=True)
def test_q6_hessian_of_small_and_large_vectors(cubic_norm_hessian):
    """The Hessian grows in proportion to x: from 1e-20 to 1e6"""
    from adkit import checks

    from reference.ad_modes import cubic_norm_hessian as reference
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q6", "scale")
    for scale, size in ((1e-9, "small"), (1e-14, "small"), (1e-20, "small"), (1e6, "large")):
        x = scale * random.normal(size=4)
        hessian = checks.call(cubic_norm_hessian, x)
        checks.close(hessian, reference(x), rtol=1e-12, what=f"the Hessian at a very {size} x")


@test_case(points=0.25, hidden=True)
def test_q6_hessian_in_one_dimension(cubic_norm_hessian):
    """x (1,), negative and zero: the Hessian is (1,1)"""
    import numpy as np
    from adkit import checks

    from reference.inputs.seeds import rng

    x = -rng("ad_modes", "q6", "one").uniform(0.5, 2.0, size=1)
    checks.close(checks.call(cubic_norm_hessian, x), [[-2.0 * x[0]]], rtol=1e-12, what="the Hessian")
    checks.close(checks.call(cubic_norm_hessian, np.zeros(1)), [[0.0]], rtol=0.0, what="the Hessian at 0")
