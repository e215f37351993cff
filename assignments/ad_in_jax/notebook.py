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
# # Automatic differentiation with JAX
#
# In `ad_modes` you wrote forward and reverse mode for graphs of numbers. JAX does the same for programs made of
# arrays, and it turns derivatives into functions that can be differentiated, compiled and vectorised in turn. This
# notebook teaches JAX from the first line. Then it asks what a course on automatic differentiation asks next: which
# transformation computes what, what it costs, where it goes wrong, and what to do when it does.
#
# <!-- questions -->
#
# > **Rules**
# >
# > - **Checks.** `grader.check("q1")` runs the public cases of a question, about 40 % of its points. The other cases
# >   use other inputs of the same kind and run after you hand in. Stuck? `grader.hint("q1")` asks you
# >   something back; called again, it gives an idea, and then a line of mathematics.
# > - **64-bit floats.** `import adkit` turns them on. A function gets NumPy arrays and may return NumPy or JAX
# >   arrays; where several results are asked for, a list is as good as a tuple. It must not change its arguments, and
# >   must answer the same when asked again.
# > - **All of JAX is allowed** in this notebook: every transformation, in every question.
# > - **Precision.** Values have to be right to a relative error of $10^{-10}$, unless a question says otherwise. A
# >   difference quotient is not exact enough.
# > - **Counts.** Some points are for what a function costs. They are counted in what JAX traces, so they need a
# >   function that JAX can trace in `x` (q6: in `theta`). The other points do not.

# %% tags=["setup"]
import math
import os
import time

try:
    import adkit  # before JAX: it turns 64-bit floats on
except ModuleNotFoundError as missing:
    where = f"There is no adkit/ in {os.getcwd()}: open this notebook in the folder it was handed out in."
    missing._render_traceback_ = lambda: [where]
    raise

import jax
import jax.numpy as jnp
import numpy as np
from adkit import functions
from IPython.display import display

grader = adkit.Notebook("ad_in_jax")

# %% [markdown]
# ## Arrays that cannot be changed
#
# `jax.numpy` has the functions of NumPy under the same names. Its arrays are different in one point: they never
# change. Where NumPy writes into an array, JAX makes a new one.

# %%
a = jnp.zeros(3)
try:
    a[0] = 1.0
except TypeError as error:
    print("TypeError:", str(error).split(".")[0])

b = a.at[0].set(1.0)
print(a, b, b.at[1:].add(2.0))

# %% [markdown]
# `a.at[0].set(1.0)` is an expression: it returns the new array and leaves `a` as it was. A call whose result you do
# not use does nothing. There are `add`, `multiply`, `max` and more, and any index of NumPy works in the brackets.
#
# An index outside the array is not an error in JAX. Reading takes the last entry, and writing does nothing:

# %%
print(a.at[7].set(1.0), jnp.arange(3)[7])

# %% [markdown]
# **Types.** JAX computes in 32 bits unless it is told otherwise, with about 7 digits. `adkit` has told it otherwise
# (`JAX_ENABLE_X64`), so you have about 16. The type of an array follows from what it is made of, and integers stay
# integers:

# %%
for array in (jnp.array([1.0, 2.0]), jnp.array([1, 2]), jnp.array([1, 2]) / 2, jnp.array([1.0], dtype=jnp.float32)):
    print(array.dtype, array)

# %% [markdown]
# ## What a trace sees
#
# Every transformation of JAX begins by **tracing**: it calls your function with stand-ins, *tracers*, and writes down
# what is done with them. That is how `adkit.trace` made a graph in `ad_modes`. The record is called a *jaxpr*. Here
# is the toy example of `ad_modes`, $x_1 x_2 + \sin x_1$:


# %%
def toy(x1, x2):
    print("toy is called with", x1, "and", x2)
    return x1 * x2 + jnp.sin(x1)


print(jax.make_jaxpr(toy)(2.0, 3.0))

# %% [markdown]
# Read it line by line. `a` and `b` are the inputs. `f64[]` is their type: a 64-bit float of shape `()`. Then there is
# one line for each primitive: a product, a sine, a sum, as the nodes $v_3$, $v_4$, $v_5$. `in (e,)` names the
# outputs.
#
# Note what is *not* there:
#
# - **The values 2 and 3.** A tracer has a shape and a type, and no value.
# - **The `print`.** It ran once, while Python was called. It is not a part of the record. The same is true of
#   everything else that is not done with JAX to a traced array: changing a list, reading the clock, NumPy's random
#   numbers.
# - **Names, functions and loops of Python.** A `for` over `range(3)` appears as three copies of its body.
#
# ### jit
#
# `jax.jit(f)` traces `f` at the first call, compiles the record, and keeps it. Later calls run the compiled program,
# and Python is not asked again, unless the arguments have another shape or type:

# %%
fast = jax.jit(toy)
print(fast(2.0, 3.0))
print(fast(4.0, 5.0), "(no call of toy)")
print(fast(jnp.ones(2), jnp.ones(2)), "(another shape)")

# %% [markdown]
# What is compiled belongs to the function *object*. `jax.jit(f)` twice for the same `f` compiles once.
# `jax.jit(lambda x: f(x))` makes a new function each time it is evaluated: in a loop it compiles in every turn.
#
# ### Branches on values
#
# A tracer has no value, so Python cannot decide anything by it:


# %%
def positive_part(x):
    if x > 0:
        return x
    return 0.0 * x


try:
    jax.jit(positive_part)(1.0)
except jax.errors.TracerBoolConversionError as error:
    print(type(error).__name__, "-", str(error).split(".")[0])

