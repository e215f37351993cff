"""The record of attacks, the table made of it, and going on where it stopped: `benchmarks/attacks.py`."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import attack_record
import attacks
from attack_record import REPOSITORY, Code, RecordError, Seen
from hostile.attack import RIGHT_POINTS, Attack
from hostile.corpus import ATTACKS
from hostile.runners import BATCH, HONEST, Outcome, honest_among

SEEN = Seen(
    attack="tcp",
    runner="session",
    situation="root",
    found=(),
    score=0.0,
    status="completed",
    seconds=0.1,
    honest=(1, 1),
    batch="b1",
    layers=("landlock", "seccomp"),
    date="2026-03-01T12:00:00Z",
    commit="abc1234",
    code="c0de",
    machine="Linux 6.18",
)
MODULE = '''"""Attacks."""

HOW = "seen"

ATTACKS = (
    Attack("first", "score", "tries", HOW, """
x = 1
"""),
    Attack("second", "score", "tries", HOW),
)
'''


def seen(**changes: Any) -> Seen:
    return dataclasses.replace(SEEN, **changes)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, content in {
        "autograder/isolation/seccomp.py": "CALLS = 1\n",
        "tests/hostile/apparatus.py": "LOOKS = 1\n",
        "tests/hostile/course/assignment.toml": "title = 'a'\n",
        "tests/hostile/corpus.py": "ATTACKS = (*score.ATTACKS,)\n",
        "tests/hostile/score.py": MODULE,
        "tests/hostile/leak.py": MODULE.replace("first", "third").replace("second", "fourth"),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def changed(repository: Path, file: str, old: str, new: str) -> set[str]:
    """The attacks whose digest an edit changes."""
    names = ("first", "second", "third", "fourth")
    before = Code(repository)
    content = (repository / file).read_text()
    assert old in content
    (repository / file).write_text(content.replace(old, new))
    after = Code(repository)
    return {name for name in names if before.digest(name) != after.digest(name)}


def test_outcomes_are_read_as_they_were_written(tmp_path: Path) -> None:
    record = [seen(), seen(attack="udp", found=("reached: \u2028 ü \ud800",), score=None)]
    for outcome in record:
        attack_record.append(tmp_path / "r.jsonl", outcome)
    assert attack_record.read(tmp_path / "r.jsonl") == record


def test_a_torn_last_line_is_passed_over_and_removed_by_the_next_outcome(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    attack_record.append(file, seen())
    with open(file, "ab") as stream:
        stream.write(file.read_bytes()[:40])
    assert attack_record.read(file) == [seen()]
    attack_record.append(file, seen(attack="udp"))
    assert attack_record.read(file) == [seen(), seen(attack="udp")]


@pytest.mark.parametrize("line", ["not JSON", "[]", '{"attack": "tcp"}'])
def test_a_damaged_line_before_the_last_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "r.jsonl"
    attack_record.append(file, seen())
    with open(file, "a") as stream:
        stream.write(f"{line}\n")
    attack_record.append(file, seen())
    with pytest.raises(RecordError, match="line 2 is not an outcome"):
        attack_record.read(file)


def test_an_attack_that_changes_makes_no_other_one_out_of_date(repository: Path) -> None:
    assert changed(repository, "tests/hostile/score.py", "x = 1", "x = 2") == {"first"}


def test_an_attack_that_is_added_makes_no_other_one_out_of_date(repository: Path) -> None:
    new = '    Attack("new", "score", "tries", HOW),\n'
    last = '    Attack("second", "score", "tries", HOW),\n'
    assert changed(repository, "tests/hostile/score.py", last, new + last) == set()
    assert changed(repository, "tests/hostile/leak.py", '    Attack("third"', new + '    Attack("third"') == set()
    assert changed(repository, "tests/hostile/corpus.py", "score", "leak") == set()


def test_what_the_attacks_of_a_module_share_makes_all_of_them_out_of_date(repository: Path) -> None:
    assert changed(repository, "tests/hostile/score.py", 'HOW = "seen"', 'HOW = "heard"') == {"first", "second"}


@pytest.mark.parametrize(
    ("file", "old"),
    [
        ("autograder/isolation/seccomp.py", "CALLS"),
        ("tests/hostile/apparatus.py", "LOOKS"),
        ("tests/hostile/course/assignment.toml", "title"),
    ],
)
def test_isolation_apparatus_and_assignment_make_every_attack_out_of_date(
    repository: Path, file: str, old: str
) -> None:
    assert changed(repository, file, old, "other") == {"first", "second", "third", "fourth"}


def test_an_attack_whose_text_is_nowhere_literally_is_out_of_date_when_any_attack_changes(repository: Path) -> None:
    before = Code(repository).digest("made-in-a-loop")
    changed(repository, "tests/hostile/leak.py", "x = 1", "x = 2")
    assert Code(repository).digest("made-in-a-loop") != before


def test_what_was_seen_with_other_code_or_never_is_missing(repository: Path) -> None:
    code = Code(repository)
    record = [
        seen(attack="first", code=code.digest("first")),
        seen(attack="second", code="older"),
        seen(attack="third", code=code.digest("third"), situation="user"),
    ]
    names = ["first", "second", "third"]
    assert attacks.missing(names, "root", "session", record, code, None) == ["second", "third"]


def test_of_several_outcomes_the_last_one_decides_what_is_missing(repository: Path) -> None:
    code = Code(repository)
    record = [seen(attack="first", code=code.digest("first")), seen(attack="first", code="another branch")]
    assert attacks.missing(["first"], "root", "session", record, code, None) == ["first"]


def test_since_a_day_the_day_counts_and_the_code_does_not(repository: Path) -> None:
    record = [seen(attack="first", date="2026-03-01T00:00:00Z"), seen(attack="second", date="2026-02-28T23:59:59Z")]
    names = ["first", "second"]
    assert attacks.missing(names, "root", "session", record, Code(repository), "2026-03-01") == ["second"]


def test_on_a_poorer_machine_what_never_met_it_and_the_sample_is_run() -> None:
    names = [attack.name for attack in ATTACKS]
    assert attacks.chosen(names, "user", "session", [], False) == names
    record = [seen(attack=name, situation="user") for name in names[1:]]
    sample = [name for name in names[1:] if attacks.sampled(name)]
    assert attacks.chosen(names, "user", "session", record, False) == [names[0], *sample]
    assert 0.1 < len(sample) / len(names) < 0.35
    assert attacks.chosen(names, "user", "session", record, True) == names
    assert attacks.chosen(names, "root", "session", record, False) == names


def test_the_plan_is_the_table_or_what_is_chosen_of_it() -> None:
    whole = attacks.plan(None, None)
    assert len(whole) == 10
    assert attacks.plan(["user"], None) == [("user", "session"), ("user", "grade")]
    assert attacks.plan(None, ["docker", "otter"]) == [("root", "otter"), ("container", "docker")]
    assert attacks.plan(["user"], ["otter"]) == [("user", "otter")]
    assert attacks.plan(["container"], ["session"]) == []


Grade = Callable[[Sequence[str], Callable[[Outcome], None]], str]


def deadly(harmful: str, times: int, *, at_once: bool) -> tuple[Grade, list[list[str]]]:
    """A way of grading that dies at one attack, so many times."""
    calls: list[list[str]] = []

    def grade(names: Sequence[str], note: Callable[[Outcome], None]) -> str:
        calls.append(list(names))
        dies = harmful in names and sum(harmful in call for call in calls) <= times
        if at_once and dies:
            return "died"
        for name in names:
            if dies and name == harmful:
                return "died"
            note(Outcome(name, "x", (), 0.0, "", 0.0))
        return ""

    return grade, calls


@pytest.mark.parametrize("at_once", [False, True])
def test_an_attack_that_always_ends_its_process_is_recorded_and_all_others_are_graded(at_once: bool) -> None:
    grade, _ = deadly("d", 100, at_once=at_once)
    found: list[Outcome] = []
    attacks.in_chunks(list("abcdefgh"), 6, grade, found.append, at_once=at_once)
    assert sorted(outcome.attack for outcome in found) == list("abcdefgh")
    assert [(outcome.attack, outcome.found) for outcome in found if not outcome.held] == [("d", ("died",))]


@pytest.mark.parametrize("at_once", [False, True])
def test_an_attack_whose_process_ended_once_is_graded_again(at_once: bool) -> None:
    grade, calls = deadly("b", 1, at_once=at_once)
    found: list[Outcome] = []
    attacks.in_chunks(list("abc"), 3, grade, found.append, at_once=at_once)
    assert sorted(outcome.attack for outcome in found if outcome.held) == list("abc")
    assert len(found) == 3
    assert calls[0] == list("abc")


def test_a_process_that_ends_badly_after_its_last_attack_is_a_finding() -> None:
    def grade(names: Sequence[str], note: Callable[[Outcome], None]) -> str:
        note(Outcome(names[0], "x", (), 0.0, "", 0.0))
        return "ended with signal 9"

    found: list[Outcome] = []
    attacks.in_chunks(["a"], 3, grade, found.append, at_once=False)
    assert [(outcome.attack, outcome.found) for outcome in found] == [("a", ()), (BATCH, ("ended with signal 9",))]


@pytest.mark.parametrize(
    ("program", "lines", "answer"),
    [
        ("print('one'); print('two')", ["one", "two"], ""),
        ("print('one', flush=True); raise SystemExit('no more')", ["one"], "ended with exit code 1: no more"),
        ("import os; print('one', flush=True); os.kill(os.getpid(), 9)", ["one"], "ended with signal 9"),
        ("import signal; print('one', flush=True); signal.pause()", ["one"], "said nothing for 2 s"),
    ],
)
def test_how_a_process_ended_is_said(program: str, lines: list[str], answer: str) -> None:
    taken: list[str] = []
    said = attacks.watched([sys.executable, "-c", program], 2, taken.append, dict(os.environ))
    assert taken == lines
    assert said == answer or (answer and said.endswith(answer))


ROWS = (Attack("tcp", "host", "tries", "seen"), Attack("honest", "score", "tries", "seen"))


def test_the_table_has_every_attack_and_says_what_was_not_run(repository: Path) -> None:
    record = [seen(), seen(runner="grade", score=None, honest=(0, 0), date="2026-03-02T00:00:00Z")]
    text = attack_record.table(record, ROWS, Code(repository))
    assert "| tcp | host | held (0 points) | held (no score) | — | — | 2026-03-01 to 2026-03-02 |" in text
    assert "| honest | score | — | — | — | — | — |" in text
    assert "2 attacks (1 host, 1 score); 2 outcomes, 0 in which something was gained" in text


def test_the_table_says_what_was_gained_and_where_as_literal_text(repository: Path) -> None:
    text = attack_record.table([seen(found=("leaked: <b> | \x1b[31m\nx",))], ROWS, Code(repository))
    (row,) = [line for line in text.splitlines() if line.startswith("| tcp")]
    assert "**SUCCEEDED**" in row
    assert "\x1b" not in text
    assert "<b>" not in text
    assert "- tcp, session, root, all layers: leaked" in text


def test_an_outcome_that_was_replaced_and_an_attack_that_is_gone_are_not_in_the_table(repository: Path) -> None:
    record = [seen(found=("leaked",)), seen(), seen(attack="gone", found=("leaked",))]
    text = attack_record.table(record, ROWS, Code(repository))
    assert "leaked" not in text
    assert "gone" not in text


def test_honest_submissions_are_counted_for_batches_that_still_count(repository: Path) -> None:
    def batch(name: str, exact: int) -> list[Seen]:
        whole = seen(attack=BATCH, runner="grade", batch=name, honest=(exact, 12))
        return [seen(runner="grade", batch=name, honest=(0, 0)), whole]

    assert "| 12 of 12 |" in attack_record.table([*batch("old", 11), *batch("new", 12)], ROWS, Code(repository))
    assert "| 11 of 12 |" in attack_record.table([*batch("old", 12), *batch("new", 11)], ROWS, Code(repository))


def test_what_a_batch_as_a_whole_gained_is_in_the_table(repository: Path) -> None:
    record = [seen(runner="grade"), seen(attack=BATCH, runner="grade", found=("3 processes are alive",))]
    text = attack_record.table(record, ROWS, Code(repository))
    assert f"- {BATCH}, `autograder grade`, root, all layers: 3 processes are alive" in text
    assert "1 in which something was gained" in text


def test_the_table_is_put_between_its_marks_and_nothing_else_changes() -> None:
    page = (REPOSITORY / "benchmarks" / "RECORDS.md").read_text("utf-8")
    once = attack_record.written(page, "| a table |")
    assert attack_record.written(once, "| a table |") == once
    assert once.count("| a table |") == 1
    before, after = page.split(attack_record.BEGIN)[0], page.split(attack_record.END)[1]
    assert once.startswith(before)
    assert once.endswith(after)


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(RecordError, match="no place for the table"):
        attack_record.written("# Records\n", "| a table |")


def test_what_a_runner_says_is_recorded_without_places_of_the_machine() -> None:
    said = "/home/ada/course/autograder/x.py: /tmp/attacks-1/lab-ab12/scratch " + "x" * 10_000
    text = attack_record.cleaned(said, {"/home/ada/course": "<repository>", "/tmp/attacks-1": "<tmp>"})
    assert text.startswith("<repository>/autograder/x.py: <tmp>/lab/scratch ")
    assert len(text) == 600


@pytest.mark.parametrize(
    ("situation", "layers", "problem"),
    [
        ("root", {"landlock", "seccomp"}, "layers are missing: ipc, mount, network, pid"),
        ("user-without-namespaces", {"landlock", "mount"}, "there are layers all the same: mount"),
    ],
)
def test_a_situation_that_the_machine_is_not_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, situation: str, layers: set[str], problem: str
) -> None:
    def nothing(recording: attacks.Recording, names: Sequence[str], note: object) -> str:
        recording.layers = tuple(layers)
        return ""

    monkeypatch.setattr(attacks.Recording, "_grade", nothing)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(attacks.SituationError, match=problem):
        attacks.Recording(tmp_path / "r.jsonl", situation, "session", "").check()


def test_the_honest_submissions_are_spread_among_the_attacks_with_different_scores() -> None:
    honest = honest_among(ATTACKS)
    assert len(honest) == HONEST == 12
    assert len({points for _, points in honest.values()}) >= 4
    assert max(points for _, points in honest.values()) == RIGHT_POINTS
    order = sorted([*honest, *(f"{attack.name}.ipynb" for attack in ATTACKS)])
    places = [order.index(name) for name in honest]
    assert max(after - before for before, after in itertools.pairwise(places)) < len(order) / 6


def test_the_command_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    situation = "root-without-namespaces" if os.geteuid() == 0 else "user-without-namespaces"
    command = [sys.executable, "benchmarks/attacks.py", "--record", str(file), "--resume"]
    command += ["--runner", "session", "--situation", situation, "--"]

    def run(*names: str) -> str:
        done = subprocess.run([*command, *names], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "1 of 1 attacks" in run("honest")
    (first,) = attack_record.read(file)
    assert (first.attack, first.score, first.situation, first.honest) == ("honest", 10.0, situation, (1, 1))
    with open(file, "ab") as stream:  # cut off while it wrote
        stream.write(file.read_bytes()[:40])
    assert "1 of 2 attacks" in run("honest", "tcp")
    assert [outcome.attack for outcome in attack_record.read(file)] == ["honest", "tcp"]
    assert "all 2 are in the record" in run("honest", "tcp")
