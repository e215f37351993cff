"""Mutants of the references lose points: a sample of `make validity`; and are its figures those of this code?"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from validity import mutants, record
from validity.mutants import ASSIGNMENTS, mutants_of, questions_of
from validity.oracles import WrongError, near, oracles_of
from validity.record import Outcomes
from validity.scoring import cases_of

from autograder.assignment import Assignment
from reference.mistakes import catalogue

QUESTIONS = [(assignment, question) for assignment in ASSIGNMENTS for question in questions_of(assignment)]


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    return record.read_summary()


# ---------------------------------------- the figures


def test_the_figures_are_of_the_references_tests_and_oracles_as_they_are(summary: dict[str, Any]) -> None:
    stale = record.stale(summary)
    assert not stale, f"run make validity, and commit benchmarks/validity.json: out of date are {', '.join(stale)}"


def test_every_mutant_that_is_wrong_loses_points_and_every_figure_has_its_reason(summary: dict[str, Any]) -> None:
    assert record.problems(summary) == []


def test_no_mutant_that_is_wrong_keeps_its_points(summary: dict[str, Any]) -> None:
    entries = [entry for questions in summary["assignments"].values() for entry in questions.values()]
    assert sum(entry["mutants"] for entry in entries) >= record.LEAST_MUTANTS
    assert [name for entry in entries for name in entry["survivors"]] == []


def test_the_handbook_shows_these_figures(summary: dict[str, Any]) -> None:
    page = record.PAGE.read_text("utf-8")
    assert page == record.page_with_table(page, summary), "run make validity, which writes the handbook's tables"


def test_what_is_listed_by_hand_is_a_mutant_of_today() -> None:
    for (assignment, question), entry in record.by_hand().items():
        assert set(entry["equivalent"]) <= {mutant.name for mutant in mutants_of(assignment, question)}


def test_a_survivor_too_few_public_ones_and_cases_alike_are_problems() -> None:
    entry = {
        "mutants": 700, "lose points": 100, "lose public points": 79, "survivors": ["f: a → b"],
        "equivalent by hand": {f"m{k}": "why" for k in range(36)}, "why few are public": "",
        "alike": [["test_one", "test_two", ""]],
    }  # fmt: skip
    found = record.problems({"assignments": {"toy": {"q1": entry}}})
    assert len(found) == 4
    entry |= {"lose public points": 80, "survivors": [], "equivalent by hand": {}, "alike": [["one", "two", "why"]]}
    assert record.problems({"assignments": {"toy": {"q1": entry}}}) == []


# ---------------------------------------- no mutant costs another question points


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_case_asks_for_functions_of_its_own_question_only(assignment: str) -> None:
    for question in Assignment.load(assignment).questions:
        tests = ast.parse((Assignment.load(assignment).tests_dir / f"{question.name}.py").read_text("utf-8"))
        for case in (node for node in tests.body if isinstance(node, ast.FunctionDef)):
            assert {arg.arg for arg in case.args.args} <= set(question.functions), case.name


# ---------------------------------------- a sample, and how mutants are run


def test_mutants_are_run_by_forks_of_a_process_in_which_jax_has_no_threads() -> None:
    """The tests of `validity_by_forks.py`: in the process of a test suite JAX has been used before."""
    tests = Path(__file__).with_name("validity_by_forks.py")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(command, cwd=tests.parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_beside_other_tests_those_that_fork_say_at_once_that_they_need_a_process_of_their_own(tmp_path: Path) -> None:
    other = tmp_path / "test_other.py"
    other.write_text("def test_nothing(): pass\n")
    tests = Path(__file__).with_name("validity_by_forks.py")
    one = f"{tests}::test_no_case_is_run_behind_the_first_that_fails_where_that_is_all_that_is_asked"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(other), one]
    done = subprocess.run(command, cwd=tests.parents[2], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "needs a process of its own: pytest -n 0" in done.stdout


def test_every_question_has_an_oracle() -> None:
    assert [pair for pair in QUESTIONS if pair[1] not in oracles_of(pair[0])] == []


def test_nothing_broadcasts_before_an_oracle() -> None:
    near([1.0, 2.0], [1.0, 2.0], "the same", rtol=0)
    for wrong in ([[1.0, 2.0]], [1.0], 1.0, [1.0, float("nan")], [1.0, 2.1]):
        with pytest.raises(WrongError):
            near(wrong, [1.0, 2.0], "something else", rtol=1e-3)


LOOPS = {
    "the same again": ("s = 1.0\n    while s > 0: pass", "-"),
    "until there is no smaller number": ("s = 1.0\n    while s > -1: s = s / 2", "-"),
    "a list that is emptied": ("todo = [1]\n    while todo: todo = [*todo[1:], 1]", "-"),
    "something new each time": ("s = 0\n    while s >= 0: s += 1", "t"),
    "as many times as there are entries": ("for _ in repeat(1): pass", "t"),
    "until an iterator ends": ("more, s = repeat(1), 1\n    while s: s = next(more, 0)", "t"),
}
"""Bodies of functions that do not end soon, and whether they are certain never to."""


IN_A_PROCESS = """
import itertools, sys
sys.path[:0] = {path!r}
from validity import mutants, scoring

