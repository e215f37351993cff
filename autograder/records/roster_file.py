"""Reading a class list as spreadsheets and platforms write it.

Headings in other languages are those of Moodle's grading worksheet (its language packs: `recordid`, `fullname`,
`email`, `hiddenuser` of mod_assign) and of lists as universities make them; Canvas's gradebook export has English
headings everywhere (Student, ID, SIS User ID, SIS Login ID, Section). Untried on live platforms.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.records import spreadsheet
from autograder.records.student import COLUMNS, Student, number, words
from autograder.text import for_csv, unguarded

MAX_BYTES = 50 * 1024**2
"""Of a class list."""
_HEAD_LINES = 25
"""How far down the headings are looked for, below a title."""

_HEADINGS: dict[str, str] = {
    "file": "file",
    "platform": "platform",
    "ident": "id; identifier; identifiant; identificador; identificatore; identificativo; identificatie; identifikator",
    "id": "sis user id; sid; id number; student id; student number; student no; org defined id; orgdefinedid; "
    "matrikelnummer; matrikel nr; matrikelnr; matr nr; matrnr; id nummer; numero d identification; numero etudiant; "
    "no etudiant; matricule; numero de id; numero de identificacion; matricula; numero id; codice identificativo; "
    "matricola; numero de identificacao; studentnummer; studienummer",
    "name": "name; student; full name; student name; vollstandiger name; teilnehmer; nom complet; nom et prenom; "
    "nombre completo; apellidos y nombre; nome completo; cognome e nome; cognome nome; volledige naam; naam; namn; "
    "navn; fullstandigt namn; fulde navn; fullt navn; nombre; nom; nome",
    "email": "email; e mail; email address; e mail address; mail; e mail adresse; mailadresse; email adresse; "
    "adresse de courriel; courriel; adresse e mail; adresse email; adresse mail; direccion de correo; "
    "direccion de correo electronico; correo electronico; direccion email; correo; indirizzo email; indirizzo e mail; "
    "endereco de email; endereco de e mail; e mailadres; emailadres; e postadress; e post; epost",
    "login": "login; sis login id; login id; username; user name; github username; benutzername; anmeldename; "
    "nutzername; kennung; nom d utilisateur; nombre de usuario; usuario; nome utente; nome de usuario; "
    "nome de utilizador; gebruikersnaam; anvandarnamn; brugernavn; brukernavn",
    "section": "section; sections; gruppe; gruppen; groupe; groupes; grupo; grupos; gruppo; gruppi; groep; groepen",
    "submitted": "submitted",
    "late": "late",
    "attempt": "attempt",
    "first": "first name; firstname; given name; vorname; vornamen; prenom; prenoms; nombre; nombres; nome; voornaam; "
    "fornamn; fornavn",
    "last": "last name; lastname; surname; family name; nachname; familienname; zuname; nom; nom de famille; "
    "apellido; apellidos; apellido s; cognome; sobrenome; apelido; achternaam; efternamn; efternavn; etternavn; name",
}
_KNOWN = {column: tuple(names.split("; ")) for column, names in _HEADINGS.items()}
_ALL = {heading for names in _KNOWN.values() for heading in names}
_PARTICIPANT = re.compile(
    r"(?:participante?|partecipante|partaidea|teilnehmer(?:/in|in)?|deelnemer|deltagare?|deltaker|osallistuja|uczestnik|"
    r"účastník|účastnik|udeleženec|sodelujoči|résztvevő|katılımcı|участник|учасник|參與者|参与者|参加者|참가자)\s*\d+",
    re.IGNORECASE,
)


class RosterError(Exception):
    """A roster that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True)
class Roster:
    """A class list."""

    students: tuple[Student, ...]
    notes: tuple[str, ...] = ()
    """What the instructor should know: a guessed encoding, a number in two lines."""


def load(path: Path) -> Roster:
    """A class list from a file in the encoding and with the separators and headings it has; RosterError otherwise."""
    try:
        content = spreadsheet.read(path, MAX_BYTES)
    except spreadsheet.SpreadsheetError as error:
        raise RosterError(str(error)) from None
    notes: list[str] = []
    if content.encoding == "cp1252":
        notes.append(
            f"{path} is not UTF-8 and was read in Excel's code page Windows-1252; "
            f"if names look wrong, {spreadsheet.SAVE_AS}"
        )
    return _parsed(content.text, path, notes)


def rows(text: str, path: Path) -> list[Student]:
    """All lines of a roster; columns may be missing or more, in any order, and named as a platform names them."""
    return list(_parsed(text, path, []).students)


def _parsed(text: str, path: Path, notes: list[str]) -> Roster:
    declared = re.match(r'"?sep=(.)"?[^\S\r\n]*\r?\n', text, re.IGNORECASE)
    body = text[declared.end() :] if declared else text
    candidates = [declared[1]] if declared else [",", ";", "\t", "|"]
    try:
        heads = {delimiter: _head(body, delimiter) for delimiter in candidates}
        delimiter = max(candidates, key=lambda candidate: heads[candidate][0])
        if heads[delimiter][0] == 0:
            first = body.split("\n", 1)[0].strip()
            raise RosterError(
                f"{path} has none of the columns {', '.join(COLUMNS)}; its first line is: {for_csv(first, 200)}. "
                "Rename its columns to these"
            )
        lines = list(_lines(body, delimiter, strict=True))
    except csv.Error as error:
        raise RosterError(f"{path} is not a table: {error} (is a quotation mark never closed?)") from None
    at = heads[delimiter][1]
    offset = 1 if declared else 0
    students, numbers = _students([_normal(cell) for cell in lines[at][1]], lines[at + 1 :], offset)
    found, twice = _one_line_each(students, numbers, path)
    return Roster(found, (*notes, *twice))


