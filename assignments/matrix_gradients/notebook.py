# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Gradients of matrix functions
#
# A computational graph need not be made of scalar operations. In numerical programs the natural node is a whole
# linear solve, a norm, a singular value decomposition. Such a node has a derivative rule of its own, and the rule
# is shorter, faster and more accurate than differentiating the algorithm inside it. In this notebook you derive
# such rules by hand, write them down, teach one of them to JAX, and check all of them numerically. You need what
# `ad_in_jax` teaches: what a trace sees, `jax.vjp` and `jax.custom_vjp`.
#
# <!-- questions -->
#
# > **Rules**
# >
# > - **Checks.** `grader.check("q1")` runs the public cases of a question, about 40 % of its points. The other cases
# >   use other inputs of the same kind and run after you hand in. Stuck? `grader.hint("q1")` asks you
# >   something back; called again, it gives an idea, and then a line of mathematics.
# > - **64-bit floats.** `import adkit` turns them on. A function gets NumPy arrays and may return NumPy or JAX arrays;
# >   where several results are asked for, a list is as good as a tuple. It must not change its arguments.
# > - **By hand.** Your functions may not call `jax.grad`, `jax.vjp`, `jax.jvp`, `jax.jacobian` and the like: the
# >   check says so when they do. Comparing with them in a cell of your own is a good idea, and costs nothing.

# %% tags=["setup"]
import os

try:
    import adkit  # before JAX: it turns 64-bit floats on
except ModuleNotFoundError as missing:
    where = f"There is no adkit/ in {os.getcwd()}: open this notebook in the folder it was handed out in."
    missing._render_traceback_ = lambda: [where]
    raise

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
from adkit import artefact, differences

grader = adkit.Notebook("matrix_gradients")

# %% [markdown]
# ## Cotangents, and the trace trick
#
# Let some program compute a scalar $L$, and let $X$ be an array somewhere in the middle of it. The **cotangent** of
# $X$, written $\bar X$, is the derivative of $L$ with respect to $X$: an array of the shape of $X$ with
# $\bar X_{ij} = \partial L/\partial X_{ij}$. In other words, a small change $dX$ of $X$ changes the result by
#
# $$dL = \sum_{ij} \bar X_{ij}\, dX_{ij} = \langle \bar X, dX\rangle = \operatorname{tr}(\bar X^\top dX).$$
#
# Reverse mode goes through the program from the end to the beginning. At a node $Y = f(X)$ it knows $\bar Y$ already
# and wants $\bar X$. The recipe is always the same:
#
# 1. Take the differential of the node's equation: $dY$ in terms of $dX$.
# 2. Insert it into $dL = \langle \bar Y, dY\rangle$.
# 3. Move everything but $dX$ to the other side of the inner product. What ends up there is $\bar X$.
#
# The tool for the third step is the **trace trick**: $\langle P, Q\rangle = \operatorname{tr}(P^\top Q)$, and a
# trace does not change when its factors are rotated, $\operatorname{tr}(PQR) = \operatorname{tr}(QRP)$, nor when its
# argument is transposed. Two consequences do nearly all the work:
#
# $$\langle P, M Q\rangle = \langle M^\top P, Q\rangle, \qquad \langle P, Q M\rangle = \langle P M^\top, Q\rangle .$$
#
# An example: $Y = M X N$ with constant $M$ and $N$. Step 1: $dY = M\, dX\, N$. Step 2:
# $dL = \langle \bar Y, M\, dX\, N\rangle$. Step 3: $dL = \langle M^\top \bar Y N^\top, dX\rangle$, and so
# $\bar X = M^\top \bar Y N^\top$. Check the shapes: they leave hardly any other choice. They cannot see a minus sign
# or a factor, though, and for square matrices they cannot see a transpose either.

