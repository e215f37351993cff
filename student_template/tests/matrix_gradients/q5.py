"""q5: The singular value decomposition, backwards."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(name="Step 1: only s_bar is not zero (m > n)", points=0.25)
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


@test_case(name="Step 2: only U_bar is not zero (m = n)", points=0.5)
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


@test_case(name="Step 3: only Vt_bar is not zero (m = n)", points=0.5)
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


@test_case(name="Step 4: only U_bar is not zero (m > n), and step 2's part of W_bar is zero", points=0.5)
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


@test_case(name="Step 5: only Vt_bar is not zero (m < n), and step 3's part of W_bar is zero", points=0.5)
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


@test_case(name="Step 6: all three cotangents at once (m > n)", points=0.25)
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
