"""q3: Hessian times vector."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(name="The Hessian of a quadratic function times one vector", points=0.5)
def test_q3_one_vector(hvp):
    """The Hessian of a quadratic function times one vector"""
    import numpy as np
    from adkit import checks, functions

    f = functions.Quadratic(np.array([[2.0, 1.0, 0.0], [3.0, 1.0, 0.0], [0.0, -2.0, 4.0]]), np.ones(3))
    product = checks.call(hvp, f, np.array([1.0, 0.0, -1.0]), np.array([1.0, 2.0, 3.0]), autodiff=True)
    checks.close(product, [6.0, 1.0, 10.0], rtol=1e-10, what="the product")


@test_case(name="Several vectors at once, one in each row of v", points=0.5)
def test_q3_several_vectors(hvp):
    """Several vectors at once, one in each row of v"""
    import numpy as np
    from adkit import checks, functions

    f = functions.Quadratic(np.array([[2.0, 1.0, 0.0], [3.0, 1.0, 0.0], [0.0, -2.0, 4.0]]), np.ones(3))
    product = checks.call(hvp, f, np.array([1.0, 0.0, -1.0]), np.array([[1.0, 2.0, 3.0], [0, 1, 0]]), autodiff=True)
    checks.close(product, [[6.0, 1.0, 10.0], [2.0, 1.0, -1.0]], rtol=1e-10, what="the array of products")


@test_case(name="A vector of length 1e-8, one of length 1e6, and 0", points=0.5)
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


@test_case(name="Memory: no array of n x n numbers is made (n = 200)", points=1)
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
