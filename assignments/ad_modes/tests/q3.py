"""q3: Forward mode."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(points=1)
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


@test_case(points=0.5)
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


@test_case(points=0.5)
def test_q3_a_chain_of_20000_nodes(forward_mode):
    """A chain of 20 000 nodes (Python's recursion limit is 1 000)"""
    import numpy as np
    from adkit import Graph, Node, checks

    nodes = [Node("input"), *(Node("neg", (index,)) for index in range(20_000))]
    graph = Graph(nodes, inputs=(0,), outputs=(20_000,))
    y, y_dot = checks.call(forward_mode, graph, np.array([1.5]), np.array([-0.5]), returns=2, repeat=False)
    checks.close(y, [1.5], rtol=1e-12, what="y")
    checks.close(y_dot, [-0.5], rtol=1e-12, what="y_dot")


@test_case(points=0.5, hidden=True)
def test_q3_random_graphs_of_every_op(forward_mode):
    """Random graphs with every op and shared nodes"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q3", "every op")
    problems = [ad_modes.shared(random) for _ in range(3)]
    moved = ad_modes.Problem(problems[0].graph, 1.001 * problems[0].x)  # nothing of the first point may be kept
    for problem in (*problems, moved):
        ad_modes.compare_sweep("forward", forward_mode, problem, random)


@test_case(points=0.25, hidden=True)
def test_q3_factors_of_zero(forward_mode):
    """Products and quotients in which factors and numerators are 0: their derivatives are not"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q3", "zeros")
    for _ in range(2):
        ad_modes.compare_sweep("forward", forward_mode, ad_modes.zeros(random), random)


@test_case(points=0.25, hidden=True)
def test_q3_sums_of_three_and_more(forward_mode):
    """Random graphs in which add has three, four and five arguments"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q3", "sums")
    for _ in range(2):
        ad_modes.compare_sweep("forward", forward_mode, ad_modes.sums(random), random)


@test_case(points=0.5, hidden=True)
def test_q3_repeated_arguments(forward_mode):
    """Random graphs with nodes such as mul(x, x) and sub(x, x)"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q3", "repeated")
    for _ in range(2):
        ad_modes.compare_sweep("forward", forward_mode, ad_modes.shared(random, repeats=True), random)


@test_case(points=0.5, hidden=True)
def test_q3_constants_do_not_move(forward_mode):
    """Random graphs with constants: their tangent is 0"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q3", "constants")
    for _ in range(2):
        ad_modes.compare_sweep("forward", forward_mode, ad_modes.shared(random, constants=3), random)


@test_case(points=0.5, hidden=True)
def test_q3_any_node_can_be_an_output(forward_mode):
    """Outputs that feed others, repeated ones, inputs and constants as outputs, graphs of one node, inputs anywhere"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q3", "outputs")
    mixed = ad_modes.shared(random, constants=1)
    for problem in [ad_modes.inner_outputs(random), *ad_modes.unusual_outputs(mixed, random)]:
        ad_modes.compare_sweep("forward", forward_mode, problem, random)


@test_case(points=0.5, hidden=True)
def test_q3_deep_graph(forward_mode):
    """A chain of 20 000 operations with constants"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q3", "chain")
    problem = ad_modes.chain(random, 20_000)
    # y: 20 000 roundings of 1e-16 each, of a walk whose size varies by some factors of ten: 1e-10 at the worst;
    # its derivative is a product of some 5 000 factors: 1e-12 at the worst
    ad_modes.compare_sweep("forward", forward_mode, problem, random, y_rtol=1e-7, y_atol=1e-9, rtol=1e-11, repeat=False)
