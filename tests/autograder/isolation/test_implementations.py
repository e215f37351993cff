"""An implementation that a case hands over runs in a process of its own, and nothing but numbers comes back."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import adkit
import numpy as np
import pytest
from adkit import checks, implementations
from adkit.implementations import Implementation, Program
from courses import one_question

from autograder.assignment import Limits
from autograder.isolation import frames
from autograder.isolation import implementations as isolated
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.process import Process
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

LIMITS = Limits(
    call_seconds=20,
    notebook_seconds=20,
    submission_seconds=100,
    restarts_per_question=50,
    restarts=50,
    frame_bytes=10**6,
)
HEAD = """
import os, sys, time
import numpy as np, adkit
from adkit.implementations import ImplementationError
"""
RIGHT = "def reverse(graph, x, y_bar): return list(x[:1]) * len(graph.outputs), [float(sum(y_bar))] * len(graph.inputs)"


def program(source: str = RIGHT, name: str = "reverse") -> Implementation:
    return Implementation(Program(source, name))


@pytest.fixture(scope="module")
def opened(workshop: ForkServer) -> Iterator[Any]:
    """Runs code that defines f in a session; all sessions are closed at the end of the module."""
    sessions: list[Session] = []

    def run(code: str, limits: Limits = LIMITS) -> Session:
        session = Session(workshop, Submission("toy", None, (HEAD, code)), one_question(limits, "f", "g"))
        sessions.append(session)
        return session.__enter__()

    yield run
    for session in sessions:
        session.close()


ASK = "graph = adkit.toy_graph()\ndef ask(r, x=(1.0, 2.0), y_bar=(1.0,)): return r(graph, x, y_bar)\n"


def test_what_it_answers_arrives_in_the_style_in_which_it_answers(opened: Any) -> None:
    code = f"{ASK}def f(r):\n    y, x_bar = ask(r, y_bar=[3])\n    return repr((type(y), y, type(x_bar), x_bar))"
    styles = {
        "([1.5], [2, 3.0])": "([1.5], [2, 3.0])",
        "((1.5,), np.array([2, 3]))": "((1.5,), array([2, 3]))",
        "[(np.float64(1.5),), [np.int64(2), True]]": "((np.float64(1.5),), [np.int64(2), True])",
    }
    session = opened(code)
    for answer, expected in styles.items():
        given = program(f"import numpy as np\ndef reverse(graph, x, y_bar): return {answer}")
        y, x_bar = eval(expected, {"np": np, "array": np.array})
        assert session.functions["f"](given) == repr((type(y), y, type(x_bar), x_bar))
        assert given.asked.cotangents_but_one


@pytest.mark.parametrize("where", ["in a session", "at home"])
@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("raise KeyError('secret')", "raised"),
        ("return 1 / 0", "raised"),
        ("return reverse(graph, x, y_bar)", "raised"),
        ("return 'secret'", "no numbers"),
        ("return object()", "no numbers"),
        ("return (x, {'secret': 1})", "no numbers"),
        ("return [[[[[1.0]]]]]", "no numbers"),
        ("return [0.5] * 10**6", "no numbers"),
        ("return [10**40]", "no numbers"),
    ],
)
def test_what_it_raises_and_what_is_not_made_of_numbers_arrives_as_one_kind_of_error(
    opened: Any, source: str, kind: str, where: str
) -> None:
    code = f"{ASK}def f(r):\n    try: return ask(r)\n    except ImplementationError as e:\n"
    code += "        return [e.kind, str(e), type(e).__name__, repr((e.__context__, e.__cause__))]"
    given = program(f"def reverse(graph, x, y_bar): {source}")
    if where == "at home":
        space: dict[str, Any] = {}
        exec(HEAD + code, space)
        told = space["f"](given)
    else:
        told = opened(code).functions["f"](given)
    assert told == [kind, implementations.FAILURES[kind], "ImplementationError", "(None, None)"]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("(adkit.Graph([adkit.Node('input')] * 401, range(401), (0,)), [1.0] * 401, [1.0])", "at most 400 nodes"),
        (
            "(adkit.Graph([adkit.Node('input'), adkit.Node('add', [0] * 1001)], [0], [1]), [1.0], [1.0])",
            "1,000 arguments",
        ),
        ("(adkit.Graph([adkit.Node('input')], [0], [0] * 201), [1.0], [1.0] * 201)", "at most 200 outputs"),
        ("(graph, [1.0] * 201, [1.0])", "x may have at most 200 entries"),
        ("(graph, [1.0, 2.0], np.ones(10**6))", "y_bar may have at most 200 entries"),
        ("(graph, ['a', 'b'], [1.0])", "x should be a sequence of real numbers"),
        ("(graph, [1j, 2.0], [1.0])", "x should be a sequence of real numbers"),
        ("(graph, 1.0, [1.0])", "x should be a sequence of real numbers"),
        ("('graph', [1.0], [1.0])", "an adkit.Graph, got a str"),
    ],
)
def test_a_question_beyond_the_limits_is_an_error_that_says_which_at_home_and_when_graded(
    opened: Any, question: str, words: str
) -> None:
    code = f"{ASK}def f(r):\n    try: return r(*{question})\n    except ValueError as e: return str(e)"
    space: dict[str, Any] = {}
    exec(HEAD + code, space)
    assert words in space["f"](program())
    assert words in opened(code).functions["f"](program())


def test_what_a_student_is_refused_is_known_to_the_case(opened: Any) -> None:
    code = f"{ASK}def f(r):\n    try: r(graph, [1.0] * 300, [1.0])\n    except ValueError: return False"
    given = program()
    # the submission's own side refuses it already; what is sent without that side is refused, and noted, by the grader
    forged = code.replace("r(graph, [1.0] * 300, [1.0])", "forged(r)") + FORGED
    assert opened(forged).functions["f"](given) is False
    assert "beyond the limits" in given.asked.refused


FORGED = """
def forged(r, **columns):
    from autograder.isolation import implementations
    honest = implementations.sent(adkit.implementations.question(graph, [1.0, 2.0], [1.0]))
    honest = {**honest, "x": np.ones(300), **columns} if "data" not in columns else columns["data"]
    implementations.sent = lambda question: honest
    return r(graph, [1.0, 2.0], [1.0])
