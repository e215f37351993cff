"""q1: The toy example by hand."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(points=0.75)
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


@test_case(points=0.75)
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


@test_case(points=1.25, hidden=True)
def test_q1_forward_trace_in_any_direction(toy_forward):
    """toy_forward at points of either sign, one with a zero, in random directions and along each input"""
    from adkit import checks

    from reference.ad_modes import toy_forward as reference
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q1", "forward")
    near, far = random.uniform(0.3, 1.4, 3), random.uniform(1.7, 2.5, 2)  # beyond pi/2 the cosine is negative
    sizes, directions = random.uniform(0.3, 2.5, 4), random.uniform(0.3, 2.5, 6) * random.choice([-1, 1], 6)
    for x1, x2, dx1, dx2 in (
        (near[0], -sizes[0], directions[0], directions[1]),
        (-far[0], sizes[1], directions[2], directions[3]),
        (-near[1], -sizes[2], 1.0, 0.0),
        (far[1], sizes[3], 0.0, 1.0),
        (near[2], 0.0, directions[4], directions[5]),
        (near[2], 0.0, directions[5], directions[4]),  # nothing of the point before may be kept
    ):
        x1, x2, dx1, dx2 = float(x1), float(x2), float(dx1), float(dx2)
        pairs = checks.call(toy_forward, x1, x2, dx1, dx2, returns=5)
        # atol: terms of up to 6 may cancel, each with a few roundings of 1e-16
        expected = reference(x1, x2, dx1, dx2)
        checks.close(pairs, expected, rtol=1e-12, atol=1e-13, scale="entry", what="the (value, tangent) pairs")


@test_case(points=1.25, hidden=True)
def test_q1_reverse_trace_at_any_point(toy_reverse):
    """toy_reverse at points of either sign, some with a zero"""
    from adkit import checks

    from reference.ad_modes import toy_reverse as reference
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q1", "reverse")
    near, far = random.uniform(0.3, 1.4, 3), random.uniform(1.7, 2.5, 2)  # beyond pi/2 the cosine is negative
    sizes = random.uniform(0.3, 2.5, 5)
    for x1, x2 in (
        (near[0], -sizes[0]),
        (-far[0], sizes[1]),
        (-near[1], -sizes[2]),
        (far[1], sizes[3]),
        (near[2], 0.0),
        (0.0, sizes[4]),
        (near[0], sizes[4]),  # nothing of the first point may be kept
    ):
        x1, x2 = float(x1), float(x2)
        adjoints = checks.call(toy_reverse, x1, x2, returns=5)
        checks.close(adjoints, reference(x1, x2), rtol=1e-12, atol=1e-13, scale="entry", what="the adjoints")
