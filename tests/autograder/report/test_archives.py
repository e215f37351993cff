"""Feedback that arrives: in the archives that Moodle and Canvas take, by mail, in repositories."""

import email.message
import email.policy
import mailbox
import subprocess
import zipfile
from pathlib import Path

import importers
import nbformat
import pytest
from graded_class import result, write_class
from nasty import NASTY

from autograder.records.adjustments import ADJUSTMENTS
from autograder.records.roster import Student
from autograder.report.post import BRANCH, PostError, post
from autograder.report.write import write_everything

MOODLE = Student("ann.ipynb", name="Ann Able", email="ann@example.org", platform="Participant 1001")
CANVAS = Student("bob.ipynb", "s2", "Bob Best", "bob@example.org", "bobbest", platform="102")
CLONE = Student("cyd.ipynb", login="cydcool")


def archives(tmp_path: Path, students: list[Student], sources: dict[str, str]) -> Path:
    out = write_class(tmp_path / "out", [result(one.file, "q1") for one in students], students, sources=sources)
    (out / ADJUSTMENTS).write_text(f"student,points,reason\n{students[0].file},0.5,well explained\n")
    write_everything(out)
    return out / "lms"


# --- Moodle -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "Ann Able_1001_assignsubmission_file_/toy.ipynb",
        "Ann Able_1001_assignsubmission_file/toy.ipynb",
        "Ann Able_1001_assignsubmission_file_toy.ipynb",
        "",
        "toy.ipynb",
        "Bob Best_1002_assignsubmission_file_/toy.ipynb",
    ],
    ids=["folders", "folders since 4.1", "no folders", "no source", "the file alone", "another's folder"],
)
def test_moodle_gives_each_student_their_page(source: str, tmp_path: Path) -> None:
    folder = archives(tmp_path, [MOODLE], {"ann.ipynb": source} if source else {})
    found = importers.moodle_feedback((folder / "moodle_feedback.zip").read_bytes(), ["1001", "1002"])
    assert list(found) == ["1001"]
    assert list(found["1001"]) == ["feedback.html"]
    assert found["1001"]["feedback.html"] == (tmp_path / "out" / "feedback" / "ann.html").read_bytes()


def test_the_folder_is_that_of_the_download(tmp_path: Path) -> None:
    source = "Ann Maria Able-Óg_1001_assignsubmission_file_"
    folder = archives(tmp_path, [MOODLE], {"ann.ipynb": f"{source}/deep/toy.ipynb"})
    with zipfile.ZipFile(folder / "moodle_feedback.zip") as archive:
        assert archive.namelist() == [f"{source}/feedback.html"]


def test_two_files_of_one_participant_both_arrive(tmp_path: Path) -> None:
    other = Student(**{**MOODLE.__dict__, "file": "ann2.ipynb"})
    folder = archives(tmp_path, [MOODLE, other], {})
    found = importers.moodle_feedback((folder / "moodle_feedback.zip").read_bytes(), ["1001"])
    assert set(found["1001"]) == {"feedback.html", "feedback-ann2.html"}


