"""What the steps of grade.yml call: names stay text, archives and repositories stay data."""

import csv
import json
import os
import re
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from workflow_runner import commands, commit, git

from autograder.actions import __main__ as actions
from autograder.actions import private
from autograder.actions.commands import annotation, annotations
from autograder.actions.fetch import FetchError, Server, fetch, folder_names, of_organisation, repositories, unpack
from autograder.actions.fetch import _git as fetch_git
from autograder.actions.summary import histogram, problem_annotations, summary
from autograder.records.journal import Journal, Record
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.records.run import Run
from autograder.report.statistics import Statistics
from autograder.submissions.collect import collect
from autograder.text import printable

NASTY = [
    "::set-output name=x::y.ipynb",
    "a\n::add-mask::grades.ipynb",
    "x##[add-mask]y.ipynb",
    "\u2028::error::x.ipynb",
    "%0A::warning::x.ipynb",
    "a | b | <img src=x onerror=alert(1)>.ipynb",
    "](https://example.org) @everyone #1 `code`.ipynb",
    "</code></table><h1>100 %</h1>.ipynb",
    "\x1b[2J\u202etxt.ipynb",
]


def class_of(*results: SubmissionResult) -> Statistics:
    return Statistics.of(Record(result.file, f"s{number}", "0", result) for number, result in enumerate(results))


def graded(file: str, earned: float, mistake: str = "") -> SubmissionResult:
    case = CaseResult("test_q1_a", "a", earned, False, True, "", "")
    wrong = CaseResult("test_q1_b", "b", 10 - earned, True, False, "no", mistake)
    return SubmissionResult(file, "completed", (QuestionResult("q1", "one", 10, False, (case, wrong)),))


def unreadable(file: str, problem: str = "cut off") -> SubmissionResult:
    return SubmissionResult(file, "unreadable", problem=problem)


def run_of(**other: Any) -> Run:
    questions = ({"name": "q1", "title": "one", "points": 10.0, "bonus": False},)
    settings: dict[str, Any] = {
        "isolated": True,
        "isolation": ("landlock",),
        "finished": True,
        "versions": {"jax": "1"},
    }
    return Run("toy", "A toy & more", questions, "secret seed", "0", **(settings | other))


# --- annotations ------------------------------------------------------------------------------------------------


@given(st.text(max_size=80), st.text(max_size=80))
@example("", ";=")
def test_an_annotation_is_one_command_whatever_it_says(message: str, title: str) -> None:
    found = commands(annotation("error", message, title))
    assert [command.name for command in found] == ["error"]
    assert set(found[0].properties) <= {"title"}


@pytest.mark.parametrize("name", NASTY)
def test_a_file_name_commands_nothing_in_annotations(name: str) -> None:
    lines = "\n".join(problem_annotations(class_of(unreadable(name, name))))
    assert [command.name for command in commands(lines)] == ["error"]


def test_annotations_beyond_what_is_shown_are_counted_in_the_last_one() -> None:
    found = annotations("error", [(f"f{number}", "broken") for number in range(25)], "more")
    assert len(found) == 10
    assert commands(found[-1])[0].data == "16 more"
    assert len(annotations("error", [("f", "broken")] * 10, "more")) == 10


# --- a guarded command ------------------------------------------------------------------------------------------


def guarded(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder.actions", "guard", "--", sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", NASTY)
def test_what_a_guarded_command_prints_is_never_a_command(name: str) -> None:
    done = guarded(f"import sys; print({name!r}); print({name!r}, file=sys.stderr)")
    assert {command.name for command in commands(done.stdout + "::warning::after\n")} == {"warning"}
    assert done.stderr == ""
    assert len(commands(done.stdout + "::warning::after\n")) == 1


def test_a_guarded_command_without_a_last_newline_cannot_swallow_the_end_of_the_guard() -> None:
    done = guarded("print('no newline', end='')")
    assert [command.name for command in commands(done.stdout + "::warning::after\n")] == ["warning"]


def test_a_guarded_commands_exit_code_is_kept() -> None:
    assert guarded("raise SystemExit(3)").returncode == 3


