"""Untrusted text is harmless wherever it is shown."""

import csv
import html
import io
import unicodedata
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.engine.batch import stems_of
from autograder.report.escape import file_stem, for_csv, for_html, for_markdown, for_terminal, name_digest, plain
from autograder.report.roster import COLUMNS, Student, rows, table

TEXT = st.text() | st.text(alphabet="=+-@\t\r\n'\"<>&\x1b[]31m\u202e\u200b\x07\x9b|`*/._a ")


@given(TEXT)
def test_nothing_steers_a_terminal(text: str) -> None:
    for character in for_terminal(text):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


@given(TEXT)
def test_no_markup_gets_into_html(text: str) -> None:
    escaped = for_html(text)
    assert not set("<>\"'") & set(escaped)
    assert html.unescape(escaped) == html.unescape(for_html(html.unescape(escaped)))


@given(TEXT)
def test_no_spreadsheet_takes_text_for_a_formula(text: str) -> None:
    cell = for_csv(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert "\n" not in cell
    assert "\r" not in cell
    assert list(csv.reader(io.StringIO(table(["x", "y"], [[text, 1]])))) == [["x", "y"], [cell, "1"]]


@given(st.lists(TEXT, min_size=1, max_size=8, unique=True))
def test_file_stems_are_safe_and_tell_names_apart(names: list[str]) -> None:
    stems = list(stems_of([f"{name}.ipynb" for name in names]).values())
    assert len({stem.casefold() for stem in stems}) == len(names)
    for stem in stems:
        assert stem
        assert "/" not in stem
        assert not stem.startswith((".", "-", " "))
        assert stem.isprintable()
        assert len(stem.encode()) <= 110


def test_usual_names_keep_their_stem() -> None:
    assert file_stem("doe_jane.ipynb") == "doe_jane"
    assert file_stem("ann/hw 1.zip") == "ann__hw 1"


def test_names_that_would_share_a_stem_all_get_a_digest() -> None:
    names = ["a/b.ipynb", "a__b.py", "A__b.zip", "c.py"]
    stems = stems_of(names)
    assert len({stem.casefold() for stem in stems.values()}) == 4
    assert stems["c.py"] == "c"


def test_escape_sequences_leave_no_trace() -> None:
    assert plain("\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]8;;http://x\x1b\\link") == "red link"
    assert plain("a\u202eb\u200bc\x00d") == "abcd"


def test_long_text_is_cut_and_that_shows() -> None:
    assert plain("x" * 50, 10) == "x" * 10 + " …"
    assert len(for_html("e" + "\u0301" * 500)) == 4


@pytest.mark.parametrize("text", ["[a](javascript:x)", "a|b", "<img src=x>", "`x`", "# x", "![x](y)"])
def test_markdown_is_literal(text: str) -> None:
    escaped = for_markdown(text)
    for sign in "[]()|<>`!":
        assert escaped.count(sign) == escaped.count(f"\\{sign}")


def test_a_roster_survives_writing_and_reading() -> None:
    student = Student(file="-x.ipynb", id="007", name="=Jane", email="j@x", login="@jane", section="A")
    text = table(COLUMNS, [astuple(student)])
    assert rows(text, Path("roster.csv")) == [student]


def test_no_name_can_be_made_to_take_another_one_s_stem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results and feedback are files named after stems: sharing one would overwrite a student's."""
    victims = ["a.py", "A.ipynb", "b/c.py", "b__c.py"]
    chosen = [f"{file_stem(name)}-{name_digest(name)}.zip" for name in victims]
    again = [f"{file_stem(name)}-{name_digest(name)}.py" for name in chosen]
    stems = stems_of([*victims, *chosen, *again])
    assert len({stem.casefold() for stem in stems.values()}) == len(victims) * 3
    monkeypatch.setattr("autograder.engine.batch.name_digest", lambda name: "00000000")
    stems = stems_of([*victims, "a-00000000.py", "A-00000000.zip"])
    assert len({stem.casefold() for stem in stems.values()}) == len(victims) + 2