print(jax.jit(lambda x: jnp.where(x > 0, x, 0.0))(1.0))
print(jax.jit(lambda x: jax.lax.cond(x > 0, lambda: x, lambda: 0.0))(1.0))

# %% [markdown]
# - `jnp.where(condition, a, b)` computes both and selects, entry by entry.
# - `jax.lax.cond(condition, f, g)` runs one of two functions.
# - `jax.lax.while_loop(condition, body, start)`, `jax.lax.fori_loop` and `jax.lax.scan` are loops as one primitive
#   each.
#
# Python may decide by everything that a tracer does have: `x.shape`, `len(x)`, `x.ndim`, `x.dtype`. And `jax.grad` on
# its own computes with values as it records, so `jax.grad(positive_part)(1.0)` works. Under `jit` or `vmap` it does
# not.
#
# ### vmap
#
# Write the function for one example, and let `jax.vmap` add the axis of the batch. There is no loop: each primitive
# is replaced by one that does it for all examples at once, as you see in the record of the toy example for three
# pairs. `in_axes` says along which axis each argument is split; `None` is for one that all examples share.


# %%
def distance(x, y):
    return jnp.sqrt(jnp.sum((x - y) ** 2))


points = jnp.array([[3.0, 4.0], [6.0, 8.0], [5.0, 12.0]])
print(jax.vmap(distance, in_axes=(0, None))(points, jnp.zeros(2)))
print(jax.make_jaxpr(jax.vmap(lambda x1, x2: x1 * x2 + jnp.sin(x1)))(jnp.ones(3), jnp.ones(3)))

# %% [markdown]
# ### Random numbers
#
# NumPy's generator has a hidden state, and a trace would record what it gave once. In JAX the state is an argument,
# the *key*. The same key always gives the same numbers. `split` makes new keys out of one; use each of them once.

# %%
key = jax.random.key(0)
print(jax.random.normal(key, 2), jax.random.normal(key, 2))
for part in jax.random.split(key):
    print(jax.random.normal(part, 2))

# %% [markdown]
# ## Functions made of numbers
#
# Most questions of this notebook hand a function to yours. In the checks such a function is an object of
# `adkit.functions`: arrays and a rule, and nothing else.

# %%
bowl = functions.Quadratic(A=np.array([[2.0, 1.0], [1.0, 3.0]]), b=np.array([1.0, 0.0]))
print(bowl)
print(bowl(jnp.array([1.0, 1.0])), jax.grad(bowl)(jnp.array([1.0, 1.0])))

# %% [markdown]
# | | |
# |---|---|
# | `Quadratic(A, b)` | $\tfrac12 x^\top A x - b^\top x$ |
# | `Logistic(X, y, penalty)` | regularised logistic regression |
# | `LogSumExp(A, b, penalty)` | $\log \sum_i e^{(Ax + b)_i}$, regularised |
# | `NetworkLoss(x, y, widths)` | a network's loss, as a function of one vector of parameters |
# | `Affine(A, b)`, `TanhMap(A, b, B)` | $Ax + b$ and $B \tanh(Ax + b)$, $\mathbb R^n \to \mathbb R^m$ |
# | `Stencil(coefficients)` | each entry depends on itself and on its two neighbours |
# | `Contraction(M, g)` | $f(x, \theta) = M g(x) + \theta$ |
#
# You can call such an object, print it, and read its rule in `adkit/functions.py`. A graph is a function, too: it is
# called with an array of its inputs, and returns an array of its outputs.

# %%
graph = adkit.toy_graph()
display(graph)
print(graph(jnp.array([2.0, 3.0])))

# %% [markdown]
# Two more facts, for when you need them. The functions are *pytrees*, as lists, tuples and dictionaries of arrays
# are: `jax.tree.leaves(bowl)` are its arrays, and it can be an argument of a function that is traced. And they are
# compared and hashed by identity, so `jax.jit(bowl)` works, and compiles once.
#
# ## Derivatives, by what they compute
#
# Let $f: \mathbb R^n \to \mathbb R^m$ have the Jacobian $J$, one row per output, one column per input.
#
# | transformation | computes | one sweep of |
# |---|---|---|
# | `jax.jvp(f, (x,), (v,))` | $f(x)$ and $J v$ | forward mode |
# | `y, pull_back = jax.vjp(f, x)` | $f(x)$, and $u^\top J$ by `pull_back(u)` | reverse mode |
# | `jax.grad(f)(x)` | the gradient, for a scalar $f$ | reverse mode |
#
# `pull_back` returns a tuple, one entry per argument of `f`. `jvp` and `vjp` differentiate by all arguments of `f`;
# `grad` and those below by the first, unless `argnums` says otherwise. An argument may be an array, or a list or a
# dictionary of arrays.


# %%
def polar(x):
    r, angle = x
    return jnp.stack([r * jnp.cos(angle), r * jnp.sin(angle), r**2])


x, v, u = jnp.array([2.0, 0.5]), jnp.array([1.0, -1.0]), jnp.array([0.0, 1.0, 1.0])
y, y_dot = jax.jvp(polar, (x,), (v,))
y, pull_back = jax.vjp(polar, x)
(x_bar,) = pull_back(u)
print("J v   ", y_dot)
print("u^T J ", x_bar)
print("u^T J v, twice:", u @ y_dot, x_bar @ v)

