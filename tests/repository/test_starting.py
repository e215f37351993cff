"""Starting without installing: the containers' description, and the cell that makes Colab ready, in a bare Python."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = ROOT / "student_template"
SCHEMA = Path(__file__).parent / "schemas" / "devContainer.base.schema.json"
CONTAINERS = [ROOT / ".devcontainer" / "devcontainer.json", STUDENTS / ".devcontainer" / "devcontainer.json"]
COLAB = ROOT / "docs" / "students" / "colab.md"


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "check-jsonschema"), "--schemafile", str(SCHEMA), str(file)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("file", CONTAINERS, ids=lambda file: str(file.relative_to(ROOT).parent.parent))
def test_a_devcontainer_is_as_the_published_schema_wants_it(file: Path, tmp_path: Path) -> None:
    done = check_schema(file)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = tmp_path / "devcontainer.json"
    broken.write_text(json.dumps({**json.loads(file.read_text()), "postCreateCommand": 3}))
    assert check_schema(broken).returncode != 0


def test_what_a_students_container_installs_is_there() -> None:
    command = json.loads(CONTAINERS[1].read_text())["postCreateCommand"]
    named = re.findall(r"[\w.]+\.(?:txt|py)\b", command)
    assert named
    assert all((STUDENTS / name).is_file() for name in named)


def bootstrap_cell(repository: str) -> str:
    """The cell of the handbook, with somebody's repository in it."""
    (cell,) = re.findall(r"^```python\n(.*?)^```", COLAB.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert cell.count("https://github.com/YOU/YOUR-REPOSITORY") == 1
    return cell.replace("https://github.com/YOU/YOUR-REPOSITORY", repository)


def test_the_cell_for_colab_fetches_adkit_and_the_tests_of_ones_own_repository(tmp_path: Path) -> None:
    """In an empty folder: then a notebook's first cell and a check run."""
    origin, place = tmp_path / "origin", tmp_path / "content"
    place.mkdir()
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(origin)]
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listing, cwd=STUDENTS, capture_output=True, text=True, check=True).stdout
    for name in files.splitlines():
        target = origin / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((STUDENTS / name).read_bytes())
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "mine"]):
        subprocess.run([*git, *arguments], check=True)
    program = f"""
import subprocess, sys
ran = subprocess.run
def run(command, **options):  # nothing is downloaded in this test
    if "pip" in command:
        print("would install", command[command.index("--quiet") + 1:])
        return subprocess.CompletedProcess(command, 0)
    return ran(command, **options)
subprocess.run = run
{bootstrap_cell(origin.as_uri())}
setup = __import__("json").load(open("ad_modes.ipynb"))
first = next("".join(c["source"]) for c in setup["cells"] if c["cell_type"] == "code")
exec(first)
print(grader.check("q1"))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "notebooks are in" in done.stdout
    assert "public cases" in done.stdout
    assert (place / "course" / "adkit").is_dir()


def test_bootstrap_installs_what_is_missing_and_leaves_what_is_there() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(STUDENTS)!r}); import bootstrap; "
        "print(bootstrap.missing('numpy>=2\\njupyterlab>=4\\nno-such-package>=1\\n# a remark\\n\\njax'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['no-such-package>=1']\n"


def test_the_students_part_says_what_an_ai_assistant_may_do() -> None:
    text = (STUDENTS / "AGENTS.md").read_text(encoding="utf-8")
    assert "NotImplementedError" in text
    named = re.findall(r"`((?:adkit|tests|check\.py)[\w./]*)`", text)
    assert named
    assert all((STUDENTS / name.rstrip("/")).exists() for name in named)
