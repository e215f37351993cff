"""Making untrusted text harmless: one function for each place that it goes to; and points as people write them.

What a submission prints, raises, names its files or functions is text that somebody chose. `printable` leaves
characters that show and nothing that steers. Each destination has its own function on top of it: `for_terminal`,
`for_page` (a page's template, which escapes it), `for_html`, `for_csv` (commas, semicolons and tabs), `for_html_cell`
(a column of a table that a platform shows as HTML), `for_markdown`, `file_stem`. In all of them an invisible character
is shown by its number, ⟨U+200B⟩: with it left out, or left in, two names would look alike.
"""

import csv
import hashlib
import html
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c|$)"  # OSC, DCS and the like: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]",
    re.DOTALL,
)
_FORMULA = "=+-@＝＋－＠|%\t\r"
# Where another program splits a line a cell begins: a table with commas is read by a spreadsheet that splits at
# semicolons. A number is not a formula.
_LATER_FORMULA = re.compile(
    r"([,;\t]\s*[\"']?\s*)(?=[=@＝＠]|[+\-＋－](?!\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?(?:[\s;)\]]|,|$)))"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&:@$])")
# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), and the empty Braille cell: nothing is drawn.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Joiners that belong to a script's spelling (Arabic to Sinhala), and to an emoji: not seen, and not hiding anything.
_JOINED = re.compile(
    "(?<=[\u0600-\u0dff])[\u200c\u200d](?=[\u0600-\u0dff])|(?<=[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200d\ufe0f]"
)


def printable(text: str, limit: int = 10_000, *, lines: bool = True, unseen: bool = False) -> str:
    """Text that shows what it says: no control, ANSI, bidirectional or invisible characters, and a capped length.

    `lines=False` also makes it one line; `unseen=True` shows invisible characters by their number, ⟨U+200B⟩.
    """
    if len(text) > 2 * limit:  # before anything that is not linear
        text = text[: 2 * limit]
        cut = True
    else:
        cut = False
    text = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    text = _JOINED.sub("", text)
    if unseen:
        text = "".join(_visible(character) for character in text)
    if not lines:
        text = re.sub(r"\s+", " ", text)
    text = "".join(character for character in text if _shows(character))
    if cut or len(text) > limit:
        text = text[:limit].rstrip() + " …"
    return text


def _visible(character: str) -> str:
    hidden = _UNSEEN.match(character) or unicodedata.category(character) in ("Cf", "Cs", "Co", "Cn")
    return f"⟨U+{ord(character):04X}⟩" if hidden else character


def _shows(character: str) -> bool:
    # Cc: controls; Cf: bidirectional marks, zero-width characters, tags; Cs: surrogates; Co, Cn: unknown;
    # Zl, Zp: line separators that some programs break lines at.
    if character == "\n":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and not _UNSEEN.match(
        character
    )


def for_page(text: str, limit: int = 10_000, *, lines: bool = True) -> str:
    """Text as a page shows it, to be escaped by its template; stacks of combining marks are cut to three."""
    kept: list[str] = []
    marks = 0
    for character in printable(text, limit, lines=lines, unseen=True):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= 3:
            kept.append(character)
    return "".join(kept)


def for_html(text: str, limit: int = 10_000) -> str:
    """The same, escaped for HTML text and quoted attributes."""
    return html.escape(for_page(text, limit), quote=True)


def for_csv(text: str, limit: int = 500) -> str:
    """One line that no spreadsheet takes for a formula, whether it splits at commas, semicolons or tabs.

    An apostrophe goes before what looks like one.
    """
    return _without_formulas(printable(text, limit, lines=False, unseen=True))


def csv_text(header: Sequence[object], lines: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """A table as text; its cells are written unchanged, so texts must have passed `for_csv`."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def unguarded(text: str) -> str:
    """Without the apostrophe that `for_csv` puts before what looks like a formula."""
    return text[1:] if text.startswith("'") and for_csv(text[1:]) == text else text


def for_html_cell(lines: Iterable[str], limit: int = 2_000) -> str:
    """Lines of text for a column that a platform shows as HTML (Moodle's feedback comments), and no formula either."""
    return _without_formulas("<br>".join(for_html(re.sub(r"\s+", " ", line), limit) for line in lines))


def _without_formulas(text: str) -> str:
    text = _LATER_FORMULA.sub(r"\1'", text)
    return f"'{text}" if text.lstrip(' "').startswith(tuple(_FORMULA)) else text


def for_markdown(text: str, limit: int = 500) -> str:
    """One line of literal Markdown, also inside a table."""
    return _MARKDOWN.sub(r"\\\1", printable(text, limit, lines=False, unseen=True).replace("\\", "＼"))


def for_terminal(text: str, limit: int = 500) -> str:
    """One line for a terminal."""
    return printable(text, limit, lines=False, unseen=True)


def number(value: float) -> str:
    """A number of points as people write it: 8, 7.5, 0.25."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value != int(value) else str(int(value))


def signed(value: float) -> str:
    """A difference of points: +2, −1.5."""
    return f"{'−' if value < 0 else '+'}{number(abs(value))}"


def file_stem(name: str) -> str:
    """A file name without its extension that is safe everywhere, from any name; folders are joined with `__`.

    A digest makes up for what is lost, except extension, case and the separator of folders: names that differ only in
    those (`a.py` and `a.zip`, `a/b` and `a__b`) get the same stem.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    head, dot, tail = text.rpartition(".")
    text = head if dot and tail.lower() in ("ipynb", "py", "zip") and head else text
    text = text.replace("/", "__")
    safe = "".join(character if _is_safe(character) else "_" for character in text)
    short = safe.lstrip("-. ").rstrip(". ").encode()[:100].decode("utf-8", "ignore")
    return short if short == text else f"{short or 'submission'}-{name_digest(name)}"


def name_digest(name: str) -> str:
    """Eight hexadecimal digits that identify a name."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _is_safe(character: str) -> bool:
    return character.isalnum() or character in "._- ()"
