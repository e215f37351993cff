"""Wrong solutions of `ad_in_jax`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false
# pyright: reportFunctionMemberAccess=false

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.sparse.linalg import cg

from wrong_solutions import Collection
from wrong_solutions.ad_in_jax import as_vector, coloured, iterate

WRONG = Collection()
wrong = WRONG.wrong


# q1


def closed_form(A, B, Y):
    """The gradient and the two terms of the Hessian, with Y for the inverse of X."""
    P = Y @ B @ A @ Y
    return -P.T, np.einsum("li,jk->ijkl", P, Y), np.einsum("li,jk->ijkl", Y, P)


@wrong("trace_inverse_derivatives", "one term of the Hessian, with a minus and its axes in another order")
def minus_one_term(A, B, X):
    gradient, term, _ = closed_form(A, B, np.linalg.inv(X))
    return gradient, -term.transpose(0, 2, 1, 3)


@wrong("trace_inverse_derivatives", "the Hessian is that by X^T in its first pair of axes, and negative")
def negative_and_turned(A, B, X):
    gradient, first, second = closed_form(A, B, np.linalg.inv(X))
    return gradient, -(first + second).transpose(1, 0, 2, 3)


@wrong("trace_inverse_derivatives", "the closed form with 1 / X for the inverse")
def reciprocals(A, B, X):
    with np.errstate(all="ignore"):
        gradient, first, second = closed_form(A, B, 1 / np.asarray(X))
    return gradient, first + second


@wrong("trace_inverse_derivatives", "tr(A X B) is differentiated, by hand, and comes transposed")
def product_by_hand(A, B, X):
    n = len(X)
    return np.asarray(B) @ A, np.zeros((n, n, n, n))


@wrong("trace_inverse_derivatives", "the Hessian by Kronecker products, as a matrix")
def kronecker(A, B, X):
    Y = np.linalg.inv(X)
    P = Y @ B @ A @ Y
    return -P.T, np.kron(P.T, Y) + np.kron(Y.T, P)


@wrong("trace_inverse_derivatives", "the closed forms come in the wrong order, and the gradient is transposed")
def hessian_and_gradient(A, B, X):
    gradient, first, second = closed_form(A, B, np.linalg.inv(X))
    return first + second, gradient.T


@wrong("cubic_norm_derivatives", "x x^T is divided by ||x|| at 0 as well")
def divided_at_zero(x):
    r = jnp.linalg.norm(x)
    return r * x, r * jnp.eye(len(x)) + jnp.outer(x, x) / r


@wrong("cubic_norm_derivatives", "the third is forgotten in the Hessian alone")
def thrice_the_hessian(x):
    r = np.linalg.norm(x)
    unit = x / r if r else x
    return r * x, 3 * r * np.eye(len(x)) + 3 * np.outer(x, unit)


@wrong("cubic_norm_derivatives", "1e-9 is added under the root in the Hessian alone")
def softened_hessian(x):
    r = np.sqrt(x @ x + 1e-9)
    return np.linalg.norm(x) * x, r * np.eye(len(x)) + np.outer(x, x) / r


# q2


@wrong("jacobian", "one push forward after the other, for each input")
def push_by_push(f, x):
    x = jnp.asarray(x)
    return jnp.stack([jax.jvp(as_vector(f), (x,), (e,))[1] for e in jnp.eye(x.size)], axis=1)


@wrong("jacobian", "a gradient of each result, one after the other")
def result_by_result(f, x):
    x = jnp.asarray(x)
    m = jax.eval_shape(as_vector(f), x).size
    return jnp.stack([jax.grad(lambda x, k=k: as_vector(f)(x)[k])(x) for k in range(m)])


@wrong("jacobian", "gradients of each result where there are many, pushes where there are few")
def loops_exchanged(f, x):
    m = jax.eval_shape(as_vector(f), x).size
    return result_by_result(f, x) if m > len(x) else push_by_push(f, x)


@wrong("jacobian", "differences of four points")
def four_points(f, x):
    h = 1e-2
    columns = []
    for e in h * np.eye(len(x)):
        near, far = np.ravel(f(x + e)) - np.ravel(f(x - e)), np.ravel(f(x + 2 * e)) - np.ravel(f(x - 2 * e))
        columns.append((8 * near - far) / (12 * h))
    return np.stack(columns, axis=1)


@wrong("jacobian", "forward differences with a step of 2e-8")
def two_of_the_eighth(f, x):
    x = np.asarray(x, dtype=float)
    return np.stack([(np.ravel(f(x + 2e-8 * e)) - np.ravel(f(x))) / 2e-8 for e in np.eye(x.size)], axis=1)


@wrong("jacobian", "central differences, the step of each entry in proportion to 1 + |x_i|")
def proportional_steps(f, x):
    columns = []
    for i, size in enumerate(1 + np.abs(x)):
        e = np.zeros(len(x))
        e[i] = 1e-6 * size
        columns.append((np.ravel(f(x + e)) - np.ravel(f(x - e))) / (2e-6 * size))
    return np.stack(columns, axis=1)


@wrong("jacobian", "where there is one result its gradient is returned")
def gradient_of_one(f, x):
    x = jnp.asarray(x)
    m = jax.eval_shape(as_vector(f), x).size
    if m == 1:
        return jax.grad(lambda x: as_vector(f)(x)[0])(x)
    return jax.jacrev(f)(x) if m < x.size else jax.jacfwd(f)(x)


@wrong("jacobian", "what forward mode gives is turned")
def turned_where_tall(f, x):
    x = jnp.asarray(x)
    m = jax.eval_shape(as_vector(f), x).size
    return jax.jacfwd(as_vector(f))(x).T if m > x.size else jax.jacrev(as_vector(f))(x)


# q3


@wrong("hvp", "every row of v is divided by its length, and its product multiplied by it")
def along_unit_rows(f, x, v):
    x, v = jnp.asarray(x), jnp.atleast_2d(v)
    lengths = jnp.linalg.norm(v, axis=1)
    _, product = jax.linearize(jax.grad(f), x)
    found = jnp.stack([length * product(row / length) for row, length in zip(v, lengths, strict=True)])
    return found if len(found) > 1 else found[0]


@wrong("hvp", "the Hessian by pushes along all unit vectors, and then times v")
def pushes_first(f, x, v):
    _, product = jax.linearize(jax.grad(f), jnp.asarray(x))
    return jnp.asarray(v) @ jax.vmap(product)(jnp.eye(len(x)))


@wrong("hvp", "reverse mode of reverse mode gives the Hessian, which is then multiplied")
def reverse_twice(f, x, v):
    H = jax.jacrev(jax.jacrev(f))(jnp.asarray(x))
    return jnp.einsum("ij,...j->...i", H, jnp.asarray(v))


@wrong("hvp", "several rows are refused")
def rows_refused(f, x, v):
    assert np.ndim(v) == 1, "one vector at a time"
    return jax.jvp(jax.grad(f), (jnp.asarray(x),), (jnp.asarray(v),))[1]


@wrong("hvp", "of several rows the last one is multiplied")
def last_row_only(f, x, v):
    v = jnp.asarray(v)
    return jax.jvp(jax.grad(f), (jnp.asarray(x),), (v if v.ndim == 1 else v[-1],))[1]


@wrong("hvp", "of several rows the mean is multiplied, and handed back for each")
def mean_row(f, x, v):
    v = jnp.asarray(v)
    product = jax.jvp(jax.grad(f), (jnp.asarray(x),), (v if v.ndim == 1 else v.mean(axis=0),))[1]
    return jnp.broadcast_to(product, v.shape)


@wrong("hvp", "the curvature v^T H v of each row, in a column")
def curvature_of_rows(f, x, v):
    _, product = jax.linearize(jax.grad(f), jnp.asarray(x))
    v = jnp.asarray(v)
    return jnp.vdot(v, product(v)) if v.ndim == 1 else jax.vmap(lambda row: jnp.vdot(row, product(row)))(v)


@wrong("hvp", "a one-sided difference of gradients with a step of 2e-8 over the length of v")
def short_step(f, x, v):
    slope = jax.grad(f)

    def one(v):
        h = 2e-8 / jnp.maximum(jnp.linalg.norm(v), 1e-300)
        return jnp.where(jnp.any(v != 0), (slope(x + h * v) - slope(x)) / h, 0.0)

    return one(v) if jnp.ndim(v) == 1 else jnp.stack([one(row) for row in v])


# q4


def newton(f, x0, goes_on, *, residual=1e-3, least=0.0, safeguard=True, turns=100):
    """Newton's method by conjugate gradients, as long as goes_on(k, x, gradient, step taken, decrease of f)."""
    slope, value = jax.jit(jax.grad(f)), jax.jit(f)
    product = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
    x = jnp.asarray(x0, dtype=float)
    for k in range(turns):
        g = slope(x)
        p = cg(lambda v, x=x: product(x, v), -g, tol=residual, atol=least)[0]
        t, here = 1.0, float(value(x))
        while safeguard and float(value(x + t * p)) > here + 1e-4 * t * float(g @ p) and t > 1e-14:
            t /= 2
        following = x + t * p
        decrease = here - float(value(following))
        if not goes_on(k, x, g, following - x, decrease):
            return following
        x = following
    return x