# --- Canvas -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "bestbob_102_9001_toy.ipynb",
        "bestbob_LATE_102_9001_toy.ipynb",
        "bestbob_102_9001_toy-1.ipynb",
        "bestbob_102_9001_toy.ipynb.txt",
        "group_a_102_9001_toy.ipynb",
        "bestbob_102_9001_7_8_toy.ipynb",
    ],
)
def test_canvas_gives_each_student_a_notebook_under_the_name_of_theirs(name: str, tmp_path: Path) -> None:
    folder = archives(tmp_path, [CANVAS], {"bob.ipynb": f"download/{name}"})
    with zipfile.ZipFile(folder / "canvas_feedback.zip") as archive:
        assert archive.namelist() == [name]
    found = importers.canvas_feedback(
        (folder / "canvas_feedback.zip").read_bytes(), {("102", "9001"): "toy.ipynb", ("102", "7"): "x"}
    )
    notebook = nbformat.reads(found["102"]["toy.ipynb"].decode(), as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "markdown"
    assert "6.5 of 10 points" in notebook.cells[0].source.replace("\\", "")
    assert "well explained" in notebook.cells[0].source


def test_feedback_on_a_script_is_a_script_and_on_a_zip_a_zip(tmp_path: Path) -> None:
    script = Student(**{**CANVAS.__dict__, "file": "bob.py"})
    folder = archives(tmp_path, [script], {"bob.py": "bestbob_102_9001_toy.py"})
    found = importers.canvas_feedback((folder / "canvas_feedback.zip").read_bytes(), {("102", "9001"): "toy.py"})
    text = found["102"]["toy.py"].decode()
    assert all(line.startswith("#") for line in text.splitlines())
    compile(text, "toy.py", "exec")
    export = Student(**{**CANVAS.__dict__, "file": "bob.zip"})
    folder = archives(tmp_path / "zip", [export], {"bob.zip": "bestbob_102_9001_toy.zip"})
    with zipfile.ZipFile(folder / "canvas_feedback.zip") as archive:
        (tmp_path / "inner.zip").write_bytes(archive.read("bestbob_102_9001_toy.zip"))
    with zipfile.ZipFile(tmp_path / "inner.zip") as inner:
        assert inner.namelist() == ["feedback.html"]


@pytest.mark.parametrize("name", ["x_999_9001_toy.ipynb", "toy.ipynb", "../../x_102", "a/../b_102_9001_.."])
def test_a_name_that_is_not_the_students_own_is_in_no_archive(name: str, tmp_path: Path) -> None:
    folder = archives(tmp_path, [CANVAS], {"bob.ipynb": name})
    path = folder / "canvas_feedback.zip"
    if path.exists():
        with zipfile.ZipFile(path) as archive:
            assert all("/" not in entry and entry.split("_")[1] == "102" for entry in archive.namelist())
    else:
        assert "102_9001" not in name


def test_an_archive_that_nobody_is_in_any_longer_is_removed(tmp_path: Path) -> None:
    folder = archives(tmp_path, [MOODLE, CANVAS], {"bob.ipynb": "bestbob_102_9001_toy.ipynb"})
    assert (folder / "canvas_feedback.zip").exists()
    (tmp_path / "out" / "sources.csv").unlink()
    write_everything(tmp_path / "out")
    assert not (folder / "canvas_feedback.zip").exists()
    assert (folder / "moodle_feedback.zip").exists()


def test_the_same_class_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = archives(tmp_path, [MOODLE, CANVAS, CLONE], {"bob.ipynb": "bestbob_102_9001_toy.ipynb"})
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(before) >= 9
    write_everything(tmp_path / "out")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


# --- mail -------------------------------------------------------------------------------------------------------------


def messages(folder: Path) -> list[email.message.EmailMessage]:
    box = mailbox.mbox(
        folder / "mail.mbox",
        factory=lambda file: email.message_from_binary_file(file, policy=email.policy.default),  # type: ignore[arg-type]
        create=False,
    )
    found = list(box)
    box.close()
    return found  # type: ignore[return-value]


def test_each_student_with_an_address_has_one_message_with_their_page(tmp_path: Path) -> None:
    folder = archives(tmp_path, [MOODLE, CANVAS, CLONE], {})
    found = messages(folder)
    assert [str(one["To"]) for one in found] == ["Ann Able <ann@example.org>", "Bob Best <bob@example.org>"]
    assert {str(one["From"]) for one in found} == {"Instructor <instructor@example.invalid>"}
    assert {str(one["Subject"]) for one in found} == {"Feedback: Toy & co"}
    body = found[0].get_body(("plain",))
    assert body is not None
    assert "6.5 of 10 points" in body.get_content()
    [page] = list(found[0].iter_attachments())
    assert page.get_filename() == "feedback.html"
    assert page.get_content() == (tmp_path / "out" / "feedback" / "ann.html").read_text(encoding="utf-8")


def test_the_sender_is_the_instructors(tmp_path: Path) -> None:
    out = write_class(tmp_path / "out", [result("ann.ipynb")], [MOODLE], mail_from="Prof. Ada <ada@example.org>")
    write_everything(out)
    assert "ada@example.org" in str(messages(out / "lms")[0]["From"])


def test_no_name_or_address_adds_a_header_a_receiver_or_a_message(tmp_path: Path) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in NASTY]
    names = [Student(f"n{at}.ipynb", name=text, email=f"n{at}@example.org") for at, text in enumerate(texts)]
    addresses = [Student(f"a{at}.ipynb", name="A", email=text) for at, text in enumerate(texts)]
    more = ["a@x.org, b@x.org", "a@x.org\nBcc: b@x.org", "<a@x.org>", "a b@x.org", "a..b@x.org", ".a@x.org", "@x.org"]
    addresses += [Student(f"m{at}.ipynb", name="M", email=text) for at, text in enumerate(more)]
    made = [result(one.file, status="unreadable", problem=one.name, questions=()) for one in (*names, *addresses)]
    out = write_class(tmp_path / "out", made, [*names, *addresses])
    write_everything(out)
    found = messages(out / "lms")
    assert len(found) == len(names)
    for one in found:
        assert set(one.keys()) == {"To", "From", "Subject", "Date", "MIME-Version", "Content-Type"}
        [receiver] = one["To"].addresses
        assert receiver.addr_spec.endswith("@example.org")
        assert receiver.addr_spec.startswith("n")


