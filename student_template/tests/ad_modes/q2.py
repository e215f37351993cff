"""q2: Local partial derivatives."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(name="add (of two and of three), sub and neg at a point", points=0.5)
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


@test_case(name="input and const have no arguments, so no partials: ()", points=0.25)
def test_q2_leaves_have_no_partials(local_partials):
    """input and const have no arguments, so no partials: ()"""
    from adkit import checks

    for op in ("input", "const"):
        partials = checks.call(local_partials, op, [])
        checks.close(partials, [], rtol=1e-12, what=f"local_partials({op!r}, [])")


@test_case(name="An op that does not exist: ValueError", points=0.5)
def test_q2_unknown_op_is_an_error(local_partials):
    """An op that does not exist: ValueError"""
    from adkit import checks

    checks.raises(local_partials, "cosh", [0.5], error="ValueError", when="the op is unknown")
