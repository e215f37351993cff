"""The vault's references. CANARY-REFERENCE-5f0c"""


def twice(x):
    return 2 * x


def energy(x):
    return 0.5 * (x * x).sum()


def at_one(f, x):
    return f(x)