# --- repositories -----------------------------------------------------------------------------------------------------


def test_each_cloned_repository_has_a_file_of_markdown(tmp_path: Path) -> None:
    folder = archives(tmp_path, [CLONE, MOODLE], {})
    assert [path.name for path in (folder / "repositories").iterdir()] == ["cydcool"]
    text = (folder / "repositories" / "cydcool" / "FEEDBACK.md").read_text(encoding="utf-8")
    assert text.startswith("# Toy \\& co\n")
    assert "well explained" in text
    assert "case test\\_q1\\_b" not in text  # a hidden case's title


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    """A class of one clone, and the repository it comes from."""
    work, bare = tmp_path / "work", tmp_path / "bare"
    work.mkdir()
    git(work, "init", "-q", "-b", "main")
    (work / "toy.ipynb").write_text("{}")
    (work / "FEEDBACK.md").symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_text("precious")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "work")
    git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    (tmp_path / "clones").mkdir()
    git(tmp_path, "clone", "-q", str(bare), str(tmp_path / "clones" / "hw1-cydcool"))
    git(tmp_path / "clones" / "hw1-cydcool", "config", "user.name", "T")
    git(tmp_path / "clones" / "hw1-cydcool", "config", "user.email", "t@example.org")
    return tmp_path / "clones"


def test_posting_makes_a_branch_with_the_one_file_and_touches_nothing_else(clones: Path, tmp_path: Path) -> None:
    archives(tmp_path, [CLONE], {})
    clone = clones / "hw1-cydcool"
    before = git(clone, "status", "--porcelain"), git(clone, "rev-parse", "main")
    posted = post(tmp_path / "out", clones, push=False)
    assert (posted.done, posted.problems) == (["cydcool"], [])
    assert git(clone, "ls-tree", "--name-only", BRANCH) == "FEEDBACK.md"
    assert "6.5 of 10 points" in git(clone, "show", f"{BRANCH}:FEEDBACK.md")
    assert (git(clone, "status", "--porcelain"), git(clone, "rev-parse", "main")) == before
    assert (tmp_path / "precious").read_text() == "precious"
    assert BRANCH not in git(tmp_path / "bare", "branch", "--list")
    assert post(tmp_path / "out", clones, push=False).unchanged == ["cydcool"]


def test_posting_pushes_only_when_asked_to_and_again_after_a_regrade(clones: Path, tmp_path: Path) -> None:
    archives(tmp_path, [CLONE], {})
    assert post(tmp_path / "out", clones, push=True).problems == []
    (tmp_path / "out" / ADJUSTMENTS).write_text("student,points\ncyd,1\n")
    write_everything(tmp_path / "out")
    assert post(tmp_path / "out", clones, push=True).problems == []
    assert "7 of 10 points" in git(tmp_path / "bare", "show", f"{BRANCH}:FEEDBACK.md")
    assert git(tmp_path / "bare", "rev-list", "--count", BRANCH) == "2"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.sshCommand", "touch {ran}"),
        ("remote.origin.uploadpack", "touch {ran}"),
        ("remote.origin.receivepack", "touch {ran}"),
        ("credential.helper", "!touch {ran}"),
        ("remote.origin.url", "ext::touch {ran}"),
        ("url.ext::touch.insteadOf", "https"),
        ("include.path", "/tmp/evil"),
    ],
)
def test_a_clone_whose_settings_name_programs_is_refused(key: str, value: str, clones: Path, tmp_path: Path) -> None:
    archives(tmp_path, [CLONE], {})
    git(clones / "hw1-cydcool", "config", key, value.format(ran=tmp_path / "ran"))
    [(login, problem)] = post(tmp_path / "out", clones, push=True).problems
    assert login == "cydcool"
    assert "clone it again yourself" in problem
    assert not (tmp_path / "ran").exists()


def test_a_student_without_a_clone_is_named(clones: Path, tmp_path: Path) -> None:
    archives(tmp_path, [CLONE, Student("dan.ipynb", login="dan")], {})
    assert post(tmp_path / "out", clones, push=False).problems == [("dan", "no clone's name ends with this login")]


def test_posting_without_feedback_says_why(tmp_path: Path, clones: Path) -> None:
    archives(tmp_path, [MOODLE], {})
    with pytest.raises(PostError, match="a clone's student is known by their login"):
        post(tmp_path / "out", clones, push=False)