# %%
random = np.random.default_rng(0)
M, X, N = random.standard_normal((2, 3)), random.standard_normal((3, 4)), random.standard_normal((4, 5))
Y_bar = random.standard_normal((2, 5))
_, pull_back = jax.vjp(lambda X: M @ X @ N, X)
print("largest difference:", np.max(np.abs(pull_back(Y_bar)[0] - M.T @ Y_bar @ N.T)))

# %% [markdown]
# ## q1
#
# Problem 2 of the seminar. $A$ is an invertible $n \times n$ matrix, $x = A^{-1} b$, and $\bar x$ has arrived from
# the steps after it. What are $\bar A$ and $\bar b$?
#
# ![A and b go into the node x = A^-1 b, and on to L; x bar comes back from L, and A bar and b bar are
# asked](figures/linear_solve.svg)
#
# The equation of the node is $A x = b$. Do not differentiate $A^{-1}$; take the differential of *this* product (it
# has two factors, and both change), solve it for $dx$, and go on with step 2. You get $\bar b$ first, and $\bar A$ is
# easily written in terms of it.
#
# `b` may also be a matrix of $k$ right-hand sides, of shape $(n, k)$; $x$ and $\bar x$ then have that shape, too.
# What happens to $\bar A$, which all columns have in common?
#
# ### Why nobody inverts a matrix
#
# $A^{-1}b$ is notation, not an algorithm. Factorise $A = PLU$ once ($\tfrac23 n^3$ operations, additions and
# multiplications alike); after that each right-hand side costs two triangular solves ($2n^2$). The inverse has $n$
# right-hand sides, the columns of $I$, so the solves cost $2n^3$ and the inverse costs **four times the
# factorisation** in all, $\tfrac83 n^3$ (that is how `inv` of NumPy and JAX works; a routine that skips the zeros of
# $I$ still needs $2n^3$, three times the factorisation). Then it still has to be multiplied by $b$, which costs
# $2n^2$, as much as the two triangular solves. It is less accurate as well: a solve is *backward stable*, it
# gives the exact solution of a system very close to yours, however badly conditioned, and multiplying by a computed
# inverse does not. See the residual $\|A x - b\|$:

# %%
U, _ = np.linalg.qr(random.standard_normal((8, 8)))
V, _ = np.linalg.qr(random.standard_normal((8, 8)))
print("condition   residual of a solve   residual by the inverse")
for condition in (1e2, 1e5, 1e8, 1e11):
    A = U @ np.diag(np.geomspace(1, 1 / condition, 8)) @ V.T
    b = A @ np.ones(8)
    solved, inverted = np.linalg.norm(A @ np.linalg.solve(A, b) - b), np.linalg.norm(A @ (np.linalg.inv(A) @ b) - b)
    print(f"  {condition:.0e}           {solved:.0e}                    {inverted:.0e}")

# %% [markdown]
# The backward pass needs a system with $A^\top$. But $A^\top = U^\top L^\top P^\top$ has the same triangular factors!
# So one factorisation is enough for everything in this question. Look at the arguments of `jsl.lu_solve`, or use the
# factors of `jnp.linalg.qr` with `jsl.solve_triangular`.
#
# Two of the eight points are for this: $A$ is factorised **once**, by LU or QR, nothing larger than $n \times n$ is
# made, and no inverse is formed. The work is counted in what JAX traces, so these two points need a function that is
# written with `jax.numpy` and `jax.scipy`, and that calls a routine for the factorisation: one that is written out in
# loops cannot be told apart from other loops. Any other function, with NumPy or SciPy say, can earn the other six.
# Work counts where it serves the answer: a mistake in the formula costs none of these two points, but at least one of
# the two results has to be computed from a solution. Badly conditioned systems (up to $10^7$) are among the tests; a
# stable solve has no difficulty with them.


# %% question="q1"
def linear_solve_vjp(A, b, x_bar):
    """The cotangents of x = A^-1 b.

    A: (n, n), invertible. b and x_bar: both (n,) or both (n, k).
    Returns (A_bar, b_bar), shaped like A and b.
    """
    raise NotImplementedError("q1: linear_solve_vjp")


