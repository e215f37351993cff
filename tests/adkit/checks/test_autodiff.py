"""The rubric on automatic differentiation: one rule, for the grader and for a student's own checks."""

import textwrap
from typing import Any

import jax
import numpy as np
import pytest
from adkit import checks
from adkit.checks.autodiff import NAMES, autodiff_use, own_reverse_rule, reading

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
    "a forward rule with a decorator": (
        "import jax\n@jax.custom_jvp\ndef f(x):\n    return x\n"
        "@f.defjvp\ndef rule(p, t):\n    return f(*p), jax.grad(g)(*p)"
    ),
    "a forward rule with options": (
        "import jax\nfrom functools import partial\n@jax.custom_jvp\ndef f(x):\n    return x\n"
        "@partial(f.defjvp, symbolic_zeros=True)\ndef rule(p, t):\n    return f(*p), jax.grad(g)(*p)"
    ),
    "another type's own function": (
        "import jax\nfrom functools import singledispatch\n@singledispatch\ndef f(x):\n    return x\n"
        "@f.register\ndef _(x: float):\n    return jax.grad(g)(x)"
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
    "a decorator with an argument, of a scratch function too": (
        "import jax\ndef timed(n):\n    return lambda h: h\n@timed(3)\ndef f(x):\n    return 2 * x\n"
        "@timed(3)\ndef check(x):\n    return jax.grad(g)(x)"
    ),
    "a decorator of an object, of a scratch function too": (
        "import jax\nclass Log:\n    def kept(self, h):\n        return h\nlog = Log()\n"
        "@log.kept\ndef f(x):\n    return 2 * x\n@log.kept\ndef check(x):\n    return jax.grad(g)(x)"
    ),
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


SETUP = "import jax\ndef g(x):\n    return x * x"
DECIDED_BY_THE_CODE = {
    # what running the code would say otherwise: the function would do without it, or nobody can see it in the code
    "a constant that was made with it": ("slope = float(jax.grad(g)(1.0))\ndef f(x):\n    return slope * x", True),
    "code that never runs": ("def f(x):\n    if False:\n        return jax.grad(g)(x)\n    return 2 * x", True),
    "the last of two branches": (
        "if 1 < 2:\n    def f(x):\n        return 2 * x\nelse:\n    def f(x):\n        return jax.grad(g)(x)",
        True,
    ),
    "a method": (
        "class T:\n    def go(self, x):\n        return jax.grad(g)(x)\nt = T()\ndef f(x):\n    return t.go(x)",
        True,
    ),
    "a dictionary": ("tools = {'d': jax.grad}\ndef f(x):\n    return tools['d'](g)(x)", True),
    "a list": ("steps = [jax.grad(g)]\ndef f(x):\n    return steps[0](x)", True),
    "a default": ("def f(x, d=jax.grad(g)):\n    return d(x)", True),
    "partial": ("from functools import partial\nf = partial(jax.jvp, g)", True),
    "an object's attribute": (
        "import types\nm = types.SimpleNamespace(grad=jax.grad)\ndef f(x):\n    return m.grad(g)(x)",
        True,
    ),
    "an attribute of the function": ("def f(x):\n    return f.d(x)\nf.d = jax.grad(g)", True),
    "a loop's variable": ("for D in [jax.grad]:\n    pass\ndef f(x):\n    return D(g)(x)", False),
    "a global bound elsewhere": (
        "def f(x):\n    return 2 * x\ndef change():\n    global f\n    f = jax.grad(g)\nchange()",
        False,
    ),
    "code in a string": ("exec('def f(x):\\n    return jax.grad(g)(x)')", False),
    "a private name of JAX": ("from jax._src.api import grad as d\ndef f(x):\n    return d(g)(x)", False),
}


@pytest.mark.parametrize("what", DECIDED_BY_THE_CODE)
def test_where_the_code_and_what_runs_differ_the_code_decides(what):
    code, used = DECIDED_BY_THE_CODE[what]
    assert (autodiff_use([SETUP, code], "f") is not None) is used


@pytest.mark.parametrize("what", USES)
def test_a_student_s_check_says_what_the_grader_will_say(what):
    cells = ["def g(x):\n    return x * x", USES[what]]
    with reading(cells), pytest.raises(checks.StudentError) as told:
        checks.call(named_f, 1.0)
    assert told.value.message == autodiff_use(cells, "f")


@pytest.mark.parametrize("what", FREE)
def test_a_student_s_check_says_nothing_of_what_is_no_use(what):
    with reading(["def g(x):\n    return x * x", FREE[what]]):
        assert checks.call(named_f, 1.0) == 1.0


def test_where_no_cells_are_known_nothing_is_said_of_them():
    assert checks.call(named_f, 1.0) == 1.0


def named_f(x):
    return x


named_f.__name__ = "f"


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

    for name in NAMES - {"jax.fwd_and_bwd", "jax.test_util.check_vjp", "jax.test_util.check_jvp"}:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


RULE = """
import jax
import jax.numpy as jnp
def forward(A, b): return jnp.linalg.solve(A, b), (A, b)
def backward(kept, x_bar): return kept
"""
HAS_A_RULE = {
    "a decorator": "@jax.custom_vjp\ndef f(A, b): return b\nf.defvjp(forward, backward)",
    "a call": "def g(A, b): return b\nf = jax.custom_vjp(g)\nf.defvjp(forward, backward)",
    "an alias": "from jax import custom_vjp as cv\n@cv\ndef f(A, b): return b\nf.defvjp(forward, backward)",
    "another name for it": "own = jax.custom_vjp\nf = own(lambda A, b: b)\nf.defvjp(forward, backward)",
    "partial": (
        "from functools import partial\n@partial(jax.custom_vjp, nondiff_argnums=())\ndef f(A, b): return b\n"
        "f.defvjp(forward, backward)"
    ),
    "a partial with a name": (
        "import functools as ft\nrule = ft.partial(jax.custom_vjp, nondiff_argnums=())\n"
        "@rule\ndef f(A, b): return b\nf.defvjp(forward, backward)"
    ),
    "a helper": (
        "@jax.custom_vjp\ndef inner(A, b): return b\ninner.defvjp(forward, backward)\n"
        "def f(A, b): return inner(jnp.asarray(A), b)"
    ),
    "a helper with another name": (
        "@jax.custom_vjp\ndef inner(A, b): return b\ninner.defvjp(forward, backward)\nf = inner"
    ),
    "a factory": (
        "def make(way):\n    @jax.custom_vjp\n    def solve(A, b): return b\n    solve.defvjp(forward, backward)\n"
        "    return solve\nf = make('lu')"
    ),
    "a factory called within": (
        "def make():\n    solve = jax.custom_vjp(lambda A, b: b)\n    solve.defvjp(forward, backward)\n"
        "    return solve\ndef f(A, b): return make()(A, b)"
    ),
    "an import within": (
        "def make():\n    from jax import custom_vjp as c\n    s = c(lambda A, b: b)\n"
        "    s.defvjp(forward, backward)\n    return s\nf = make()"
    ),
    "a class": (
        "class Solver:\n    def __init__(self):\n        self.rule = jax.custom_vjp(lambda A, b: b)\n"
        "        self.rule.defvjp(forward, backward)\n    def solve(self, A, b): return self.rule(A, b)\n"
        "f = Solver().solve"
    ),
    "a static method": (
        "class Solver:\n    @staticmethod\n    def solve(A, b): return rule(A, b)\n"
        "rule = jax.custom_vjp(lambda A, b: b)\nrule.defvjp(forward, backward)\ndef f(A, b): return Solver.solve(A, b)"
    ),
    "an object that is called": (
        "class Solver:\n    def __init__(self):\n        self.rule = jax.custom_vjp(lambda A, b: b)\n"
        "        self.rule.defvjp(forward, backward)\n    def __call__(self, A, b): return self.rule(A, b)\n"
        "f = Solver()"
    ),
    "a decorator of one's own": (
        "def own_rule(g):\n    ruled = jax.custom_vjp(g)\n    ruled.defvjp(forward, backward)\n    return ruled\n"
        "@own_rule\ndef f(A, b): return b"
    ),
    "jit around it": (
        "@jax.jit\n@jax.custom_vjp\ndef g(A, b): return b\nh = jax.custom_vjp(lambda A, b: b)\n"
        "h.defvjp(forward, backward)\nf = jax.jit(h)"
    ),
    "custom_gradient": "@jax.custom_gradient\ndef f(A, b): return b, lambda x_bar: (A, x_bar)",
    "custom_linear_solve": (
        "def f(A, b):\n    matvec = lambda x: A @ x\n    solve = lambda _, r: jnp.linalg.solve(A, r)\n"
        "    back = lambda _, r: jnp.linalg.solve(A.T, r)\n"
        "    return jax.lax.custom_linear_solve(matvec, b, solve, back)"
    ),
    "an imported custom_linear_solve": (
        "from jax.lax import custom_linear_solve as cls\ndef f(A, b):\n"
        "    return cls(lambda x: A @ x, b, lambda _, r: jnp.linalg.solve(A, r), lambda _, r: jnp.linalg.solve(A.T, r))"
    ),
    "one of two branches": (
        "if True:\n    @jax.custom_vjp\n    def f(A, b): return b\n    f.defvjp(forward, backward)\n"
        "else:\n    def f(A, b): return b"
    ),
    "an attempt": (
        "try:\n    @jax.custom_vjp\n    def f(A, b): return b\n    f.defvjp(forward, backward)\n"
        "except AttributeError:\n    def f(A, b): return b"
    ),
    "getattr": "f = getattr(jax, 'custom_vjp')(lambda A, b: b)\nf.defvjp(forward, backward)",
    "a walrus": "(f := jax.custom_vjp(lambda A, b: b)).defvjp(forward, backward)",
    "what collects functions": (
        "class Rules(dict):\n    def add(self, g):\n        self['f'] = g\n        return g\nrules = Rules()\n"
        "@rules.add\n@jax.custom_vjp\ndef own(A, b): return b\nown.defvjp(forward, backward)\nf = rules['f']"
    ),
    "a dictionary": (
        "rules = {}\nrules['f'] = jax.custom_vjp(lambda A, b: b)\nrules['f'].defvjp(forward, backward)\nf = rules['f']"
    ),
}
HAS_NONE = {
    "JAX's own solve": "def f(A, b): return jnp.linalg.solve(A, b)",
    "another name for JAX's own": "f = jnp.linalg.solve",
    "JAX's own, imported": "from jax.numpy.linalg import solve as f",
    "a rule elsewhere": (
        "@jax.custom_vjp\ndef other(A, b): return b\nother.defvjp(forward, backward)\n"
        "def f(A, b): return jnp.linalg.solve(A, b)"
    ),
    "a rule that is overwritten": (
        "@jax.custom_vjp\ndef f(A, b): return b\nf.defvjp(forward, backward)\n"
        "def f(A, b): return jnp.linalg.solve(A, b)"
    ),
    "a forward rule": "@jax.custom_jvp\ndef f(A, b): return b\nf.defjvp(lambda p, t: (p[1], t[1]))",
    "a comment": "def f(A, b):\n    # jax.custom_vjp\n    return jnp.linalg.solve(A, b)",
    "an exception's text": "def f(A, b): raise TypeError('cannot apply forward mode to a custom_vjp function')",
    "factors of one's own": (
        "from jax.scipy.linalg import lu_factor, lu_solve\ndef f(A, b): return lu_solve(lu_factor(A), b)"
    ),
}


@pytest.mark.parametrize("what", HAS_A_RULE)
def test_a_rule_of_one_s_own_is_found_in_the_cells(what):
    assert own_reverse_rule([RULE, HAS_A_RULE[what]], "f") is not False


@pytest.mark.parametrize("what", HAS_NONE)
def test_what_has_no_rule_of_its_own_is_not_taken_for_one_in_the_cells(what):
    assert own_reverse_rule([RULE, HAS_NONE[what]], "f") is False


def live_function(code):
    """The function f of the code; under this name, as a case knows it, whatever its own is."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(RULE, namespace)
    exec(code, namespace)

    def f(*args):
        return namespace["f"](*args)

    return f


MATRIX = np.array([[2.0, 1.0], [0.0, 4.0]]), np.ones(2)


@pytest.mark.parametrize("what", HAS_A_RULE)
def test_a_rule_of_one_s_own_passes_in_the_notebook(what):
    with reading([RULE, HAS_A_RULE[what]]):
        checks.has_own_reverse_rule(live_function(HAS_A_RULE[what]), *MATRIX)


@pytest.mark.parametrize("what", HAS_NONE)
def test_what_has_no_rule_of_its_own_is_told_so_in_the_notebook(what):
    f = live_function(HAS_NONE[what])
    with reading([RULE, HAS_NONE[what]]), pytest.raises(checks.CheckError, match="has no reverse rule of its own"):
        checks.has_own_reverse_rule(f, *MATRIX)


def test_of_a_function_that_is_in_no_cell_the_trace_decides():
    @jax.jit
    def with_a_rule(A, b):
        return live_function(HAS_A_RULE["a helper"])(A, b)

    checks.has_own_reverse_rule(with_a_rule, *MATRIX)
    for without in (live_function(HAS_NONE["JAX's own solve"]), live_function(HAS_NONE["a forward rule"])):
        with pytest.raises(checks.CheckError, match="has no reverse rule of its own"):
            checks.has_own_reverse_rule(without, *MATRIX)


def test_a_rule_in_a_cell_with_an_error_in_it_is_found():
    cells = [RULE, "1 +* 2\n@jax.custom_vjp\ndef f(A, b): return b\nf.defvjp(forward, backward)"]
    assert own_reverse_rule(cells, "f")


def test_a_rule_in_a_module_that_a_cell_writes_is_found():
    written = "%%writefile rules.py\nimport jax\nf = jax.custom_vjp(lambda A, b: b)\nf.defvjp(None, None)"
    assert own_reverse_rule([written, "from rules import f"], "f")
    assert own_reverse_rule([written, "from rules import *"], "f")
    assert not own_reverse_rule([written, "from rules import *\ndef f(A, b): return b"], "f")


def test_of_a_function_whose_definition_is_not_seen_nothing_is_said():
    assert own_reverse_rule([RULE, "globals()['f'] = jax.custom_vjp(lambda A, b: b)"], "f") is None
