"""Solutions of `matrix_gradients` and `checkpointing` that are right on most inputs: each is wrong in a way that few
tests look for. They say which cases have to notice them; others may."""

# Written as students write, without annotations:
# pyright: basic

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
from adkit.network import mlp_layer
from jax.core import Tracer

import reference.checkpointing as checkpointing
import reference.matrix_gradients as matrix_gradients


@dataclass(frozen=True)
class Subtle:
    """A wrong solution: what it is in words, and the cases that it loses, whichever others it passes."""

    assignment: str
    question: str
    function: str
    words: str
    loses: tuple[str, ...]
    implementation: Callable[..., Any]
    remembers: bool = False
    """Whether it is wrong because of an earlier call, so that the cases before have to run, too."""


SUBTLE: list[Subtle] = []


def subtle(assignment, question, function, words, *loses, remembers=False):
    """Enters the decorated function; `loses`: names of cases without test_<question>_."""

    def enter(implementation):
        cases = tuple(f"test_{question}_{case}" for case in loses)
        SUBTLE.append(Subtle(assignment, question, function, words, cases, implementation, remembers))
        return implementation

    return enter


def solve(words, *loses, **more):
    return subtle("matrix_gradients", "q1", "linear_solve_vjp", words, *loses, **more)


def rule(words, *loses, **more):
    return subtle("matrix_gradients", "q2", "linear_solve", words, *loses, **more)


def norm(words, *loses, **more):
    return subtle("matrix_gradients", "q3", "nuclear_norm_gradient", words, *loses, **more)


def checker(words, *loses, **more):
    return subtle("matrix_gradients", "q4", "check_gradient", words, *loses, **more)


def products(b_bar, x):
    return -jnp.einsum("i...,j...->ij", jnp.asarray(b_bar), jnp.asarray(x)), b_bar


# ---------------------------------------- elimination without pivoting


def eliminated(A, b, pivot):
    """A^-1 b by elimination; `pivot(column)` is the row, counted from the diagonal, that comes to the diagonal."""
    M, y = np.array(A, dtype=float), np.array(b, dtype=float)
    n = len(M)
    with np.errstate(all="ignore"):
        for k in range(n):
            p = k + pivot(M[k:, k])
            M[[k, p]], y[[k, p]] = M[[p, k]], y[[p, k]]
            for i in range(k + 1, n):
                factor = M[i, k] / M[k, k]
                M[i] -= factor * M[k]
                y[i] -= factor * y[k]
        for k in reversed(range(n)):
            y[k] = (y[k] - M[k, k + 1 :] @ y[k + 1 :]) / M[k, k]
    return y


PIVOTS = {
    "no pivoting": lambda column: 0,
    "a row is exchanged only where the pivot is exactly zero": lambda column: (
        0 if column[0] != 0 else int(np.argmax(column != 0))
    ),
    "a row is exchanged only where the pivot is below 1e-12": lambda column: (
        0 if abs(column[0]) > 1e-12 else int(np.argmax(np.abs(column)))
    ),
    "the largest pivot, not the largest in absolute value": lambda column: int(np.argmax(column)),
}


def by_elimination(pivot):
    def linear_solve_vjp(A, b, x_bar):
        return products(eliminated(np.transpose(A), x_bar, pivot), eliminated(A, b, pivot))

    return linear_solve_vjp


for _words, _pivot in PIVOTS.items():
    solve(f"elimination, {_words}", "ill_conditioned")(by_elimination(_pivot))


@solve("elimination without pivoting for A^T alone", "ill_conditioned")
def _(A, b, x_bar):
    return products(eliminated(A.T, x_bar, PIVOTS["no pivoting"]), np.linalg.solve(A, b))


@solve("elimination without pivoting for A alone", "ill_conditioned")
def _(A, b, x_bar):
    return products(np.linalg.solve(A.T, x_bar), eliminated(A, b, PIVOTS["no pivoting"]))


@solve("pivots of A alone: for A^T only zeros are avoided", "ill_conditioned")
def _(A, b, x_bar):
    b_bar = eliminated(A.T, x_bar, PIVOTS["a row is exchanged only where the pivot is exactly zero"])
    return products(b_bar, np.linalg.solve(A, b))


