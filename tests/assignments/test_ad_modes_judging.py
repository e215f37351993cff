"""Question 8 of `ad_modes`: what `is_right` is graded with, and what typical tests of students earn."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

import adkit
import numpy as np
import pytest
from ad_modes_scores import ASSIGNMENT, REFERENCE, cases_of, results, score
from adkit import checks, implementations
from adkit.checks import known_mistakes
from adkit.checks.autodiff import autodiff_use
from adkit.implementations import Implementation, Program

import reference.implementations as programs
from autograder.grading import recognition
from autograder.testcases import in_order
from reference.ad_modes import _graphs_that_show_mistakes, is_right, local_partials, node_values, reverse_mode
from reference.inputs import ad_modes as inputs
from reference.mistakes import catalogue

GRAPHS = {
    "tree": inputs.tree,
    "shared": inputs.shared,
    "repeats": lambda random: inputs.shared(random, repeats=True),
    "sums": inputs.sums,
    "inner outputs": inputs.inner_outputs,
    "shuffled inputs": inputs.shuffled_inputs,
    "zeros": inputs.zeros,
}
WRONG = [
    (kind, place, program)
    for kind, wrong in inputs.wrong_kinds().items()
    for place, program in enumerate(wrong.programs)
]


@pytest.fixture(autouse=True)
def graders_own(monkeypatch: pytest.MonkeyPatch) -> Program:
    """As in the grader: without JAX."""
    own = programs.own("ad_modes", "arrays")
    monkeypatch.setattr(implementations, "graders_own", own)
    return own


def questions() -> Iterator[tuple[adkit.Graph, list[float], list[float]]]:
    for kind in GRAPHS.values():
        for seed in range(3):
            random = np.random.default_rng(seed)
            problem = kind(random)
            yield problem.graph, list(problem.x), list(random.normal(size=len(problem.graph.outputs)))
    mixed = inputs.shared(np.random.default_rng(7), constants=1)
    for problem in inputs.unusual_outputs(mixed, np.random.default_rng(8)):
        yield problem.graph, list(problem.x), [1.5 + k for k in range(len(problem.graph.outputs))]
    unused = adkit.Graph([adkit.Node("input"), adkit.Node("input"), adkit.Node("sin", (1,))], (1, 0), (2,))
    yield unused, [0.5, 2.0], [3.0]


def numbers(answer: Any) -> list[np.ndarray]:
    return [np.array(part, dtype=float) for part in answer]


@pytest.mark.parametrize("style", [*inputs.right_styles(), "jax"])
def test_right_implementations_answer_as_the_reference_does(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementations, "graders_own", None)
    given = Implementation(inputs.right_styles().get(style))
    for graph, x, y_bar in questions():
        for part, expected in zip(numbers(given(graph, x, y_bar)), numbers(reverse_mode(graph, x, y_bar)), strict=True):
            assert part.shape == expected.shape
            assert np.linalg.norm(part - expected) <= 1e-12 * np.linalg.norm(expected)


def test_right_implementations_differ_in_what_they_return() -> None:
    graph, x, y_bar = adkit.toy_graph(), [0.0, 1.0], [2.0]
    seen = {
        style: (type(answer), type(answer[0]), type(answer[1][0]))
        for style, program in inputs.right_styles().items()
        if (answer := Implementation(program)(graph, x, y_bar))
    }
    assert seen == {
        "lists": (tuple, list, float),
        "arrays": (tuple, np.ndarray, np.float64),
        "whole numbers": (tuple, tuple, int),
        "NumPy scalars": (list, list, np.float64),
        "what is needed": (tuple, list, float),
    }


def test_right_implementations_differ_where_nothing_is_asked_of_them() -> None:
    """Where a function is not defined, and for too few cotangents: right ones raise, and right ones do not."""
    undefined = adkit.Graph([adkit.Node("input"), adkit.Node("log", (0,)), adkit.Node("neg", (0,))], (0,), (2,))
    outcomes: dict[str, set[str]] = {}
    for what, question in {"log": (undefined, [-1.0], [1.0]), "y_bar": (adkit.toy_graph(), [1.0, 2.0], [])}.items():
        for program in inputs.right_styles().values():
            try:
                Implementation(program)(*question)
                outcome = "answers"
            except adkit.ImplementationError:
                outcome = "raises"
            outcomes.setdefault(what, set()).add(outcome)
    assert outcomes == {"log": {"answers", "raises"}, "y_bar": {"answers", "raises"}}


@pytest.mark.parametrize(("kind", "place", "program"), WRONG, ids=[f"{kind}-{place}" for kind, place, _ in WRONG])
def test_a_wrong_implementation_is_wrong_and_a_wrong_answer_is_what_shows_it(
    kind: str, place: int, program: Program
) -> None:
    assert is_right(Implementation(program)) is False
    given = Implementation(program)
    toy = given(adkit.toy_graph(), [1.5, -0.8], [1.0])
    right = numbers(reverse_mode(adkit.toy_graph(), [1.5, -0.8], [1.0]))
    same = [np.allclose(a, b) for a, b in zip(numbers(toy), right, strict=True)]
    # what the toy example shows with a cotangent of 1 is for the public cases
    assert all(same) or (kind, program.name) == ("several users", "reverse_mode__adjoint_overwritten")


@pytest.mark.parametrize("kind", inputs.wrong_kinds())
def test_what_a_message_says_of_a_kind_of_mistake_is_true(kind: str) -> None:
    """Without a question of the kind that it names, none of these implementations can be told from a right one."""
    wrong = inputs.wrong_kinds()[kind]
    if not wrong.without:
        return
    for program in wrong.programs:
        for graph, x, y_bar in questions():
            given = Implementation(program)
            try:
                answer = numbers(given(graph, x, y_bar))
                right = numbers(reverse_mode(graph, x, y_bar))
                differs = any(a.shape != b.shape or not np.allclose(a, b) for a, b in zip(answer, right, strict=True))
            except (adkit.ImplementationError, ValueError):
                differs = True
            assert not differs or getattr(given.asked, wrong.without) or _other_reason(program, given)


def _other_reason(program: Program, given: Implementation) -> bool:
    """What else shows one of these mistakes: a sum of three, a node that leads nowhere, any repeated argument."""
    nodes = given_graph(given).nodes
    if program.name == "reverse_mode__sum_of_two_only":
        return any(len(node.args) > 2 for node in nodes)
    if program.name == "reverse_mode__ends_for_outputs":
        used = {arg for node in nodes for arg in node.args}
        return {*given_graph(given).outputs} != {*range(len(nodes))} - used
    if program.name in ("follows_every_path", "reverse_mode__adjoint_overwritten"):
        return any(len(set(node.args)) < len(node.args) for node in nodes)
    return False


def given_graph(given: Implementation) -> adkit.Graph:
    return GRAPH_OF[id(given)]


GRAPH_OF: dict[int, adkit.Graph] = {}


@pytest.fixture(autouse=True)
def graphs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Implementation.__call__

    def kept(self: Implementation, graph: Any, x: Any, y_bar: Any) -> Any:
        GRAPH_OF[id(self)] = graph
        return call(self, graph, x, y_bar)

    monkeypatch.setattr(Implementation, "__call__", kept)


# ---------------------------------------- what tests of students earn


def comparing(graphs: Callable[[], list[tuple[adkit.Graph, list[float], list[float]]]]) -> Callable[[Any], bool]:
    def test(given: Any) -> bool:
        for graph, x, y_bar in graphs():
            try:
                answer = numbers(given(graph, x, y_bar))
            except (adkit.ImplementationError, TypeError, ValueError):
                return False
            right = numbers(reverse_mode(graph, x, y_bar))
            if len(answer) != 2 or any(
                a.shape != b.shape or not np.allclose(a, b) for a, b in zip(answer, right, strict=True)
            ):
                return False
        return True

    return test


X, Y = adkit.Node("input"), adkit.Node("sin", (0,))


@pytest.mark.parametrize("verdict", [True, False, None, 1, "True", 0.0])
def test_who_always_says_the_same_earns_nothing(verdict: Any) -> None:
    assert score({**REFERENCE, "is_right": lambda given: verdict}, "q8") == 0


def test_each_rung_of_the_ladder_earns_more() -> None:
    rungs = [
        (adkit.toy_graph(), [1.5, -0.8], [1.0]),
        (adkit.trace(lambda a, b: [a + b, a - b, a * b], 2), [1.0, 2.5], [3.0, 5.0, -2.0]),
        (adkit.Graph([X, X, Y], (0, 1), (2,)), [0.5, 2.0], [3.0]),
        (adkit.Graph([X, Y], (0,), (1, 1)), [0.5], [3.0, 5.0]),
        (adkit.Graph([X, adkit.Node("mul", (0, 0))], (0,), (1,)), [0.5], [3.0]),
        (adkit.Graph([X, Y, adkit.Node("exp", (1,))], (0,), (2, 1)), [0.5], [3.0, 5.0]),
        (adkit.Graph([X, adkit.Node("sub", (0, 0)), adkit.Node("add", (0, 1))], (0,), (2,)), [0.5], [3.0]),
        (adkit.Graph([X, adkit.Node("div", (0, 0)), adkit.Node("add", (0, 1))], (0,), (2,)), [0.5], [3.0]),
    ]
    earned = [score({**REFERENCE, "is_right": comparing(lambda n=n: rungs[:n])}, "q8") for n in range(len(rungs) + 1)]
    assert earned[0] == 0
    assert earned[1:] == [1.0, 1.5, 2.25, 2.5, 3.0, 3.75, 3.75, 4.25]
    assert sorted(earned) == earned


def refusing(style: str) -> Callable[[Any], bool]:
    """The reference, but it refuses right implementations by what they return."""
    wrong = {
        "tuples": lambda answer: isinstance(answer[0], tuple),
        "arrays": lambda answer: isinstance(answer[0], np.ndarray),
        "whole numbers": lambda answer: any(type(entry) is int for part in answer for entry in part),
        "NumPy scalars": lambda answer: isinstance(answer[0], list) and type(answer[0][0]) is np.float64,
    }[style]

    def test(given: Any) -> bool:
        answer = given(adkit.Graph([X, Y], (0,), (0, 1)), [2.0], [1.0, 0.0])
        return is_right(given) and not (answer is not None and wrong(answer))

    return test


@pytest.mark.parametrize("style", ["tuples", "arrays", "whole numbers", "NumPy scalars"])
def test_refusing_right_implementations_of_a_style_costs_the_cases_that_hand_one_out(style: str) -> None:
    try:
        earned = score({**REFERENCE, "is_right": refusing(style)}, "q8")
    except adkit.ImplementationError:
        pytest.fail("an error that the test should have met")
    assert 0 < earned <= 4.5


# ---------------------------------------- what is said


def test_a_public_case_says_what_was_never_asked() -> None:
    toy = comparing(lambda: [(adkit.toy_graph(), [1.5, -0.8], [1.0])])
    told = [result.message for result in results({**REFERENCE, "is_right": toy}, "q8") if not result.passed]
    assert any("every cotangent that it asks about is 1" in message for message in told)
    assert any("every graph that it asks about uses all of its inputs" in message for message in told)


def test_a_public_case_says_which_limit_a_question_was_beyond() -> None:
    def test(given: Any) -> bool:
        try:
            given(adkit.trace(lambda a: [a * a for _ in range(500)], 1), [1.0], [1.0] * 500)
        except ValueError:
            return False
        return True

    told = [result.message for result in results({**REFERENCE, "is_right": test}, "q8") if not result.passed]
    assert "at most 400 nodes here, and this one has 501" in told[0]


@pytest.mark.parametrize("mistake", [m for m in catalogue("ad_modes") if m.question == "q8"], ids=lambda m: m.name)
def test_a_hidden_case_says_the_kind_of_mistake_and_nothing_of_the_implementation(mistake: Any) -> None:
    kinds = {wrong.what for wrong in inputs.wrong_kinds().values()} | set(inputs.STYLES.values())
    for case in (case for case in in_order(ASSIGNMENT) if case.question == "q8" and case.hidden):
        failure = None
        try:
            case.run({"is_right": mistake.implementation})
        except checks.CheckError as error:
            failure = error.told(hidden=True)
        if failure is not None:
            assert any(failure.endswith(kind) for kind in kinds) or failure == (
                "the function raised an error in this hidden case"
            )


# ---------------------------------------- nothing of q4 is handed out


def test_its_cases_are_run_after_those_of_all_other_questions() -> None:
    order = [(case.question, case.hidden) for case in in_order(ASSIGNMENT)]
    own = [hidden for question, hidden in order if question == "q8"]
    others = [hidden for question, hidden in order if question != "q8"]
    assert order[-len(own) :] == [("q8", hidden) for hidden in own]
    assert len(own) == len(cases_of("q8").test_cases)
    assert own == sorted(own)
    assert others == sorted(others)


@pytest.mark.parametrize(
    "code",
    [
        "import adkit\nreverse_mode = adkit.implementations.by_jax",
        "from adkit.implementations import by_jax\ndef reverse_mode(g, x, b): return by_jax(g, x, b)",
        "from adkit import implementations\ndef reverse_mode(*a): return implementations.Implementation()(*a)",
        "from adkit.implementations import Implementation as I\nhere = I()\ndef reverse_mode(*a): return here(*a)",
        "import adkit\nim = adkit.implementations\ndef reverse_mode(*a): return im.SPOILED['lists'](im.by_jax)(*a)",
        "import adkit\nreverse_mode = adkit.implementations.function_of(None, '')",
    ],
)
def test_what_public_cases_hand_out_is_no_answer_to_q4(code: str) -> None:
    assert "derivative by hand" in str(autodiff_use([code], "reverse_mode"))


def test_what_is_handed_out_holds_no_reverse_mode() -> None:
    """No function of the module, and of the public cases, walks over the nodes backwards, and no partial is in them."""
    for path in ("student_template/adkit/implementations.py", "student_template/tests/ad_modes/q8.py"):
        source = (ASSIGNMENT.folder.parents[1] / path).read_text(encoding="utf-8")
        called = {
            node.func.id
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"reversed", local_partials.__name__, node_values.__name__}
        assert "reference" not in source


# ---------------------------------------- what is named


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], dict[str, tuple[str, ...]]]:
    """The known mistakes that are recognised in a student's test, by the case in which they are."""
    monkeypatch.setattr(known_mistakes, "recogniser", known_mistakes.recogniser)
    recognition.install("ad_modes")

    def names(test: Any) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for case in (case for case in in_order(ASSIGNMENT) if case.question == "q8"):
            try:
                case.run({"is_right": test})
            except checks.CheckError as error:
                found[case.name.removeprefix("test_q8_")] = error.recognised.names
        return found

    return names


