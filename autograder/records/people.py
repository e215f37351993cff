"""Who a word in an instructor's table or on the command line means: a file, a stem, a number, a login, a name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.records.identity import Words
from autograder.records.student import Student
from autograder.suggest import did_you_mean
from autograder.text import for_terminal


class PeopleError(Exception):
    """A word that means nobody; the message names the nearest."""


class SeveralPeopleError(PeopleError):
    """A word that means several people; the message names them."""


@dataclass(frozen=True)
class Person:
    """A submission and who handed it in, or somebody of the class list who handed in nothing."""

    file: str
    """The submission's name; empty for nothing handed in."""
    stem: str
    student: Student

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What tells people apart."""
        one = self.student
        return (self.file, "", "", "", "") if self.file else ("", one.id, one.login, one.email, one.name)

    @property
    def label(self) -> str:
        """How they are named to the instructor."""
        return self.file or self.student.name or self.student.login or self.student.id or self.student.email


class People:
    """Everyone of a run."""

    def __init__(
        self,
        submissions: Iterable[tuple[str, str]],
        students: Mapping[str, Student],
        absent: Sequence[Student] = (),
    ) -> None:
        """submissions: names and stems; students: by the submission's name; absent: who handed in nothing."""
        self.everyone = [
            *(Person(file, stem, students.get(file) or Student(file=file)) for file, stem in submissions),
            *(Person("", "", student) for student in absent),
        ]
        self._files: dict[str, list[Person]] = {}
        for person in self.everyone:
            for key in {person.file, person.stem, person.file.rpartition("/")[2]} - {""}:
                self._files.setdefault(key, []).append(person)
        self._words = Words([person.student for person in self.everyone])

    def find(self, word: str) -> Person:
        """The one who is meant; PeopleError when that is nobody, SeveralPeopleError when it is more than one."""
        word = word.strip()
        exact = [person for person in self._files.get(word, ()) if person.file == word]
        # a file that somebody named after another must not stand for the other
        found = exact or list({one.key: one for one in (*self._files.get(word, ()), *self._meant(word))}.values())
        if len(found) == 1:
            return found[0]
        shown = for_terminal(word, 80)
        if found:
            labels = ", ".join(for_terminal(person.label, 80) for person in found[:4])
            raise SeveralPeopleError(f"'{shown}' could be {labels}: name the file")
        known = [*self._files]
        for one in (person.student for person in self.everyone):
            known += filter(None, (one.id, one.platform, one.login, one.email, one.name))
        hint = did_you_mean(word, [for_terminal(text, 80) for text in known])
        raise PeopleError(f"there is no student or file '{shown}' in these results{hint}")

    def _meant(self, word: str) -> list[Person]:
        found = {person.key: person for person in (self.everyone[index] for index in self._words.mean(word))}
        return list(found.values())


def participant(student: Student) -> str:
    """The digits of Moodle's "Participant 1001", in any language; empty for who has none.

    Files of earlier versions have it in `id`.
    """
    for value in (student.platform, student.id):
        match = re.fullmatch(r"[^\W\d_][^\d]*?(\d+)", value.strip())
        if match is not None and (value is student.platform or value.startswith("Participant ")):
            return match[1]
    return ""
