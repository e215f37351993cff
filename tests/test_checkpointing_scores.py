"""What the tests of `checkpointing` give: all points to the reference, none to stubs, fewer to every mistake."""

import enum
from collections.abc import Callable
from math import isqrt
from typing import Any

import jax.numpy as jnp
import pytest
from adkit import checks
from otter.test_files import ExceptionTestFile

import reference.checkpointing as reference
from autograder.assignment import Assignment
from reference.mistakes import Mistake, catalogue

ASSIGNMENT = Assignment.load("checkpointing")
RIGHT: dict[str, Callable[..., Any]] = {name: getattr(reference, name) for name in ASSIGNMENT.functions}
CONTRACT = {"q1": 3, "q2": 3, "q3": 6, "q4": 4, "q5": 10, "q6": 9, "q7": 5}


def file_of(question: str) -> ExceptionTestFile:
    return ExceptionTestFile.from_file(str(ASSIGNMENT.tests_dir / f"{question}.py"))


def earned(question: str, functions: dict[str, Any]) -> float:
    file = file_of(question)
    file.run(functions)
    return sum(float(result.test_case.points or 0) for result in file.test_case_results if result.passed)


def earned_in(name: str, functions: dict[str, Any]) -> bool:
    """Whether one case passes."""
    question = name.split("_")[1]
    case = next(c for c in file_of(question).test_cases if c.body.test_func.__name__ == name)
    return checks.first_failure(lambda: case.body.call_func(functions)) is None


@pytest.mark.parametrize("question", CONTRACT)
def test_the_reference_earns_all_points(question: str) -> None:
    assert earned(question, RIGHT) == CONTRACT[question] == ASSIGNMENT.question(question).points


@pytest.mark.parametrize("question", CONTRACT)
def test_about_two_fifths_of_the_points_are_public(question: str) -> None:
    cases = file_of(question).test_cases
    public = sum(float(case.points or 0) for case in cases if not case.hidden)
    assert 0.35 <= public / CONTRACT[question] <= 0.45


def test_there_are_35_points_and_5_more() -> None:
    assert ASSIGNMENT.points == 35
    assert [question.name for question in ASSIGNMENT.questions if question.bonus] == ["q7"]


def stub(*_: Any) -> Any:
    raise NotImplementedError("q: stub")


@pytest.mark.parametrize("question", CONTRACT)
@pytest.mark.parametrize("functions", [dict.fromkeys(RIGHT, stub), {}], ids=["stubs", "nothing"])
def test_a_template_that_nobody_filled_in_earns_nothing(question: str, functions: dict[str, Any]) -> None:
    assert earned(question, functions) == 0


@pytest.mark.parametrize("entry", catalogue("checkpointing"), ids=lambda entry: f"{entry.function}__{entry.name}")
def test_every_known_mistake_loses_points(entry: Mistake) -> None:
    functions = {**RIGHT, entry.function: entry.implementation}
    for case in file_of(entry.question).test_cases:
        try:
            case.body.call_func(functions)
        except AssertionError:
            return
    pytest.fail("no case notices it")


def test_a_mistake_can_lose_points_on_its_own_question_only() -> None:
    for question in ASSIGNMENT.questions:
        for case in file_of(question.name).test_cases:
            assert set(case.body._get_func_params()) <= set(question.functions)
    assert all(entry.function in ASSIGNMENT.question(entry.question).functions for entry in catalogue("checkpointing"))


def test_lists_of_lists_and_numpy_integers_earn_the_same() -> None:
    import numpy as np

    def unusual(schedule: Any) -> Any:
        return tuple([name, np.int64(i)] for name, i in schedule)

    functions: dict[str, Any] = {
        name: (lambda *args, right=right: unusual(right(*args)))
        for name, right in RIGHT.items()
        if name not in ("choose_checkpoints", "checkpointed_loss")
    }
    functions["choose_checkpoints"] = lambda n: np.array(RIGHT["choose_checkpoints"](n), dtype=np.int32)
    for question in ("q1", "q2", "q3", "q4", "q5", "q7"):
        assert earned(question, functions) == CONTRACT[question]


