"""Moodle's grading worksheet, as a site in any language writes it: read, filled, and written back with the same rows.

Sources: Moodle documentation, "Using Assignment" (offline grading worksheet): *Download grading worksheet* gives
Identifier, Full name, Email address, Status, Grade, Maximum grade, Grade can be changed, Last modified (submission),
Last modified (grade), Feedback comments; *Upload grading worksheet* takes it back. Observed of Moodle 4.5
(mod/assign/feedback/offline): the headings are in the language of whoever downloads, and those of the identifier, the
grade and the last change are looked for in that language, all three; the identifier is the language's word for
participant and a number; a grade has the language's decimal sign; a grade that is negative, above the maximum, the same
as before, or older than Moodle's own is silently skipped; feedback comments are HTML. Untried on a live
platform.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.records import spreadsheet
from autograder.text import csv_text, for_csv

FILE = "moodle_worksheet.csv"
"""A worksheet that was part of the download, kept with the results."""
OURS = "Graded automatically"
"""How our own comments begin: a later one replaces an earlier one, but never a person's."""
_LIMIT = 16 * 1024**2

# Moodle's language packs: grade (core), recordid, lastmodifiedgrade and gradecanbechanged (mod_assign), the name of the
# feedback comments; and whether the decimal sign is a comma (langconfig).
_GRADE = {
    "grade", "bewertung", "note", "calificación", "calificacion", "cijfer", "beoordeling", "valutazione", "nota",
    "avaliação", "ocena", "оценка", "оцінка", "評点", "评分", "成绩", "karakter", "betyg", "arvosana", "not", "známka",
    "hodnocení", "osztályzat", "βαθμός", "qualificació",
}  # fmt: skip
_MODIFIED = {
    "last modified (grade)", "zuletzt geändert (bewertung)", "dernière modification (note)",
    "última modificación (calificación)", "laatst gewijzigd (beoordeling)", "laatst gewijzigd (cijfer)",
    "ultima modifica (valutazione)", "última modificação (nota)", "última modificação (avaliação)",
    "última alteração (nota)", "последнее изменение (оценка)", "最終更新日時 (評定)",
}  # fmt: skip
_COMMENTS = {
    "feedback comments", "feedback als kommentar", "feedback par commentaires", "commentaires",
    "comentarios de retroalimentación", "comentarios de la retroalimentación", "feedback in opmerkingen",
    "commenti di feedback", "comentários de feedback", "комментарии отзыва",
}  # fmt: skip
_POINT_WORDS = {"grade", "評点", "评分", "成绩"}
"""Languages that write 7.5; all others here write 7,5."""
_IDENTIFIER = re.compile(r"(?P<word>[^\W\d_][^\d]*?)(?P<number>\d+)")


@dataclass(frozen=True)
class Entry:
    """Whose line it is."""

    identifier: str
    """Moodle's number, with the language's word for a participant."""
    email: str
    name: str


@dataclass(frozen=True)
class Worksheet:
    """A worksheet; cells are as Moodle wrote them."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str
    mark: bool
    """Whether the file begins with a byte order mark."""
    grade: int
    """The column of the grade."""
    modified: int | None
    comments: int | None
    comma: bool
    """Whether numbers are written 7,5."""
    maximum: float | None

    def entries(self) -> list[Entry]:
        """Whose lines these are."""
        name = 1 if len(self.header) > 1 else 0
        found: list[Entry] = []
        for row in self.rows:
            email = next((cell for cell in row[1 : self.grade] if re.fullmatch(r"[^@\s]+@[^@\s]+", cell.strip())), "")
            found.append(Entry(row[0].strip(), email.strip(), row[name]))
        return found

    def filled(self, grades: Mapping[int, tuple[float | None, str]]) -> "Worksheet":
        """With points (None leaves the cell) and a comment, as HTML, in some of the rows.

        A comment written by a person in Moodle stays.
        """
        rows: list[tuple[str, ...]] = []
        for index, row in enumerate(self.rows):
            cells = list(row)
            points, comment = grades.get(index, (None, ""))
            if points is not None:
                cells[self.grade] = self.number(points)
            if comment and self.comments is not None and _is_ours(cells[self.comments]):
                cells[self.comments] = comment
            rows.append(tuple(cells))
        return replace(self, rows=tuple(rows))

    def number(self, points: float) -> str:
        """Points as this site writes and reads them."""
        text = f"{points:.2f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if self.comma else text

    def text(self) -> str:
        """The file's text, with no formula in it."""
        rows = ([_as_it_was(cell) for cell in row] for row in self.rows)
        return ("\ufeff" if self.mark else "") + csv_text(self.header, rows, self.delimiter)


