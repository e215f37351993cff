"""Of all the files that one student handed in: which is the submission, and why the others are not."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from autograder.assignment import Limits
from autograder.names import NO_SUBMISSIONS, kind_of, letters_of
from autograder.submissions.collect.download import Item
from autograder.submissions.collect.platforms import Owner
from autograder.submissions.read import SubmissionError
from autograder.text import printable

_ADDED = re.compile(
    r"(?:[-_ ]?\d{4}[-_]\d{2}[-_]\d{2}T?[-_\d]*"  # Otter's export: name_2026_01_31T12_00_00_000000
    r"|-\d{1,3}"  # Canvas, handed in again
    r"| ?\(\d+\)| - copy)$",  # a browser, a file manager
    re.IGNORECASE,
)
_AGAIN = re.compile(r"-(\d{1,3})$")
_STAMP = re.compile(r"^\d{14}_(?=.)")
"""What ILIAS may put before a file's name."""
NOT_FETCHED = "NOT_FETCHED.txt"
"""Says why a student's files are not there: `actions fetch` writes it. A repository cannot bring one along."""
EXACT, PARTLY, NOT = 2, 1, 0
"""How well a file's name fits the assignment's."""
_HANDED_OUT = {"check.py"}
"""At the top of a student's repository."""
_KINDS = (
    (re.compile(r"\.pdf$", re.IGNORECASE), "It is a PDF."),
    (re.compile(r"\.html?$", re.IGNORECASE), "It is a web page, as Jupyter's and VS Code's export writes it."),
    (re.compile(r"\.(?:tar|tgz|gz|bz2|xz|rar|7z|tar\.\w+)$", re.IGNORECASE), "It is an archive other than .zip."),
    (re.compile(r"\.(?:docx?|odt|rtf|pages|txt|md)$", re.IGNORECASE), "It is a text document."),
    (re.compile(r"\.(?:png|jpe?g|gif|heic|webp|svg)$", re.IGNORECASE), "It is a picture."),
)
_ANOTHERS = "It is named after another assignment."
_WANTED = "Only notebooks (.ipynb), scripts (.py) and Otter's exports (.zip) are graded."


@dataclass(frozen=True)
class Piece:
    """One file of somebody's hand-in."""

    item: Item
    owner: Owner
    inside: tuple[str, ...]
    """Its path in the student's folder; its name alone where the platform has no folders."""

    @property
    def name(self) -> str:
        """Its name as the student gave it."""
        return _STAMP.sub("", self.inside[-1]) if self.inside else self.item.name

    @property
    def usable(self) -> bool:
        """Whether it can be a submission, by its name."""
        hidden = self.name.startswith((".", "__")) or self.name in NO_SUBMISSIONS
        hidden = hidden or (not self.owner.file and self.inside in {(name,) for name in _HANDED_OUT})
        return bool(kind_of(self.name)) and not (hidden or self.item.folder or self.owner.text)


@dataclass(frozen=True)
class Choice:
    """What is taken of a student's files, and the reason why each of the others is not."""

    taken: Piece | None
    reasons: tuple[str, ...]
    """By piece; empty for the one that is taken."""
    problem: str = ""
    """Why none is taken, for the person who handed in; empty when there is nothing to be said: no file at all."""
    several: bool = False
    """The folder holds folders that each have a submission of their own: perhaps several students' ones."""


def choose(pieces: Sequence[Piece], assignment: str, others: Collection[str] = ()) -> Choice:
    """The file that fits the assignment's name best, then the newest.

    In a folder of several notebooks of which none is named after the assignment, none is taken: the newest would be
    chance. Where a platform names each file, the newest is. What is named after one of the `others`, the course's
    other assignments, is theirs.
    """
    choice = _choose(pieces, assignment, others)
    reasons = [
        _ANOTHERS if reason and piece.usable and _of_another(piece, assignment, others) else reason
        for piece, reason in zip(pieces, choice.reasons, strict=True)
    ]
    return replace(choice, reasons=tuple(reasons))