# %% [markdown]
# The same two sweeps, once for every column or for every row, give all of $J$. JAX does not run them one after the
# other: it evaluates $f$ once and uses `vmap` on the sweeps.
#
# ![A tall Jacobian is filled column by column by forward mode, a wide one row by row by reverse
# mode](figures/jacobian.svg)
#
# | transformation | computes | sweeps |
# |---|---|---|
# | `jax.jacfwd(f)(x)` | $J$ by columns | $n$ of forward mode |
# | `jax.jacrev(f)(x)` | $J$ by rows | $m$ of reverse mode |
# | `jax.hessian(f)(x)` | the second derivatives of a scalar $f$ | `jacfwd` of `jacrev` |
#
# The shape of a derivative is the shape of the output, followed by the shape of the input. So for a scalar function
# of an $(n, n)$ matrix, `hessian` returns an array with *four* axes.

# %%
print(jax.jacfwd(polar)(x))
print(jax.hessian(jnp.linalg.det)(jnp.array([[1.0, 2.0], [3.0, 4.0]])).shape)

# %% [markdown]
# A derivative is a function like any other, and it has a jaxpr:

# %%
print(jax.make_jaxpr(jax.grad(lambda x1, x2: x1 * x2 + jnp.sin(x1), argnums=(0, 1)))(2.0, 3.0))

# %% [markdown]
# Find your reverse trace from `ad_modes` in it: the local partial $\cos x_1$, the two products that go back through
# $v_3 = v_1 v_2$, and the sum (`add_any`) where $v_1$ was used twice. The value of $f$ is computed and thrown away,
# to a name `_`.
#
# Whole numbers have no tangents, so `jax.grad` refuses them. Write `3.0` for `3`, or convert what you are given with
# `jnp.asarray(x, dtype=float)`.

# %%
try:
    jax.grad(lambda x: x**2)(3)
except TypeError as error:
    print("TypeError:", str(error).split(",")[0])

# %% [markdown]
# ## q1
#
# The seminar's two JAX examples. In `ad_modes` you differentiated them by hand. Now let JAX do it.
#
# - `trace_inverse_derivatives(A, B, X)`: for $f(X) = \operatorname{tr}(A X^{-1} B)$, with $X$ $(n,n)$ invertible, $A$
#   $(m,n)$ and $B$ $(n,m)$, return `(gradient, hessian)`, of the shapes $(n,n)$ and $(n,n,n,n)$. The entry
#   $[i,j,k,l]$ of the Hessian is $\partial^2 f / \partial X_{ij}\, \partial X_{kl}$.
# - `cubic_norm_derivatives(x)`: for $g(x) = \frac13 \|x\|_2^3$ with $x$ $(n,)$, return `(gradient, hessian)`, of the
#   shapes $(n,)$ and $(n,n)$. At $x = 0$ both are 0, and a tiny $x$ is not 0 yet.
#
# Only values are graded. A closed form is as good as a transformation. (If JAX says NaN at $x = 0$: why it does is
# explained before q5, and a closed form is one way out.)


# %% question="q1"
def trace_inverse_derivatives(A, B, X):
    """Gradient (n, n) and Hessian (n, n, n, n) of tr(A X^-1 B) by X; A (m, n), B (n, m), X (n, n)."""
    raise NotImplementedError("q1: trace_inverse_derivatives")


def cubic_norm_derivatives(x):
    """Gradient (n,) and Hessian (n, n) of ||x||^3 / 3; x (n,). Both are 0 at x = 0."""
    raise NotImplementedError("q1: cubic_norm_derivatives")


# %% check="q1"
grader.check("q1")

# %% [markdown]
# A Hessian with four axes is a linear map: it takes a direction $E$ and gives the change of the gradient. By hand
# this map is $D^2 f[E] = (X^{-1} E P + P E X^{-1})^\top$ with $P = X^{-1} B A X^{-1}$. Yours, applied to a random
# $E$:

# %%
with adkit.skip_until_implemented():
    random = np.random.default_rng(0)
    A, B, E = random.normal(size=(2, 4)), random.normal(size=(4, 2)), random.normal(size=(4, 4))
    X = random.normal(size=(4, 4)) + 3 * np.eye(4)
    gradient, hessian = trace_inverse_derivatives(A, B, X)
    X_inv = np.linalg.inv(X)
    P = X_inv @ B @ A @ X_inv
    by_hand = (X_inv @ E @ P + P @ E @ X_inv).T
    print("largest difference:", np.abs(jnp.einsum("ijkl,kl->ij", hessian, E) - by_hand).max())
    for scale in (1.0, 1e-6, 0.0):
        gradient, hessian = cubic_norm_derivatives(scale * np.array([3.0, 4.0]))
        rows = "; ".join(" ".join(f"{entry:.3g}" for entry in row) for row in (gradient, *hessian))
        print(f"x = {scale:g} * (3, 4): the gradient, and the rows of the Hessian: {rows}")

# %% [markdown]
# ## What it costs
#
# `ad_modes` counted multiplications at the edges of a graph: forward mode for the full Jacobian costs inputs times
# edges, reverse mode outputs times edges. Do not believe it, measure it. `adkit.measure(f, x)` traces `f`
# and counts what the trace does:

# %%
random = np.random.default_rng(1)


def tanh_map(n, m, width=32):
    """A function R^n -> R^m with random numbers, and a point."""
    A, b, B = random.normal(size=(width, n)), random.normal(size=width), random.normal(size=(m, width))
    return functions.TanhMap(A / math.sqrt(n), b, B / math.sqrt(width)), random.normal(size=n)


def multiplications(f, x):
    return adkit.measure(f, x, autodiff=True, run=False).work.multiplications


def milliseconds(f, x):
    """The time of one call, compiled: the best of ten."""
    compiled = jax.jit(f)
    compiled(x).block_until_ready()  # compile first; and JAX returns before it has finished
    times = []
    for _ in range(10):
        start = time.perf_counter()
        compiled(x).block_until_ready()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


