"""The build: from the toy course's sources to what students, instructors and graders get."""

import base64
import json
import os
import re
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from courses import copy_course

from autograder.assignment import Assignment
from autograder.build import BuildError, tables
from autograder.build.command import Built, assemble, build, run
from autograder.build.course import Course
from autograder.build.figures import split_figures
from autograder.build.percent import read_cells
from autograder.build.solution import Module
from autograder.build.testfiles import agree, read_test_files, render


@pytest.fixture(scope="module")
def course(built: Built) -> Path:
    return Course.of(built.assignment).root


@pytest.fixture(scope="module")
def built(toy_bundle: tuple[Built, Path]) -> Built:
    return toy_bundle[0]


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assignment:
    """A course of its own for tests that change it."""
    assignment = copy_course(tmp_path / "course")
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(assignment.folder.parent))
    return assignment


def cells(text: str) -> list[dict[str, object]]:
    return json.loads(text)["cells"]


def sources(text: str) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(text)]  # type: ignore[arg-type]


# --- the student's notebook -------------------------------------------------------------------------------------


def test_student_notebook_is_valid_and_keeps_the_authors_cells_in_order(built: Built) -> None:
    nbformat.validate(nbformat.reads(built.student, as_version=4))
    authored = [cell.source for cell in read_cells(built.assignment)]
    found = sources(built.student)
    assert found[1].startswith("<img ")
    assert [f"{found[0]}\n\n![A box](figures/box.svg)", *found[2:]] == authored


def test_student_notebook_keeps_nothing_of_otters_structure(built: Built) -> None:
    assert not [cell for cell in cells(built.student) if cell["cell_type"] == "raw"]
    for trace in (
        "BEGIN QUESTION",
        "BEGIN SOLUTION",
        "BEGIN TESTS",
        "otter_answer",
        "otter_assign",
        "ASSIGNMENT CONFIG",
    ):
        assert trace not in built.student


def test_student_notebook_has_no_outputs_and_one_known_kernel(built: Built) -> None:
    notebook = json.loads(built.student)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"


def test_only_check_cells_are_locked(built: Built) -> None:
    locked = ["".join(c["source"]) for c in cells(built.student) if "editable" in c["metadata"]]  # type: ignore
    assert locked == ['grader.check("q1")', 'grader.check("q2")', 'grader.check("q3")']


def test_building_again_gives_the_same_bytes(built: Built) -> None:
    again = assemble(built.assignment)
    assert again.template_files == built.template_files
    assert again.solution == built.solution


def test_editing_one_cell_changes_the_id_of_that_cell_only(fresh: Assignment) -> None:
    before = {cell["id"] for cell in cells(assemble(fresh).student)}
    text = fresh.notebook.read_text()
    fresh.notebook.write_text(text.replace("# Try it before you check it.", "# Try it first."))
    after = {cell["id"] for cell in cells(assemble(fresh).student)}
    assert len(before - after) == len(after - before) == 1


# --- figures ----------------------------------------------------------------------------------------------------


def test_a_figure_travels_inside_the_notebook(built: Built) -> None:
    element = re.fullmatch(
        r'<img alt="A box" width="(\d+)" src="data:image/png;base64,([^"]+)">', sources(built.student)[1]
    )
    assert element is not None
    png = base64.b64decode(element[2])
    assert png == (built.assignment.folder / "figures" / "box.png").read_bytes()
    assert int.from_bytes(png[16:20], "big") == 2 * int(element[1])  # sharp where a pixel of the page is two


def test_nbconvert_embeds_the_figure_in_the_page(built: Built) -> None:
    nbconvert = pytest.importorskip("nbconvert")
    page, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.reads(built.student, as_version=4))
    assert '<img alt="A box"' in page
    assert 'src="data:image/png;base64,' in page


