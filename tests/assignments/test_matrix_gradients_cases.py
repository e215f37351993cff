"""The cases of `matrix_gradients` give full points to what is right and take points from what is wrong."""

from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import matrix_gradients_solutions as solutions
import numpy as np
import pytest
from adkit.checks import known_mistakes
from jax.core import Tracer
from otter.test_files import ExceptionTestFile

from autograder.assignment import Assignment
from autograder.grading import recognition
from reference import matrix_gradients as reference
from reference.mistakes import catalogue

ASSIGNMENT = Assignment.load("matrix_gradients")
REFERENCES = {name: getattr(reference, name) for name in ASSIGNMENT.functions}
QUESTION_OF = {name: question.name for question in ASSIGNMENT.questions for name in question.functions}


@cache
def file_of(question):
    return ExceptionTestFile.from_file(str(ASSIGNMENT.tests_dir / f"{question}.py"))


def results(question, functions) -> dict[str, tuple[float, str]]:
    """{test function: (points, message, empty when passed)} with these functions in place of the references."""
    file = file_of(question)
    file.run({**REFERENCES, **functions})
    return {
        result.test_case.body.test_func.__name__: (
            result.test_case.points or 0.0,
            "" if result.passed else str(result.message).split("\n")[-1] or "failed",
        )
        for result in file.test_case_results
    }


def loses_points(question, functions):
    """Whether any case fails; stops at the first that does."""
    for case in file_of(question).test_cases:
        try:
            case.body.call_func({**REFERENCES, **functions})
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("question", [question.name for question in ASSIGNMENT.questions])
def test_the_reference_passes_every_case(question):
    failed = {name: told for name, (_, told) in results(question, {}).items() if told}
    assert not failed


@pytest.mark.parametrize("question", ASSIGNMENT.questions, ids=lambda question: question.name)
def test_points_sum_to_the_contract_and_about_two_fifths_are_public(question):
    cases = file_of(question.name).test_cases
    assert sum(case.points or 0 for case in cases) == question.points
    assert 0.35 <= sum(case.points or 0 for case in cases if not case.hidden) / question.points <= 0.45


def test_the_assignment_is_worth_35_points():
    assert ASSIGNMENT.points == 35


@pytest.mark.parametrize("mistake", catalogue("matrix_gradients"), ids=lambda m: f"{m.function}-{m.name}")
def test_every_mistake_loses_points_on_its_question(mistake):
    assert QUESTION_OF[mistake.function] == mistake.question
    assert loses_points(mistake.question, {mistake.function: mistake.implementation})


def test_a_case_asks_only_for_functions_of_its_own_question():
    # so a mistake can lose points on no other question
    for question in ASSIGNMENT.questions:
        for case in file_of(question.name).test_cases:
            assert set(case.body._get_func_params()) <= set(question.functions)


@pytest.mark.parametrize(("name", "what"), solutions.RIGHT, ids=lambda text: text.replace(" ", "-"))
def test_unusual_right_solutions_get_full_points(name, what):
    points, implementation = solutions.RIGHT[name, what]
    told = results(QUESTION_OF[name], {name: implementation})
    failed = {case: message for case, (_, message) in told.items() if message}
    assert sum(worth for worth, message in told.values() if not message) == points, failed


@pytest.mark.parametrize(("name", "what"), solutions.WRONG, ids=lambda text: text.replace(" ", "-"))
def test_subtly_wrong_solutions_lose_points(name, what):
    assert loses_points(QUESTION_OF[name], {name: solutions.WRONG[name, what]})


@pytest.mark.parametrize("what", ["with NumPy", "by elimination with NumPy, written into copies"])
def test_a_numpy_solve_is_told_why_it_gets_no_points_for_work(what):
    told = results("q1", {"linear_solve_vjp": solutions.RIGHT["linear_solve_vjp", what][1]})
    for case in ("test_q1_factorises_once", "test_q1_forms_no_inverse"):
        assert "these two points need jax.numpy" in told[case][1]


def test_what_an_exception_says_is_not_told_in_the_hidden_case_for_work():
    class TracerArrayConversionError(Exception):  # as a submission may call its own
        pass

    def linear_solve_vjp(A, b, x_bar):
        if isinstance(A, Tracer):
            raise TracerArrayConversionError("a hidden case's numbers")
        return reference.linear_solve_vjp(A, b, x_bar)

    told = results("q1", {"linear_solve_vjp": linear_solve_vjp})["test_q1_forms_no_inverse"][1]
    assert "these two points need jax.numpy" in told
    assert "numbers" not in told


