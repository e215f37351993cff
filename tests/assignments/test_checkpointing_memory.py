"""Memory in `checkpointing`: right solutions in many styles keep their points, ways of cheating the count lose them."""

# Written as students write, without annotations:
# pyright: basic

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adkit import checks
from adkit.network import mlp_layer as layer
from adkit.network import mlp_loss
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from otter.test_files import ExceptionTestFile

from autograder.assignment import Assignment

ASSIGNMENT = Assignment.load("checkpointing")
PEAKS = ["test_q7_one_segment_at_a_time", "test_q7_one_segment_at_a_time_in_a_deep_network"]


def lost(question: str, functions: dict[str, Any], *, only: list[str] | None = None) -> list[str]:
    """The cases that fail."""
    file = ExceptionTestFile.from_file(str(ASSIGNMENT.tests_dir / f"{question}.py"))
    names = {case.body.test_func.__name__: case.body for case in file.test_cases}
    return [
        name
        for name, body in names.items()
        if (only is None or name in only)
        and checks.first_failure(lambda body=body: body.call_func(functions)) is not None
    ]


def segment(layers, a):
    for each in layers:
        a = layer(each, a)
    return a


def ends(params, checkpoints):
    return sorted({*(int(c) for c in checkpoints), len(params)})


# ---------------------------------------- q7: right


def of_a_jitted_segment(params, x, y, checkpoints):
    a, start = x, 0
    for end in ends(params, checkpoints):
        a, start = jax.checkpoint(jax.jit(segment))(params[start:end], a), end
    return jnp.mean((a - y) ** 2)


def of_a_closure(params, x, y, checkpoints):
    a, start = x, 0
    for end in ends(params, checkpoints):

        def part(a, start=start, end=end):
            for i in range(start, end):
                a = jnp.tanh(a @ params[i][0] + params[i][1])
            return a

        a, start = jax.checkpoint(part)(a), end
    return jnp.mean(jnp.square(a - y))


def by_a_rule_of_its_own(params, x, y, checkpoints):
    @jax.custom_vjp
    def part(layers, a):
        return segment(layers, a)

    part.defvjp(lambda layers, a: (part(layers, a), (layers, a)), lambda kept, g: jax.vjp(segment, *kept)[1](g))
    a, start = x, 0
    for end in ends(params, checkpoints):
        a, start = part(params[start:end], a), end
    return jnp.mean((a - y) ** 2)


def by_hand(params, x, y, checkpoints):
    @jax.custom_vjp
    def part(layers, a):
        return segment(layers, a)

    def backward(kept, g):
        layers, a = kept
        inside = [a]
        for each in layers:
            inside.append(layer(each, inside[-1]))
        gradients = []
        for (W, _), below, above in zip(reversed(layers), reversed(inside[:-1]), reversed(inside[1:]), strict=True):
            d = g * (1 - above**2)
            gradients.append((below.T @ d, d.sum(0)))
            g = d @ W.T
        return gradients[::-1], g

    part.defvjp(lambda layers, a: (part(layers, a), (layers, a)), backward)
    a, start = x, 0
    for end in ends(params, checkpoints):
        a, start = part(params[start:end], a), end
    return jnp.mean((a - y) ** 2)


def with_the_loss_in_the_last_segment(params, x, y, checkpoints):
    *inner, _ = ends(params, checkpoints)
    a, start = x, 0
    for end in inner:
        a, start = jax.checkpoint(segment)(params[start:end], a), end
    return jax.checkpoint(lambda layers, a, y: jnp.mean((segment(layers, a) - y) ** 2))(params[start:], a, y)


def by_reduce(params, x, y, checkpoints):
    stops = ends(params, checkpoints)
    parts = [params[start:end] for start, end in zip([0, *stops], stops, strict=False)]
    out = reduce(lambda a, part: jax.checkpoint(lambda a: reduce(lambda a, p: layer(p, a), part, a))(a), parts, x)
    return ((out - y) ** 2).mean()


def by_a_scan_over_equal_segments(params, x, y, checkpoints):
    stops = ends(params, checkpoints)
    lengths = {end - start for start, end in zip([0, *stops], stops, strict=False)}
    if len(lengths) > 1 or len({W.shape for W, _ in params}) > 1 or len(params) == 1:
        return of_a_jitted_segment(params, x, y, checkpoints)
    (length,) = lengths
    stacked = [jnp.stack(part).reshape(len(stops), length, *part[0].shape) for part in zip(*params, strict=True)]

    def part(a, weights):
        return segment([(weights[0][i], weights[1][i]) for i in range(length)], a), None

    a, _ = lax.scan(jax.checkpoint(part), x, tuple(stacked))
    return jnp.mean((a - y) ** 2)


