"""Known mistakes are recognised by their answers, in hidden and in public cases."""

import json

import numpy as np
import pytest
from adkit import checks
from adkit.checks import known_mistakes
from cases_here import failures, settled
from otter.test_files import ExceptionTestFile

from autograder.assignment import Assignment
from autograder.build.course import Course
from autograder.grading import recognition
from reference import matrix_gradients as reference
from reference.facts import Facts
from reference.mistakes import catalogue

ASSIGNMENT = Assignment.load("matrix_gradients")
REFERENCES = {name: getattr(reference, name) for name in ASSIGNMENT.functions}
MISTAKES = {f"{entry.function}__{entry.name}": entry for entry in catalogue("matrix_gradients")}


@pytest.fixture
def installed():
    recognition.install("matrix_gradients")
    yield
    known_mistakes.recogniser = None


def messages(question, functions, only=None):
    file = ExceptionTestFile.from_file(str(ASSIGNMENT.tests_dir / f"{question}.py"))
    file.test_cases = [c for c in file.test_cases if only is None or c.body.test_func.__name__ in only]
    file.run({**REFERENCES, **functions})
    return {r.test_case.body.test_func.__name__: str(r.message) for r in file.test_case_results if not r.passed}


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("linear_solve_vjp__transpose_missing", "test_q1_b_bar_of_random_vectors"),
        ("linear_solve_vjp__b_for_x", "test_q1_a_bar_of_a_vector"),
        ("linear_solve_vjp__outer_of_sums", "test_q1_a_matrix_of_right_hand_sides"),
        ("linear_solve__minus_missing", "test_q2_value_and_gradient"),
        ("nuclear_norm_gradient__w_returned", "test_q3_random_matrices"),
        ("nuclear_norm_gradient__through_the_svd", "test_q3_repeated_and_random"),
        ("numerical_gradient__divided_by_h", "test_q4_gradient_of_a_function_of_a_matrix"),
        ("check_gradient__nan_passes", "test_q4_check_nan"),
        ("check_gradient__absolute_tolerance", "test_q4_check_is_relative"),
        ("svd_vjp__f_sign", "test_q5_all_three_cotangents"),
        ("svd_vjp__left_projector_missing", "test_q5_left_factor_of_tall_matrices"),
    ],
)
def test_a_mistake_is_named(installed, name, case):
    entry = MISTAKES[name]
    told = messages(entry.question, {entry.function: entry.implementation}, {case})
    assert entry.says in told[case]


def test_mistakes_that_one_case_cannot_tell_apart_are_told_apart_by_all(installed):
    entry = MISTAKES["check_gradient__allclose"]
    found = failures("matrix_gradients", "q4", {entry.function: entry.implementation})
    assert {name: told.names for name, told in settled("matrix_gradients", "q4", found).items()} == {
        "test_q4_check_is_relative": ("check_gradient__allclose",)
    }


def test_a_fact_that_denies_takes_away_a_mistake_that_answers_the_same(installed, monkeypatch):
    entry = MISTAKES["nuclear_norm_gradient__w_returned"]
    found = failures("matrix_gradients", "q3", {entry.function: entry.implementation})

    def named():
        told = settled("matrix_gradients", "q3", found).values()
        return any("nuclear_norm_gradient__w_returned" in each.names for each in told)

    assert named()
    one = next(iter(found))  # what it denies in one case holds in all
    facts = Facts()
    facts["nuclear_norm_gradient__w_returned"] = lambda failure: -1 if failure.test == one else 0
    monkeypatch.setattr(recognition, "facts_of", lambda assignment: facts)
    assert not named()


def test_another_way_to_write_a_mistake_is_the_same_mistake(installed):
    import numpy as np

    def nuclear_norm_gradient(W):
        return np.asarray(W).tolist()

    says = MISTAKES["nuclear_norm_gradient__w_returned"].says
    told = messages("q3", {"nuclear_norm_gradient": nuclear_norm_gradient}, {"test_q3_a_tall_matrix"})
    assert says in told["test_q3_a_tall_matrix"]


def test_an_unknown_wrong_answer_gets_no_sentence(installed):
    def nuclear_norm_gradient(W):
        return W + 17.0

    told = messages("q3", {"nuclear_norm_gradient": nuclear_norm_gradient}, {"test_q3_a_tall_matrix"})
    assert all(entry.says not in told["test_q3_a_tall_matrix"] for entry in MISTAKES.values())


def test_what_is_nearly_right_is_not_taken_for_a_mistake_that_is_nearly_right(installed):
    def nuclear_norm_gradient(W):
        G = np.array(reference.nuclear_norm_gradient(W))
        G[0, 0] += 1e-6
        return G

    told = messages("q3", {"nuclear_norm_gradient": nuclear_norm_gradient}, {"test_q3_a_tall_matrix"})
    assert all(entry.says not in told["test_q3_a_tall_matrix"] for entry in MISTAKES.values())
    assert "nearly right: about " in told["test_q3_a_tall_matrix"]


def test_a_mistake_that_is_nearly_right_is_recognised(installed):
    mistake = MISTAKES["nuclear_norm_gradient__damped"]
    told = messages("q3", {"nuclear_norm_gradient": mistake.implementation}, {"test_q3_a_tall_matrix"})
    assert mistake.says in told["test_q3_a_tall_matrix"]


def public_tests():
    return Course.of(ASSIGNMENT).public_tests("matrix_gradients")