def test_a_guarded_command_cannot_set_outputs_of_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    done = guarded("import os; print(sorted(name for name in os.environ if name.startswith('GITHUB_')))")
    assert "GITHUB_OUTPUT" not in done.stdout


# --- the summary ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NASTY)
def test_a_file_name_is_text_on_the_summary(name: str) -> None:
    page = summary(class_of(graded(name, 5), unreadable("b" + name, name)), run_of())
    parsed = list(walk(MarkdownIt("commonmark").enable("table").parse(page)))
    assert {token.content for token in parsed if token.type.startswith("html")} == {
        "<code>",
        "</code>",
        "<sub>",
        "</sub>",
    }
    assert not {"link_open", "image", "code_inline", "em_open"} & {token.type for token in parsed}
    assert len([token for token in parsed if token.type == "tr_open"]) == 5  # two heads, two grades, one problem
    shown = "".join(token.content for token in parsed if token.type in ("text", "text_special"))
    assert printable(name, 80, lines=False).replace("\\", "＼") in shown


def walk(tokens: Sequence[Token]) -> Iterator[Token]:
    """All tokens, those inside others too."""
    for token in tokens:
        yield token
        yield from walk(token.children or ())


def test_the_summary_shows_the_class_in_numbers() -> None:
    page = summary(class_of(graded("a.ipynb", 4), graded("b.ipynb", 10), unreadable("c.ipynb")), run_of())
    assert "**2** graded, **1** could not be. Mean **7** of 10, median 7" in page
    assert " 40– 50 % │" in page
    assert "cut off" in page


def test_the_summary_does_not_hold_the_seed() -> None:
    assert "secret seed" not in summary(class_of(graded("a.ipynb", 4)), run_of())


def test_the_summary_says_when_there_was_no_isolation_and_when_it_is_incomplete() -> None:
    assert "without isolation" in summary(class_of(graded("a.ipynb", 4)), run_of(isolated=False))
    assert "not finished" in summary(class_of(graded("a.ipynb", 4)), run_of(finished=False))
    assert "WARNING" not in summary(class_of(graded("a.ipynb", 4)), run_of())


def test_the_summary_of_a_large_class_stays_under_githubs_limit() -> None:
    rows = [graded(f"{'ü' * 300}{number}.ipynb", number % 11) for number in range(3000)]
    page = summary(class_of(*rows, *[unreadable(f"{'|' * 300}{n}.ipynb", "|" * 900) for n in range(500)]), run_of())
    assert len(page.encode()) < 1024**2
    assert "more: see final" in page


def test_bars_of_the_histogram_are_in_proportion() -> None:
    lines = histogram([0, 1, 4, 8], 25)
    widths = [line.split("│")[1].count("█") for line in lines]
    assert widths == [0, 5, 20, 40]
    assert lines[0].split() == ["0–", "25", "%", "│"]


def test_a_bin_with_one_submission_of_very_many_is_still_seen() -> None:
    assert "▏ 1" in histogram([1, 10_000], 50)[0]


# --- archives ---------------------------------------------------------------------------------------------------


def archive(folder: Path, entries: dict[str, bytes], link: str = "") -> Path:
    path = folder / "submissions.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in entries.items():
            content.writestr(name, data)
        if link:
            info = zipfile.ZipInfo("link.ipynb")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            content.writestr(info, link)
    return path


def test_an_archive_is_unpacked_inside_its_folder_without_links(tmp_path: Path) -> None:
    entries = {"a/x.ipynb": b"1", "../out.ipynb": b"2", "/etc/out.ipynb": b"3", "..\\out2.ipynb": b"4"}
    assert unpack(archive(tmp_path, entries, link="/etc/passwd"), tmp_path / "in") == 1
    assert [path.name for path in (tmp_path / "in").rglob("*") if path.is_file()] == ["x.ipynb"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "submissions.zip"]


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.actions.fetch.MAX_ARCHIVE_BYTES", 1000)
    with pytest.raises(FetchError, match="too large"):
        unpack(archive(tmp_path, {"a.ipynb": bytes(2000)}), tmp_path / "in")


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(FetchError, match=r"x\.zip cannot be unpacked"):
        unpack(tmp_path / "x.zip", tmp_path / "in")


# --- repositories -----------------------------------------------------------------------------------------------