def test_work_in_a_loop_that_the_data_end_is_not_taken_for_work_done_once():
    """An inverse, a column a turn: in a loop of unknown length each turn would stand for all."""

    def linear_solve_vjp(A, b, x_bar):
        factors = jax.scipy.linalg.lu_factor(A)
        n = A.shape[0]
        turns = n + (0 * A[0, 0]).astype(int)

        def column(state):
            k, inverse = state
            return k + 1, inverse.at[:, k].set(jax.scipy.linalg.lu_solve(factors, jnp.eye(n)[:, k]))

        _, inverse = jax.lax.while_loop(lambda state: state[0] < turns, column, (0, jnp.zeros((n, n))))
        b_bar = inverse.T @ x_bar
        return -b_bar.reshape(n, -1) @ (inverse @ b).reshape(n, -1).T, b_bar

    told = results("q1", {"linear_solve_vjp": linear_solve_vjp})
    lost = {name for name, (_, message) in told.items() if message}
    assert lost == {"test_q1_factorises_once", "test_q1_forms_no_inverse"}
    assert "work cannot be counted there" in told["test_q1_forms_no_inverse"][1]


WORK = {
    "q1": {"test_q1_factorises_once", "test_q1_forms_no_inverse"},
    "q2": {"test_q2_forward_factorises_once", "test_q2_backward_reuses_the_factors"},
}


def earned(question, functions, cases):
    """Which of these cases pass, and what the others say."""
    told = {}
    for case in file_of(question).test_cases:
        name = case.body.test_func.__name__
        if name in cases:
            try:
                case.body.call_func({**REFERENCES, **functions})
            except AssertionError as problem:
                told[name] = str(problem)
    return set(cases) - set(told), told


@pytest.mark.parametrize(
    "mistake",
    [mistake for mistake in catalogue("matrix_gradients") if mistake.question in WORK],
    ids=lambda m: f"{m.function}-{m.name}",
)
def test_a_mistake_in_the_answer_keeps_the_points_for_work(mistake):
    about_work = {"factorised_twice", "inverse_formed", "without_a_rule", "factorised_again", "inverse_kept"}
    about_work |= {"factorised_per_column", "no_pivoting"}  # which is written with NumPy
    kept, told = earned(mistake.question, {mistake.function: mistake.implementation}, WORK[mistake.question])
    assert (kept == WORK[mistake.question]) is (mistake.name not in about_work), told


@pytest.mark.parametrize("what", solutions.HONEST)
def test_an_answer_that_is_wrong_twice_keeps_the_points_for_work(what):
    function = solutions.HONEST[what]
    kept, told = earned("q1", {"linear_solve_vjp": function}, WORK["q1"])
    assert kept == WORK["q1"], told
    assert loses_points("q1", {"linear_solve_vjp": function})


@pytest.mark.parametrize("what", solutions.NONSENSE)
def test_work_beside_an_answer_that_does_not_need_it_earns_nothing(what):
    kept, told = earned("q1", {"linear_solve_vjp": solutions.NONSENSE[what]}, WORK["q1"])
    assert not kept
    assert all("not part of the answer" in message for message in told.values())


@pytest.mark.parametrize("nonsense", [lambda x, b: 0 * x, lambda x, b: b + 0 * x, lambda x, b: jnp.ones_like(b) * x[0]])
def test_work_of_a_forward_pass_that_answers_something_else_earns_nothing(nonsense):
    kept, told = earned("q2", {"linear_solve": solutions.with_rule(of_x=nonsense)}, WORK["q2"])
    assert kept == {"test_q2_backward_reuses_the_factors"}
    assert "not part of the answer" in told["test_q2_forward_factorises_once"]


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda A_bar, b_bar, x_bar: (0 * A_bar, 0 * b_bar),
        lambda A_bar, b_bar, x_bar: (jnp.outer(x_bar, x_bar), x_bar + 0 * b_bar),
        lambda A_bar, b_bar, x_bar: (jnp.ones_like(A_bar), jnp.sum(b_bar) * x_bar),
    ],
)
def test_work_of_a_backward_pass_that_answers_something_else_earns_nothing(nonsense):
    kept, told = earned("q2", {"linear_solve": solutions.with_rule(of_cotangents=nonsense)}, WORK["q2"])
    assert kept == {"test_q2_forward_factorises_once"}
    assert "not part of the answer" in told["test_q2_backward_reuses_the_factors"]


def named(monkeypatch, question, functions):
    """{test function: the sentence of the known mistake that is named, and the rest of the message}."""
    monkeypatch.setattr(known_mistakes, "recogniser", recognition._recogniser("matrix_gradients"))
    return {name: message for name, (_, message) in results(question, functions).items() if message}


def test_nan_alone_is_not_taken_for_one_of_two_mistakes(monkeypatch):
    def sigma_divided_by_itself(W):
        U, s, Vt = np.linalg.svd(W, full_matrices=False)
        with np.errstate(invalid="ignore"):
            return U @ np.diag(np.where(s > 1e-12, s, 0.0) / np.where(s > 1e-12, s, 0.0)) @ Vt

    told = named(monkeypatch, "q3", {"nuclear_norm_gradient": sigma_divided_by_itself})
    assert "NaN" in told["test_q3_a_matrix_of_rank_one"]
    assert "differentiated through" not in told["test_q3_a_matrix_of_rank_one"]


