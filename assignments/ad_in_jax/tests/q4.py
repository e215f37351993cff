"""q4: Newton's method without a Hessian."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(points=0.75)
def test_q4_a_quadratic_function(newton_cg):
    """A quadratic function of three numbers"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    f = functions.Quadratic(np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]), np.array([1.0, -2.0, 3.0]))
    transformations.minimised(newton_cg, f, np.zeros(3), 1e-8, repeat=True)


@test_case(points=1)
def test_q4_logistic_regression(newton_cg):
    """Logistic regression with 12 samples of 4 numbers"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    random = np.random.default_rng(43)
    X, y = random.standard_normal((12, 4)), np.where(random.random(12) < 0.5, -1.0, 1.0)
    transformations.minimised(newton_cg, functions.Logistic(X, y, 0.1), np.ones(4), 1e-8)


@test_case(points=0.5)
def test_q4_at_the_minimiser(newton_cg):
    """x0 is the minimiser already"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    f = functions.Quadratic(np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]), np.array([5.0, 5.0, 3.0]))
    transformations.minimised(newton_cg, f, np.ones(3), 1e-8)


@test_case(points=1, hidden=True)
def test_q4_an_ill_conditioned_problem(newton_cg):
    """Logistic regression on features of very different sizes"""
    import numpy as np
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import spread_logistic
    from reference.inputs.seeds import rng

    f = spread_logistic(rng("ad_in_jax", "q4", "ill-conditioned"), 30, 6)
    transformations.minimised(newton_cg, f, np.zeros(6), 1e-8)


@test_case(points=1, hidden=True)
def test_q4_full_steps_go_astray(newton_cg):
    """A start from which full Newton steps never arrive"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    from reference.inputs.seeds import rng

    # f'(x) = a tanh(a x) + p x far out is a + p x, and f'' is p: a full step lands as far out on the other side
    a, start = rng("ad_in_jax", "q4", "astray").uniform(1.0, 2.0, 2)
    for p in (1e-3, 1e-4):  # with the second a step is halved ten times
        f = functions.LogSumExp(np.array([[a], [-a]]), np.zeros(2), p)
        transformations.minimised(newton_cg, f, np.array([10 * start]), 1e-8)


@test_case(points=0.5, hidden=True)
def test_q4_a_steep_function(newton_cg):
    """A steep function: the gradient's norm is asked for relative to that at x0; and one with large negative values,
    where the last steps descend by little more than rounding
    """
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import invertible
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q4", "steep")
    root = invertible(random, 3)
    f = functions.Quadratic(1e12 * root @ root.T, 1e12 * random.standard_normal(3))
    transformations.minimised(newton_cg, f, np.ones(3), 1e-8)
    fixed = np.random.default_rng(0)
    A, b = 3 * fixed.standard_normal((8, 3)), fixed.standard_normal(8)
    transformations.minimised(newton_cg, functions.LogSumExp(A, b - 100, 1e-2), 10 * fixed.standard_normal(3), 1e-8)


@test_case(points=1.25, hidden=True)
def test_q4_too_large_for_a_hessian(newton_cg):
    """So many unknowns that no n x n array fits into memory"""
    import numpy as np
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import logistic
    from reference.inputs.seeds import rng

    n = 200_000  # n x n numbers take 320 GB: they are refused at once, and nothing is filled before
    transformations.minimised(newton_cg, logistic(rng("ad_in_jax", "q4", "large"), 3, n), np.zeros(n), 1e-6)