def test_the_handed_out_table_is_about_public_cases_only():
    public = {
        case.body.test_func.__name__
        for file in public_tests().glob("q*.py")
        for case in ExceptionTestFile.from_file(str(file)).test_cases
    }
    table = json.loads((public_tests() / "known_mistakes.json").read_text())
    assert table["checks"]
    assert set(table["checks"]) <= public


def told_publicly(question, functions):
    """What the public checks say on a student's machine, where nothing but their file knows of mistakes."""
    file = ExceptionTestFile.from_file(str(public_tests() / f"{question}.py"))
    file.run({**REFERENCES, **functions})
    return {r.test_case.body.test_func.__name__: str(r.message) for r in file.test_case_results if not r.passed}


def test_what_the_grader_says_to_a_mistake_is_what_a_students_own_check_says(monkeypatch):
    monkeypatch.setattr(known_mistakes, "recogniser", None)
    files = [public_tests() / f"q{number}.py" for number in (1, 3, 5)]
    answers = [a for a in recognition.public_answers("matrix_gradients", files) if not a.rounding]
    assert len(answers) > 50
    told = {m: told_publicly(m.question, {m.function: m.implementation}) for m in {a.mistake for a in answers}}
    silent = [
        (answer.test, answer.mistake.name)
        for answer in answers
        if not any(
            said and said in told[answer.mistake][answer.test] for said in (answer.mistake.says, answer.mistake.openly)
        )
    ]
    # NaN alone comes out of two mistakes there, and neither is named
    assert silent == [("test_q3_a_matrix_of_rank_one", name) for name in ("inverse_root", "through_the_svd")]


def test_a_mistake_made_of_rounding_is_left_to_the_grader():
    answers = recognition.public_answers("matrix_gradients", [public_tests() / "q3.py"])
    assert {a.rounding for a in answers if a.mistake.name == "single_precision"} == {True}
    assert {a.rounding for a in answers if a.mistake.name in ("w_returned", "transposed")} == {False}


def test_inputs_and_right_answers_of_public_cases_are_what_a_student_holds():
    held = list(recognition.held_values("matrix_gradients", [public_tests() / "q3.py"], {}))
    W = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
    origins = [h.origin for h in held if isinstance(h.value, np.ndarray) and np.array_equal(h.value, W)]
    assert "an input of test_q3_a_tall_matrix" in origins
    right = [h.value for h in held if h.origin == "the right answer in test_q3_a_tall_matrix"]
    assert np.allclose(right[0], REFERENCES["nuclear_norm_gradient"](W))


def test_an_answer_of_one_word_needs_a_single_mistake():
    assert checks.sentence_of(["a", "b"], True) is None
    assert checks.sentence_of(["a", "a"], True) == "a"
    assert checks.sentence_of(["a", "b"], [1.0, 2.0]) == "a Or: b"
    assert checks.sentence_of(["a", "b", "c"], [1.0, 2.0]) is None
    assert checks.sentence_of([], [1.0, 2.0]) is None


def test_every_mistake_has_a_sentence_and_a_function_of_its_question():
    for entry in MISTAKES.values():
        assert entry.says.endswith(".")
        assert entry.function in ASSIGNMENT.question(entry.question).functions


# --- what is remembered ------------------------------------------------------------------------------------------

TRANSPOSED = MISTAKES["linear_solve_vjp__transpose_missing"]
HIDDEN = "test_q1_b_bar_of_random_vectors"


@pytest.fixture
def forgotten(installed):
    recognition._recogniser.cache_clear()
    recognition.install("matrix_gradients")
    yield
    recognition._recogniser.cache_clear()


def told_of_the_missing_transpose():
    return messages("q1", {"linear_solve_vjp": TRANSPOSED.implementation}, {HIDDEN})[HIDDEN]


def nothing_is_run(*_arguments):
    raise AssertionError("a mistake was run again")


def test_what_mistakes_answer_is_handed_to_the_next_process(forgotten, tmp_path, monkeypatch):
    assert TRANSPOSED.says in told_of_the_missing_transpose()
    recognition.save_answers("matrix_gradients", tmp_path / "answers.json")
    recognition._recogniser.cache_clear()
    recognition.install("matrix_gradients")
    recognition.load_answers("matrix_gradients", tmp_path / "answers.json")
    monkeypatch.setattr(recognition, "_answer_of", nothing_is_run)
    assert TRANSPOSED.says in told_of_the_missing_transpose()


def test_answers_under_another_seed_are_not_taken_for_these(forgotten, monkeypatch):
    assert TRANSPOSED.says in told_of_the_missing_transpose()
    monkeypatch.setenv("AUTOGRADER_SEED", "another course")
    assert TRANSPOSED.says in told_of_the_missing_transpose()


def test_answers_are_kept_where_only_their_owner_reads(forgotten, tmp_path):
    told_of_the_missing_transpose()
    recognition.save_answers("matrix_gradients", tmp_path / "answers.json")
    assert (tmp_path / "answers.json").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["answers.json"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"place": 3}', '{"place": {"name": [1]}}', '{"place": {"name": "x"}}']
)
def test_an_unusable_file_of_answers_costs_time_only(forgotten, tmp_path, content):
    (tmp_path / "answers.json").write_text(content)
    recognition.load_answers("matrix_gradients", tmp_path / "answers.json")
    recognition.load_answers("matrix_gradients", tmp_path / "no such file")
    assert TRANSPOSED.says in told_of_the_missing_transpose()
