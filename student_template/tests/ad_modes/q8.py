"""q8: A test that catches bugs."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q8"
points = None


@test_case(name="A right implementation, one with the wrong sign and one with a factor of 2", points=0.5)
def test_q8_signs_and_factors(is_right):
    """A right implementation, one with the wrong sign and one with a factor of 2"""
    from adkit import checks
    from adkit.implementations import Implementation

    checks.accepts(is_right, Implementation(), "which returns arrays", repeat=True)
    checks.refuses(is_right, Implementation(spoiled="negated"), "in which x_bar has the wrong sign", repeat=True)
    checks.refuses(is_right, Implementation(spoiled="doubled"), "in which x_bar is twice as large as it should be")


@test_case(name="A right implementation that returns lists, one that ignores the cotangents, and one that takes the first alone", points=0.5)
def test_q8_cotangents(is_right):
    """A right implementation that returns lists, one that ignores the cotangents, and one that takes the first alone"""
    from adkit import checks
    from adkit.implementations import Implementation

    checks.accepts(is_right, Implementation(spoiled="lists"), "which returns lists")
    ignored = Implementation(spoiled="cotangents ignored")
    checks.refuses(is_right, ignored, "which ignores y_bar", without="cotangents_but_one")
    first = Implementation(spoiled="first output only")
    checks.refuses(is_right, first, "which uses the first cotangent alone", without="several_outputs")


@test_case(name="A right implementation that returns tuples of whole numbers, one that returns nothing, and two with wrong y", points=0.5)
def test_q8_answers_that_are_none(is_right):
    """A right implementation that returns tuples of whole numbers, one that returns nothing, and two with wrong y"""
    from adkit import checks
    from adkit.implementations import Implementation

    whole = Implementation(spoiled="tuples of whole numbers")
    checks.accepts(is_right, whole, "which returns tuples, and whole numbers where they are whole")
    checks.refuses(is_right, Implementation(spoiled="nothing"), "which returns None")
    checks.refuses(is_right, Implementation(spoiled="without values"), "in which every y is 0")
    checks.refuses(is_right, Implementation(spoiled="parts swapped"), "which returns x_bar first and y after it")


@test_case(name="A right implementation, and one that leaves inputs out that nothing uses", points=0.5)
def test_q8_inputs_that_nothing_uses(is_right):
    """A right implementation, and one that leaves inputs out that nothing uses"""
    from adkit import checks
    from adkit.implementations import Implementation

    checks.accepts(is_right, Implementation(), "which returns arrays")
    left_out = Implementation(spoiled="unused inputs left out")
    checks.refuses(
        is_right, left_out, "whose x_bar has no entry for an input that nothing uses", without="unused_inputs"
    )
