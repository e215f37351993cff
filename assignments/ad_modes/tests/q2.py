"""q2: Local partial derivatives."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(points=0.5)
def test_q2_sums_and_differences(local_partials):
    """add (of two and of three), sub and neg at a point"""
    from adkit import checks

    for op, args, expected in (
        ("add", [1.5, -0.5], [1.0, 1.0]),
        ("add", [1.5, -0.5, 2.5], [1.0, 1.0, 1.0]),
        ("sub", [1.5, -0.5], [1.0, -1.0]),
        ("neg", [1.5], [-1.0]),
    ):
        partials = checks.call(local_partials, op, args)
        checks.close(partials, expected, rtol=1e-12, what=f"local_partials({op!r}, {args})")


@test_case(points=0.25)
def test_q2_leaves_have_no_partials(local_partials):
    """input and const have no arguments, so no partials: ()"""
    from adkit import checks

    for op in ("input", "const"):
        partials = checks.call(local_partials, op, [])
        checks.close(partials, [], rtol=1e-12, what=f"local_partials({op!r}, [])")


@test_case(points=0.5)
def test_q2_unknown_op_is_an_error(local_partials):
    """An op that does not exist: ValueError"""
    from adkit import checks

    checks.raises(local_partials, "cosh", [0.5], error="ValueError", when="the op is unknown")


@test_case(points=0.5, hidden=True)
def test_q2_product_and_quotient(local_partials):
    """mul and div at random arguments of either sign, and where the first one is 0"""
    import numpy as np
    from adkit import checks

    from reference.ad_modes import local_partials as reference
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q2", "product")
    for op in ("mul", "div"):
        for sign in (1, -1, 0):
            args = [float(entry) for entry in random.uniform(0.5, 3.0, 2) * np.array([sign, -sign or 1])]
            partials = checks.call(local_partials, op, args)
            checks.close(partials, reference(op, args), rtol=1e-12, scale="entry", what=f"partials of {op}")


@test_case(points=0.5, hidden=True)
def test_q2_exponential_logarithm_and_root(local_partials):
    """exp, log and sqrt at random arguments, above and below 1"""
    from adkit import checks

    from reference.ad_modes import local_partials as reference
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q2", "exponential")
    for op in ("exp", "log", "sqrt"):
        for low, high in ((1.5, 4.0), (0.2, 0.8)):
            args = [float(random.uniform(low, high))]
            partials = checks.call(local_partials, op, args)
            checks.close(partials, reference(op, args), rtol=1e-12, scale="entry", what=f"the partial of {op}")


@test_case(points=0.75, hidden=True)
def test_q2_sine_cosine_and_hyperbolic_tangent(local_partials):
    """sin, cos and tanh at random arguments of either sign"""
    from adkit import checks

    from reference.ad_modes import local_partials as reference
    from reference.inputs.seeds import rng

    random = rng("ad_modes", "q2", "trigonometric")
    for op in ("sin", "cos", "tanh"):
        for sign in (1, -1):
            args = [float(sign * random.uniform(0.3, 1.2))]
            partials = checks.call(local_partials, op, args)
            checks.close(partials, reference(op, args), rtol=1e-12, scale="entry", what=f"the partial of {op}")