def test_no_line_of_a_figure_is_so_long_that_an_editor_cuts_it(built: Built) -> None:
    lines = [line for source in sources(built.student) for line in source.split("\n")]
    assert max(map(len, lines)) < 10_000


def test_a_figure_that_is_missing_or_undescribed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="missing"):
        split_figures("![a box](figures/none.svg)", tmp_path)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "box.svg").write_text("<svg/>")
    with pytest.raises(BuildError, match="description"):
        split_figures("![](figures/box.svg)", tmp_path)


def test_a_figure_drawn_anew_is_refused_until_its_png_is_made_again(fresh: Assignment) -> None:
    svg = fresh.folder / "figures" / "box.svg"
    svg.write_text(svg.read_text().replace("</svg>", "<!-- new --></svg>"))
    with pytest.raises(BuildError, match=r"box\.png: not made from box\.svg as it is now; run python -m"):
        assemble(fresh)


def test_a_figure_within_a_paragraph_stays_there_and_its_description_is_text(built: Built) -> None:
    folder = built.assignment.folder
    first, second = split_figures('Look: ![a < b\n"c"](figures/box.svg) there.\n\n![d](figures/box.svg)', folder)
    assert first.startswith('Look: <img alt="a &lt; b &quot;c&quot;" width="')
    assert first.endswith('"> there.')
    assert second.startswith('<img alt="d"')


# --- tests ------------------------------------------------------------------------------------------------------


def test_public_tests_have_titles_and_comments_and_no_hidden_case(built: Built) -> None:
    text = built.public["tests/toy/q1.py"]
    assert '@test_case(name="Twice three", points=1.5)' in text
    assert "# a comment that Otter would drop" in text
    assert "hidden" not in text
    assert "reference" not in text
    assert "test_q1_of_many" not in text


def test_public_tests_run_as_otter_runs_them(built: Built) -> None:
    from otter.test_files.exception_test import ExceptionTestFile

    file = ExceptionTestFile.from_string(built.public["tests/toy/q1.py"])
    file.run({"twice": lambda x: 2 * x})
    assert [case.passed for case in file.test_case_results] == [True]
    file.run({})
    assert "not defined" in (file.test_case_results[0].message or "")


def test_a_test_file_agrees_with_otters_rendering_and_not_with_another_one(built: Built) -> None:
    ours = render(built.tests[1], hidden=True)
    assert agree(ours, ours.replace("# ", "#  "))
    assert not agree(ours, ours.replace("[1, 2, 3]", "[1, 2, 4]"))
    assert not agree(ours, ours.replace("points=1, hidden=True", "points=1", 1))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("points=1.5", "points=2", "contract says 4"),
        ("def test_q1_of_three", "def test_q2_of_three", "must be named test_q1_"),
        ('    """Twice three"""\n', "", "no docstring"),
        ("@test_case(points=1.5)", "helper = 3\n\n\n@test_case(points=1.5)", "must set exactly"),
        ("@test_case(points=1.5)", "import math\n\n\n@test_case(points=1.5)", "imports and shared values go inside"),
        ("@test_case(points=1.5)", "", "decorator"),
        ("_of_three(", "_of_three(twcie, ", "takes twcie; a test case takes functions that assignment.toml names"),
        ('name = "q1"', 'name = "q9"', "must set exactly"),
    ],
)
def test_a_test_file_that_breaks_a_rule_is_refused(fresh: Assignment, old: str, new: str, complaint: str) -> None:
    path = fresh.tests_dir / "q1.py"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(BuildError, match=complaint):
        read_test_files(fresh)


