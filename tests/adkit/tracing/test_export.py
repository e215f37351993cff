"""Functions as artefacts: what comes out under each transformation, and what travels between two passes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import pytest
from adkit.checks import StudentError
from adkit.checks.autodiff import reading
from adkit.stubs import is_stub
from adkit.tracing import export as artefact
from adkit.tracing.export import Measured, measure

random = np.random.default_rng(7)
A = random.normal(size=(4, 4)) + 4 * np.eye(4)
b = random.normal(size=4)
x_bar = random.normal(size=4)
x = np.linalg.solve(A, b)


def solve(A: Any, b: Any) -> Any:
    return jnp.linalg.solve(A, b)


@jax.custom_vjp
def solve_with_rule(A: Any, b: Any) -> Any:
    return jnp.linalg.solve(A, b)


def _forward(A: Any, b: Any) -> Any:
    factors = jsl.lu_factor(A)
    x = jsl.lu_solve(factors, b)
    return x, (factors, x)


def _backward(kept: Any, x_bar: Any) -> Any:
    factors, x = kept
    b_bar = jsl.lu_solve(factors, x_bar, trans=1)
    return -jnp.outer(b_bar, x), b_bar


solve_with_rule.defvjp(_forward, _backward)


def test_a_call_gives_what_the_function_gives() -> None:
    measured = measure(solve, A, b)
    np.testing.assert_allclose(measured.outputs[0], x, rtol=1e-12)
    assert measured.outputs[0].dtype == np.float64
    assert measured.work.factorizations == 1
    assert measured.residuals is measured.forward_work is measured.backward_work is None


def test_outputs_are_the_leaves_of_the_result_and_named_tuples_are_taken_apart() -> None:
    U, s, Vt = measure(lambda W: {"svd": jnp.linalg.svd(W), "one": 1.0}, A).outputs[1:]
    np.testing.assert_allclose(U * s @ Vt, A, rtol=1e-12)


def test_jit_and_vmap_give_what_jax_gives() -> None:
    np.testing.assert_allclose(measure(solve, A, b, transform="jit").outputs[0], x, rtol=1e-12)
    batch = measure(solve, np.stack([A, 2 * A]), np.stack([b, b]), transform="vmap").outputs[0]
    np.testing.assert_allclose(batch, [x, x / 2], rtol=1e-12)


@pytest.mark.parametrize("f", [solve, solve_with_rule])
def test_vjp_gives_the_cotangents_of_all_primals(f: Callable[..., Any]) -> None:
    A_bar, b_bar = measure(f, A, b, x_bar, transform="vjp").outputs
    np.testing.assert_allclose(b_bar, np.linalg.solve(A.T, x_bar), rtol=1e-12)
    np.testing.assert_allclose(A_bar, -np.outer(b_bar, x), rtol=1e-12)


def test_vjp_split_gives_the_result_and_then_the_cotangents() -> None:
    one = measure(solve, A, b, x_bar, transform="vjp").outputs
    value, *two = measure(solve, A, b, x_bar, transform="vjp_split").outputs
    np.testing.assert_allclose(value, x, rtol=1e-12)
    for given, expected in zip(two, one, strict=True):
        np.testing.assert_allclose(given, expected, rtol=1e-12)


def test_a_rule_that_keeps_the_factors_factorises_only_in_the_forward_pass() -> None:
    measured = measure(solve_with_rule, A, b, x_bar, transform="vjp_split")
    assert measured.forward_work is not None
    assert measured.backward_work is not None
    assert measured.residuals is not None
    assert (measured.forward_work.factorizations, measured.backward_work.factorizations) == (1, 0)
    assert (measured.forward_work.solve_columns, measured.backward_work.solve_columns) == (2, 2)
    assert sorted(r.shape for r in measured.residuals) == [(4,), (4,), (4, 4)]  # x, pivots, LU


def test_a_rule_that_keeps_only_arguments_hands_over_nothing_and_factorises_again() -> None:
    @jax.custom_vjp
    def f(A: Any, b: Any) -> Any:
        return jnp.linalg.solve(A, b)

    f.defvjp(lambda A, b: (f(A, b), (A, b)), lambda kept, x_bar: jax.vjp(solve, *kept)[1](x_bar))
    measured = measure(f, A, b, x_bar, transform="vjp_split", autodiff=True)
    assert measured.residuals == []
    assert measured.backward_work is not None
    assert measured.backward_work.factorizations == 1


def test_a_value_that_is_kept_twice_travels_once() -> None:
    @jax.custom_vjp
    def f(v: Any) -> Any:
        return jnp.sin(v)

    def forward(v: Any) -> Any:
        cosine = jnp.cos(v)
        return jnp.sin(v), (cosine, cosine, v)

    f.defvjp(forward, lambda kept, y_bar: (y_bar * (kept[0] + kept[1]) / 2,))
    measured = measure(f, b, b, transform="vjp_split")
    assert measured.residuals is not None
    assert len(measured.residuals) == 1
    np.testing.assert_allclose(measured.outputs[1], b * np.cos(b), rtol=1e-12)


def test_vjp_vjp_is_the_second_order_of_reverse_mode() -> None:
    def pull_back(A: Any, b: Any) -> Any:
        return jax.vjp(solve, A, b)[1](x_bar)

    directions = (random.normal(size=(4, 4)), random.normal(size=4))
    expected = jax.vjp(pull_back, A, b)[1](directions)
    for f in (solve, solve_with_rule):
        given = measure(f, A, b, x_bar, directions, transform="vjp_vjp").outputs
        for one, other in zip(given, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10)


def test_value_and_grad_gives_the_value_and_the_gradient_of_every_leaf() -> None:
    value, *gradients = measure(
        lambda p, y: p["u"] * p["w"] + y**2, {"u": 2, "w": 3.0}, 5.0, transform="value_and_grad"
    ).outputs
    assert [float(g) for g in (value, *gradients)] == [31.0, 3.0, 2.0, 10.0]


def test_vjp_at_differentiates_at_a_point_what_cannot_be_traced() -> None:
    @jax.custom_vjp
    def rounded_up(x: Any) -> Any:
        return jnp.asarray(np.ceil(x))

    def backward(x: Any, y_bar: Any) -> tuple[Any]:
        return (y_bar * (3.0 if float(x[0]) > 0 else 5.0),)

    rounded_up.defvjp(lambda x: (rounded_up(x), x), backward)
    x, y_bar = np.array([0.5, -1.5]), np.array([1.0, 10.0])
    with pytest.raises(StudentError):
        measure(lambda x, k: k * rounded_up(x), x, y_bar, static=(2.0,), transform="vjp", autodiff=True)
    for point, factor in ((x, 6.0), (-x, 10.0)):
        found = measure(
            lambda x, k: k * rounded_up(x), x, static=([point, y_bar], 2.0), transform="vjp_at", autodiff=True
        )
        np.testing.assert_array_equal(found.outputs[0], factor * y_bar)


def test_vjp_at_says_what_went_wrong_and_where_a_shape_does_not_fit() -> None:
    def fails(x: Any) -> Any:
        raise KeyError("no such key")

    with pytest.raises(StudentError, match=r"KeyError.*while JAX differentiated it"):
        measure(fails, np.ones(2), static=([np.ones(2), np.ones(2)],), transform="vjp_at", autodiff=True)
    with pytest.raises(StudentError, match=r"it returns arrays of shape \(2,\); expected \(3,\)"):
        measure(lambda x: 2 * x, np.ones(2), static=([np.ones(2), np.ones(3)],), transform="vjp_at", autodiff=True)


def test_static_arguments_come_last_and_are_not_traced() -> None:
    def f(v: Any, times: Sequence[int]) -> Any:
        for _ in range(times[0]):
            v = 2 * v
        return v

    np.testing.assert_array_equal(measure(f, b, static=([3],)).outputs[0], 8 * b)


def test_the_artefact_runs_without_the_function() -> None:
    artefacts = artefact.export(solve, (A, b))
    assert all(type(module) is bytes for module in artefacts.modules)
    np.testing.assert_allclose(artefact.evaluate(artefacts, (A, 3 * b)).outputs[0], 3 * x, rtol=1e-12)
    plain = artefact.export_plain(solve, (A, b))
    assert (plain["transform"], len(plain["artefacts"])) == ("call", 1)


# ---------------------------------------- a network with checkpoints

DEPTH = 6
PARAMETERS = [(random.normal(size=(3, 3)), random.normal(size=3)) for _ in range(DEPTH)]
DATA, TARGET = random.normal(size=(5, 3)), random.normal(size=(5, 3))


def loss(parameters: Any, a: Any, target: Any, checkpoints: Sequence[int] | None) -> Any:
    def run(segment: Any, a: Any) -> Any:
        for W, c in segment:
            a = jnp.tanh(a @ W + c)
        return a

    if checkpoints is None:
        a = run(parameters, a)
    else:
        start = 0
        for stop in sorted({*checkpoints, len(parameters)}):
            a = jax.checkpoint(run)(parameters[start:stop], a)
            start = stop
    return jnp.mean((a - target) ** 2)


def split_loss(checkpoints: Sequence[int] | None) -> Measured:
    arguments = (PARAMETERS, DATA, TARGET, 1.0)
    return measure(loss, *arguments, transform="vjp_split", static=(checkpoints,), autodiff=True)


@pytest.mark.parametrize("checkpoints", [[], [3], [2, 4], [1, 2, 3, 4, 5]])
def test_exactly_the_checkpoints_cross_to_the_backward_pass(checkpoints: list[int]) -> None:
    measured = split_loss(checkpoints)
    assert measured.residuals is not None
    activations = [DATA]
    for W, c in PARAMETERS:
        activations.append(np.tanh(activations[-1] @ W + c))
    kept = [activations[i] for i in checkpoints] + [2 * (activations[-1] - TARGET), activations[-1] - TARGET]
    for residual in measured.residuals:
        assert any(np.allclose(residual, value) for value in kept)
    assert len(measured.residuals) == len(checkpoints) + 1  # and what the loss needs of a_n


def test_without_checkpoints_every_activation_crosses() -> None:
    residuals = split_loss(None).residuals
    assert residuals is not None
    assert len(residuals) >= DEPTH


@pytest.mark.parametrize(("checkpoints", "recomputed"), [(None, 0), ([], DEPTH), ([2, 4], DEPTH)])
def test_the_products_of_a_pass_are_those_of_the_formula(checkpoints: list[int] | None, recomputed: int) -> None:
    measured = split_loss(checkpoints)
    assert measured.forward_work is not None
    assert measured.backward_work is not None
    assert measured.forward_work.products == DEPTH
    assert measured.backward_work.products == 2 * DEPTH + recomputed  # the gradient by the data is one of them
    assert measured.work.products == 3 * DEPTH + recomputed


def test_checkpoints_change_no_gradient() -> None:
    plain = split_loss(None).outputs
    for one, other in zip(split_loss([2, 4]).outputs, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


# ---------------------------------------- what cannot be traced


def by_value(A: Any, b: Any) -> Any:
    return A if b[0] > 0 else b


def unfinished(A: Any, b: Any) -> Any:
    raise NotImplementedError("q1: the gradient")


@pytest.mark.parametrize(
    ("f", "kind", "says"),
    [
        (lambda A, b: np.linalg.solve(A, b), "TypeError", "NumPy on traced values; this case needs jax.numpy"),
        (by_value, "TypeError", "in an if or while"),
        (unfinished, "NotImplementedError", "not done yet: unfinished is still the template's stub: q1"),
        (lambda A, b: A @ np.ones((7, 7)), "TypeError", "raised TypeError"),
        (lambda A, b: "an answer", "ShapeOfResultError", "is not an array of numbers"),
        (lambda A, b: jax.pure_callback(np.sin, b, b), "UntraceableError", "calls back into Python"),
        (None, "NameError", "not defined"),
        ("solve", "TypeError", "a function is needed"),
    ],
)
def test_what_cannot_be_traced_is_said_in_words(f: Any, kind: str, says: str) -> None:
    with pytest.raises(StudentError, match=says) as caught:
        measure(f, A, b)
    assert kind in caught.value.kinds
    assert is_stub(caught.value) is (f is unfinished)  # JAX raises NotImplementedErrors of its own


def test_a_result_that_does_not_fit_its_cotangent_is_said_with_both_shapes() -> None:
    with pytest.raises(StudentError, match=r"\(4,\); expected \(4, 2\)"):
        measure(solve, A, b, np.ones((4, 2)), transform="vjp")


def test_autodiff_is_refused_where_it_is_not_allowed() -> None:
    def f(v: Any) -> Any:
        return jax.grad(lambda u: u @ u)(v)

    cells = ["import jax\ndef f(v): return jax.grad(lambda u: u @ u)(v)"]
    with reading(cells), pytest.raises(StudentError, match=r"jax\.grad"):
        measure(f, b)
    np.testing.assert_allclose(measure(f, b, autodiff=True).outputs[0], 2 * b)


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Generator[list[str]]:
    """The functions that are traced, one after the other, where programs are kept."""
    names: list[str] = []
    export = artefact.export

    def noted(f: Any, *arguments: Any) -> Any:
        names.append(f.__name__)
        return export(f, *arguments)

    monkeypatch.setattr(artefact, "export", noted)
    with artefact.programs_kept([solve_from_elsewhere]):
        yield names


solve_from_elsewhere: Any = eval("lambda A, b: jnp.linalg.solve(A, b)", {"jnp": jnp})


@pytest.mark.parametrize("f", [solve, solve_with_rule, jnp.linalg.solve, solve_from_elsewhere])
@pytest.mark.parametrize("transform", ["vjp", "vjp_split"])
def test_a_function_of_the_graders_own_is_traced_once_for_each_shape(f: Any, transform: str, traced: list[str]) -> None:
    both = [measure(f, A, b, x_bar, transform=transform) for _ in range(2)]
    other = measure(f, 2 * A, 3 * b, x_bar, transform=transform)
    assert len(traced) == 1
    assert both[0].work == both[1].work == other.work
    for one, another in zip(both[0].outputs, both[1].outputs, strict=True):
        np.testing.assert_array_equal(one, another)
    fresh = jax.vjp(jnp.linalg.solve, 2 * A, 3 * b)[1](x_bar)
    np.testing.assert_allclose(other.outputs[-1], fresh[-1], rtol=1e-12)
    measure(f, A[:3, :3], b[:3], x_bar[:3], transform=transform)
    measure(f, A, b)
    assert len(traced) == 3


def test_what_may_be_another_function_next_time_is_traced_anew(traced: list[str]) -> None:
    def inner(A: Any, b: Any) -> Any:
        return jnp.linalg.solve(A, b)

    for _ in range(2):
        measure(inner, A, b)
    measure(solve_twice, A, b, static=[2])
    assert np.allclose(measure(solve_twice, A, b, static=[3]).outputs, 3 * x)
    assert traced == ["inner"] * 2 + ["solve_twice"] * 2


def solve_twice(A: Any, b: Any, times: float) -> Any:
    return times * jnp.linalg.solve(A, b)


def test_nothing_is_kept_elsewhere_nor_what_is_large(traced: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "_KEPT_BYTES", 100)
    for _ in range(2):
        measure(solve, A, b)
    assert len(traced) == 2
    monkeypatch.setattr(artefact, "_KEPT_BYTES", 1_000_000)
    with artefact.programs_kept():
        measure(solve, A, b)
    assert not artefact._kept
    monkeypatch.setattr(artefact, "_own", None)  # as in a notebook
    for _ in range(2):
        measure(solve, A, b)
    assert len(traced) == 5


def test_wrong_arguments_are_the_callers_error() -> None:
    with pytest.raises(ValueError, match="unknown transform 'grad'"):
        measure(solve, A, b, transform="grad")
    with pytest.raises(ValueError, match="takes the primals and 2 cotangent"):
        measure(solve, A, b, transform="vjp_vjp")
    with pytest.raises(TypeError, match="cannot be an argument"):
        measure(solve, A, "b")


def test_a_proxy_is_asked_to_measure_itself() -> None:
    class Proxy:
        __autograder_proxy__ = True

        def measure(self, args: Any, **options: Any) -> Any:
            return args, options

    answer: Any = measure(Proxy(), A, transform="jit", static=[2], autodiff=True)
    args, options = answer
    assert args == (A,)
    assert options == {"transform": "jit", "static": (2,), "leading": 0, "autodiff": True, "run": True}


def test_importing_the_module_starts_no_backend_of_jax() -> None:
    code = (
        "import adkit.tracing.export, autograder.isolation.audit, jax._src.xla_bridge as bridge; "
        "assert not bridge._backends"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
