"""`autograder new` and `new-question`, as far as nothing has to be built: tests/assignments/ builds and grades one."""

from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.build import BuildError
from autograder.build.command import solutions
from autograder.build.hints import read_hints
from autograder.build.percent import read_cells
from autograder.build.scaffold import new_assignment, new_question
from autograder.build.testfiles import read_test_files


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty course."""
    for folder in ("assignments", "reference", "student_template"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(tmp_path / "assignments"))
    return tmp_path


def test_a_new_assignment_keeps_every_convention(course: Path) -> None:
    new_assignment("curves", "Curves", "slope")
    assignment = Assignment.load("curves")
    assert [cell.question for cell in read_cells(assignment) if cell.question] == ["q1"]
    assert [case.points for file in read_test_files(assignment) for case in file.cases] == [0.75, 1.25]
    assert "return 2.0 * np.asarray(x)" in solutions(assignment)["q1"]


def test_a_new_question_comes_after_the_last_one_and_before_handing_in(course: Path) -> None:
    new_assignment("curves", "Curves", "slope")
    new_question(Assignment.load("curves"), "q2", "Bends", "bend")
    assignment = Assignment.load("curves")
    cells = read_cells(assignment)
    assert [cell.question for cell in cells if cell.question] == ["q1", "q2"]
    assert cells[-1].tags == ("export",)
    assert "## q2: Bends (2 points, about 10 minutes)" in "\n".join(cell.source for cell in cells)
    assert assignment.points == 4


def test_a_new_question_leaves_what_follows_the_last_check_with_its_own_question(course: Path) -> None:
    new_assignment("curves", "Curves", "slope")
    notebook = course / "assignments" / "curves" / "notebook.py"
    after = '# %% check="q1"\ngrader.check("q1")\n'
    assert after in notebook.read_text()
    notebook.write_text(notebook.read_text().replace(after, f"{after}\n# %%\nslope_by_differences()\n"))
    new_question(Assignment.load("curves"), "q2", "Bends", "bend")
    sources = [cell.source for cell in read_cells(Assignment.load("curves"))]
    at = sources.index("slope_by_differences()")
    assert 'grader.check("q1")' in sources[at - 1]
    assert sources[at + 1].startswith("## q2: Bends")


def test_a_new_question_has_hints_where_the_others_have_some(course: Path) -> None:
    new_assignment("curves", "Curves", "slope")
    hints = course / "assignments" / "curves" / "hints.toml"
    new_question(Assignment.load("curves"), "q2", "Bends", "bend")
    assert not hints.exists()
    step = 'question = "Why?"\nidea = "Because."\nmathematics = "1 is 1."\n'
    hints.write_text(f"[q1]\n{step}\n[q2]\n{step}")
    assert hints in new_question(Assignment.load("curves"), "q3", "Turns", "turn")
    assert list(read_hints(Assignment.load("curves"))) == ["q1", "q2", "q3"]


def test_a_table_that_was_written_by_hand_gets_the_new_row(course: Path) -> None:
    new_assignment("curves", "Curves", "slope")
    notebook = course / "assignments" / "curves" / "notebook.py"
    table = "| question | you write | points | minutes |\n# |---|---|--:|--:|\n# | q1 | `slope` | 2 | 10 |"
    notebook.write_text(notebook.read_text().replace("<!-- questions -->", table))
    new_question(Assignment.load("curves"), "q2", "Bends", "bend")
    assert "# | q1 | `slope` | 2 | 10 |\n# | q2 | `bend` | 2 | 10 |\n" in notebook.read_text()
    assert read_cells(Assignment.load("curves"))


@pytest.mark.parametrize(
    ("name", "function"), [("Curves", "slope"), ("my-curves", "slope"), ("lambda", "slope"), ("curves", "2slopes")]
)
def test_a_name_that_python_could_not_import_is_refused(course: Path, name: str, function: str) -> None:
    with pytest.raises(BuildError, match="cannot name"):
        new_assignment(name, "Curves", function)
    assert list((course / "assignments").iterdir()) == []


def test_what_is_there_is_not_overwritten(course: Path) -> None:
    (course / "reference" / "curves.py").write_text("mine\n")
    with pytest.raises(BuildError, match=r"curves\.py is there already"):
        new_assignment("curves", "Curves", "slope")
    assert not (course / "assignments" / "curves").exists()


@pytest.mark.parametrize(
    ("question", "function", "why"),
    [("q1", "bend", "has a q1"), ("second", "bend", "as q2"), ("q2", "slope", "has a function slope")],
)
def test_a_question_or_function_that_is_taken_is_refused(course: Path, question: str, function: str, why: str) -> None:
    new_assignment("curves", "Curves", "slope")
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    with pytest.raises(BuildError, match=why):
        new_question(Assignment.load("curves"), question, "Bends", function)
    assert before == {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