def _choose(pieces: Sequence[Piece], assignment: str, others: Collection[str]) -> Choice:
    usable = [piece for piece in pieces if piece.usable and not _of_another(piece, assignment, others)]
    fits = [fit(piece.name, assignment) for piece in usable]
    best = max(fits, default=NOT)
    unfetched = next((piece for piece in pieces if piece.inside == (NOT_FETCHED,)), None)
    if unfetched is not None and best < EXACT:
        return _none(pieces, _read(unfetched.item))
    if not usable:
        return _nothing(pieces)
    in_folder = all(not piece.owner.file for piece in usable)
    candidates = [piece for piece, level in zip(usable, fits, strict=True) if level == best]
    if in_folder:
        # A folder's files have one time for all: of several hand-ins the last, and in it nothing that chance decides
        last = max(piece.owner.order for piece in candidates)
        candidates = [piece for piece in candidates if piece.owner.order == last]
        wanted = f"Hand in one file, named {assignment}.ipynb."
        if best == NOT:
            kinds = [kind_of(piece.name) for piece in candidates]
            kind = min(kinds, key=(".ipynb", ".zip", ".py").index)
            candidates = [piece for piece in candidates if kind_of(piece.name) == kind]
            if len(candidates) > 1:
                names = ", ".join(f"'{piece.name}'" for piece in candidates[:3])
                what = f"{len(candidates)} files ({names}) could be the submission, none is named after {assignment}."
                return _none(pieces, f"{what} {wanted}")
        folders = {piece.inside[0] if len(piece.inside) > 1 else "" for piece in candidates}
        if len(folders) > 1 and "" not in folders:
            what = f"Several folders in it hold a file named after {assignment}, and it is not clear which one counts."
            return _none(pieces, f"{what} {wanted}", several=True)
    taken = max(candidates, key=_order)
    reasons = [
        ""
        if piece is taken
        else f"Another file of the same student was taken: {taken.item.path}."
        if piece.usable
        else _why_not(piece)
        for piece in pieces
    ]
    return Choice(taken, tuple(reasons))


def fit(name: str, assignment: str) -> int:
    """How well a file's name fits the assignment's."""
    stem = stem_of(name)
    while (shorter := _ADDED.sub("", stem)) != stem and letters_of(stem) != letters_of(assignment):
        stem = shorter
    if letters_of(stem) == letters_of(assignment):
        return EXACT
    return PARTLY if letters_of(assignment) in letters_of(stem) else NOT


def stem_of(name: str) -> str:
    """A file's name without its ending, whatever a browser has made of it (`x.ipynb.txt`)."""
    kind = kind_of(name)
    at = name.lower().rfind(kind) if kind else name.rfind(".", 1)
    stem = name[:at] if at > 0 else name
    return stem.removesuffix(".tar") or stem


def attempt(piece: Piece) -> str:
    """Which attempt a file is, where its name says so: Canvas adds -1 to the second."""
    again = _AGAIN.search(stem_of(piece.name)) if piece.owner.kind == "canvas" else None
    return str(int(again[1]) + 1) if again else ""


def _order(piece: Piece) -> tuple[object, ...]:
    """Later and better ones are larger: a script is an export of a notebook, and a copy lies deeper."""
    again = _AGAIN.search(stem_of(piece.name))
    kind = kind_of(piece.name)
    newest = (*(piece.owner.order or (0.0,)), float(again[1]) if again else 0.0, piece.item.modified)
    return kind != ".py", -len(piece.inside), newest, kind == ".ipynb", piece.item.path


def _of_another(piece: Piece, assignment: str, others: Collection[str]) -> bool:
    ours = fit(piece.name, assignment) == EXACT
    return not ours and any(fit(piece.name, other) == EXACT for other in others if other != assignment)


def _read(item: Item) -> str:
    """What a small text says, made harmless."""
    try:
        return printable(
            item.read(Limits(submission_bytes=64 * 1024)).decode("utf-8", "replace"), 500, lines=False
        ).strip()
    except SubmissionError as error:
        return str(error)


def _nothing(pieces: Sequence[Piece]) -> Choice:
    files = [piece for piece in pieces if not piece.item.folder or piece.item.problem]
    if not files:
        return Choice(None, tuple(_why_not(piece) for piece in pieces))
    first = min(files, key=lambda piece: (not piece.item.problem, piece.item.path))
    if len(files) == 1 or first.item.problem:
        what = "text" if first.owner.text else f"'{first.name}'"
        return _none(pieces, f"The hand-in is {what}. {_why_not(first)}")
    names = ", ".join(f"'{piece.name}'" for piece in files[:3])
    return _none(pieces, f"None of the {len(files)} files ({names}{' …' if len(files) > 3 else ''}) counts. {_WANTED}")


def _none(pieces: Sequence[Piece], problem: str, *, several: bool = False) -> Choice:
    reasons = [problem if piece.usable else _why_not(piece) for piece in pieces]
    return Choice(None, tuple(reasons), problem, several)


def _why_not(piece: Piece) -> str:
    if piece.item.problem:
        return piece.item.problem
    if piece.item.folder:
        return "It is an empty folder, or one in which no hand-in is looked for."
    if piece.owner.text:
        return f"It was typed on the platform, not handed in as a file. {_WANTED}"
    if piece.usable:
        return _ANOTHERS
    if kind_of(piece.name):
        return "Its name is that of a program's own file, not of a hand-in."
    what = next((text for pattern, text in _KINDS if pattern.search(piece.name)), "It is a file of another kind.")
    return f"{what} {_WANTED}"
