"""The commands that change what is made of a graded class: report, regrade, forget; what survives, and exit codes."""

import csv
import io
import json
import mailbox
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import courses
import pytest
import unisolated
from courses import EXTRA, RIGHT, WRONG, notebook
from graded_class import LATE, result, write_class

from autograder import cli, testcases
from autograder.grading import grade as engine_grade
from autograder.grading.regrade import compared
from autograder.grading.task import Settings
from autograder.records import journal
from autograder.records.adjustments import ADJUSTMENTS, EXTENSIONS
from autograder.records.journal import Record
from autograder.records.results import Timeout
from autograder.records.roster import Student
from autograder.records.run import Run
from autograder.report.forget import forget
from autograder.report.write import write_everything
from autograder.submissions.batch import Entry

TABLE = """\
file,id,name,email,login,section,platform,submitted,late,attempt,source
ann.ipynb,s86011,Ann Ableton,ann.ableton@example.org,annableton,,Participant 700001,2026-05-01T20:00:00+02:00,no,1,Ann Ableton_700001_assignsubmission_file_/toy.ipynb
bob.ipynb,s86012,Bob Bestman,bob.bestman@example.org,bobbestman,,Participant 700002,2026-05-03T01:00:00+02:00,yes,1,Bob Bestman_700002_assignsubmission_file_/toy.ipynb
cyd.ipynb,s86013,Cyd Coolidge,cyd.coolidge@example.org,cydcoolidge,,,2026-05-01T20:00:00+02:00,no,1,cydcoolidge/toy.ipynb
"""  # noqa: E501


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with one assignment and three collected submissions, graded in this process."""
    assignment = courses.awkward_assignment(tmp_path)
    with (assignment.folder / "assignment.toml").open("a") as file:
        file.write("[late]\n" + "".join(f'{key} = "{value}"\n' for key, value in LATE.items()))
    (tmp_path / "class").mkdir()
    for name, cells in (("ann", (RIGHT, EXTRA)), ("bob", (RIGHT,)), ("cyd", (WRONG,))):
        (tmp_path / "class" / f"{name}.ipynb").write_text(notebook(*cells))
    (tmp_path / "class" / "submissions.csv").write_text(TABLE)
    monkeypatch.setattr(
        engine_grade,
        "grader_of",
        lambda order: unisolated.OneProcess(Settings(str(assignment.folder), seed="s", isolated=order.isolated)),
    )
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(tmp_path))
    monkeypatch.setenv("AUTOGRADER_SEED", "a secret")
    monkeypatch.chdir(tmp_path)
    return tmp_path


GRADE = ["grade", "class", "-a", "toy", "-o", "out", "-q"]


def totals(out: Path) -> dict[str, str]:
    with (out / "final_grades.csv").open(encoding="utf-8") as file:
        return {line["file"]: line["total_points_earned"] for line in csv.DictReader(file)}


def adjust(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["student,question,points,reason", *lines]) + "\n")


# --- grade and report -------------------------------------------------------------------------------------------------


def test_times_adjustments_and_the_late_policy_make_the_grades(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adjust(course / "given.csv", "Ann Ableton,q1,+0.25,well explained")
    assert cli.main([*GRADE, "--adjustments", "given.csv"]) == 0
    assert totals(course / "out") == {
        "points-per-question": "5.5",
        "ann.ipynb": "7.75",
        "bob.ipynb": "4.4",
        "cyd.ipynb": "0.0",
    }
    assert "2 grades differ from the score (1 by late reduction, 1 by adjustment)" in capsys.readouterr().err


def test_adjustments_survive_report_force_resume_merge_and_regrade(course: Path) -> None:
    adjust(course / "given.csv", "annableton,q1,+0.25,well explained")
    assert cli.main([*GRADE, "--adjustments", "given.csv"]) == 0
    (course / "given.csv").unlink()
    for command in (
        ["report", "out"],
        [*GRADE, "--force"],
        [*GRADE, "--resume"],
        ["regrade", "out", "class", "-q"],
        ["merge", "out", "-o", "merged"],
    ):
        assert cli.main(command) == 0
        assert totals(course / ("merged" if command[0] == "merge" else "out"))["ann.ipynb"] == "7.75", command


def test_a_table_laid_into_the_folder_before_grading_is_used(course: Path) -> None:
    (course / "out").mkdir()
    adjust(course / "out" / ADJUSTMENTS, "s86013,,2,oral")
    (course / "out" / EXTENSIONS).write_text("student,until\nbob,2026-05-09T12:00\n")
    assert cli.main(GRADE) == 0
    assert totals(course / "out") == {
        "points-per-question": "5.5",
        "ann.ipynb": "7.5",
        "bob.ipynb": "5.5",
        "cyd.ipynb": "2.0",
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("annabelton,,1,", "did you mean 'annableton'?"),
        ("ann,q11,1,", "did you mean 'q1'?"),
        ("ann,,much,", "points must be"),
    ],
)
@pytest.mark.parametrize("earlier", [False, True])
def test_a_table_that_means_nothing_stops_before_anything_is_changed(
    line: str, says: str, earlier: bool, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if earlier:
        assert cli.main(GRADE) == 0
    before = {path: path.read_bytes() for path in (course / "out").rglob("*") if path.is_file()}
    adjust(course / "given.csv", line)
    capsys.readouterr()
    assert cli.main([*GRADE, "--force", "--adjustments", "given.csv"]) == 2
    assert says in capsys.readouterr().err
    if earlier:
        assert cli.main(["report", "out", "--adjustments", "given.csv"]) == 2
        assert says in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (course / "out").rglob("*") if path.is_file()} == before


def test_what_report_was_told_holds_for_the_next_report(course: Path) -> None:
    assert cli.main(GRADE) == 0
    assert cli.main(["report", "out", "--cap", "--mail-from", "Ada <ada@example.org>"]) == 0
    assert cli.main(["report", "out"]) == 0
    assert totals(course / "out")["ann.ipynb"] == "5.5"
    assert "ada@example.org" in (course / "out" / "lms" / "mail.mbox").read_text()
    assert cli.main(["report", "out", "--no-cap"]) == 0
    assert totals(course / "out")["ann.ipynb"] == "7.5"


def test_another_late_policy_applies_only_when_it_is_asked_for(course: Path) -> None:
    assert cli.main(GRADE) == 0
    file = course / "toy" / "assignment.toml"
    file.write_text(file.read_text().replace("10 % per day", "50 % per day"))
    assert cli.main(["report", "out"]) == 0
    assert totals(course / "out")["bob.ipynb"] == "4.4"
    assert cli.main(["report", "out", "--late-policy", "toy"]) == 0
    assert totals(course / "out")["bob.ipynb"] == "0.0"
    assert cli.main([*GRADE, "--resume"]) == 0  # a late policy is no other contract
    assert cli.main(["report", "out", "--late-policy", "none"]) == 0
    assert totals(course / "out")["bob.ipynb"] == "5.5"


def test_who_of_the_class_list_handed_in_nothing_has_a_line_on_request(course: Path) -> None:
    (course / "class.csv").write_text(
        "id,name,email,login\ns86011,Ann Ableton,ann.ableton@example.org,annableton\n"
        "s86099,Zoe Zett,zoe@example.org,zoe\n"
    )
    (course / "plain").mkdir()
    (course / "plain" / "annableton.ipynb").write_text(notebook(RIGHT))
    arguments = ["grade", "plain", "-a", "toy", "-o", "out", "-q", "--roster", "class.csv"]
    assert cli.main([*arguments, "--missing", "zero"]) == 0
    assert totals(course / "out")["Zoe Zett"] == "0.0"
    assert cli.main(["report", "out", "--missing", "blank"]) == 0
    assert totals(course / "out")["Zoe Zett"] == ""
    assert cli.main(["report", "out", "--missing", "none"]) == 0
    assert set(totals(course / "out")) == {"points-per-question", "annableton.ipynb"}


def test_who_is_known_from_before_is_known_when_a_run_goes_on_with_other_files(course: Path) -> None:
    (course / "class.csv").write_text(
        "id,name,login\ns86011,Ann Ableton,annableton\ns86012,Bob Bestman,bobbestman\ns86099,Zoe Zett,zoe\n"
    )
    for folder, name in (("first", "annableton"), ("second", "bobbestman")):
        (course / folder).mkdir()
        (course / folder / f"{name}.ipynb").write_text(notebook(RIGHT))
    rest = ["-a", "toy", "-o", "out", "-q", "--missing", "zero"]
    assert cli.main(["grade", "first", *rest, "--roster", "class.csv"]) == 0
    assert set(totals(course / "out")) == {"points-per-question", "annableton.ipynb", "Bob Bestman", "Zoe Zett"}
    adjust(course / "given.csv", "annableton,,1,")
    more = ["--resume", "--adjustments", "given.csv"]
    assert cli.main(["grade", "second", *rest, *more, "--roster", "class.csv"]) == 0
    everyone = {"points-per-question", "annableton.ipynb", "bobbestman.ipynb", "Zoe Zett"}
    assert set(totals(course / "out")) == everyone
    assert cli.main(["grade", "first", *rest, "--resume"]) == 0  # without the list
    assert set(totals(course / "out")) == everyone
    table = (course / "out" / "lms" / "gradescope.csv").read_text().splitlines()
    assert {line["SID"] for line in csv.DictReader(table)} == {"s86011", "s86012", "s86099"}


@pytest.mark.parametrize(
    ("command", "has"),
    [
        (["report", "out", "--cap"], {"submissions", "missing", "notes"}),
        (["report", "out", "--anonymous", "shared"], {"out", "submissions"}),
        (["regrade", "out", "class"], {"changed", "unchanged", "failed", "submissions"}),
        (["forget", "out", "--student", "Bob Bestman"], {"removed", "left"}),
    ],
)
def test_with_json_a_command_answers_with_one_document(
    command: list[str], has: set[str], course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(GRADE) == 0
    rewrite(course, "cyd", RIGHT)
    capsys.readouterr()
    assert cli.main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == command[0]
    assert document["exit_code"] == 0
    assert has <= set(document)


def test_json_has_the_score_and_each_step_to_the_grade(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*GRADE, "--json"]) == 0
    [bob] = [one for one in json.loads(capsys.readouterr().out)["submissions"] if one["file"] == "bob.ipynb"]
    assert bob["score"] == 5.5
    assert bob["earned"] == 4.4
    assert [(step["kind"], step["points"]) for step in bob["steps"]] == [("late", -1.1)]


def test_what_collect_could_not_take_stays_so_in_a_regrade(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{line},," if number else f"{line},kind,problem" for number, line in enumerate(TABLE.splitlines())]
    lines.append("dee.pdf,s86014,Dee Dorn,,deedorn,,,,,,deedorn.pdf,plain,It is a PDF.")
    (course / "class" / "submissions.csv").write_text("\n".join(lines) + "\n")
    assert cli.main(GRADE) == 1
    assert totals(course / "out")["dee.pdf"] == "0.0"
    capsys.readouterr()
    cli.main(["regrade", "out", "class"])
    said = capsys.readouterr()
    assert "stay as they are" not in said.err
    assert "0 changed, 3 did not" in said.out
    assert cli.main(["regrade", "out", "class", "--student", "Dee Dorn"]) == 2
    assert "dee.pdf cannot be graded: It is a PDF." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "out", "--mail-from", "nobody"], "--mail-from must be an address"),
        (["report", "out", "--adjustments", "nowhere.csv"], "there is no file 'nowhere.csv'"),
        (["report", "out", "--worksheet", "class/submissions.csv"], "is not a grading worksheet of Moodle"),
        (["report", "out", "--late-policy", "nothing"], "there is no assignment 'nothing'"),
        (["report", "out", "--anonymous", "out/inside"], "must be outside"),
        (["report", "out", "--anonymous", "class"], "is not empty"),
        (["regrade", "out", "class", "--question", "q22"], "there is no question 'q22'; did you mean 'q2'?"),
        (["regrade", "out", "class", "--question", "q9"], "there is no question 'q9'; the questions are: q1, q2, q3"),
        (["regrade", "out", "class", "--student", "Bob Bestmen"], "did you mean 'Bob Bestman'?"),
        (["regrade", "out", "toy"], "is one of out: give the folder that was graded"),
        (["regrade", "class", "class"], "holds no results"),
        (["forget", "out", "--student", "nobody at all"], "there is no student or file 'nobody at all'"),
        (["post-feedback", "out", "nowhere"], "there is no folder 'nowhere'"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence_and_exit_code_2(
    arguments: list[str], says: str, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(GRADE) == 0
    capsys.readouterr()
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.strip().splitlines()) == 1


def test_no_place_on_the_instructors_disk_is_in_anything_that_is_handed_on(course: Path) -> None:
    place = course / "class"
    (place / "dan.ipynb").mkdir()
    (place / "eve.ipynb").write_text("{")
    (place / "fay.ipynb").symlink_to(course / "nowhere")
    (place / "gus.zip").write_bytes(b"PK")
    (place / "hal.py").write_text("raise ValueError(__file__)")
    assert cli.main(["grade", str(place), "-a", str(course / "toy"), "-o", str(course / "out"), "-q"]) == 1
    assert cli.main(["report", str(course / "out")]) == 0
    found = dict(contents(course / "out"))
    assert len(found) > 25
    assert [name for name, content in found.items() if str(course).encode() in content] == []


def contents(out: Path) -> Iterator[tuple[str, bytes]]:
    """Everything in a folder, also what is in archives and in the parts of messages."""
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        yield f"name of {name}", name.encode()
        if path.is_file():
            yield name, path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for entry in archive.namelist():
                    yield f"{name}: {entry}", entry.encode() + archive.read(entry)
        if path.suffix == ".mbox":
            box = mailbox.mbox(path)
            for number, message in enumerate(box):
                for part in message.walk():
                    payload = part.get_payload(decode=True)
                    yield f"{name}: {number}", payload if isinstance(payload, bytes) else b""
            box.close()


# --- regrade ----------------------------------------------------------------------------------------------------------


def rewrite(course: Path, name: str, *cells: str) -> None:
    (course / "class" / f"{name}.ipynb").write_text(notebook(*cells))


def test_a_regrade_says_who_changed_by_how_much_and_why(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(GRADE) == 0
    lines = len((course / "out" / "journal.jsonl").read_text().splitlines())
    rewrite(course, "cyd", RIGHT)
    capsys.readouterr()
    assert cli.main(["regrade", "out", "class"]) == 0
    shown = capsys.readouterr().out
    assert "1 changed, 2 did not" in shown
    assert "passes now" in shown
    changes = list(csv.DictReader((course / "out" / "regraded.csv").read_text().splitlines()))
    assert {line["file"] for line in changes} == {"cyd.ipynb"}
    assert [(line["question"], line["before"], line["after"]) for line in changes] == [
        ("q1", "0.0", "1.0"),
        ("q1", "0.0", "2.0"),
        ("q2", "0.0", "1.0"),
        ("q2", "0.0", "1.5"),
    ]
    assert {(line["total before"], line["total after"]) for line in changes} == {("0.0", "5.5")}
    assert all("another file than before" in line["why"] for line in changes)
    assert totals(course / "out")["cyd.ipynb"] == "5.5"
    assert '5.5 <span class="of">of 5.5' in (course / "out" / "feedback" / "cyd.html").read_text()
    assert json.loads((course / "out" / "results" / "cyd.json").read_text())["score"] == 5.5
    # the journal keeps what was before
    assert len((course / "out" / "journal.jsonl").read_text().splitlines()) == lines + 3


def test_only_the_chosen_students_are_graded_again(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(GRADE) == 0
    rewrite(course, "cyd", RIGHT)
    rewrite(course, "bob", WRONG)
    assert cli.main(["regrade", "out", "class", "--student", "Coolidge, Cyd", "-q"]) == 0
    assert totals(course / "out")["cyd.ipynb"] == "5.5"
    assert totals(course / "out")["bob.ipynb"] == "4.4"


def test_only_the_chosen_questions_change(course: Path) -> None:
    assert cli.main(GRADE) == 0
    rewrite(course, "cyd", RIGHT)
    assert cli.main(["regrade", "out", "class/cyd.ipynb", "--question", "q2", "-q"]) == 0
    with (course / "out" / "final_grades.csv").open() as file:
        line = next(line for line in csv.DictReader(file) if line["file"] == "cyd.ipynb")
    assert (line["q1"], line["q2"]) == ("0", "2.5")
    assert {
        line["question"] for line in csv.DictReader((course / "out" / "regraded.csv").read_text().splitlines())
    } == {"q2"}


def test_the_changes_of_all_regrades_are_kept(course: Path) -> None:
    assert cli.main(GRADE) == 0
    for cells in (RIGHT, WRONG):
        rewrite(course, "cyd", cells)
        assert cli.main(["regrade", "out", "class", "-q"]) == 0
    text = (course / "out" / "regraded.csv").read_text()
    assert "passes now" in text
    assert "fails now" in text
    assert len(Run.read(course / "out").regrades) == 2


def test_the_grade_in_the_table_is_the_one_after_all_steps(course: Path) -> None:
    assert cli.main([*GRADE, "--cap"]) == 0
    rewrite(course, "ann", WRONG)
    assert cli.main(["regrade", "out", "class", "--student", "ann", "-q"]) == 0
    line = next(csv.DictReader((course / "out" / "regraded.csv").read_text().splitlines()))
    assert (line["total before"], line["total after"]) == ("5.5", "0.0")


def test_with_new_tests_a_regrade_of_all_takes_them_and_one_of_a_part_says_so(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(GRADE) == 0
    before = Run.read(course / "out").contract
    tests = course / "toy" / "tests" / "q1.py"
    tests.write_text(tests.read_text().replace("9422.0", "9423.0"))
    testcases._load_cases.cache_clear()  # as a new process has it
    assert cli.main([*GRADE, "--resume"]) == 2  # results of two contracts are not mixed without a word
    assert cli.main(["regrade", "out", "class", "--student", "ann", "-q"]) == 0
    assert "checks have changed since" in capsys.readouterr().err
    assert Run.read(course / "out").contract == before
    assert totals(course / "out")["ann.ipynb"] == "5.5"
    assert totals(course / "out")["bob.ipynb"] == "4.4"
    assert cli.main(["regrade", "out", "class", "-q"]) == 0
    assert Run.read(course / "out").contract != before
    assert totals(course / "out")["bob.ipynb"] == "2.8"
    assert cli.main([*GRADE, "--resume"]) == 0


def test_other_points_or_another_seed_are_no_regrade(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(GRADE) == 0
    monkeypatch.setenv("AUTOGRADER_SEED", "another")
    assert cli.main(["regrade", "out", "class", "-q"]) == 2
    assert "another AUTOGRADER_SEED" in capsys.readouterr().err
    monkeypatch.setenv("AUTOGRADER_SEED", "a secret")
    file = course / "toy" / "assignment.toml"
    file.write_text(file.read_text().replace("points = 2.5", "points = 3.5"))
    assert cli.main(["regrade", "out", "class", "-q"]) == 2
    assert "questions or points" in capsys.readouterr().err


def test_what_the_grader_fails_on_keeps_what_it_had_and_the_exit_code_is_1(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(GRADE) == 0
    rewrite(course, "cyd", RIGHT)
    capsys.readouterr()
    graded = unisolated.OneProcess.grade

    def fail(self: unisolated.OneProcess, entries: Sequence[Entry]) -> Iterator[Record]:
        for record in graded(self, entries):
            failed = replace(record.result, status="failed", problem="a bug in a test", questions=())
            yield replace(record, result=failed) if record.name == "ann.ipynb" else record

    monkeypatch.setattr(unisolated.OneProcess, "grade", fail)
    assert cli.main(["regrade", "out", "class", "-q"]) == 1
    assert "1 could not be graded again and keep what they had" in capsys.readouterr().err
    assert totals(course / "out")["ann.ipynb"] == "7.5"
    assert totals(course / "out")["cyd.ipynb"] == "5.5"


def test_files_that_are_not_in_the_results_are_named_and_not_graded(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(GRADE) == 0
    rewrite(course, "new", RIGHT)
    (course / "class" / "bob.ipynb").unlink()
    assert cli.main(["regrade", "out", "class", "-q"]) == 0
    said = capsys.readouterr().err
    assert "not graded again: new.ipynb" in said
    assert "1 have no file there and stay as they are" in said
    assert set(totals(course / "out")) == {"points-per-question", "ann.ipynb", "bob.ipynb", "cyd.ipynb"}


def test_an_interrupted_regrade_loses_nothing(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(GRADE) == 0
    for name in ("ann", "bob", "cyd"):
        rewrite(course, name, WRONG if name != "cyd" else RIGHT)
    graded = unisolated.OneProcess.grade

    def stop(self: unisolated.OneProcess, entries: Sequence[Entry]) -> Iterator[Record]:
        yield next(graded(self, entries))
        raise KeyboardInterrupt

    monkeypatch.setattr(unisolated.OneProcess, "grade", stop)
    assert cli.main(["regrade", "out", "class", "-q"]) == 130
    assert "1 were graded again" in capsys.readouterr().err
    assert totals(course / "out") == {
        "points-per-question": "5.5",
        "ann.ipynb": "0.0",
        "bob.ipynb": "4.4",
        "cyd.ipynb": "0.0",
    }
    monkeypatch.setattr(unisolated.OneProcess, "grade", graded)
    assert cli.main(["regrade", "out", "class", "-q"]) == 0
    assert totals(course / "out")["cyd.ipynb"] == "5.5"


def test_results_are_compared_case_by_case() -> None:
    assert compared(result("a", "q1"), result("a", "q1")) == ()
    changes = compared(result("a", "q1"), result("a", "q2"))
    assert [(one.question, one.before, one.after) for one in changes] == [
        ("q1", 2.0, 0.0),
        ("q1", 4.0, 0.0),
        ("q2", 0.0, 1.0),
        ("q2", 0.0, 3.0),
    ]
    assert changes[0].why == "fails now: wrong test_q1_a"
    [gone] = [one for one in compared(result("a"), result("a", status="unreadable", problem="cut")) if not one.question]
    assert gone.why == "completed before, unreadable now: cut"


# --- forget -----------------------------------------------------------------------------------------------------------

BOBS = ("bob.ipynb", "s86012", "Bob Bestman", "bob.bestman@example.org", "bobbestman", "700002", "Bestman", "bob")


@pytest.mark.parametrize("word", ["bob.ipynb", "s86012", "Bestman, Bob", "bob.bestman@example.org", "700002"])
def test_nothing_of_a_forgotten_student_is_left_in_any_byte(
    word: str, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "class" / "bob").mkdir()
    (course / "class" / "bob" / "bobs notes.txt").write_text("x")
    sheet = course / "sheet.csv"
    sheet.write_text(
        "Identifier,Full name,Email address,Grade,Maximum grade,Last modified (grade),Feedback comments\n"
        "Participant 700002,Bob Bestman,bob.bestman@example.org,,8,-,\n"
        "Participant 700001,Ann Ableton,ann.ableton@example.org,,8,-,\n"
    )
    adjust(course / "given.csv", "bob,q1,1,Bob asked", "ann,q1,1,well explained")
    (course / "more.csv").write_text("student,until\nbobbestman,2026-05-04T12:00\nann,2026-05-04T12:00\n")
    given = ["--adjustments", "given.csv", "--extensions", "more.csv", "--worksheet", "sheet.csv"]
    assert cli.main([*GRADE, *given]) == 0
    rewrite(course, "bob", WRONG)
    assert cli.main(["regrade", "out", "class", "-q"]) == 0
    adjust(course / "given.csv", "bob,q1,1,Bob asked again", "ann,q1,1,well explained")
    assert cli.main(["report", "out", *given]) == 0
    before = dict(contents(course / "out"))
    assert sum(b"Bestman" in content for content in before.values()) > 8
    capsys.readouterr()
    assert cli.main(["forget", "out", "--student", word]) == 0
    said = capsys.readouterr()
    assert "2 records of journal.jsonl" in said.out
    assert "feedback/bob.html" in said.out
    assert said.err == ""
    left = {
        name: text
        for name, content in contents(course / "out")
        for text in BOBS
        if text.encode().lower() in content.lower()
    }
    assert left == {}
    # and everything of the others is
    assert totals(course / "out") == {"points-per-question": "5.5", "ann.ipynb": "8.5", "cyd.ipynb": "0.0"}
    assert "Ann Ableton" in (course / "out" / "lms" / "moodle.csv").read_text()
    assert [record.name for record in journal.read_latest(course / "out")] == ["ann.ipynb", "cyd.ipynb"]
    assert cli.main(["report", "out"]) == 0
    assert cli.main([*GRADE, "--resume", "--worksheet", "sheet.csv"]) == 0


def test_somebody_who_handed_in_nothing_can_be_forgotten(tmp_path: Path) -> None:
    lists = tmp_path / "class.csv"
    lists.write_text("id,name\ns1,Ann Ableton\ns9,Zoe Zettelmann\n")
    student = Student("ann.ipynb", "s1", "Ann Ableton")
    out = write_class(tmp_path / "out", [result("ann.ipynb")], [student], class_list=lists, missing="zero")
    adjust(out / ADJUSTMENTS, "Zoe Zettelmann,,3,oral")
    write_everything(out)
    assert any(b"Zettelmann" in content for _, content in contents(out))
    assert forget(out, "s9").left == []
    assert not any(b"Zettelmann" in content for _, content in contents(out))


def test_forgetting_says_where_words_of_theirs_are_left(tmp_path: Path) -> None:
    students = [Student("ann.ipynb", "s1", "Jo Doe-Miller"), Student("bob.ipynb", "s2", "Jo Doe-Miller")]
    out = write_class(tmp_path / "out", [result("ann.ipynb"), result("bob.ipynb")], students)
    write_everything(out)
    assert "roster.csv" in forget(out, "s1").left


def test_nobody_is_forgotten_while_another_run_writes(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(GRADE) == 0
    with journal.Journal(course / "out"):
        assert cli.main(["forget", "out", "--student", "bob"]) == 2
    assert "another run is writing" in capsys.readouterr().err


# --- without names ----------------------------------------------------------------------------------------------------

NAMES = ("ann", "ableton", "86011", "bob", "bestman", "coolidge", "example.org", "700001", "my name is")


def test_a_copy_without_names_has_none_in_any_byte(course: Path) -> None:
    shouting = "raise ValueError('my name is Ann Ableton')"
    rewrite(course, "ann", "print('my name is Ann Ableton')", f"def double(x):\n    {shouting}\n", shouting)
    (course / "class" / "ann notes.txt").write_text("x")
    adjust(course / "given.csv", "ann,q1,0.25,dear Ann Ableton")
    assert cli.main([*GRADE, "--adjustments", "given.csv"]) == 0
    assert cli.main(["report", "out", "--anonymous", "shared"]) == 0
    found = list(contents(course / "shared"))
    assert len(found) > 10
    style = {"cannot", "annotation", "channel"}
    for name, content in found:
        text = content.decode("utf-8").lower()
        for word in style:
            text = text.replace(word, "")
        assert [one for one in NAMES if one in text] == [], name
    grades = sorted(value for key, value in totals(course / "shared").items() if key != "points-per-question")
    assert grades == sorted(value for key, value in totals(course / "out").items() if key != "points-per-question")


def test_pseudonyms_are_the_same_in_each_copy_and_others_with_another_secret(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(GRADE) == 0

    def pseudonyms(folder: str) -> set[str]:
        assert cli.main(["report", "out", "--anonymous", folder]) == 0
        return set(totals(course / folder))

    first = pseudonyms("one")
    assert pseudonyms("two") == first == pseudonyms("one")
    monkeypatch.setenv("AUTOGRADER_SEED", "another")
    assert pseudonyms("three") != first
    monkeypatch.delenv("AUTOGRADER_SEED")  # no secret: a random key that stays with the results
    random = pseudonyms("four")
    assert random == pseudonyms("five")
    assert random != first
    assert (course / "out" / "pseudonyms.key").stat().st_mode & 0o077 == 0


def test_the_order_of_the_copy_tells_no_name(course: Path) -> None:
    assert cli.main(GRADE) == 0
    assert cli.main(["report", "out", "--anonymous", "shared"]) == 0
    rows = list(csv.DictReader(io.StringIO((course / "shared" / "final_grades.csv").read_text())))[1:]
    assert [row["file"] for row in rows] == sorted(row["file"] for row in rows)
    assert all(row["file"].startswith("submission-") for row in rows)


def test_a_copy_without_names_says_who_ran_out_of_time(tmp_path: Path) -> None:
    late = Timeout("submission", "", 60.0)
    made = result("ann.ipynb", "q1", status="timed out", problem="ann.ipynb took too long", timeouts=(late,))
    out = write_class(tmp_path / "out", [made])
    assert cli.main(["report", str(out), "--anonymous", str(tmp_path / "shared")]) == 0
    with (tmp_path / "shared" / "final_grades.csv").open() as file:
        [_, line] = csv.DictReader(file)
    assert line["grading_status"] == "Timed out: It ran out of time."
    assert line["total_points_earned"] == "6"