RIGHT = [
    of_a_jitted_segment,
    of_a_closure,
    by_a_rule_of_its_own,
    by_hand,
    with_the_loss_in_the_last_segment,
    by_reduce,
    by_a_scan_over_equal_segments,
]


@pytest.mark.parametrize("loss", RIGHT, ids=lambda loss: loss.__name__)
def test_one_segment_at_a_time_keeps_the_points_of_the_peak(loss: Callable[..., Any]) -> None:
    cases = ["test_q7_keeps_the_checkpoints", "test_q7_one_segment_at_a_time"]
    assert lost("q7", {"checkpointed_loss": loss}, only=cases) == []


@pytest.mark.slow
@pytest.mark.parametrize("loss", RIGHT, ids=lambda loss: loss.__name__)
def test_one_segment_at_a_time_keeps_all_points(loss: Callable[..., Any]) -> None:
    assert lost("q7", {"checkpointed_loss": loss}) == []


# ---------------------------------------- q7: cheating the count


def all_at_once(hide: Callable[[list[Any]], list[Any]]) -> Callable[..., Any]:
    """Keeps the checkpoints, evaluates everything else again at once, and hides it while the backward pass goes on."""

    def loss(params, x, y, checkpoints):
        @jax.custom_vjp
        def network(params, x):
            return segment(params, x)

        def forward(params, x):
            kept, a = {}, x
            for i, each in enumerate(params, 1):
                a = layer(each, a)
                if i in checkpoints and i < len(params):
                    kept[i] = a
            return a, (params, x, kept)

        def backward(residuals, g):
            params, x, kept = residuals
            inside = [x]
            for i, each in enumerate(params, 1):
                inside.append(kept[i] if i in kept else layer(each, inside[-1]))
            if len({a.shape for a in inside}) == 1:
                inside = hide(inside)
            return pulled_back(params, inside, g)

        network.defvjp(forward, backward)
        return jnp.mean((network(params, x) - y) ** 2)

    return loss


def pulled_back(params, values, g):
    """The cotangents of tanh layers and of their input, from the values before and after each layer."""
    gradients = []
    for (W, _), below, above in zip(reversed(params), reversed(values[:-1]), reversed(values[1:]), strict=True):
        d = g * (1 - above**2)
        gradients.append((below.T @ d, d.sum(0)))
        g = d @ W.T
    return gradients[::-1], g


def raveled(arrays):
    flat = jnp.concatenate([a.ravel() for a in arrays])
    size = arrays[0].size
    return [flat[i * size : (i + 1) * size].reshape(arrays[0].shape) for i in range(len(arrays))]


def in_complex_numbers(arrays):
    pairs = [lax.complex(a, b) for a, b in zip(arrays[::2], [*arrays[1::2], arrays[-1]], strict=False)]
    return [part for pair in pairs for part in (pair.real, pair.imag)][: len(arrays)]


def in_smaller_numbers(arrays):
    """Three 32-bit floats hold what a 64-bit one does."""
    thirds = []
    for a in arrays:
        high = a.astype(jnp.float32)
        middle = (a - high).astype(jnp.float32)
        thirds.append((high, middle, (a - high - middle).astype(jnp.float32)))
    return [sum(part.astype(jnp.float64) for part in three) for three in thirds]


def in_a_loop(arrays):
    """Carried through a loop that does nothing."""
    return lax.fori_loop(0, 2, lambda _i, carried: carried, tuple(arrays))


def by_a_policy(params, x, y, checkpoints):
    def network(params, a):
        for i, each in enumerate(params, 1):
            a = layer(each, a)
            a = checkpoint_name(a, "kept") if i in checkpoints else a
        return a

    policy = jax.checkpoint_policies.save_only_these_names("kept")
    return jnp.mean((jax.checkpoint(network, policy=policy)(params, x) - y) ** 2)


def by_a_scan_over_layers(params, x, y, checkpoints):
    if len({W.shape for W, _ in params}) > 1:
        return of_a_jitted_segment(params, x, y, checkpoints)
    a, start = x, 0
    for end in ends(params, checkpoints):
        W, c = (jnp.stack(part) for part in zip(*params[start:end], strict=True))
        scanned = jax.checkpoint(lambda a, W, c: lax.scan(lambda a, p: (layer(p, a), None), a, (W, c))[0])
        a, start = scanned(a, W, c), end
    return jnp.mean((a - y) ** 2)


