"""q6: The derivative of a fixed point."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q6"
points = None


@test_case(points=0.25)
def test_q6_a_fixed_point(fixed_point):
    """x = f(x, theta) for a contraction of two numbers, to the tolerance"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    f = functions.Contraction(np.array([[0.0, 0.5], [-0.5, 0.0]]), "tanh")
    transformations.solved(fixed_point, f, np.array([1.0, -2.0]), np.zeros(2), 1e-12)


@test_case(points=0.5)
def test_q6_derivative_by_theta(fixed_point):
    """The cotangent of theta, for x = M x + theta"""
    import numpy as np
    from adkit import checks, functions
    from adkit.checks import transformations

    f = functions.Contraction(np.array([[0.0, 0.5], [0.0, 0.25]]), "identity")
    theta, x_bar = np.array([1.0, 3.0]), np.array([3.0, 6.0])
    static = (f, np.zeros(2), 1e-12)
    found = transformations.pulled_back(fixed_point, theta, x_bar, static=static, leading=1)
    checks.close(found[0], [3.0, 10.0], rtol=1e-9, what="theta_bar")


@test_case(points=1)
def test_q6_keeps_no_iterations(fixed_point):
    """Memory: what crosses to the backward pass is what one step at the solution needs (n = 6)"""
    import numpy as np
    from adkit import checks, functions
    from adkit.checks import transformations

    n, h = 6, 1e-5
    random = np.random.default_rng(44)
    f = functions.Contraction(0.5 * np.linalg.qr(random.standard_normal((n, n)))[0], "tanh")
    theta, direction, x_bar = (random.standard_normal(n) for _ in range(3))
    x, theta_bar = transformations.keeps_what_one_step_needs(fixed_point, f, theta, np.zeros(n), x_bar, 1e-12)

    def solution(theta):
        x = np.zeros(n)
        for _ in range(60):
            x = np.asarray(f.M) @ np.tanh(x) + theta
        return x

    checks.close(x, solution(theta), rtol=1e-10, what="x")
    difference = (solution(theta + h * direction) - solution(theta - h * direction)) / (2 * h)
    # a difference of solutions: right to h^2 and to rounding over h
    checks.close(theta_bar @ direction, x_bar @ difference, rtol=1e-7, what="theta_bar times a direction")


@test_case(points=0.25, hidden=True)
def test_q6_a_slow_contraction(fixed_point):
    """A contraction that shrinks by a hundredth only"""
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import contraction
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q6", "slow")
    f = contraction(random, 6, 0.99, "identity")
    transformations.solved(fixed_point, f, random.standard_normal((2, 3)), random.standard_normal(6), 1e-12)


@test_case(points=0.25, hidden=True)
def test_q6_other_equations(fixed_point):
    """Kepler's equation, with one number as theta, and a layer at rest, with a matrix; large and small solutions"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import contraction, invertible
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q6", "equations")
    kepler = functions.Kepler(random.uniform(0.0, 6.0, 3))
    transformations.solved(fixed_point, kepler, np.array(random.uniform(0.2, 0.9)), np.zeros(3), 1e-12)
    theta = 0.4 * invertible(random, 3)
    transformations.solved(fixed_point, functions.Equilibrium(random.standard_normal(3)), theta, np.ones(3), 1e-9)
    # of solutions of this size a step of 1e-12 is below rounding: the tolerance is relative
    for fixed in (np.random.default_rng(1), np.random.default_rng(2)):
        f, theta = contraction(fixed, 6, 0.9, "identity"), 1e4 * fixed.standard_normal((2, 3))
        transformations.solved(fixed_point, f, theta, fixed.standard_normal(6), 1e-12)


@test_case(points=0.5, hidden=True)
def test_q6_derivative_of_a_slow_contraction(fixed_point):
    """The cotangent of theta where a few terms of a series are not enough, for cotangents of any length"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import contraction
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q6", "slow, derivative")
    f = contraction(random, 6, 0.99, "identity")
    theta, x_bar = random.standard_normal((2, 3)), random.standard_normal(6)
    expected = np.linalg.solve((np.eye(6) - np.asarray(f.M)).T, x_bar).reshape(2, 3)
    for length in (1.0, 1e-8):
        static = (f, np.zeros(6), 1e-12)
        found = transformations.pulled_back(fixed_point, theta, length * x_bar, static=static, leading=1)
        checks.close(found[0], length * expected, rtol=1e-9, what="theta_bar")


@test_case(points=0.25, hidden=True)
def test_q6_derivative_by_the_start(fixed_point):
    """The solution does not depend on x0"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import contraction
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q6", "start")
    f = contraction(random, 6, 0.99, "identity")
    theta, x_bar = random.standard_normal((2, 3)), random.standard_normal(6)
    x0 = 100 * random.standard_normal(6)
    found = transformations.pulled_back(fixed_point, theta, x0, x_bar, static=(f, 1e-2), leading=1)
    checks.close(found[1], np.zeros(6), rtol=0, what="x0_bar")


@test_case(points=1, hidden=True)
def test_q6_keeps_no_iterations_of_a_matrix(fixed_point):
    """Memory: the same for a layer at rest, whose theta is a matrix, from a start that is far away"""
    import jax
    import numpy as np
    from adkit import checks, functions
    from adkit.checks import transformations

    from reference.ad_in_jax import fixed_point as reference
    from reference.inputs.ad_in_jax import invertible
    from reference.inputs.seeds import rng

    n = 8
    random = rng("ad_in_jax", "q6", "matrix")
    f, theta, x_bar = functions.Equilibrium(random.standard_normal(n)), 0.45 * invertible(random, n), np.ones(n)
    x0 = 1e3 * random.standard_normal(n)
    x, theta_bar = transformations.keeps_what_one_step_needs(fixed_point, f, theta, x0, x_bar, 1e-12)
    expected, pull_back = jax.vjp(lambda theta: reference(f, theta, x0, 1e-12), theta)
    checks.close(x, expected, rtol=1e-10, what="x")
    checks.close(theta_bar, pull_back(x_bar)[0], rtol=1e-9, what="theta_bar")
