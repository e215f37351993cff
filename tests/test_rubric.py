"""The rubric on automatic differentiation, on the cells of a notebook and on live functions."""

import textwrap

import pytest
from adkit import autodiff_use as live

from autograder.checks.rubric import autodiff_use

USES = {
    "an attribute of jax": "import jax\ndef f(x):\n    return jax.grad(g)(x)",
    "another name of jax": "import jax as j\ndef f(x):\n    return j.vjp(g, x)",
    "another name of the function": "from jax import jacrev as J\ndef f(x):\n    return J(g)(x)",
    "an import within": "def f(x):\n    from jax import hessian\n    return hessian(g)(x)",
    "a module imported within": "def f(x):\n    import jax as j\n    return j.linearize(g, x)",
    "a star": "from jax import *\ndef f(x):\n    return value_and_grad(g)(x)",
    "a helper": "import jax\ndef helper(x):\n    return jax.jvp(g, (x,), (x,))\ndef f(x):\n    return helper(x)",
    "a helper defined later": "import jax\ndef f(x):\n    return h(x)\ndef h(x):\n    return jax.jacfwd(g)(x)",
    "a transformed function": "import jax\ndf = jax.grad(g)\ndef f(x):\n    return df(x)",
    "a name for the transformation": "import jax\nD = jax.grad\ndef f(x):\n    return D(g)(x)",
    "the assigned function itself": "import jax\nf = jax.jacobian(g)",
    "a lambda": "import jax\nf = lambda x: jax.grad(g)(x)",
    "a wrapped function": "import jax\ndef f(x):\n    return jax.grad(g)(x)\nf = jax.jit(f)",
    "an inner function": (
        "import jax\n@jax.jit\ndef f(x):\n    def inner(y):\n        return jax.grad(g)(y)\n    return inner(x)"
    ),
    "a custom rule's backward": (
        "import jax\n@jax.custom_vjp\ndef f(x):\n    return x\ndef fwd(x):\n    return x, x\n"
        "def bwd(x, y):\n    return (jax.vjp(g, x)[1](y),)\nf.defvjp(fwd, bwd)"
    ),
    "jet": "from jax.experimental import jet\ndef f(x):\n    return jet.jet(g, (x,), ((1.0,),))",
    "check_grads": "from jax.test_util import check_grads\ndef f(x):\n    check_grads(g, (x,), 1)",
    "within a condition": "import jax\nif True:\n    def f(x):\n        return jax.grad(g)(x)",
    "a class": (
        "import jax\nclass Tool:\n    def go(self, x):\n        return jax.grad(g)(x)\n"
        "def f(x):\n    return Tool().go(x)"
    ),
}

FREE = {
    "nothing of it": "def f(x):\n    return 2 * x",
    "a scratch cell": "import jax\ndef f(x):\n    return 2 * x\nassert jax.grad(g)(1.0) == f(1.0)",
    "a scratch variable of a local name": (
        "import jax\ngrad = jax.grad(g)(1.0)\ndef f(x):\n    grad = 2 * x\n    return grad"
    ),
    "a parameter of that name": "from jax import grad\ndef f(grad):\n    return grad(1.0)",
    "a comparison function": "import jax\ndef check():\n    return jax.grad(f)(1.0)\ndef f(x):\n    return x",
    "a custom rule": (
        "import jax\n@jax.custom_vjp\ndef f(x):\n    return x\nf.defvjp(lambda x: (x, x), lambda x, y: (y,))"
    ),
    "a function of the student's called grad": "def grad(x):\n    return 2 * x\ndef f(x):\n    return grad(x)",
    "np.gradient": "import numpy as np\ndef f(x):\n    return np.gradient(x)",
    "an earlier version": "import jax\ndef f(x):\n    return jax.grad(g)(x)\ndef f(x):\n    return 2 * x",
    "a string": "def f(x):\n    return 'jax.grad'",
    "an import that is not used": "from jax import grad, jit\n@jit\ndef f(x):\n    return 2 * x",
}


@pytest.mark.parametrize("what", USES)
def test_a_plain_use_is_found_in_the_cells(what):
    told = autodiff_use(["def g(x):\n    return x * x", USES[what]], "f")
    assert told is not None
    assert told.startswith("f uses jax.")


@pytest.mark.parametrize("what", FREE)
def test_what_is_no_use_costs_nothing_in_the_cells(what):
    assert autodiff_use(["def g(x):\n    return x * x", FREE[what]], "f") is None


@pytest.mark.parametrize("what", USES)
def test_a_plain_use_is_found_in_live_functions(what):
    namespace = {"__name__": "__main__"}
    exec("def g(x):\n    return x * x", namespace)
    exec(USES[what], namespace)
    if what == "a class":
        pytest.skip("methods are looked at in the cells only")
    told = live.autodiff_use(namespace["f"])
    assert told is not None
    assert "uses jax." in told


@pytest.mark.parametrize("what", FREE)
def test_what_is_no_use_costs_nothing_in_live_functions(what):
    namespace = {"__name__": "__main__"}
    exec("def g(x):\n    return x * x", namespace)
    exec(FREE[what], namespace)
    assert live.autodiff_use(namespace["f"]) is None


def test_cells_with_magics_are_read_and_cells_in_other_languages_skipped():
    cells = [
        "%load_ext autoreload\n%autoreload 2\nimport jax",
        "%%bash\nls -la | grep 'x",
        "!pip install something",
        "files = !ls\ndef f(x):\n    %time y = 1\n    return jax.grad(g)(x)",
    ]
    assert autodiff_use(cells, "f") is not None


def test_a_function_that_is_not_there_uses_nothing():
    assert autodiff_use(["import jax\njax.grad"], "f") is None


def test_the_last_definition_of_a_helper_counts():
    cells = [
        textwrap.dedent("""
            import jax
            def helper(x):
                return jax.grad(g)(x)
            def f(x):
                return helper(x)
        """),
        "def helper(x):\n    return 2 * x",
    ]
    assert autodiff_use(cells, "f") is None
    assert autodiff_use(cells[:1], "f") is not None


def test_mutually_recursive_helpers_come_to_an_end():
    cells = ["def f(x):\n    return h(x)", "def h(x):\n    return f(x)"]
    assert autodiff_use(cells, "f") is None


def test_every_name_exists_in_jax_or_in_a_later_version():
    import importlib

    import jax

    assert jax.grad
    for name in live.NAMES - {"jax.fwd_and_bwd", "jax.test_util.check_vjp", "jax.test_util.check_jvp"}:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