def _lines(text: str, delimiter: str, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    for cells in reader:
        yield reader.line_num, cells


def _head(text: str, delimiter: str) -> tuple[int, int]:
    """The number of known headings in the line that has most of them, and that line's index."""
    best = (0, 0)
    above = False
    try:
        for index, (_, cells) in enumerate(_lines(text, delimiter)):
            score = len({_normal(cell) for cell in cells} & _ALL)
            if score > best[0] and (score > 1 or not above):  # below the first line, one known word may be a name
                best = (score, index)
            above = above or any(cell.strip() for cell in cells)
            if index >= _HEAD_LINES:
                break
    except csv.Error:
        pass
    return best


def _normal(heading: str) -> str:
    text = unicodedata.normalize("NFKD", heading).casefold()
    text = "".join(character for character in text if not unicodedata.combining(character))
    return " ".join(re.findall(r"[^\W_]+", text))


def _students(head: list[str], lines: list[tuple[int, list[str]]], offset: int) -> tuple[list[Student], list[int]]:
    where = {
        column: next((head.index(name) for name in names if name in head), None) for column, names in _KNOWN.items()
    }
    # `Name` beside `Vorname`, `Nom` beside `Prénom`, `Nombre` beside `Apellidos` are parts of a name
    if where["first"] is not None and where["last"] is not None and where["first"] != where["last"]:
        if where["name"] in (where["first"], where["last"]):
            where["name"] = None
    else:
        where["first"] = where["last"] = None
    students: list[Student] = []
    numbers: list[int] = []
    canvas = "sis user id" in head or "sis login id" in head
    classroom = "github username" in head
    for line, cells in lines:
        values = {
            column: _cell(cells[place]) if place is not None and place < len(cells) else ""
            for column, place in where.items()
        }
        student = _student(values, canvas, classroom)
        if student is not None:
            students.append(student)
            numbers.append(line + offset)
    return students, numbers


def _student(values: Mapping[str, str], canvas: bool, classroom: bool) -> Student | None:
    found = {column: values[column] for column in COLUMNS}
    ident = values["ident"]
    if canvas or (not classroom and _PARTICIPANT.fullmatch(ident)):
        found["platform"] = found["platform"] or ident
    elif not found["id"]:
        found["id"] = ident
    if "@" in found["id"] and not found["email"]:  # what GitHub Classroom's roster may identify people by
        found["email"] = found["id"]
    if not found["name"]:
        first, last = values["first"], values["last"]
        found["name"] = last if first and first in last.split() else f"{first} {last}".strip()
    return None if _is_not_a_student(found) else Student(**found)


def _is_not_a_student(found: Mapping[str, str]) -> bool:
    """Whether a line is empty or Canvas's own: the points possible, with nothing but a name, and its test student.

    A student may have the same name: a line with a file is theirs.
    """
    others = {value for column, value in found.items() if column != "name" and value}
    if found["name"] in ("", "Points Possible"):
        return not others
    return found["name"] == "Student, Test" and not found["file"]


def _cell(text: str) -> str:
    """What a cell says: without the guard against formulas, ours (an apostrophe) and the spreadsheets' (`="0012"`)."""
    text = text.strip()
    quoted = re.fullmatch(r'="([^"]*)"', text)
    if quoted:
        return quoted[1].strip()
    return unguarded(text)


def _one_line_each(students: list[Student], numbers: list[int], path: Path) -> tuple[tuple[Student, ...], list[str]]:
    """The students, each once: one in two sections may have two lines. Notes say which lines have the same number."""
    lines: dict[tuple[str, str], list[int]] = {}
    for index, student in enumerate(students):
        for column in ("id", "platform"):
            value = number(str(getattr(student, column)))
            if value and not student.file:
                lines.setdefault((column, value), []).append(index)
    notes: list[str] = []
    merged: dict[int, Student | None] = {}
    for (column, value), several in lines.items():
        if len(several) < 2 or any(index in merged for index in several):
            continue
        where = (
            f"{path}: lines {', '.join(str(numbers[index]) for index in several[:5])} have the same {column} {value}"
        )
        if len({(words(students[index].name), students[index].email, students[index].login) for index in several}) == 1:
            sections = dict.fromkeys(students[index].section for index in several)
            one = replace(students[several[0]], section=", ".join(filter(None, sections)))
            merged |= {several[0]: one} | dict.fromkeys(several[1:])
            notes.append(f"{where} and are treated as one student")
        else:
            notes.append(f"{where}: a file with that {column} belongs to none of them until this is corrected")
    found = [merged.get(index, student) for index, student in enumerate(students)]
    return tuple(student for student in found if student is not None), notes
