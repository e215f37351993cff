"""The vault's references. CANARY-REFERENCE-5f0c"""


def twice(x):
    return 2 * x


def energy(x):
    return 0.5 * (x * x).sum()


def at_one(f, x):
    return f(x)


def judges(implementation):
    from adkit import Graph, Node

    _, x_bar = implementation(Graph([Node("input")], [0], [0]), [2.0], [3.0])
    return x_bar == [3.0]