def read(path: Path) -> Worksheet | None:
    """A worksheet; None for any other file."""
    try:
        content = spreadsheet.read(path, _LIMIT)
    except spreadsheet.SpreadsheetError:
        return None
    if content.encoding not in ("utf-8", "utf-8-sig"):  # Moodle's own always is, and it takes no other back
        return None
    return parse(content.text, mark=content.encoding == "utf-8-sig")


def parse(text: str, *, mark: bool = False) -> Worksheet | None:
    """A worksheet's text: what has participants in its first column and a column for the grade.

    mark: whether the file begins with a byte order mark.
    """
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    try:
        lines = [tuple(line) for line in csv.reader(io.StringIO(text), delimiter=delimiter) if any(line)]
    except csv.Error:
        return None
    if len(lines) < 2:
        return None
    header, width = lines[0], len(lines[0])
    rows = tuple((*line[:width], *[""] * (width - len(line))) for line in lines[1:])
    words = {match["word"] if (match := _IDENTIFIER.fullmatch(row[0].strip())) else "" for row in rows}
    if len(words) != 1 or "" in words or width < 3:
        return None
    plain = [" ".join(heading.split()).casefold() for heading in header]
    maximum_at = _maximum(rows, width)
    grade = next((index for index, heading in enumerate(plain) if heading in _GRADE), None)
    if grade is None and maximum_at is not None and maximum_at > 2:
        grade = maximum_at - 1  # in every language the grade comes right before the maximum
    if grade is None:
        return None
    return Worksheet(
        header=header,
        rows=rows,
        delimiter=delimiter,
        mark=mark,
        grade=grade,
        modified=next((index for index, heading in enumerate(plain) if heading in _MODIFIED), None),
        comments=next((index for index, heading in enumerate(plain) if heading in _COMMENTS), None),
        comma=_has_comma(rows, (grade, maximum_at), plain[grade]),
        maximum=_number(rows[0][maximum_at]) if maximum_at is not None else None,
    )


def _maximum(rows: Sequence[Sequence[str]], width: int) -> int | None:
    for column in range(2, width):
        values = {row[column].strip() for row in rows}
        if len(values) == 1 and (_number(next(iter(values))) or 0) > 0:
            return column
    return None


def _has_comma(rows: Sequence[Sequence[str]], columns: Sequence[int | None], heading: str) -> bool:
    cells = [row[column].strip() for row in rows for column in columns if column is not None]
    if any(re.fullmatch(r"\d+,\d+", cell) for cell in cells):
        return True
    if any(re.fullmatch(r"\d+\.\d+", cell) for cell in cells):
        return False
    return heading not in _POINT_WORDS


def _number(text: str) -> float | None:
    return float(text.replace(",", ".")) if re.fullmatch(r"\s*\d+(?:[.,]\d+)?\s*", text) else None


def _is_ours(comment: str) -> bool:
    text = re.sub(r"<[^>]*>", "", comment).strip()
    return not text or text.startswith(OURS)


def _as_it_was(cell: str) -> str:
    """A cell as Moodle wrote it, lines and all, unless a spreadsheet would calculate it."""
    if re.fullmatch(r"\s*-?(?:\d+(?:[.,]\d+)?)?\s*", cell):  # a number, or Moodle's sign for no grade
        return cell
    guarded = for_csv(cell, 100_000)
    return cell if guarded == " ".join(cell.split()) else guarded
