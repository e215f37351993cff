"""q1: Products and quotients."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(points=0.5)
def test_q1_product_at_a_point(multiply):
    """(3, 1) times (5, 2)"""
    from adkit import checks

    checks.close(checks.call(multiply, [3.0, 1.0], [5.0, 2.0], returns=2), [15.0, 11.0], rtol=1e-12, what="the product")


@test_case(points=0.75)
def test_q1_quotient_at_a_point(divide):
    """(3, 1) by (4, 2)"""
    from adkit import checks

    checks.close(
        checks.call(divide, [3.0, 1.0], [4.0, 2.0], returns=2), [0.75, -0.125], rtol=1e-12, what="the quotient"
    )


@test_case(points=0.75, hidden=True)
def test_q1_random_products(multiply):
    """Products of random dual numbers"""
    from reference.inputs import dual_numbers
    from reference.inputs.seeds import rng

    dual_numbers.compare(multiply, "multiply", rng("dual_numbers", "q1", "products"))


@test_case(points=1, hidden=True)
def test_q1_random_quotients(divide):
    """Quotients of random dual numbers"""
    from reference.inputs import dual_numbers
    from reference.inputs.seeds import rng

    dual_numbers.compare(divide, "divide", rng("dual_numbers", "q1", "quotients"))
