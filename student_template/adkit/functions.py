"""Functions made of numbers: called with arrays, traced and differentiated by JAX in every way.

    f = adkit.Logistic(X, y, penalty=0.1)
    f(w); jax.grad(f)(w); jax.hessian(f)(w)

Each is a frozen dataclass of arrays and of plain structure (whole numbers, names). It is a pytree: `jax.tree.leaves(f)`
are its arrays. Functions are compared and hashed by identity, so `jax.jit(f)` works. What the grader hands to a
solution are such objects: they cross as data and are made again on the other side, so nothing executable crosses.
"""

# The types of jax.numpy are partly unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import operator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from adkit.graph import Graph, Node
from adkit.tracing.counts import MARK

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = [
    "Affine",
    "Contraction",
    "Equilibrium",
    "Function",
    "GraphFunction",
    "Kepler",
    "LogSumExp",
    "Logistic",
    "Marked",
    "NetworkLoss",
    "Quadratic",
    "ReverseMarked",
    "SparseMap",
    "Stencil",
    "TanhMap",
    "from_plain",
]

_KINDS: dict[str, type[Function]] = {}
Kind = TypeVar("Kind", bound="type[Function]")


class Function:
    """The base of all: arrays and other functions are leaves of the pytree, all else is its structure."""

    STATIC: ClassVar[tuple[str, ...]] = ()
    """Names of the fields that are structure."""

    def as_plain(self) -> dict[str, Any]:
        """{"kind": name, "arrays": {…}, "static": {…}, "functions": {…}}: what `from_plain` makes it again from."""
        parts: dict[str, dict[str, Any]] = {"arrays": {}, "static": {}, "functions": {}}
        for entry in fields(self):  # pyright: ignore[reportArgumentType]  (every kind is a dataclass)
            value = getattr(self, entry.name)
            if isinstance(value, Function):
                parts["functions"][entry.name] = value.as_plain()
            elif entry.name in self.STATIC:
                parts["static"][entry.name] = value
            else:
                parts["arrays"][entry.name] = np.asarray(value)
        return {"kind": type(self).__name__, **parts}


def from_plain(data: Any) -> Function:
    """The function that `as_plain` describes. Raises ValueError for an unknown kind."""
    if data["kind"] not in _KINDS:
        raise ValueError(f"there is no function {data['kind']!r}; there are {', '.join(sorted(_KINDS))}")
    inner = {name: from_plain(part) for name, part in data["functions"].items()}
    return _KINDS[data["kind"]](**data["arrays"], **data["static"], **inner)


def _registered(kind: Kind) -> Kind:
    names = [entry.name for entry in fields(kind)]  # pyright: ignore[reportArgumentType]
    leaves = [name for name in names if name not in kind.STATIC]

    def flatten(function: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(getattr(function, name) for name in leaves), tuple(getattr(function, name) for name in kind.STATIC)

    def unflatten(static: Any, children: Any) -> Any:
        made = object.__new__(kind)
        for name, value in (*zip(leaves, children, strict=True), *zip(kind.STATIC, static, strict=True)):
            object.__setattr__(made, name, value)
        return made

    jax.tree_util.register_pytree_node(kind, flatten, unflatten)
    _KINDS[kind.__name__] = kind
    return kind


@_registered
@dataclass(frozen=True, eq=False)
class Quadratic(Function):
    """f(x) = 1/2 x^T A x - b^T x, R^n -> R; A (n, n), b (n,)."""

    A: Float[ArrayLike, "n n"]
    b: Float[ArrayLike, " n"]

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, ""]:
        return 0.5 * jnp.vdot(x, jnp.asarray(self.A) @ x) - jnp.vdot(self.b, x)


@_registered
@dataclass(frozen=True, eq=False)
class Logistic(Function):
    """Regularised logistic regression, R^n -> R: the mean of log(1 + exp(-y_i X_i w)), plus penalty/2 ||w||^2.

    X (samples, n), y (samples,) of -1 and 1, penalty > 0.
    """

    X: Float[ArrayLike, "samples n"]
    y: Float[ArrayLike, " samples"]
    penalty: float | Float[ArrayLike, ""]

    def __call__(self, w: Float[Array, " n"]) -> Float[Array, ""]:
        margins = jnp.asarray(self.y) * (jnp.asarray(self.X) @ w)
        return jnp.mean(jnp.logaddexp(0.0, -margins)) + 0.5 * jnp.asarray(self.penalty) * jnp.vdot(w, w)