def doolittle(A):
    """L and U with L U = A, no row exchanged, as a scan that JAX can differentiate."""

    def step(M, k):
        rows = jnp.arange(len(M))
        factors = jnp.where(rows > k, M[:, k] / M[k, k], 0.0)
        return M - jnp.outer(factors, M[k]), factors

    U, columns = jax.lax.scan(step, jnp.asarray(A), jnp.arange(len(A)))
    return jnp.eye(len(A)) + columns.T, jnp.triu(U)


def triangular(T, right, lower):
    n = len(T)

    def row(y, i):
        return y.at[i].set((right[i] - T[i] @ y) / T[i, i]), None

    order = jnp.arange(n) if lower else jnp.arange(n)[::-1]
    return jax.lax.scan(row, jnp.zeros_like(right), order)[0]


def custom(forward, backward):
    @jax.custom_vjp
    def linear_solve(A, b):
        return forward(A, b)[0]

    linear_solve.defvjp(forward, backward)
    return linear_solve


def _by_hand_forward(A, b):
    L, U = doolittle(A)
    x = triangular(U, triangular(L, jnp.asarray(b), True), False)
    return x, (L, U, x)


def _by_hand_backward(kept, x_bar):
    L, U, x = kept
    return products(triangular(L.T, triangular(U.T, x_bar, True), False), x)


rule(
    "elimination without pivoting, written out",
    "forward_factorises_once",
    "gradient_of_a_matrix",
)(custom(_by_hand_forward, _by_hand_backward))


# ---------------------------------------- a factorisation per column of b


@solve("a factorisation per column of b", "forms_no_inverse")
def _(A, b, x_bar):
    if b.ndim == 1:
        return matrix_gradients.linear_solve_vjp(A, b, x_bar)
    parts = [matrix_gradients.linear_solve_vjp(A, b[:, j], x_bar[:, j]) for j in range(b.shape[1])]
    return sum(A_bar for A_bar, _ in parts), jnp.stack([b_bar for _, b_bar in parts], axis=1)


@solve("a factorisation per column of b, in a loop of JAX", "forms_no_inverse")
def _(A, b, x_bar):
    if b.ndim == 1:
        return matrix_gradients.linear_solve_vjp(A, b, x_bar)
    A_bars, columns = jax.lax.map(
        lambda pair: matrix_gradients.linear_solve_vjp(A, *pair), (jnp.asarray(b).T, jnp.asarray(x_bar).T)
    )
    return A_bars.sum(axis=0), columns.T


@solve("A is factorised a second time where b is a matrix", "forms_no_inverse")
def _(A, b, x_bar):
    if b.ndim == 1:
        return matrix_gradients.linear_solve_vjp(A, b, x_bar)
    return products(jnp.linalg.solve(jnp.asarray(A).T, x_bar), jnp.linalg.solve(A, b))


@solve("as many copies of A as columns, factorised at once", "forms_no_inverse")
def _(A, b, x_bar):
    if b.ndim == 1:
        return matrix_gradients.linear_solve_vjp(A, b, x_bar)
    many = jnp.broadcast_to(jnp.asarray(A), (b.shape[1], *A.shape))
    A_bars, columns = jax.vmap(matrix_gradients.linear_solve_vjp)(many, jnp.asarray(b).T, jnp.asarray(x_bar).T)
    return A_bars.sum(axis=0), columns.T


@solve("an inverse where b is a matrix", "forms_no_inverse")
def _(A, b, x_bar):
    if b.ndim == 1:
        return matrix_gradients.linear_solve_vjp(A, b, x_bar)
    inverse = jnp.linalg.inv(jnp.asarray(A))
    return products(inverse.T @ x_bar, inverse @ b)


@solve("an inverse by hand where b is a matrix", "forms_no_inverse")
def _(A, b, x_bar):
    if b.ndim == 1:
        return matrix_gradients.linear_solve_vjp(A, b, x_bar)
    P, L, U = jsl.lu(jnp.asarray(A))
    inverse = triangular(U, triangular(L, P.T, True), False)
    return products(inverse.T @ x_bar, inverse @ b)


@solve("an inverse where b is a matrix, everything by hand", "forms_no_inverse")
def _(A, b, x_bar):
    P, L, U = jsl.lu(jnp.asarray(A))

    def solved(right):
        return triangular(U, triangular(L, P.T @ right, True), False)

    if b.ndim == 2:
        inverse = solved(jnp.eye(len(A)))
        return products(inverse.T @ x_bar, inverse @ b)
    b_bar = P @ triangular(L.T, triangular(U.T, jnp.asarray(x_bar), True), False)
    return products(b_bar, solved(jnp.asarray(b)))


