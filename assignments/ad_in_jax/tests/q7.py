"""q7: Sparse Jacobians."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q7"
points = None


@test_case(points=0.5)
def test_q7_a_small_pattern(sparse_jacobian):
    """The Jacobian of a function of four numbers with two results"""
    import numpy as np
    from adkit import checks, functions

    f = functions.SparseMap(np.array([2.0, -1.0, 3.0]), (0, 0, 1), (0, 1, 3), 2)
    pattern = np.array([[True, True, False, False], [False, False, False, True]])
    J = checks.call(sparse_jacobian, f, np.zeros(4), pattern, autodiff=True)
    checks.close(J, [[2.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 3.0]], rtol=1e-10, what="the Jacobian")


@test_case(points=0.5)
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


@test_case(points=1)
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


@test_case(points=0.75, hidden=True)
def test_q7_random_patterns(sparse_jacobian):
    """The Jacobian for random patterns, more rows than columns and the other way round"""
    from adkit import checks

    from reference.inputs.ad_in_jax import sparse, sparse_map_jacobian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q7", "random")
    for m, n in ((4, 6), (6, 4)):
        pattern = random.random((m, n)) < 0.35
        f, x = sparse(random, pattern), random.standard_normal(n)
        J = checks.call(sparse_jacobian, f, x, pattern, autodiff=True)
        checks.close(J, sparse_map_jacobian(f, x), rtol=1e-10, what="the Jacobian")


@test_case(points=0.5, hidden=True)
def test_q7_full_and_empty(sparse_jacobian):
    """Patterns that are full, that have an empty row and column, and that are empty"""
    import numpy as np
    from adkit import checks

    from reference.inputs.ad_in_jax import sparse, sparse_map_jacobian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q7", "full and empty")
    full, holes = np.ones((4, 4), bool), random.random((4, 4)) < 0.7
    holes[int(random.integers(4))] = False
    holes[:, int(random.integers(4))] = False
    for pattern in (full, holes, np.zeros((4, 4), bool)):
        f, x = sparse(random, pattern), random.standard_normal(4)
        J = checks.call(sparse_jacobian, f, x, pattern, autodiff=True)
        checks.close(J, sparse_map_jacobian(f, x), rtol=1e-10, what="the Jacobian")


@test_case(points=0.75, hidden=True)
def test_q7_few_vectors_for_a_ring(sparse_jacobian):
    """Work: as few vectors for random coefficients"""
    import jax
    import numpy as np
    from adkit import checks, functions
    from adkit.checks import transformations

    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q7", "ring")
    n = 30
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    f, x = functions.Stencil(random.uniform(0.5, 1.5, 3)), random.standard_normal(n)
    J = transformations.pushes_few_vectors(sparse_jacobian, f, x, (apart <= 1) | (apart == n - 1), 3)
    checks.close(J, jax.jacfwd(f)(x), rtol=1e-10, what="the Jacobian")


@test_case(points=1, hidden=True)
def test_q7_few_vectors_for_a_band(sparse_jacobian):
    """Work: few vectors for blocks, for bands, more rows than columns and the other way round, and for a diagonal"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import sparse, sparse_map_jacobian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q7", "band")
    rows, columns = np.indices((16, 15))
    band = (rows == columns) | (rows == columns + 1)  # two entries in each column, and two in a row
    blocks = np.kron(np.eye(4, dtype=bool), np.ones((4, 4), bool))
    for pattern, colours in ((band, 2), (band.T, 2), (blocks, 4), (np.eye(16, dtype=bool), 1)):
        f, x = sparse(random, pattern), random.standard_normal(pattern.shape[1])
        J = transformations.pushes_few_vectors(sparse_jacobian, f, x, pattern, colours)
        checks.close(J, sparse_map_jacobian(f, x), rtol=1e-10, what="the Jacobian")
