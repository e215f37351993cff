"""Tables that an instructor writes by hand or in a spreadsheet: adjustments.csv and extensions.csv."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.records import spreadsheet
from autograder.suggest import did_you_mean
from autograder.text import for_terminal, unguarded

_LIMIT = 4 * 1024**2


class HandwrittenError(Exception):
    """A table that cannot be used; the message says which file and line, and what was expected there."""


@dataclass(frozen=True)
class Line:
    """One line; a missing cell is empty."""

    place: str
    """The file's name and the line's number, for messages."""
    values: dict[str, str]

    def error(self, text: str) -> HandwrittenError:
        """An error about this line."""
        return HandwrittenError(f"{self.place}: {text}")


def read(path: Path, columns: Sequence[str]) -> list[Line]:
    """The lines of a table with some of these columns, separated by commas, semicolons or tabs.

    Empty lines are skipped. HandwrittenError for any other file.
    """
    try:
        text = spreadsheet.read(path, _LIMIT).text
    except spreadsheet.SpreadsheetError as error:
        raise HandwrittenError(str(error)) from None
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    found: list[Line] = []
    names: list[str] = []
    try:
        for row in rows:
            if not any(cell.strip() for cell in row) or (not names and row[0].startswith("sep=")):
                continue
            if not names:
                names = [cell.strip().casefold() for cell in row]
                _check_columns(path, names, columns)
                continue
            if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
                raise HandwrittenError(
                    f"{path}, line {rows.line_num}: {len(row)} cells, but {len(names)} columns: a text with a "
                    f"'{delimiter}' in it needs quotation marks"
                )
            values = {name: unguarded(cell.strip()) for name, cell in zip(names, row, strict=False)}
            found.append(Line(f"{path}, line {rows.line_num}", {name: values.get(name, "") for name in columns}))
    except csv.Error as error:
        raise HandwrittenError(f"{path}, line {rows.line_num}: {error}") from None
    return found


def _check_columns(path: Path, names: Sequence[str], columns: Sequence[str]) -> None:
    for name in names:
        if name and name not in columns:
            hint = did_you_mean(name, columns) or f"; the columns are: {', '.join(columns)}"
            raise HandwrittenError(f"{path}: unknown column '{for_terminal(name, 60)}'{hint}")