for name, n, m in (("tall", 8, 2048), ("wide", 2048, 8)):
    f, x = tanh_map(n, m)
    print(f"{name}, J is {m} x {n}")
    for label, g in (("f alone", f), ("jacfwd", jax.jacfwd(f)), ("jacrev", jax.jacrev(f))):
        print(f"  {label:8} {multiplications(g, x):12,} {milliseconds(g, x):9.3f} ms")

# %% [markdown]
# The wrong mode takes more than two hundred times as many multiplications here. (Time need not follow exactly: a
# processor does large products faster, for each multiplication, than small ones.) In between, the curves cross. Plot
# them, over all shapes with $m n = 4096$:

# %%
shapes = [(4, 1024), (16, 256), (64, 64), (256, 16), (1024, 4)]
examples = [tanh_map(n, m) for n, m in shapes]
cost = {
    mode.__name__: [(len(x), multiplications(mode(f), x)) for f, x in examples] for mode in (jax.jacfwd, jax.jacrev)
}
adkit.log_plot("multiplications for the full Jacobian, m n = 4096", "inputs n", cost)

# %% [markdown]
# ## q2
#
# `jacobian(f, x)` returns the Jacobian of $f: \mathbb R^n \to \mathbb R^m$ at `x`, of shape $(m, n)$, by whichever
# mode is cheaper.
#
# - `f` returns an array of shape $(m,)$, for $m = 1$ too: the Jacobian is $(1, n)$ then.
# - Two of the five points are for cost. They are for functions where one of $m$ and $n$ is at least ten times the
#   other: at most twice the multiplications of the cheaper mode. Evaluating `f` again for each row or column counts
#   as well.
# - What is $m$? `jax.eval_shape(f, x)` traces `f` and returns shape and type of its result, without computing it.


# %% question="q2"
def jacobian(f, x):
    """The Jacobian of f at x, by the cheaper mode; f: R^n -> R^m, x (n,) -> (m, n)."""
    raise NotImplementedError("q2: jacobian")


# %% check="q2"
grader.check("q2")

# %% [markdown]
# Yours should follow the lower of the two curves:

# %%
with adkit.skip_until_implemented():
    yours = [(len(x), multiplications(lambda x, f=f: jacobian(f, x), x)) for f, x in examples]
    display(adkit.log_plot("multiplications for the full Jacobian, m n = 4096", "inputs n", cost | {"yours": yours}))

# %% [markdown]
# ## q3
#
# The Hessian $H$ of $f: \mathbb R^n \to \mathbb R$ has $n^2$ entries. For a small network of 17 025 parameters that
# is 2.3 GB, and computing it takes 17 025 times as long as a gradient. But most methods that use $H$ only multiply it
# by vectors, and $Hv$ costs no more than a few gradients, whatever $n$ is (Pearlmutter, 1994).
#
# How? $H$ is the Jacobian of the gradient. Which of the products in the tables above is $Hv$, and of which function?
#
# `hvp(f, x, v)` returns the Hessian of `f` at `x` times `v`.
#
# - `v` has the shape $(n,)$, or $(k, n)$: then the result is $(k, n)$, one product per row. A Python loop over the
#   rows is allowed. `jax.vmap` over `v` has to work, too.
# - `v` may have any length, from $10^{-8}$ to $10^6$, and may be 0.
# - No operation makes an array with two axes of length $n$. (The constants of `f` do not count.)
# - At most three times the multiplications of one gradient, for each row. They are counted for regularised logistic
#   regression, where it takes 1.5 times without waste. (For other functions it is between 1 and 3 times, whatever $n$
#   is.)
# - The check says so when yours is right and another order of the two modes would keep less in memory. That costs no
#   points.


# %% question="q3"
def hvp(f, x, v):
    """The Hessian of f at x times v, without the Hessian; f: R^n -> R, x (n,), v (n,) or (k, n) -> like v."""
    raise NotImplementedError("q3: hvp")


# %% check="q3"
grader.check("q3")

# %% [markdown]
# What does it cost as the number of parameters grows? The network has one hidden layer.

# %%
random = np.random.default_rng(2)


def network(*widths, batch=20):
    """The loss of a network, and random parameters."""
    inputs, outputs = random.normal(size=(batch, widths[0])), random.normal(size=(batch, widths[-1]))
    pairs = adkit.mlp(list(widths), key=0)
    parameters = jnp.concatenate([jnp.ravel(array) for pair in pairs for array in pair])
    return functions.NetworkLoss(inputs, outputs, tuple(widths)), parameters


with adkit.skip_until_implemented():
    cost = {"H, then times v": [], "hvp, yours": [], "gradient": []}
    for width in (5, 10, 20, 40):
        f, theta = network(3, width, 2)
        n = len(theta)
        v = random.normal(size=n)
        cost["H, then times v"].append((n, multiplications(lambda p, f=f, v=v: jax.hessian(f)(p) @ v, theta)))
        cost["hvp, yours"].append((n, multiplications(lambda p, f=f, v=v: hvp(f, p, v), theta)))
        cost["gradient"].append((n, multiplications(jax.grad(f), theta)))
    display(adkit.log_plot("multiplications", "parameters n", cost))

# %% [markdown]
# With products alone you can find the largest eigenvalue of a Hessian that would not fit: multiply a vector by $H$
# again and again, and it turns towards the eigenvector (power iteration). This is the curvature that limits the step
# of gradient descent to $2/\lambda$.

