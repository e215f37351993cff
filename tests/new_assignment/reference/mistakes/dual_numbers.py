"""Known mistakes of `dual_numbers`."""

from reference.mistakes import mistake


@mistake(question="q1", says="The tangent of a product is not the product of the tangents.", openly=True)
def multiply__tangents_multiplied(a, b):
    return a[0] * b[0], a[1] * b[1]


@mistake(question="q1", says="The tangent of the quotient has the wrong sign.", openly=True)
def divide__wrong_sign(a, b):
    return a[0] / b[0], (a[0] * b[1] - a[1] * b[0]) / b[0] ** 2
