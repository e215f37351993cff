"""Reading a table's text as people, platforms and spreadsheet programs save it."""

import codecs
from dataclasses import dataclass
from pathlib import Path

SAVE_AS = "save it as 'CSV UTF-8' in the spreadsheet program"
_SIGNATURES = (
    (b"PK\x03\x04", "a spreadsheet or an archive (.xlsx, .ods, .zip)"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)"),
    (b"%PDF", "a PDF"),
    (b"<", "a web page or XML"),
    (b"{", "JSON"),
)


class SpreadsheetError(Exception):
    """A file that is not a table as text; the message says what it is and what to do."""


@dataclass(frozen=True)
class Text:
    """What a file says, without a byte order mark."""

    text: str
    encoding: str
    """utf-8, utf-8-sig where a byte order mark was there, utf-16, utf-16-le, utf-16-be or cp1252."""


def read(path: Path, limit: int) -> Text:
    """The text of a file of at most `limit` bytes, in UTF-8, UTF-16 or Excel's code page Windows-1252."""
    try:
        with open(path, "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise SpreadsheetError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > limit:
        raise SpreadsheetError(f"{path} is larger than {limit // 1024**2} MiB")
    for start, what in _SIGNATURES:
        if content.removeprefix(codecs.BOM_UTF8).lstrip().startswith(start):
            raise SpreadsheetError(f"{path} is {what}, not a table as text: {SAVE_AS} and give that file")
    for encoding in _encodings(content):
        try:
            return Text(content.decode(encoding).removeprefix("\ufeff"), encoding)
        except UnicodeDecodeError:
            continue
    raise SpreadsheetError(f"{path} is not text in UTF-8, UTF-16 or Windows-1252: {SAVE_AS} and give that file")


def _encodings(content: bytes) -> tuple[str, ...]:
    """Which encodings are possible, the surest first: Latin text in UTF-16 is half zeros; in a code page it is not."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    if 3 * content[1::2].count(0) > len(content):
        return ("utf-16-le",)
    if 3 * content[::2].count(0) > len(content):
        return ("utf-16-be",)
    utf8 = "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-8"
    return (utf8,) if b"\0" in content else (utf8, "cp1252")
