"""q4: Reverse mode."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(name="Three outputs of a function of two variables, at one point for one cotangent", points=1)
def test_q4_values_and_vector_jacobian_product(reverse_mode):
    """Three outputs of a function of two variables, at one point for one cotangent"""
    import adkit
    import numpy as np
    from adkit import checks
    from adkit.checks import evidence

    graph = adkit.trace(
        lambda a, b: [np.exp(np.sin(a)) * b - np.log(b), np.sqrt(a * b + 1) / np.tanh(a), np.cos(-a) + 2.5], 2
    )
    y, x_bar = checks.call(reverse_mode, graph, np.array([0.8, 1.7]), np.array([0.5, -2.0, 0.75]), returns=2)
    checks.close(y, [2.9526864542170963, 2.3134700040090563, 3.1967067093471653], rtol=1e-12, what="y")
    shows = evidence.adjoints(graph, graph.inputs)
    checks.close(x_bar, [2.904363649628155, -0.05384044197975635], rtol=1e-12, what="x_bar", shows=shows)


@test_case(name="12 diamonds in a row: w = 0.5 v + 0.75 v, twelve times over", points=0.75)
def test_q4_shared_nodes_accumulate(reverse_mode):
    """12 diamonds in a row: w = 0.5 v + 0.75 v, twelve times over"""
    import numpy as np
    from adkit import Graph, Node, checks
    from adkit.checks import evidence

    nodes = [Node("input"), Node("const", (), 0.5), Node("const", (), 0.75)]
    last = 0
    for _ in range(12):
        nodes += [Node("mul", (1, last)), Node("mul", (2, last))]
        nodes += [Node("add", (len(nodes) - 2, len(nodes) - 1))]
        last = len(nodes) - 1
    graph = Graph(nodes, inputs=(0,), outputs=(last,))
    _, x_bar = checks.call(reverse_mode, graph, np.array([2.0]), np.array([1.0]), returns=2)
    shows = evidence.adjoints(graph, graph.inputs)
    checks.close(x_bar, [1.25**12], rtol=1e-12, what="x_bar", shows=shows)


@test_case(name="Inputs anywhere, in any order; one that nothing uses gets 0.0", points=0.5)
def test_q4_inputs_that_nothing_uses(reverse_mode):
    """Inputs anywhere, in any order; one that nothing uses gets 0.0"""
    import numpy as np
    from adkit import Graph, Node, checks
    from adkit.checks import evidence

    nodes = [Node("input"), Node("input"), Node("neg", (0,)), Node("input"), Node("mul", (2, 3))]
    graph = Graph(nodes, inputs=(3, 1, 0), outputs=(4,))
    y, x_bar = checks.call(reverse_mode, graph, np.array([5.0, 7.0, 2.0]), np.array([0.5]), returns=2)
    checks.close(y, [-10.0], rtol=1e-12, what="y")
    shows = evidence.adjoints(graph, graph.inputs)
    checks.close(x_bar, [-1.0, 0.0, -2.5], rtol=1e-12, what="x_bar", shows=shows)


@test_case(name="v = 3 x, w = v^2 and 4 x are outputs", points=0.5)
def test_q4_an_output_that_feeds_another(reverse_mode):
    """v = 3 x, w = v^2 and 4 x are outputs"""
    import adkit
    import numpy as np
    from adkit import checks
    from adkit.checks import evidence

    def function(x):
        v = 3.0 * x
        return [v, v * v, 4.0 * x]

    graph = adkit.trace(function, 1)
    _, x_bar = checks.call(reverse_mode, graph, np.array([2.0]), np.array([10.0, -0.5, 1.5]), returns=2)
    shows = evidence.adjoints(graph, graph.inputs)
    checks.close(x_bar, [18.0], rtol=1e-12, what="x_bar", shows=shows)
