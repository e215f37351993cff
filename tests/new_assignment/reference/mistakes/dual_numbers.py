"""Known mistakes of `dual_numbers`."""

from reference.mistakes import Catalogue

MISTAKES = Catalogue("dual_numbers")

q1 = MISTAKES.question("q1")

q1.edit(
    "multiply__tangents_multiplied",
    ("a[1] * b[0] + a[0] * b[1]", "a[1] * b[1]"),
    says="The tangent of a product is not the product of the tangents.",
    openly=True,
)
q1.edit(
    "divide__wrong_sign",
    ("a[1] * b[0] - a[0] * b[1]", "a[0] * b[1] - a[1] * b[0]"),
    says="The tangent of the quotient has the wrong sign.",
    openly=True,
)