# %%
with adkit.skip_until_implemented():
    f, theta = network(2, 128, 128, 1, batch=64)
    product = jax.jit(lambda v: hvp(f, theta, v))
    v = jnp.asarray(random.normal(size=len(theta)))
    for step in range(1, 11):
        w = product(v / jnp.linalg.norm(v))
        if step in (1, 2, 3, 5, 10):
            curvature = v @ w / jnp.linalg.norm(v)
            print(f"{len(theta)} parameters, after {step:2} products: largest curvature about {float(curvature):.6f}")
        v = w

# %% [markdown]
# ## q4
#
# Gradient descent uses the slope and knows nothing of the curvature. On a long narrow valley it zigzags for thousands
# of steps. **Newton's method** goes to the minimum of the quadratic model at $x$, that is, by the step $p$ with
#
# $$H p = -\nabla f(x) .$$
#
# **Conjugate gradients** (CG) solves such a system for a positive definite $H$ by products $Hd$ and inner products
# alone. You have the products. The two together are *Newton-CG*, and three things make it work (Nocedal and Wright,
# chapter 7):
#
# - **Do not solve too exactly.** Far from the minimum the model is wrong anyway. Stop CG when the residual
#   $\|Hp + \nabla f\|$ is below $\eta\, \|\nabla f\|$, with $\eta = \min(\tfrac12, \sqrt{\|\nabla f\|})$ for example.
#   The closer you are, the more exact it becomes, and convergence stays faster than linear.
# - **Do not trust a full step.** Where it does not decrease $f$ enough, shorten it: halve it until
#   $f(x + t p) \le f(x) + 10^{-4}\, t\, \nabla f(x)^\top p$.
# - **Know when rounding has taken over.** Close to the minimum, $f$ changes by less than its last digit, while the
#   gradient still has many. A line search that insists on a smaller $f$ then refuses every step. What could it look
#   at instead, or how much should it tolerate?
#
# `newton_cg(f, x0, tolerance)` minimises a smooth convex `f` from `x0` and returns an $x$ with
#
# $$\|\nabla f(x)\| \le \text{tolerance} \cdot \max(1, \|\nabla f(x_0)\|) .$$
#
# - `tolerance` is at least $10^{-8}$. `f` has a minimiser, and its Hessian is positive definite on the way there.
#   `x0` may be the minimiser.
# - Only the result is graded, and nothing is traced: Python loops, and decisions by values, are fine. One call may
#   take 60 seconds. Use `jax.jit` for what is called many times, and remember what it keeps and for whom.
# - In some cases $f$ is ill-conditioned (regularised logistic regression with features of very different size). In
#   one $n$ is so large that an $n \times n$ array does not fit into memory.
# - You may write CG yourself, in about ten lines, or use `jax.scipy.sparse.linalg.cg`, which accepts a function in
#   place of a matrix.


# %% question="q4"
def newton_cg(f, x0, tolerance):
    """x with ||grad f(x)|| <= tolerance * max(1, ||grad f(x0)||), by Newton's method and CG on hvp; x0 (n,)."""
    raise NotImplementedError("q4: newton_cg")


# %% check="q4"
grader.check("q4")

# %% [markdown]
# Look at it work. The data have 30 features, whose sizes differ by a factor of 100. `counting` counts how often `f`
# is evaluated, on its own or within a gradient or a product. Gradient descent takes as many gradients as that. What
# is printed is the norm of the gradient; the longer the bar, the more exact.

# %%
random = np.random.default_rng(3)
X = random.normal(size=(200, 30)) * np.logspace(0, -2, 30)
signs = np.sign(X @ random.normal(size=30) + 0.1 * random.normal(size=200))
loss = functions.Logistic(X, signs, penalty=1e-4)
evaluations = []


def counting(w):
    jax.debug.callback(lambda: evaluations.append(1))
    return loss(w)


def descend(steps):
    slope = jax.jit(jax.grad(loss))
    rate = 1 / (0.25 * np.linalg.eigvalsh(X.T @ X / len(X)).max() + 1e-4)
    w = jnp.zeros(30)
    for _ in range(steps):
        w = w - rate * slope(w)
    return w


with adkit.skip_until_implemented():
    print("wanted  calls  Newton-CG         descent")
    for tolerance in (1e-1, 1e-2, 1e-3, 1e-5, 1e-8):
        evaluations.clear()
        result = newton_cg(counting, np.zeros(30), tolerance)
        jax.effects_barrier()
        newton, descent = (float(jnp.linalg.norm(jax.grad(loss)(w))) for w in (result, descend(len(evaluations))))
        bar = "█" * max(0, round(-math.log10(newton + 1e-16)))
        print(f"{tolerance:6.0e} {len(evaluations):6}  {newton:.0e} {bar:11} {descent:.0e}")

# %% [markdown]
# ## Where derivatives go wrong
#
# AD differentiates the program, not the function. Wherever the program takes a detour through infinity, or through a
# point at which one of its steps has no derivative, the derivative takes it too, even if the function is perfectly
# smooth:


# %%
def entropy(x):
    return jnp.where(x > 0, x * jnp.log(x), 0.0)


def sinc(x):
    return jnp.where(x != 0, jnp.sin(x) / x, 1.0)


for words, f, at in (
    ("sqrt(x)", jnp.sqrt, 0.0),
    ("||(x, x)||", lambda x: jnp.linalg.norm(jnp.stack([x, x])), 0.0),
    ("sin(x)/x by where", sinc, 0.0),
    ("x log(x) by where", entropy, 0.0),
    ("tanh(x) by exp", lambda x: (jnp.exp(x) - jnp.exp(-x)) / (jnp.exp(x) + jnp.exp(-x)), 800.0),
    ("|x|", jnp.abs, 0.0),
    ("max(x, 0)", lambda x: jnp.maximum(x, 0.0), 0.0),
):
    print(f"{words:18} at {at:5}: value {float(f(at)):4}, derivative {float(jax.grad(f)(at))}")

