"""q5: What each mode costs."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(points=0.75)
def test_q5_cost_of_problem_1(mode_cost):
    """Problem 1: the full Jacobian of three weights and five losses costs 24 or 40"""
    import adkit
    from adkit import checks

    graph = adkit.figure_4()
    checks.equal(checks.call(mode_cost, graph, "forward"), 24, what='mode_cost(figure_4, "forward")')
    checks.equal(checks.call(mode_cost, graph, "reverse"), 40, what='mode_cost(figure_4, "reverse")')


@test_case(points=0.5)
def test_q5_unknown_mode_is_an_error(mode_cost):
    """A mode that is neither "forward" nor "reverse": ValueError"""
    import adkit
    from adkit import checks

    for mode in ("sideways", "either", "Reverse", "forward mode", "for", "rev"):
        checks.raises(mode_cost, adkit.toy_graph(), mode, error="ValueError", when=f'the mode is "{mode}"')


@test_case(points=0.75)
def test_q5_the_cheaper_mode(choose_mode):
    """Problem 1 is for forward mode, the toy example for reverse mode, one input and one output for either"""
    import adkit
    import numpy as np
    from adkit import checks

    checks.equal(checks.call(choose_mode, adkit.figure_4()), "forward", what="choose_mode(figure_4)")
    checks.equal(checks.call(choose_mode, adkit.toy_graph()), "reverse", what="choose_mode(toy_graph)")
    square = adkit.trace(lambda x: np.sin(x) * x, 1)
    checks.equal(checks.call(choose_mode, square), "either", what="choose_mode of x sin x")


@test_case(points=0.5, hidden=True)
def test_q5_edges_not_nodes(mode_cost):
    """Random graphs without constants and repeated arguments"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q5", "edges")
    for _ in range(2):
        ad_modes.compare_costs(mode_cost, ad_modes.shared(random).graph)


@test_case(points=0.5, hidden=True)
def test_q5_constants_are_free(mode_cost):
    """An argument that is a constant is not an edge"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q5", "constants")
    for constants in (2, 4):
        ad_modes.compare_costs(mode_cost, ad_modes.shared(random, constants=constants).graph)
    # constants that are used far more often than what comes before them and behind them
    ad_modes.compare_costs(mode_cost, ad_modes.chain(random, 60).graph)


@test_case(points=0.5, hidden=True)
def test_q5_repeated_arguments_are_repeated_edges(mode_cost):
    """mul(x, x) has two edges"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q5", "repeated")
    for _ in range(2):
        ad_modes.compare_costs(mode_cost, ad_modes.shared(random, repeats=True).graph)


@test_case(points=0.5, hidden=True)
def test_q5_every_input_output_and_edge_counts(mode_cost):
    """An input that nothing uses, edges that lead to no output, an output listed twice: dense sweeps count them all"""
    from reference.inputs import ad_modes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q5", "idle")
    for _ in range(2):
        ad_modes.compare_costs(mode_cost, ad_modes.with_idle_nodes(random))


@test_case(points=0.5, hidden=True)
def test_q5_fewer_inputs_or_fewer_outputs(choose_mode):
    """Random graphs with fewer inputs, fewer outputs, and as many of both; outputs listed twice"""
    from adkit import checks

    from reference.ad_modes import choose_mode as reference
    from reference.inputs.ad_modes import structure, with_idle_nodes
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q5", "choice")
    wanted = ["forward", "reverse", "either", "forward", "reverse"]
    while wanted:
        inputs, outputs = (int(count) for count in random.integers(2, 6, size=2))
        graph = structure(random, inputs, 6, outputs)
        if reference(graph) == wanted[-1]:
            checks.equal(checks.call(choose_mode, graph), wanted.pop(), what="the mode")
    graph = with_idle_nodes(random)
    checks.equal(checks.call(choose_mode, graph), reference(graph), what="the mode for outputs listed twice")


@test_case(points=0.5, hidden=True)
def test_q5_no_edges_is_a_tie(choose_mode, mode_cost):
    """A graph without edges costs nothing in either mode"""
    from adkit import Graph, Node, checks

    graph = Graph([Node("input"), Node("input"), Node("const", (), 2.0)], inputs=(0, 1), outputs=(2,))
    checks.equal(checks.call(choose_mode, graph), "either", what="the mode without edges (both cost 0, a tie)")
