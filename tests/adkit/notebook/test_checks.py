"""What `grader.check` and `grader.check_all` say."""

import html
import re
from pathlib import Path

import pytest
from adkit import Notebook
from adkit.notebook import public_cases, report, versions
from adkit.notebook.handout import Handout, HandoutError
from adkit.notebook.public_cases import CaseResult, QuestionResult, read_cases
from otter.test_files import ExceptionTestFile
from small_handout import ROOT, handout

PUBLIC = sorted((ROOT / "student_template" / "tests").glob("*/q*.py"))


@pytest.fixture
def grader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.chdir(handout(tmp_path))
    return Notebook("small")


def checked(grader: Notebook, function: object, question: str = "q1") -> report.Block:
    """The check as a cell of a notebook makes it."""
    return eval("grader.check(question)", {"grader": grader, "question": question, "double": function})


def test_when_green_it_says_how_much_that_is_and_that_more_runs_later(grader: Notebook) -> None:
    block = checked(grader, lambda x: 2 * x)
    assert block.passed
    last = repr(block).splitlines()[-1].strip()
    assert last == "2 of 2 public cases, 1.5 of 4 points; the rest runs after you hand in."
    assert "✓ double of three (1 point)" in repr(block)


def test_the_same_sentence_is_said_once_with_the_cases_it_concerns(grader: Notebook) -> None:
    def double(x: float) -> float:
        raise ValueError("no idea")

    text = repr(checked(grader, double))
    assert text.count("double raised ValueError: no idea") == 1
    assert text.index("double raised") < text.rindex("double of three") < text.rindex("double of an array")
    assert "0 of 2 public cases, 0 of 4 points" in text


def test_numbers_come_after_the_sentence_and_the_traceback_is_folded(grader: Notebook) -> None:
    page = checked(grader, lambda x: -2 * x)._repr_html_()
    words = html.unescape(re.sub(r"<[^>]*>", "\n", page))
    assert words.index("y has the wrong sign") < words.index("y is -6, and should be 6")
    assert "<details><summary>" in page
    assert "Traceback" in page.split("<details>")[1]


def test_a_stub_is_one_sentence(grader: Notebook) -> None:
    def double(x: float) -> float:
        raise NotImplementedError("q1: double")

    text = repr(checked(grader, double))
    assert text.splitlines() == ["q1: Question 1", "  q1 is not filled in yet (4 points)."]


def test_a_function_that_is_not_defined_is_one_sentence(grader: Notebook) -> None:
    text = repr(checked(grader, None))
    assert text.count("double is not defined: run the cell that defines it") == 1


def test_an_endless_loop_is_the_graders_sentence(grader: Notebook) -> None:
    def double(x: float) -> float:
        while True:
            pass

    assert "double did not finish within 0.3 seconds." in repr(checked(grader, double))


def test_an_unknown_question_is_a_sentence_with_the_nearest_name(grader: Notebook) -> None:
    said = "There is no question 'Q1 '; did you mean 'q1'? There are q1, q2"
    assert repr(checked(grader, None, "Q1 ")).startswith(said)


def test_nothing_that_a_function_says_is_html(grader: Notebook) -> None:
    def double(x: float) -> float:
        raise ValueError("<script>alert(1)</script>")

    page = checked(grader, double)._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_control_sequences_do_not_reach_a_terminal(grader: Notebook) -> None:
    def double(x: float) -> float:
        raise ValueError("\x1b[2J")

    assert "\x1b" not in repr(checked(grader, double))


def test_what_is_wrong_is_drawn_under_its_sentence() -> None:
    case = CaseResult("a case", 1.0, "wrong", "a sentence", "numbers", pictures=("<svg>drawn</svg>",))
    text = report.Block(QuestionResult("q1", "One", 1.0, False, (case,)))._repr_html_()
    assert text.index("a sentence") < text.index("<svg>drawn</svg>")


