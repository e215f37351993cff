"""Solutions of `ad_in_jax` as students write them: right but unlike the reference, and wrong but subtly."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.sparse.linalg import cg

RIGHT = {}
"""{(function, description): implementation}; each earns all points. The first of a question is tried by default."""
WRONG = {}
"""{(function, description): implementation}; each loses points."""


def right(name, what):
    return lambda function: RIGHT.setdefault((name, what), function)


def wrong(name, what):
    return lambda function: WRONG.setdefault((name, what), function)


# q1


@right("trace_inverse_derivatives", "closed forms in NumPy")
def _(A, b, X):
    inverse = np.linalg.inv(X)
    P = inverse @ b @ A @ inverse
    return -P.T, np.einsum("jk,li->ijkl", inverse, P) + np.einsum("jk,li->ijkl", P, inverse)


@right("trace_inverse_derivatives", "forward over reverse, in a list")
def _(A, B, X):
    def f(X):
        return jnp.sum(A.T * (jnp.linalg.inv(X) @ B))

    return [jax.grad(f)(X), jax.jacfwd(jax.grad(f))(X)]


@right("trace_inverse_derivatives", "reverse over reverse, under jit")
@jax.jit
def _(A, B, X):
    def gradient(X):
        return jax.vjp(lambda X: jnp.einsum("ij,jk,ki", A, jnp.linalg.inv(X), B), X)[1](1.0)[0]

    return gradient(X), jax.jacrev(gradient)(X)


@right("cubic_norm_derivatives", "by JAX, with two wheres")
def _(x):
    def g(x):
        squares = x @ x
        return jnp.where(squares > 0, jnp.where(squares > 0, squares, 1.0) ** 1.5, 0.0) / 3

    return jax.grad(g)(x), jax.hessian(g)(x)


@right("cubic_norm_derivatives", "NumPy, and an if for 0")
def _(x):
    norm = np.linalg.norm(x)
    if norm == 0:
        return np.zeros_like(x), np.zeros((len(x), len(x)))
    return norm * x, norm * np.eye(len(x)) + np.outer(x, x) / norm


@right("cubic_norm_derivatives", "the gradient in closed form, its Jacobian by JAX")
def _(x):
    def gradient(x):
        squares = jnp.vdot(x, x)
        return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1.0)), 0.0) * x

    return gradient(jnp.asarray(x)), jax.jacobian(gradient)(x)


# q2


@right("jacobian", "jvp and vjp under vmap")
def _(f, x):
    m, n = f(x).size, x.size
    if n < m:
        return jax.vmap(lambda e: jax.jvp(f, (x,), (e,))[1])(jnp.eye(n)).T
    _, pull_back = jax.vjp(f, x)
    return jax.vmap(pull_back)(jnp.eye(m))[0]


@right("jacobian", "Python loops over rows and columns")
def _(f, x):
    y, pull_back = jax.vjp(f, x)
    if len(y) <= len(x):
        return jnp.stack([pull_back(e)[0] for e in jnp.eye(len(y))])
    _, push = jax.linearize(f, x)
    return jnp.stack([push(e) for e in jnp.eye(len(x))], axis=-1)


@right("jacobian", "under jit, f static")
@partial(jax.jit, static_argnums=0)
def _(f, x):
    return (jax.jacrev if jax.eval_shape(f, x).size < x.size else jax.jacfwd)(f)(x)


@right("jacobian", "under jit, f a pytree")
@jax.jit
def _(f, x):
    return (jax.jacrev if f(x).size < x.size else jax.jacfwd)(f)(x)


@right("jacobian", "linearised, transposed, with lax.map")
def _(f, x):
    y, push = jax.linearize(f, jnp.asarray(x))
    if y.size <= x.size:
        pull_back = jax.linear_transpose(push, x)
        return lax.map(lambda e: pull_back(e)[0], jnp.eye(y.size))
    return lax.map(push, jnp.eye(x.size)).T


# q3


def _rows(product, v):
    return product(v) if np.ndim(v) == 1 else jax.vmap(product)(v)


@right("hvp", "reverse over reverse")
def _(f, x, v):
    return _rows(lambda v: jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x), v)


@right("hvp", "reverse over forward")
def _(f, x, v):
    return _rows(lambda v: jax.grad(lambda x: jax.jvp(f, (x,), (v,))[1])(x), v)


@right("hvp", "forward over reverse, by recursion over the rows")
def _(f, x, v):
    def hvp(v):
        if v.ndim > 1:
            return jnp.stack([hvp(row) for row in v])
        return jax.jvp(jax.grad(f), [x], [v])[1]

    return hvp(v)


@right("hvp", "the Hessian is symmetric: vjp of the gradient")
def _(f, x, v):
    _, pull_back = jax.vjp(jax.grad(f), x)
    return _rows(lambda v: pull_back(v)[0], jnp.asarray(v))


@right("hvp", "lax.map over the rows")
def _(f, x, v):
    product = jax.linearize(jax.grad(f), x)[1]
    return product(v) if v.ndim == 1 else lax.map(product, v)


@right("hvp", "under jit, f static")
@partial(jax.jit, static_argnums=0)
def _(f, x, v):
    return jnp.vectorize(lambda v: jax.jvp(jax.grad(f), (x,), (v,))[1], signature="(n)->(n)")(v)


@right("hvp", "the transpose of the linearised gradient")
def _(f, x, v):
    push = jax.linearize(jax.grad(f), x)[1]
    return _rows(lambda v: jax.linear_transpose(push, x)(v)[0], jnp.asarray(v))


# q4


@right("newton_cg", "NumPy on the outside, the gradient's norm descends too")
def _(f, x0, tolerance):
    gradient = jax.jit(jax.grad(f))
    product = jax.jit(lambda x, v: jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x))
    x = np.array(x0)
    g = np.asarray(gradient(x))
    goal = tolerance * max(1.0, np.linalg.norm(g))
    for _ in range(500):
        if np.linalg.norm(g) <= goal:
            break
        d, r = np.zeros_like(x), -g
        p, rr = r, r @ r
        for _ in range(20 * len(x)):
            if rr <= 1e-20 * (g @ g):
                break
            Hp = np.asarray(product(x, p))
            alpha = rr / (p @ Hp)
            d, r = d + alpha * p, r - alpha * Hp
            p, rr = r + (r @ r) / rr * p, r @ r
        t = 1.0
        # f is convex: along a direction of descent it goes down as long as its slope is negative
        while (
            t > 1e-12 and (slope := np.asarray(gradient(x + t * d))) @ d > 1e-6 * np.linalg.norm(slope) * abs(d).max()
        ):
            t /= 2
        x = x + t * d
        g = np.asarray(gradient(x))
    return x


@right("newton_cg", "one while_loop, under jit")
def _(f, x0, tolerance):
    slope = jax.grad(f)

    @jax.jit
    def solve(x):
        goal = tolerance * jnp.maximum(1.0, jnp.linalg.norm(slope(x)))

        def step(state):
            x, count = state
            g = slope(x)
            d, _ = cg(jax.linearize(slope, x)[1], -g, tol=1e-10, maxiter=1000)
            value = f(x)
            enough = value + 1e-4 * jnp.vdot(g, d) * 0 + 1e-13 * jnp.abs(value)
            t = lax.while_loop(lambda t: (f(x + t * d) > enough) & (t > 1e-9), lambda t: t / 2, 1.0)
            return x + t * d, count + 1

        return lax.while_loop(lambda s: (jnp.linalg.norm(slope(s[0])) > goal) & (s[1] < 300), step, (x, 0))[0]

    return solve(jnp.asarray(x0))


@right("newton_cg", "JAX's cg, halving until f descends")
def _(f, x0, tolerance):
    gradient, product = jax.jit(jax.grad(f)), jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
    x, f = jnp.asarray(x0), jax.jit(f)
    goal = tolerance * max(1, float(jnp.linalg.norm(gradient(x))))
    while jnp.linalg.norm(g := gradient(x)) > goal:
        d, _ = cg(partial(product, x), -g, tol=1e-8)
        t = 1.0
        while f(x + t * d) > f(x) * (1 + 1e-14 * np.sign(f(x))) and t > 1e-10:
            t /= 2
        x = x + t * d
    return x


# q5


@right("log1pexp", "logaddexp, with a rule in the value")
@jax.custom_jvp
def log1pexp_by_logaddexp(x):
    return jnp.logaddexp(x, 0.0)


log1pexp_by_logaddexp.defjvps(lambda x_dot, y, x: jnp.exp(x - y) * x_dot)


@right("log1pexp", "softplus")
def _(x):
    return jax.nn.softplus(x)


@right("log1pexp", "two wheres")
def _(x):
    x = jnp.asarray(x, dtype=float)
    large = x > 0
    positive, negative = jnp.where(large, x, 0.0), jnp.where(large, 0.0, x)
    return jnp.where(large, positive + jnp.log1p(jnp.exp(-positive)), jnp.log1p(jnp.exp(negative)))


@right("log1pexp", "minus log_sigmoid of -x")
def _(x):
    return -jax.nn.log_sigmoid(-jnp.asarray(x))


@right("safe_norm", "a rule of its own")
@jax.custom_jvp
def norm_with_a_rule(x):
    return jnp.linalg.norm(x)


@norm_with_a_rule.defjvp
def _(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    norm = norm_with_a_rule(x)
    return norm, jnp.where(norm > 0, jnp.vdot(x, x_dot) / jnp.where(norm > 0, norm, 1.0), 0.0)


@right("safe_norm", "the norm of something else at 0")
def _(x):
    zero = ~jnp.any(x)
    return jnp.where(zero, 0.0, jnp.linalg.norm(jnp.where(zero, jnp.ones_like(x), x)))


@right("safe_norm", "lax.cond")
def _(x):
    return lax.cond(jnp.any(x), lambda x: jnp.sqrt(jnp.sum(x**2)), lambda x: 0.0, jnp.asarray(x))


# q6


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _iterated(f, theta, x0, tolerance):
    def goes_on(x):
        return jnp.linalg.norm(f(x, theta) - x) > tolerance * jnp.maximum(1, jnp.linalg.norm(x))

    return lax.while_loop(goes_on, lambda x: f(x, theta), x0)


def _iterated_forward(f, theta, x0, tolerance):
    x = _iterated(f, theta, x0, tolerance)
    return x, (theta, x, tolerance)


def _iterated_backward(f, kept, x_bar):
    theta, x, tolerance = kept
    _, pull_back = jax.vjp(f, x, theta)

    def goes_on(w):
        return jnp.linalg.norm(x_bar + pull_back(w)[0] - w) > tolerance * jnp.linalg.norm(w)

    w = lax.while_loop(goes_on, lambda w: x_bar + pull_back(w)[0], x_bar)
    return pull_back(w)[1], jnp.zeros_like(x), None


_iterated.defvjp(_iterated_forward, _iterated_backward)


@right("fixed_point", "the adjoint equation by iteration")
def _(f, theta, x0, tolerance):
    return _iterated(f, jnp.asarray(theta), jnp.asarray(x0), tolerance)


@right("fixed_point", "custom_root")
def _(f, theta, x0, tolerance):
    def solve(residual, x):
        return lax.while_loop(
            lambda x: jnp.linalg.norm(residual(x)) > tolerance * jnp.maximum(1, jnp.linalg.norm(x)),
            lambda x: x + residual(x),
            x,
        )

    def tangent_solve(linear, y):
        return jnp.linalg.solve(jax.jacobian(linear)(y), y)

    return lax.custom_root(lambda x: f(x, theta) - x, jnp.asarray(x0), solve, tangent_solve)


@right("fixed_point", "a Newton step that is differentiated, nothing else")
def _(f, theta, x0, tolerance):
    x, fixed = lax.stop_gradient(jnp.asarray(x0)), lax.stop_gradient(theta)
    x = lax.while_loop(
        lambda x: jnp.linalg.norm(f(x, fixed) - x) > tolerance * jnp.maximum(1, jnp.linalg.norm(x)),
        lambda x: f(x, fixed),
        x,
    )
    M = jnp.eye(x.size) - jax.jacobian(f)(x, fixed)
    return x + jnp.linalg.solve(M, f(x, theta) - x)


@right("fixed_point", "Newton's method, f closed over")
def _(f, theta, x0, tolerance):
    @jax.custom_vjp
    def solution(theta):
        def step(x):
            J = jax.jacfwd(f)(x, theta)
            return x + jnp.linalg.solve(jnp.eye(x.size) - J, f(x, theta) - x)

        def goes_on(pair):
            x, count = pair
            far = jnp.linalg.norm(f(x, theta) - x) > tolerance * jnp.maximum(1, jnp.linalg.norm(x))
            return far & (count < 20)

        start = lax.fori_loop(0, 50, lambda _, x: f(x, theta), jnp.zeros(x0.shape))
        return lax.while_loop(goes_on, lambda pair: (step(pair[0]), pair[1] + 1), (start, 0))[0]

    def forward(theta):
        x = solution(theta)
        return x, (x, theta)

    def backward(kept, x_bar):
        x, theta = kept
        _, pull_back = jax.vjp(f, x, theta)
        w = jax.scipy.sparse.linalg.gmres(lambda w: w - pull_back(w)[0], x_bar, tol=1e-13, solve_method="incremental")[
            0
        ]
        return (pull_back(w)[1],)

    solution.defvjp(forward, backward)
    return solution(theta)


# q7


def _groups(pattern):
    """Columns that share no row, as lists."""
    groups = []
    for j in range(pattern.shape[1]):
        for group in groups:
            if not any((pattern[:, j] & pattern[:, k]).any() for k in group):
                group.append(j)
                break
        else:
            groups.append([j])
    return groups


@right("sparse_jacobian", "rows in groups, pulled back")
def _(f, x, pattern):
    _, pull_back = jax.vjp(f, jnp.asarray(x))
    J = jnp.zeros(pattern.shape)
    for group in _groups(pattern.T):
        cotangent = np.zeros(len(pattern))
        cotangent[group] = 1
        (row,) = pull_back(jnp.asarray(cotangent))
        for i in group:
            J = J.at[i].set(jnp.where(pattern[i], row, 0.0))
    return J


@right("sparse_jacobian", "lax.map over the groups")
def _(f, x, pattern):
    groups = _groups(pattern)
    seeds = np.array([np.isin(np.arange(x.size), group) for group in groups], dtype=float)
    pushed = lax.map(jax.linearize(f, jnp.asarray(x))[1], jnp.asarray(seeds))
    return jnp.einsum("cm,cn->mn", pushed, jnp.asarray(seeds)) * pattern


@right("sparse_jacobian", "a jvp for each group of columns, entry by entry")
def _(f, x, pattern):
    J = jnp.zeros(pattern.shape)
    for group in _groups(pattern):
        tangent = np.zeros(x.shape)
        tangent[group] = 1
        column = jax.jvp(f, (x,), (jnp.asarray(tangent),))[1]
        for j in group:
            rows = np.flatnonzero(pattern[:, j])
            J = J.at[rows, j].set(column[rows])
    return J


# wrong


@wrong("hvp", "a sum over the columns of the Hessian, none of which is kept")
def _(f, x, v):
    def product(v):
        def add(i, total):
            e = jnp.zeros_like(x).at[i].set(1.0)
            return total + v[i] * jax.jvp(jax.grad(f), (x,), (e,))[1]

        return lax.fori_loop(0, x.size, add, jnp.zeros_like(x))

    return _rows(product, jnp.asarray(v))


@wrong("hvp", "the Hessian flat")
def _(f, x, v):
    H = jax.vmap(lambda e: jax.jvp(jax.grad(f), (x,), (e,))[1])(jnp.eye(x.size)).ravel()
    return jnp.asarray(v) @ H.reshape(x.size, x.size)


@wrong("jacobian", "the mode chosen by the size of x alone")
def _(f, x):
    return jax.jacfwd(f)(x) if x.size < 10 else jax.jacrev(f)(x.astype(np.float32))


@wrong("jacobian", "a jvp for each column, of each row")
def _(f, x):
    m = f(x).size
    return jnp.stack([jax.jacfwd(lambda x, i=i: f(x)[i])(x) for i in range(m)])


@wrong("jacobian", "in single precision")
def _(f, x):
    return jax.jacrev(lambda x: f(x).astype(jnp.float32))(x)


@wrong("safe_norm", "a small number in the denominator of the rule")
@jax.custom_jvp
def norm_with_a_shifted_rule(x):
    return jnp.linalg.norm(x)


@norm_with_a_shifted_rule.defjvp
def _(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    norm = norm_with_a_shifted_rule(x)
    return norm, jnp.vdot(x, x_dot) / (norm + 1e-10)


@wrong("fixed_point", "a scan of 1000 steps")
def _(f, theta, x0, tolerance):
    return lax.scan(lambda x, _: (f(x, theta), None), jnp.asarray(x0), length=1000)[0]


@wrong("fixed_point", "the last steps are differentiated")
def _(f, theta, x0, tolerance):
    fixed = lax.stop_gradient(theta)
    x = lax.while_loop(
        lambda x: jnp.linalg.norm(f(x, fixed) - x) > tolerance * jnp.maximum(1, jnp.linalg.norm(x)),
        lambda x: f(x, fixed),
        lax.stop_gradient(jnp.asarray(x0)),
    )
    for _ in range(10):
        x = f(x, theta)
    return x


@wrong("fixed_point", "the adjoint equation to an absolute tolerance")
def fixed_point_absolute(f, theta, x0, tolerance):
    @jax.custom_vjp
    def solution(theta):
        return lax.while_loop(
            lambda x: jnp.linalg.norm(f(x, theta) - x) > tolerance * jnp.maximum(1, jnp.linalg.norm(x)),
            lambda x: f(x, theta),
            jnp.zeros(jnp.shape(x0)),
        )

    def forward(theta):
        x = solution(theta)
        return x, (x, theta)

    def backward(kept, x_bar):
        _, pull_back = jax.vjp(f, *kept)
        w = lax.while_loop(
            lambda w: jnp.linalg.norm(x_bar + pull_back(w)[0] - w) > tolerance,
            lambda w: x_bar + pull_back(w)[0],
            x_bar,
        )
        return (pull_back(w)[1],)

    solution.defvjp(forward, backward)
    return solution(theta)


@wrong("sparse_jacobian", "a vector for each entry of the pattern")
def _(f, x, pattern):
    J = jnp.zeros(pattern.shape)
    push = jax.linearize(f, jnp.asarray(x))[1]
    for i, j in np.argwhere(pattern):
        J = J.at[i, j].set(push(jnp.zeros(x.size).at[j].set(1.0))[i])
    return J


@wrong("newton_cg", "a dense Hessian")
def _(f, x0, tolerance):
    x = jnp.asarray(x0)
    goal = tolerance * max(1.0, float(jnp.linalg.norm(jax.grad(f)(x))))
    for _ in range(100):
        g = jax.grad(f)(x)
        if jnp.linalg.norm(g) <= goal:
            break
        d, t = jnp.linalg.solve(jax.hessian(f)(x), -g), 1.0
        while f(x + t * d) > f(x) and t > 1e-9:
            t /= 2
        x = x + t * d
    return x
