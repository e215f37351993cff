"""Who somebody is: the one way in which files, hand-ins and results find their line of a class list.

What says who somebody is, from strong to weak:

1. the platform's own number (Moodle's participant, Canvas's user), and the student's number as a platform states it;
2. the e-mail address or the login that a platform states;
3. the name that a platform states, which people choose;
4. what a file or a folder is named, which anybody can choose.

A line belongs to the one that fits it best. If two fit it as well as each other it belongs to neither, and that is
said: nobody takes or spoils another student's line with weaker evidence than the student's own.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.records.student import Student, digits, exact, number, spellings, words

_Key = Callable[[Student], Iterable[str]]
_Index = tuple[dict[str, set[int]], Callable[[str], Iterable[str]]]
"""Students by what they have, and what of a text is looked for there."""
_COPY = re.compile(r"(?: ?\(\d+\)| - copy(?: \(\d+\))?)$", re.IGNORECASE)
"""What a browser or a file manager adds to a name that is already there."""


@dataclass(frozen=True)
class Claim:
    """What is known of somebody who handed something in."""

    student: Student
    """What a platform, or a person who edited the table, states."""
    named: tuple[str, ...] = ()
    """What the file, or a folder above it, is named; from the outside in."""
    shown: str = ""
    """What to call them in a message; without it the student's name."""
    clone: bool = False
    """Named by a platform after a login, as clones of repositories are."""


@dataclass(frozen=True)
class Matches:
    """Which student of the class list each claim is, and which claims and students were contested."""

    owners: tuple[int | None, ...]
    """By claim: the index in the class list."""
    contested: frozenset[int]
    """Students that several claims fit as well as each other: they are neither found nor missing."""
    notes: tuple[str, ...]

    def missing(self, students: Sequence[Student]) -> list[Student]:
        """Who in the class list, the one that was matched, is neither found nor contested."""
        there = {*self.owners, *self.contested}
        return [student for index, student in enumerate(students) if index not in there]


def match(claims: Sequence[Claim], students: Sequence[Student], assignment: str = "") -> Matches:
    """Finds the claims' students. No student is found twice, and nobody is guessed."""
    found = _Found(claims, students, assignment)
    best: dict[int, int] = {}
    for fits in found.fits:
        if fits is not None:
            best[fits[1]] = min(fits[0], best.get(fits[1], fits[0]))
    strongest = Counter(fits[1] for fits in found.fits if fits is not None and fits[0] == best[fits[1]])
    owners: list[int | None] = []
    notes: list[str] = []
    for claim, fits, rival in zip(claims, found.fits, found.rivals, strict=True):
        name = claim.shown or claim.student.shown
        if fits is None:
            owners.append(None)
            if rival is not None and rival in best:
                notes.append(f"{name} is not the only one who could be {students[rival].shown}")
        elif fits[0] > best[fits[1]] or strongest[fits[1]] > 1:
            owners.append(None)
            notes.append(f"{name} is not the only one who could be {students[fits[1]].shown}")
        else:
            owners.append(fits[1])
    contested = frozenset(index for index, count in strongest.items() if count > 1)
    return Matches(tuple(owners), contested, tuple(notes))


class Words:
    """Whom of a class a word can mean: a number, an address, a login, or a name, in any order and with its accents
    or without."""

    def __init__(self, students: Sequence[Student]) -> None:
        self._indexes: list[_Index] = [
            (_index(students, _codes), lambda text: _some(exact(text))),
            (_index(students, lambda one: {*_platform(one), *_number(one)}), lambda text: _some(number(text))),
            *_by_names(students),
        ]

    def mean(self, text: str) -> set[int]:
        """Who is meant, in the surest way in which somebody is."""
        for index, of_text in self._indexes:
            fitting = set[int]().union(*(index.get(key, set[int]()) for key in of_text(text)))
            if fitting:
                return fitting
        return set()


