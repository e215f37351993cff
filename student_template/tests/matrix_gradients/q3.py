"""q3: The nuclear norm."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(name="A tall matrix of full rank (m > n): the gradient", points=1)
def test_q3_a_tall_matrix(nuclear_norm_gradient):
    """A tall matrix of full rank (m > n): the gradient"""
    import numpy as np
    from adkit import checks

    W = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
    expected = np.array(
        [[0.1370039855226, 0.8704179590742], [0.1043717479051, -0.4873948534896], [0.9850565700457, -0.06941781697042]]
    )
    checks.close(checks.call(nuclear_norm_gradient, W), expected, rtol=1e-9, what="G")


@test_case(name="A wide matrix of full rank (m < n): the gradient", points=0.75)
def test_q3_a_wide_matrix(nuclear_norm_gradient):
    """A wide matrix of full rank (m < n): the gradient"""
    import numpy as np
    from adkit import checks

    W = np.array([[2.0, 0.0, 1.0], [1.0, -1.0, 4.0]])
    expected = np.array(
        [[0.9906673654308, 0.1329845935274, 0.02988760536939], [0.007723506448147, -0.273692693503, 0.9617861804846]]
    )
    checks.close(checks.call(nuclear_norm_gradient, W), expected, rtol=1e-9, what="G")


@test_case(name="Rank one: a kink, every subgradient is right", points=0.75)
def test_q3_a_matrix_of_rank_one(nuclear_norm_gradient):
    """Rank one: a kink, every subgradient is right"""
    import numpy as np
    from adkit import checks
    from adkit.checks.subgradient import check_subgradient

    W = np.outer([1.0, -2.0, 2.0], [3.0, 0.0, 4.0])
    check_subgradient(checks.call(nuclear_norm_gradient, W), W)


@test_case(name="Equal singular values: R is smooth there all the same", points=0.75)
def test_q3_repeated_singular_values(nuclear_norm_gradient):
    """Equal singular values: R is smooth there all the same"""
    import numpy as np
    from adkit import checks

    Q = np.array([[0.6, -0.8, 0.0], [0.48, 0.36, -0.8], [0.64, 0.48, 0.6]])  # orthogonal
    checks.close(checks.call(nuclear_norm_gradient, 2.5 * Q), Q, rtol=1e-9, what="G")
