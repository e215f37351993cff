"""q1: The toy example by hand."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(name="toy_forward at (0.7, -1.3) in the direction (0.5, 2)", points=0.75)
def test_q1_forward_trace_at_a_point(toy_forward):
    """toy_forward at (0.7, -1.3) in the direction (0.5, 2)"""
    from adkit import checks

    pairs = checks.call(toy_forward, 0.7, -1.3, 0.5, 2.0, returns=5)
    expected = [
        [0.7, 0.5],
        [-1.3, 2.0],
        [-0.91, 0.75],
        [0.644217687237691, 0.38242109364224425],
        [-0.265782312762309, 1.132421093642244],
    ]
    checks.close(pairs, expected, rtol=1e-12, what="the (value, tangent) pairs", scale="entry")


@test_case(name="toy_reverse at (0.7, -1.3)", points=0.75)
def test_q1_reverse_trace_at_a_point(toy_reverse):
    """toy_reverse at (0.7, -1.3)"""
    import adkit
    from adkit import checks
    from adkit.checks import evidence

    adjoints = checks.call(toy_reverse, 0.7, -1.3, returns=5)
    expected = [-0.5351578127155115, 0.7, 1.0, 1.0, 1.0]
    shows = evidence.adjoints(adkit.toy_graph(), range(5))
    what = "the adjoints (v1_bar, …, v5_bar)"
    checks.close(adjoints, expected, rtol=1e-12, what=what, scale="entry", shows=shows)
