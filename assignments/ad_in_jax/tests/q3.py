"""q3: Hessian times vector."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(points=0.5)
def test_q3_one_vector(hvp):
    """The Hessian of a quadratic function times one vector"""
    import numpy as np
    from adkit import checks, functions

    f = functions.Quadratic(np.array([[2.0, 1.0, 0.0], [3.0, 1.0, 0.0], [0.0, -2.0, 4.0]]), np.ones(3))
    product = checks.call(hvp, f, np.array([1.0, 0.0, -1.0]), np.array([1.0, 2.0, 3.0]), autodiff=True)
    checks.close(product, [6.0, 1.0, 10.0], rtol=1e-10, what="the product")


@test_case(points=0.5)
def test_q3_several_vectors(hvp):
    """Several vectors at once, one in each row of v"""
    import numpy as np
    from adkit import checks, functions

    f = functions.Quadratic(np.array([[2.0, 1.0, 0.0], [3.0, 1.0, 0.0], [0.0, -2.0, 4.0]]), np.ones(3))
    product = checks.call(hvp, f, np.array([1.0, 0.0, -1.0]), np.array([[1.0, 2.0, 3.0], [0, 1, 0]]), autodiff=True)
    checks.close(product, [[6.0, 1.0, 10.0], [2.0, 1.0, -1.0]], rtol=1e-10, what="the array of products")


@test_case(points=0.5)
def test_q3_short_vectors(hvp):
    """A vector of length 1e-8, one of length 1e6, and 0"""
    import numpy as np
    from adkit import checks, functions

    f = functions.LogSumExp(np.array([[2.0], [-1.0]]), np.zeros(2), 1.0)
    for length in (1e-8, 1e6, 0.0):
        product = checks.call(hvp, f, np.zeros(1), np.array([length]), autodiff=True)
        checks.close(product, [3.25 * length], rtol=1e-10, what="the product")
    # A small curvature that changes fast beside a large gradient: of a difference of gradients, whatever its step,
    # no more than 8 digits are right. Of a derivative 11 are.
    f, x = functions.LogSumExp(np.array([[20.0], [-10.0]]), np.zeros(2), 0.0), 1 / 3
    curvature = 30.0**2 * np.exp(-30 * x) / (1 + np.exp(-30 * x)) ** 2
    for length in (1.0, 1e3):
        product = checks.call(hvp, f, np.array([x]), np.array([length]), autodiff=True)
        checks.close(product, [curvature * length], rtol=1e-10, what="the product")


@test_case(points=1)
def test_q3_makes_no_hessian(hvp):
    """Memory: no array of n x n numbers is made (n = 200)"""
    import numpy as np
    from adkit import checks, functions
    from adkit.checks import transformations

    samples, n = 24, 200
    random = np.random.default_rng(42)
    X, x, v = random.standard_normal((samples, n)), np.zeros(n), random.standard_normal(n)
    f = functions.Logistic(X, np.ones(samples), 0.1)
    product = transformations.without_a_hessian(hvp, f, x, v, few=False)
    checks.close(product, X.T @ (X @ v) / (4 * samples) + 0.1 * v, rtol=1e-10, what="the product")
    transformations.note_reverse_over_reverse(hvp)


@test_case(points=0.5, hidden=True)
def test_q3_random_vectors(hvp):
    """Random vectors, of lengths from 1e-8 to 1e6"""
    from adkit import checks

    from reference.inputs.ad_in_jax import logistic, logistic_hessian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q3", "lengths")
    f, x, v = logistic(random, 5, 3), random.standard_normal(3), random.standard_normal(3)
    expected = logistic_hessian(f, x) @ v
    for length in (1.0, 1e-8, 1e6):
        product = checks.call(hvp, f, x, length * v, autodiff=True)
        checks.close(product, length * expected, rtol=1e-10, what="the product")


@test_case(points=0.5, hidden=True)
def test_q3_a_network(hvp):
    """The Hessian of a network's loss times several vectors, one of them 0"""
    import jax
    import numpy as np
    from adkit import checks, functions

    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q3", "network")
    f = functions.NetworkLoss(random.standard_normal((4, 2)), random.standard_normal((4, 1)), (2, 3, 1))
    x, v = 0.5 * random.standard_normal(13), random.standard_normal((3, 13)) * np.array([[1.0], [0.0], [1.0]])
    found = checks.call(hvp, f, x, v, autodiff=True)
    checks.close(found, v @ jax.hessian(f)(x), rtol=1e-10, what="the array of products")


@test_case(points=0.5, hidden=True)
def test_q3_under_vmap(hvp):
    """jax.vmap over v"""
    # beside test_q3_random_vectors: what cannot be mapped (a branch on the values of v, NumPy, a float of it) answers
    # every vector rightly; no fault in the reference makes that, solutions by differences do
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import logistic, logistic_hessian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q3", "vmap")
    f, x, v = logistic(random, 5, 3), random.standard_normal(3), random.standard_normal((2, 3))
    found = transformations.traced(hvp, v, static=(f, x), leading=2, transform="vmap").outputs[0]
    checks.close(found, v @ logistic_hessian(f, x), rtol=1e-10, what="the array of products under vmap")


@test_case(points=1, hidden=True)
def test_q3_few_multiplications(hvp):
    """Work: a product takes at most three times the multiplications of the gradient"""
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import logistic, logistic_hessian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q3", "work")
    f, x, v = logistic(random, 24, 200), 0.1 * random.standard_normal(200), random.standard_normal(200)
    product = transformations.without_a_hessian(hvp, f, x, v, few=True)
    checks.close(product, logistic_hessian(f, x) @ v, rtol=1e-10, what="the product")


@test_case(points=0.5, hidden=True)
def test_q3_few_multiplications_a_row(hvp):
    """Work: the same for each of several products"""
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import logistic, logistic_hessian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q3", "rows")
    f, x, v = logistic(random, 24, 200), 0.1 * random.standard_normal(200), random.standard_normal((3, 200))
    products = transformations.without_a_hessian(hvp, f, x, v, few=True)
    checks.close(products, v @ logistic_hessian(f, x), rtol=1e-10, what="the array of products")


@test_case(points=0.5, hidden=True)
def test_q3_makes_no_hessian_for_rows(hvp):
    """Memory: no Hessian for several products either"""
    # beside test_q3_few_multiplications_a_row: a Hessian costs both; one row of it at a time, added up, is work and no
    # memory, and one that is scattered from few entries is memory and no work
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import logistic, logistic_hessian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q3", "rows, memory")
    f, x, v = logistic(random, 24, 200), 0.1 * random.standard_normal(200), random.standard_normal((3, 200))
    products = transformations.without_a_hessian(hvp, f, x, v, few=False)
    checks.close(products, v @ logistic_hessian(f, x), rtol=1e-10, what="the array of products")