# %% check="q1"
grader.check("q1")

# %% [markdown]
# This is what is counted. (`solve_columns` are right-hand sides of triangular solves.)

# %%
with adkit.skip_until_implemented():
    A, b, x_bar = (random.standard_normal(shape) for shape in ((24, 24), 24, 24))
    print(artefact.measure(linear_solve_vjp, A, b, x_bar).work)

# %% [markdown]
# ## q2
#
# Now teach the rule to JAX, with `jax.custom_vjp` as in `ad_in_jax`: the *forward* function returns the result and the
# **residuals**, the *backward* one a tuple with the cotangent of each argument. For a simpler function:


# %%
@jax.custom_vjp
def hypotenuse(a, b):
    return jnp.sqrt(a**2 + b**2)


def hypotenuse_forward(a, b):
    c = jnp.sqrt(a**2 + b**2)
    return c, (a, b, c)  # the result, the residuals


def hypotenuse_backward(residuals, c_bar):
    a, b, c = residuals
    return c_bar * a / c, c_bar * b / c  # a_bar, b_bar


hypotenuse.defvjp(hypotenuse_forward, hypotenuse_backward)
print(jax.grad(hypotenuse, argnums=(0, 1))(3.0, 4.0))

# %% [markdown]
# Write `linear_solve(A, b)` in this way, for `b` of shape $(n,)$ or $(n, k)$. It has to work under `jit`, `grad`,
# `vmap` and `grad` of `grad`. The residuals are arrays, in tuples, lists or dictionaries.
#
# Two of the six points are for **reuse**. What are good residuals? The forward pass factorises $A$ once and forms no
# inverse; the backward pass factorises nothing at all. (In each pass a result has to be computed from a solution,
# whether it is the right one or not. `jnp.linalg.solve` alone is not an answer: it has a rule, but not yours.)


# %% question="q2"
def linear_solve(A, b):
    """x = A^-1 b, with a reverse rule of its own. A: (n, n), b: (n,) or (n, k).

    Decorate it with jax.custom_vjp, add the forward and the backward function, and join them with defvjp.
    """
    raise NotImplementedError("q2: linear_solve")


# %% check="q2"
grader.check("q2")

# %% [markdown]
# The residuals, and the work on the two sides of them:

# %%
with adkit.skip_until_implemented():
    A, b, x_bar = (random.standard_normal(shape) for shape in ((24, 24), 24, 24))
    split = artefact.measure(linear_solve, A, b, x_bar, transform="vjp_split")
    print("residuals:", [residual.shape for residual in split.residuals])
    print("forward: ", split.forward_work)
    print("backward:", split.backward_work)