def test_names_of_repositories_are_checked_before_git_sees_them() -> None:
    assert repositories("a/b, c/d\n a/b") == ["a/b", "c/d"]
    for bad in ("a", "--upload-pack=x/y", "a/..", "a/b;c", "-a/b", "ext::sh/x", "a/b/c"):
        with pytest.raises(FetchError, match="not the name of a repository"):
            repositories(bad)


def test_folders_are_the_students_logins_unless_two_would_share_one() -> None:
    assert folder_names(["org/ad-ada", "org/ad-bob"], "ad") == {"org/ad-ada": "ada", "org/ad-bob": "bob"}
    assert folder_names(["x/work", "y/Work"]) == {"x/work": "x__work", "y/Work": "y__Work"}


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(f"file://{tmp_path}/server", "http://127.0.0.1:9", "a-token")


def student(tmp_path: Path, name: str = "org/ad-ada") -> Path:
    folder = tmp_path / "server" / name
    folder.mkdir(parents=True)
    (folder / "toy.ipynb").write_text("{}")
    return folder


def test_only_plain_files_that_can_be_submissions_come_out_of_a_repository(server: Server, tmp_path: Path) -> None:
    folder = student(tmp_path)
    (folder / "deep").mkdir()
    (folder / "deep" / "other.py").write_text("x = 1")
    (folder / "big.bin").write_bytes(bytes(10))
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (folder / ".gitattributes").write_text("*.ipynb filter=evil export-subst\n")
    commit(folder)
    git(folder, "config", "filter.evil.smudge", "touch /tmp/evil")
    hash_ = fetch(server, "org/ad-ada", tmp_path / "out", tmp_path)
    assert hash_ == git(folder, "rev-parse", "HEAD").strip()
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {"toy.ipynb", "deep/other.py"}
    assert not (tmp_path / "clone.git").exists()


def test_the_last_commit_before_the_deadline_counts(server: Server, tmp_path: Path) -> None:
    folder = student(tmp_path)
    for text, date in (("early", "2026-05-01T12:00:00Z"), ("late", "2026-05-03T12:00:00Z")):
        (folder / "toy.ipynb").write_text(text)
        if not (folder / ".git").exists():
            git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "add", "--all")
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", text],
            cwd=folder,
            env={**os.environ, "GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date},
            check=True,
        )
    fetch(server, "org/ad-ada", tmp_path / "out", tmp_path, before="2026-05-02 00:00 +0000")
    assert (tmp_path / "out" / "toy.ipynb").read_text() == "early"
    fetch(server, "org/ad-ada", tmp_path / "now", tmp_path)
    assert (tmp_path / "now" / "toy.ipynb").read_text() == "late"
    with pytest.raises(FetchError, match="no commit before"):
        fetch(server, "org/ad-ada", tmp_path / "never", tmp_path, before="2020-01-01")