@_registered
@dataclass(frozen=True, eq=False)
class LogSumExp(Function):
    """f(x) = log(sum_i exp(A_i x + b_i)) + penalty/2 ||x||^2, R^n -> R, convex; A (k, n), b (k,)."""

    A: Float[ArrayLike, "k n"]
    b: Float[ArrayLike, " k"]
    penalty: float | Float[ArrayLike, ""]

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, ""]:
        terms = jnp.asarray(self.A) @ x + jnp.asarray(self.b)
        return jax.nn.logsumexp(terms) + 0.5 * jnp.asarray(self.penalty) * jnp.vdot(x, x)


@_registered
@dataclass(frozen=True, eq=False)
class Affine(Function):
    """f(x) = A x + b, R^n -> R^m."""

    A: Float[ArrayLike, "m n"]
    b: Float[ArrayLike, " m"]

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        return jnp.asarray(self.A) @ x + jnp.asarray(self.b)


@_registered
@dataclass(frozen=True, eq=False)
class TanhMap(Function):
    """f(x) = B tanh(A x + b), R^n -> R^m; A (k, n), b (k,), B (m, k)."""

    A: Float[ArrayLike, "k n"]
    b: Float[ArrayLike, " k"]
    B: Float[ArrayLike, "m k"]

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        return jnp.asarray(self.B) @ jnp.tanh(jnp.asarray(self.A) @ x + jnp.asarray(self.b))


@_registered
@dataclass(frozen=True, eq=False)
class Stencil(Function):
    """f_i(x) = a sin(x_i) + b x_i x_{i+1} + c x_{i-1}^2 with indices modulo n, R^n -> R^n: a sparse Jacobian.

    coefficients: (3,), that is a, b, c. Row i of the Jacobian has entries in the columns i - 1, i and i + 1.
    """

    coefficients: Float[ArrayLike, "3"]

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " n"]:
        a, b, c = jnp.asarray(self.coefficients)
        return a * jnp.sin(x) + b * x * jnp.roll(x, -1) + c * jnp.roll(x, 1) ** 2


@_registered
@dataclass(frozen=True, eq=False)
class SparseMap(Function):
    """f_i(x) = sin(sum_j W_ij x_j), R^n -> R^m, for a sparse W: the sum over the j where W has an entry.

    weights (entries,): the entries of W; rows, columns: where each of them is; m: how many rows there are.
    """

    weights: Float[ArrayLike, " entries"]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    m: int
    STATIC: ClassVar[tuple[str, ...]] = ("rows", "columns", "m")

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        terms = jnp.asarray(self.weights) * jnp.asarray(x)[np.array(self.columns, dtype=int)]
        return jnp.sin(jnp.zeros(self.m, terms.dtype).at[np.array(self.rows, dtype=int)].add(terms))


@_registered
@dataclass(frozen=True, eq=False)
class NetworkLoss(Function):
    """The course's network as a function of all its parameters in one vector: mean((a_n - y)^2), R^N -> R.

    x (batch, d_0), y (batch, d_n); widths d_0, …, d_n; theta is W_1, b_1, W_2, … raveled and put end to end.
    """

    x: Float[ArrayLike, "batch d_0"]
    y: Float[ArrayLike, "batch d_n"]
    widths: tuple[int, ...]
    STATIC: ClassVar[tuple[str, ...]] = ("widths",)

    def __call__(self, theta: Float[Array, " N"]) -> Float[Array, ""]:
        a, start = jnp.asarray(self.x), 0
        for rows, columns in zip(self.widths, self.widths[1:], strict=False):
            W = theta[start : start + rows * columns].reshape(rows, columns)
            start += rows * columns
            a = jnp.tanh(a @ W + theta[start : start + columns])
            start += columns
        return jnp.mean((a - jnp.asarray(self.y)) ** 2)


@_registered
@dataclass(frozen=True, eq=False)
class Contraction(Function):
    """f(x, theta) = M g(x) + theta, R^n -> R^n, with g the identity or tanh; a contraction in x where ||M||_2 < 1.

    M (n, n); g is "identity" or "tanh"; theta has n entries in any shape.
    """

    M: Float[ArrayLike, "n n"]
    g: str = "identity"
    STATIC: ClassVar[tuple[str, ...]] = ("g",)

    def __call__(self, x: Float[Array, " n"], theta: Float[Array, "..."]) -> Float[Array, " n"]:
        inner = jnp.tanh(x) if self.g == "tanh" else x
        return jnp.asarray(self.M) @ inner + jnp.ravel(theta)


@_registered
@dataclass(frozen=True, eq=False)
class Equilibrium(Function):
    """f(x, theta) = tanh(theta x + b), R^n -> R^n; theta (n, n), a contraction in x where ||theta||_2 < 1; b (n,).

    A layer that is applied to its own output until nothing changes.
    """

    b: Float[ArrayLike, " n"]

    def __call__(self, x: Float[Array, " n"], theta: Float[Array, "n n"]) -> Float[Array, " n"]:
        return jnp.tanh(theta @ x + jnp.asarray(self.b))


