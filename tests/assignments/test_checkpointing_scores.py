"""What the tests of `checkpointing` give: all points to the reference, none to stubs, fewer to every mistake."""

import enum
from collections.abc import Callable, Iterator
from math import isqrt
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from adkit import checks
from adkit.checks import known_mistakes
from adkit.network import mlp_layer, mlp_loss
from otter.test_files import ExceptionTestFile

import reference.checkpointing as reference
from autograder.assignment import Assignment
from autograder.grading import recognition
from reference.mistakes import Mistake, catalogue

ASSIGNMENT = Assignment.load("checkpointing")
RIGHT: dict[str, Callable[..., Any]] = {name: getattr(reference, name) for name in ASSIGNMENT.functions}
CONTRACT = {"q1": 3, "q2": 3, "q3": 6, "q4": 4, "q5": 10, "q6": 5, "q7": 9, "q8": 5, "q9": 5}


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


def test_there_are_40_points_and_10_more() -> None:
    assert ASSIGNMENT.points == 40
    assert [question.name for question in ASSIGNMENT.questions if question.bonus] == ["q8", "q9"]


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
        if name.endswith(("_schedule", "_schedule_for")) and name != "run_schedule"
    }
    functions["choose_checkpoints"] = lambda n: np.array(RIGHT["choose_checkpoints"](n), dtype=np.int32)
    for question in ("q1", "q2", "q3", "q4", "q5", "q8"):
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
        assert not earned_in("test_q7_loss_and_gradient_of_another_network", {"checkpointed_loss": loss})