@pytest.mark.parametrize(
    "names", [["é" * 120 + ".ipynb"], ["/".join(["d" * 150] * 20) + "/x.ipynb"], ["\udcff.ipynb", "\udcfe.ipynb/x.py"]]
)
def test_a_repository_with_names_that_cannot_be_written_costs_nobody_else_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    commit(student(tmp_path))
    hostile = tmp_path / "server" / "org" / "ad-aaa"
    hostile.mkdir()
    git(hostile, "init", "--quiet", "--initial-branch=main")
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=hostile, input=b"{}", capture_output=True, check=True
    ).stdout.strip()
    index = b"".join(b"100644 " + blob + b"\t" + os.fsencode(name) + b"\0" for name in names)
    subprocess.run(["git", "update-index", "-z", "--index-info"], cwd=hostile, input=index, check=True)
    git(hostile, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=x")
    monkeypatch.setenv("GITHUB_SERVER_URL", f"file://{tmp_path}/server")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    out = tmp_path / "out"
    assert actions.main(["fetch", "--repositories", "org/ad-aaa org/ad-ada", "-o", str(out)]) == 0
    assert (out / "ad-ada" / "toy.ipynb").is_file()


def test_a_clone_that_takes_too_long_leaves_nothing_in_the_way_of_the_next(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(student(tmp_path))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "clone.git").mkdir()
    (scratch / "clone.git" / "left").touch()
    with monkeypatch.context() as hurry:
        hurry.setattr("autograder.actions.fetch.CLONE_SECONDS", 0.0)
        with pytest.raises(FetchError, match="took longer"):
            fetch(server, "org/ad-ada", tmp_path / "out", scratch)
    assert [path.name for path in scratch.iterdir()] == ["clone.git"]
    fetch(server, "org/ad-ada", tmp_path / "out", scratch)


def test_a_repository_that_is_not_there_is_an_annotation_and_the_others_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(student(tmp_path))
    monkeypatch.setenv("GITHUB_SERVER_URL", f"file://{tmp_path}/server")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("STUDENTS_TOKEN", "a-token")
    out = tmp_path / "out"
    who = tmp_path / "private" / "who.csv"
    command = ["fetch", "--repositories", "org/ad-ada org/gone", "-o", str(out), "--names", str(who)]
    assert actions.main(command) == 0
    log = capsys.readouterr().out
    assert not re.search("ada|gone", log)
    rows = {row["repository"]: row for row in csv.DictReader(who.read_text().splitlines())}
    assert rows["org/gone"]["number"] in log
    assert rows["org/gone"]["problem"]
    assert rows["org/ad-ada"]["commit"]
    ((kind, title),) = [(command.name, command.properties["title"]) for command in commands(log)]
    assert kind == "warning"
    assert title in ("repository 001", "repository 002")
    assert sorted(path.name for path in out.iterdir()) == ["ad-ada", "gone"]
    assert [path.name for path in (out / "gone").iterdir()] == ["NOT_FETCHED.txt"]
    assert "a-token" not in log
    assert actions.main(["fetch", "--repositories", "org/gone", "-o", str(out)]) == 2


class _Api(BaseHTTPRequestHandler):
    """Two pages of an organisation's repositories, for whoever has the token."""

    def do_GET(self) -> None:
        if self.headers["Authorization"] != "Bearer a-token":
            self.send_error(401)
            return
        page = int(self.path.split("page=")[-1])
        names = [f"org/ad-s{number}" for number in range(100)] if page == 1 else ["org/ad-last", "org/other", "org/ad"]
        body = json.dumps([{"full_name": name} for name in names]).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Api) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{service.server_port}"
        service.shutdown()
        thread.join()


def test_a_classrooms_repositories_are_found_by_their_prefix_on_every_page(api: str) -> None:
    found = of_organisation(Server("file:///x", api, "a-token"), "org", "ad")
    assert len(found) == 101
    assert "org/ad-last" in found
    assert "org/other" not in found


def test_a_token_that_is_refused_is_said_so(api: str) -> None:
    with pytest.raises(FetchError, match="does the token have access"):
        of_organisation(Server("file:///x", api, "wrong"), "org", "ad")


