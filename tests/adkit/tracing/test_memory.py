"""The peak of live arrays: known programs, and ways to hide an array that hide nothing."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adkit.network import mlp, mlp_layer, mlp_loss
from adkit.tracing.counts import WorkError, count
from jax import export, lax
from jax.ad_checkpoint import checkpoint_name

SIZE = 100
X = np.zeros((SIZE,))
LAYERS, WIDTH, BATCH = 64, 4, 512
CHECKPOINTS = list(range(8, LAYERS, 8))


def peak(f: Callable[..., Any], *args: Any, own: tuple[int, ...] = ()) -> float:
    """In arrays as large as the first argument."""
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(np.shape(leaf), np.asarray(leaf).dtype), args)
    return count(export.export(jax.jit(f), platforms=["cpu"])(*shapes), own).peak / np.size(jax.tree.leaves(args)[0])


def chain(x: Any) -> Any:
    for _ in range(5):
        x = jnp.sin(x)
    return x


def all_kept(x: Any) -> Any:
    kept = [jnp.sin(x * i) for i in range(1, 5)]
    return sum((jnp.cos(one) for one in kept), start=x)


def test_a_chain_needs_an_operand_and_a_result():
    assert peak(chain, X) == 2


def test_what_is_used_later_is_alive_until_then():
    def later(x: Any) -> Any:
        first = jnp.sin(x)
        return chain(first) * first

    assert peak(later, X) == 3


def test_what_nothing_needs_takes_no_memory():
    def dead(x: Any) -> Any:
        _unused = [jnp.sin(x * i) for i in range(9)]
        return chain(x)

    assert peak(dead, X) == 2


def test_arguments_are_counted_only_where_they_are_the_program_s_own():
    def two(x: Any, y: Any) -> Any:
        return chain(jnp.sin(x) + y)

    assert peak(two, X, X) == 2
    assert peak(two, X, X, own=(0,)) == 2  # x is given up after the first operation
    assert peak(two, X, X, own=(0, 1)) == 3


@pytest.mark.parametrize("wrap", [jax.jit, jax.checkpoint, jax.vmap, lambda f: jax.jit(jax.jit(f))])
def test_a_call_costs_what_its_body_costs(wrap: Callable[..., Any]):
    def calls(x: Any) -> Any:
        return wrap(chain)(wrap(chain)(x))

    assert peak(calls, X) == 2


def test_an_argument_that_is_handed_over_is_given_up_within_the_call():
    def handed_over(x: Any) -> Any:
        return jax.jit(lambda a: chain(chain(a)))(jnp.sin(x))

    def kept(x: Any) -> Any:
        a = jnp.sin(x)
        return jax.jit(lambda a: chain(chain(a)))(a) + a

    assert peak(handed_over, X) == 2
    assert peak(kept, X) == 3


def test_an_argument_that_a_call_gives_back_is_one_array():
    def passed_on(x: Any) -> Any:
        a = jnp.sin(x)
        b, c = jax.jit(lambda a: (a, jnp.cos(a)))(a)
        return a + b + c

    assert peak(passed_on, X) == 3


def test_of_branches_the_one_with_the_highest_peak_counts():
    def branches(x: Any) -> Any:
        return lax.cond(x[0] > 0, chain, all_kept, x)

    assert peak(branches, X) >= peak(all_kept, X) > 2


def test_a_loop_carries_its_state_at_both_ends_of_a_turn():
    def loop(x: Any) -> Any:
        return lax.fori_loop(0, 7, lambda _i, a: jnp.sin(a), jnp.cos(x))

    assert 2 <= peak(loop, X) < 2.1


def test_what_a_loop_stacks_is_there_from_the_start_and_once():
    def stacked(x: Any) -> Any:
        _, every = lax.scan(lambda a, _: (jnp.sin(a), a), jnp.cos(x), None, length=10)
        return every

    assert 12 <= peak(stacked, X) < 13.5


def test_what_a_loop_passes_on_unchanged_is_there_once():
    def fixed(x: Any) -> Any:
        a = jnp.cos(x)
        return lax.fori_loop(0, 7, lambda _i, state: (jnp.sin(state[0]) + state[1], state[1]), (a, a))[0]

    assert 3 <= peak(fixed, X) <= 4.1


@pytest.mark.parametrize(
    "hide",
    [
        lambda arrays: [jnp.stack(arrays)],
        lambda arrays: [jnp.concatenate(arrays)],
        lambda arrays: [jnp.ravel(jnp.stack(arrays))],
        lambda arrays: [part for one in arrays for part in (one[: SIZE // 2], one[SIZE // 2 :])],
        lambda arrays: list(lax.optimization_barrier(tuple(arrays))),
        lambda arrays: [lax.complex(arrays[0], arrays[1]), lax.complex(arrays[2], arrays[3])],
        lambda arrays: [one.astype(jnp.float32) for one in arrays],
        lambda arrays: [one.astype(jnp.float16) for one in arrays],
        lambda arrays: [one > 0 for one in arrays],
        lambda arrays: [lax.bitcast_convert_type(one, jnp.int32) for one in arrays],
        lambda arrays: [lax.cond(one[0] > 0, jnp.sin, jnp.cos, one) for one in arrays],
    ],
)
def test_an_array_cannot_be_hidden(hide: Callable[..., Any]):
    """Four arrays wait, as something else, while a chain is computed."""

    def hidden(x: Any) -> Any:
        waiting = hide([jnp.sin(x * i) for i in range(1, 5)])
        token = chain(x)
        waiting = lax.optimization_barrier((token, *waiting))
        return token, [jnp.sum(one.real if one.dtype.kind == "c" else one) for one in waiting[1:]]

    assert peak(hidden, X) >= 5


def test_bytes_stand_beside_the_numbers():
    def narrow(x: Any) -> Any:
        return jnp.sin(x.astype(jnp.float32)).astype(jnp.float16)

    exported = export.export(jax.jit(narrow), platforms=["cpu"])(jax.ShapeDtypeStruct((SIZE,), np.float64))
    work = count(exported)
    assert work.peak == 2 * SIZE
    assert work.peak_bytes == 8 * SIZE


def segment(layers: Any, a: Any) -> Any:
    for layer in layers:
        a = mlp_layer(layer, a)
    return a


def plain(params: Any, x: Any, y: Any) -> Any:
    return mlp_loss(params, x, y)


def segments(params: Any, x: Any, y: Any) -> Any:
    a, start = x, 0
    for end in (*CHECKPOINTS, LAYERS):
        a, start = jax.checkpoint(segment)(params[start:end], a), end
    return jnp.mean((a - y) ** 2)


def whole(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jax.checkpoint(segment)(params, x) - y) ** 2)


def policy(params: Any, x: Any, y: Any) -> Any:
    def named(params: Any, a: Any) -> Any:
        for i, layer in enumerate(params, 1):
            a = mlp_layer(layer, a)
            if i in CHECKPOINTS:
                a = checkpoint_name(a, f"a_{i}")
        return a

    names = [f"a_{i}" for i in CHECKPOINTS]
    wrapped = jax.checkpoint(named, policy=jax.checkpoint_policies.save_only_these_names(*names))
    return jnp.mean((wrapped(params, x) - y) ** 2)


def bisected(layers: Any, a: Any) -> Any:
    if len(layers) == 1:
        return mlp_layer(layers[0], a)
    middle = len(layers) // 2
    return jax.checkpoint(bisected)(layers[middle:], jax.checkpoint(bisected)(layers[:middle], a))


def bisection(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jax.checkpoint(bisected)(params, x) - y) ** 2)


@pytest.mark.parametrize(
    ("loss", "expected"), [(plain, 131), (segments, 25), (policy, 137), (whole, 130), (bisection, 10)]
)
def test_the_peak_of_a_real_network(loss: Callable[..., Any], expected: int):
    """Versions of JAX differ by one, as they write a layer's derivative."""
    params = mlp([WIDTH] * (LAYERS + 1), key=0)
    data = np.zeros((BATCH, WIDTH))
    gradient = jax.value_and_grad(lambda x, params, y: loss(params, x, y), argnums=1)
    assert abs(int(peak(gradient, data, params, data)) - expected) <= 1