def test_check_all_says_what_the_checks_say(grader: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    space = {"grader": grader, "double": lambda x: 2 * x, "twice": lambda x: -x}
    exec("grader.check_all()", space)
    said = capsys.readouterr().out
    assert "✓ q1: Question 1  2 of 2 public cases" in said
    assert "✗ q2: Question 2  0 of 2 public cases" in said
    for line in repr(eval("grader.check('q2')", space)).splitlines()[1:-1]:
        assert line.strip() in said
    assert "2 questions: 1 passed, 1 wrong, 0 not yet." in said


def test_a_note_is_not_something_wrong() -> None:
    result = QuestionResult("q1", "One", 1.0, False, (CaseResult("a case", 1.0, "passed"),))
    table = report.Table("A small one", (result,), notes=("Left out: <matplotlib>.",))
    assert "  Note: Left out: <matplotlib>." in repr(table).splitlines()
    page = table._repr_html_()
    assert "Note: Left out: &lt;matplotlib&gt;." in page
    assert report.COLOURS["wrong"] not in page


def test_32_bits_are_said_in_one_sentence(grader: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_cases, "thirty_two_bits", lambda: True)
    assert repr(checked(grader, lambda x: 2 * x)).count("JAX computes in 32 bits here") == 1


def test_a_switch_to_32_bits_is_noticed() -> None:
    import jax

    assert not public_cases.thirty_two_bits()
    jax.config.update("jax_enable_x64", False)
    try:
        assert public_cases.thirty_two_bits()
    finally:
        jax.config.update("jax_enable_x64", True)


def test_other_versions_than_the_graders_are_said_once_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(handout(tmp_path, numpy=["9.9.1"]))
    Notebook("small")
    assert capsys.readouterr().out.count("9.9.1 there") == 1


def test_a_version_that_differs_in_its_last_part_is_not_worth_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions.metadata, "version", lambda package: "2.4.9")
    assert versions.differences({"numpy": ["2.4.6", "2.5.5"]}) == ""
    assert "numpy 2.4.9 here, 2.3.0 there" in versions.differences({"numpy": ["2.3.0"]})


def test_outside_of_its_folder_a_notebook_gets_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HandoutError) as caught:
        Notebook("no_such_assignment")
    assert len(caught.value._render_traceback_()) == 1


def test_while_otter_grades_it_leaves_the_tests_to_otter(grader: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    import otter

    monkeypatch.setattr(otter.Notebook, "_grading_mode", True)
    assert checked(grader, lambda x: 1 / 0).result is None


def test_the_class_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    import adkit

    monkeypatch.setattr(adkit, "Notebook", lambda name: name)
    assert adkit.Notebook("anything") == "anything"


@pytest.mark.parametrize("file", PUBLIC, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_public_tests_are_read_as_otter_reads_them(file: Path) -> None:
    ours, otters = read_cases(file), ExceptionTestFile.from_file(str(file)).test_cases
    assert [case.points for case in ours] == [case.points for case in otters]
    assert [case.parameters for case in ours] == [tuple(case.body._get_func_params()) for case in otters]
    assert not any(case.hidden for case in ours)


@pytest.mark.parametrize("folder", sorted({file.parent for file in PUBLIC}), ids=lambda folder: folder.name)
def test_what_is_handed_out_about_an_assignment_agrees_with_its_public_tests(folder: Path) -> None:
    for question in Handout.load(folder).questions:
        cases = read_cases(folder / f"{question.name}.py")
        assert question.public_cases == len(cases)
        assert question.public_points == pytest.approx(sum(case.points for case in cases))
        assert {name for case in cases for name in case.parameters} <= set(question.functions)


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", report.COLOURS.values())
@pytest.mark.parametrize("background", ["#ffffff", "#111111"])
def test_the_marks_can_be_told_from_a_light_and_a_dark_page(colour: str, background: str) -> None:
    lighter, darker = sorted((luminance(colour), luminance(background)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def test_a_result_comes_back_from_data_as_it_was() -> None:
    from dataclasses import asdict

    case = CaseResult("a case", 1.0, "wrong", "a sentence", "numbers", "a trace", ("<svg/>",))
    result = QuestionResult("q1", "a title", 2.0, True, (case,), ("a note",))
    assert QuestionResult.from_data(asdict(result)) == result