# %% [markdown]
# ## q3
#
# Problem 3 of the seminar. Every real $m \times n$ matrix has a singular value decomposition $W = U \Sigma V^\top$. In
# the *thin* one, with $k = \min(m, n)$, $U$ is $m \times k$, $\Sigma$ is $k \times k$ and diagonal with
# $\sigma_1 \ge \dots \ge \sigma_k \ge 0$, and $V^\top$ is $k \times n$; $U$ and $V$ have orthonormal columns. The
# **nuclear norm** is the sum of the singular values,
#
# $$R(W) = \|W\|_* = \operatorname{tr}(\Sigma).$$
#
# As a penalty it makes matrices of low rank, as the 1-norm makes sparse vectors.
#
# ![W goes into the SVD, out of which come U, Sigma and V^T; only Sigma goes on to its trace
# R](figures/nuclear_norm.svg)
#
# What is the gradient, an $m \times n$ matrix? Reverse mode would go back through the SVD, whose rule (q5) divides by
# $\sigma_j^2 - \sigma_i^2$: equal singular values give NaN, although $R$ is perfectly smooth there. By hand it is
# easier. Take the differential of $W = U\Sigma V^\top$, multiply by $U^\top$ from the left and by $V$ from the right,
# and look at the trace. You will need that $U^\top dU$ is skew-symmetric (differentiate $U^\top U = I$), and what
# that says about its diagonal.
#
# ### Where there is no gradient
#
# $R$ is convex but not smooth: at a $W$ with a singular value 0 it has a kink, as $|w|$ has at $w = 0$. There the
# place of the gradient is taken by **subgradients**: the slopes $G$ of all planes through $(W, R(W))$ that stay below
# the graph,
#
# $$R(Z) \ge R(W) + \langle G, Z - W\rangle \quad\text{for all } Z.$$
#
# ![The graph of the absolute value, with a kink at 0 and four lines through the kink that stay below
# it](figures/kink.svg)
#
# Where $R$ is smooth there is exactly one, the gradient. At a kink there are many, and for an optimiser each is as
# good as any other. For a norm there is a simple test: $G$ is a subgradient at $W$ if and only if
#
# $$\langle G, W\rangle = \|W\|_* \quad\text{and}\quad \|G\|_2 \le 1 ,$$
#
# with the spectral norm $\|G\|_2$, the largest singular value. That is how your answer is judged at kinks, so any
# choice is right. Tests include matrices with $m < n$, $m = n$ and $m > n$, a single row or column, equal singular
# values, a small one next to large ones, low rank, $W = 0$, and tiny and huge matrices.


# %% question="q3"
def nuclear_norm_gradient(W):
    """A subgradient of the nuclear norm at W, of shape (m, n): the gradient wherever there is one. W: (m, n), real."""
    raise NotImplementedError("q3: nuclear_norm_gradient")


# %% check="q3"
grader.check("q3")

# %% [markdown]
# With it you can recover a matrix of low rank from noise: minimise
# $\tfrac12 \|W - D\|_F^2 + \lambda \|W\|_*$ by going down along a subgradient with ever smaller steps.

# %%
with adkit.skip_until_implemented():
    low_rank = random.standard_normal((12, 2)) @ random.standard_normal((2, 9))
    D = low_rank + 0.1 * random.standard_normal((12, 9))
    W = D.copy()
    for step in range(1, 400):
        W = W - 0.5 / np.sqrt(step) * ((W - D) + 0.8 * np.asarray(nuclear_norm_gradient(W)))
    print("singular values of the data:  ", np.round(np.linalg.svd(D)[1], 2))
    print("singular values of the result:", np.round(np.linalg.svd(W)[1], 2))

# %% [markdown]
# ## q4
#
# The seminar's numerical experiment. Every rule that was derived by hand deserves to be checked by something that
# knows nothing of the derivation. The derivative of $f$ in the direction $v$ is close to
#
# $$\frac{f(x + h v) - f(x)}{h} \quad\text{(one-sided)}, \qquad
#   \frac{f(x + h v) - f(x - h v)}{2h} \quad\text{(central)},$$
#
# but how close? Taylor says: up to a multiple of $h$ and of $h^2$, so take a small $h$. Floating point says: $f$
# comes with a rounding error of about $\varepsilon |f|$, $\varepsilon = 2.2\cdot 10^{-16}$, which is divided by $h$,
# so take a large one. See the two at war:


# %%
def bumpy(x):
    return np.sin(3 * x[0]) * np.exp(-x[1]) + 2.0


here, direction = np.array([0.7, 0.2]), np.array([0.6, -0.8])
slope = 0.6 * 3 * np.cos(2.1) * np.exp(-0.2) + 0.8 * np.sin(2.1) * np.exp(-0.2)
differences.error_plot(
    {
        "one-sided": lambda h: differences.forward_difference(bumpy, here, direction, h),
        "central": lambda h: differences.central_difference(bumpy, here, direction, h),
    },
    exact=slope,
)

