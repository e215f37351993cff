"""The simulator: the rules of a schedule, exact counts, and errors that say what is wrong, for any input."""

import itertools
from typing import Any

import numpy as np
import pytest
from adkit.schedule import ScheduleError, simulate
from hypothesis import given, settings
from hypothesis import strategies as st

KEEP_BOTH = [
    ("forward", 1),
    ("save", 1),
    ("forward", 2),
    ("backward", 2),
    ("backward", 1),
    ("free", 1),
]


def short(value: object) -> str:
    """A test's name: some values here are too large to be printed."""
    return type(value).__name__


def error_of(n: Any, schedule: Any, **more: Any) -> ScheduleError:
    with pytest.raises(ScheduleError) as caught:
        simulate(n, schedule, **more)
    assert len(str(caught.value)) < 600
    return caught.value


def test_a_legal_schedule_is_counted_exactly() -> None:
    trace = simulate(2, KEEP_BOTH)
    assert (trace.peak, trace.evaluations, trace.memory) == (2, 2, (1, 1, 2, 1, 1, 0))
    assert trace.live == ({1}, {1}, {1, 2}, {1}, {1}, set())


def test_the_working_activation_counts_once_when_it_is_saved_too() -> None:
    assert simulate(1, [("forward", 1), ("save", 1), ("backward", 1), ("free", 1)]).memory == (1, 1, 1, 0)


def test_freeing_the_working_activation_removes_it() -> None:
    error = error_of(2, [("forward", 1), ("save", 1), ("free", 1), ("forward", 2)])
    assert error.position == 3
    assert "a_1 is neither saved nor working" in str(error)


def test_an_evaluation_again_of_a_saved_activation_takes_no_second_place() -> None:
    schedule = [("forward", 1), ("save", 1), ("forward", 1), ("backward", 1), ("free", 1)]
    trace = simulate(1, schedule)
    assert (trace.peak, trace.evaluations) == (1, 2)


@pytest.mark.parametrize(
    ("schedule", "position", "rule"),
    [
        ([("forward", 2)], 0, "forward"),
        ([("forward", 1), ("forward", 2), ("forward", 2)], 2, "forward"),
        ([("save", 1)], 0, "save"),
        ([("forward", 1), ("save", 1), ("forward", 2), ("save", 1)], 3, "save"),
        ([("free", 1)], 0, "free"),
        ([("forward", 1), ("free", 1)], 1, "free"),
        ([("backward", 2)], 0, "backward"),
        ([("forward", 1), ("backward", 1)], 1, "n, n-1"),
        ([*KEEP_BOTH, ("backward", 1)], 6, "each once"),
        (KEEP_BOTH[:-1], None, "freed"),
        (KEEP_BOTH[:-2], None, "every backward node"),
        ([*KEEP_BOTH, ("forward", 1)], None, "nothing in memory"),
        ([], None, "every backward node"),
    ],
)
def test_the_first_illegal_action_is_named_with_its_rule(schedule: list[Any], position: int | None, rule: str) -> None:
    error = error_of(2, schedule)
    assert error.position == position
    assert error.action == (None if position is None else schedule[position])
    assert rule in error.rule
    assert "saved:" in error.state


@pytest.mark.parametrize(
    "schedule",
    [
        None,
        7,
        "forward",
        {"forward": 1},
        itertools.cycle([("forward", 1)]),
        iter(KEEP_BOTH),
        [None],
        [()],
        ["forward"],
        [("forward",)],
        [("forward", 1, 2)],
        [(1, "forward")],
        [("Forward", 1)],
        [(b"forward", 1)],
        [(["forward"], 1)],
        [("x" * 10**6, 1)],
        [("forward", True)],
        [("forward", np.True_)],
        [("forward", 1.0)],
        [("forward", "1")],
        [("forward", None)],
        [("forward", [1] * 10**5)],
        [("forward", -1)],
        [("forward", 0)],
        [("forward", 3)],
        [("forward", 10**10_000)],
        [("forward", -(2**64))],
        [("forward", float("nan"))],
        [("forward", np.array([1, 2]))],
        [np.array([1, 2])],
    ],
    ids=short,
)
def test_malformed_input_is_a_short_clear_error(schedule: Any) -> None:
    error_of(2, schedule)