class Action(str, enum.Enum):  # noqa: UP042  (a StrEnum says its value, this says its name)
    FORWARD, SAVE, FREE, BACKWARD = "forward", "save", "free", "backward"


def test_enumerations_ranges_and_integers_of_jax_earn_the_same() -> None:
    functions: dict[str, Any] = {
        "vanilla_schedule": lambda n: [(Action(name), i) for name, i in reference.vanilla_schedule(n)],
        "choose_checkpoints": lambda n: range(isqrt(n - 1) + 1, n + 1, isqrt(n - 1) + 1),
    }
    assert earned("q1", functions) == 3
    assert earned("q4", functions) == 4
    functions["vanilla_schedule"] = lambda n: [(name, jnp.int32(i)) for name, i in reference.vanilla_schedule(n)]
    assert earned_in("test_q1_legal", functions)
    functions["choose_checkpoints"] = lambda n: [jnp.int32(c) for c in reference.choose_checkpoints(n)]
    assert earned_in("test_q4_valid", functions)


def off(where: Callable[[int, int], bool]) -> Callable[..., Any]:
    """The optimal schedule, with one evaluation too many for some (n, memory)."""

    def optimal_schedule(n: int, memory: int) -> Any:
        schedule = reference.optimal_schedule(n, memory)
        return [("forward", 1), *schedule] if where(n, memory) else schedule

    return optimal_schedule


@pytest.mark.parametrize(
    "where",
    [
        lambda n, memory: memory == 6 and n < 60,
        lambda n, memory: n == 11,
        lambda n, memory: n < memory,
        lambda n, memory: memory > 5 * n,
        lambda n, memory: n == memory + 1,
    ],
    ids=["memory 6", "n = 11", "more memory than layers", "much more memory", "one place too few"],
)
def test_an_evaluation_too_many_for_some_arguments_only_is_noticed(where: Callable[[int, int], bool]) -> None:
    assert earned("q5", {"optimal_schedule": off(where)}) < CONTRACT["q5"]


def test_a_negative_number_of_layers_has_to_be_refused() -> None:
    def optimal_schedule(n: int, memory: int) -> Any:
        return [] if n < 0 else reference.optimal_schedule(n, memory)

    assert earned("q5", {"optimal_schedule": optimal_schedule}) == CONTRACT["q5"] - 1


def test_checkpoints_that_peak_too_high_for_one_small_n_are_noticed() -> None:
    def choose_checkpoints(n: int) -> list[int]:
        return [1] if n == 83 else reference.choose_checkpoints(n)

    assert earned("q4", {"choose_checkpoints": choose_checkpoints}) < CONTRACT["q4"]


