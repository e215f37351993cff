"""Untrusted text is harmless wherever it is shown."""

import csv
import html
import io
import itertools
import unicodedata
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasty import NASTY

from autograder.records.roster import COLUMNS, Student, rows, table
from autograder.submissions.batch import stems_of
from autograder.text import (
    file_stem,
    for_csv,
    for_html,
    for_html_cell,
    for_markdown,
    for_terminal,
    name_digest,
    printable,
)

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
    assert printable("\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]8;;http://x\x1b\\link") == "red link"
    assert printable("a\u202eb\u200bc\x00d") == "abcd"


def test_long_text_is_cut_and_that_shows() -> None:
    assert printable("x" * 50, 10) == "x" * 10 + " …"
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
    monkeypatch.setattr("autograder.submissions.batch.name_digest", lambda name: "00000000")
    stems = stems_of([*victims, "a-00000000.py", "A-00000000.zip"])
    assert len({stem.casefold() for stem in stems.values()}) == len(victims) + 2


FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20|%\t\r")
DESTINATIONS = {
    "terminal": for_terminal,
    "html": for_html,
    "csv": for_csv,
    "html cell": lambda text: for_html_cell([text, text]),
    "markdown": for_markdown,
}


@pytest.mark.parametrize("written", [",", ";", "\t"])
@pytest.mark.parametrize("parsed", [",", ";", "\t"])
@pytest.mark.parametrize("cell", [for_csv, lambda text: for_html_cell([text])], ids=["text", "html"])
def test_no_cell_is_a_formula_whatever_a_spreadsheet_splits_at(written: str, parsed: str, cell: object) -> None:
    assert callable(cell)
    for text in NASTY:
        file = io.StringIO()
        csv.writer(file, delimiter=written, lineterminator="\n").writerow(["ann", cell(text), "x"])
        for found in (field for row in csv.reader(io.StringIO(file.getvalue()), delimiter=parsed) for field in row):
            assert not found.lstrip().startswith(FORMULA), (text, found)


@given(TEXT | st.text(alphabet=";,\t =+-@'\"a1"))
def test_no_cell_is_a_formula_behind_any_separator(text: str) -> None:
    for written, parsed in itertools.product(",;\t", repeat=2):
        file = io.StringIO()
        csv.writer(file, delimiter=written, lineterminator="\n").writerow([for_csv(text), "x"])
        for found in next(csv.reader(io.StringIO(file.getvalue()), delimiter=parsed)):
            number = found.strip().rstrip(";)]").replace(",", ".")
            assert not found.lstrip().startswith(FORMULA) or number.lstrip("+-").split(" ")[0][:1].isdigit(), found


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_nothing_nasty_steers_or_hides_anywhere(destination: str) -> None:
    for text in NASTY:
        shown = DESTINATIONS[destination](text)
        assert not [
            c for c in shown if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        ], text
        assert len(shown) < 30_000
        shown.encode()


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_names_that_differ_in_a_letter_nobody_sees_do_not_look_alike(destination: str) -> None:
    looks = [DESTINATIONS[destination](text) for text in ("JaneDoe", *(text for text in NASTY if text[:4] == "Jane"))]
    looks.remove(DESTINATIONS[destination]("Jane\x00Doe"))  # a control character has no looks at all
    assert len(set(looks)) == len(looks)
    assert "U+200B" in DESTINATIONS[destination]("Jane\u200bDoe").replace("\\", "")


@pytest.mark.parametrize(
    "name", ["\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u2764\ufe0f", "\U0001f469\u200d\U0001f4bb"]
)
def test_a_joiner_that_belongs_to_a_script_or_an_emoji_is_not_shown_by_its_number(name: str) -> None:
    assert "U+" not in for_terminal(name)


def test_a_column_shown_as_html_holds_line_breaks_and_no_other_markup() -> None:
    for text in NASTY:
        tags = for_html_cell(["Points: 3", text]).split("<")[1:]
        assert [tag[:3] for tag in tags] == ["br>"], text


def test_numbers_in_a_sentence_are_left_alone() -> None:
    assert for_csv("expected (1, -2), got (1, 2); -3.5 is wrong") == "expected (1, -2), got (1, 2); -3.5 is wrong"
