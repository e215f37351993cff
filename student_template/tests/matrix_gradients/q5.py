"""q5: The singular value decomposition, backwards."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(name="Only s_bar is not zero (m > n)", points=0.75)
def test_q5_cotangent_of_the_singular_values(svd_vjp):
    """Only s_bar is not zero (m > n)"""
    import numpy as np
    from adkit import checks

    U = np.array([[2.0, -1.0], [2.0, 2.0], [-1.0, 2.0]]) / 3
    s = np.array([3.0, 1.0])
    Vt = np.array([[0.6, 0.8], [0.8, -0.6]])
    W_bar = checks.call(svd_vjp, U, s, Vt, np.zeros((3, 2)), np.array([2.0, -1.0]), np.zeros((2, 2)))
    expected = np.array([[16.0, 13.0], [4.0, 22.0], [-14.0, -2.0]]) / 15
    checks.close(W_bar, expected, rtol=1e-9, what="W_bar")


@test_case(name="Only U_bar is not zero (m = n)", points=0.75)
def test_q5_cotangent_of_the_left_factor(svd_vjp):
    """Only U_bar is not zero (m = n)"""
    import numpy as np
    from adkit import checks

    U = np.array([[0.8, -0.6], [0.6, 0.8]])
    s = np.array([3.0, 1.0])
    Vt = np.array([[0.6, 0.8], [0.8, -0.6]])
    U_bar = np.array([[1.0, 2.0], [-1.0, 0.5]])
    W_bar = checks.call(svd_vjp, U, s, Vt, U_bar, np.zeros(2), np.zeros((2, 2)))
    expected = [[0.1815, 0.792], [-0.792, -0.6435]]
    checks.close(W_bar, expected, rtol=1e-9, what="W_bar")


@test_case(name="All three cotangents at once (m > n)", points=1)
def test_q5_all_three_cotangents(svd_vjp):
    """All three cotangents at once (m > n)"""
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
