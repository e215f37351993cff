"""q5: The singular value decomposition, backwards."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(points=0.25)
def test_q5_cotangent_of_the_singular_values(svd_vjp):
    """Step 1: only s_bar is not zero (m > n)"""
    import numpy as np
    from adkit import checks

    U = np.array([[2.0, -1.0], [2.0, 2.0], [-1.0, 2.0]]) / 3
    s = np.array([3.0, 1.0])
    Vt = np.array([[0.6, 0.8], [0.8, -0.6]])
    W_bar = checks.call(svd_vjp, U, s, Vt, np.zeros((3, 2)), np.array([2.0, -1.0]), np.zeros((2, 2)))
    expected = np.array([[16.0, 13.0], [4.0, 22.0], [-14.0, -2.0]]) / 15
    checks.close(W_bar, expected, rtol=1e-9, what="W_bar")


@test_case(points=0.5)
def test_q5_cotangent_of_the_left_factor(svd_vjp):
    """Step 2: only U_bar is not zero (m = n)"""
    import numpy as np
    from adkit import checks

    U = np.array([[0.8, -0.6], [0.6, 0.8]])
    s = np.array([3.0, 1.0])
    Vt = np.array([[0.6, 0.8], [0.8, -0.6]])
    U_bar = np.array([[1.0, 2.0], [-1.0, 0.5]])
    W_bar = checks.call(svd_vjp, U, s, Vt, U_bar, np.zeros(2), np.zeros((2, 2)))
    expected = [[0.1815, 0.792], [-0.792, -0.6435]]
    checks.close(W_bar, expected, rtol=1e-9, what="W_bar")


@test_case(points=0.5)
def test_q5_cotangent_of_the_right_factor(svd_vjp):
    """Step 3: only Vt_bar is not zero (m = n)"""
    import numpy as np
    from adkit import checks

    U = np.array([[0.8, -0.6], [0.6, 0.8]])
    s = np.array([3.0, 1.0])
    Vt = np.array([[0.6, 0.8], [0.8, -0.6]])
    Vt_bar = np.array([[0.5, -1.0], [2.0, 1.0]])
    W_bar = checks.call(svd_vjp, U, s, Vt, np.zeros((2, 2)), np.zeros(2), Vt_bar)
    expected = [[-0.195, 0.24], [-0.24, 0.055]]
    checks.close(W_bar, expected, rtol=1e-9, what="W_bar")


@test_case(points=0.5)
def test_q5_left_factor_outside_its_column_space(svd_vjp):
    """Step 4: only U_bar is not zero (m > n), and step 2's part of W_bar is zero"""
    import numpy as np
    from adkit import checks

    U = np.array([[2.0, -1.0], [2.0, 2.0], [-1.0, 2.0]]) / 3
    s = np.array([3.0, 1.0])
    Vt = np.array([[0.6, 0.8], [0.8, -0.6]])
    U_bar = np.array([[2.0, 1.0], [1.0, 1.0], [3.0, -2.0]])
    W_bar = checks.call(svd_vjp, U, s, Vt, U_bar, np.zeros(2), np.zeros((2, 2)))
    expected = np.array([[-2.0, 14.0], [1.0, -7.0], [-2.0, 14.0]]) / 15
    checks.close(W_bar, expected, rtol=1e-9, what="W_bar")


@test_case(points=0.5)
def test_q5_right_factor_outside_its_row_space(svd_vjp):
    """Step 5: only Vt_bar is not zero (m < n), and step 3's part of W_bar is zero"""
    import numpy as np
    from adkit import checks

    U = np.array([[0.8, -0.6], [0.6, 0.8]])
    s = np.array([3.0, 1.0])
    Vt = np.array([[2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]]) / 3
    Vt_bar = np.array([[-2.0, 3.0, -1.0], [3.0, 0.0, 0.0]])
    W_bar = checks.call(svd_vjp, U, s, Vt, np.zeros((2, 2)), np.zeros(2), Vt_bar)
    expected = np.array([[-4.0, 2.0, -4.0], [2.0, -1.0, 2.0]]) / 3
    checks.close(W_bar, expected, rtol=1e-9, what="W_bar")