"""
HONEST = isolated.sent(implementations.question(adkit.toy_graph(), [1.0, 2.0], [1.0]))
FORGERIES: dict[str, Any] = {
    "no question": None,
    "a text": "graph",
    "another key": {**HONEST, "more": 1},
    "a missing column": {name: HONEST[name] for name in HONEST if name != "ops"},
    "a list": {**HONEST, "args": [0, 1]},
    "floats for whole numbers": {**HONEST, "args": HONEST["args"].astype(float)},
    "two axes": {**HONEST, "ops": HONEST["ops"].reshape(1, -1)},
    "an unknown op": {**HONEST, "ops": HONEST["ops"] + 100},
    "a negative op": {**HONEST, "ops": HONEST["ops"] - 100},
    "a negative count": {**HONEST, "counts": np.array([0, 0, 2, 1, -1])},
    "a huge count": {**HONEST, "counts": np.array([0, 0, 2, 1, 2**62])},
    "arguments left over": {**HONEST, "args": np.zeros(9, np.int64)},
    "a forward reference": {**HONEST, "args": np.full_like(HONEST["args"], 4)},
    "an output that is no node": {**HONEST, "outputs": np.array([2**62])},
    "a constant of an add": {**HONEST, "values": np.ones(5)},
    "infinite constants": {**HONEST, "values": np.full(5, np.inf)},
    "columns of two lengths": {**HONEST, "values": np.ones(4)},
    "too many nodes": {**HONEST, "ops": np.zeros(10**5, np.int64)},
    "too many arguments": {**HONEST, "args": np.zeros(10**5, np.int64)},
    "too many entries": {**HONEST, "y_bar": np.zeros(10**5)},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_question_is_refused_before_anything_is_run(forgery: str) -> None:
    def start() -> Process:
        raise AssertionError("a process was started")

    from autograder.isolation.clock import Clock

    implementation = isolated.Implementation(program(), start, lambda: None, Clock())
    assert set(implementation.answer(FORGERIES[forgery], Clock().deadline(10))) == {"refused"}


def test_questions_that_are_sent_are_received_as_they_were() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        nodes = [adkit.Node("input"), adkit.Node("const", (), random.normal())]
        for index in range(2, 30):
            op = str(random.choice(["add", "sub", "mul", "div", "sin", "neg"]))
            count = {"add": int(random.integers(2, 6)), "sin": 1, "neg": 1}.get(op, 2)
            nodes.append(adkit.Node(op, [int(arg) for arg in random.integers(0, index, count)]))
        graph = adkit.Graph(nodes, [0], [int(index) for index in random.integers(0, 30, 4)])
        asked = implementations.question(graph, random.normal(size=1), random.normal(size=4))
        again = isolated.received(frames.decode(frames.encode(isolated.sent(asked))))
        assert again.graph == graph
        assert np.array_equal(again.x, asked.x)
        assert np.array_equal(again.y_bar, asked.y_bar)


FORKS = """
import os
def reverse(graph, x, y_bar): return [float(os.getpid())], [float(os.getuid())]
"""


def test_an_implementation_knows_the_questions_of_its_own_call_alone(opened: Any) -> None:
    session = opened(f"{ASK}def f(r): return [[os.getpid()], *(ask(r) for _ in range(5))]")
    sources = [FORKS, f"seen = []\n{FORKS.replace('return ', 'seen.append(1); return [float(len(seen))], ')}"]
    _, *answers = session.functions["f"](program(sources[1]))
    assert [y[0] for y, *_ in answers] == [1.0, 2.0, 3.0, 4.0, 5.0]
    _, first, *_ = session.functions["f"](program(sources[1]))
    assert first[0] == [1.0]  # the next one knows nothing of the last one
    assert session.log.restarts == 0


def test_it_can_reach_neither_files_nor_the_network_nor_the_reference(opened: Any) -> None:
    tries = """