# --- the notebook's conventions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('# %% question="q2"', "# %%", 'question="…"'),
        ('# %% check="q3"', "# %%", 'check="…"'),
        ("def mean(xs):", "def average(xs):", "does not define mean"),
        ("def twice(x):", "def twice(x)", "not valid Python"),
        ("tests/toy", "tests", "must set the checks up"),
        ('tags=["setup"]', 'solution="yes"', "unknown cell metadata"),
        ("grader.export(", "print(", "students could not hand in"),
        ('# %% tags=["export"]', "# %%", "students could not hand in"),
    ],
)
def test_a_notebook_that_breaks_a_convention_is_refused(fresh: Assignment, old: str, new: str, complaint: str) -> None:
    fresh.notebook.write_text(fresh.notebook.read_text().replace(old, new, 1))
    with pytest.raises(BuildError, match=complaint):
        read_cells(fresh)


@pytest.mark.parametrize(
    ("heading", "row", "complaint"),
    [
        ("## q3: The largest (2 points, about 15 minutes)", "| q3 (bonus) | `largest` | +2 | 15 |", "2 bonus points"),
        ("## q3: The largest (2 bonus points, about 15 minutes)", "| q3 (bonus) | `largest` | 2 | 15 |", r"\+2"),
        ("## q3: The largest (2 bonus points, about 20 minutes)", "| q3 (bonus) | `largest` | +2 | 15 |", "15 minutes"),
        ("## q3: The largest (2 bonus points, about 15 minutes)", "", "no such line"),
    ],
)
def test_a_notebook_says_of_a_question_what_assignment_toml_says(
    fresh: Assignment, heading: str, row: str, complaint: str
) -> None:
    settings = fresh.folder / "assignment.toml"
    settings.write_text(settings.read_text() + "minutes = 15\n")
    text = fresh.notebook.read_text()
    right = "## q3: The largest (2 bonus points, about 15 minutes)", "| q3 (bonus) | `largest` | +2 | 15 |"
    fresh.notebook.write_text(f"# %% [markdown]\n# {right[0]}\n#\n# {right[1]}\n\n{text}")
    assert read_cells(Assignment.load(fresh.folder))
    fresh.notebook.write_text(f"# %% [markdown]\n# {heading}\n#\n# {row}\n\n{text}")
    with pytest.raises(BuildError, match=f"q3 is not what assignment.toml says.*{complaint}"):
        read_cells(Assignment.load(fresh.folder))


def test_the_table_and_the_headings_of_a_notebook_are_written_from_assignment_toml(fresh: Assignment) -> None:
    settings = fresh.folder / "assignment.toml"
    settings.write_text(settings.read_text() + "minutes = 15\n")
    text = fresh.notebook.read_text()
    fresh.notebook.write_text(f"# %% [markdown]\n# <!-- questions -->\n#\n# ## q3\n#\n# ## q30\n\n{text}")
    first = read_cells(Assignment.load(fresh.folder))[0].source.splitlines()
    assert first == [
        "| question | you write | points | minutes |",
        "|---|---|--:|--:|",
        "| q1 | `twice` | 4 |  |",
        "| q2 | `total`, `mean` | 3 |  |",
        "| q3 (bonus) | `largest` | +2 | 15 |",
        "",
        "## q3: The largest (2 bonus points, about 15 minutes)",
        "",
        "## q30",
    ]


# --- all at once ------------------------------------------------------------------------------------------------


