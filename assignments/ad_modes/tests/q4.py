"""q4: Reverse mode."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(points=1)
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


@test_case(points=0.75)
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


@test_case(points=0.5)
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


@test_case(points=0.5)
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


@test_case(points=0.25, hidden=True)
def test_q4_every_op_without_sharing(reverse_mode):
    """Random graphs with every op in which each node is used once"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "every op")
    for _ in range(2):
        ad_modes.compare_sweep("reverse", reverse_mode, ad_modes.tree(random), random)


@test_case(points=0.25, hidden=True)
def test_q4_factors_of_zero(reverse_mode):
    """Products and quotients in which factors and numerators are 0: their derivatives are not"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "zeros")
    for _ in range(2):
        ad_modes.compare_sweep("reverse", reverse_mode, ad_modes.zeros(random), random)


@test_case(points=0.25, hidden=True)
def test_q4_sums_of_three_and_more(reverse_mode):
    """Random graphs in which add has three, four and five arguments"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "sums")
    for _ in range(2):
        ad_modes.compare_sweep("reverse", reverse_mode, ad_modes.sums(random), random)


@test_case(points=0.5, hidden=True)
def test_q4_shared_nodes_in_random_graphs(reverse_mode):
    """Random graphs with every op, constants and shared nodes"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "shared")
    problems = [ad_modes.shared(random, constants=2) for _ in range(3)]
    moved = ad_modes.Problem(problems[0].graph, 1.001 * problems[0].x)  # nothing of the first point may be kept
    for problem in (*problems, moved):
        ad_modes.compare_sweep("reverse", reverse_mode, problem, random)


@test_case(points=0.5, hidden=True)
def test_q4_repeated_arguments(reverse_mode):
    """Random graphs with nodes such as mul(x, x) and sub(x, x)"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "repeated")
    for _ in range(2):
        ad_modes.compare_sweep("reverse", reverse_mode, ad_modes.shared(random, repeats=True), random)


@test_case(points=0.5, hidden=True)
def test_q4_outputs_that_feed_others(reverse_mode):
    """Random graphs with outputs in the middle"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "inner outputs")
    for _ in range(2):
        ad_modes.compare_sweep("reverse", reverse_mode, ad_modes.inner_outputs(random), random)


@test_case(points=0.5, hidden=True)
def test_q4_repeated_outputs_and_leaves_as_outputs(reverse_mode):
    """An output listed twice; inputs and constants as outputs; graphs of one node; inputs anywhere"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "leaves")
    mixed = ad_modes.shared(random, constants=1)
    for problem in ad_modes.unusual_outputs(mixed, random):
        ad_modes.compare_sweep("reverse", reverse_mode, problem, random)


@test_case(points=0.5, hidden=True)
def test_q4_deep_graph(reverse_mode):
    """A chain of 20 000 operations with constants"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "chain")
    problem = ad_modes.chain(random, 20_000)
    # y: 20 000 roundings of 1e-16 each, of a walk whose size varies by some factors of ten: 1e-10 at the worst;
    # its derivative is a product of some 5 000 factors: 1e-12 at the worst
    ad_modes.compare_sweep("reverse", reverse_mode, problem, random, y_rtol=1e-7, y_atol=1e-9, rtol=1e-11, repeat=False)


@test_case(points=0.5, hidden=True)
def test_q4_many_paths(reverse_mode):
    """60 diamonds in a row: 2^60 paths, 240 edges"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "diamonds")
    ad_modes.compare_sweep("reverse", reverse_mode, ad_modes.diamonds(random, 60), random, repeat=False)


@test_case(points=0.5, hidden=True)
def test_q4_many_inputs_and_outputs(reverse_mode):
    """15 000 inputs and 15 000 outputs: one sweep, whatever their numbers"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q4", "wide")
    ad_modes.compare_sweep("reverse", reverse_mode, ad_modes.wide(random, 15_000), random, repeat=False)
