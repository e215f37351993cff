"""Bytes of live arrays: after each action of a schedule, and at the peak of a block."""

import sys

import jax
import jax.numpy as jnp
import pytest
from adkit import live_bytes, mlp, mlp_loss, simulate, watch

from reference.checkpointing import checkpointed_schedule, run_schedule

WIDTH, BATCH, LAYERS = 2, 512, 6
UNIT = WIDTH * BATCH * 8
SCHEDULE = checkpointed_schedule(LAYERS, [2, 4])


def problem() -> tuple[list[tuple[jax.Array, jax.Array]], jax.Array, jax.Array]:
    x = jax.random.normal(jax.random.key(1), (BATCH, WIDTH))
    return mlp([WIDTH] * (LAYERS + 1), 0), x, jnp.zeros_like(x)


def allocate(schedule: list[tuple[str, int]]) -> dict[int, jax.Array]:
    """Carries a schedule out in arrays of `UNIT` bytes for what is saved, and in none for what is not."""
    saved: dict[int, jax.Array] = {}
    for action, i in schedule:
        if action == "save":
            saved[i] = jnp.full((BATCH, WIDTH), 1.0)
        elif action == "free":
            del saved[i]
    return saved


def test_each_action_is_followed_by_the_bytes_that_live_after_it() -> None:
    watched = watch(SCHEDULE)
    allocate(watched)
    saved = [UNIT * len(state.saved) for state in simulate(LAYERS, SCHEDULE).states()]
    assert watched.bytes == saved
    assert watched.peak == max(saved)


def test_a_network_s_memory_follows_the_rules_up_to_a_few_activations() -> None:
    params, x, y = problem()
    watched = watch(SCHEDULE)
    loss, gradients = run_schedule(watched, params, x, y)
    assert loss == pytest.approx(mlp_loss(params, x, y))
    memory = simulate(LAYERS, SCHEDULE).memory
    assert len(watched.bytes) == len(memory)
    small = sum(array.nbytes for layer in gradients for array in layer) + loss.nbytes
    # a, here, below, d and a_bar of the loop's last turns
    assert all(UNIT * m <= b <= UNIT * (m + 5) + small for m, b in zip(memory, watched.bytes, strict=True))


def test_a_watched_schedule_is_the_schedule() -> None:
    watched = watch(SCHEDULE)
    assert watched == SCHEDULE
    assert isinstance(watched, list)
    assert simulate(LAYERS, watched) == simulate(LAYERS, SCHEDULE)


def test_the_clock_goes_on_from_action_to_action() -> None:
    watched = watch(SCHEDULE)
    allocate(watched)
    assert len(watched.seconds) == len(SCHEDULE)
    assert watched.seconds == sorted(watched.seconds)


def test_a_loop_over_a_copy_or_by_index_is_not_measured() -> None:
    watched = watch(SCHEDULE)
    assert watched.bytes == []
    allocate([*watched])
    allocate([watched[k] for k in range(len(watched))])
    assert (watched.bytes, watched.seconds, watched.peak) == ([], [], 0)


def test_of_several_loops_the_one_that_allocates_counts() -> None:
    watched = watch(SCHEDULE)
    simulate(LAYERS, watched)
    allocate(watched)
    simulate(LAYERS, watched)
    assert watched.peak == UNIT * max(len(state.saved) for state in simulate(LAYERS, SCHEDULE).states())


def test_a_loop_that_ends_early_has_the_actions_that_ended() -> None:
    watched = watch(SCHEDULE)
    kept: list[jax.Array] = []
    for k, _ in enumerate(watched):
        if k == 3:
            break
        kept.append(jnp.full((BATCH, WIDTH), 1.0))
    assert watched.bytes == [UNIT, 2 * UNIT, 3 * UNIT]


def test_the_peak_between_two_marks_is_found_though_nothing_of_it_is_left() -> None:
    with live_bytes() as live:
        first = jnp.full((BATCH, WIDTH), 1.0)
        assert live.mark("before") == UNIT
        second = first + 1
        third = second + first
        del second, third
        live.mark("after")
    assert live.marks == {"before": UNIT, "after": UNIT}
    assert live.peaks == {"before": 3 * UNIT, "after": UNIT}
    assert (live.peak, live.now) == (3 * UNIT, UNIT)


def test_what_a_gradient_keeps_and_its_peak_are_the_same_in_every_run() -> None:
    params, x, y = problem()

    def run() -> tuple[int, int, int]:
        with live_bytes() as live:
            value, vjp = jax.vjp(lambda p: mlp_loss(p, x, y), params)
            live.mark("between the passes")
            gradients = vjp(jnp.ones_like(value))
        del gradients
        return live.marks["between the passes"], live.peaks["between the passes"], live.peak

    run()  # what JAX makes once, such as constants, is made here
    between, after, peak = run()
    assert run() == (between, after, peak)
    assert between <= after <= peak
    assert between >= UNIT * LAYERS


def test_what_was_there_before_is_not_counted() -> None:
    array = jnp.full((BATCH, WIDTH), 1.0)
    with live_bytes() as live:
        del array
    assert (live.peak, live.now) == (0, -UNIT)


def test_the_profiler_that_was_there_is_put_back_also_after_an_exception() -> None:
    def profile(_frame: object, event: str, _result: object) -> None:
        events.append(event)

    def fail() -> None:
        with live:
            kept.append(jnp.full((BATCH, WIDTH), 1.0))
            raise KeyError

    events: list[str] = []
    kept: list[jax.Array] = []
    live = live_bytes()
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        with pytest.raises(KeyError):
            fail()
        after = sys.getprofile()
    finally:
        sys.setprofile(before)
    assert after is profile
    assert events
    assert live.now == kept[0].nbytes


def test_a_block_within_a_block_is_measured_by_both() -> None:
    with live_bytes() as outer:
        first = jnp.full((BATCH, WIDTH), 1.0)
        with live_bytes() as inner:
            second = first + 1
            del second
    assert (outer.peak, inner.peak) == (2 * UNIT, UNIT)