# %% [markdown]
# Read off the picture: the slopes on the right (first and second order), the slope on the left, where the valleys
# are, and how deep. The best step of the one-sided difference is about $\sqrt\varepsilon$, and half of the sixteen
# digits are lost; that of the central one is about $\varepsilon^{1/3}$, and a third is lost. Now plot something
# yourself: add 1000 to `bumpy`, which changes no derivative; or go to $x_0 = 10^4$ with $\sin(3x_0)$ replaced by
# $\sin(x_0/10^4)$; or give the plot a difference quotient of your own with four points.
#
# So the step depends on the scale on which $f$ changes. If all that is known is that this scale is about
# $\max(1, |x_i|)$ for the entry $x_i$, then the step should be in proportion *to that*: a fixed step disappears next to
# $x_i = 10^6$, and a step in proportion to $|x_i|$ alone is far too short at $x_i = 10^{-3}$, and 0 at $x_i = 0$.
#
# - `numerical_gradient(f, x)`: the gradient of the scalar function `f` of an array `x` of **any shape**, with
#   $\|\text{error}\| \le 10^{-7}\,\|\text{gradient}\|$ for every $f$ that is smooth on the scale $\max(1, |x_i|)$ and
#   has $|f| \le 1000\,\|\text{gradient}\|$ (for much larger $|f|$, or hundreds of entries, rounding wins);
#   also where $x$ has entries of $10^{-3}$ and of $10^3$ side by side. *Smooth on the scale* $r_i$ means here that
#   $r_i^2\, |\partial^3 f/\partial x_i^3| \le 100\, \|\text{gradient}\|$ near $x$. All test functions are like that.
# - `check_gradient(f, grad_f, x)`: `True` if `grad_f(x)` is the gradient of `f` at `x`, `False` if it is not. The
#   wrong ones may be subtle: one entry, a sign, a transpose, a missing term, a factor of 1.02, a wrong shape (beware of
#   broadcasting), a NaN (what does a comparison with NaN say?). And right is right for tiny and for huge gradients,
#   and where one entry is next to zero: what does "close" have to be relative to?
#
# `f` and `grad_f` are functions of one array. Use only their values: in the grader they do not run in your process,
# and JAX cannot look into them.


# %% question="q4"
def numerical_gradient(f, x):
    """The gradient of the scalar function f at x, by finite differences: an array of the shape of x.

    ||error|| <= 1e-7 ||gradient|| for f smooth on the scale max(1, |x_i|) with |f| <= 1000 ||gradient||.
    """
    raise NotImplementedError("q4: numerical_gradient")


def check_gradient(f, grad_f, x):
    """True if grad_f(x) is the gradient of f at x, else False."""
    raise NotImplementedError("q4: check_gradient")


# %% check="q4"
grader.check("q4")

# %% [markdown]
# Check your own q1 and q3 with it:

# %%
with adkit.skip_until_implemented():
    A, b, c = (random.standard_normal(shape) for shape in ((5, 5), 5, 5))
    print(
        "q1, A_bar:",
        check_gradient(lambda A: c @ np.linalg.solve(A, b), lambda A: linear_solve_vjp(A, b, c)[0], A),
    )
    W = random.standard_normal((4, 3))
    print("q3, G:", check_gradient(lambda W: np.linalg.svd(W)[1].sum(), nuclear_norm_gradient, W))

