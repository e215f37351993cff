"""`otter run` on the instructor's machine with the built bundle: isolated, and scored as it must be."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from courses import copy_course, otter

from autograder.build.command import assemble, build

SECRET = "the secret of this course"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy course, built with a secret; a hidden case of q2 also asks for that."""
    root = tmp_path_factory.mktemp("toys") / "course"
    assignment = copy_course(root)
    tests = assignment.tests_dir / "q2.py"
    asked = f"""
    from reference.inputs.seeds import seed

    checks.equal(seed(), "{SECRET}", what="the seed")
"""
    assert tests.read_text().count('what="the empty sum")\n') == 1
    tests.write_text(tests.read_text().replace('what="the empty sum")\n', f'what="the empty sum"){asked}'))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_ASSIGNMENTS", str(assignment.folder.parent))
        patch.setenv("AUTOGRADER_SEED", SECRET)
        assert build(["toy"], root / "dist", check=False) == 0
    assert assemble(assignment).solution == (root / "dist/toy/solution/toy.ipynb").read_text()
    return root


def run(course: Path, submission: Path, out: Path) -> dict[str, Any]:
    out.mkdir()
    bundle = course / "dist" / "toy" / "autograder.zip"
    done = otter("run", "-a", str(bundle), "-o", str(out), str(submission), course=course, cwd=out)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((out / "results.json").read_text())


def scores(results: dict[str, Any]) -> dict[str, float]:
    return {test["name"]: test["score"] for test in results["tests"] if "score" in test}


def test_the_solution_gets_every_point_by_the_courses_secret_which_is_only_in_the_bundle(
    course: Path, tmp_path: Path
) -> None:
    assert "AUTOGRADER_SEED" not in os.environ
    results = run(course, course / "dist" / "toy" / "solution" / "toy.ipynb", tmp_path / "out")
    assert scores(results) == {"q1": 4, "q2": 3, "q3": 2}
    assert SECRET not in json.dumps(results)


def test_a_wrong_and_an_exiting_function_cost_their_questions_and_hidden_cases_say_nothing(
    course: Path, tmp_path: Path
) -> None:
    notebook = json.loads((course / "dist" / "toy" / "solution" / "toy.ipynb").read_text())
    cell = {"cell_type": "code", "execution_count": None, "id": "x", "metadata": {}, "outputs": []}
    source = "def twice(x):\n    return x * x\ndef largest(numbers):\n    import os\n    os._exit(3)"
    notebook["cells"].append({**cell, "source": source})
    (tmp_path / "toy.ipynb").write_text(json.dumps(notebook))
    results = run(course, tmp_path / "toy.ipynb", tmp_path / "out")
    assert scores(results) == {"q1": 0, "q2": 3, "q3": 0}
    for secret in ("40_000", "40000", "checks.equal", "reference"):
        assert secret not in json.dumps(results)


def test_an_empty_template_in_a_zip_that_shadows_the_grader_gets_nothing(course: Path, tmp_path: Path) -> None:
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy.ipynb", (course / "student_template" / "toy.ipynb").read_text())
        archive.writestr(".OTTER_LOG", b"cposix\nsystem\n(S'exit 3'\ntR.")
        archive.writestr("__init__.py", "raise SystemExit(3)")
        archive.writestr("tests/q1.py", "raise SystemExit(3)")
        archive.writestr("sitecustomize.py", "raise SystemExit(3)")
        for package in ("autograder", "reference", "adkit", "otter", "numpy"):
            archive.writestr(f"{package}/__init__.py", "raise SystemExit(3)")
    results = run(course, path, tmp_path / "out")
    assert scores(results) == {"q1": 0, "q2": 0, "q3": 0}
    public = next(test for test in results["tests"] if test["name"] == "Public Tests")
    assert "not done yet" in public["output"]
    assert "Traceback" not in json.dumps(results)


def test_an_honest_script_gets_what_its_notebook_gets_and_reads_what_was_not_run(course: Path, tmp_path: Path) -> None:
    head = (
        "# %%\nfrom google.colab import drive\nimport matplotlib.pyplot as plt\n!pip install x\nplt.show()\n\nx = = 1\n"
    )
    script = tmp_path / "toy.py"
    solution = json.loads((course / "dist" / "toy" / "solution" / "toy.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in solution["cells"] if cell["cell_type"] == "code"]
    script.write_text(head + "".join(f"\n# %%\n{cell}\n" for cell in cells))
    results = run(course, script, tmp_path / "out")
    assert scores(results) == {"q1": 4, "q2": 3, "q3": 2}
    for part in ("the grader has no matplotlib", "the grader has no google.colab", "!pip", "line 7 of script"):
        assert json.dumps(results).count(part) == 1
