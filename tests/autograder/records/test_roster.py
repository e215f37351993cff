"""Rosters: a platform's own list of the class will do, and files find their students by what they are called."""

from pathlib import Path

import pytest

from autograder.records import roster_file
from autograder.records.roster import RosterError, Student, identify, load, read_if_there, read_missing, rows, write

JANE = Student(id="7", name="Doe, Jane", email="jane.doe@x.org", login="jd", section="A")


def read(text: str) -> list[Student]:
    return rows(text, Path("roster.csv"))


@pytest.mark.parametrize(
    "text",
    [
        'id,name,email,login,section\n7,"Doe, Jane",jane.doe@x.org,jd,A\n',
        "ID;Name;Email;Login;Section\r\n7;Doe, Jane;jane.doe@x.org;jd;A\r\n",
        'SID,Full name,Email address,Username,Sections\n7,"Doe, Jane",jane.doe@x.org,jd,A\n',
    ],
    ids=["ours", "a spreadsheet's semicolons", "other headings"],
)
def test_headings_and_separators_of_others_are_known(text: str) -> None:
    assert read(text) == [JANE]


def test_canvas_gradebook_export_is_a_roster() -> None:
    text = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (77)\n"
        ",,,,,Manual Posting\n"
        '    Points Possible,,,,,10\n"Doe, Jane",7,s7,jd,A,3\n'
    )
    assert read(text) == [Student(id="s7", name="Doe, Jane", login="jd", section="A", platform="7")]


def test_first_and_last_names_are_put_together() -> None:
    assert read("First Name,Last Name,SID,Email\nJane,Doe,7,j@x.org\n")[0].name == "Jane Doe"


def test_a_table_that_is_no_roster_is_told_what_it_has() -> None:
    with pytest.raises(RosterError, match=r"none of the columns file, id, .* its first line is: foo,bar"):
        read("foo,bar\n1,2\n")


