"""q1: Gradients and Hessians."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(points=0.5)
def test_q1_gradient_of_the_trace(trace_inverse_derivatives):
    """The gradient of tr(A X^-1 B) at one X"""
    import numpy as np
    from adkit import checks

    A, B, X = np.array([[1.0, 2.0]]), np.array([[3.0], [1.0]]), np.array([[2.0, 1.0], [0.0, 1.0]])
    gradient, _ = checks.call(trace_inverse_derivatives, A, B, X, returns=2, autodiff=True)
    checks.close(gradient, [[-0.5, -0.5], [-1.5, -1.5]], rtol=1e-10, what="the gradient of f")


@test_case(points=0.5)
def test_q1_hessian_of_the_trace(trace_inverse_derivatives):
    """The Hessian of tr(A X^-1 B) at the same X, entry [i, j, k, l] for X_ij and X_kl"""
    import numpy as np
    from adkit import checks

    A, B, X = np.array([[1.0, 2.0]]), np.array([[3.0], [1.0]]), np.array([[2.0, 1.0], [0.0, 1.0]])
    _, hessian = checks.call(trace_inverse_derivatives, A, B, X, returns=2, autodiff=True)
    expected = [
        [[[0.5, 0.25], [0.5, -0.25]], [[0.25, 0.0], [1.25, 0.5]]],
        [[[0.5, 1.25], [-1.5, 0.75]], [[-0.25, 0.5], [0.75, 3.0]]],
    ]
    checks.close(hessian, expected, rtol=1e-10, what="the Hessian of f")


@test_case(points=0.5)
def test_q1_derivatives_of_the_cubic_norm(cubic_norm_derivatives):
    """Gradient and Hessian of 1/3 ||x||^3 at (3, 4)"""
    import numpy as np
    from adkit import checks

    answer = checks.call(cubic_norm_derivatives, np.array([3.0, 4.0]), returns=2, autodiff=True)
    checks.close(answer[0], [15.0, 20.0], rtol=1e-10, what="the gradient of g")
    checks.close(answer[1], [[6.8, 2.4], [2.4, 8.2]], rtol=1e-10, what="the Hessian of g")


@test_case(points=0.5)
def test_q1_the_cubic_norm_at_zero(cubic_norm_derivatives):
    """Gradient and Hessian of 1/3 ||x||^3 at 0 are 0"""
    import numpy as np
    from adkit import checks

    answer = checks.call(cubic_norm_derivatives, np.zeros(2), returns=2, autodiff=True)
    checks.close(answer[0], np.zeros(2), rtol=0, what="the gradient of g at 0")
    checks.close(answer[1], np.zeros((2, 2)), rtol=0, what="the Hessian of g at 0")


@test_case(points=0.75, hidden=True)
def test_q1_gradients_of_random_traces(trace_inverse_derivatives):
    """The gradient of tr(A X^-1 B), A and B rectangular"""
    from adkit import checks

    from reference.ad_in_jax import trace_inverse_derivatives as reference
    from reference.inputs.ad_in_jax import invertible
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q1", "gradient")
    A, B, X = random.standard_normal((2, 3)), random.standard_normal((3, 2)), invertible(random, 3)
    gradient, _ = checks.call(trace_inverse_derivatives, A, B, X, returns=2, autodiff=True)
    checks.close(gradient, reference(A, B, X)[0], rtol=1e-10, what="the gradient of f")


@test_case(points=1, hidden=True)
def test_q1_hessians_of_random_traces(trace_inverse_derivatives):
    """The Hessian of tr(A X^-1 B), A and B rectangular"""
    from adkit import checks

    from reference.ad_in_jax import trace_inverse_derivatives as reference
    from reference.inputs.ad_in_jax import invertible
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q1", "Hessian")
    A, B, X = random.standard_normal((2, 3)), random.standard_normal((3, 2)), invertible(random, 3)
    _, hessian = checks.call(trace_inverse_derivatives, A, B, X, returns=2, autodiff=True)
    checks.close(hessian, reference(A, B, X)[1], rtol=1e-10, what="the Hessian of f")


@test_case(points=0.5, hidden=True)
def test_q1_gradients_of_the_cubic_norm(cubic_norm_derivatives):
    """The gradient of 1/3 ||x||^3 for short and for long x"""
    from adkit import checks

    from reference.ad_in_jax import cubic_norm_derivatives as reference
    from reference.inputs.seeds import rng

    x = rng("ad_in_jax", "q1", "cubic norm").standard_normal(4)
    for length in (1.0, 1e-6, 1e6):
        gradient, _ = checks.call(cubic_norm_derivatives, length * x, returns=2, autodiff=True)
        checks.close(gradient, reference(length * x)[0], rtol=1e-10, what="the gradient of g")


@test_case(points=0.75, hidden=True)
def test_q1_hessians_of_the_cubic_norm(cubic_norm_derivatives):
    """The Hessian of 1/3 ||x||^3 for short and for long x, and where all entries of x but one are 0"""
    from adkit import checks

    from reference.ad_in_jax import cubic_norm_derivatives as reference
    from reference.inputs.seeds import rng

    x = rng("ad_in_jax", "q1", "cubic norm, Hessian").standard_normal(4)
    for point in (x, 1e-6 * x, 1e6 * x, x * [0, 0, 1, 0]):
        _, hessian = checks.call(cubic_norm_derivatives, point, returns=2, autodiff=True)
        checks.close(hessian, reference(point)[1], rtol=1e-10, what="the Hessian of g")