CHEATS = {
    "policy": by_a_policy,
    "scan_over_layers": by_a_scan_over_layers,
    "all_at_once": all_at_once(list),
    "barrier": all_at_once(lambda arrays: list(lax.optimization_barrier(tuple(arrays)))),
    "stacked": all_at_once(lambda arrays: list(jnp.stack(arrays))),
    "raveled": all_at_once(raveled),
    "complex": all_at_once(in_complex_numbers),
    "smaller_numbers": all_at_once(in_smaller_numbers),
    "halves": all_at_once(
        lambda arrays: [jnp.concatenate(half) for half in [(a[: len(a) // 2], a[len(a) // 2 :]) for a in arrays]]
    ),
    "integers": all_at_once(
        lambda arrays: [lax.bitcast_convert_type(lax.bitcast_convert_type(a, jnp.int64), jnp.float64) for a in arrays]
    ),
    "cond": all_at_once(lambda arrays: [lax.cond(a[0, 0] > 2, lambda a: a, lambda a: a, a) for a in arrays]),
    "broadcast": all_at_once(lambda arrays: [jnp.broadcast_to(a, (3, *a.shape))[1] for a in arrays]),
    "loop": all_at_once(in_a_loop),
    "donated": all_at_once(lambda arrays: jax.jit(lambda *a: a, donate_argnums=tuple(range(len(arrays))))(*arrays)),
    "captured": all_at_once(lambda arrays: jax.jit(lambda: tuple(arrays))()),
}


@pytest.mark.parametrize("name", CHEATS)
def test_what_is_evaluated_again_at_once_loses_the_points_of_the_peak_and_no_others(name: str) -> None:
    assert (
        lost("q7", {"checkpointed_loss": CHEATS[name]}, only=[*PEAKS[:1], "test_q7_keeps_the_checkpoints"]) == PEAKS[:1]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CHEATS)
def test_what_is_evaluated_again_at_once_loses_both_peaks(name: str) -> None:
    failed = lost("q7", {"checkpointed_loss": CHEATS[name]})
    assert [case for case in failed if case != "test_q7_loss_and_gradient_of_another_network"] == PEAKS


def test_keeping_everything_and_keeping_nothing_lose_what_they_break() -> None:
    def whole(params, x, y, _checkpoints):
        return jnp.mean((jax.checkpoint(segment)(params, x) - y) ** 2)

    def nested_that_keeps_all(params, x, y, checkpoints):
        keep_all = jax.checkpoint_policies.everything_saveable
        a, start = x, 0
        for end in ends(params, checkpoints):
            a, start = jax.checkpoint(jax.checkpoint(segment), policy=keep_all)(params[start:end], a), end
        return jnp.mean((a - y) ** 2)

    def by_a_rule_that_stores_everything(params, x, y, _checkpoints):
        @jax.custom_vjp
        def network(params, x):
            return segment(params, x)

        def forward(params, x):
            kept = [x]
            for each in params:
                kept.append(layer(each, kept[-1]))
            return kept[-1], (params, kept)

        def backward(residuals, g):
            params, kept = residuals
            return pulled_back(params, kept, g)

        network.defvjp(forward, backward)
        return jnp.mean((network(params, x) - y) ** 2)

    def without_checkpoints(params, x, y, _checkpoints):
        return mlp_loss(params, x, y)

    for loss in (whole, without_checkpoints, nested_that_keeps_all):
        failed = lost("q7", {"checkpointed_loss": loss}, only=[*PEAKS[:1], "test_q7_keeps_the_checkpoints"])
        assert failed == ["test_q7_keeps_the_checkpoints", PEAKS[0]]
        assert lost("q7", {"checkpointed_loss": loss}, only=["test_q7_loss_and_gradient"]) == []
    stored = {"checkpointed_loss": by_a_rule_that_stores_everything}
    assert lost("q7", stored, only=["test_q7_keeps_the_checkpoints"]) == ["test_q7_keeps_the_checkpoints"]


# ---------------------------------------- q6: a schedule drives a network


def run_by_vjp(schedule, params, x, y):
    kept, working, gradients, b = {0: x}, (0, x), [None] * len(params), None
    for action, i in schedule:
        if action == "forward":
            working = (i, layer(params[i - 1], kept[i - 1] if i - 1 in kept else working[1]))
        elif action == "save":
            kept[i] = working[1]
        elif action == "free":
            del kept[i]
        else:
            a = kept[i] if i in kept else working[1]
            if i == len(params):
                loss, b = jax.value_and_grad(lambda a: jnp.mean((a - y) ** 2))(a)
            else:
                gradients[i], b = jax.vjp(layer, params[i], a)[1](b)
    (gradients[0],) = jax.vjp(lambda p: layer(p, x), params[0])[1](b)
    return loss, gradients


def run_by_jitted_layers(schedule, params, x, y):
    up, down = jax.jit(layer), jax.jit(lambda p, a, b: jax.vjp(layer, p, a)[1](b))
    kept, w, index, gradients = {}, x, 0, {}
    for action, i in schedule:
        match action:
            case "forward":
                w, index = up(params[i - 1], x if i == 1 else w if index == i - 1 else kept[i - 1]), i
            case "save":
                kept[i] = w
            case "free":
                kept.pop(i)
            case "backward":
                a = w if index == i else kept[i]
                if i == len(params):
                    d = (a - y).ravel()
                    loss, b = jnp.vdot(d, d) / d.size, 2 * (a - y) / a.size
                else:
                    gradients[i], b = down(params[i], a, b)
    gradients[0], _ = down(params[0], x, b)
    return loss, tuple(gradients[i] for i in range(len(params)))


def run_by_numpy(schedule, params, x, y):
    kept, w, index, gradients, d = {}, x, 0, {}, x
    for action, i in schedule:
        if action == "forward":
            W, c = params[i - 1]
            w, index = np.tanh(np.asarray(x if i == 1 else w if index == i - 1 else kept[i - 1]) @ W + c), i
        elif action == "save":
            kept[i] = w
        elif action == "free":
            kept.pop(i)
        else:
            a = w if index == i else kept[i]
            if i == len(params):
                loss, b = np.mean((a - y) ** 2), 2 * (a - y) / a.size
            else:
                gradients[i], b = (a.T @ d, d.sum(0)), d @ params[i][0].T
            d = b * (1 - a * a)
    gradients[0] = (x.T @ d, d.sum(0))
    return loss, [gradients[i] for i in range(len(params))]


def run_from_what_was_computed_before(schedule, params, x, y):
    made: dict[int, Any] = {}

    def once(i):
        if i not in made:
            made[i] = x if i == 0 else layer(params[i - 1], once(i - 1))
        return made[i]

    gradients, b = [None] * len(params), None
    for action, i in schedule:
        if action == "backward":
            if i == len(params):
                loss, b = jax.value_and_grad(lambda a: jnp.mean((a - y) ** 2))(once(i))
            else:
                gradients[i], b = jax.vjp(layer, params[i], once(i))[1](b)
    (gradients[0],) = jax.vjp(lambda p: layer(p, x), params[0])[1](b)
    return loss, gradients


@pytest.mark.parametrize("run", [run_by_vjp, run_by_jitted_layers], ids=lambda run: run.__name__)
def test_a_schedule_that_is_carried_out_in_another_style_keeps_all_points(run: Callable[..., Any]) -> None:
    assert lost("q6", {"run_schedule": run}) == []


def test_work_and_memory_of_a_run_need_jax() -> None:
    failed = lost("q6", {"run_schedule": run_by_numpy})
    assert failed == [
        "test_q6_carries_out_the_schedule",
        "test_q6_peak",
        "test_q6_carries_out_any_schedule",
        "test_q6_peak_of_any_schedule",
    ]


def test_a_schedule_that_is_not_carried_out_loses_work_and_memory() -> None:
    failed = lost("q6", {"run_schedule": run_from_what_was_computed_before})
    assert failed == [
        "test_q6_carries_out_the_schedule",
        "test_q6_peak",
        "test_q6_carries_out_any_schedule",
        "test_q6_peak_of_any_schedule",
    ]


# ---------------------------------------- q9: checkpoints within checkpoints


def nested_with_open_upper_halves(params, x, y):
    def halved(layers, a):
        if len(layers) == 1:
            return layer(layers[0], a)
        middle = len(layers) // 2
        return halved(layers[middle:], jax.checkpoint(halved)(layers[:middle], a))

    return jnp.mean((halved(params, x) - y) ** 2)


def nested_in_fourths(params, x, y):
    def parts(layers, a):
        if len(layers) <= 2:
            return segment(layers, a)
        length = -(-len(layers) // 4)
        for start in range(0, len(layers), length):
            a = jax.checkpoint(parts)(layers[start : start + length], a)
        return a

    return jnp.mean((parts(params, x) - y) ** 2)


NESTED = [nested_with_open_upper_halves, nested_in_fourths]


@pytest.mark.parametrize("loss", NESTED, ids=lambda loss: loss.__name__)
def test_a_better_scheme_keeps_the_points(loss: Callable[..., Any]) -> None:
    cases = ["test_q9_peak", "test_q9_work", "test_q9_loss_and_gradient_of_any_depth"]
    assert lost("q9", {"nested_checkpointed_loss": loss}, only=cases) == []


@pytest.mark.slow
@pytest.mark.parametrize("loss", NESTED, ids=lambda loss: loss.__name__)
def test_a_better_scheme_keeps_all_points(loss: Callable[..., Any]) -> None:
    assert lost("q9", {"nested_checkpointed_loss": loss}) == []
