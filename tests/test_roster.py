"""Rosters: a platform's own list of the class will do, and files find their students by what they are called."""

from pathlib import Path

import pytest

from autograder.report.roster import RosterError, Student, find, rows

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
    assert find(roster, [], [name, "nobody.ipynb"]) == {
        name: Student(file=name, id="7", name="Doe, Jane", email="jane.doe@x.org", login="jd")
    }


def test_accents_are_the_same_in_either_form(tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("name\nZoe\u0308 Mu\u0308ller\n", encoding="utf-8")
    assert set(find(roster, [], ["M\u00fcller_Zo\u00eb.ipynb"])) == {"M\u00fcller_Zo\u00eb.ipynb"}


def test_a_file_that_two_students_could_own_is_nobodys(tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("id,name\n7,Jane Doe\n8,Jane Doe\n")
    assert find(roster, [], ["Jane Doe.ipynb"]) == {}


def test_a_line_with_a_file_is_believed(tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("file,id,name\n8.ipynb,7,Jane\n,8,John\n")
    assert find(roster, [], ["8.ipynb"])["8.ipynb"].name == "Jane"
