"""Wrong solutions of `ad_in_jax`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from wrong_solutions import Collection
from wrong_solutions.ad_in_jax import as_vector, implicit, iterate, neumann

WRONG = Collection()
wrong = WRONG.wrong


@wrong("trace_inverse_derivatives", "the inverse is forgotten: tr(A X B)")
def no_inverse(A, B, X):
    f = lambda X: jnp.trace(A @ X @ B)  # noqa: E731
    return jax.grad(f)(X), jax.hessian(f)(X)


@wrong("cubic_norm_derivatives", "the gradient of the norm")
def unit_vector(x):
    r = np.linalg.norm(x)
    outer = np.outer(x, x) / r if r else np.zeros((len(x), len(x)))
    return (x / r if r else 0 * x), r * np.eye(len(x)) + outer


@wrong("cubic_norm_derivatives", "1e-14 under the root")
def tiny_number(x):
    def g(x):
        return jnp.sqrt(jnp.sum(x * x) + 1e-14) ** 3 / 3

    return jax.grad(g)(x), jax.hessian(g)(x)


@wrong("jacobian", "the modes are mixed up")
def mixed_up(f, x):
    g = as_vector(f)
    n, m = x.shape[0], jax.eval_shape(g, x).shape[0]
    return jax.jacfwd(g)(x) if n >= m else jax.jacrev(g)(x)


@wrong("jacobian", "forward differences with 1e-7")
def forward_differences(f, x):
    here = np.ravel(f(x))
    return np.stack([(np.ravel(f(x + 1e-7 * e)) - here) / 1e-7 for e in np.eye(len(x))], axis=1)


@wrong("hvp", "the gradient is returned")
def gradient_for_product(f, x, v):
    g = jax.grad(f)(jnp.asarray(x))
    return g if v.ndim == 1 else jnp.tile(g, (len(v), 1))


@wrong("hvp", "forward difference of the gradient with the step 1e-7")
def one_sided(f, x, v):
    g = jax.grad(f)
    v = jnp.atleast_2d(v) if jnp.ndim(v) == 1 else v
    answer = jnp.stack([(g(x + 1e-7 * row) - g(x)) / 1e-7 for row in v])
    return answer[0] if len(answer) == 1 else answer


@wrong("log1pexp", "x above 10, log1p below")
def above_ten(x):
    low = jnp.minimum(x, 10.0)
    return jnp.where(x > 10, x, jnp.log1p(jnp.exp(low)))


@wrong("log1pexp", "clipped at 30")
def clipped_at_thirty(x):
    return jnp.log1p(jnp.exp(jnp.clip(x, -30, 30)))


@wrong("safe_norm", "the square of the norm")
def squared(x):
    return jnp.dot(x, x)


@wrong("safe_norm", "1e-8 is added under the root")
def shifted(x):
    return jnp.sqrt(jnp.dot(x, x) + 1e-8)


@wrong("fixed_point", "fifty terms of the series in the backward pass")
def fifty_terms(f, theta, x0, tolerance):
    return implicit(f, theta, x0, tolerance, lambda pull, push, bar: neumann(pull, bar, 50))


@wrong("fixed_point", "twenty turns whatever the tolerance, differentiated through")
def twenty_turns(f, theta, x0, tolerance):
    return lax.fori_loop(0, 20, lambda _, x: f(x, theta), jnp.asarray(x0))


@wrong("fixed_point", "theta gets zeros")
def zero_for_theta(f, theta, x0, tolerance):
    @jax.custom_vjp
    def solve(theta, x0):
        return iterate(f, theta, x0, tolerance)

    solve.defvjp(lambda t, x: (solve(t, x), (t, x)), lambda kept, _: jax.tree.map(jnp.zeros_like, kept))
    return solve(jnp.asarray(theta), jnp.asarray(x0))


@wrong("sparse_jacobian", "f is called with the seeds themselves")
def f_of_the_seeds(f, x, pattern):
    from wrong_solutions.ad_in_jax import coloured

    c = coloured(np.asarray(pattern))
    products = jnp.stack([f(jnp.asarray(c == k, dtype=float)) for k in range(c.max() + 1)], axis=1)
    return jnp.where(jnp.asarray(pattern), products[:, c], 0.0)


@wrong("sparse_jacobian", "transposed")
def transposed(f, x, pattern):
    return (jax.jacrev(f)(jnp.asarray(x)) * pattern).T