@pytest.mark.parametrize(
    ("question", "name", "arguments"),
    [("q3", "checkpointed_schedule", 1), ("q5", "optimal_schedule", 1), ("q8", "optimal_schedule_for", 2)],
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
    with pytest.raises(checks.CheckError, match="another error") as caught:
        case.body.call_func({"checkpointed_schedule": checkpointed_schedule})
    assert "asked for" not in caught.value.told(hidden=True)


@pytest.mark.parametrize("answer", [None, 3, "schedule", [("forward", 10**30)], {}, float("nan"), [[[]]], [("x",)] * 9])
def test_a_strange_answer_costs_its_cases_and_nothing_else(answer: Any) -> None:
    functions = dict.fromkeys(RIGHT, lambda *_: answer)
    for question in ("q1", "q2", "q3", "q4", "q5", "q8"):
        file = file_of(question)
        file.run(functions)
        for result in file.test_case_results:
            assert not result.passed
            assert result.message is not None
            assert "CheckError" in result.message or "StudentError" in result.message


def test_mistakes_that_keep_the_same_are_told_apart() -> None:
    """One jax.checkpoint around everything and nested ones both keep nothing: each has a sentence of its own."""
    case = next(c for c in file_of("q7").test_cases if "keeps_the_checkpoints" in c.body.test_func.__name__)
    answers: list[Any] = []
    for entry in catalogue("checkpointing"):
        if entry.function == "checkpointed_loss" and entry.name in ("whole_network", "nested"):
            functions = {entry.function: entry.implementation}
            failure = checks.first_failure(lambda functions=functions: case.body.call_func(functions))
            assert failure is not None
            answers.append(failure.answer)
    assert len(answers) == 2
    assert answers[0] != answers[1]


@pytest.mark.parametrize(
    "chosen",
    [
        lambda n, c: [i for i in c if i != n - 1],
        lambda n, c: [i for i in c if i - 1 not in c],
        lambda n, c: c[:3],
        lambda n, c: [] if c == [n] else c,
        lambda n, c: c or [n // 2],
    ],
    ids=["not a_{n-1}", "no neighbours", "at most three", "not the output alone", "one where there are none"],
)
def test_segments_that_are_wrong_for_some_checkpoints_only_are_noticed(
    chosen: Callable[[int, list[int]], list[int]],
) -> None:
    def checkpointed_loss(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        n, given = len(params), list(checkpoints)
        if given == [n] and not chosen(n, given):
            return mlp_loss(params, x, y)
        return reference.checkpointed_loss(params, x, y, [i for i in chosen(n, given) if i >= 1])

    assert earned("q7", {"checkpointed_loss": checkpointed_loss}) < CONTRACT["q7"]


def test_a_chain_without_checkpoints_is_recomputed_once_too() -> None:
    def checkpointed_loss(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        right = reference.checkpointed_loss
        if checkpoints:
            return right(params, x, y, checkpoints)

        def network(layers: Any, a: Any) -> Any:
            below = jax.checkpoint(network)(layers[:-1], a) if len(layers) > 1 else a
            return mlp_layer(layers[-1], below)

        return jnp.mean((jax.checkpoint(network)(params, x) - y) ** 2)

    assert not earned_in("test_q7_recomputes_each_segment_once", {"checkpointed_loss": checkpointed_loss})


@pytest.mark.parametrize(
    "answers",
    [
        lambda sizes, memory: sizes[0] > memory,
        lambda sizes, memory: sizes[-1] > memory,
        lambda sizes, memory: len(sizes) == 1,
        lambda sizes, memory: memory < 1,
    ],
    ids=["the first", "the last", "the only one", "no memory"],
)
def test_a_chain_that_does_not_fit_has_to_be_refused_wherever_it_does_not(
    answers: Callable[[list[int], int], bool],
) -> None:
    def optimal_schedule_for(sizes: list[int], costs: list[int], memory: int) -> Any:
        if max(sizes) > memory and answers(sizes, memory):
            return reference.vanilla_schedule(len(sizes))
        return reference.optimal_schedule_for(sizes, costs, memory)

    assert earned("q8", {"optimal_schedule_for": optimal_schedule_for}) == CONTRACT["q8"] - 0.5


@pytest.mark.parametrize("refuses", [True, False], ids=["refused", "dear"])
def test_a_chain_with_more_memory_than_it_needs_is_graded(refuses: bool) -> None:
    def optimal_schedule_for(sizes: list[int], costs: list[int], memory: int) -> Any:
        if len(sizes) > 1 and memory > sum(sizes):
            if refuses:
                raise ValueError("more than enough")
            return reference.memory_poor_schedule(len(sizes))
        return reference.optimal_schedule_for(sizes, costs, memory)

    assert earned("q8", {"optimal_schedule_for": optimal_schedule_for}) == CONTRACT["q8"] - 1


@pytest.fixture
def recognise() -> Iterator[Callable[[str, dict[str, Any]], set[str]]]:
    """The sentences of known mistakes that a question's failing cases are told."""
    recognition.install(ASSIGNMENT.name)
    recogniser = known_mistakes.recogniser
    assert recogniser is not None
    known_mistakes.recogniser = None

    def sentences(question: str, functions: dict[str, Any]) -> set[str]:
        found: set[str] = set()
        for case in file_of(question).test_cases:
            failure = checks.first_failure(lambda case=case: case.body.call_func(functions))
            found.add(recogniser(failure).sentence if failure is not None else "")
        return found - {""}

    yield sentences
    known_mistakes.recogniser = None


def test_other_mistakes_of_checkpoints_are_not_called_by_the_names_of_these(
    recognise: Callable[[str, dict[str, Any]], set[str]],
) -> None:
    """Half the distance keeps everything for a few small n only, the cube root is ten for a few large ones, and a
    middle that is rounded down is 0 for n = 1."""

    def half_the_distance(n: int) -> list[int]:
        spacing = max(1, (isqrt(n - 1) + 1) // 2)
        return list(range(spacing, n + 1, spacing))

    def zero_for_one_layer(n: int) -> list[int]:
        return [0] if n == 1 else reference.choose_checkpoints(n)

    def cube_root(n: int) -> list[int]:
        spacing = round(n ** (1 / 3))
        return list(range(spacing, n + 1, spacing))

    for wrong in (half_the_distance, cube_root, zero_for_one_layer):
        assert earned("q4", {"choose_checkpoints": wrong}) < CONTRACT["q4"]
        assert recognise("q4", {"choose_checkpoints": wrong}) == set()


def test_segments_of_a_uniform_distance_are_not_called_one_layer_off(
    recognise: Callable[[str, dict[str, Any]], set[str]],
) -> None:
    def checkpointed_loss(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        return reference.checkpointed_loss(params, x, y, range(3, len(params), 3))

    assert not any("one layer too" in says for says in recognise("q7", {"checkpointed_loss": checkpointed_loss}))


def test_what_keeps_too_little_of_one_network_is_not_named_after_another(
    recognise: Callable[[str, dict[str, Any]], set[str]],
) -> None:
    """The first of neighbours alone: for all of five the same as what a lost last checkpoint leaves of 1, 4, 5."""

    def checkpointed_loss(params: Any, x: Any, y: Any, checkpoints: Any) -> Any:
        kept = [c for c in checkpoints if c - 1 not in checkpoints]
        return reference.checkpointed_loss(params, x, y, kept)

    assert earned("q7", {"checkpointed_loss": checkpointed_loss}) < CONTRACT["q7"]
    assert recognise("q7", {"checkpointed_loss": checkpointed_loss}) == set()


def test_a_greedy_schedule_is_not_said_to_ignore_costs(
    recognise: Callable[[str, dict[str, Any]], set[str]],
) -> None:
    """The first checkpoint is always as low as it may be: nothing is compared, and no known mistake is that."""

    def optimal_schedule_for(sizes: list[int], costs: list[int], memory: int) -> Any:
        def write(start: int, end: int, free: int) -> Any:
            if start == end:
                return []
            fits = [j for j in range(start + 1, end) if max(sizes[j:end]) <= free - sizes[j - 1]]
            j = min(fits, default=end)
            forward = [("forward", i) for i in range(start + 1, j + 1)]
            below = write(start, j - 1, free)
            if j == end:
                return [*forward, ("backward", end), *below]
            return [*forward, ("save", j), *write(j, end, free - sizes[j - 1]), ("backward", j), ("free", j), *below]

        if max(sizes) > memory:
            raise ValueError("too little memory")
        return write(0, len(sizes), memory)

    assert earned("q8", {"optimal_schedule_for": optimal_schedule_for}) < CONTRACT["q8"]
    assert recognise("q8", {"optimal_schedule_for": optimal_schedule_for}) == set()


def test_one_unit_of_memory_too_much_is_not_taken_for_a_forgotten_activation(
    recognise: Callable[[str, dict[str, Any]], set[str]],
) -> None:
    def optimal_schedule_for(sizes: list[int], costs: list[int], memory: int) -> Any:
        return reference.optimal_schedule_for(sizes, costs, memory + 1)

    told = recognise("q8", {"optimal_schedule_for": optimal_schedule_for})
    assert not any("working activation" in says for says in told)