def _by_names(students: Sequence[Student]) -> list[_Index]:
    """Indexes by what somebody is called, the surest first."""
    return [
        (_index(students, lambda one: {words(name) for name in _names(one)}), lambda text: _some(words(text))),
        (_index(students, lambda one: spellings(one.name)), spellings),
    ]


class _Found:
    """For each claim the student it fits and how well (a smaller number is better)."""

    def __init__(self, claims: Sequence[Claim], students: Sequence[Student], assignment: str) -> None:
        self._students = students
        self._platforms = any(student.platform for student in students)
        stated: list[tuple[int, _Key, _Key]] = [
            (1, _platform, _platform),
            (1, lambda one: _some(exact(one.id)), lambda one: _some(exact(one.id))),
            (1, _number, _number),
            (2, lambda one: _some(exact(one.email)), _addresses),
            (2, lambda one: _some(exact(one.login)), lambda one: _some(exact(one.login))),
            (2, lambda one: _some(_local(one.email)), lambda one: _some(exact(one.login))),
            (2, lambda one: _some(exact(one.login)), lambda one: _some(_local(one.email))),
            (3, lambda one: _some(words(one.name)), lambda one: _some(words(one.name))),
            (3, lambda one: _some("".join(words(one.name).split())), lambda one: _some(exact(one.login))),
            (3, lambda one: spellings(one.name), lambda one: spellings(one.name)),
        ]
        if not self._platforms:  # a list without a column for it: its `id` may be the platform's number
            stated.insert(1, (1, _platform, _number))
        self._stated = [(rank, of_claim, _index(students, of_student)) for rank, of_claim, of_student in stated]
        self._named: list[_Index] = [(_index(students, _names), lambda text: _some(exact(text))), *_by_names(students)]
        self._logins = _index(students, lambda one: _some(exact(one.login)))
        self._strip = _without(assignment)
        self._comparable = self._same_numbers(claims)
        level_texts = [claim.named[0] for claim in claims if claim.named]
        self._prefix = self._common_prefix(level_texts)
        self._outside = any(self._by_name(claim, claim.named[0]) for claim in claims if len(claim.named) > 1)
        self.rivals: list[int | None] = []
        """By claim without a student: whom it names although its number is another's."""
        self.fits = [self._of(claim) for claim in claims]

    def _of(self, claim: Claim) -> tuple[int, int] | None:
        among: set[int] | None = None
        rival: int | None = None
        for rank, of_claim, index in self._stated:
            fitting = set[int]().union(*(index.get(key, set[int]()) for key in of_claim(claim.student)))
            if rank == 3:
                others = {one for one in fitting if self._another(claim.student, self._students[one])}
                rival = min(others, default=rival)
                fitting -= others
            fitting = fitting if among is None else fitting & among
            if len(fitting) == 1:
                self.rivals.append(None)
                return rank, fitting.pop()
            among = fitting or among
        if not _states(claim.student) and claim.named:
            named = self._of_name(claim, among)
            if named is not None:
                self.rivals.append(None)
                return named
        self.rivals.append(rival)
        return None

    def _of_name(self, claim: Claim, among: set[int] | None) -> tuple[int, int] | None:
        # When folders are named after students, what lies in them has no say
        texts = claim.named[:1] if self._outside else claim.named
        for text in texts:
            fitting = self._by_name(claim, text)
            fitting = fitting if among is None else fitting & among
            if len(fitting) == 1:
                return 2 if claim.clone else 4, fitting.pop()
            if fitting:
                return None
        for text in texts:
            original = _COPY.sub("", text)
            fitting = self._by_name(claim, original) if original != text else set[int]()
            if len(fitting) == 1:
                return 5, fitting.pop()
        return None

    def _by_name(self, claim: Claim, text: str) -> set[int]:
        for variant in self._variants(text):
            if claim.clone and (fitting := self._logins.get(exact(variant), set())):
                return set(fitting)
            for index, of_text in self._named:
                fitting = set[int]().union(*(index.get(key, set[int]()) for key in of_text(variant)))
                if fitting:
                    return fitting
        return set()

    def _variants(self, text: str) -> Iterator[str]:
        yield text
        if self._prefix and text.startswith(self._prefix):
            yield text[len(self._prefix) :]
        stripped = self._strip(text)
        if stripped and stripped != text:
            yield stripped

    def _common_prefix(self, texts: Sequence[str]) -> str:
        """What stands before the logins: the beginning, up to a hyphen or underscore, behind which most students are.

        It must be shared by two at least: someone whose login ends in another's must not become them.
        """
        counts: Counter[str] = Counter()
        hits: Counter[str] = Counter()
        for text in set(texts):
            for end in [found.end() for found in re.finditer(r"[-_ ]+", text)][:20]:
                counts[text[:end]] += 1
                rest = exact(text[end:])
                hits[text[:end]] += any(rest in index for index, _ in self._named[:1])
        usable = [prefix for prefix in hits if hits[prefix] and counts[prefix] > 1]
        return max(usable, key=lambda prefix: (hits[prefix], -len(prefix)), default="")

    def _same_numbers(self, claims: Sequence[Claim]) -> frozenset[str]:
        """Which numbers the platform and the list share: where some agree, another number is another person."""
        known = {column: set[str]() for column in ("platform", "id")}
        for student in self._students:
            known["platform"] |= set(_platform(student))
            known["id"] |= set(_number(student))
        by_id = "platform" if self._platforms else "id"
        shared: set[str] = set()
        for claim in claims:
            if claim.student.platform and digits(claim.student.platform) in known[by_id]:
                shared.add("platform")
            if claim.student.id and number(claim.student.id) in known["id"]:
                shared.add("id")
        return frozenset(shared)

    def _another(self, stated: Student, known: Student) -> bool:
        """Whether two who share a name have different numbers."""
        theirs = _platform(known) if self._platforms else _number(known)
        if "platform" in self._comparable and stated.platform and theirs:
            return digits(stated.platform) not in theirs
        if "id" in self._comparable and stated.id and known.id:
            return number(stated.id) != number(known.id)
        return False