@solve("an inverse where b is a vector", "forms_no_inverse")
def _(A, b, x_bar):
    if b.ndim == 2:
        return matrix_gradients.linear_solve_vjp(A, b, x_bar)
    inverse = jnp.linalg.inv(jnp.asarray(A))
    return products(inverse.T @ x_bar, inverse @ b)


def _lu_forward(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, (factors, x)


def _lu_backward(kept, x_bar):
    factors, x = kept
    return products(jsl.lu_solve(factors, x_bar, trans=1), x)


def _columns_forward(A, b):
    if b.ndim == 1:
        x, (factors, _) = _lu_forward(A, b)
        return x, (factors, x, A)
    x = jnp.stack([jnp.linalg.solve(A, b[:, j]) for j in range(b.shape[1])], axis=1)
    return x, (jsl.lu_factor(A), x, A)


rule("a factorisation per column of b, forwards", "backward_reuses_the_factors")(
    custom(_columns_forward, lambda kept, x_bar: _lu_backward(kept[:2], x_bar))
)


def _columns_backward(kept, x_bar):
    factors, x, A = kept
    if x_bar.ndim == 1:
        return _lu_backward((factors, x), x_bar)
    b_bar = jnp.stack([jnp.linalg.solve(A.T, x_bar[:, j]) for j in range(x_bar.shape[1])], axis=1)
    return products(b_bar, x)


def _with_A_forward(A, b):
    x, (factors, _) = _lu_forward(A, b)
    return x, (factors, x, A)


rule("a factorisation per column of b, backwards", "backward_reuses_the_factors")(
    custom(_with_A_forward, _columns_backward)
)


def _inverse_backward(kept, x_bar):
    factors, x = kept
    if x_bar.ndim == 1:
        return _lu_backward(kept, x_bar)
    return products(jsl.lu_solve(factors, jnp.eye(len(x)), trans=1) @ x_bar, x)


rule("an inverse backwards where b is a matrix", "backward_reuses_the_factors")(custom(_lu_forward, _inverse_backward))


def _inverse_forward(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, jnp.eye(len(A))) @ b if b.ndim == 2 else jsl.lu_solve(factors, b)
    return x, (factors, x)


rule("an inverse forwards where b is a matrix", "backward_reuses_the_factors")(custom(_inverse_forward, _lu_backward))


# ---------------------------------------- factors kept by shape, by id, or from the first call


def kept(key_of):
    """Factors of A, kept under a key; what JAX traces is factorised as it comes."""
    known: dict[Any, Any] = {}

    def factors(A):
        if isinstance(A, Tracer):
            return jsl.lu_factor(A)
        return known.setdefault(key_of(A), jsl.lu_factor(A)) if key_of(A) not in known else known[key_of(A)]

    return factors


KEYS = {
    "the shape": lambda A: A.shape,
    "the determinant": lambda A: round(float(np.linalg.det(A)), 9),
    "the norm": lambda A: round(float(np.linalg.norm(A)), 9),
}


def _with_kept_factors(key):
    factors_of = kept(key)

    def linear_solve_vjp(A, b, x_bar):
        factors = factors_of(A)
        return products(jsl.lu_solve(factors, x_bar, trans=1), jsl.lu_solve(factors, b))

    return linear_solve_vjp


def _rule_with_kept_factors(key):
    factors_of = kept(key)

    def forward(A, b):
        factors = factors_of(A)
        x = jsl.lu_solve(factors, b)
        return x, (factors, x)

    return custom(forward, _lu_backward)


for _words, _key in KEYS.items():
    rule(f"factors kept by {_words}", "gradient_of_a_matrix", remembers=True)(_rule_with_kept_factors(_key))
    solve(f"factors kept by {_words}", "b_bar_of_random_vectors", "a_bar_of_a_matrix", remembers=True)(
        _with_kept_factors(_key)
    )


# ---------------------------------------- a rule that is right for vectors only


def _stopped_for_matrices(kept, x_bar):
    return _lu_backward(jax.lax.stop_gradient(kept) if x_bar.ndim == 2 else kept, x_bar)


def _stopped_for_vectors(kept, x_bar):
    return _lu_backward(jax.lax.stop_gradient(kept) if x_bar.ndim == 1 else kept, x_bar)


def _stopped_x_for_matrices(kept, x_bar):
    factors, x = kept
    return _lu_backward((factors, jax.lax.stop_gradient(x) if x_bar.ndim == 2 else x), x_bar)


def _while_over_columns(kept, x_bar):
    """Column by column, in a loop that JAX cannot differentiate again."""
    factors, x = kept
    if x_bar.ndim == 1:
        return _lu_backward(kept, x_bar)
    k = x_bar.shape[1]

    def turn(state):
        j, b_bar = state
        return j + 1, b_bar.at[:, j].set(jsl.lu_solve(factors, x_bar[:, j], trans=1))

    _, b_bar = jax.lax.while_loop(lambda state: state[0] < k, turn, (0, jnp.zeros_like(x_bar)))
    return products(b_bar, x)


rule("stop_gradient where b is a matrix", "gradient_of_the_gradient")(custom(_lu_forward, _stopped_for_matrices))
rule("stop_gradient where b is a vector", "gradient_of_the_gradient")(custom(_lu_forward, _stopped_for_vectors))
rule("stop_gradient of x where b is a matrix", "gradient_of_the_gradient")(custom(_lu_forward, _stopped_x_for_matrices))
rule("columns in a loop that cannot be differentiated", "gradient_of_the_gradient")(
    custom(_lu_forward, _while_over_columns)
)


# ---------------------------------------- thresholds


def _thin(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return U, s, Vt


for _name, _keep in {
    "relative, 1e-6": lambda s: s > 1e-6 * s[0],
    "relative, 1e-5": lambda s: s > 1e-5 * s[0],
    "the sum of all, 1e-6": lambda s: s > 1e-6 * s.sum(),
    "of 1e-6": lambda s: s > 1e-6,
    "of 1e-12": lambda s: s > 1e-12,
    "of 1e-6, but relative where W is small": lambda s: s > 1e-6 * min(1.0, s[0]),
    "by the root of the precision of 32 bits": lambda s: s > s[0] * float(np.finfo(np.float32).eps) * 10,
}.items():

    def _cut(W, keep=_keep):
        U, s, Vt = _thin(W)
        return (U * keep(s)) @ Vt

    norm(f"rank threshold {_name}", "tiny_and_huge" if _name == "of 1e-12" else "a_small_singular_value")(_cut)


@norm("zero where W is small", "tiny_and_huge")
def _(W):
    return np.zeros(W.shape) if np.linalg.norm(W) < 1e-14 else matrix_gradients.nuclear_norm_gradient(W)


def svd_rule(words, *loses, **more):
    return subtle("matrix_gradients", "q5", "svd_vjp", words, *loses, **more)


def with_F(F_of):
    def svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar):
        F = F_of(s)
        P, Q = U.T @ U_bar, Vt @ Vt_bar.T
        left = U @ (F * (P - P.T) * s) + (U_bar - U @ P) / s
        right = s[:, None] * (F * (Q - Q.T)) @ Vt + (Vt_bar - Q.T @ Vt) / s[:, None]
        return left @ Vt + (U * s_bar) @ Vt + U @ right

    return svd_vjp


def _gap(s):
    return s[None, :] ** 2 - s[:, None] ** 2


def _divided(gap, small):
    with np.errstate(all="ignore"):
        return np.where(np.abs(gap) <= small, 0.0, 1 / np.where(gap == 0, 1.0, gap))


for _name, _F in {
    "gaps below 1e-6 count as equal": lambda s: _divided(_gap(s), 1e-6),
    "gaps below 1e-12 count as equal": lambda s: _divided(_gap(s), 1e-12),
    "gaps below 1e-4 of the largest square count as equal": lambda s: _divided(_gap(s), 1e-4 * s[0] ** 2),
    "F damped by 1e-6 of the largest square": lambda s: _gap(s) / (_gap(s) ** 2 + (1e-6 * s[0] ** 2) ** 2),
    "F damped by 1e-8 of the largest square, in the denominator": lambda s: np.where(
        np.eye(len(s), dtype=bool), 0.0, 1 / (_gap(s) + 1e-8 * s[0] ** 2)
    ),
}.items():
    svd_rule(_name, "tiny_and_huge")(with_F(_F))


_F_of_first: dict[int, Any] = {}
svd_rule("F kept by the number of singular values", "tiny_and_huge", remembers=True)(
    with_F(lambda s: _F_of_first.setdefault(len(s), _divided(_gap(s), 0.0)))
)


# ---------------------------------------- checkers with a loose tolerance, or of one direction


def differences(f, x):
    return np.asarray(matrix_gradients.numerical_gradient(f, x))


def loose(near):
    def check_gradient(f, grad_f, x):
        claimed = np.asarray(grad_f(np.array(x)))
        if claimed.shape != np.shape(x) or not np.all(np.isfinite(claimed)):
            return False
        return bool(near(claimed, differences(f, x), np.array(x), f))

    return check_gradient


def slope(f, x, v):
    scale = max(1.0, float(np.max(np.abs(x))))
    h = 6e-6 * scale / max(float(np.max(np.abs(v))), 1e-300)
    return (float(f(x + h * v)) - float(f(x - h * v))) / (2 * h)


def along(direction, tolerance=1e-5):
    """Compares the slope in one direction, made of x and of the claimed gradient."""

    def near(claimed, measured, x, f):
        v = direction(x, claimed)
        return abs(slope(f, x, v) - np.sum(claimed * v)) <= tolerance * np.linalg.norm(claimed) * np.linalg.norm(v)

    return loose(near)


def _size(array):
    return float(np.max(np.abs(array), initial=0.0))


CHECKERS = {
    "1 % of the largest entry": loose(lambda g, m, x, f: _size(g - m) <= 1e-2 * _size(m)),
    "1 % of the length": loose(lambda g, m, x, f: np.linalg.norm(g - m) <= 1e-2 * np.linalg.norm(m)),
    "1.5 % of the larger length": loose(
        lambda g, m, x, f: np.linalg.norm(g - m) <= 1.5e-2 * max(np.linalg.norm(m), np.linalg.norm(g))
    ),
    "1 % of the sum of absolute values": loose(lambda g, m, x, f: np.abs(g - m).sum() <= 1e-2 * np.abs(m).sum()),
    "half a per cent of the length": loose(lambda g, m, x, f: np.linalg.norm(g - m) <= 5e-3 * np.linalg.norm(m)),
    "allclose of 1 %, relative to the largest": loose(
        lambda g, m, x, f: np.allclose(g, m, rtol=1e-2, atol=1e-2 * _size(m))
    ),
    "the angle alone, to 1e-4, and the length to 1 %": loose(
        lambda g, m, x, f: (
            np.sum(g * m) >= (1 - 1e-4) * np.linalg.norm(g) * np.linalg.norm(m)
            and abs(np.linalg.norm(g) - np.linalg.norm(m)) <= 1e-2 * np.linalg.norm(m)
        )
    ),
    "lengths and sums": loose(
        lambda g, m, x, f: (
            abs(np.linalg.norm(g) - np.linalg.norm(m)) <= 1e-5 * np.linalg.norm(m)
            and abs(np.sum(g) - np.sum(m)) <= 1e-5 * np.linalg.norm(m)
        )
    ),
    "the largest error against the mean entry, 1 %": loose(
        lambda g, m, x, f: np.mean(np.abs(g - m)) <= 1e-2 * np.mean(np.abs(m))
    ),
    "along the gradient": along(lambda x, g: g),
    "along the gradient, 1e-3": along(lambda x, g: g, 1e-3),
    "along x": along(lambda x, g: x),
    "along ones": along(lambda x, g: np.ones_like(x)),
    "along a random direction, 1 %": along(lambda x, g: np.random.default_rng(0).standard_normal(x.shape), 1e-2),
    "the largest entry alone": loose(
        lambda g, m, x, f: abs(g.flat[np.argmax(np.abs(m))] - m.flat[np.argmax(np.abs(m))]) <= 1e-5 * _size(m)
    ),
    "the entries that are not small": loose(
        lambda g, m, x, f: np.all(np.abs(g - m)[np.abs(m) > 1e-2 * _size(m)] <= 1e-5 * _size(m))
    ),
    "all entries but one": loose(lambda g, m, x, f: np.sum(np.abs(g - m) > 1e-5 * _size(m)) <= 1),
}
BY_OTHERS = {"lengths and sums": ("check_a_transpose",), "along ones": ("check_a_transpose",)}
for _words, _checker in CHECKERS.items():
    checker(f"compares {_words}", *BY_OTHERS.get(_words, ("check_subtle_errors",)))(_checker)


@checker("keeps the differences by the shape of x", "check_the_shape", remembers=True)
def _(f, grad_f, x, known={}):  # noqa: B006 (it is meant to remember)
    g = np.asarray(grad_f(np.array(x)))
    if g.shape != np.shape(x) or not np.all(np.isfinite(g)):
        return False
    m = known.setdefault(np.shape(x), differences(f, x))
    return bool(np.linalg.norm(g - m) <= 1e-5 * np.linalg.norm(m))


# ---------------------------------------- a loss that squeezes, flattens or turns a_n


def chain(params, x):
    a = x
    for layer in params:
        a = mlp_layer(layer, a)
    return a


def segments(params, x, checkpoints):
    a, start = x, 0
    for end in sorted({*(int(c) for c in checkpoints), len(params)}):
        a, start = jax.checkpoint(lambda layers, a: chain(layers, a))(params[start:end], a), end
    return a


def halved(layers, a):
    if len(layers) == 1:
        return mlp_layer(layers[0], a)
    middle = len(layers) // 2
    return jax.checkpoint(halved)(layers[middle:], jax.checkpoint(halved)(layers[:middle], a))


LOSSES = {
    "a_n is squeezed": lambda a, y: jnp.mean((jnp.squeeze(a) - y) ** 2),
    "a_n is flattened where it has one column": lambda a, y: jnp.mean(((a.ravel() if a.shape[1] == 1 else a) - y) ** 2),
    "the only column of a_n is taken out": lambda a, y: jnp.mean(((a[:, 0] if a.shape[1] == 1 else a) - y) ** 2),
    "y is squeezed": lambda a, y: jnp.mean((a - jnp.squeeze(y)) ** 2),
    "a_n is turned where it has one column": lambda a, y: jnp.mean(((a.T if a.shape[1] == 1 else a) - y) ** 2),
}


def with_loss(loss):
    """The three functions of the network with another loss."""

    def run_schedule(schedule, params, x, y):
        return jax.value_and_grad(lambda params: loss(chain(params, x), y))(params)

    return {
        "q6": ("run_schedule", run_schedule),
        "q7": ("checkpointed_loss", lambda params, x, y, checkpoints: loss(segments(params, x, checkpoints), y)),
        "q9": ("nested_checkpointed_loss", lambda params, x, y: loss(halved(params, x), y)),
    }


NOTICING = {
    "q6": ("gradients_by_any_strategy",),
    "q7": ("loss_and_gradient_of_another_network",),
    "q9": ("loss_and_gradient_of_any_depth",),
}
for _words, _loss in LOSSES.items():
    for _question, (_function, _implementation) in with_loss(_loss).items():
        subtle("checkpointing", _question, _function, _words, *NOTICING[_question])(_implementation)


# ---------------------------------------- long chains


def optimal(words, *loses):
    return subtle("checkpointing", "q5", "optimal_schedule", words, *(loses or ("long_chains",)))


@optimal("recursive, as deep as there are places")
def _(n, memory):
    checkpointing.optimal_schedule(n, memory)  # the arguments, and nothing else

    def write(start, end, places):
        schedule = []
        while start < end:
            split = start + checkpointing._first_checkpoint(end - start, places)
            schedule += [("forward", i) for i in range(start + 1, split + 1)]
            if split == end:
                schedule.append(("backward", end))
            else:
                schedule += [("save", split), *write(split, end, places - 1), ("backward", split), ("free", split)]
            end = split - 1
        return schedule

    return write(0, n, min(memory, n))


@optimal("recursive, as deep as there are layers")
def _(n, memory):
    checkpointing.optimal_schedule(n, memory)

    def write(start, end, places):
        if start == end:
            return []
        split = start + checkpointing._first_checkpoint(end - start, places)
        forward = [("forward", i) for i in range(start + 1, split + 1)]
        below = write(start, split - 1, places)
        if split == end:
            return [*forward, ("backward", end), *below]
        return [*forward, ("save", split), *write(split, end, places - 1), ("backward", split), ("free", split), *below]

    return write(0, n, min(memory, n))


for _cap in (30, 100, 250, 500, 900):
    optimal(f"at most {_cap} places")(lambda n, memory, cap=_cap: checkpointing.optimal_schedule(n, min(memory, cap)))


@optimal("one place is left where there are more than half as many as layers, and many layers")
def _(n, memory):
    few = n > 300 and memory > n // 2
    return checkpointing.optimal_schedule(n, memory - 1 if few else memory)


@optimal("a table of n^2 m entries")
def _(n, memory):
    if n < 1 or memory < 1:
        raise ValueError("at least one")
    memory = min(memory, n)
    split = table(n, memory)
    schedule, todo = [], [(0, n, memory)]
    while todo:
        start, end, places = todo.pop()
        if places == 0:
            schedule += [("backward", end), ("free", end)]
        elif start < end:
            middle = start + split[end - start][places]
            schedule += [("forward", i) for i in range(start + 1, middle + 1)]
            todo.append((start, middle - 1, places))
            if middle == end:
                schedule.append(("backward", end))
            else:
                schedule.append(("save", middle))
                todo += [(middle, middle, 0), (middle, end, places - 1)]
    return schedule


def table(n, memory):
    """The splits of E(L, m): every j of every L for every m, in Python."""
    infinity = float("inf")
    cost = [[0.0] * (memory + 1)] + [[infinity] * (memory + 1) for _ in range(n)]
    split = [[0] * (memory + 1) for _ in range(n + 1)]
    for length in range(1, n + 1):
        for places in range(1, memory + 1):
            for j in range(1, length + 1):
                here = j + cost[length - j][places - 1] + cost[j - 1][places]
                if here < cost[length][places]:
                    cost[length][places], split[length][places] = here, j
    return split


def chain_of(question, function, words, *loses, **more):
    return subtle("checkpointing", question, function, words, *loses, **more)


@chain_of("q1", "vanilla_schedule", "recursive", "evaluates_once_for_any_n")
def _(n):
    def inner(i):
        return [("forward", i), ("save", i), *(inner(i + 1) if i < n else []), ("backward", i), ("free", i)]

    return inner(1)


@chain_of("q1", "vanilla_schedule", "at most 1000 layers", "evaluates_once_for_any_n")
def _(n):
    return checkpointing.vanilla_schedule(min(n, 1000))


@chain_of("q2", "memory_poor_schedule", "at most 150 layers", "evaluations_for_any_n")
def _(n):
    return checkpointing.memory_poor_schedule(min(n, 150))


@chain_of("q3", "checkpointed_schedule", "at most 100 layers", "peak_for_irregular_checkpoints")
def _(n, checkpoints):
    schedule = checkpointing.checkpointed_schedule(n, checkpoints)
    return schedule if n <= 100 else schedule[:200]


@chain_of("q3", "checkpointed_schedule", "at most 12 checkpoints", "peak_for_irregular_checkpoints")
def _(n, checkpoints):
    return checkpointing.checkpointed_schedule(n, checkpoints[:12])


for _cap in (36, 50):
    chain_of("q8", "optimal_schedule_for", f"at most {_cap} units of memory", "cheap_for_any_chain")(
        lambda sizes, costs, memory, cap=_cap: checkpointing.optimal_schedule_for(
            sizes, costs, max(min(memory, cap), min(memory, max(sizes)))
        )
    )


# ---------------------------------------- schedules and gradients that are kept


def remembered(function, key):
    known: dict[Any, Any] = {}

    def answer(*given):
        return known.setdefault(key(*given), function(*given))

    return answer


KEPT = {
    ("q1", "vanilla_schedule", "evaluates_once_for_any_n"): {"0": lambda n: 0},
    ("q2", "memory_poor_schedule", "evaluations_for_any_n"): {"0": lambda n: 0},
    ("q3", "checkpointed_schedule", "peak_for_irregular_checkpoints"): {
        "n": lambda n, checkpoints: n,
        "n and the number of checkpoints": lambda n, checkpoints: (n, len(checkpoints)),
        "n, the number of checkpoints, the first and the last": lambda n, checkpoints: (
            *(n, len(checkpoints)),
            *checkpoints[:1],
            *checkpoints[-1:],
        ),
    },
    ("q3", "checkpointed_schedule", "corner_cases"): {"the checkpoints": lambda n, checkpoints: tuple(checkpoints)},
    ("q4", "choose_checkpoints", "valid_for_any_n"): {"the root of n": lambda n: int(n**0.5)},
    ("q5", "optimal_schedule", "long_chains"): {"n": lambda n, memory: n, "the memory": lambda n, memory: memory},
    ("q8", "optimal_schedule_for", "cheap_for_any_chain"): {
        "the number of layers": lambda sizes, costs, memory: len(sizes),
        "sizes and memory": lambda sizes, costs, memory: (*sizes, memory),
        "costs and memory": lambda sizes, costs, memory: (*costs, memory),
    },
    ("q8", "optimal_schedule_for", "cheap"): {"sizes and costs": lambda sizes, costs, memory: (*sizes, *costs)},
}
for (_question, _function, _case), _keys in KEPT.items():
    for _words, _key in _keys.items():
        _kept = remembered(getattr(checkpointing, _function), _key)
        chain_of(_question, _function, f"kept by {_words}", _case, remembers=True)(_kept)


for _words, _key in {
    "a run is kept by its schedule": lambda schedule, params, x, y: str(schedule),
    "a run is kept by its schedule and the shapes": lambda schedule, params, x, y: (
        str(schedule),
        tuple(np.shape(part) for layer in params for part in layer),
        np.shape(x),
    ),
    "a run is kept by its length": lambda schedule, params, x, y: len(schedule),
}.items():

    def _run(schedule, params, x, y, known={}, key=_key, words=_words):  # noqa: B006 (it is meant to remember)
        if isinstance(x, Tracer):
            return checkpointing.run_schedule(schedule, params, x, y)
        place = (words, key(schedule, params, x, y))
        return known.setdefault(place, checkpointing.run_schedule(schedule, params, x, y))

    chain_of("q6", "run_schedule", _words, "gradients", remembers=True)(_run)


for _words, _key in {
    "segments kept by n": lambda params, checkpoints: len(params),
    "segments kept by n and the number of checkpoints": lambda params, checkpoints: (len(params), len(checkpoints)),
}.items():

    def _loss_with_kept(params, x, y, checkpoints, known={}, key=_key, words=_words):  # noqa: B006
        ends = known.setdefault((words, key(params, checkpoints)), list(checkpoints))
        return checkpointing.checkpointed_loss(params, x, y, ends)

    chain_of("q7", "checkpointed_loss", _words, "corner_cases", remembers=True)(_loss_with_kept)


# ---------------------------------------- what tells two cases apart


@solve("b_bar is flattened where b is a matrix", "b_bar_of_a_matrix")
def _(A, b, x_bar):
    A_bar, b_bar = matrix_gradients.linear_solve_vjp(A, b, x_bar)
    return A_bar, b_bar.ravel()


@subtle("matrix_gradients", "q4", "numerical_gradient", "a number becomes an array of one", "a_single_number")
def _(f, x):
    def of_one(point):
        return f(point.reshape(np.shape(x)))

    return matrix_gradients.numerical_gradient(of_one, np.atleast_1d(x))


@subtle("matrix_gradients", "q4", "numerical_gradient", "the first axis of three is taken for all", "three_axes")
def _(f, x):
    gradient = np.array(matrix_gradients.numerical_gradient(f, x))
    return gradient.reshape(gradient.shape[0], -1) if gradient.ndim == 3 else gradient


@optimal("an evaluation too many in chains of 60 to 200 layers", "optimal_well_below_the_square_root")
def _(n, memory):
    schedule = checkpointing.optimal_schedule(n, memory)
    return [("forward", 1), *schedule] if 60 < n <= 200 else schedule


@optimal("an evaluation too many where there is more memory than layers", "optimal_for_every_small_chain")
def _(n, memory):
    schedule = checkpointing.optimal_schedule(n, memory)
    return [("forward", 1), *schedule] if memory > n and n != 6 else schedule


@optimal("an evaluation too many in memory for two, in chains that are not small", "optimal_with_two_or_three")
def _(n, memory):
    schedule = checkpointing.optimal_schedule(n, memory)
    return [("forward", 1), *schedule] if memory == 2 and 20 < n < 60 else schedule


@chain_of("q6", "run_schedule", "each forward step begins at the input", "carries_out_any_schedule")
def _(schedule, params, x, y):
    from_the_input = []
    for name, i in schedule:
        from_the_input += [("forward", k) for k in range(1, i)] if name == "forward" else []
        from_the_input.append((name, i))
    return checkpointing.run_schedule(from_the_input, params, x, y)


assert sys.getrecursionlimit() < 5000  # or a recursion as deep as the chain is long would be right