# %% [markdown]
# Why is $(x, v) \mapsto$ "one direction is right" not enough, and what about a function with a kink at $x$? Try
# `check_gradient` on the nuclear norm at a matrix of rank one.
#
# ## q5
#
# The last node: the SVD itself. $W$ is real, of full rank, with distinct singular values; $W = U \operatorname{diag}(s)
# V^\top$ is its thin SVD, and $\bar U$, $\bar s$ and $\overline{V^\top}$ are given (each of the shape of its factor;
# some of them may be zero). What is $\bar W$?
#
# ### Forwards first
#
# Let $W$ move by $dW$. As in q3, look at the differential of the decomposition from inside, with
# $S = \operatorname{diag}(s)$:
#
# $$P = U^\top dW\, V = \Omega S + dS - S \Lambda, \qquad \Omega = U^\top dU, \quad \Lambda = V^\top dV.$$
#
# $\Omega$ and $\Lambda$ are skew-symmetric, with zeros on their diagonals, so the diagonal of $P$ is $ds$. Off the
# diagonal, the entries $ij$ and $ji$ are two equations for the two unknowns $\Omega_{ij}$ and $\Lambda_{ij}$. In
# $PS + SP^\top$ the unknown $\Lambda$ cancels, and $(s_j^2 - s_i^2)\, \Omega_{ij}$ is left; in $SP + P^\top S$ it is
# the other way round (check both). With $F_{ij} = 1/(s_j^2 - s_i^2)$ for $i \ne j$, $F_{ii} = 0$, and $\circ$ for
# the product entry by entry:
#
# $$ds = \operatorname{diag}(P), \qquad \Omega = F \circ (P S + S P^\top), \qquad \Lambda = F \circ (S P + P^\top S).$$
#
# $U\Omega$ is the part of $dU$ inside the column space of $U$, and all of it where $U$ is square. If $m > n$, there is
# a part outside as well: multiply $dW$ by $I - UU^\top$ from the left and see what remains. The same for $V$ if
# $m < n$:
#
# $$dU = U \Omega + (I - UU^\top)\, dW\, V S^{-1}, \qquad dV = V \Lambda + (I - VV^\top)\, dW^\top U S^{-1}.$$
#
# That is the forward rule (J. Townsend, *Differentiating the singular value decomposition*, 2016; for $ds$ alone also
# Giles, 2008).
#
# ### Then backwards, a step at a time
#
# The reverse rule is its transpose: insert it into
# $dL = \langle\bar U, dU\rangle + \langle\bar s, ds\rangle + \langle\overline{V^\top}, dV^\top\rangle$ and move
# everything but $dW$ to the other side. The trace trick does nearly all of it; two more rules do the rest,
#
# $$\langle A, B^\top\rangle = \langle A^\top, B\rangle, \qquad
# \langle A, F \circ B\rangle = \langle F \circ A, B\rangle .$$
#
# $dL$ is a sum over the three cotangents, so $\bar W$ is one too: take them one at a time, with the others zero. Each
# step has a public case of its own, with its number in front.
#
# 1. **Only $\bar s$.** Write $\langle\bar s, ds\rangle$ as $\langle\operatorname{diag}(\bar s), P\rangle$, insert $P$,
#    and read off $\bar W$. (Case "Step 1" checks this, with $m > n$.)
# 2. **Only $\bar U$, $W$ square.** Now $dU = U\Omega$. Find the $k \times k$ matrix that $\Omega$ is paired with, then
#    move $F$ across, then the factors $S$. One of the two terms has $P^\top$ in it: transpose it, and do not forget
#    what $F^\top$ is. What $P$ is paired with in the end goes the way of step 1. (Case "Step 2".)
# 3. **Only $\overline{V^\top}$, $W$ square.** The same with $dV = V\Lambda$. Mind that the cotangent is that of
#    $V^\top$, and on which side the factors $S$ come out. (Case "Step 3".)
# 4. **Only $\bar U$, $m > n$.** The second part of $dU$ adds a term to step 2. What is $(I - UU^\top)^\top$? (Case
#    "Step 4" checks the new term: its $\bar U$ is such that the term of step 2 is zero.)
# 5. **Only $\overline{V^\top}$, $m < n$.** The same for the second part of $dV$, which has $dW^\top$ in it. (Case
#    "Step 5" checks the new term: the term of step 3 is zero.)
# 6. **All together**: the sum. (Case "Step 6" checks it for $m > n$; hidden cases have all shapes.)
#
# The factors are given to you, so the freedom of sign in the singular vectors is not your concern.


