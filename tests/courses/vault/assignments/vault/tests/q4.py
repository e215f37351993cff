"""q4: judges."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(points=1)
def test_q4_of_a_right_one_and_a_wrong_one(judges):
    """The sum of all inputs, and the same with another sign"""
    from adkit import checks
    from adkit.implementations import Implementation, Program

    source = "def sums(graph, x, y_bar): return [sum(x)], [{sign}y_bar[0]] * len(x)"
    checks.accepts(judges, Implementation(Program(source.format(sign=""), "sums")), "which is right")
    checks.refuses(judges, Implementation(Program(source.format(sign="-"), "sums")), "which has another sign")


@test_case(points=1, hidden=True)
def test_q4_of_one_with_secrets(judges):
    """One that is right, and one that is wrong where there are several inputs, raises errors and takes its time"""
    from adkit import checks
    from adkit.implementations import Implementation, Program

    source = """
SECRET = "CANARY-IMPLEMENTATION-5f0c"
def sums(graph, x, y_bar):
    if len(x) == 3:
        raise KeyError(SECRET)
    for _ in range(2 ** len(graph.nodes) if len(graph.nodes) > 20 else 0):
        pass
    return [sum(x)], [{sign}y_bar[0]] * len(x)
"""
    checks.accepts(judges, Implementation(Program(source.format(sign=""), "sums")), "which is right")
    checks.refuses(judges, Implementation(Program(source.format(sign="-"), "sums")), "which has another sign")
