"""What a network keeps for its backward pass: every number explained, right solutions of all kinds, and wrong ones."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adkit import checks, mlp, mlp_layer, mlp_loss
from adkit.checks import network
from adkit.checks.residuals import activations, crossing
from jax.ad_checkpoint import checkpoint_name

from reference.checkpointing import checkpointed_loss

CASE = network.network([5, 4, 6, 5, 4, 7, 5], 256, [2, 4], np.random.default_rng(0))
CHAIN = activations(CASE.params, CASE.x)


def test_the_parameters_have_the_widths_and_repeat_with_the_key() -> None:
    params = mlp([3, 5, 2], key=1)
    assert [(W.shape, b.shape) for W, b in params] == [((3, 5), (5,)), ((5, 2), (2,))]
    assert np.array_equal(mlp([3, 5, 2], key=1)[0][0], params[0][0])
    assert not np.array_equal(mlp([3, 5, 2], key=2)[0][0], params[0][0])
    assert params[0][0].dtype == jnp.float64


@pytest.mark.parametrize("widths", [[], [3], [3, 0]])
def test_a_network_without_layers_is_refused(widths: list[int]) -> None:
    with pytest.raises(ValueError, match="widths"):
        mlp(widths, key=0)


def test_numpy_and_jax_agree_on_the_network_and_its_gradient() -> None:
    loss, gradient = network.loss_and_gradient(CASE)
    value, tree = jax.value_and_grad(mlp_loss)(CASE.params, CASE.x, CASE.y)
    np.testing.assert_allclose(loss, value, rtol=1e-13)
    for ours, theirs in zip(gradient, jax.tree.leaves(tree), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(reduce(lambda a, p: mlp_layer(p, a), CASE.params, CASE.x), CHAIN[-1])


def explained(*residuals: Any) -> tuple[tuple[int, ...], int]:
    found = crossing(CASE.params, CASE.x, CASE.y, residuals)
    return found.activations, len(found.unexplained)


def test_activations_are_recognised_alone_transposed_and_stacked() -> None:
    assert explained(CHAIN[2], CHAIN[4]) == ((2, 4), 0)
    assert explained(CHAIN[2].T) == ((2,), 0)
    assert explained(np.concatenate([CHAIN[1].ravel(), CHAIN[3].ravel()])) == ((1, 3), 0)
    assert explained(np.concatenate([CHAIN[2], np.zeros_like(CHAIN[2])], axis=1)) == ((2,), 0)


def test_what_is_at_hand_anyway_is_not_counted() -> None:
    W, b = CASE.params[0]
    output, y = CHAIN[6], CASE.y
    assert explained(CASE.x, y, W.T, b, np.ones_like(output), 3.0, np.arange(50)) == ((), 0)
    assert explained(output, output - y, 2 / output.size * (output - y), (output - y).ravel()) == ((), 0)
    assert explained(1 - output**2, (output - y) ** 2, (output - y) * (1 - output**2)) == ((), 0)


@pytest.mark.parametrize(
    "disguise",
    [
        lambda a: 1 - a**2,
        np.arctanh,
        lambda a: 2 * a,
        lambda a: a + 1,
        lambda a: a.astype(np.float32),
        lambda a: a @ CASE.params[2][0],
        lambda a: 1.5 * a.astype(complex),
        lambda a: 2.0**-60 * a,
        lambda a: np.tile((CHAIN[6] - CASE.y)[:, :1], (1, a.shape[1])) + 1e-6 * a,
        lambda a: (CHAIN[6] - CASE.y) + 1e-6 * a[:, :5],
    ],
    ids=[
        "1 - tanh^2",
        "pre-activation",
        "scaled",
        "shifted",
        "rounded",
        "product",
        "complex",
        "scaled to nothing",
        "behind the loss's difference",
        "within the loss's difference",
    ],
)
def test_a_disguised_activation_is_unexplained(disguise: Callable[[Any], Any]) -> None:
    assert explained(CHAIN[4], disguise(CHAIN[2])) == ((4,), 1)


def bits(a: Any) -> Any:
    return np.unpackbits(np.ascontiguousarray(a).view(np.uint8))


@pytest.mark.parametrize(
    "hidden",
    [
        lambda a: [bits(a).astype(np.float64)],
        lambda a: [bits(a).astype(bool)],
        lambda a: [np.where(bits(a) > 0, CASE.x[0, 0], CASE.x[1, 1])],
        lambda a: [np.where(bits(a) > 0, 0.0, -1.0).reshape(2, -1), np.zeros(10**4)],
        lambda a: [np.where(bits(a) > 0, 0.0, -0.0)],
        lambda a: [np.where(bits(a) > 0, 1.0, 1.0 + 2e-16)],
        # bits in the last places of numbers that are kept anyway
        lambda a: [CHAIN[4].ravel() + 1e-11 * half for half in np.split(bits(a)[: 64 * CHAIN[4].size], 64)],
    ],
    ids=[
        "as numbers",
        "as truth values",
        "as two inputs",
        "as two constants",
        "as signs of zero",
        "as rounding of one",
        "behind the comma",
    ],
)
def test_an_activation_cannot_hide_in_what_costs_nothing(hidden: Callable[[Any], Any]) -> None:
    kept, strange = explained(CHAIN[4], *hidden(CHAIN[1]))
    assert kept == (4,)
    assert strange > 0


def test_what_costs_nothing_may_cross_twice_and_padding_at_any_size() -> None:
    padded = np.concatenate([CHAIN[2], np.zeros((256, 90))], axis=1)
    assert explained(padded, CHAIN[2].T, CASE.x, CASE.x, CASE.y, CASE.y, np.zeros(10**5), np.ones(10**5)) == ((2,), 0)


Loss = Callable[[Any, Any, Any, Any], Any]


def segments(n: int, checkpoints: Any) -> list[tuple[int, int]]:
    ends = sorted({*(int(c) for c in checkpoints), n})
    return list(zip([0, *ends[:-1]], ends, strict=True))


def layers(params: Any, a: Any) -> Any:
    for W, b in params:
        a = jnp.tanh(a @ W + b)
    return a


def remat_of_closures(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    a = x
    for start, end in segments(len(params), checkpoints):
        a = jax.remat(lambda a, start=start, end=end: layers(params[start:end], a))(a)
    return jnp.mean(jnp.square(y - a))


def loss_within_the_last_segment(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    *before, last = segments(len(params), checkpoints)
    a = x
    for start, end in before:
        a = jax.checkpoint(layers)(params[start:end], a)
    return jax.checkpoint(lambda p, a: jnp.mean((layers(p, a) - y) ** 2))(params[slice(*last)], a)


def names_and_a_policy(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    def loss(params: Any, x: Any, y: Any) -> Any:
        a = x
        for i, layer in enumerate(params, start=1):
            a = checkpoint_name(mlp_layer(layer, a), f"a{i}")
        return jnp.mean((a - y) ** 2)

    policy = jax.checkpoint_policies.save_only_these_names(*(f"a{int(i)}" for i in checkpoints))
    return jax.checkpoint(loss, policy=policy)(params, x, y)


def one_example_at_a_time(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    def single(x: Any, y: Any) -> Any:
        a = x
        for start, end in segments(len(params), checkpoints):
            a = jax.checkpoint(layers)(params[start:end], a)
        return (a - y) ** 2

    return jnp.mean(jax.vmap(single)(x, y))


def a_dot_product_for_the_loss(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    a = x
    for start, end in segments(len(params), checkpoints):
        a = jax.checkpoint(layers)(params[start:end], a)
    difference = (a - y).ravel()
    return jnp.vdot(difference, difference) / difference.size


def with_the_loss(mean_of_squares: Callable[[Any, Any], Any]) -> Loss:
    def loss(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        a = x
        for start, end in segments(len(params), checkpoints):
            a = jax.checkpoint(layers)(params[start:end], a)
        return mean_of_squares(a, y)

    return loss


def by_hand(reuse: bool, dot: bool = False, by_x: bool = True) -> Loss:
    """A rule written by hand.

    reuse: it takes checkpoints and a_n as they are instead of evaluating them again. dot: the loss is a dot product.
    by_x: whether it computes the gradient by x, too.
    """

    def loss(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        parts = segments(len(params), checkpoints)

        @jax.custom_vjp
        def f(params: Any, x: Any, y: Any) -> Any:
            return mlp_loss(params, x, y)

        def forward(params: Any, x: Any, y: Any) -> Any:
            kept = [x]
            for start, end in parts:
                kept.append(layers(params[start:end], kept[-1]))
            difference = (kept[-1] - y).ravel()
            value = jnp.vdot(difference, difference) / y.size if dot else jnp.mean(difference**2)
            return value, (params, y, kept)

        def backward(residuals: Any, g: Any) -> Any:
            params, y, kept = residuals
            a_bar = 2 * g * (kept[-1] - y) / y.size
            y_bar = -a_bar
            bars: list[Any] = [None] * len(params)
            for k, (start, end) in reversed(list(enumerate(parts))):
                a = [kept[k]]
                for i in range(start, end):
                    a.append(kept[k + 1] if reuse and i == end - 1 else mlp_layer(params[i], a[-1]))
                for i in range(end - 1, start - 1, -1):
                    z_bar = a_bar * (1 - a[i - start + 1] ** 2)
                    bars[i] = (a[i - start].T @ z_bar, z_bar.sum(axis=0))
                    a_bar = z_bar @ params[i][0].T if i or by_x else jnp.zeros_like(kept[0])
            return bars, a_bar, y_bar

        f.defvjp(forward, backward)
        return f(list(params), x, y)

    return loss


RIGHT: dict[str, Loss] = {
    "segments": checkpointed_loss,
    "remat of closures": remat_of_closures,
    "loss within the last segment": loss_within_the_last_segment,
    "names and a policy": names_and_a_policy,
    "one example at a time": one_example_at_a_time,
    "a dot product for the loss": a_dot_product_for_the_loss,
    "by hand": by_hand(reuse=False),
    "by hand, reusing checkpoints": by_hand(reuse=True),
    "by hand, reusing checkpoints, a dot product": by_hand(reuse=True, dot=True),
    "by hand, reusing checkpoints, without the gradient by x": by_hand(reuse=True, by_x=False),
    "three dot products": with_the_loss(lambda a, y: (jnp.vdot(a, a) - 2 * jnp.vdot(a, y) + jnp.vdot(y, y)) / y.size),
    "a dot product a column": with_the_loss(
        lambda a, y: sum((a[:, j] - y[:, j]) @ (a[:, j] - y[:, j]) for j in range(y.shape[1])) / y.size
    ),
    "absolute values": with_the_loss(lambda a, y: jnp.mean(jnp.abs(a - y) ** 2)),
    "norms of the rows": with_the_loss(lambda a, y: jnp.mean(jnp.linalg.norm(a - y, axis=1) ** 2) / y.shape[1]),
    "two halves": with_the_loss(lambda a, y: jnp.mean(jnp.maximum(a - y, 0) ** 2 + jnp.minimum(a - y, 0) ** 2)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_solution_passes_however_it_is_written(name: str) -> None:
    result = network.measured(RIGHT[name], CASE)
    network.right_loss(result, CASE)
    network.right_gradient(result, CASE)
    network.keeps_the_checkpoints(result, CASE)
    network.recomputes_once(result, CASE)


def dots_are_saved(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    policy = jax.checkpoint_policies.dots_saveable
    return jax.checkpoint(mlp_loss, policy=policy)(params, x, y)


def scaled_checkpoints(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    a = 2 * x
    for start, end in segments(len(params), checkpoints):
        a = 2 * jax.checkpoint(lambda p, a: layers(p, a / 2))(params[start:end], a)
    return jnp.mean((a / 2 - y) ** 2)


def one_checkpoint_only(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    return checkpointed_loss(params, x, y, checkpoints[:1])


def halves_within_segments(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    def halved(params: Any, a: Any) -> Any:
        if len(params) == 1:
            return layers(params, a)
        middle = len(params) // 2
        return jax.checkpoint(halved)(params[middle:], jax.checkpoint(halved)(params[:middle], a))

    a = x
    for start, end in segments(len(params), checkpoints):
        a = jax.checkpoint(halved)(params[start:end], a)
    return jnp.mean((a - y) ** 2)


def checkpoints_scaled_to_nothing(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    a, scale = x, 2.0**-60
    for start, end in segments(len(params), checkpoints):
        a = jax.checkpoint(lambda p, a: scale * layers(p, a / scale))(params[start:end], scale * a) / scale
    return jnp.mean((a - y) ** 2)


def gradient_in_the_forward_pass(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
    """The gradient is smaller than an activation; the checkpoints are kept for show."""

    @jax.custom_vjp
    def f(params: Any, x: Any, y: Any) -> Any:
        return mlp_loss(params, x, y)

    def forward(params: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(mlp_loss)(params, x, y)
        kept = [layers(params[:i], x) for i in checkpoints]
        return value, (gradient, kept, x, y)

    def backward(residuals: Any, g: Any) -> Any:
        gradient, _, x, y = residuals
        return jax.tree.map(lambda entry: g * entry, gradient), jnp.zeros_like(x), jnp.zeros_like(y)

    f.defvjp(forward, backward)
    return f(list(params), x, y)


WRONG: dict[str, Loss] = {
    "checkpoints scaled to nothing": checkpoints_scaled_to_nothing,
    "the gradient in the forward pass": gradient_in_the_forward_pass,
    "matrix products saved": dots_are_saved,
    "checkpoints scaled": scaled_checkpoints,
    "one checkpoint only": one_checkpoint_only,
    "recomputed twice": halves_within_segments,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_solution_fails_although_its_gradient_is_right(name: str) -> None:
    """Besides these: the known mistakes, each of which has to lose points."""
    result = network.measured(WRONG[name], CASE)
    network.right_gradient(result, CASE)

    def judge() -> None:
        network.keeps_the_checkpoints(result, CASE)
        network.recomputes_once(result, CASE)

    with pytest.raises(checks.CheckError):
        judge()


def test_checkpoints_that_are_changed_are_told_so() -> None:
    def appends(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        checkpoints.append(len(params))
        return checkpointed_loss(params, x, y, checkpoints)

    def pops(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        return checkpointed_loss([params.pop(0) for _ in range(len(params))], x, y, checkpoints)

    for loss in (appends, pops):
        with pytest.raises(checks.CheckError, match="changed its arguments"):
            network.measured(loss, CASE)
    assert CASE.checkpoints == [2, 4]
    assert CASE.n == 6