scoring.WATCHED = 0.3
functions = {{"repeat": itertools.repeat}}
exec(compile("def f():\\n    " + {body!r}, mutants.CODE + " a test>", "exec"), functions)
print(scoring.passes(lambda given: given["f"](), functions, 0.1))
"""


@pytest.mark.parametrize("what", LOOPS)
def test_a_loop_fails_where_it_is_certain_not_to_end(what: str) -> None:
    body, expected = LOOPS[what]
    # Not here: where JAX has calls pending, Python 3.11 may never come back from a signal in code that is traced.
    program = IN_A_PROCESS.format(path=sys.path, body=body)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == expected, done.stderr


# ---------------------------------------- how mutants are made


SOURCE = '''"""A module."""
LIMIT = 3

def _shared(a):
    """Twice."""
    return 2 * a

def f(x, y):
    """Of two."""
    if x < y:
        raise ValueError(f"x is {x}")
    return _shared(x) - y.T

def g(x):
    return _shared(x) + LIMIT

f.defvjp(_other)

def _other(x):
    return x[1:]

def unused(x):
    return x
'''


def test_a_function_reaches_its_helpers_constants_and_rules() -> None:
    tree = ast.parse(SOURCE)
    assert set(mutants.reaches(tree, ["f"])) == {"_shared", "f", "_other"}
    assert len(mutants.reaches(tree, ["f"])["f"]) == 2
    assert set(mutants.reaches(tree, ["g"])) == {"LIMIT", "_shared", "g"}


def test_edits_are_of_code_and_not_of_docstrings_and_messages() -> None:
    function = next(node for node in ast.parse(SOURCE).body if isinstance(node, ast.FunctionDef) and node.name == "f")
    made = [(ast.unparse(node), kind, new) for node, kind, new in mutants._variants_within(function)]
    assert ("x < y", "comparison", "(x <= y)") in made
    assert ("_shared(x) - y.T", "operator", "(_shared(x) + y.T)") in made
    assert ("_shared(x) - y.T", "dropped term", "(_shared(x))") in made
    assert ("_shared(x) - y.T", "swapped", "(y.T - _shared(x))") in made
    assert ("y.T", "transpose", "(y)") in made
    assert ("raise ValueError(f'x is {x}')", "dropped statement", "pass") in made
    assert not any("Of two" in old or old == "'x is '" for old, _, _ in made)


def test_a_shared_helper_is_mutated_for_each_question_that_uses_it() -> None:
    for question in ("q3", "q4"):
        names = {mutant.name.split(":")[0] for mutant in mutants_of("ad_modes", question)}
        assert {"node_values", "local_partials"} <= names


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_names_and_digests_of_mutants_are_different(assignment: str, question: str) -> None:
    found = mutants_of(assignment, question)
    assert len({mutant.name for mutant in found}) == len({mutant.digest for mutant in found}) == len(found) > 20


def test_comments_and_docstrings_change_no_digest() -> None:
    plain = ast.parse("def f(x):\n    return x + 1\n").body
    assert mutants.code(plain) == mutants.code(
        ast.parse('def f(x):\n    """F."""\n    # one\n    return (x +\n 1)').body
    )
    assert mutants.code(plain) != mutants.code(ast.parse("def f(x):\n    return x + 2\n").body)


REFERENCES = """
def shared(x): return 2 * x
def f(x): return shared(x)
"""
MISTAKES = """
from reference.toy import shared as doubled
from reference.mistakes import Catalogue, signs
q1 = Catalogue("toy").question("q1")
WORDS = "It is doubled."

