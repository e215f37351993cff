"""q3: The nuclear norm."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(points=1)
def test_q3_a_tall_matrix(nuclear_norm_gradient):
    """A tall matrix of full rank (m > n): the gradient"""
    import numpy as np
    from adkit import checks

    W = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
    expected = np.array(
        [[0.1370039855226, 0.8704179590742], [0.1043717479051, -0.4873948534896], [0.9850565700457, -0.06941781697042]]
    )
    checks.close(checks.call(nuclear_norm_gradient, W), expected, rtol=1e-9, what="G")


@test_case(points=0.75)
def test_q3_a_wide_matrix(nuclear_norm_gradient):
    """A wide matrix of full rank (m < n): the gradient"""
    import numpy as np
    from adkit import checks

    W = np.array([[2.0, 0.0, 1.0], [1.0, -1.0, 4.0]])
    expected = np.array(
        [[0.9906673654308, 0.1329845935274, 0.02988760536939], [0.007723506448147, -0.273692693503, 0.9617861804846]]
    )
    checks.close(checks.call(nuclear_norm_gradient, W), expected, rtol=1e-9, what="G")


@test_case(points=0.75)
def test_q3_a_matrix_of_rank_one(nuclear_norm_gradient):
    """Rank one: a kink, every subgradient is right"""
    import numpy as np
    from adkit import checks
    from adkit.checks.subgradient import check_subgradient

    W = np.outer([1.0, -2.0, 2.0], [3.0, 0.0, 4.0])
    check_subgradient(checks.call(nuclear_norm_gradient, W), W)


@test_case(points=0.75)
def test_q3_repeated_singular_values(nuclear_norm_gradient):
    """Equal singular values: R is smooth there all the same"""
    import numpy as np
    from adkit import checks

    Q = np.array([[0.6, -0.8, 0.0], [0.48, 0.36, -0.8], [0.64, 0.48, 0.6]])  # orthogonal
    checks.close(checks.call(nuclear_norm_gradient, 2.5 * Q), Q, rtol=1e-9, what="G")


@test_case(points=0.5, hidden=True)
def test_q3_random_matrices(nuclear_norm_gradient):
    """Random matrices of full rank: square, tall and wide"""
    from adkit import checks

    from reference.inputs.matrix_gradients import with_singular_values
    from reference.inputs.seeds import rng
    from reference.matrix_gradients import nuclear_norm_gradient as reference

    for m, n in ((3, 3), (4, 3), (3, 4)):
        random = rng("matrix_gradients", "q3", m, n)
        W = with_singular_values(random, m, n, [3.0, 1.5, 0.7])
        # U V^T changes by |dW| / s_min: 1e-15 in W is 1e-14 in it
        checks.close(checks.call(nuclear_norm_gradient, W), reference(W), rtol=1e-10, what="G")


@test_case(points=1, hidden=True)
def test_q3_repeated_and_random(nuclear_norm_gradient):
    """Two of the singular values equal, for square, tall and wide matrices"""
    from adkit import checks

    from reference.inputs.matrix_gradients import orthogonal
    from reference.inputs.seeds import rng

    for m, n in ((3, 3), (4, 3), (3, 4)):
        random = rng("matrix_gradients", "q3", "repeated", m, n)
        U, V = orthogonal(random, m, 3), orthogonal(random, n, 3)
        W = (U * [2.0, 2.0, 0.5]) @ V.T
        checks.close(checks.call(nuclear_norm_gradient, W), U @ V.T, rtol=1e-9, what="G")


@test_case(points=0.75, hidden=True)
def test_q3_rows_and_columns(nuclear_norm_gradient):
    """A single row (1 x n) and a single column (n x 1)"""
    import numpy as np
    from adkit import checks

    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q3", "vectors")
    for shape in ((1, 4), (4, 1)):
        W = random.standard_normal(shape)
        # of a vector the nuclear norm is the Euclidean norm
        checks.close(checks.call(nuclear_norm_gradient, W), W / np.linalg.norm(W), rtol=1e-9, what="G")


@test_case(points=0.5, hidden=True)
def test_q3_a_small_singular_value(nuclear_norm_gradient):
    """Full rank with one singular value much smaller than the others, down to 4e-7 of them: it counts like them"""
    from adkit import checks

    from reference.inputs.matrix_gradients import orthogonal
    from reference.inputs.seeds import rng

    for m, n in ((3, 3), (4, 3), (3, 4)):
        random = rng("matrix_gradients", "q3", "small", m, n)
        U, V = orthogonal(random, m, 3), orthogonal(random, n, 3)
        # G changes by |dW| / s_min, 1e-12 here, and by the square of the condition number times eps, 1e-7, where it is
        # made of eigenvectors of W^T W: that will do. For the smaller one these numbers are 1e-9 and 1e-3. Without the
        # small singular value G is off by 1, which is 58 % of its size.
        for smallest, rtol in ((1e-4, 1e-6), (8e-7, 5e-2)):
            W = (U * [2.0, 0.5, smallest]) @ V.T
            checks.close(checks.call(nuclear_norm_gradient, W), U @ V.T, rtol=rtol, what="G")


@test_case(points=0.75, hidden=True)
def test_q3_rank_deficient(nuclear_norm_gradient):
    """Rank-deficient matrices, square, tall and wide: every subgradient is right"""
    from adkit import checks
    from adkit.checks.subgradient import check_subgradient

    from reference.inputs.matrix_gradients import with_singular_values
    from reference.inputs.seeds import rng

    for m, n in ((3, 3), (4, 3), (3, 4)):
        random = rng("matrix_gradients", "q3", "rank-deficient", m, n)
        W = with_singular_values(random, m, n, [2.0, 1.0])
        check_subgradient(checks.call(nuclear_norm_gradient, W), W)
        W = with_singular_values(random, m, n, [1.5])
        check_subgradient(checks.call(nuclear_norm_gradient, W), W)


@test_case(points=1, hidden=True)
def test_q3_tiny_and_huge(nuclear_norm_gradient):
    """Tiny and huge matrices: the gradient does not depend on the scale of W"""
    from adkit import checks

    from reference.inputs.matrix_gradients import with_singular_values
    from reference.inputs.seeds import rng
    from reference.matrix_gradients import nuclear_norm_gradient as reference

    for m, n in ((4, 3), (3, 4)):
        random = rng("matrix_gradients", "q3", "scales", m, n)
        W = with_singular_values(random, m, n, [3.0, 1.5, 0.7])
        expected = reference(W)
        for scale in (1e-30, 1e30):
            checks.close(checks.call(nuclear_norm_gradient, scale * W), expected, rtol=1e-9, what="G")


@test_case(points=0.25, hidden=True)
def test_q3_zero(nuclear_norm_gradient):
    """W = 0: every matrix of spectral norm at most 1 is right"""
    import numpy as np
    from adkit import checks
    from adkit.checks.subgradient import check_subgradient

    for shape in ((3, 3), (4, 3), (3, 4)):
        W = np.zeros(shape)
        check_subgradient(checks.call(nuclear_norm_gradient, W), W)
