"""Making untrusted text harmless: for a terminal, HTML, CSV, Markdown and file names.

What a submission prints, raises, names its files or functions is text that somebody chose. `plain` comes
first everywhere: it leaves characters that show and nothing that steers.
"""

import hashlib
import html
import re
import unicodedata

_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c|$)"  # OSC, DCS and the like: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]",
    re.DOTALL,
)
_FORMULA = "=+-@＝＋－＠|%\t\r"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&:@])")


def plain(text: str, limit: int = 10_000, *, lines: bool = True) -> str:
    """Text that shows what it says: no control, ANSI, bidirectional or invisible characters, and a capped length.

    `lines=False` also makes it one line.
    """
    if len(text) > 2 * limit:  # before anything that is not linear
        text = text[: 2 * limit]
        cut = True
    else:
        cut = False
    text = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    if not lines:
        text = re.sub(r"\s+", " ", text)
    text = "".join(character for character in text if _shows(character))
    if cut or len(text) > limit:
        text = text[:limit].rstrip() + " …"
    return text


def _shows(character: str) -> bool:
    # Cc: controls; Cf: bidirectional marks, zero-width characters, tags; Cs: surrogates; Co, Cn: unknown;
    # Zl, Zp: line separators that some programs break lines at.
    return character == "\n" or unicodedata.category(character) not in (
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    )


def for_html(text: str, limit: int = 10_000) -> str:
    """Escaped for HTML text and quoted attributes; stacks of combining marks are cut to three."""
    kept: list[str] = []
    marks = 0
    for character in plain(text, limit):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= 3:
            kept.append(character)
    return html.escape("".join(kept), quote=True)


def for_csv(text: str, limit: int = 500) -> str:
    """One line that no spreadsheet takes for a formula (an apostrophe goes before what looks like one)."""
    text = plain(text, limit, lines=False)
    return f"'{text}" if text.lstrip().startswith(tuple(_FORMULA)) else text


def for_markdown(text: str, limit: int = 500) -> str:
    """One line of literal Markdown, also inside a table."""
    return _MARKDOWN.sub(r"\\\1", plain(text, limit, lines=False).replace("\\", "＼"))


def for_terminal(text: str, limit: int = 500) -> str:
    """One line for a terminal."""
    return plain(text, limit, lines=False)


def file_stem(name: str) -> str:
    """A file name without its end that is safe everywhere, from any name; folders are joined with `__`.

    What is lost in this is made up for by a digest, except ends, case and the sign between folders: names that
    differ in those only (`a.py` and `a.zip`, `a/b` and `a__b`) get the same stem.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    head, dot, tail = text.rpartition(".")
    text = head if dot and tail.lower() in ("ipynb", "py", "zip") and head else text
    text = text.replace("/", "__")
    safe = "".join(character if _is_safe(character) else "_" for character in text)
    short = safe.lstrip("-. ").rstrip(". ").encode()[:100].decode("utf-8", "ignore")
    return short if short == text else f"{short or 'submission'}-{name_digest(name)}"


def name_digest(name: str) -> str:
    """Eight hexadecimal digits that stand for a name."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _is_safe(character: str) -> bool:
    return character.isalnum() or character in "._- ()"
