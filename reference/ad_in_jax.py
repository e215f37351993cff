"""Automatic differentiation with JAX: Hessians, the cheaper mode, products with Hessians, rules of one's own.

Notation: x_dot is a tangent of x, pushed forward (`jax.jvp`); x_bar is a cotangent, pulled back (`jax.vjp`).

Sources: B. A. Pearlmutter, *Fast exact multiplication by the Hessian* (1994); J. Nocedal and S. J. Wright, *Numerical
Optimization* (2nd ed., 2006), algorithms 5.2 and 7.1; A. Griewank and A. Walther, *Evaluating Derivatives* (2nd ed.,
2008), chapters 3, 8 and 15; B. Christianson, *Reverse accumulation and attractive fixed points* (1994); A. R. Curtis,
M. J. D. Powell and J. K. Reid, *On the estimation of sparse Jacobian matrices* (1974).
"""

# The types of jax.numpy and of JAX's transformations are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


def trace_inverse_derivatives(
    A: Float[ArrayLike, "m n"], B: Float[ArrayLike, "n m"], X: Float[ArrayLike, "n n"]
) -> tuple[Float[Array, "n n"], Float[Array, "n n n n"]]:
    """Gradient and Hessian of f(X) = tr(A X^-1 B), X invertible: [i, j, k, l] = d^2 f / dX_ij dX_kl.

    In closed form, with P = X^-1 B A X^-1: -P^T, and E -> (X^-1 E P + P E X^-1)^T.
    """

    def f(X: Float[Array, "n n"]) -> Float[Array, ""]:
        return jnp.trace(A @ jnp.linalg.solve(X, jnp.asarray(B)))

    X = jnp.asarray(X)
    gradient = jax.grad(f)(X)
    hessian = jax.hessian(f)(X)
    return gradient, hessian


def cubic_norm_derivatives(x: Float[ArrayLike, " n"]) -> tuple[Float[Array, " n"], Float[Array, "n n"]]:
    """Gradient and Hessian of g(x) = 1/3 ||x||_2^3: ||x|| x, and ||x|| I + ||x||^-1 x x^T; both are 0 at x = 0.

    The second term is the product of a vector and a unit vector, so that 0 needs no case of its own.
    """
    x = jnp.asarray(x)
    norm = jnp.linalg.norm(x)
    unit = x / jnp.where(norm > 0, norm, 1.0)
    gradient = norm * x
    hessian = norm * jnp.eye(x.size) + jnp.outer(x, unit)
    return gradient, hessian


def jacobian(f: Callable[[Any], Any], x: Float[ArrayLike, " n"]) -> Float[Array, "m n"]:
    """The Jacobian of f: R^n -> R^m by the mode that needs fewer sweeps.

    Forward mode pushes n tangents through f, one for each column; reverse mode pulls back m cotangents, one for each
    row. A sweep costs the same few evaluations of f in both (Griewank and Walther 2008, section 3). How many
    results f has is found without computing any (`jax.eval_shape`).
    """
    x = jnp.asarray(x)
    results = jax.eval_shape(f, x).size
    return jax.jacfwd(f)(x) if x.size <= results else jax.jacrev(f)(x)


def hvp(f: Callable[[Any], Any], x: Float[ArrayLike, " n"], v: Float[ArrayLike, "*k n"]) -> Float[Array, "*k n"]:
    """The Hessian of f: R^n -> R at x times v, or times each row of v.

    It is the derivative of the gradient along v, d/dt grad f(x + t v) at t = 0 (Pearlmutter 1994): forward over reverse
    mode. The gradient is linearised once, for all rows.
    """
    _, product = jax.linearize(jax.grad(f), jnp.asarray(x))
    v = jnp.asarray(v)
    return product(v) if v.ndim == 1 else jax.vmap(product)(v)


def newton_cg(f: Callable[[Any], Any], x0: Float[ArrayLike, " n"], tolerance: float) -> Float[Array, " n"]:
    """A minimiser of a smooth convex f: ||grad f(x)|| <= tolerance max(1, ||grad f(x0)||).

    Newton's method with an inexact step d (Nocedal and Wright 2006, algorithm 7.1): H d = -grad f(x) is solved by
    conjugate gradients, the more exactly the smaller the gradient is. The step is halved until f descends enough
    (Armijo's condition), up to the rounding of f. It ends after 200 steps, where rounding keeps the gradient too large.
    """
    slope = jax.jit(jax.grad(f))
    product = jax.jit(lambda x, v: hvp(f, x, v))
    x = jnp.asarray(x0)
    gradient = slope(x)
    goal = tolerance * max(1.0, float(jnp.linalg.norm(gradient)))
    for _ in range(200):
        size = float(jnp.linalg.norm(gradient))
        if size <= goal:
            break
        d = _conjugate_gradients(partial(product, x), -gradient, min(0.1, size) * size)
        step, value, descent = 1.0, float(f(x)), float(jnp.vdot(gradient, d))
        rounding = 10 * np.finfo(np.float64).eps * abs(value)
        while float(f(x + step * d)) > value + 1e-4 * step * descent + rounding:
            step = step / 2
        x = x + step * d
        gradient = slope(x)
    return x


