"""Reverse over reverse is noted for the student and costs nothing; what a product with a Hessian takes, by style."""

from collections.abc import Callable
from typing import Any

import ad_in_jax_solutions as solutions
import jax
import numpy as np
import pytest
from adkit import checks, functions
from adkit.checks import notes, transformations
from adkit.notebook import handout, report
from adkit.notebook.public_cases import check_question
from adkit.tracing.export import measure
from otter.test_files import ExceptionTestFile
from small_handout import ROOT

import reference.ad_in_jax as reference
from autograder.assignment import Assignment

Hvp = Callable[..., Any]
STYLES: dict[str, Hvp] = {what: f for (name, what), f in solutions.RIGHT.items() if name == "hvp"}
STYLES["reference"] = reference.hvp
REVERSE_OVER_REVERSE = {
    "reverse over reverse",
    "the Hessian is symmetric: vjp of the gradient",
    "the transpose of the linearised gradient",
}
CASES = ExceptionTestFile.from_file(str(Assignment.load("ad_in_jax").tests_dir / "q3.py")).test_cases


def test_the_styles_are_of_all_three_kinds() -> None:
    assert set(STYLES) > REVERSE_OVER_REVERSE | {
        "reverse over forward",
        "forward over reverse, by recursion over the rows",
    }


@pytest.mark.parametrize("style", STYLES)
def test_reverse_over_reverse_is_recognised_and_nothing_else(style: str) -> None:
    assert transformations.is_reverse_over_reverse(STYLES[style]) is (style in REVERSE_OVER_REVERSE)


def also_by_rows(product: Hvp) -> Hvp:
    """`product`, of one vector, for rows as well; a single vector takes the way of the rows, too."""

    def hvp(f: Any, x: Any, v: Any) -> Any:
        products = jax.vmap(lambda row: product(f, jax.numpy.asarray(x), row))(jax.numpy.atleast_2d(v))
        return products.reshape(np.shape(v))

    return hvp


@pytest.mark.parametrize(
    ("product", "noted"),
    [
        (lambda f, x, v: jax.grad(lambda x: jax.numpy.vdot(jax.grad(f)(x), v))(x), True),
        (lambda f, x, v: jax.jvp(jax.grad(f), (x,), (v,))[1], False),
        (lambda f, x, v: jax.grad(lambda x: jax.jvp(f, (x,), (v,))[1])(x), False),
    ],
    ids=["reverse over reverse", "forward over reverse", "reverse over forward"],
)
@pytest.mark.parametrize("style", [also_by_rows, lambda product: jax.jit(also_by_rows(product), static_argnums=0)])
def test_it_is_recognised_under_vmap_and_jit(product: Hvp, noted: bool, style: Callable[[Hvp], Hvp]) -> None:
    assert transformations.is_reverse_over_reverse(style(product)) is noted


def test_names_and_words_of_the_program_have_no_part_in_it() -> None:
    def reverse_over_reverse(f: Any, x: Any, v: Any) -> Any:
        """jax.grad of jax.grad, jax.vjp."""
        pull_back = jax.linearize(jax.grad(f), x)[1]
        return pull_back(v)

    assert not transformations.is_reverse_over_reverse(reverse_over_reverse)


@pytest.mark.parametrize("style", ["reverse over reverse", "reverse over forward", "reference"])
def test_all_points_with_the_note_and_without(style: str) -> None:
    functions_of_student = {"hvp": STYLES[style]}
    with notes.collected() as said:
        for case in CASES:
            case.body.call_func(functions_of_student)
    assert len(said) == (style in REVERSE_OVER_REVERSE)


def test_the_public_check_shows_it_beside_the_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "student_template")
    given = handout.find("ad_in_jax")
    question = given.question("q3")
    assert question is not None
    result = check_question(given, question, {"hvp": STYLES["reverse over reverse"]})
    assert (result.state, result.earned) == ("passed", result.public_points)
    (note,) = result.notes
    assert "reverse over reverse" in note
    assert note in report.as_text(result)
    assert check_question(given, question, {"hvp": reference.hvp}).notes == ()


def test_a_wrong_product_gets_no_note() -> None:
    def twice(f: Any, x: Any, v: Any) -> Any:
        return 2 * STYLES["reverse over reverse"](f, x, v)

    with notes.collected() as said:
        for case in CASES:
            if not case.hidden:
                assert checks.first_failure(lambda case=case: case.body.call_func({"hvp": twice})) is not None
    assert said == []


def test_nothing_is_measured_where_nobody_collects_notes() -> None:
    def asked(*_: Any) -> Any:
        raise AssertionError("hvp is traced")

    transformations.note_reverse_over_reverse(asked)


def test_a_product_that_cannot_be_traced_has_no_note() -> None:
    def by_numpy(f: Any, x: Any, v: Any) -> Any:
        return np.asarray(v) @ np.asarray(jax.hessian(f)(x))

    with notes.collected() as said:
        transformations.note_reverse_over_reverse(by_numpy)
    assert said == []


def test_a_note_says_its_numbers_once() -> None:
    with notes.collected() as outer:
        notes.note("reverse over reverse", layers=8, least=1000, own=2000)
        with notes.collected() as inner:
            notes.note("reverse over reverse", layers=8, least=1000, own=3000)
        notes.note("reverse over reverse", layers=8, least=1000, own=2000)
    assert ["2,000" in note for note in outer] == [True]
    assert ["3,000" in note for note in inner] == [True]
    assert not notes.asked_for()


@pytest.mark.parametrize("style", STYLES)
def test_the_limit_on_multiplications_leaves_a_right_style_room(style: str) -> None:
    """Where multiplications are counted, every style takes about half of what is allowed; nothing else is near."""
    f = functions.Logistic(np.ones((24, 200)), np.ones(24), 0.1)
    x = np.zeros(200)
    gradient = measure(lambda x: f(x), x, transform="value_and_grad", run=False).work.multiplications
    for rows in (1, 3):
        v = np.ones(200) if rows == 1 else np.ones((rows, 200))
        own = measure(STYLES[style], f, x, v, autodiff=True, run=False).work.multiplications
        assert own <= 0.5 * transformations.PRODUCT_FACTOR * gradient * rows