def reverse(graph, x, y_bar):
    import os, socket
    import adkit
    def fails(act):
        try: act()
        except (OSError, ImportError): return 1.0
        return 0.0
    import importlib
    course = os.path.dirname(os.path.dirname(os.path.dirname(adkit.__file__)))
    return [
        fails(lambda: open(os.path.join(course, "reference", "ad_modes.py")).read()),
        fails(lambda: open(os.path.join(course, "assignments", "ad_modes", "assignment.toml")).read()),
        fails(lambda: socket.socket()),
        fails(lambda: os.fork()),
        fails(lambda: importlib.import_module("reference.ad_modes")),
    ], []
"""
    assert opened(f"{ASK}def f(r): return ask(r)[0]").functions["f"](program(tries)) == [1.0] * 5


ENDLESS = "def reverse(graph, x, y_bar):\n    while True: pass"


def test_one_that_takes_too_long_is_ended_and_never_answers_again(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementations, "CALL_SECONDS", 0.3)
    code = f"""{ASK}
def kind(r):
    try: ask(r)
    except ImplementationError as e: return e.kind
def f(r): return [kind(r) for _ in range(100)]
"""
    session = opened(code)
    started = time.monotonic()
    assert session.functions["f"](program(ENDLESS)) == ["too slow"] * 100
    assert time.monotonic() - started < 15  # and not a hundred times the limit
    assert session.log.restarts == 0
    assert session.log.timeouts == []


def test_all_its_calls_together_have_a_limit_in_seconds(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementations, "ALL_SECONDS", 0.5)
    slow = "import time\ndef reverse(graph, x, y_bar):\n    time.sleep(0.2)\n    return [], []"
    code = f"{ASK}def f(r):\n    n = 0\n    try:\n        while n < 100: ask(r); n += 1\n"
    code += "    except ImplementationError as e: return [n, e.kind]"
    count, kind = opened(code).functions["f"](program(slow))
    assert kind == "too slow"
    assert 0 < count < 4


def test_one_that_ends_its_process_gives_a_kind_of_failure_and_no_words(opened: Any) -> None:
    code = f"{ASK}def f(r):\n    try: return ask(r)\n    except ImplementationError as e: return [e.kind, str(e)]"
    dead = opened(code).functions["f"](program("def reverse(graph, x, y_bar):\n    import os\n    os._exit(77)"))
    assert dead == ["ended", implementations.FAILURES["ended"]]


def test_more_calls_than_the_limit_are_refused_in_words(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementations, "MOST_CALLS", 20)
    code = f"{ASK}def f(r):\n    n = 0\n    try:\n        while True: ask(r); n += 1\n"
    code += "    except ValueError as e: return [n, str(e)]"
    count, words = opened(code).functions["f"](program())
    assert count == 20
    assert "at most 20 times" in words


def test_one_that_is_kept_answers_in_no_later_call(opened: Any) -> None:
    code = f"""{ASK}
kept = []
def f(r):
    kept.append(r)
    try: return ask(kept[0])
    except ImplementationError as e: return e.kind