@wrong("newton_cg", "it ends as soon as a step is shorter than the root of the tolerance")
def stands_still(f, x0, tolerance):
    return newton(f, x0, lambda k, x, g, step, less: float(jnp.linalg.norm(step)) > tolerance**0.5)


@wrong("newton_cg", "it ends as soon as f has decreased by less than 1e-9 of its value")
def hardly_less(f, x0, tolerance):
    return newton(f, x0, lambda k, x, g, step, less: less > 1e-9 * abs(float(f(x))))


@wrong("newton_cg", "three steps of Newton, whatever the gradient is")
def three_steps(f, x0, tolerance):
    return newton(f, x0, lambda k, x, g, step, less: k < 2)


@wrong("newton_cg", "conjugate gradients end at a residual of 1e-2, and so the steps become 0")
def residual_of_a_hundredth(f, x0, tolerance):
    goal = tolerance * max(1.0, float(jnp.linalg.norm(jax.grad(f)(jnp.asarray(x0)))))
    return newton(f, x0, lambda k, x, g, step, less: float(jnp.linalg.norm(g)) > goal, residual=0.0, least=1e-2)


@wrong("newton_cg", "a hundred steps of gradient descent, a tenth of the gradient long")
def tenth_of_the_gradient(f, x0, tolerance):
    slope = jax.jit(jax.grad(f))
    x = jnp.asarray(x0, dtype=float)
    for _ in range(100):
        x = x - 0.1 * slope(x)
    return x