def test_functions_that_call_each_other_often_are_looked_at_once_for_each_way_of_calling():
    kind = f"tensor<{SIZE}xf64>"
    called = f"({kind}) -> {kind}"
    functions = [
        f"func.func private @f0(%a: {kind}) -> {kind} {{ %b = stablehlo.sine %a : {kind} return %b : {kind} }}"
    ]
    for i in range(1, 31):  # 2^30 operations, written out
        functions.append(
            f"func.func {'public @main' if i == 30 else f'private @f{i}'}(%a: {kind}) -> {kind} {{ "
            f"%b = func.call @f{i - 1}(%a) : {called} %c = func.call @f{i - 1}(%b) : {called} return %c : {kind} }}"
        )
    assert count("\n".join(functions)).peak == 2 * SIZE


@pytest.mark.parametrize(
    "text",
    [
        "func.func @main(%a: tensor<4xf64>) -> tensor<4xf64> { %b = func.call @main(%a) : (tensor<4xf64>) -> "
        "tensor<4xf64> return %b : tensor<4xf64> }",
        "func.func @main(%a: tensor<?xf64>) -> tensor<?xf64> { %b = stablehlo.sine %a : tensor<?xf64> "
        "return %b : tensor<?xf64> }",
        "func.func @main(%a: tensor<4xf64>) -> tensor<4xf64> { %b = stablehlo.tuple %a, %a : "
        "tuple<tensor<4xf64>, tensor<4xf64>> %c = stablehlo.get_tuple_element %b[0] : (tuple<tensor<4xf64>, "
        "tensor<4xf64>>) -> tensor<4xf64> return %c : tensor<4xf64> }",
    ],
)
def test_what_cannot_be_counted_is_refused(text: str):
    with pytest.raises(WorkError):
        count(text)