def test_a_difference_quotient_is_not_taken_for_a_damped_sigma(monkeypatch):
    def by_differences(W):
        G = np.zeros(W.shape)
        for i in np.ndindex(W.shape):
            E = np.zeros(W.shape)
            E[i] = 1e-6
            G[i] = (np.linalg.svd(W + E)[1].sum() - np.linalg.svd(W - E)[1].sum()) / 2e-6
        return G

    told = named(monkeypatch, "q3", {"nuclear_norm_gradient": by_differences})
    assert not [name for name, message in told.items() if "Sigma is divided out" in message]
    damped = next(m for m in catalogue("matrix_gradients") if m.name == "damped")
    told = named(monkeypatch, "q3", {"nuclear_norm_gradient": damped.implementation})
    assert damped.says in told["test_q3_a_matrix_of_rank_one"]


@pytest.mark.parametrize("name", ["f_not_squared", "f_regularised", "projectors_without_s", "left_projector_missing"])
def test_a_mistake_of_svd_vjp_is_the_only_one_named_on_tiny_and_huge_matrices(monkeypatch, name):
    mistake = next(m for m in catalogue("matrix_gradients") if m.question == "q5" and m.name == name)
    told = named(monkeypatch, "q5", {"svd_vjp": mistake.implementation})["test_q5_tiny_and_huge"]
    assert mistake.says in told
    assert "Or:" not in told


def test_every_function_of_q4_is_one_the_notebook_promises():
    """|f| <= 1000 ||gradient|| and r_i^2 |d^3 f / dx_i^3| <= 100 ||gradient||, r_i = max(1, |x_i|)."""
    seen = []

    def look(f, x):
        x = jnp.asarray(x)
        size = np.linalg.norm(np.ravel(jax.grad(f)(x)))
        for i in np.ndindex(x.shape):
            third = jax.grad(jax.grad(jax.grad(lambda t, i=i: f(x.at[i].add(t)))))(0.0)
            seen.append((abs(float(f(x))) / size, max(1.0, abs(float(x[i]))) ** 2 * abs(float(third)) / size))

    def numerical_gradient(f, x):
        look(f, x)
        return reference.numerical_gradient(f, x)

    def check_gradient(f, grad_f, x):
        look(f, x)
        return reference.check_gradient(f, grad_f, x)

    told = results("q4", {"numerical_gradient": numerical_gradient, "check_gradient": check_gradient})
    assert not [message for _, message in told.values() if message]
    assert len(seen) > 50
    assert max(size for size, _ in seen) <= 1000
    assert max(third for _, third in seen) <= 100


PARTS = {  # of svd_vjp, in the order of the steps: which of q5's public cases need them
    "s_bar_ignored": {"test_q5_cotangent_of_the_singular_values", "test_q5_all_three_cotangents"},
    "u_sign": {"test_q5_cotangent_of_the_left_factor", "test_q5_all_three_cotangents"},
    "v_sign": {"test_q5_cotangent_of_the_right_factor", "test_q5_all_three_cotangents"},
    "left_projector_missing": {"test_q5_left_factor_outside_its_column_space", "test_q5_all_three_cotangents"},
    "right_projector_missing": {"test_q5_right_factor_outside_its_row_space"},
}


@pytest.mark.parametrize("name", PARTS)
def test_a_public_case_of_q5_fails_for_its_own_step_only(name):
    mistake = next(m for m in catalogue("matrix_gradients") if m.question == "q5" and m.name == name)
    public = {case.body.test_func.__name__ for case in file_of("q5").test_cases if not case.hidden}
    told = results("q5", {"svd_vjp": mistake.implementation})
    assert {case for case in public if told[case][1]} == PARTS[name]


def test_names_of_test_functions_are_unique_and_start_with_their_question():
    names = []
    for question in ASSIGNMENT.questions:
        for case in file_of(question.name).test_cases:
            names.append(case.body.test_func.__name__)
            assert names[-1].startswith(f"test_{question.name}_")
    assert len(set(names)) == len(names)


def test_public_cases_import_nothing_of_the_instructor():
    for question in ASSIGNMENT.questions:
        for case in file_of(question.name).test_cases:
            code = case.body.test_func.__code__
            imported = {name.partition(".")[0] for name in code.co_names}
            assert case.hidden or not imported & {"reference", "autograder"}


def test_a_constant_answer_of_check_gradient_earns_nothing():
    for answer in (True, False):
        told = results("q4", {"check_gradient": lambda f, grad_f, x, answer=answer: answer})
        assert all(message for name, (_, message) in told.items() if "_check_" in name)


def test_test_files_hold_only_decorated_functions():
    import ast

    for file in Path(ASSIGNMENT.tests_dir).glob("*.py"):
        body = ast.parse(file.read_text()).body
        kinds = {type(statement).__name__ for statement in body}
        assert kinds <= {"Expr", "ImportFrom", "Assign", "FunctionDef"}, file
        assert all(s.decorator_list for s in body if isinstance(s, ast.FunctionDef)), file
