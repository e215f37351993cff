"""q7: Elimination orders."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q7"
points = None


@test_case(points=1)
def test_q7_cheaper_than_both_modes(elimination_order):
    """Two graphs where both modes lose"""
    from adkit import Graph, Node, checks
    from adkit.checks import elimination

    hourglasses = [
        *(Node("input") for _ in range(3)),
        Node("add", (0, 1, 2)),
        *(Node("sin", (3,)), Node("cos", (3,)), Node("exp", (3,))),
        Node("add", (4, 5, 6)),
        *(Node("sin", (7,)), Node("cos", (7,)), Node("exp", (7,))),
    ]
    products = [(0, 1), (0, 3), (3, 4), (5, 2), (3, 5), (5, 6), (5, 6)]
    for graph, both in (
        (Graph(hourglasses, inputs=(0, 1, 2), outputs=(8, 9, 10)), 27),
        (Graph([Node("input")] * 3 + [Node("mul", args) for args in products], (0, 1, 2), (7, 8, 9)), 22),
    ):
        answer = checks.call(elimination_order, graph)
        order, cost = elimination.order_and_cost(answer, graph)
        if cost >= both:
            checks.fail(
                f"forward and reverse order cost {both} multiplications each, your order {order} "
                f"costs {cost}, and there is a cheaper one",
                answer=answer,
            )


@test_case(points=1)
def test_q7_never_worse_than_the_best_of_three(elimination_order):
    """Three graphs, on which forward, reverse and the greedy Markowitz order win in turn"""
    from adkit import Graph, Node, checks
    from adkit.checks import elimination

    for products, outputs, least in (
        ([(0, 1), (0, 1), (1, 4), (5, 3), (6, 4), (4, 7), (6, 7), (7, 5)], (8, 9, 10), 22),
        ([(0, 1), (2, 3), (3, 4), (3, 5), (5, 4), (6, 4), (5, 7), (7, 8), (7, 6)], (9, 10, 11), 30),
        ([(0, 1), (0, 3), (3, 4), (5, 2), (3, 5), (5, 6), (5, 6)], (7, 8, 9), 16),
    ):
        graph = Graph([Node("input")] * 3 + [Node("mul", args) for args in products], (0, 1, 2), outputs)
        answer = checks.call(elimination_order, graph)
        order, cost = elimination.order_and_cost(answer, graph)
        if cost > least:
            checks.fail(
                f"the best of forward, reverse and greedy Markowitz costs {least} multiplications here, your order "
                f"{order} costs {cost}",
                answer=answer,
            )


@test_case(points=1.5, hidden=True)
def test_q7_cheaper_than_both_modes_on_random_graphs(elimination_order):
    """Random graphs on which the greedy Markowitz order beats forward and reverse"""
    from adkit import checks
    from adkit.checks import elimination

    from reference.inputs.ad_modes import rival_costs, won_by
    from reference.inputs.seeds import rng

    for graph in won_by(rng("ad_modes", "q7", "both"), "markowitz", 6):
        answer = checks.call(elimination_order, graph)
        _, cost = elimination.order_and_cost(answer, graph)
        costs = rival_costs(graph)
        if cost >= min(costs.forward, costs.reverse):
            checks.fail(
                "the order is not cheaper than both modes, where a cheaper one exists", answer=answer, kind="too costly"
            )


@test_case(points=1.5, hidden=True)
def test_q7_never_worse_on_random_graphs(elimination_order):
    """Random graphs, some with constants or outputs that feed others, one with nothing to eliminate: never above
    the best of forward, reverse and Markowitz
    """
    from adkit import Graph, Node, checks
    from adkit.checks import elimination

    from reference.inputs.ad_modes import rival_costs, with_constants, with_inner_outputs, won_by
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q7", "never worse")
    graphs = [graph for winner in ("forward", "reverse", "markowitz") for graph in won_by(random, winner, 4)]
    direct = Graph([Node("input"), Node("input"), Node("mul", (0, 1)), Node("sin", (1,))], (0, 1), (2, 3, 0))
    # eleven vertices for which greedy costs 46, forward 68, reverse 48; to look one or seven vertices ahead costs more
    products = [(2, 1), (0, 3), (2, 4), (3, 4), (3, 6), (4, 3), (7, 5), (6, 7), (6, 8), (11, 8), (10, 11), (12, 10)]
    nodes = [Node("input")] * 3 + [Node("mul", args) for args in [*products, (14, 10), (13, 14)]]
    short_sighted = Graph(nodes, (0, 1, 2), (9, 15, 16))
    for graph in [*graphs, *with_inner_outputs(random, 4), *with_constants(random, 3), direct, short_sighted]:
        answer = checks.call(elimination_order, graph)
        _, cost = elimination.order_and_cost(answer, graph)
        costs = rival_costs(graph)
        if cost > costs.least:
            name = next(name for name in ("forward", "reverse", "markowitz") if getattr(costs, name) == costs.least)
            checks.fail(
                f"the order costs more than the {name} order on one of the graphs", answer=answer, kind="too costly"
            )
