"""q6: The derivative of a fixed point."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q6"
points = None


@test_case(name="x = f(x, theta) for a contraction of two numbers, to the tolerance", points=0.25)
def test_q6_a_fixed_point(fixed_point):
    """x = f(x, theta) for a contraction of two numbers, to the tolerance"""
    import numpy as np
    from adkit import functions
    from adkit.checks import transformations

    f = functions.Contraction(np.array([[0.0, 0.5], [-0.5, 0.0]]), "tanh")
    transformations.solved(fixed_point, f, np.array([1.0, -2.0]), np.zeros(2), 1e-12)


@test_case(name="The cotangent of theta, for x = M x + theta", points=0.5)
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


@test_case(name="Memory: what crosses to the backward pass is what one step at the solution needs (n = 6)", points=1)
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