# %% question="q5"
def svd_vjp(U, s, Vt, U_bar, s_bar, Vt_bar):
    """The cotangent of W = U diag(s) Vt, from those of its thin factors; k = min(m, n).

    U, U_bar: (m, k). s, s_bar: (k,), s positive and distinct. Vt, Vt_bar: (k, n), Vt is V^T. Returns W_bar, (m, n).
    """
    raise NotImplementedError("q5: svd_vjp")


# %% check="q5"
grader.check("q5")

# %% [markdown]
# The forward rule checks the reverse rule: for every direction $dW$ and all cotangents
#
# $$\langle\bar U, dU\rangle + \langle\bar s, ds\rangle + \langle\overline{V^\top}, dV^\top\rangle
# = \langle\bar W, dW\rangle .$$
#
# Here the left side is found by differences of `np.linalg.svd`, which know no rule. The SVD of $W + h\,dW$ may come
# with other signs than that of $W$, so they are made to agree first.


# %%
def paired_with_the_factors(W, U, bars):
    """<U_bar, U'> + <s_bar, s'> + <Vt_bar, Vt'> for the factors U', s', Vt' of W, with the signs of U."""
    U_near, s_near, Vt_near = np.linalg.svd(W, full_matrices=False)
    signs = np.sign(np.sum(U_near * U, axis=0))
    near = U_near * signs, s_near, signs[:, None] * Vt_near
    return sum(np.sum(bar * factor) for bar, factor in zip(bars, near, strict=True))


with adkit.skip_until_implemented():
    print("step   m  n   by differences    <W_bar, dW>")
    steps = ((1, 4, 3, "s"), (2, 3, 3, "U"), (3, 3, 3, "V"), (4, 4, 3, "U"), (5, 3, 4, "V"), (6, 4, 3, "UsV"))
    for step, m, n, not_zero in steps:
        U, _, Vt = np.linalg.svd(random.standard_normal((m, n)), full_matrices=False)
        s = np.array([3.0, 2.0, 1.0])
        W, direction = U @ np.diag(s) @ Vt, random.standard_normal((m, n))
        bars = [
            random.standard_normal(factor.shape) * (name in not_zero)
            for name, factor in zip("UsV", (U, s, Vt), strict=True)
        ]
        by_differences = differences.central_difference(
            lambda W, U=U, bars=bars: paired_with_the_factors(W, U, bars), W, direction, 1e-5
        )
        W_bar = np.asarray(svd_vjp(U, s, Vt, *bars))
        print(f"{step:4} {m:3} {n:2} {by_differences:16.8f} {np.sum(W_bar * direction):14.8f}")

# %% [markdown]
# Your rule has the nuclear norm in it as a special case. Which cotangents give it? And what happens when two singular
# values come close, in your rule and in q3?

# %%
with adkit.skip_until_implemented():
    U, s, Vt = np.linalg.svd(random.standard_normal((4, 3)), full_matrices=False)
    for gap in (1.0, 1e-4, 1e-8):
        s = np.array([2.0 + gap, 2.0, 1.0])
        W_bar = svd_vjp(U, s, Vt, np.ones((4, 3)), np.zeros(3), np.zeros((3, 3)))
        print(f"gap {gap:.0e}: largest entry of W_bar {np.max(np.abs(W_bar)):.1e}")

# %% [markdown]
# ## Further reading
#
# - M. B. Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*, 2008.
# - J. Townsend, *Differentiating the singular value decomposition*, 2016.
# - Z.-Q. Wan and S.-X. Zhang, *Automatic differentiation for complex valued SVD*, arXiv:1909.02659, 2019: what is added
#   when the matrix is complex.
# - G. A. Watson, *Characterization of the subdifferential of some matrix norms*, Linear Algebra and its Applications
#   170, 1992.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, SIAM 2002, chapters 9 and 14.
#
# ## Hand in
#
# Run this cell: it saves the notebook where it can (elsewhere it asks you to), makes the file to hand in, and runs the
# public checks once more on what is in it.

# %% tags=["export"]
grader.export()
