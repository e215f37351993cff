"""q3: Forward mode."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(name="Three outputs of a function of two variables, at one point in one direction", points=1)
def test_q3_values_and_directional_derivative(forward_mode):
    """Three outputs of a function of two variables, at one point in one direction"""
    import adkit
    import numpy as np
    from adkit import checks

    graph = adkit.trace(
        lambda a, b: [np.exp(np.sin(a)) * b - np.log(b), np.sqrt(a * b + 1) / np.tanh(a), np.cos(-a) + 2.5], 2
    )
    y, y_dot = checks.call(forward_mode, graph, np.array([0.8, 1.7]), np.array([0.3, -1.1]), returns=2)
    checks.close(y, [2.9526864542170963, 2.3134700040090563, 3.1967067093471653], rtol=1e-12, what="y")
    checks.close(y_dot, [-0.8787960738705779, -0.7656683692269297, -0.21520682726985682], rtol=1e-12, what="y_dot")


@test_case(name="Inputs between other nodes and in another order; an input and a constant as outputs; one output twice", points=0.5)
def test_q3_inputs_and_outputs_are_where_the_graph_says(forward_mode):
    """Inputs between other nodes and in another order; an input and a constant as outputs; one output twice"""
    import numpy as np
    from adkit import Graph, Node, checks

    nodes = [
        Node("input"),
        Node("const", (), 3.0),
        Node("mul", (0, 1)),
        Node("input"),
        Node("sub", (2, 3)),
        Node("input"),
    ]
    graph = Graph(nodes, inputs=(3, 5, 0), outputs=(4, 3, 1, 4))
    x, x_dot = np.array([10.0, 20.0, 2.0]), np.array([0.5, 7.0, 0.25])
    y, y_dot = checks.call(forward_mode, graph, x, x_dot, returns=2)
    checks.close(y, [-4.0, 10.0, 3.0, -4.0], rtol=1e-12, what="y")
    checks.close(y_dot, [0.25, 0.5, 0.0, 0.25], rtol=1e-12, what="y_dot")


@test_case(name="A chain of 20 000 nodes (Python's recursion limit is 1 000)", points=0.5)
def test_q3_a_chain_of_20000_nodes(forward_mode):
    """A chain of 20 000 nodes (Python's recursion limit is 1 000)"""
    import numpy as np
    from adkit import Graph, Node, checks

    nodes = [Node("input"), *(Node("neg", (index,)) for index in range(20_000))]
    graph = Graph(nodes, inputs=(0,), outputs=(20_000,))
    y, y_dot = checks.call(forward_mode, graph, np.array([1.5]), np.array([-0.5]), returns=2, repeat=False)
    checks.close(y, [1.5], rtol=1e-12, what="y")
    checks.close(y_dot, [-0.5], rtol=1e-12, what="y_dot")