# %% [markdown]
# - **`sqrt` at 0.** The slope really is infinite. That does no harm until the chain rule multiplies it by 0. The norm
#   is $\sqrt s$ with $s = \sum x_i^2$, and $ds = 0$ at $x = 0$: the product is $\infty \cdot 0$, which is NaN. This
#   is what happens to $\|x\|^3$ in q1.
# - **`where` and NaN.** The values are right: `where` drops the branch that is not taken. But both branches were
#   computed, and backwards the dropped one gets the cotangent 0. It multiplies that by its own derivative, which is
#   infinite or NaN at this point, and $0 \cdot \infty$ is NaN again. The cure is to keep the bad point away from the
#   function: first choose a harmless *argument*, then choose the result.
# - **$\infty / \infty$.** $\tanh$ is 1 at 800, but $e^{800}$ is larger than the largest 64-bit float. Write the same
#   function so that only exponentials of negative numbers appear.
# - **Kinks.** $|x|$ and $\max(x, 0)$ have no derivative at 0. JAX returns *some* number, by a convention that is a
#   different one for each function. Both are subgradients, so for the kink itself nothing breaks. But where a smooth
#   function is written so that two kinks cancel, the two conventions need not add up to its derivative.
#
# The cure for `where`, on `entropy`:


# %%
def safe_entropy(x):
    inside = jnp.where(x > 0, x, 1.0)  # the logarithm never sees what is not positive
    return jnp.where(x > 0, inside * jnp.log(inside), 0.0)


print(jax.grad(entropy)(0.0), jax.grad(safe_entropy)(0.0), jax.grad(safe_entropy)(2.0))

# %% [markdown]
# At 0 the result is finite now, and it is what the branch that is taken says. (The true slope there is $-\infty$.
# Finite is a decision here, not a theorem.)
#
# Sometimes a derivative has to be given by hand, because JAX cannot see that terms cancel, or because a function
# stands for something that cannot be differentiated step by step. There are three tools:
#
# | tool | what it says | works under |
# |---|---|---|
# | `jax.lax.stop_gradient(x)` | the value of $x$, with the derivative 0 | everything |
# | `jax.custom_jvp` | a rule for $J v$; JAX makes the one for $u^\top J$ out of it | everything |
# | `jax.custom_vjp` | a rule for $u^\top J$, in two functions | reverse mode only, no `jvp`, `jacfwd`, `hessian` |


# %%
@jax.custom_jvp
def cube_root(x):
    return jnp.sign(x) * jnp.abs(x) ** (1 / 3)


@cube_root.defjvp
def cube_root_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    root = cube_root(x)
    return root, x_dot / (3 * root**2)  # value, tangent


slope = jax.grad(cube_root)
print(slope(-8.0), jax.grad(slope)(-8.0), jax.vmap(slope)(jnp.array([1.0, 8.0])))
print("x * stop_gradient(x):", jax.grad(lambda x: x * jax.lax.stop_gradient(x))(3.0))

# %% [markdown]
# A second derivative differentiates the *rule*. So the rule itself has to be made of functions whose derivatives
# survive.
#
# ## q5
#
# - `log1pexp(x)` $= \log(1 + e^x)$, entry by entry, for a number or an array of any shape with $|x| \le 1000$. The
#   value and the first derivative are right to a relative error of $10^{-12}$ wherever they are at least $10^{-300}$,
#   the second derivative to an absolute error of $10^{-12}$. Under `grad`, `jvp`, `vmap` and `jit`.
# - `safe_norm(x)` $= \|x\|_2$ for $x$ $(n,)$. At $x = 0$ the value is 0 and the gradient is exactly 0. (It is a
#   subgradient.) Elsewhere the first and the second derivatives are those of the norm. Everything is finite in both
#   modes, and under `vmap` over a batch in which some rows are 0.
#
# Before you write: what is $\log(1 + e^{-40})$ in 64 bits, computed as it is written? And what is it really?


# %% question="q5"
def log1pexp(x):
    """log(1 + e^x), entry by entry, with derivatives that are right for |x| up to 1000; like x."""
    raise NotImplementedError("q5: log1pexp")


def safe_norm(x):
    """||x||, with value and gradient 0 at x = 0; x (n,)."""
    raise NotImplementedError("q5: safe_norm")


# %% check="q5"
grader.check("q5")

# %% [markdown]
# Yours beside the formula as it is written, and beside the norm of `jax.numpy`:

# %%
with adkit.skip_until_implemented():
    for x in (-700.0, -40.0, 0.0, 40.0, 800.0):
        for name, f in (("as written", lambda x: jnp.log(1 + jnp.exp(x))), ("yours", log1pexp)):
            print(f"{x:6} {name:10}  value {float(f(x)):.9e}  derivative {float(jax.grad(f)(x)):.9e}")
    batch = jnp.array([[3.0, 4.0], [0.0, 0.0], [1e-100, 0.0]])
    print("gradients of the norm:", jax.vmap(jax.grad(jnp.linalg.norm))(batch).tolist())
    print("yours:                ", jax.vmap(jax.grad(safe_norm))(batch).tolist())

