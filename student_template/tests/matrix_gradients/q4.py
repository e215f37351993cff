"""q4: Checking gradients numerically."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(name="numerical_gradient of a function of three numbers, to seven digits", points=1)
def test_q4_gradient_of_a_function_of_a_vector(numerical_gradient):
    """numerical_gradient of a function of three numbers, to seven digits"""
    import jax.numpy as jnp
    import numpy as np
    from adkit import checks
    from adkit.checks import evidence

    def f(x):
        x = jnp.array(x)
        return 300.0 + jnp.sin(3 * x[0]) * x[1] + x[1] ** 2 * jnp.exp(-x[2])

    x = np.array([0.4, -1.3, 0.5])
    expected = [
        3 * np.cos(3 * x[0]) * x[1],
        np.sin(3 * x[0]) + 2 * x[1] * np.exp(-x[2]),
        -(x[1] ** 2) * np.exp(-x[2]),
    ]
    watched, points = evidence.watched(f)
    gradient = checks.call(numerical_gradient, watched, x)
    shows = evidence.steps(f, x, points)
    checks.close(gradient, expected, rtol=1e-7, what="the numerical gradient", shows=shows)


@test_case(name="numerical_gradient of a function of a matrix has the matrix's shape", points=0.75)
def test_q4_gradient_of_a_function_of_a_matrix(numerical_gradient):
    """numerical_gradient of a function of a matrix has the matrix's shape"""
    import jax.numpy as jnp
    import numpy as np
    from adkit import checks
    from adkit.checks import evidence

    def f(X):
        X = jnp.array(X)
        return 200.0 + jnp.sum(jnp.sin(X) * jnp.arange(1.0, 7.0).reshape(2, 3))

    X = np.array([[0.5, -0.7, 1.1], [2.0, 0.0, -0.3]])
    expected = np.cos(X) * np.arange(1.0, 7.0).reshape(2, 3)
    watched, points = evidence.watched(f)
    gradient = checks.call(numerical_gradient, watched, X)
    shows = evidence.steps(f, X, points)
    checks.close(gradient, expected, rtol=1e-7, what="the numerical gradient", shows=shows)


@test_case(name="check_gradient says True to a right gradient, False to one with the wrong sign and to one twice as long", points=1)
def test_q4_check_a_right_and_a_wrong_gradient(check_gradient):
    """check_gradient says True to a right gradient, False to one with the wrong sign and to one twice as long"""
    import jax.numpy as jnp
    import numpy as np
    from adkit import checks

    def f(x):
        return jnp.sum(jnp.cos(jnp.array(x)) * jnp.array([1.0, 2.0, -3.0]))

    def right(x):
        return -jnp.sin(jnp.array(x)) * jnp.array([1.0, 2.0, -3.0])

    x = np.array([0.4, -1.3, 0.5])
    checks.equal(checks.call(check_gradient, f, right, x), True, what="check_gradient of a right gradient")
    wrong = checks.call(check_gradient, f, lambda x: -right(x), x)
    checks.equal(wrong, False, what="check_gradient of a gradient with the wrong sign")
    wrong = checks.call(check_gradient, f, lambda x: 2 * right(x), x)
    checks.equal(wrong, False, what="check_gradient of twice the gradient")
