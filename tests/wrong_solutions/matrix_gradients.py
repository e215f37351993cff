"""Wrong solutions of `matrix_gradients`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np

from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


def outer(y, x):
    """y x^T, summed over columns where there are any."""
    return jnp.outer(y, x) if jnp.ndim(y) == 1 else y @ x.T


def solved(A, b, x_bar):
    factors = jsl.lu_factor(jnp.asarray(A))
    return jsl.lu_solve(factors, jnp.asarray(b)), jsl.lu_solve(factors, jnp.asarray(x_bar), trans=1)


# q1


@wrong("linear_solve_vjp", "the system is solved with A in place of A^T")
def no_transpose(A, b, x_bar):
    f = jsl.lu_factor(A)
    x = jsl.lu_solve(f, b)
    b_bar = jsl.lu_solve(f, x_bar)
    return -outer(b_bar, x), b_bar


@wrong("linear_solve_vjp", "A_bar lacks its minus sign")
def plus_sign(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    return outer(y, x), y


@wrong("linear_solve_vjp", "A_bar is transposed: -x b_bar^T")
def outer_transposed(A, b, x_bar):
    b_bar = np.linalg.solve(A.T, x_bar)
    x = np.linalg.solve(A, b)
    return -(np.outer(x, b_bar) if b.ndim == 1 else x @ b_bar.T), b_bar


@wrong("linear_solve_vjp", "b is used for x in A_bar")
def b_for_x(A, b, x_bar):
    factors = jsl.lu_factor(A)
    y = jsl.lu_solve(factors, x_bar, 1)
    return -outer(y, jnp.asarray(b)), y


@wrong("linear_solve_vjp", "x_bar is used for b_bar in A_bar")
def x_bar_in_the_outer_product(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    return -outer(jnp.asarray(x_bar), x), y


@wrong("linear_solve_vjp", "x_bar is ignored: ones in its place")
def ones_for_x_bar(A, b, x_bar):
    x, y = solved(A, b, jnp.ones_like(x_bar))
    return -outer(y, x), y


@wrong("linear_solve_vjp", "A_bar is half of what it should be")
def half(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    return -0.5 * outer(y, x), y


@wrong("linear_solve_vjp", "for a matrix b only the first column goes into A_bar")
def first_column(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    if x.ndim == 2:
        return -jnp.outer(y[:, 0], x[:, 0]), y
    return -jnp.outer(y, x), y


@wrong("linear_solve_vjp", "for a matrix b A_bar is the mean over the columns, not the sum")
def mean_over_columns(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    if x.ndim == 1:
        return -jnp.outer(y, x), y
    return -(y @ x.T) / x.shape[1], y


@wrong("linear_solve_vjp", "by the inverse: the points for work are lost")
def by_the_inverse(A, b, x_bar):
    inverse = jnp.linalg.inv(A)
    x, y = inverse @ b, inverse.T @ x_bar
    return -outer(y, x), y


@wrong("linear_solve_vjp", "A is factorised twice")
def two_factorisations(A, b, x_bar):
    x, y = jnp.linalg.solve(A, b), jnp.linalg.solve(A.T, x_bar)
    return -outer(y, x), y


@wrong("linear_solve_vjp", "by the normal equations, which square the condition number")
def normal_equations(A, b, x_bar):
    M = A.T @ A
    x = np.linalg.solve(M, A.T @ b)
    y = A @ np.linalg.solve(M, x_bar)
    return -(np.outer(y, x) if y.ndim == 1 else y @ x.T), y


@wrong("linear_solve_vjp", "a small multiple of the identity is added to A")
def ridge(A, b, x_bar):
    x, y = solved(A + 1e-9 * np.eye(len(A)), b, x_bar)
    return -outer(y, x), y


@wrong("linear_solve_vjp", "computed in 32-bit floats")
def single(A, b, x_bar):
    A, b, x_bar = (jnp.asarray(array, jnp.float32) for array in (A, b, x_bar))
    x, y = solved(A, b, x_bar)
    return -outer(y, x), y


@wrong("linear_solve_vjp", "A_bar and b_bar in the wrong order")
def wrong_order(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    return y, -outer(y, x)


@wrong("linear_solve_vjp", "b_bar has the wrong sign, and A_bar the right one")
def minus_b_bar(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    return -outer(y, x), -y


@wrong("linear_solve_vjp", "b_bar is A^T x_bar: multiplied where it should be solved")
def multiplied(A, b, x_bar):
    x = np.linalg.solve(A, b)
    y = A.T @ x_bar
    return -(np.outer(y, x) if y.ndim == 1 else y @ x.T), y


@wrong("linear_solve_vjp", "A_bar is the product entry by entry, broadcast, not the outer product")
def entrywise(A, b, x_bar):
    x, y = solved(A, b, x_bar)
    if x.ndim == 1:
        return -(y * x) * jnp.ones_like(A), y
    return -(y @ x.T), y


# q2


def rule(forward, backward):
    @jax.custom_vjp
    def linear_solve(A, b):
        return forward(A, b)[0]

    linear_solve.defvjp(forward, backward)
    return linear_solve


def lu_forward(A, b):
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, (factors, x)


def backward_no_minus(residuals, x_bar):
    factors, x = residuals
    y = jsl.lu_solve(factors, x_bar, trans=1)
    return outer(y, x), y


wrong("linear_solve", "A_bar lacks its minus sign", "rule_without_minus")(rule(lu_forward, backward_no_minus))


def backward_transposed(residuals, x_bar):
    factors, x = residuals
    y = jsl.lu_solve(factors, x_bar, trans=1)
    return -outer(x, y), y


wrong("linear_solve", "A_bar is transposed", "rule_with_transposed_A_bar")(rule(lu_forward, backward_transposed))


def backward_not_transposed(residuals, x_bar):
    factors, x = residuals
    y = jsl.lu_solve(factors, x_bar)
    return -outer(y, x), y


wrong("linear_solve", "the backward pass solves with A in place of A^T", "rule_without_transpose")(
    rule(lu_forward, backward_not_transposed)
)


def keeps_A(A, b):
    x = jnp.linalg.solve(A, b)
    return x, (A, x)


def solves_again(residuals, x_bar):
    A, x = residuals
    y = jnp.linalg.solve(A.T, x_bar)
    return -outer(y, x), y


wrong("linear_solve", "the backward pass factorises again", "rule_that_factorises_again")(rule(keeps_A, solves_again))


def keeps_the_inverse(A, b):
    inverse = jnp.linalg.inv(A)
    return inverse @ b, (inverse, inverse @ b)


wrong("linear_solve", "the inverse is formed and kept", "rule_with_an_inverse")(
    rule(keeps_the_inverse, lambda r, x_bar: (-outer(r[0].T @ x_bar, r[1]), r[0].T @ x_bar))
)


def linear_solve_plain(A, b):
    return jnp.linalg.solve(A, b)


wrong("linear_solve", "no rule of its own", "plain_solve")(linear_solve_plain)


wrong("linear_solve", "the backward pass uses b for x", "rule_with_b")(
    rule(
        lambda A, b: (jnp.linalg.solve(A, b), (jsl.lu_factor(A), b)),
        lambda r, x_bar: (-outer(jsl.lu_solve(r[0], x_bar, 1), r[1]), jsl.lu_solve(r[0], x_bar, 1)),
    )
)


def numpy_forward(A, b):
    x = np.linalg.solve(A, b)
    return x, (A, x)


wrong("linear_solve", "NumPy in the rule, which no trace can pass", "rule_in_numpy")(
    rule(
        numpy_forward,
        lambda r, x_bar: (-np.outer(np.linalg.solve(r[0].T, x_bar), r[1]), np.linalg.solve(r[0].T, x_bar)),
    )
)


def for_vectors_only(residuals, x_bar):
    factors, x = residuals
    y = jsl.lu_solve(factors, x_bar, trans=1)
    return -y[:, None] * x[None, :], y


wrong("linear_solve", "A_bar is right for a vector b only", "rule_for_vectors")(rule(lu_forward, for_vectors_only))


def b_bar_first(residuals, x_bar):
    factors, x = residuals
    y = jsl.lu_solve(factors, x_bar, trans=1)
    return y, -outer(y, x)


wrong("linear_solve", "the cotangents are returned in the wrong order", "rule_in_the_wrong_order")(
    rule(lu_forward, b_bar_first)
)


# q3


@wrong("nuclear_norm_gradient", "V U^T: the transpose")
def transposed_gradient(W):
    U, _, Vt = np.linalg.svd(W, full_matrices=False)
    return (U @ Vt).T


@wrong("nuclear_norm_gradient", "W itself is returned: U S V^T")
def put_together_again(W):
    U, s, Vt = jnp.linalg.svd(W, full_matrices=False)
    return U @ jnp.diag(s) @ Vt


@wrong("nuclear_norm_gradient", "full factors, which do not fit unless W is square")
def full_factors(W):
    U, _s, Vt = np.linalg.svd(W)
    return U @ Vt


@wrong("nuclear_norm_gradient", "NumPy's V^T is taken for V")
def vt_for_v(W):
    U, _s, V = np.linalg.svd(W, full_matrices=False)
    return U @ V.T if W.shape[0] == W.shape[1] else U @ V


@wrong("nuclear_norm_gradient", "the gradient of half the squared Frobenius norm is W, divided by its norm")
def frobenius(W):
    return W / max(np.linalg.norm(W), 1e-300)


@wrong("nuclear_norm_gradient", "the gradient of the spectral norm: the first singular pair only")
def spectral(W):
    U, _s, Vt = np.linalg.svd(W, full_matrices=False)
    return np.outer(U[:, 0], Vt[0])


@wrong("nuclear_norm_gradient", "W (W^T W)^(-1/2) by an inverse that does not exist at low rank")
def by_eigenvalues(W):
    if W.shape[0] < W.shape[1]:
        return by_eigenvalues(W.T).T
    d, Q = np.linalg.eigh(W.T @ W)
    return W @ Q @ np.diag(1 / np.sqrt(d)) @ Q.T


@wrong("nuclear_norm_gradient", "singular values below 1e-6 are cut off, absolutely: tiny matrices lose all")
def absolute_threshold(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return U[:, s > 1e-6] @ Vt[s > 1e-6]


@wrong("nuclear_norm_gradient", "central differences of the norm: not exact, and no subgradient where there is a kink")
def numerical(W):
    def norm(M):
        return np.linalg.svd(M, compute_uv=False).sum()

    G, h = np.zeros_like(W), 1e-5
    for i in np.ndindex(W.shape):
        E = np.zeros_like(W)
        E[i] = h
        G[i] = (norm(W + E) - norm(W - E)) / (2 * h)
    return G


@wrong("nuclear_norm_gradient", "the minus sign does not belong there")
def negative(W):
    U, _s, Vt = np.linalg.svd(W, full_matrices=False)
    return -(U @ Vt)


@wrong("nuclear_norm_gradient", "zero for every W of low rank, which is right for W = 0 only")
def zero_at_low_rank(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    if s[-1] < 1e-10 * s[0] or s[0] == 0:
        return np.zeros_like(W)
    return U @ Vt


@wrong("nuclear_norm_gradient", "computed in 32-bit floats")
def single_svd(W):
    U, _s, Vt = np.linalg.svd(W.astype(np.float32), full_matrices=False)
    return (U @ Vt).astype(np.float64)


@wrong("nuclear_norm_gradient", "twice the gradient")
def doubled(W):
    U, _, Vt = jnp.linalg.svd(jnp.asarray(W), full_matrices=False)
    return 2 * U @ Vt


# q4


def quotient(step, central=True):
    """numerical_gradient with a step for each entry."""

    def numerical_gradient(f, x):
        x = np.asarray(x, dtype=float)
        g = np.zeros(x.shape)
        for i in np.ndindex(x.shape):
            h = step(x[i])
            up, down = x.copy(), x.copy()
            up[i] += h
            if central:
                down[i] -= h
                g[i] = (f(up) - f(down)) / (2 * h)
            else:
                g[i] = (f(up) - f(x)) / h
        return g

    return numerical_gradient


wrong("numerical_gradient", "one-sided, step 1e-8", "one_sided")(quotient(lambda x: 1e-8, central=False))
wrong("numerical_gradient", "one-sided with a scaled step", "one_sided_scaled")(
    quotient(lambda x: 1.5e-8 * max(1, abs(x)), central=False)
)
wrong("numerical_gradient", "central, but the step 1e-10 is far too small: rounding", "tiny_step")(
    quotient(lambda x: 1e-10 * max(1.0, abs(x)))
)
wrong("numerical_gradient", "central with the fixed step 1e-6, whatever the size of the entry", "fixed_step")(
    quotient(lambda x: 1e-6)
)
wrong(
    "numerical_gradient",
    "central, with a step in proportion to |x|: 0/0 at 0 and too small for tiny entries",
    "proportional",
)(quotient(lambda x: 6e-6 * abs(x)))
wrong("numerical_gradient", "central with the step 1e-3: truncation", "long_step")(
    quotient(lambda x: 1e-3 * max(1, abs(x)))
)
wrong("numerical_gradient", "central with the step 0.01, whatever x", "hundredth")(quotient(lambda x: 0.01))
wrong("numerical_gradient", "one-sided with the step 1e-5", "one_sided_long")(
    quotient(lambda x: 1e-5 * max(1, abs(x)), central=False)
)


@wrong("numerical_gradient", "divided by h, not by 2h: twice the gradient")
def not_halved(f, x):
    h = np.finfo(float).eps ** (1 / 3) * np.maximum(1, np.abs(x))
    g = np.empty_like(x, dtype=float)
    for i in np.ndindex(*x.shape):
        e = np.zeros_like(g)
        e[i] = h[i]
        g[i] = (f(x + e) - f(x - e)) / h[i]
    return g


@wrong("numerical_gradient", "the result is flat, whatever the shape of x")
def flat(f, x):
    g = []
    for k in range(x.size):
        h = 6e-6 * max(1, abs(x.flat[k]))
        e = np.zeros(x.size)
        e[k] = h
        e = e.reshape(x.shape)
        g.append((f(x + e) - f(x - e)) / (2 * h))
    return np.array(g)


@wrong("numerical_gradient", "x is changed in place and not put back exactly")
def changes_x(f, x):
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        h = 6e-6 * max(1, abs(x[i]))
        x[i] += h
        up = f(x)
        x[i] -= 2 * h
        g[i] = (up - f(x)) / (2 * h)
    return g


@wrong("numerical_gradient", "the sign is wrong: f(x - h) - f(x + h)")
def backwards(f, x):
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = 6e-6 * max(1, abs(x[i]))
        g[i] = (f(x - e) - f(x + e)) / (2 * e[i])
    return g


def central(f, x):
    return quotient(lambda entry: 6e-6 * max(1, abs(entry)))(f, x)


@wrong("check_gradient", "an absolute tolerance")
def absolute(f, grad_f, x):
    g = np.asarray(grad_f(x))
    return g.shape == x.shape and bool(np.all(np.abs(g - central(f, x)) < 1e-6))


@wrong("check_gradient", "np.allclose with its defaults: its absolute part lets wrong tiny gradients pass")
def allclose(f, grad_f, x):
    g = np.asarray(grad_f(x))
    return g.shape == x.shape and bool(np.allclose(g, central(f, x)))


@wrong("check_gradient", "one random direction only, and no look at the shape", "one_direction")
def one_direction(f, grad_f, x):
    v = np.random.default_rng(0).standard_normal(x.shape)
    h = 6e-6 * max(1.0, float(np.max(np.abs(x))))
    slope = (f(x + h * v) - f(x - h * v)) / (2 * h)
    return bool(abs(slope - np.sum(np.asarray(grad_f(x)) * v)) <= 1e-4 * abs(slope))


@wrong("check_gradient", "one entry only, the first")
def first_entry(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    if g.shape != x.shape:
        return False
    return bool(abs(g.flat[0] - n.flat[0]) <= 1e-5 * np.linalg.norm(n))


@wrong("check_gradient", "NaN passes: the comparison asks whether the error is too large")
def nan_passes(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    if g.shape != n.shape:
        return False
    return not np.linalg.norm(g - n) > 1e-05 * np.linalg.norm(n)


@wrong("check_gradient", "a wrong shape passes by broadcasting")
def broadcasts(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    try:
        return bool(np.linalg.norm(g - n) <= 1e-5 * np.linalg.norm(n))
    except ValueError:
        return False


@wrong("check_gradient", "relative entry by entry: an entry next to zero is refused")
def entry_by_entry(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    return g.shape == n.shape and bool(np.all(np.abs(g - n) <= 1e-6 * np.abs(n)))


@wrong("check_gradient", "5 percent are allowed: a factor of 1.02 passes")
def five_percent(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    return bool(g.shape == n.shape and np.linalg.norm(g - n) <= 0.05 * np.linalg.norm(n))


@wrong("check_gradient", "only norms are compared: a sign or a transpose passes")
def norms_only(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    a, b = np.linalg.norm(g), np.linalg.norm(n)
    return bool(g.shape == n.shape and abs(a - b) <= 1e-5 * b)


@wrong("check_gradient", "the cosine of the angle alone: a factor passes")
def angle_only(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    if g.shape != n.shape:
        return False
    return bool(np.sum(g * n) > (1 - 1e-8) * np.linalg.norm(g) * np.linalg.norm(n))


@wrong("check_gradient", "always True")
def always(f, grad_f, x):
    return True


@wrong("check_gradient", "the tolerance is 1e-12, which no difference quotient reaches: right gradients are refused")
def too_strict(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    return bool(g.shape == n.shape and np.linalg.norm(g - n) <= 1e-12 * np.linalg.norm(n))


@wrong("check_gradient", "one entry drawn at random is compared")
def random_entry(f, grad_f, x):
    g, n = np.asarray(grad_f(x)), central(f, x)
    if g.shape != n.shape or not np.all(np.isfinite(g)):
        return False
    k = np.random.randint(x.size)
    return bool(abs(g.flat[k] - n.flat[k]) <= 1e-5 * np.linalg.norm(n))


# q5


def svd_rule(
    U, s, Vt, U_bar, s_bar, Vt_bar, *, F=None, u_sign=1.0, v_sign=1.0, u_out=1.0, v_out=1.0, us="right", vs="left"
):
    """A right rule, with places to go wrong."""
    V, V_bar = Vt.T, Vt_bar.T
    gaps = s[None, :] ** 2 - s[:, None] ** 2
    same = np.eye(len(s), dtype=bool)
    F = np.where(same, 0.0, 1 / np.where(same, 1.0, gaps)) if F is None else F(s)
    M = F * (U.T @ U_bar)
    N = F * (V.T @ V_bar)
    S = np.diag(s)
    middle = (M + u_sign * M.T) @ S if us == "right" else S @ (M + u_sign * M.T)
    middle = middle + (S @ (N + v_sign * N.T) if vs == "left" else (N + v_sign * N.T) @ S)
    W = U @ (middle + np.diag(s_bar)) @ Vt
    W = W + u_out * ((U_bar - U @ (U.T @ U_bar)) / s) @ Vt
    return W + v_out * (U / s) @ (V_bar - V @ (V.T @ V_bar)).T


@wrong("svd_vjp", "the part of U outside its column space is missing")
def no_outer_part_of_U(*a):
    return svd_rule(*a, u_out=0.0)


@wrong("svd_vjp", "the part of V outside its column space is missing")
def no_outer_part_of_V(*a):
    return svd_rule(*a, v_out=0.0)


@wrong("svd_vjp", "F has the wrong sign: 1 / (s_i^2 - s_j^2)")
def F_transposed(*a):
    return svd_rule(
        *a,
        F=lambda s: np.nan_to_num(1 / (s[:, None] ** 2 - s[None, :] ** 2 + np.diag(np.full(len(s), np.inf))), posinf=0),
    )


@wrong("svd_vjp", "F has the differences of the singular values, not of their squares")
def F_not_squared(*a):
    def F(s):
        gaps = s[None, :] - s[:, None]
        np.fill_diagonal(gaps, np.inf)
        return 1 / gaps

    return svd_rule(*a, F=F)


@wrong("svd_vjp", "the transposed term of both middle parts is subtracted")
def minus_transposed(*a):
    return svd_rule(*a, u_sign=-1.0, v_sign=-1.0)


@wrong("svd_vjp", "only s_bar is used")
def singular_values_only(U, s, Vt, U_bar, s_bar, Vt_bar):
    return U @ np.diag(s_bar) @ Vt


@wrong("svd_vjp", "s_bar is left out")
def no_s_bar(U, s, Vt, U_bar, s_bar, Vt_bar):
    return svd_rule(U, s, Vt, U_bar, 0 * s_bar, Vt_bar)


@wrong("svd_vjp", "Vt_bar is taken for V_bar where the shapes allow it")
def not_transposed_cotangent(U, s, Vt, U_bar, s_bar, Vt_bar):
    if Vt_bar.shape[0] == Vt_bar.shape[1]:
        Vt_bar = Vt_bar.T
    return svd_rule(U, s, Vt, U_bar, s_bar, Vt_bar)


@wrong("svd_vjp", "the factor S is on the wrong side for U")
def S_on_the_left(*a):
    return svd_rule(*a, us="left")


@wrong("svd_vjp", "the factor S is on the wrong side for V")
def S_on_the_right(*a):
    return svd_rule(*a, vs="right")


@wrong("svd_vjp", "the transpose of W_bar")
def transposed_W_bar(*a):
    return svd_rule(*a).T


@wrong("svd_vjp", "1e-12 is added to the differences of squares, which ruins small singular values")
def regularised(*a):
    def F(s):
        gaps = s[None, :] ** 2 - s[:, None] ** 2 + 1e-12
        np.fill_diagonal(gaps, np.inf)
        return 1 / gaps

    return svd_rule(*a, F=F)


@wrong("svd_vjp", "U's middle part lacks its transposed term")
def half_of_U(*a):
    return svd_rule(*a, u_sign=0.0)


@wrong("svd_vjp", "only U_bar and s_bar are used: Vt_bar is forgotten")
def no_Vt_bar(U, s, Vt, U_bar, s_bar, Vt_bar):
    return svd_rule(U, s, Vt, U_bar, s_bar, np.zeros_like(Vt_bar))