@pytest.mark.parametrize(
    "name",
    [
        "jd.ipynb",
        "7.ipynb",
        "jane.doe@x.org.ipynb",
        "jane.doe.py",
        "Jane_Doe.zip",
        "Doe, Jane/toy.ipynb",
        "JD/answers/toy.ipynb",
    ],
)
def test_a_file_without_a_line_of_its_own_is_that_of_the_student_it_is_called_after(name: str, tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text('id,name,email,login\n7,"Doe, Jane",jane.doe@x.org,jd\n8,Roe,roe@x.org,r\n')
    assert identify(roster, [], [name, "nobody.ipynb"]).students == {
        name: Student(file=name, id="7", name="Doe, Jane", email="jane.doe@x.org", login="jd")
    }


def test_accents_are_the_same_in_either_form(tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("name\nZoe\u0308 Mu\u0308ller\n", encoding="utf-8")
    assert set(identify(roster, [], ["M\u00fcller_Zo\u00eb.ipynb"]).students) == {"M\u00fcller_Zo\u00eb.ipynb"}


def test_a_file_that_two_students_could_own_is_nobodys(tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("id,name\n7,Jane Doe\n8,Jane Doe\n")
    assert identify(roster, [], ["Jane Doe.ipynb"]).students == {}


def test_a_line_with_a_file_is_believed(tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("file,id,name\n8.ipynb,7,Jane\n,8,John\n")
    assert identify(roster, [], ["8.ipynb"]).students["8.ipynb"].name == "Jane"


# --- as spreadsheets and platforms write it -------------------------------------------------------------------------

HEAD = "Name;Login;ID\r\n"
LINES = "Müller, Änne;amueller;12\r\nDoe, Jane;jdoe;13\r\n"
BOTH = [Student(id="12", name="Müller, Änne", login="amueller"), Student(id="13", name="Doe, Jane", login="jdoe")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("declared", ["", "sep=;\r\n", '"sep=;"\n'])
def test_encodings_and_separators_of_spreadsheets_are_read(tmp_path: Path, encoding: str, declared: str) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes((declared + HEAD + LINES).encode(encoding))
    roster = load(path)
    assert list(roster.students) == BOTH
    assert any("Windows-1252" in note for note in roster.notes) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04....", "a spreadsheet or an archive"),
        (b"\xd0\xcf\x11\xe0....", "an Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"<html><table>", "a web page"),
        (b"Name\0Login\xff", "is not text"),
        (b"Name,Login\n\x81\x8d\xff,x\n", "is not text"),
        (b'Name,Login\n"Doe,jd\nRoe,jr\n', "quotation mark"),
        (b"", "none of the columns"),
        (b"name\n" + b"x" * 200_000, "not a table"),
    ],
)
def test_what_is_no_table_is_one_sentence_that_says_what_to_do(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "class.xlsx"
    path.write_bytes(content)
    with pytest.raises(RosterError, match=says) as raised:
        load(path)
    assert "\n" not in str(raised.value)
    if "\0" in content.decode("latin-1") or content[:2] in (b"PK", b"%P"):
        assert "save it as 'CSV UTF-8'" in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "Nachname;Vorname;Matrikelnummer;E-Mail-Adresse\nDoe;Jane;7;j@x.org\n",
        "Name;Vorname;Matrikel-Nr.;Mail\nDoe;Jane;7;j@x.org\n",
        "Nom,Prénom,Numéro d'identification,Adresse de courriel\nDoe,Jane,7,j@x.org\n",
        "Nombre,Apellido(s),Número de ID,Dirección de correo\nJane,Doe,7,j@x.org\n",
        "Nome,Cognome,Numero ID,Indirizzo email\nJane,Doe,7,j@x.org\n",
        "Voornaam\tAchternaam\tStudentnummer\tE-mailadres\nJane\tDoe\t7\tj@x.org\n",
        "Jane's course\n\nFirst name,Surname,ID number,Email address\nJane,Doe,7,j@x.org\n",
        "Nom complet,Numéro d'identification,Adresse de courriel\nJane Doe,7,j@x.org\n",
        'Name,"E-Mail",Student ID,Note\nJane Doe,j@x.org,7,"two\nlines"\n',
        'Name,Email,ID\nJane Doe,j@x.org,"=""7"""\n',
    ],
)
def test_headings_in_other_languages_and_below_a_title_are_known(text: str) -> None:
    assert read(text) == [Student(id="7", name="Jane Doe", email="j@x.org")]


@pytest.mark.parametrize("word", ["Participant ", "Teilnehmer/in", "Participante", "Deelnemer", "Partecipante"])
@pytest.mark.parametrize("heading", ["Identifier", "ID", "Identifiant"])
def test_moodles_participant_is_the_platforms_number_and_not_the_students(word: str, heading: str) -> None:
    text = f"{heading},Full name,ID number\n{word}1001,Jane Doe,7\n"
    assert read(text) == [Student(id="7", name="Jane Doe", platform=f"{word}1001")]


def test_a_roster_of_an_earlier_version_still_has_its_participant() -> None:
    assert read("file,id,name\na.ipynb,Participant 1001,Jane\n")[0].platform == "Participant 1001"


def test_github_classrooms_identifier_is_the_students_number_or_address() -> None:
    text = (
        '"identifier","github_username","github_id","name"\n"ada@x.org","ada","11","Ada One"\n"s1","bob","12","Bob"\n'
    )
    assert read(text) == [
        Student(id="ada@x.org", name="Ada One", email="ada@x.org", login="ada"),
        Student(id="s1", name="Bob", login="bob"),
    ]


def test_two_lines_with_one_number_are_named_with_their_lines() -> None:
    with_both = "id,name\n7,Jane\n8,John\n007,Joan\n"
    path = Path("class.csv")
    notes = roster_file._parsed(with_both, path, []).notes
    assert notes == (
        "class.csv: lines 2, 4 have the same id 7: a file with that id belongs to none of them until this is corrected",
    )


def test_what_is_kept_with_results_says_who_handed_in_nothing(tmp_path: Path) -> None:
    write({"a.ipynb": Student(file="a.ipynb", id="7")}, tmp_path, [Student(id="8", file="gone.ipynb")])
    assert set(read_if_there(tmp_path / "roster.csv")) == {"a.ipynb"}
    assert [student.id for student in read_missing(tmp_path)] == ["8"]


def test_who_is_in_two_sections_is_one_student_and_two_of_one_name_are_two() -> None:
    text = "id,name,section\n7,Jane,A\n7,Jane,B\n,Sam Twin,A\n,Sam Twin,A\n"
    found = roster_file._parsed(text, Path("class.csv"), [])
    assert [(one.id, one.name, one.section) for one in found.students] == [
        ("7", "Jane", "A, B"),
        ("", "Sam Twin", "A"),
        ("", "Sam Twin", "A"),
    ]
    assert found.notes == ("class.csv: lines 2, 3 have the same id 7 and are treated as one student",)


def test_whoever_is_named_as_canvas_names_its_own_lines_is_somebody_all_the_same(tmp_path: Path) -> None:
    students = {
        "a.ipynb": Student("a.ipynb", name="Points Possible"),
        "b.ipynb": Student("b.ipynb", name="Student, Test"),
    }
    write(students, tmp_path)
    assert read_if_there(tmp_path / "roster.csv") == students
    exported = tmp_path / "canvas.csv"
    exported.write_text(
        'Student,ID,SIS Login ID,Section\n    Points Possible,,,\n"Student, Test",99,0f3c,A\nRoe,5,roe,A\n'
    )
    assert [student.name for student in load(exported).students] == ["Roe"]