# --- the plan ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("submissions", "asked", "shards"), [(5, 2, 2), (2, 4, 2), (3, 0, 1), (300, 999, 256)])
def test_there_are_no_more_shards_than_submissions_nor_than_a_matrix_holds(
    submissions: int, asked: int, shards: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(submissions):
        (tmp_path / "in" / f"{number}.ipynb").write_text("{}")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    assert actions.main(["plan", str(tmp_path / "in"), "-a", "toy", "--shards", str(asked)]) == 0
    outputs = dict(line.split("=") for line in (tmp_path / "output").read_text().splitlines())
    assert json.loads(outputs["shards"]) == list(range(1, shards + 1))
    assert outputs["count"] == str(submissions)


def test_a_plan_for_nothing_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert actions.main(["plan", str(tmp_path), "-a", "toy", "--shards", "2"]) == 2
    assert "no submission" in capsys.readouterr().out


def test_without_a_runner_the_summary_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder.actions.commands import append

    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    append("GITHUB_STEP_SUMMARY", "text\n")
    assert capsys.readouterr().out == "text\n"


# --- nothing personal in a log ----------------------------------------------------------------------------------


def test_the_summary_and_the_annotations_speak_of_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, page = tmp_path / "out", tmp_path / "page.md"
    out.mkdir()
    run_of().write(out)
    with Journal(out) as book:
        for result in (
            graded("lovelace_ada.ipynb", 5),
            unreadable("Bob Hall.ipynb", "'Bob Hall.ipynb' of bob@example.org"),
        ):
            book.append(Record(result.file, result.file, "0", result))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert actions.main(["summary", str(out)]) == 0
    shown = page.read_text() + capsys.readouterr().out
    assert not re.search("lovelace|bob|hall", shown, re.IGNORECASE)
    assert "submission 001" in shown
    assert "unreadable" in shown
    who = {row["file"]: row["number"] for row in csv.DictReader((out / "names.csv").read_text().splitlines())}
    assert sorted(who.values()) == ["submission 001", "submission 002"]
    (problem,) = commands(shown)
    assert problem.properties["title"] == who["Bob Hall.ipynb"]


def test_the_order_of_numbers_depends_on_the_courses_secret() -> None:
    files = [f"{letter}.ipynb" for letter in "abcdefghij"]
    one, other = private.pseudonyms(files, "a secret"), private.pseudonyms(files, "another")
    assert sorted(one.values()) == sorted(other.values())
    assert one != other
    assert one == private.pseudonyms(reversed(files), "a secret")


def test_names_are_shown_where_they_are_no_students(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_of().write(tmp_path)
    with Journal(tmp_path) as book:
        book.append(Record("sample.ipynb", "sample", "0", graded("sample.ipynb", 5)))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert actions.main(["summary", "--names", str(tmp_path)]) == 0
    assert "sample" in capsys.readouterr().out
    assert not (tmp_path / "names.csv").exists()


def logged(tmp_path: Path, script: str) -> tuple[int, str, str]:
    log = tmp_path / "log" / "x.log"
    command = [
        sys.executable,
        "-m",
        "autograder.actions",
        "guard",
        "--log",
        str(log),
        "--",
        sys.executable,
        "-c",
        script,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout, log.read_text()


def test_what_names_students_goes_into_a_file_and_progress_into_the_log(tmp_path: Path) -> None:
    script = """
import sys
print("autograder: 2 submissions", file=sys.stderr)
print("autograder: 1/2 ada.ipynb: 9 points (0.50 a second, 2 s to go)", file=sys.stderr)
print("autograder: 2/2 x: 7/9 of bob (0.50 a second, 0 s to go)", file=sys.stderr)
print("Ada Lovelace 9 points")
"""
    code, shown, kept = logged(tmp_path, script)
    assert code == 0
    assert shown.splitlines()[:3] == [
        "2 submissions",
        "1/2 (0.50 a second, 2 s to go)",
        "2/2 (0.50 a second, 0 s to go)",
    ]
    assert not re.search("ada|bob", shown, re.IGNORECASE)
    assert "Ada Lovelace" in kept


@pytest.mark.parametrize("name", NASTY)
def test_what_a_privately_guarded_command_prints_is_never_a_command(tmp_path: Path, name: str) -> None:
    line = f"autograder: 1/2 {name}: 9 points (0.50 a second, 2 s to go)"
    _, shown, _ = logged(tmp_path, f"print({name!r}); print({line!r})")
    assert commands(shown) == []


def test_a_command_that_fails_says_why_without_what_it_quotes(tmp_path: Path) -> None:
    script = "print(\"autograder: the student's file 'ada.ipynb' of 'Bob O'Hara' cannot be read\"); raise SystemExit(2)"
    code, shown, _ = logged(tmp_path, script)
    assert code == 2
    assert [command.data for command in commands(shown)] == ["the student's file '…' of '…' cannot be read"]


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        ("there is no assignment 'toi'; did you mean 'toy'?", "there is no assignment 'toi'; did you mean '…'?"),
        ('the file "ada.ipynb" is empty', 'the file "…" is empty'),
        ("it isn't the grader's fault", "it isn't the grader's fault"),
        ("cut off: 'ada", "cut off: '…'"),
    ],
)
def test_quotations_are_left_out_unless_the_command_was_given_them(sentence: str, says: str) -> None:
    assert private.without_quotes(sentence, ["grade", "toi"]) == says


def test_repositories_that_were_typed_in_are_masked_before_a_step_shows_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    event = tmp_path / "event.json"
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    event.write_text(json.dumps({"inputs": {"repositories": "org/ada org/bob"}}))
    assert actions.main(["hide"]) == 0
    masked = [(command.name, command.data) for command in commands(capsys.readouterr().out)]
    assert masked == [("add-mask", "org/ada"), ("add-mask", "org/bob")]
    event.write_text(json.dumps({"schedule": "0 2 * * *"}))
    assert actions.main(["hide"]) == 0
    assert capsys.readouterr().out == ""


# --- repositories that are too much ---------------------------------------------------------------------------------


def bomb(tmp_path: Path, levels: int) -> Path:
    """A repository of a few hundred bytes whose tree lists ten to the power of `levels` files."""
    folder = tmp_path / "server" / "org" / "ad-eve"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")

    def made(command: list[str], text: str) -> str:
        done = subprocess.run(["git", *command], cwd=folder, input=text, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    thing = made(["hash-object", "-w", "--stdin"], "{}")
    kind, mode, ending = "blob", "100644", ".ipynb"
    for _ in range(levels):
        thing = made(["mktree"], "".join(f"{mode} {kind} {thing}\tf{number}{ending}\n" for number in range(10)))
        kind, mode, ending = "tree", "040000", ""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    head = made([*identity, "commit-tree", thing, "-m", "x"], "")
    git(folder, "update-ref", "refs/heads/main", head)
    return folder


def test_a_tree_that_lists_without_end_is_cut_off_and_its_owner_gets_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(student(tmp_path))
    bomb(tmp_path, 12)
    monkeypatch.setattr("autograder.actions.fetch.MAX_LISTING_BYTES", 200_000)
    monkeypatch.setenv("GITHUB_SERVER_URL", f"file://{tmp_path}/server")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    out = tmp_path / "out"
    assert actions.main(["fetch", "--repositories", "org/ad-eve org/ad-ada", "-o", str(out)]) == 0
    assert [path.name for path in (out / "ad-eve").iterdir()] == ["NOT_FETCHED.txt"]
    assert (out / "ad-ada" / "toy.ipynb").is_file()
    found = collect(out, "toy", tmp_path / "collected")
    assert list(found.collected) == ["ad-ada.ipynb"]
    assert found.empty_handed == ("ad-eve",)
    assert any("lists too many files" in note for note in found.notes)


def test_notebooks_are_fetched_before_other_files_and_what_is_not_fetched_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.actions.fetch.MAX_FILES", 2)
    monkeypatch.setattr("autograder.actions.fetch.MAX_BYTES", 100)
    folder = student(tmp_path)
    (folder / "a.py").write_text("x = 1")
    (folder / "b.py").write_text("x = 1")
    (folder / "large.ipynb").write_text("x" * 101)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "c.ipynb").write_text("{}")
    (folder / "zzz.ipynb.txt").write_text("{}")
    commit(folder)
    fetch(server, "org/ad-ada", tmp_path / "out", tmp_path)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"toy.ipynb", "zzz.ipynb.txt", "NOT_FETCHED.txt"}
    text = (tmp_path / "out" / "NOT_FETCHED.txt").read_text()
    assert all(name in text for name in ("large.ipynb", "a.py", "b.py"))


def test_what_git_says_beyond_the_bound_ends_it(server: Server, tmp_path: Path) -> None:
    commit(student(tmp_path))
    with pytest.raises(FetchError, match="git said more than"):
        fetch_git(server, f"--git-dir={tmp_path}/server/org/ad-ada/.git", "cat-file", "commit", "HEAD", limit=10)


def test_only_the_end_of_gits_messages_is_remembered(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.actions.fetch._WORDS", 20)
    with pytest.raises(FetchError) as raised:
        fetch_git(server, "no-such-command" + "x" * 100)
    assert len(str(raised.value)) <= 20


def test_an_archive_says_what_of_it_was_not_unpacked(tmp_path: Path) -> None:
    deep = "a/" * 400 + "x.ipynb"
    skipped: list[str] = []
    entries = {"a.ipynb": b"1", "../out.ipynb": b"2", deep: b"3"}
    assert unpack(archive(tmp_path, entries, link="/etc/passwd"), tmp_path / "in", skipped) == 1
    assert skipped == ["../out.ipynb", deep, "link.ipynb"]
