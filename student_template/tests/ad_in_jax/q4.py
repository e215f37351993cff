"""q4: Newton's method without a Hessian."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(name="A quadratic function of three numbers", points=0.75)
def test_q4_a_quadratic_function(newton_cg):
    """A quadratic function of three numbers"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    f = functions.Quadratic(np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]), np.array([1.0, -2.0, 3.0]))
    transformations.minimised(newton_cg, f, np.zeros(3), 1e-8, repeat=True)


@test_case(name="Logistic regression with 12 samples of 4 numbers", points=1)
def test_q4_logistic_regression(newton_cg):
    """Logistic regression with 12 samples of 4 numbers"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    random = np.random.default_rng(43)
    X, y = random.standard_normal((12, 4)), np.where(random.random(12) < 0.5, -1.0, 1.0)
    transformations.minimised(newton_cg, functions.Logistic(X, y, 0.1), np.ones(4), 1e-8)


@test_case(name="x0 is the minimiser already", points=0.5)
def test_q4_at_the_minimiser(newton_cg):
    """x0 is the minimiser already"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    f = functions.Quadratic(np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]), np.array([5.0, 5.0, 3.0]))
    transformations.minimised(newton_cg, f, np.ones(3), 1e-8)