def without_graphs(*left_out: int) -> Callable[[Any], bool]:
    """The reference's test, asked about fewer of its graphs."""
    every = _graphs_that_show_mistakes()
    kept = [entry for place, entry in enumerate(every) if place not in left_out]
    return comparing(lambda: [(graph, x, [0.7 + k for k in range(len(graph.outputs))]) for graph, x in kept])


def test_who_never_calls_the_implementation_is_told_so(named: Any) -> None:
    assert set(named(lambda given: True).values()) == {("is_right__always_true",)}
    assert set(named(lambda given: False).values()) == {("is_right__always_false",)}


def test_the_one_thing_that_was_never_asked_is_named_where_a_mistake_gets_through(named: Any) -> None:
    assert named(without_graphs(3)) == {"repeated_factors": ("is_right__no_repeated_factor",)}
    assert named(without_graphs(7)) == {"outputs_listed_twice": ("is_right__no_output_twice",)}
    assert named(without_graphs(4, 5)) == {
        "repeated_arguments_of_differences_and_quotients": ("is_right__squares_alone",)
    }


def test_nothing_is_named_where_everything_was_asked_or_a_right_one_is_refused(named: Any) -> None:
    """Without the graph of every op: what gets through is said, and no mistake of the catalogue is behind it."""
    found = named(without_graphs(1))
    assert found
    assert set(found.values()) == {()}
    assert set(named(refusing("tuples")).values()) == {()}


def test_nothing_is_named_where_several_things_were_never_asked(named: Any) -> None:
    assert set(named(without_graphs(*range(1, 9))).values()) == {()}