@pytest.mark.parametrize("n", [0, -1, True, 2.0, "2", None, 10**30, 10**10_000, [2], float("nan")], ids=short)
def test_a_number_of_layers_that_is_none_is_refused(n: Any) -> None:
    error_of(n, KEEP_BOTH)


def test_objects_with_code_of_their_own_are_never_asked() -> None:
    class Index:
        def __index__(self) -> int:
            raise AssertionError("asked")

        __int__ = __eq__ = __hash__ = __repr__ = __str__ = __index__  # type: ignore[assignment]

    error_of(2, [("forward", Index())])
    error_of(2, [(Index(), 1)])
    error_of(2, [Index()])


def test_a_million_actions_are_judged() -> None:
    assert error_of(3, [("forward", 1)] * 1_000_000).position is None


def test_a_list_that_never_ends_is_stopped_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adkit.schedule.MAX_ACTIONS", 1000)

    class Endless(list[Any]):
        def __iter__(self) -> Any:
            return itertools.repeat(("forward", 1))

    assert error_of(3, Endless()).position == 1000
    assert error_of(3, [("forward", 1)] * 1001).position == 1000


def test_numpy_integers_and_lists_for_pairs_are_equally_right() -> None:
    schedule = [[np.str_(name), np.int32(i)] for name, i in KEEP_BOTH]
    n: Any = np.int64(2)
    assert simulate(n, schedule) == simulate(2, KEEP_BOTH)
    assert simulate(2, [(name, np.array(i)) for name, i in KEEP_BOTH]) == simulate(2, KEEP_BOTH)  # JAX's numbers


def test_sizes_and_costs_weigh_memory_and_evaluations() -> None:
    trace = simulate(2, KEEP_BOTH, sizes=[5, 3], costs=[2, 10])
    assert (trace.peak, trace.cost, trace.evaluations, trace.memory) == (8, 12, 2, (5, 5, 8, 5, 5, 0))


@pytest.mark.parametrize("sizes", [[1], [1, 2, 3], [1, 0], [1, True], [1, 2.0], 3, "ab"])
def test_sizes_that_are_not_n_positive_integers_are_refused(sizes: Any) -> None:
    assert "sizes" in error_of(2, KEEP_BOTH, sizes=sizes).rule


ACTIONS = st.tuples(st.sampled_from(["forward", "save", "free", "backward"]), st.integers(-1, 4))


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 3), st.lists(ACTIONS, max_size=14))
def test_the_counts_agree_with_the_rules_read_literally(n: int, schedule: list[tuple[str, int]]) -> None:
    expected = literal(n, schedule)
    if expected is None:
        error_of(n, schedule)
    else:
        trace = simulate(n, schedule)
        assert (trace.memory, trace.evaluations) == expected
        assert [len(live) for live in trace.live] == list(trace.memory)


def literal(n: int, schedule: list[tuple[str, int]]) -> tuple[tuple[int, ...], int] | None:
    """The table of rules, written down a second time with sets; None for what it forbids."""
    S: set[int] = set()
    w: set[int] = set()
    following, evaluations, memory = n, 0, list[int]()
    for action, i in schedule:
        if not 1 <= i <= n:
            return None
        if action == "forward":
            if i - 1 not in {0} | S | w:
                return None
            w = {i}
            evaluations += 1
        elif action == "save":
            if w != {i}:
                return None
            S = S | {i}
        elif action == "free":
            if i not in S:
                return None
            S, w = S - {i}, w - {i}
        else:
            if i != following or i not in S | w:
                return None
            following, w = i - 1, w - {i}
        memory.append(len(S | w))
    return (tuple(memory), evaluations) if following == 0 and not S | w else None
