"""Functions made of numbers: what they compute, that every transformation works, and that they cross as data."""

from typing import Any

import adkit
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adkit import functions
from adkit.tracing.export import measure

from autograder.isolation import frames
from autograder.isolation.wire import blank, pack, rebuilders

RNG = np.random.default_rng(0)
N = 4
X = RNG.normal(size=N)
ALL: list[tuple[Any, np.ndarray]] = [
    (functions.Quadratic(RNG.normal(size=(N, N)), RNG.normal(size=N)), X),
    (functions.Logistic(RNG.normal(size=(7, N)), np.sign(RNG.normal(size=7)), 0.1), X),
    (functions.LogSumExp(RNG.normal(size=(7, N)), RNG.normal(size=7), 0.1), X),
    (functions.Affine(RNG.normal(size=(3, N)), RNG.normal(size=3)), X),
    (functions.TanhMap(RNG.normal(size=(5, N)), RNG.normal(size=5), RNG.normal(size=(3, 5))), X),
    (functions.Stencil(RNG.normal(size=3)), X),
    (functions.NetworkLoss(RNG.normal(size=(6, 2)), RNG.normal(size=(6, 1)), (2, 3, 1)), RNG.normal(size=13)),
    (functions.GraphFunction.of(adkit.trace(lambda a, b: (2.5 * a * b + np.sin(a), a / b), 2)), X[:2]),
    (functions.Marked(functions.Stencil(RNG.normal(size=3))), X),
]
IDS = [type(f).__name__ for f, _ in ALL]


@pytest.mark.parametrize(("f", "x"), ALL, ids=IDS)
def test_every_transformation_works(f: Any, x: np.ndarray):
    forward, reverse = jax.jacfwd(f)(x), jax.jacrev(f)(x)
    np.testing.assert_allclose(forward, reverse, rtol=1e-12, atol=1e-14)
    h = 1e-6
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)]
    np.testing.assert_allclose(forward, np.stack(columns, axis=-1), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(jax.jit(f)(x), f(x), rtol=1e-12)
    np.testing.assert_allclose(jax.vmap(f)(jnp.stack([x, 2 * x]))[1], f(2 * x), rtol=1e-12)


@pytest.mark.parametrize(("f", "x"), ALL, ids=IDS)
def test_it_crosses_as_data(f: Any, x: np.ndarray):
    made = rebuilders(lambda number: number, lambda number: number)
    sent = pack(f, [])
    arrived = frames.decode(frames.encode(sent), objects=made)
    assert type(arrived) is type(f)
    np.testing.assert_array_equal(arrived(x), f(x))
    blanked = frames.decode(frames.encode(blank(sent)), objects=made)
    assert jax.tree.structure(blanked) == jax.tree.structure(f)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(blanked))


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no function 'Evil'"):
        functions.from_plain({"kind": "Evil", "arrays": {}, "static": {}, "functions": {}})


def test_functions_are_told_apart_by_identity():
    one = functions.Quadratic(np.eye(2), np.ones(2))
    assert one != functions.Quadratic(np.eye(2), np.ones(2))
    assert len({one, one}) == 1


def test_a_graph_is_called_with_an_array():
    np.testing.assert_allclose(adkit.toy_graph()(np.array([2.0, 3.0])), [6 + np.sin(2)])
    assert functions.GraphFunction.of(adkit.toy_graph()).graph == adkit.toy_graph()


@pytest.mark.parametrize(
    ("jacobian", "vectors"),
    [
        (lambda f, x: jax.jacfwd(f)(x), N),
        (lambda f, x: jax.jacrev(f)(x), N),
        (lambda f, x: jax.vmap(lambda v: jax.jvp(f, (x,), (v,))[1])(jnp.eye(N)[:3]), 3),
        (lambda f, x: jax.lax.map(lambda v: jax.jvp(f, (x,), (v,))[1], jnp.eye(N)[:3]), 3),
        (lambda f, x: jnp.stack([jax.jvp(f, (x,), (v,))[1] for v in jnp.eye(N)]), N),
        (lambda f, x: jax.linearize(f, x)[1](x), 1),
        (lambda f, x: jax.vjp(f, x)[1](x)[0], 1),
        (lambda f, x: f(x), 0),
    ],
)
def test_marks_count_the_vectors_that_go_through(jacobian: Any, vectors: int):
    f = functions.Marked(functions.Stencil(np.array([1.0, 2.0, 3.0])))
    work = measure(jacobian, f, X, autodiff=True).work
    assert work.marked == vectors * N


def test_the_numbers_of_a_function_are_arguments_of_what_is_traced():
    def solve(f: Any, _x: Any) -> Any:
        return jnp.linalg.solve(f.A, f.b)

    found = measure(solve, functions.Quadratic(2 * np.eye(3), np.ones(3)), X[:3])
    np.testing.assert_allclose(found.outputs[0], 0.5 * np.ones(3))
    assert found.work.factorizations == 1
