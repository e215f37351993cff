"""q2: The cheaper mode."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(points=0.5)
def test_q2_jacobian_of_an_affine_map(jacobian):
    """The Jacobian of A x + b is A: shape (m, n)"""
    import numpy as np
    from adkit import checks, functions

    f = functions.Affine(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([1.0, -1.0]))
    J = checks.call(jacobian, f, np.array([0.5, -1.0, 2.0]), autodiff=True)
    checks.close(J, f.A, rtol=1e-10, what="the Jacobian")


@test_case(points=0.5)
def test_q2_jacobian_of_one_result(jacobian):
    """One result: the Jacobian has one row"""
    import numpy as np
    from adkit import checks, functions

    f = functions.TanhMap(np.array([[1.0, -2.0]]), np.array([0.5]), np.array([[3.0]]))
    J = checks.call(jacobian, f, np.array([2.0, 1.0]), autodiff=True)
    checks.close(J, np.array([[3.0, -6.0]]) / np.cosh(0.5) ** 2, rtol=1e-10, what="the Jacobian")


@test_case(points=1)
def test_q2_few_results(jacobian):
    """Work: 40 inputs and 2 results, at most twice the multiplications of the cheaper mode"""
    import numpy as np
    from adkit import checks, functions
    from adkit.checks import transformations

    n, k, m = 40, 20, 2
    random = np.random.default_rng(41)
    f = functions.TanhMap(random.standard_normal((k, n)) / n, np.zeros(k), random.standard_normal((m, k)))
    J = transformations.by_the_cheaper_mode(jacobian, f, np.zeros(n))
    checks.close(J, f.B @ f.A, rtol=1e-10, what="the Jacobian")


@test_case(points=0.75, hidden=True)
def test_q2_more_results_than_inputs(jacobian):
    """The Jacobian of a function with more results than inputs"""
    from adkit import checks

    from reference.inputs.ad_in_jax import tanh_map, tanh_map_jacobian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q2", "tall")
    f, x = tanh_map(random, 2, 4, 5), random.standard_normal(2)
    checks.close(checks.call(jacobian, f, x, autodiff=True), tanh_map_jacobian(f, x), rtol=1e-10, what="the Jacobian")


@test_case(points=0.75, hidden=True)
def test_q2_more_inputs_than_results(jacobian):
    """The Jacobian of a function with more inputs than results, and with as many"""
    from adkit import checks

    from reference.inputs.ad_in_jax import tanh_map, tanh_map_jacobian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q2", "wide")
    for m in (2, 5):
        f, x = tanh_map(random, 5, 4, m), random.standard_normal(5)
        checks.close(
            checks.call(jacobian, f, x, autodiff=True), tanh_map_jacobian(f, x), rtol=1e-10, what="the Jacobian"
        )


@test_case(points=0.5, hidden=True)
def test_q2_jacobian_of_a_graph(jacobian):
    """The Jacobian of a graph: the toy example, and one with an input that nothing uses"""
    import adkit
    import numpy as np
    from adkit import checks

    from reference.inputs.seeds import rng

    x = rng("ad_in_jax", "q2", "graph").uniform(0.5, 1.5, 2)
    toy = adkit.GraphFunction.of(adkit.toy_graph())
    expected = [[x[1] + np.cos(x[0]), x[0]]]
    checks.close(checks.call(jacobian, toy, x, autodiff=True), expected, rtol=1e-10, what="the Jacobian")
    idle = adkit.GraphFunction.of(adkit.trace(lambda a, b: (a * a, 3.0 * a), 2))
    expected = [[2 * x[0], 0], [3, 0]]
    checks.close(checks.call(jacobian, idle, x, autodiff=True), expected, rtol=1e-10, what="the Jacobian")


@test_case(points=0.25, hidden=True)
def test_q2_one_result_of_many_inputs(jacobian):
    """Work: 40 inputs and one result"""
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import tanh_map, tanh_map_jacobian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q2", "one result")
    f, x = tanh_map(random, 40, 20, 1), random.standard_normal(40)
    J = transformations.by_the_cheaper_mode(jacobian, f, x)
    checks.close(J, tanh_map_jacobian(f, x), rtol=1e-10, what="the Jacobian")


@test_case(points=0.75, hidden=True)
def test_q2_few_inputs(jacobian):
    """Work: few inputs and many results"""
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.ad_in_jax import tanh_map, tanh_map_jacobian
    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q2", "few inputs")
    f, x = tanh_map(random, 3, 20, 60), random.standard_normal(3)
    J = transformations.by_the_cheaper_mode(jacobian, f, x)
    checks.close(J, tanh_map_jacobian(f, x), rtol=1e-10, what="the Jacobian")