# %% [markdown]
# ## The derivative of a solver
#
# Many functions are given as the result of an iteration: an equilibrium, a root, the minimum of an inner problem. The
# simplest case is a **fixed point**: $x = f(x, \theta)$, where $f$ is a contraction in $x$ (it brings any two points
# closer together). Start anywhere, apply $f$ again and again, and you arrive. What is the derivative of the $x$ where
# you arrive, with respect to $\theta$?
#
# The obvious way is to differentiate through the iterations. A `while_loop` refuses: reverse mode has to store
# something for each turn, and nobody knows how many there will be. A `scan` with a fixed number of turns works. What
# does it keep?

# %%
random = np.random.default_rng(4)
rotation = np.linalg.qr(random.normal(size=(50, 50)))[0]
contraction = functions.Contraction(0.95 * rotation, "tanh")


def through_the_turns(f, theta, turns):
    return jax.lax.scan(lambda x, _: (f(x, theta), None), jnp.zeros(50), None, length=turns)[0]


def memory(f, theta):
    """How many numbers cross from the forward to the backward pass, and the peak of live numbers in the latter."""
    measured = adkit.measure(f, theta, np.ones(50), transform="vjp_split", autodiff=True)
    return sum(residual.size for residual in measured.residuals), measured.backward_work.peak


theta = jnp.asarray(random.normal(size=50))
for turns in (10, 100, 1000):
    numbers, peak = memory(lambda theta, turns=turns: through_the_turns(contraction, theta, turns), theta)
    print(f"{turns:5} turns: {numbers:7,} numbers cross, peak of the backward pass {peak:7,}")

# %% [markdown]
# Every turn keeps what its derivative will need, although only the last one matters. And an $x$ that is nearly right
# after 10 turns may have a derivative that is not: at a good starting point the loop stops at once, and there is
# nothing to differentiate.
#
# The **implicit function theorem** needs the solution alone. Let $x(\theta)$ solve $x = f(x, \theta)$, and take the
# differential on both sides, with the Jacobians $f_x$ and $f_\theta$ at the solution:
#
# $$dx = f_x\, dx + f_\theta\, d\theta .$$
#
# Solve this for $dx$. Reverse mode wants the $\bar\theta$ with $\bar\theta^\top d\theta = \bar x^\top dx$ for every
# $d\theta$. Which linear system has to be solved for it? Its matrix contains the transpose of $f_x$, and `jax.vjp`
# gives the products of that transpose with vectors. The system can be solved by a factorisation, or by an iteration
# of its own: look at its form.
#
# The tool is `jax.custom_vjp`. It takes two functions: the *forward* one returns the result and whatever the backward
# pass will need (the **residuals**), the *backward* one takes the residuals and the cotangent of the result, and
# returns a tuple with one cotangent per argument. An example that leaves a function as it is and limits its
# cotangent:


# %%
@jax.custom_vjp
def limited(x, bound):
    return x


def limited_forward(x, bound):
    return x, bound  # the result, the residuals


def limited_backward(bound, x_bar):
    return jnp.clip(x_bar, -bound, bound), jnp.zeros_like(bound)  # one cotangent per argument


limited.defvjp(limited_forward, limited_backward)
print(jax.grad(lambda x: limited(x, 1.0) ** 2)(3.0))

# %% [markdown]
# An argument that is a Python function cannot be traced. Either define the decorated function *inside* yours, where
# it sees `f`, or name the argument's position in `nondiff_argnums`. But every array that is differentiated by has to
# be an argument of the decorated function, and not a variable that it sees from outside. (`jax.lax.custom_root` is
# another way to the same end.)
#
# ## q6
#
# `fixed_point(f, theta, x0, tolerance)` returns an $x$ $(n,)$ with
#
# $$\|f(x, \theta) - x\| \le \text{tolerance} \cdot \max(1, \|x\|)$$
#
# for a function `f(x, theta)` that is a contraction in $x$. `theta` is an array of any shape, a single
# number as well; `x0` $(n,)$ is where the iteration starts.
#
# - Its derivative with respect to `theta` comes from the implicit function theorem, and is right to $10^{-9}$ at the
#   tolerance $10^{-12}$. Only reverse mode is asked. The derivative with respect to `x0` is 0.
# - Contractions may be slow: a turn may bring $x$ closer to the solution by one per cent only. A few terms of a
#   series are not enough, neither forward nor backward.
# - Two of the four points are for memory, counted in a trace of the derivative with respect to `theta`, so for them
#   both iterations have to be ones that JAX can trace. From the forward to the backward pass cross at most the
#   residuals of one `jax.vjp` of `f` at $x$, two $n \times n$ arrays and a few numbers. How far `x0` is from the
#   solution must make no difference.
# - The other two points are for the values of $x$ and of the derivatives. For them, a Python loop that looks at values
#   is fine as well.


# %% question="q6"
def fixed_point(f, theta, x0, tolerance):
    """x (n,) with x = f(x, theta), to within the tolerance, and its derivative by the implicit function theorem."""
    raise NotImplementedError("q6: fixed_point")


# %% check="q6"
grader.check("q6")

# %% [markdown]
# Yours, measured as above, and the error of both derivatives on a linear $f$, for which the truth is known.

# %%
with adkit.skip_until_implemented():
    numbers, peak = memory(lambda theta: fixed_point(contraction, theta, np.zeros(50), 1e-12), theta)
    print(f"yours: {numbers:,} numbers cross, peak of the backward pass {peak:,}")

    linear = functions.Contraction(0.95 * rotation)
    truth = np.linalg.solve(np.eye(50) - 0.95 * rotation.T, np.ones(50))
    for turns in (10, 100, 500):
        gradient = jax.grad(lambda theta, turns=turns: through_the_turns(linear, theta, turns).sum())(theta)
        print(f"through {turns:3} turns: relative error {np.linalg.norm(gradient - truth) / np.linalg.norm(truth):.0e}")
    gradient = jax.grad(lambda theta: fixed_point(linear, theta, np.zeros(50), 1e-12).sum())(theta)
    print(f"yours:             relative error {np.linalg.norm(gradient - truth) / np.linalg.norm(truth):.0e}")