def g(x):
    try: return ask(kept[0])
    except ImplementationError as e: return e.kind
"""
    session = opened(code)
    y, _ = session.functions["f"](program())
    assert y == [1.0]
    assert session.functions["f"](program()) == "over"
    assert session.functions["g"](1) == "over"


@pytest.mark.parametrize("other", ["1", "lambda x: x"])
def test_one_that_is_kept_and_forged_anew_is_not_asked_in_a_call_of_another_function(opened: Any, other: str) -> None:
    code = f"""{ASK}
kept = []
def f(r):
    kept.append(r)
    return 1
def g(x):
    kept[0]._over = False
    try: return ask(kept[0])
    except (ImplementationError, KeyError) as e: return type(e).__name__
"""
    session = opened(code)
    assert session.functions["f"](program()) == 1
    assert session.functions["g"](eval(other)) == "ImplementationError"


def test_one_that_is_kept_and_forged_anew_asks_the_implementation_of_the_call_at_hand(opened: Any) -> None:
    code = f"{ASK}kept = []\ndef f(r):\n    kept.append(r)\n    kept[0]._over = False\n    return ask(kept[0])[0]"
    session = opened(code)
    for number in (1.0, 2.0):
        assert session.functions["f"](program(f"def reverse(graph, x, y_bar): return [{number}], []")) == [number]


def test_two_implementations_in_one_call_are_the_tests_mistake(opened: Any) -> None:
    with pytest.raises(TypeError, match="several implementations"):
        opened("def f(r, s): return 1").functions["f"](program(), program())


@pytest.mark.parametrize(
    "answer",
    [
        "'text'", "[b'bytes']", "{'a': 1}", "1j", "np.zeros(3, complex)", "np.zeros((2, 2, 2, 2))", "[0.0] * 60_000",
        "[[[[[1.0]]]]]",
    ],
)  # fmt: skip
def test_a_disposable_process_that_was_taken_over_gets_no_more_across_than_numbers(opened: Any, answer: str) -> None:
    forged = f"""
import sys
import numpy as np
def reverse(graph, x, y_bar):
    from adkit import implementations
    implementations.answered = lambda function, question: {answer}
    return implementations.answered(0, 0)
reverse(0, 0, 0)
"""
    code = f"{ASK}def f(r):\n    try: return ask(r)\n    except ImplementationError as e: return e.kind"
    assert opened(code).functions["f"](program(forged)) in ("no numbers", "raised")


def test_a_public_case_needs_neither_a_reference_nor_a_program(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"{ASK}def f(r): return ask(r, y_bar=[2.0])"
    own = Program("def reverse(graph, x, y_bar): return [7.0], [y_bar[0]] * 2", "reverse")
    for instead, y in ((None, 1.0 * 2.0 + np.sin(1.0)), (own, 7.0)):
        monkeypatch.setattr(implementations, "graders_own", instead)
        answer = opened(code).functions["f"](Implementation())
        assert np.allclose(answer[0], [y])
    monkeypatch.setattr(implementations, "graders_own", None)
    negated = opened(code).functions["f"](Implementation(spoiled="negated"))
    assert np.allclose(negated[1], [-2.0 * (2.0 + np.cos(1.0)), -2.0])


def test_it_is_the_same_call_for_checks_at_home_and_in_a_session(opened: Any) -> None:
    code = f"{ASK}def f(r):\n    return all(ask(r)[1] == [1.0, 1.0] for _ in range(3))"
    space: dict[str, Any] = {}
    exec(HEAD + code, space)
    for function in (space["f"], opened(code).functions["f"]):
        assert checks.call(function, program()) is True


def test_calls_are_counted_for_each_call_of_the_test_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementations, "MOST_CALLS", 3)
    space: dict[str, Any] = {}
    exec(f"{HEAD}{ASK}def f(r): return [ask(r)[1] for _ in range(3)]", space)
    given = program()
    assert checks.call(space["f"], given) == checks.call(space["f"], given)


def test_its_process_has_the_limits_of_a_submission(opened: Any) -> None:
    greedy = "import numpy as np\nkept = []\ndef reverse(graph, x, y_bar):\n    while True: kept.append(np.ones(10**7))"
    limits = replace(LIMITS, memory_bytes=400 * 2**20)
    code = f"{ASK}def f(r):\n    try: ask(r)\n    except ImplementationError as e: return e.kind"
    assert opened(code, limits).functions["f"](program(greedy)) in ("ended", "raised")