@test_case(points=0.25)
def test_q5_all_three_cotangents(svd_vjp):
    """Step 6: all three cotangents at once (m > n)"""
    import numpy as np
    from adkit import checks

    U = np.array([[2.0, -1.0], [2.0, 2.0], [-1.0, 2.0]]) / 3
    s = np.array([3.0, 1.0])
    Vt = np.array([[0.6, 0.8], [0.8, -0.6]])
    U_bar = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0]])
    Vt_bar = np.array([[0.5, -1.0], [2.0, 1.0]])
    W_bar = checks.call(svd_vjp, U, s, Vt, U_bar, np.array([2.0, -1.0]), Vt_bar)
    expected = [
        [2.7277777777778, 0.2111111111111],
        [-1.2555555555556, 1.8444444444444],
        [0.7444444444444, -1.7388888888889],
    ]
    checks.close(W_bar, expected, rtol=1e-9, what="W_bar")


@test_case(points=0.75, hidden=True)
def test_q5_left_factor_of_tall_matrices(svd_vjp):
    """Only U_bar, for m > n: U moves out of its column space"""
    import numpy as np

    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q5", "tall")
    U, s, Vt = matrix_gradients.factors(random, 4, 3)
    matrix_gradients.compare_svd(svd_vjp, U, s, Vt, random.standard_normal((4, 3)), np.zeros(3), np.zeros((3, 3)))


@test_case(points=0.75, hidden=True)
def test_q5_right_factor_of_wide_matrices(svd_vjp):
    """Only Vt_bar, for m < n: V moves out of its column space"""
    import numpy as np

    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q5", "wide")
    U, s, Vt = matrix_gradients.factors(random, 3, 4)
    matrix_gradients.compare_svd(svd_vjp, U, s, Vt, np.zeros((3, 3)), np.zeros(3), random.standard_normal((3, 4)))


@test_case(points=0.75, hidden=True)
def test_q5_everything_of_wide_matrices(svd_vjp):
    """All three cotangents, for m < n"""
    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q5", "everything")
    U, s, Vt = matrix_gradients.factors(random, 3, 4)
    cotangents = (random.standard_normal(factor.shape) for factor in (U, s, Vt))
    matrix_gradients.compare_svd(svd_vjp, U, s, Vt, *cotangents)


@test_case(points=0.5, hidden=True)
def test_q5_square_matrices(svd_vjp):
    """Only Vt_bar, and then all three cotangents, for m = n"""
    import numpy as np

    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q5", "square")
    U, s, Vt = matrix_gradients.factors(random, 3, 3)
    Vt_bar = random.standard_normal((3, 3))
    for U_bar, s_bar in (
        (np.zeros((3, 3)), np.zeros(3)),
        (random.standard_normal((3, 3)), random.standard_normal(3)),
    ):
        matrix_gradients.compare_svd(svd_vjp, U, s, Vt, U_bar, s_bar, Vt_bar)


@test_case(points=0.5, hidden=True)
def test_q5_tiny_and_huge(svd_vjp):
    """Tiny and huge singular values, and two that are close: nothing may be added to a denominator"""
    import numpy as np

    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q5", "scales")
    U, s, Vt = matrix_gradients.factors(random, 4, 3)
    U_bar, Vt_bar = random.standard_normal(U.shape), random.standard_normal(Vt.shape)
    for scale in (1e12, 1e-12):  # in this order: at 1e-12 the projector's part hides how the others are wrong
        matrix_gradients.compare_svd(svd_vjp, U, scale * s, Vt, U_bar, np.zeros(3), Vt_bar, rtol=1e-9)
    # A difference of squares, each right to eps, is right to 1e-16 / 2e-5 = 1e-11; an F of 0 or a damped one is not.
    s[1] = s[0] * (1 - 1e-5)
    matrix_gradients.compare_svd(svd_vjp, U, s, Vt, U_bar, np.zeros(3), Vt_bar, rtol=1e-9)


@test_case(points=0.25, hidden=True)
def test_q5_a_single_row_or_column(svd_vjp):
    """A matrix of one row, and of one column: one singular value, and no pair of them"""
    import numpy as np

    from reference.inputs import matrix_gradients
    from reference.inputs.matrix_gradients import orthogonal
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q5", "row")
    one, s, v = np.array([[-1.0]]), np.array([1.4]), orthogonal(random, 4, 1)
    for U, Vt in ((one, v.T), (v, one)):
        cotangents = (random.standard_normal(factor.shape) for factor in (U, s, Vt))
        matrix_gradients.compare_svd(svd_vjp, U, s, Vt, *cotangents)
