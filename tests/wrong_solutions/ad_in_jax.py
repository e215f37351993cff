"""Wrong solutions of `ad_in_jax`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.sparse.linalg import cg

from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong

# q1


def trace_inverse(A, B, X):
    return jnp.trace(A @ jnp.linalg.solve(X, B))


@wrong("trace_inverse_derivatives", "the Hessian is an (n^2, n^2) matrix")
def flattened_hessian(A, B, X):
    def f(X):
        return trace_inverse(A, B, X)

    n = X.shape[0]
    return jax.grad(f)(X), jax.hessian(f)(X).reshape(n * n, n * n)


@wrong("trace_inverse_derivatives", "the Hessian's two pairs of axes are interleaved: [i, k, j, l]")
def interleaved(A, B, X):
    f = partial(trace_inverse, A, B)
    return jax.grad(f)(X), jnp.transpose(jax.hessian(f)(X), (0, 2, 1, 3))


@wrong("trace_inverse_derivatives", "the gradient lacks its minus sign, and so does the Hessian")
def opposite_signs(A, B, X):
    f = lambda X: -trace_inverse(A, B, X)  # noqa: E731
    return jax.grad(f)(X), jax.hessian(f)(X)


@wrong("trace_inverse_derivatives", "the gradient is transposed, and the Hessian is that of the transposed argument")
def transposed_argument(A, B, X):
    f = lambda Y: trace_inverse(A, B, Y.T)  # noqa: E731
    return jax.grad(f)(X.T), jax.hessian(f)(X.T)


@wrong("trace_inverse_derivatives", "the derivatives with respect to A, the first argument")
def by_A(A, B, X):
    return jax.grad(trace_inverse)(A, B, X), jax.hessian(trace_inverse)(A, B, X)


@wrong("trace_inverse_derivatives", "the Hessian in closed form has one of its two terms only")
def one_term(A, B, X):
    Y = np.linalg.inv(X)
    P = Y @ B @ A @ Y
    return -P.T, np.einsum("jk,li->ijkl", Y, P)


@wrong("trace_inverse_derivatives", "Hessian and gradient in the wrong order")
def hessian_first(A, B, X):
    f = partial(trace_inverse, A, B)
    return jax.hessian(f)(X), jax.grad(f)(X)


@wrong("trace_inverse_derivatives", "computed in 32-bit floats")
def single_precision(A, B, X):
    A, B, X = (jnp.asarray(M, dtype=jnp.float32) for M in (A, B, X))
    f = partial(trace_inverse, A, B)
    return jax.grad(f)(X), jax.hessian(f)(X)


@wrong("trace_inverse_derivatives", "the Hessian by central differences of the gradient, step 1e-5: not exact")
def differences_of_gradients(A, B, X):
    g = jax.grad(partial(trace_inverse, A, B))
    n, h = len(X), 1e-5
    H = np.zeros((n, n, n, n))
    for k in range(n):
        for m in range(n):
            E = np.zeros((n, n))
            E[k, m] = h
            H[:, :, k, m] = (g(X + E) - g(X - E)) / (2 * h)
    return g(X), H


@wrong("cubic_norm_derivatives", "NaN at x = 0")
def straight(x):
    g = lambda x: jnp.linalg.norm(x) ** 3 / 3  # noqa: E731
    return jax.grad(g)(x), jax.hessian(g)(x)


@wrong("cubic_norm_derivatives", "one where, after the fact: the value is safe, the derivative is NaN at 0")
def one_where(x):
    def g(x):
        r = jnp.linalg.norm(x)
        return jnp.where(r > 0, r**3 / 3, 0.0)

    return jax.grad(g)(x), jax.hessian(g)(x)


@wrong("cubic_norm_derivatives", "a tiny x is taken for 0")
def tiny_is_zero(x):
    if np.linalg.norm(x) < 1e-5:
        return jnp.zeros_like(x), jnp.zeros((len(x), len(x)))
    g = lambda x: jnp.linalg.norm(x) ** 3 / 3  # noqa: E731
    return jax.grad(g)(x), jax.hessian(g)(x)


@wrong("cubic_norm_derivatives", "1e-10 is added under the root")
def softened(x):
    g = lambda x: (x @ x + 1e-10) ** 1.5 / 3  # noqa: E731
    return jax.grad(g)(x), jax.hessian(g)(x)


@wrong("cubic_norm_derivatives", "the third is forgotten: three times too large")
def no_third(x):
    r = np.linalg.norm(x)
    outer = np.outer(x, x) / r if r else np.zeros((len(x), len(x)))
    return 3 * r * x, 3 * (outer + r * np.eye(len(x)))


@wrong("cubic_norm_derivatives", "the Hessian lacks x x^T / ||x||")
def no_outer(x):
    r = np.linalg.norm(x)
    return r * x, r * np.eye(len(x))


@wrong(
    "cubic_norm_derivatives",
    "NaN is replaced by 0 afterwards, entry by entry; right at 0, but the gradient is x, not ||x|| x",
)
def x_for_the_gradient(x):
    r = np.linalg.norm(x)
    with np.errstate(all="ignore"):
        return x, np.nan_to_num(np.outer(x, x) / r) + r * np.eye(len(x))


# q2


def as_vector(f):
    return lambda x: jnp.atleast_1d(f(x))


@wrong("jacobian", "always forward mode")
def forward_always(f, x):
    return jax.jacfwd(as_vector(f))(x)


@wrong("jacobian", "always reverse mode")
def reverse_always(f, x):
    return jax.jacrev(as_vector(f))(x)


@wrong("jacobian", "the dearer mode")
def dearer(f, x):
    m = jax.eval_shape(as_vector(f), x).shape[0]
    return (jax.jacrev if m > len(x) else jax.jacfwd)(as_vector(f))(x)


@wrong("jacobian", "the transpose")
def transposed(f, x):
    m = jax.eval_shape(as_vector(f), x).shape[0]
    return (jax.jacfwd if m > len(x) else jax.jacrev)(as_vector(f))(x).T


@wrong("jacobian", "central differences with step 1e-6: not exact")
def differences(f, x):
    h = 1e-6
    columns = [(np.ravel(f(x + e)) - np.ravel(f(x - e))) / (2 * h) for e in h * np.eye(len(x))]
    return np.stack(columns, axis=1)


@wrong("jacobian", "the gradient of the sum of the outputs in every row")
def gradient_of_the_sum(f, x):
    g = as_vector(f)
    m = jax.eval_shape(g, x).shape[0]
    return jnp.tile(jax.grad(lambda x: g(x).sum())(x), (m, 1))


@wrong("jacobian", "the size of f is asked by evaluating f, and forward mode is taken for m >= n / 100")
def wrong_threshold(f, x):
    m = np.size(f(x))
    return (jax.jacfwd if 100 * m >= len(x) else jax.jacrev)(as_vector(f))(x)


# q3


@wrong("hvp", "the whole Hessian is formed first")
def hessian_first_then_product(f, x, v):
    H = jax.hessian(f)(x)
    return v @ H


@wrong("hvp", "the gradient's differences along v, step 1e-6: not exact")
def differences_along_v(f, x, v):
    g, h = jax.grad(f), 1e-6
    if v.ndim == 2:
        return jnp.stack([(g(x + h * row) - g(x - h * row)) / (2 * h) for row in v])
    return (g(x + h * v) - g(x - h * v)) / (2 * h)


@wrong("hvp", "differences with a step that is scaled by the length of v: better, and still not exact")
def scaled_differences(f, x, v):
    def one(v):
        h = 1e-5 / jnp.maximum(jnp.linalg.norm(v), 1e-300)
        return (jax.grad(f)(x + h * v) - jax.grad(f)(x - h * v)) / (2 * h)

    return one(v) if jnp.ndim(v) == 1 else jax.vmap(one)(v)


@wrong("hvp", "one vector only: a batch is not handled")
def vectors_only(f, x, v):
    return jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x)


@wrong("hvp", "the directional derivative of f: a number per row")
def slope(f, x, v):
    if v.ndim == 1:
        return jax.jvp(f, (x,), (v,))[1]
    return jax.vmap(lambda v: jax.jvp(f, (x,), (v,))[1])(v)


@wrong("hvp", "the products of a batch are summed")
def summed(f, x, v):
    if v.ndim == 2:
        v = v.sum(axis=0)
    return jax.jvp(jax.grad(f), (jnp.asarray(x),), (jnp.asarray(v),))[1]


@wrong("hvp", "the diagonal of the Hessian times v")
def diagonal(f, x, v):
    return jnp.diag(jax.hessian(f)(x)) * v


@wrong("hvp", "v is normalised and the length is not put back")
def normalised(f, x, v):
    def one(v):
        size = jnp.linalg.norm(v)
        return jax.jvp(jax.grad(f), (x,), (v / jnp.where(size > 0, size, 1.0),))[1]

    x, v = jnp.asarray(x), jnp.asarray(v)
    return one(v) if v.ndim == 1 else jnp.stack([one(row) for row in v])


@wrong("hvp", "J^T J v in place of H v: the Gauss-Newton product")
def gauss_newton(f, x, v):
    g = jax.grad(f)(x)
    return (v @ g)[..., None] * g if v.ndim == 2 else (v @ g) * g


@wrong("hvp", "vmap over the columns of the batch, not the rows")
def over_columns(f, x, v):
    product = lambda v: jax.jvp(jax.grad(f), (x,), (v,))[1]  # noqa: E731
    x, v = jnp.asarray(x), jnp.asarray(v)
    if v.ndim == 1:
        return product(v)
    return jax.vmap(product)(v).T


# q4


@wrong("newton_cg", "full Newton steps without a line search")
def no_line_search(f, x0, tolerance):
    g = jax.jit(jax.grad(f))
    x = jnp.asarray(x0)
    bound = tolerance * max(1.0, float(jnp.linalg.norm(g(x))))
    product = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
    for _ in range(50):
        s = g(x)
        if float(jnp.linalg.norm(s)) <= bound:
            break
        x = x - cg(lambda v: product(x, v), s, tol=1e-6, maxiter=200)[0]  # noqa: B023
    return x


@wrong("newton_cg", "gradient descent with a fixed step")
def descent(f, x0, tolerance):
    g = jax.jit(jax.grad(f))
    x = jnp.asarray(x0)
    bound = tolerance * max(1.0, float(jnp.linalg.norm(g(x))))
    for _ in range(500):
        s = g(x)
        if float(jnp.linalg.norm(s)) <= bound:
            return x
        x = x - 0.01 * s
    return x


@wrong("newton_cg", "ten steps at most")
def ten_steps(f, x0, tolerance):
    g = jax.grad(f)
    x = jnp.asarray(x0)
    for _ in range(10):
        x = x - cg(lambda v: jax.jvp(g, (x,), (v,))[1], g(x), maxiter=10)[0]  # noqa: B023
    return x


@wrong("newton_cg", "an absolute change of x as the stopping rule, far too loose")
def stops_too_early(f, x0, tolerance):
    g = jax.jit(jax.grad(f))
    H = jax.jit(jax.hessian(f))
    x = jnp.asarray(x0)
    for _ in range(100):
        p = -jnp.linalg.solve(H(x), g(x))
        t = 1.0
        while float(f(x + t * p)) > float(f(x)) and t > 1e-8:
            t /= 2
        x = x + t * p
        if float(jnp.linalg.norm(t * p)) < 1e-3:
            break
    return x


@wrong("newton_cg", "the Hessian is formed: no memory for a large n")
def dense_newton(f, x0, tolerance):
    g, H = jax.jit(jax.grad(f)), jax.jit(jax.hessian(f))
    x = jnp.asarray(x0, dtype=float)
    bound = tolerance * max(1.0, float(jnp.linalg.norm(g(x))))
    for _ in range(200):
        s = g(x)
        if float(jnp.linalg.norm(s)) <= bound:
            break
        p = -jnp.linalg.solve(H(x), s)
        t, here, slope_ = 1.0, float(f(x)), float(s @ p)
        while float(f(x + t * p)) > here + 1e-4 * t * slope_ + 1e-12 * abs(here) and t > 1e-10:
            t *= 0.5
        x = x + t * p
    return x


@wrong("newton_cg", "the value, not the point")
def value_returned(f, x0, tolerance):
    return f(jnp.asarray(x0))


@wrong("newton_cg", "the starting point unchanged")
def nothing_done(f, x0, tolerance):
    return x0


# q5


@wrong("log1pexp", "as it is written: overflow for large x, no digits for small ones")
def as_written(x):
    return jnp.log(1 + jnp.exp(x))


@wrong("log1pexp", "log1p(exp(x)): infinite for large x")
def log1p_of_exp(x):
    return jnp.log1p(jnp.exp(x))


@wrong("log1pexp", "one where: the value is right, the derivative is NaN for large x")
def one_where_only(x):
    return jnp.where(x > 30, x, jnp.log1p(jnp.exp(x)))


@wrong("log1pexp", "max(x, 0) + log1p(exp(-|x|)): the second derivative at 0 depends on two kinks")
def maximum_and_absolute(x):
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@wrong("log1pexp", "a custom_vjp alone: forward mode refuses it")
@jax.custom_vjp
def rule_for_reverse_only(x):
    return jnp.logaddexp(x, 0.0)


rule_for_reverse_only.defvjp(lambda x: (jnp.logaddexp(x, 0.0), x), lambda x, bar: (bar * jax.nn.sigmoid(x),))


@wrong("log1pexp", "x for all x > 20: digits are missing between 20 and 36")
def cut_at_twenty(x):
    safe = jnp.where(x > 20, 0.0, x)
    return jnp.where(x > 20, x, jnp.log1p(jnp.exp(safe)))


@wrong("log1pexp", "x is clipped to [-50, 50]")
def clipped(x):
    return jnp.log1p(jnp.exp(jnp.clip(x, -50.0, 50.0)))


@wrong("log1pexp", "a Python branch on the value: no jit, no vmap, no arrays")
def branch(x):
    if x > 0:
        return x + jnp.log1p(jnp.exp(-x))
    return jnp.log1p(jnp.exp(x))


@wrong("log1pexp", "summed over the entries")
def summed_entries(x):
    return jnp.sum(jnp.logaddexp(x, 0.0))


@wrong("safe_norm", "jnp.linalg.norm: NaN at 0")
def plain_norm(x):
    return jnp.linalg.norm(x)


@wrong("safe_norm", "a small number under the root: the value at 0 is not 0")
def small_number(x):
    return jnp.sqrt(jnp.sum(x**2) + 1e-12)


@wrong("safe_norm", "one where after the root: NaN at 0")
def where_after(x):
    r = jnp.sqrt(x @ x)
    return jnp.where(r == 0, 0.0, r)


@wrong("safe_norm", "a branch in Python, which no trace can take")
def if_zero(x):
    if jnp.all(x == 0):
        return 0.0 * jnp.sum(x)
    return jnp.sqrt(jnp.sum(x * x))


@wrong("safe_norm", "a custom_vjp alone: forward mode refuses it")
@jax.custom_vjp
def norm_for_reverse_only(x):
    return jnp.linalg.norm(x)


def _norm_backward(residuals, bar):
    x, r = residuals
    return (bar * x / jnp.where(r > 0, r, 1.0),)


norm_for_reverse_only.defvjp(lambda x: (jnp.linalg.norm(x), (x, jnp.linalg.norm(x))), _norm_backward)


@wrong("safe_norm", "stop_gradient of the norm in the denominator: the second derivative is wrong")
def stopped_denominator(x):
    s = x @ x
    r = lax.stop_gradient(jnp.sqrt(jnp.where(s > 0, s, 1.0)))
    return jnp.where(s > 0, (s / r + r) / 2, 0.0)


@wrong("safe_norm", "everything shorter than 1e-8 is 0")
def short_is_zero(x):
    s = jnp.sum(x**2)
    large = s > 1e-16
    return jnp.where(large, jnp.sqrt(jnp.where(large, s, 1.0)), 0.0)


# q6


def iterate(f, theta, x0, tolerance, turns=100_000):
    def going(state):
        x, new, k = state
        return (jnp.linalg.norm(new - x) > 0.1 * tolerance * jnp.maximum(1, jnp.linalg.norm(new))) & (k < turns)

    x0 = jnp.asarray(x0)
    return lax.while_loop(going, lambda s: (s[1], f(s[1], theta), s[2] + 1), (x0, f(x0, theta), 0))[1]


def implicit(f, theta, x0, tolerance, backward):
    @jax.custom_vjp
    def solve(theta, x0):
        return iterate(f, theta, x0, tolerance)

    def forward(theta, x0):
        x = solve(theta, x0)
        return x, (theta, x)

    def back(residuals, bar):
        theta, x = residuals
        pull = lambda u: jax.vjp(lambda x: f(x, theta), x)[1](u)[0]  # noqa: E731
        push = lambda u: jax.jvp(lambda x: f(x, theta), (x,), (u,))[1]  # noqa: E731
        u = backward(pull, push, bar)
        return jax.vjp(lambda t: f(x, t), theta)[1](u)[0], jnp.zeros_like(x)

    solve.defvjp(forward, back)
    return solve(jnp.asarray(theta), jnp.asarray(x0))


def neumann(apply, bar, turns):
    return lax.fori_loop(0, turns, lambda _, u: bar + apply(u), bar)


@wrong("fixed_point", "derivatives through 3000 turns of a scan: every turn is kept")
def through_the_turns(f, theta, x0, tolerance):
    return lax.scan(lambda x, _: (f(x, theta), None), jnp.asarray(x0), None, length=3000)[0]


@wrong("fixed_point", "a while_loop without a rule: no reverse mode")
def while_loop_alone(f, theta, x0, tolerance):
    return iterate(f, theta, x0, tolerance)


@wrong("fixed_point", "the last turn alone is differentiated: f_theta without the inverse")
def last_turn_only(f, theta, x0, tolerance):
    x = lax.stop_gradient(iterate(f, lax.stop_gradient(theta), x0, tolerance))
    return f(x, theta)


@wrong("fixed_point", "ten terms of the series in the backward pass")
def ten_terms(f, theta, x0, tolerance):
    return implicit(f, theta, x0, tolerance, lambda pull, push, bar: neumann(pull, bar, 10))


@wrong("fixed_point", "the adjoint equation with f_x in place of its transpose")
def not_transposed(f, theta, x0, tolerance):
    return implicit(f, theta, x0, tolerance, lambda pull, push, bar: neumann(push, bar, 5000))


@wrong("fixed_point", "the sign of the adjoint equation: (I + f_x^T) u = x_bar")
def plus_in_the_adjoint(f, theta, x0, tolerance):
    return implicit(
        f, theta, x0, tolerance, lambda pull, push, bar: lax.fori_loop(0, 5000, lambda _, u: bar - pull(u), bar)
    )


@wrong("fixed_point", "x_bar itself: the system is not solved, the rule ends with f_theta")
def adjoint_ignored(f, theta, x0, tolerance):
    return implicit(f, theta, x0, tolerance, lambda pull, push, bar: bar)


@wrong("fixed_point", "a hundred turns, whatever the tolerance")
def hundred_turns(f, theta, x0, tolerance):
    x = jnp.asarray(x0)
    for _ in range(100):
        x = f(x, theta)
    return x


@wrong("fixed_point", "the derivative is stopped altogether")
def no_derivative(f, theta, x0, tolerance):
    return lax.stop_gradient(iterate(f, lax.stop_gradient(jnp.asarray(theta)), x0, tolerance))


# q7


def coloured(pattern):
    colours = np.zeros(pattern.shape[1], int)
    for j in range(pattern.shape[1]):
        taken = {colours[k] for k in range(j) if np.any(pattern[:, j] & pattern[:, k])}
        colours[j] = next(c for c in range(len(taken) + 1) if c not in taken)
    return colours


@wrong("sparse_jacobian", "all columns: as many vectors as inputs")
def dense(f, x, pattern):
    return jax.jacfwd(f)(jnp.asarray(x)) * pattern


@wrong(
    "sparse_jacobian",
    "only neighbouring columns are told apart: columns j and j + 2 share a sweep in spite of a common row",
)
def two_colours(f, x, pattern):
    x = jnp.asarray(x)
    J = jnp.zeros(pattern.shape)
    for c in (0, 1):
        seed = (jnp.arange(len(x)) % 2 == c).astype(x.dtype)
        J = J + jax.jvp(f, (x,), (seed,))[1][:, None] * seed[None, :] * pattern
    return J


@wrong("sparse_jacobian", "the compressed Jacobian, one column per colour")
def compressed(f, x, pattern):
    c = coloured(np.asarray(pattern))
    x = jnp.asarray(x)
    return jnp.stack([jax.jvp(f, (x,), (jnp.asarray(c == k, x.dtype),))[1] for k in range(c.max() + 1)], axis=1)


@wrong("sparse_jacobian", "the entries are not masked: zeros of the pattern get what belongs to another column")
def not_masked(f, x, pattern):
    c = coloured(np.asarray(pattern))
    x = jnp.asarray(x)
    products = jnp.stack([jax.jvp(f, (x,), (jnp.asarray(c == k, x.dtype),))[1] for k in range(c.max() + 1)], axis=1)
    return products[:, c]


@wrong("sparse_jacobian", "rows of the pattern are taken for its columns")
def rows_for_columns(f, x, pattern):
    c = coloured(np.asarray(pattern).T)
    x = jnp.asarray(x)
    if len(c) != len(x):
        c = np.resize(c, len(x))
    products = jnp.stack([jax.jvp(f, (x,), (jnp.asarray(c == k, x.dtype),))[1] for k in range(c.max() + 1)], axis=1)
    return jnp.where(jnp.asarray(pattern), products[:, c], 0.0)


@wrong(
    "sparse_jacobian", "the pattern is ignored: no zeros are known and every column has a colour of its own, in a loop"
)
def loop_over_columns(f, x, pattern):
    x = jnp.asarray(x)
    return jnp.stack([jax.jvp(f, (x,), (e,))[1] for e in jnp.eye(len(x))], axis=1)
