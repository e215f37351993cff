# %% [markdown]
# Right in ways that are not the usual ones: sweeps one by one, reverse over reverse, steps that are shortened by their
# slope, a root in place of a fixed point, rows that are coloured in place of columns.

# %% question="q2" points=5
import jax
import jax.numpy as jnp
import numpy as np


def jacobian(f, x):
    y, push = jax.linearize(f, jnp.asarray(x))
    if y.size < x.size:
        pull_back = jax.linear_transpose(push, x)
        return jnp.stack([pull_back(row)[0] for row in jnp.eye(y.size)])
    return jax.lax.map(push, jnp.eye(x.size)).T


# %% question="q3" points=6
def hvp(f, x, v):
    def product(v):
        return jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x)

    return product(v) if jnp.ndim(v) == 1 else jax.lax.map(product, jnp.asarray(v))


# %% question="q4" points=6
def newton_cg(f, x0, tolerance):
    slope = jax.jit(jax.grad(f))
    product = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
    x = jnp.asarray(x0)
    g = slope(x)
    goal = tolerance * max(1.0, float(jnp.linalg.norm(g)))
    while jnp.linalg.norm(g) > goal:
        p, _ = jax.scipy.sparse.linalg.cg(lambda v, x=x: product(x, v), -g, tol=1e-8)
        t = 1.0
        while t > 1e-9 and slope(x + t * p) @ p > 1e-8 * abs(g @ p):  # past the minimum along p
            t /= 2
        x = x + t * p
        g = slope(x)
    return x


# %% question="q5" points=4
def log1pexp(x):
    return jax.nn.softplus(x)


def safe_norm(x):
    zero = ~jnp.any(x)
    return jnp.where(zero, 0.0, jnp.linalg.norm(jnp.where(zero, jnp.ones_like(x), x)))


# %% question="q6" points=4
def fixed_point(f, theta, x0, tolerance):
    def solve(residual, x):
        def far(x):
            return jnp.linalg.norm(residual(x)) > tolerance * jnp.maximum(1.0, jnp.linalg.norm(x))

        return jax.lax.while_loop(far, lambda x: x + residual(x), x)

    def tangent_solve(linear, y):
        return jnp.linalg.solve(jax.jacobian(linear)(y), y)

    return jax.lax.custom_root(lambda x: f(x, theta) - x, jnp.asarray(x0), solve, tangent_solve)


# %% question="q7" points=5
def sparse_jacobian(f, x, pattern):
    groups = []
    for i in range(len(pattern)):
        for group in groups:
            if not any((pattern[i] & pattern[k]).any() for k in group):
                group.append(i)
                break
        else:
            groups.append([i])
    _, pull_back = jax.vjp(f, jnp.asarray(x))
    J = jnp.zeros(pattern.shape)
    for group in groups:
        seed = np.zeros(len(pattern))
        seed[group] = 1
        (row,) = pull_back(jnp.asarray(seed))
        for i in group:
            J = J.at[i].set(jnp.where(pattern[i], row, 0.0))
    return J