def test_everything_that_is_wrong_is_said_at_once(
    fresh: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = fresh.folder.parent.parent / "reference"
    for path, old, new in (
        (fresh.notebook, "def twice(x):", "def double(x):"),
        (fresh.notebook, "figures/box.svg", "figures/ball.svg"),
        (fresh.tests_dir / "q1.py", '    """Twice three"""\n', ""),
        (fresh.tests_dir / "q1.py", "points=1.5", "points=2"),
        (fresh.tests_dir / "q2.py", 'name = "q2"', 'name = "q9"'),
        (reference / "toy.py", "def mean(", "def average("),
        (reference / "mistakes" / "toy.py", "@q3.mistake(", "@q2.mistake("),
    ):
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
    assert build(["toy"], tmp_path / "dist", check=False) == 1
    said = capsys.readouterr().err
    for part in (
        "the stub of q1 does not define twice",
        "test_q1_of_three: has no docstring",
        "q2.py: must set exactly",
        "does not define mean",
        "mistakes/toy.py: q3 has no known mistake",
    ):
        assert f"error  {part}" in said or part in said, said
    assert len(re.findall("^error  ", said, re.MULTILINE)) >= 5
    assert not (tmp_path / "dist").exists()


def test_an_edit_of_a_known_mistake_that_does_not_fit_is_said_before_anything_is_run(fresh: Assignment) -> None:
    catalogue = fresh.folder.parent.parent / "reference" / "mistakes" / "toy.py"
    catalogue.write_text(
        catalogue.read_text() + 'q1.edit("twice__thrice", ("no such text", "x"), says="Three.", openly=True)\n'
    )
    with pytest.raises(BuildError, match="twice__thrice: 'no such text' occurs 0 times"):
        assemble(fresh)


# --- nothing twice ----------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_built_again(
    fresh: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dist, root = tmp_path / "dist", fresh.folder.parent.parent
    built = "built: toy\n"

    def said() -> str:
        assert build(["toy"], dist, check=False) == 0
        return capsys.readouterr().out

    assert said().endswith(built)
    zipped = dist / "toy" / "autograder.zip"
    os.utime(zipped, (0, 0))
    assert said() == "unchanged since the last build: toy\n"
    assert zipped.stat().st_mtime > fresh.notebook.stat().st_mtime  # `otter-grade` takes an older one for stale
    assert build(["toy"], dist, check=False, again=True) == 0
    assert capsys.readouterr().out.endswith(built)
    for path, text in (
        (fresh.tests_dir / "q1.py", "# a remark\n"),
        (root / "reference" / "toy.py", "# a remark\n"),
        (root / "student_template" / "notes.md", "handed out besides\n"),
        (dist / "toy" / "autograder.zip", "damaged"),
        (root / "student_template" / "toy.ipynb", " "),
    ):
        before = path.read_bytes() if path.is_file() else b""
        path.write_bytes(before + text.encode())
        assert said().endswith(built), path
        assert said().startswith("unchanged"), path
    monkeypatch.setenv("AUTOGRADER_SEED", "another")
    assert said().endswith(built)


def test_a_check_believes_the_last_build_only_where_nothing_has_changed(fresh: Assignment, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    assert run(["toy"], dist, check=False).built == ["toy"]
    assert run(["toy"], dist, check=True, again=False).unchanged == ["toy"]
    (dist / "toy" / "autograder.zip").unlink()  # which a check does not look at
    assert run(["toy"], dist, check=True, again=False).unchanged == ["toy"]
    notebook = fresh.folder.parent.parent / "student_template" / "toy.ipynb"
    notebook.write_text(notebook.read_text().replace('"deletable": false', '"deletable": true'))
    report = run(["toy"], dist, check=True, again=False)
    assert report.unchanged == []
    assert any(entry.endswith("toy.ipynb") for entry in report.stale)


# --- the READMEs' tables ----------------------------------------------------------------------------------------


def test_the_tables_of_the_readmes_say_what_assignment_toml_says(
    fresh: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = fresh.folder.parent.parent
    page, students = root / "README.md", root / "student_template" / "README.md"
    page.write_text(f"# Course\n\n{tables.BEGIN}\n| `toy` | wrong | 1 |\n{tables.END}\n\nmore\n")
    students.write_text("# No table here\n")
    assert build([], tmp_path / "dist", check=True) == 1
    assert "README.md\n" in capsys.readouterr().err
    assert build([], tmp_path / "dist", check=False) == 0
    assert "| `toy` | A toy assignment | 7 + 2 |\n\n<!-- end" in page.read_text()
    assert page.read_text().endswith("\n\nmore\n")
    assert students.read_text() == "# No table here\n"
    assert run([], tmp_path / "dist", check=True).stale == []


def test_a_readmes_table_keeps_its_order_and_new_assignments_come_last(fresh: Assignment) -> None:
    first, second, new = (replace(fresh, name=name) for name in ("b", "a", "0"))
    text = f"{tables.BEGIN}\n| `b.ipynb` | x |\n| `a.ipynb` | y |\n{tables.END}"
    rows = re.findall(r"`(\w+)\.ipynb`", tables.renewed(text, [new, second, first], for_students=True))
    assert rows == ["b", "a", "0"]


# --- solutions --------------------------------------------------------------------------------------------------


def test_solution_notebook_holds_the_reference_where_the_stub_was(built: Built) -> None:
    found = sources(built.solution)
    assert next(text for text in sources(built.student) if "def twice" in text) not in found
    answer = found[4]
    assert answer.startswith("# doubling is adding a number to itself\ndef _add(a, b):")
    assert len(found) == len(sources(built.student))
    assert "SOLUTION" not in built.solution


def test_solution_cells_run_from_top_to_bottom(built: Built) -> None:
    names: dict[str, object] = {}
    for cell in cells(built.solution):
        if "question" in cell["metadata"]:  # type: ignore[operator]
            exec("".join(cell["source"]), names)  # type: ignore[arg-type]
    assert names["largest"]([-3, -2]) == -2  # type: ignore[operator]
    assert names["mean"]([1, 3]) == 2  # type: ignore[operator]


MODULE = '''"""Doc."""

import functools
import math

SCALE = 2.0  # of everything
UNUSED = 3


# why this helper exists
def _helper(x):
    return math.sin(x) * SCALE


@functools.lru_cache
def wanted(x):
    return _helper(x)


wanted.cache_clear()


def other():
    return os.name
'''


def test_cutting_takes_what_a_function_needs_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    code, bound = Module(path).cut(["wanted"])
    assert bound == {"functools", "math", "SCALE", "_helper", "wanted"}
    assert "# why this helper exists\ndef _helper" in code
    assert code.endswith("wanted.cache_clear()")
    assert "os" not in code.split()
    assert "UNUSED" not in code
    exec(code, {})


def test_cutting_a_name_that_is_not_there_is_refused(course: Path) -> None:
    with pytest.raises(BuildError, match="does not define thrice"):
        Module(course / "reference" / "toy.py").cut(["thrice"])


def test_a_mistake_is_cut_without_the_catalogues_framework(course: Path) -> None:
    module = Module(course / "reference" / "mistakes" / "toy.py")
    assert [mistake.name for mistake in module.mistakes()][:2] == ["twice__squared", "total__starts_at_one"]
    code, _ = module.cut(["total__starts_at_one"])
    assert code.startswith("def _add_all(xs, start):")
    assert "mistake(" not in code


# --- the command ------------------------------------------------------------------------------------------------


def test_build_writes_everything_once_and_check_then_agrees(
    fresh: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dist = tmp_path / "dist"
    assert build([], dist, check=False) == 0
    template = fresh.folder.parent.parent / "student_template"
    assert sorted(p.name for p in (template / "tests" / "toy").iterdir()) == [
        "assignment.json",
        "q1.py",
        "q2.py",
        "q3.py",
    ]
    assert (dist / "toy" / "solution" / "toy.ipynb").is_file()
    capsys.readouterr()
    assert build(["toy"], dist, check=True) == 0
    assert "up to date: toy" in capsys.readouterr().out
    assert not [path for path in run(["toy"], dist, check=False).written if "student_template" in path]


def test_check_names_what_is_stale_missing_and_left_over(
    fresh: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(["toy"], tmp_path / "dist", check=False) == 0
    template = fresh.folder.parent.parent / "student_template"
    (template / "tests" / "toy" / "q1.py").unlink()
    (template / "tests" / "toy" / "q9.py").write_text("# old\n")
    notebook = template / "toy.ipynb"
    notebook.write_text(notebook.read_text().replace('"deletable": false', '"deletable": true'))
    capsys.readouterr()
    assert build(["toy"], tmp_path / "dist", check=True) == 1
    said = capsys.readouterr().err
    for line in ("toy.ipynb\n", "q1.py (missing)", "q9.py (left over)", "autograder build"):
        assert line in said
    assert not (template / "tests" / "toy" / "q1.py").exists()


def test_an_unknown_assignment_is_a_usage_error(
    fresh: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(["none"], tmp_path, check=True) == 2
    assert "there is no assignment 'none'" in capsys.readouterr().err


# --- autograder.zip ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle(toy_bundle: tuple[Built, Path]) -> zipfile.ZipFile:
    return zipfile.ZipFile(toy_bundle[1])


def test_bundle_holds_what_otters_dockerfile_and_gradescope_ask_for(bundle: zipfile.ZipFile) -> None:
    names = set(bundle.namelist())
    assert {"setup.sh", "run_autograder", "run_otter.py", "environment.yml", "requirements.txt"} <= names
    assert {"otter_config.json", "tests/q1.py", "tests/q2.py", "tests/q3.py"} <= names
    assert {"files/autograder/otter/plugin.py", "files/adkit/checks/__init__.py", "files/reference/toy.py"} <= names
    assert {"files/assignments/toy/assignment.toml", "files/assignments/toy/tests/q1.py"} <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_bundle_loads_the_isolation_plugin_with_the_bonus_points(bundle: zipfile.ZipFile) -> None:
    config = json.loads(bundle.read("otter_config.json"))
    [plugin] = config["plugins"]
    [(name, settings)] = plugin.items()
    assert name == "autograder.otter.plugin.IsolationPlugin"
    assert settings == {"assignment": "toy", "bonus": {"q3": [0.5, 1.5]}}
    assert "token" not in config


def test_the_courses_seed_travels_in_the_bundle(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder.build.bundle import write_bundle

    monkeypatch.setenv("AUTOGRADER_SEED", "a secret")
    assignment = Assignment.load(course / "assignments" / "toy")
    write_bundle(assignment, read_test_files(assignment), tmp_path / "autograder.zip")
    config = json.loads(zipfile.ZipFile(tmp_path / "autograder.zip").read("otter_config.json"))
    assert config["plugins"][0]["autograder.otter.plugin.IsolationPlugin"]["seed"] == "a secret"


def test_bonus_cases_are_worth_nothing_possible_to_otter(bundle: zipfile.ZipFile) -> None:
    from otter.test_files.exception_test import ExceptionTestFile

    bonus = ExceptionTestFile.from_string(bundle.read("tests/q3.py").decode())
    assert bonus.possible == 0
    assert ExceptionTestFile.from_string(bundle.read("tests/q1.py").decode()).possible == 4
    assert [case.name for case in bonus.test_cases] == ["The larger of two", "Negative numbers"]


def test_bundle_is_the_same_bytes_every_time(course: Path, bundle: zipfile.ZipFile, tmp_path: Path) -> None:
    from autograder.build.bundle import write_bundle

    assignment = Assignment.load(course / "assignments" / "toy")
    write_bundle(assignment, read_test_files(assignment), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == Path(str(bundle.filename)).read_bytes()


def test_scripts_of_the_bundle_are_executable_and_valid_shell(bundle: zipfile.ZipFile, tmp_path: Path) -> None:
    for name in ("setup.sh", "run_autograder"):
        assert bundle.getinfo(name).external_attr >> 16 == 0o100755
        (tmp_path / name).write_bytes(bundle.read(name))
        assert subprocess.run(["bash", "-n", str(tmp_path / name)]).returncode == 0


def test_bundle_names_no_package_registry(bundle: zipfile.ZipFile) -> None:
    for name in ("setup.sh", "run_autograder", "run_otter.py", "requirements.txt"):
        assert b"://" not in bundle.read(name)
