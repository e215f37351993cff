"""q8: A test that catches bugs."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q8"
points = None


@test_case(points=0.5)
def test_q8_signs_and_factors(is_right):
    """A right implementation, one with the wrong sign and one with a factor of 2"""
    from adkit import checks
    from adkit.implementations import Implementation

    checks.accepts(is_right, Implementation(), "which returns arrays", repeat=True)
    checks.refuses(is_right, Implementation(spoiled="negated"), "in which x_bar has the wrong sign", repeat=True)
    checks.refuses(is_right, Implementation(spoiled="doubled"), "in which x_bar is twice as large as it should be")


@test_case(points=0.5)
def test_q8_cotangents(is_right):
    """A right implementation that returns lists, one that ignores the cotangents, and one that takes the first alone"""
    from adkit import checks
    from adkit.implementations import Implementation

    checks.accepts(is_right, Implementation(spoiled="lists"), "which returns lists")
    ignored = Implementation(spoiled="cotangents ignored")
    checks.refuses(is_right, ignored, "which ignores y_bar", without="cotangents_but_one")
    first = Implementation(spoiled="first output only")
    checks.refuses(is_right, first, "which uses the first cotangent alone", without="several_outputs")


@test_case(points=0.5)
def test_q8_answers_that_are_none(is_right):
    """A right implementation that returns tuples of whole numbers, one that returns nothing, and two with wrong y"""
    from adkit import checks
    from adkit.implementations import Implementation

    whole = Implementation(spoiled="tuples of whole numbers")
    checks.accepts(is_right, whole, "which returns tuples, and whole numbers where they are whole")
    checks.refuses(is_right, Implementation(spoiled="nothing"), "which returns None")
    checks.refuses(is_right, Implementation(spoiled="without values"), "in which every y is 0")
    checks.refuses(is_right, Implementation(spoiled="parts swapped"), "which returns x_bar first and y after it")


@test_case(points=0.5)
def test_q8_inputs_that_nothing_uses(is_right):
    """A right implementation, and one that leaves inputs out that nothing uses"""
    from adkit import checks
    from adkit.implementations import Implementation

    checks.accepts(is_right, Implementation(), "which returns arrays")
    left_out = Implementation(spoiled="unused inputs left out")
    checks.refuses(
        is_right, left_out, "whose x_bar has no entry for an input that nothing uses", without="unused_inputs"
    )


@test_case(points=0.25, hidden=True)
def test_q8_every_primitive(is_right):
    """Implementations in which the derivative of a single primitive is wrong"""
    from adkit import checks
    from adkit.implementations import Implementation, Program

    from reference import implementations
    from reference.inputs.ad_modes import judge

    judge(is_right, "lists", "primitives")
    # twice as much: x - x has the derivative 0 all the same, so that it takes a difference of two nodes to notice
    right = implementations.reference("ad_modes", "reverse_mode")
    for op in ("sub", "neg"):
        doubled = (
            f"right = local_partials\n"
            f"local_partials = lambda op, args: [(2 if op == {op!r} else 1) * d for d in right(op, args)]\n"
        )
        wrong = Implementation(Program(f"{right.source}\n\n\n{doubled}", right.name))
        checks.refuses(is_right, wrong, "in which the derivative of a single primitive is wrong")


@test_case(points=0.25, hidden=True)
def test_q8_mixed_up_cotangents(is_right):
    """Implementations that give a cotangent to the wrong output"""
    from reference.inputs.ad_modes import judge

    judge(is_right, "arrays", "cotangents")


@test_case(points=0.25, hidden=True)
def test_q8_several_users(is_right):
    """Implementations that lose something where a node has several users, or more than two arguments"""
    from reference.inputs.ad_modes import judge

    judge(is_right, "NumPy scalars", "several users")


@test_case(points=0.25, hidden=True)
def test_q8_order_and_number_of_entries(is_right):
    """Implementations whose x_bar has other entries than one for each input, in their order"""
    from reference.inputs.ad_modes import judge

    judge(is_right, "whole numbers", "entries")


@test_case(points=0.25, hidden=True)
def test_q8_outputs_listed_twice(is_right):
    """An implementation that takes an output for listed once"""
    from reference.inputs.ad_modes import judge

    judge(is_right, "arrays", "listed twice")


@test_case(points=0.25, hidden=True)
def test_q8_errors(is_right):
    """A right implementation, and one that raises an error on a graph that is right"""
    from reference.inputs.ad_modes import judge

    judge(is_right, "what is needed", "errors")


@test_case(points=0.5, hidden=True)
def test_q8_outputs_that_feed_others(is_right):
    """Implementations that are wrong where an output feeds other nodes"""
    from reference.inputs.ad_modes import judge

    judge(is_right, "what is needed", "inner outputs")


@test_case(points=0.5, hidden=True)
def test_q8_repeated_factors(is_right):
    """Implementations that are wrong where a node is multiplied by itself"""
    from reference.inputs.ad_modes import judge

    judge(is_right, "NumPy scalars", "repeated factors")


@test_case(points=0.5, hidden=True)
def test_q8_repeated_arguments_of_differences_and_quotients(is_right):
    """An implementation that is wrong where a node is subtracted from itself, or divided by itself"""
    from reference.inputs.ad_modes import judge

    judge(is_right, "whole numbers", "repeated in differences")