def _conjugate_gradients(product: Callable[[Any], Any], b: Float[Array, " n"], tolerance: float) -> Float[Array, " n"]:
    """x with ||b - H x|| <= tolerance (Nocedal and Wright 2006, algorithm 5.2); product(v) is H v.

    H is symmetric positive definite. Rounding may keep the residual from getting there: it ends after 10 n steps.
    """
    x, residual, direction = jnp.zeros_like(b), b, b
    square = float(jnp.vdot(b, b))
    for _ in range(10 * b.size):
        if square <= tolerance**2:
            break
        curved = product(direction)
        step = square / float(jnp.vdot(direction, curved))
        x = x + step * direction
        residual = residual - step * curved
        before, square = square, float(jnp.vdot(residual, residual))
        direction = residual + square / before * direction
    return x


@jax.custom_jvp
def log1pexp(x: Float[ArrayLike, "*shape"]) -> Float[Array, "*shape"]:
    """log(1 + e^x), entry by entry, with a derivative rule of its own: the logistic function, 1 / (1 + e^-x).

    e^x overflows beyond 709, and for a small e^x the sum loses it: log(1 + e^x) = max(x, 0) + log1p(e^-|x|).
    """
    return jnp.maximum(x, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


log1pexp.defjvps(lambda x_dot, y, x: jax.nn.sigmoid(x) * x_dot)


def safe_norm(x: Float[ArrayLike, " n"]) -> Float[Array, ""]:
    """||x||_2 with the value and the gradient 0 at x = 0.

    The derivative of a `where` goes through both of its branches, and 0 times the infinite slope of the root is NaN: at
    0 the root is taken of something else.
    """
    squares = jnp.vdot(x, x)
    zero = squares == 0
    norm = jnp.sqrt(jnp.where(zero, 1.0, squares))
    return jnp.where(zero, 0.0, norm)


@partial(jax.custom_vjp, nondiff_argnums=(0, 3))
def fixed_point(
    f: Callable[[Any, Any], Any], theta: Float[Array, "..."], x0: Float[Array, " n"], tolerance: float
) -> Float[Array, " n"]:
    """x = f(x, theta) for a contraction: ||f(x, theta) - x|| <= tolerance max(1, ||x||), by iteration from x0.

    Its derivative is that of the equation, whatever path led to x (the implicit function theorem; Christianson 1994):
    dx = J dx + df, J the derivative of f by x and df the part of its differential by theta. So (I - J)^T w = x_bar,
    and theta_bar pulls w back through f by theta; x0 has no part in it.
    """

    def goes_on(pair: Any) -> Any:
        x, following = pair
        return jnp.linalg.norm(following - x) > tolerance * jnp.maximum(1.0, jnp.linalg.norm(x))

    def iterate(pair: Any) -> Any:
        _, x = pair
        return x, f(x, theta)

    x0 = jnp.asarray(x0)
    return jax.lax.while_loop(goes_on, iterate, (x0, f(x0, theta)))[0]


def _fixed_point_forward(f: Any, theta: Any, x0: Any, tolerance: float) -> tuple[Any, Any]:
    """Iterates; all that the backward pass needs is where it ended."""
    x = fixed_point(f, theta, x0, tolerance)
    return x, (theta, x)


def _fixed_point_backward(f: Any, tolerance: float, kept: Any, x_bar: Any) -> tuple[Any, Any]:
    """Solves with (I - J)^T. Where n is large, one would iterate on w = x_bar + J^T w instead, which contracts too."""
    theta, x = kept
    J = jax.jacobian(f)(x, theta)
    w = jnp.linalg.solve((jnp.eye(x.size) - J).T, x_bar)
    _, pull_back = jax.vjp(lambda theta: f(x, theta), theta)
    (theta_bar,) = pull_back(w)
    return theta_bar, jnp.zeros_like(x)


fixed_point.defvjp(_fixed_point_forward, _fixed_point_backward)


def sparse_jacobian(
    f: Callable[[Any], Any], x: Float[ArrayLike, " n"], pattern: Bool[np.ndarray, "m n"]
) -> Float[Array, "m n"]:
    """The Jacobian of f: R^n -> R^m, dense, whose entries are 0 where `pattern` is False.

    Columns that share no row get the same colour, and one tangent for all of them: each row of J seed has one of them
    in it at most, which is read off (Curtis, Powell and Reid 1974).
    """
    pattern = np.asarray(pattern)
    colours = _coloured(pattern)
    seed = np.equal.outer(np.arange(colours.max(initial=-1) + 1), colours).astype(np.float64)
    _, push = jax.linearize(f, jnp.asarray(x))
    compressed = jax.vmap(push)(jnp.asarray(seed))
    return jnp.where(pattern, compressed[colours].T, 0.0)


def _coloured(pattern: Bool[np.ndarray, "m n"]) -> np.ndarray:
    """A colour for each column, greedily in their order: the first that no earlier column with a common row has."""
    colours = np.zeros(pattern.shape[1], dtype=int)
    for j in range(len(colours)):
        neighbours = pattern[:, :j][pattern[:, j]].any(axis=0)
        taken = set(colours[:j][neighbours].tolist())
        colours[j] = next(colour for colour in range(j + 1) if colour not in taken)
    return colours