@wrong("newton_cg", "twenty-five full steps")
def twenty_five_full_steps(f, x0, tolerance):
    return newton(f, x0, lambda k, x, g, step, less: True, residual=1e-10, safeguard=False, turns=25)


# q5


@wrong("log1pexp", "four pieces, by where: e^x overflows in those that are not taken")
def four_pieces(x):
    x = jnp.asarray(x, dtype=float)
    middle = jnp.where(x < 18, jnp.log1p(jnp.exp(x)), x + jnp.exp(-x))
    return jnp.where(x < -37, jnp.exp(x), jnp.where(x < 34, middle, x))


@wrong("log1pexp", "x itself beyond 18")
def eighteen(x):
    low = jnp.where(x < 18, x, 0.0)
    return jnp.where(x < 18, jnp.log1p(jnp.exp(low)), x)


@wrong("log1pexp", "x is cut at 600, from above alone")
def cut_above(x):
    return jnp.log1p(jnp.exp(jnp.minimum(x, 600.0)))


@wrong("log1pexp", "a rule whose slope is a constant for JAX")
@jax.custom_jvp
def constant_slope(x):
    return jnp.logaddexp(x, 0.0)


constant_slope.defjvps(lambda x_dot, y, x: lax.stop_gradient(1 / (1 + jnp.exp(-x))) * x_dot)


def root_of(x):
    squares = jnp.vdot(x, x)
    return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1.0)), 0.0)


@wrong("safe_norm", "a rule in which x over its length is a constant")
@jax.custom_jvp
def constant_direction(x):
    return root_of(x)