def test_a_network_of_one_layer_and_a_batch_of_one_are_graded() -> None:
    def one_layer(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        factor = 2 if len(params) == 1 else 1
        return factor * reference.checkpointed_loss(params, x, y, checkpoints)

    def one_example(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        factor = 2 if x.shape[0] == 1 else 1
        return factor * reference.checkpointed_loss(params, x, y, checkpoints)

    for loss in (one_layer, one_example):
        assert not earned_in("test_q6_loss_and_gradient_of_another_network", {"checkpointed_loss": loss})


def only_some(loss: Callable[..., Any], keep: Callable[[int, list[int]], list[int]]) -> Callable[..., Any]:
    return lambda params, x, y, checkpoints: loss(params, x, y, keep(len(params), [int(c) for c in checkpoints]))


@pytest.mark.parametrize(
    "keep",
    [
        lambda n, checkpoints: [c for c in checkpoints if c != n - 1],
        lambda n, checkpoints: [c for c in checkpoints if c - 1 not in checkpoints],
        lambda n, checkpoints: checkpoints[:3],
    ],
    ids=["not the last but one", "one of neighbours", "three at most"],
)
def test_a_checkpoint_that_is_left_out_for_some_sets_only_is_noticed(
    keep: Callable[[int, list[int]], list[int]],
) -> None:
    loss = only_some(reference.checkpointed_loss, keep)
    assert not earned_in("test_q6_keeps_irregular_checkpoints", {"checkpointed_loss": loss})


@pytest.mark.parametrize(
    "refuses",
    [
        lambda sizes, memory: max(sizes[1:], default=0) > memory,
        lambda sizes, memory: max(sizes[:-1], default=0) > memory,
        lambda sizes, memory: 0 < memory < max(sizes),
    ],
    ids=["not for the first", "not for the last", "not without memory"],
)
def test_a_layer_that_does_not_fit_has_to_be_refused_wherever_it_is(refuses: Callable[[list[int], int], bool]) -> None:
    def optimal_schedule_for(sizes: list[int], costs: list[int], memory: int) -> Any:
        if refuses(sizes, memory):
            raise ValueError
        return reference.optimal_schedule_for(sizes, costs, max(memory, *sizes))

    functions = {"optimal_schedule_for": optimal_schedule_for}
    assert earned("q7", functions) == CONTRACT["q7"] - 0.5
    assert not earned_in("test_q7_impossible", functions)


@pytest.mark.parametrize(
    ("question", "name", "arguments"),
    [("q3", "checkpointed_schedule", 1), ("q5", "optimal_schedule", 1), ("q7", "optimal_schedule_for", 2)],
)
def test_an_answer_kept_from_other_arguments_is_noticed(question: str, name: str, arguments: int) -> None:
    answers: dict[str, Any] = {}

    def kept(*given: Any) -> Any:
        key = repr(given[:arguments])
        if key not in answers:
            answers[key] = RIGHT[name](*given)
        return answers[key]

    assert earned(question, {name: kept}) < CONTRACT[question]


def test_a_mistake_is_not_told_from_a_chain_of_one_layer() -> None:
    """Freeing a_{i-1} in the place of a_i looks for n = 1 as if nothing was ever freed."""

    def vanilla_schedule(n: int) -> Any:
        up = [action for i in range(1, n + 1) for action in (("forward", i), ("save", i))]
        return up + [a for i in range(n, 0, -1) for a in (("backward", i), ("free", i - 1))][: 2 * n - 1]

    case = next(c for c in file_of("q1").test_cases if c.body.test_func.__name__ == "test_q1_legal_for_any_n")
    failure = checks.first_failure(lambda: case.body.call_func({"vanilla_schedule": vanilla_schedule}))
    assert failure is not None
    assert len(failure.answer) > 4


def test_what_a_submission_says_in_a_hidden_case_is_not_repeated() -> None:
    def checkpointed_schedule(n: int, checkpoints: list[int]) -> Any:
        if checkpoints == [2, 4]:
            return reference.checkpointed_schedule(n, checkpoints)
        raise TypeError(f"asked for {n} and {checkpoints}")

    case = next(c for c in file_of("q3").test_cases if "invalid" in c.body.test_func.__name__)
    failure = checks.first_failure(lambda: case.body.call_func({"checkpointed_schedule": checkpointed_schedule}))
    assert failure is not None
    assert "another error" in failure.message
    assert "asked for" not in failure.message


@pytest.mark.parametrize("answer", [None, 3, "schedule", [("forward", 10**30)], {}, float("nan"), [[[]]], [("x",)] * 9])
def test_a_strange_answer_costs_its_cases_and_nothing_else(answer: Any) -> None:
    functions = dict.fromkeys(RIGHT, lambda *_: answer)
    for question in ("q1", "q2", "q3", "q4", "q5", "q7"):
        file = file_of(question)
        file.run(functions)
        for result in file.test_case_results:
            assert not result.passed
            assert result.message is not None
            assert "CheckError" in result.message or "StudentError" in result.message


def test_mistakes_that_keep_the_same_are_told_apart() -> None:
    """One jax.checkpoint around everything and nested ones both keep nothing: each has a sentence of its own."""
    case = next(c for c in file_of("q6").test_cases if "keeps_the_checkpoints" in c.body.test_func.__name__)
    answers: list[Any] = []
    for entry in catalogue("checkpointing"):
        if entry.function == "checkpointed_loss" and entry.name in ("whole_network", "nested"):
            functions = {entry.function: entry.implementation}
            failure = checks.first_failure(lambda functions=functions: case.body.call_func(functions))
            assert failure is not None
            answers.append(failure.answer)
    assert len(answers) == 2
    assert answers[0] != answers[1]
