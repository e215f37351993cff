# %% [markdown]
# The product is right; the quotient is that of the values, and its tangent is left at 0.

# %% question="q1" points=1.25
def multiply(a, b):
    return a[0] * b[0], a[0] * b[1] + a[1] * b[0]


def divide(a, b):
    return a[0] / b[0], 0.0