@_registered
@dataclass(frozen=True, eq=False)
class Kepler(Function):
    """f(E, e) = M + e sin(E): Kepler's equation for the eccentric anomalies E of n bodies on orbits of one shape.

    M (n,): their mean anomalies. e, the eccentricity, is a number; a contraction in E where |e| < 1.
    """

    M: Float[ArrayLike, " n"]

    def __call__(self, E: Float[Array, " n"], e: Float[Array, ""]) -> Float[Array, " n"]:
        return jnp.asarray(self.M) + e * jnp.sin(E)


@_registered
@dataclass(frozen=True, eq=False)
class GraphFunction(Function):
    """A `Graph` as a function of an array: R^n -> R^m, n inputs and m outputs.

    ops, args, inputs, outputs are its structure, constants its numbers, in the order of its `const` nodes.
    """

    constants: Float[ArrayLike, " constants"]
    ops: tuple[str, ...]
    args: tuple[tuple[int, ...], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    STATIC: ClassVar[tuple[str, ...]] = ("ops", "args", "inputs", "outputs")

    @classmethod
    def of(cls, graph: Graph) -> GraphFunction:
        """`graph` as a function."""
        constants = np.array([node.value for node in graph.nodes if node.op == "const"], dtype=np.float64)
        ops = tuple(node.op for node in graph.nodes)
        return cls(constants, ops, tuple(node.args for node in graph.nodes), graph.inputs, graph.outputs)

    @property
    def graph(self) -> Graph:
        """The graph, to be printed and drawn."""
        numbers = iter(np.asarray(self.constants).tolist())
        nodes = [
            Node(op, args, next(numbers) if op == "const" else None)
            for op, args in zip(self.ops, self.args, strict=True)
        ]
        return Graph(tuple(nodes), self.inputs, self.outputs)

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        given = dict(zip(self.inputs, jnp.asarray(x), strict=True))
        constants = iter(jnp.asarray(self.constants))
        values: list[Any] = []
        for index, (op, args) in enumerate(zip(self.ops, self.args, strict=True)):
            a = [values[i] for i in args]
            if op == "input":
                values.append(given[index])
            elif op == "const":
                values.append(next(constants))
            else:
                values.append(_OPERATIONS[op](*a))
        return jnp.stack([values[i] for i in self.outputs])


def _sum(*terms: Any) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


_OPERATIONS: dict[str, Any] = {
    "add": _sum,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "tanh": jnp.tanh,
}


@_registered
@dataclass(frozen=True, eq=False)
class Marked(Function):
    """`inner`, with a mark on every derivative that goes through it: the grader counts the vectors by it.

    f(x) is inner(x). A tangent that is pushed forward, or a cotangent that is pulled back, passes an operation that
    changes nothing (a rounding to the precision it has) and that nothing else uses.
    """

    inner: Function

    def __call__(self, x: Float[Array, " n"]) -> Any:
        return self.inner(_mark(x))  # pyright: ignore[reportCallIssue, reportUnknownVariableType]


@jax.custom_jvp
def _mark(x: Any) -> Any:
    return x


@_mark.defjvp
def _mark_jvp(primals: Any, tangents: Any) -> Any:
    exponent_bits, mantissa_bits = MARK
    return primals[0], jax.lax.reduce_precision(tangents[0], exponent_bits, mantissa_bits)


@_registered
@dataclass(frozen=True, eq=False)
class ReverseMarked(Function):
    """`inner`, with a mark where reverse mode goes through a gradient of it that reverse mode has made.

    f(x) is inner(x). A cotangent that is pulled back passes a system of equations with the solution as it is, and its
    adjoint system, which JAX solves when that step itself is pulled back through, carries the mark of `Marked`. So
    forward over reverse passes no mark, and reverse over reverse passes one for each vector. Forward mode of f itself
    is refused.
    """

    inner: Function

    def __call__(self, x: Float[Array, " n"]) -> Any:
        return self.inner(_reverse_mark(x))  # pyright: ignore[reportCallIssue, reportUnknownVariableType]


@jax.custom_vjp
def _reverse_mark(x: Any) -> Any:
    return x


def _reverse_mark_forward(x: Any) -> tuple[Any, None]:
    return x, None


def _reverse_mark_backward(_: None, x_bar: Any) -> tuple[Any]:
    def identity(x_bar: Any) -> Any:
        return x_bar

    def solution(_: Any, x_bar: Any) -> Any:
        return x_bar

    def solution_of_the_adjoint(_: Any, x_bar: Any) -> Any:
        return jax.lax.reduce_precision(x_bar, *MARK)

    return (jax.lax.custom_linear_solve(identity, x_bar, solution, solution_of_the_adjoint),)


_reverse_mark.defvjp(_reverse_mark_forward, _reverse_mark_backward)
