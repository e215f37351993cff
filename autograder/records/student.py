"""A student as the platforms know them."""

import re
import unicodedata
from dataclasses import dataclass, fields

PARTICIPANT = "Participant "
"""How Moodle's grading worksheet begins an identifier (on an English site)."""


@dataclass(frozen=True)
class Student:
    """A student as the platforms know them; what is not known is empty."""

    file: str = ""
    id: str = ""
    name: str = ""
    email: str = ""
    login: str = ""
    section: str = ""
    platform: str = ""
    """How the platform itself numbers them, kept beside the student's own number: "Participant 1001" is what Moodle's
    importer looks for, Canvas's importer looks for its own user number."""
    submitted: str = ""
    """When the file was handed in, ISO 8601 with a zone; empty when the platform does not say."""
    late: str = ""
    """What the platform says about lateness: "yes", "no", or nothing."""
    attempt: str = ""
    """Which attempt it is, where the platform numbers them."""

    @property
    def shown(self) -> str:
        """What a person would call them in a message."""
        return self.name or self.login or self.email or self.id or self.platform or self.file


COLUMNS = tuple(entry.name for entry in fields(Student))

_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "ŧ": "t", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th"}
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


def words(name: str) -> str:
    """A name's words in any order: `Doe, Jane` and `jane_doe` are the same; `doejane` only when it is so written."""
    text = unicodedata.normalize("NFKC", name).casefold().replace("_", " ")
    return " ".join(sorted(re.findall(r"\w+", text)))


def exact(text: str) -> str:
    """The same text in any normal form and case."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def number(text: str) -> str:
    """A number as written, without the zeros in front that a spreadsheet takes away."""
    text = exact(text)
    return text.lstrip("0") or "0" if text.isdecimal() else text


def digits(platform: str) -> str:
    """The number in a platform's identifier: `Participant 1001` and `Teilnehmer/in1001` are 1001."""
    found = re.search(r"(\d+)\s*$", platform)
    return number(found[1]) if found else exact(platform)


def spellings(name: str) -> set[str]:
    """A name written together in the ways platforms do it: with accents, without, without the letters that have them.

    Canvas writes `Doe, Jane` as `doejane`; which words are the last name is not known, so every rotation counts.
    """
    composed = unicodedata.normalize("NFKC", name).casefold()
    bare = _without_accents(composed)
    german = _without_accents(composed.translate(_UMLAUTS))
    dropped = "".join(character for character in composed if character.isascii() or not character.isalpha())
    found: set[str] = set()
    for text in (composed, bare, composed.translate(_UMLAUTS), german, dropped):
        parts = re.findall(r"[^\W_]+", re.sub(r"(?<=\w)['’`´.](?=\w)", "", text))
        found |= {"".join([*parts[turn:], *parts[:turn]]) for turn in range(min(len(parts), 12))}
    return found - {""}


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).translate(_LETTERS)
