"""One reader for every table that an instructor gives: class lists, worksheets, adjustments."""

from pathlib import Path

import pytest

from autograder.records import handwritten, roster, spreadsheet, worksheet
from autograder.records.spreadsheet import SpreadsheetError

WORKSHEET = "Identifier,Full name,Grade,Maximum grade\nParticipant 7,Zoë,,10\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_what_a_spreadsheet_program_saves_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("name;points\nZoë;1\n".encode(encoding))
    assert spreadsheet.read(path, 1000) == spreadsheet.Text("name;points\nZoë;1\n", encoding)


def test_a_file_over_the_limit_and_one_that_is_not_there_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with pytest.raises(SpreadsheetError, match=r"table\.csv cannot be read: No such file"):
        spreadsheet.read(path, 1024**2)
    path.write_bytes(b"x" * (1024**2 + 1))
    with pytest.raises(SpreadsheetError, match=r"table\.csv is larger than 1 MiB"):
        spreadsheet.read(path, 1024**2)


def test_a_workbook_is_refused_in_the_same_words_wherever_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"PK\x03\x04....")
    with pytest.raises(roster.RosterError, match=r"\.xlsx.*save it as 'CSV UTF-8'"):
        roster.load(path)
    with pytest.raises(handwritten.HandwrittenError, match=r"\.xlsx.*save it as 'CSV UTF-8'"):
        handwritten.read(path, ("student",))
    assert worksheet.read(path) is None


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", False), ("utf-8-sig", True)])
def test_a_worksheet_is_written_back_with_the_byte_order_mark_it_had(tmp_path: Path, encoding: str, mark: bool) -> None:
    path = tmp_path / "worksheet.csv"
    path.write_bytes(WORKSHEET.encode(encoding))
    sheet = worksheet.read(path)
    assert sheet is not None
    assert sheet.text().startswith("\ufeff") == mark
    assert sheet.text().encode() == path.read_bytes()