@constant_direction.defjvp
def _(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    length = root_of(x)
    return length, jnp.vdot(lax.stop_gradient(x / jnp.where(length > 0, length, 1.0)), x_dot)


@wrong("safe_norm", "a rule in which the length below x is a constant")
@jax.custom_jvp
def constant_length(x):
    return root_of(x)


@constant_length.defjvp
def _(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    length = lax.stop_gradient(root_of(x))
    return root_of(x), jnp.vdot(x, x_dot) / jnp.where(length > 0, length, 1.0)


@wrong("safe_norm", "at 0 the gradient points along the first axis")
def first_axis_at_zero(x):
    return jnp.where(jnp.vdot(x, x) > 0, root_of(x), x[0])


@wrong("safe_norm", "the square is at least 1e-20, and so the norm at least 1e-10")
def never_below(x):
    return jnp.sqrt(jnp.maximum(jnp.vdot(x, x), 1e-20))


# q6


@wrong("fixed_point", "f_x is taken at x0, and f_theta at the solution")
def matrix_at_the_start(f, theta, x0, tolerance):
    @jax.custom_vjp
    def solve(theta, x0):
        return iterate(f, theta, x0, tolerance)

    def back(kept, bar):
        theta, x, x0 = kept
        J = jax.jacrev(lambda x: f(x, theta))(x0)
        u = jnp.linalg.solve((jnp.eye(x.size) - J).T, bar)
        return jax.vjp(lambda t: f(x, t), theta)[1](u)[0], jnp.zeros_like(x0)

    solve.defvjp(lambda theta, x0: (lambda x: (x, (theta, x, x0)))(solve(theta, x0)), back)
    return solve(jnp.asarray(theta), jnp.asarray(x0))


def solved_by(backward, turned):
    """fixed_point with an iteration of one's own, turned(f, theta, x0, tolerance)."""

    def fixed_point(f, theta, x0, tolerance):
        @jax.custom_vjp
        def solve(theta, x0):
            return turned(f, theta, x0, tolerance)

        def back(kept, bar):
            theta, x = kept
            J = jax.jacrev(lambda x: f(x, theta))(x)
            return jax.vjp(lambda t: f(x, t), theta)[1](backward(J, bar))[0], jnp.zeros_like(x)

        solve.defvjp(lambda theta, x0: (lambda x: (x, (theta, x)))(solve(theta, x0)), back)
        return solve(jnp.asarray(theta), jnp.asarray(x0, dtype=float))

    return fixed_point


def right_adjoint(J, bar):
    return jnp.linalg.solve((jnp.eye(len(bar)) - J).T, bar)


def by_the_square(f, theta, x0, tolerance):
    def goes_on(pair):
        x, following = pair
        return jnp.vdot(following - x, following - x) > tolerance * jnp.maximum(1.0, jnp.vdot(x, x))

    return lax.while_loop(goes_on, lambda pair: (pair[1], f(pair[1], theta)), (x0, f(x0, theta)))[1]


wrong("fixed_point", "the square of the step is compared with the tolerance, relative to that of x", "square_of_step")(
    solved_by(right_adjoint, by_the_square)
)
wrong("fixed_point", "256 turns whatever the tolerance is", "turns_256")(
    solved_by(right_adjoint, lambda f, theta, x0, tolerance: lax.fori_loop(0, 256, lambda _, x: f(x, theta), x0))
)


def rough_adjoint(J, bar):
    def goes_on(pair):
        u, following = pair
        return jnp.linalg.norm(following - u) > 1e-4 * jnp.linalg.norm(bar)

    return lax.while_loop(goes_on, lambda pair: (pair[1], bar + J.T @ pair[1]), (bar, bar + J.T @ bar))[1]


wrong("fixed_point", "the adjoint equation is iterated until a step is short, 1e-4", "rough_adjoint")(
    solved_by(rough_adjoint, iterate)
)


@wrong("fixed_point", "the derivative goes through two hundred turns")
def two_hundred_turns(f, theta, x0, tolerance):
    return lax.scan(lambda x, _: (f(x, theta), None), jnp.asarray(x0), None, length=200)[0]


@wrong("fixed_point", "the last two turns are differentiated")
def last_two_turns(f, theta, x0, tolerance):
    x = lax.stop_gradient(iterate(f, lax.stop_gradient(theta), lax.stop_gradient(x0), tolerance))
    return f(f(x, theta), theta)


@wrong("fixed_point", "the system is solved with its sign turned and without its transpose", "both_in_the_system")
def both_in_the_system(f, theta, x0, tolerance):
    return solved_by(lambda J, bar: jnp.linalg.solve(jnp.eye(len(bar)) + J, bar), iterate)(f, theta, x0, tolerance)


# q7


def pushed(f, x, colours):
    _, push = jax.linearize(f, jnp.asarray(x))
    seeds = np.equal.outer(np.arange(max(colours) + 1), np.asarray(colours)).astype(float)
    return jax.vmap(push)(jnp.asarray(seeds))


@wrong("sparse_jacobian", "two colours in turn")
def colours_in_turn(f, x, pattern):
    colours = np.arange(pattern.shape[1]) % 2
    return jnp.where(pattern, pushed(f, x, colours)[colours].T, 0.0)


@wrong("sparse_jacobian", "central differences along the seeds, with a step of 2e-6")
def central_along_seeds(f, x, pattern):
    colours, h = coloured(np.asarray(pattern)), 2e-6
    columns = []
    for k in range(int(colours.max()) + 1):
        seed = (colours == k).astype(float)
        columns.append((f(x + h * seed) - f(x - h * seed)) / (2 * h))
    return jnp.where(jnp.asarray(pattern), jnp.stack(columns, axis=1)[:, colours], 0.0)


@wrong("sparse_jacobian", "a gradient of each result, masked")
def row_after_row(f, x, pattern):
    return jnp.where(pattern, jax.jacrev(f)(jnp.asarray(x)), 0.0)


@wrong("sparse_jacobian", "the Jacobian is found rightly and turned")
def found_and_turned(f, x, pattern):
    colours = coloured(np.asarray(pattern))
    return jnp.where(pattern, pushed(f, x, colours)[colours].T, 0.0).T if pattern.any() else jnp.zeros(pattern.T.shape)