def halved(x): return x / 2

@q1.mistake(says=WORDS, sign=signs.of(3))
def f__halved(x):
    'Half of it.'
    return halved(doubled(x))

@q1.mistake(says="It is 0.")
def f__zero(x): return 0
"""


def does(mistakes: str, references: str = REFERENCES) -> str:
    return mutants.code_within(mistakes, "f__halved", references, "reference.toy")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"It is doubled."', '"Twice too much."'),
        ("says=WORDS, sign=signs.of(3)", 'says="Other words", openly=True'),
        ("Half of it", "One half of it"),
        ("return 0", "return 1"),
    ],
)
def test_what_is_said_of_a_mistake_and_how_it_is_recognised_changes_no_digest(old: str, new: str) -> None:
    changed = MISTAKES.replace(old, new)
    assert changed != MISTAKES
    assert does(changed) == does(MISTAKES)


@pytest.mark.parametrize(
    ("old", "new"), [("halved(doubled(x))", "halved(x)"), ("x / 2", "x / 3"), ("shared as", "f as")]
)
def test_what_a_mistake_does_changes_its_digest_by_itself_and_by_what_it_calls(old: str, new: str) -> None:
    changed = MISTAKES.replace(old, new)
    assert changed != MISTAKES
    assert does(changed) != does(MISTAKES)
    assert does(MISTAKES, REFERENCES.replace("2 * x", "3 * x")) != does(MISTAKES)


@pytest.mark.parametrize(
    ("more", "same"), [("# the end\ndef unused(): pass\n", True), ("def node_values(graph, x): return x\n", False)]
)
def test_an_edit_is_known_by_what_it_makes_of_the_reference(
    more: str, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake = next(each for each in catalogue("ad_modes") if each.function == "reverse_mode" and each.edits)
    before = mutants.what_it_does.__wrapped__("ad_modes", mistake)
    assert mutants.what_it_does("ad_modes", replace(mistake, says="In other words.", openly="Words.")) == before
    text = Path(str(import_module("reference.ad_modes").__file__)).read_text(encoding="utf-8")
    monkeypatch.setattr(mutants, "_text_of", lambda module: f"{text}\n{more}")
    assert (mutants.what_it_does.__wrapped__("ad_modes", mistake) == before) is same


def test_a_syntax_tree_is_told_alike_by_every_python() -> None:
    (function,) = ast.parse("@g\ndef f(x, *, y=None):\n    return [x, y][0], {}, None").body
    assert mutants.code([function]) == (
        "FunctionDef(name='f', args=arguments(args=[arg(arg='x')], kwonlyargs=[arg(arg='y')], kw_defaults=[Constant()])"
        ", body=[Return(value=Tuple(elts=[Subscript(value=List(elts=[Name(id='x'), Name(id='y')]), slice=Constant("
        "value=0)), Dict(), Constant()]))], decorator_list=[Name(id='g')])"
    )


def test_outcomes_are_on_disk_at_once_and_known_again(tmp_path: Path) -> None:
    one, case = mutants_of("ad_modes", "q1")[0], cases_of("ad_modes", "q1")[0].name
    Outcomes.read(tmp_path).add(one, case, "-")
    with open(tmp_path / "outcomes.jsonl", "a") as stream:
        stream.write('{"torn')
    again = Outcomes.read(tmp_path)
    assert again.failed(one) == [case]
    assert again.finished(one)
    assert json.loads((tmp_path / "outcomes.jsonl").read_text().splitlines()[0])["mutant"] == one.name