def _index(students: Sequence[Student], keys: _Key) -> dict[str, set[int]]:
    index: dict[str, set[int]] = {}
    for position, student in enumerate(students):
        for key in keys(student):
            index.setdefault(key, set()).add(position)
    return index


def _states(student: Student) -> bool:
    return any((student.id, student.platform, student.email, student.login, student.name))


def _some(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _platform(student: Student) -> tuple[str, ...]:
    return _some(digits(student.platform) if student.platform else "")


def _number(student: Student) -> tuple[str, ...]:
    return _some(number(student.id) if student.id else "")


def _local(email: str) -> str:
    local, at, _ = exact(email).partition("@")
    return local if at else ""


def _addresses(student: Student) -> set[str]:
    """A list may have addresses in the columns for numbers and logins."""
    return {exact(text) for text in (student.email, student.id, student.login) if "@" in text}


def _codes(student: Student) -> set[str]:
    """What is somebody's own and no name."""
    texts = (student.platform, student.id, student.login, student.email, _local(student.email))
    return {exact(text) for text in texts} - {""}


def _names(student: Student) -> set[str]:
    """All that a file of theirs may be named after."""
    texts = (student.id, student.login, student.email, _local(student.email), student.name)
    return {exact(text) for text in texts} - {""}


def _without(assignment: str) -> Callable[[str], str]:
    """Takes the assignment's name off the beginning or the end of a text."""
    parts = re.findall(r"[^\W_]+", assignment)
    if not parts:
        return lambda text: text
    name = r"[\W_]*".join(map(re.escape, parts))
    pattern = re.compile(
        rf"^(?:{name}[\W_]+(?P<after>.+)|(?P<before>.+?)[\W_]+{name}(?:[\W_]*\(\d+\))?)$", re.IGNORECASE
    )

    def strip(text: str) -> str:
        found = pattern.match(text)
        return (found["after"] or found["before"]) if found else text

    return strip