# %% [markdown]
# ## For the curious: Jacobians with few entries
#
# On a mesh, each output depends on a few neighbours only. The Jacobian of a map with a million inputs then has a few
# million entries that are not 0, and still $n$ sweeps of forward mode would be needed to find them one column at a
# time.
#
# But columns can share a sweep. Two columns that have no entry in a common row do not get in each other's way: push
# forward $v = e_1 + e_4$, and each entry of $J v$ comes from one of the two columns at most. The pattern says from
# which. So: give every column a *colour*, such that columns of one colour have no row in common. Then one sweep per
# colour is enough.
#
# ![A Jacobian with three diagonals; columns 1, 4 and 7 have one colour, 2, 5 and 8 another, 3 and 6 a third; three
# products hold all entries](figures/colouring.svg)
#
# The fewest colours are hard to find. A **greedy** colouring goes through the columns from left to right, and gives
# each the first colour that no column in conflict with it has yet. (Curtis, Powell and Reid, 1974; in terms of
# graphs: Gebremedhin, Manne and Pothen, 2005.)
#
# The map $f_i(x) = a \sin x_i + b\, x_i x_{i+1} + c\, x_{i-1}^2$, with indices that go round, has three entries in
# each row. Here is its pattern. A letter stands for an entry, and the same letter for the same colour:

# %%
stencil = functions.Stencil(np.array([1.0, 2.0, 3.0]))
pattern = np.asarray(jax.jacfwd(stencil)(np.linspace(1.0, 2.0, 12))) != 0
for row in pattern:
    print(" ".join("ABC"[column % 3] if entry else "·" for column, entry in enumerate(row)))

# %% [markdown]
# ## q7
#
# `sparse_jacobian(f, x, pattern)` returns the Jacobian $(m, n)$ of `f` at `x`, dense, with zeros where the pattern
# has none. `pattern` is a NumPy array of booleans, $(m, n)$: where it is `False`, the Jacobian is 0 at every `x`.
#
# - It pushes at most as many tangent vectors through `f` as the greedy colouring of the columns has colours. Fewer is
#   right too.
# - Colouring the *rows* and pulling back as many cotangents as the columns need colours, or fewer, is equally right.
# - Counted are the vectors that go through `f`, not multiplications. `pattern` has values in the trace, too, so the
#   colouring may be plain Python and NumPy.


# %% question="q7"
def sparse_jacobian(f, x, pattern):
    """The Jacobian of f at x, from one sweep per colour; x (n,), pattern (m, n) of booleans -> (m, n)."""
    raise NotImplementedError("q7: sparse_jacobian")


# %% check="q7"
grader.check("q7")

# %% [markdown]
# `functions.Marked(f)` is `f` with a mark on every vector that passes it, and `work.marked` counts the marked
# numbers.


# %%
def vectors(jacobian_of, n):
    """How many vectors it takes to get the Jacobian of the stencil map for n entries."""
    marked, x = functions.Marked(stencil), np.linspace(1.0, 2.0, n)
    return adkit.measure(lambda x: jacobian_of(marked, x), x, autodiff=True, run=False).work.marked // n


with adkit.skip_until_implemented():
    for n in (12, 99, 300):
        rows = np.arange(n)[:, None]
        pattern = np.isin((np.arange(n) - rows) % n, (0, 1, n - 1))
        yours = vectors(lambda f, x, pattern=pattern: sparse_jacobian(f, x, pattern), n)
        every_column = vectors(lambda f, x: jax.jacfwd(f)(x), n)
        print(f"n = {n:3}: jacfwd pushes {every_column:3} vectors through f, yours {yours}")
    x = np.linspace(1.0, 2.0, n)
    print("largest difference:", np.abs(sparse_jacobian(stencil, x, pattern) - jax.jacfwd(stencil)(x)).max())

# %% [markdown]
# ## Further reading
#
# - The JAX documentation: *How to think in JAX*; *JAX - The Sharp Bits*; *The Autodiff Cookbook*; *Custom derivative
#   rules for JAX-transformable Python functions*; and *Autodidax: JAX core from scratch*, which builds it all in one
#   file.
# - A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008: chapters 3 and 4 for the two modes,
#   chapter 5 for second derivatives, chapters 7 and 8 for sparse Jacobians, chapter 15 for implicit and iterative
#   functions.
# - B. A. Pearlmutter, *Fast exact multiplication by the Hessian*, Neural Computation 6(1), 1994.
# - J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd edition, Springer 2006, chapters 5 and 7.
# - B. Christianson, *Reverse accumulation and attractive fixed points*, Optimization Methods and Software 3(4), 1994.
# - A. R. Curtis, M. J. D. Powell and J. K. Reid, *On the estimation of sparse Jacobian matrices*, IMA Journal of
#   Applied Mathematics 13(1), 1974.
# - A. H. Gebremedhin, F. Manne and A. Pothen, *What color is your Jacobian? Graph coloring for computing
#   derivatives*, SIAM Review 47(4), 2005.
#
# ## Hand in
#
# Run this cell: it saves the notebook where it can (elsewhere it asks you to), makes the file to hand in, and runs
# the public checks once more on what is in it.

# %% tags=["export"]
grader.export()
