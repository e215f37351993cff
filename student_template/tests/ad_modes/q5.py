"""q5: What each mode costs."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(name="Problem 1: the full Jacobian of three weights and five losses costs 24 or 40", points=0.75)
def test_q5_cost_of_problem_1(mode_cost):
    """Problem 1: the full Jacobian of three weights and five losses costs 24 or 40"""
    import adkit
    from adkit import checks

    graph = adkit.figure_4()
    checks.equal(checks.call(mode_cost, graph, "forward"), 24, what='mode_cost(figure_4, "forward")')
    checks.equal(checks.call(mode_cost, graph, "reverse"), 40, what='mode_cost(figure_4, "reverse")')


@test_case(name="A mode that is neither \"forward\" nor \"reverse\": ValueError", points=0.5)
def test_q5_unknown_mode_is_an_error(mode_cost):
    """A mode that is neither "forward" nor "reverse": ValueError"""
    import adkit
    from adkit import checks

    for mode in ("sideways", "either", "Reverse", "forward mode", "for", "rev"):
        checks.raises(mode_cost, adkit.toy_graph(), mode, error="ValueError", when=f'the mode is "{mode}"')


@test_case(name="Problem 1 is for forward mode, the toy example for reverse mode, one input and one output for either", points=0.75)
def test_q5_the_cheaper_mode(choose_mode):
    """Problem 1 is for forward mode, the toy example for reverse mode, one input and one output for either"""
    import adkit
    import numpy as np
    from adkit import checks

    checks.equal(checks.call(choose_mode, adkit.figure_4()), "forward", what="choose_mode(figure_4)")
    checks.equal(checks.call(choose_mode, adkit.toy_graph()), "reverse", what="choose_mode(toy_graph)")
    square = adkit.trace(lambda x: np.sin(x) * x, 1)
    checks.equal(checks.call(choose_mode, square), "either", what="choose_mode of x sin x")
