"""Who somebody is: strong evidence goes before weak, and nobody takes or spoils another student's line."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.records import roster
from autograder.records.identity import Claim, match
from autograder.records.roster import Student, joined, missing
from autograder.records.student import spellings

JANE = Student(id="7", name="Doe, Jane", email="jane.doe@x.org", login="jd", platform="Participant 1001")
JOHN = Student(id="8", name="Roe, John", email="john@x.org", login="jr", platform="Participant 1002")


def owners(claims: Sequence[Claim], students: Sequence[Student] = (JANE, JOHN)) -> list[int | None]:
    return list(match(claims, students).owners)


def plain(*names: str) -> list[Claim]:
    return [Claim(Student(), (name,), name) for name in names]


@pytest.mark.parametrize(
    "stated",
    [
        Student(platform="1001"),
        Student(platform="Teilnehmer/in1001", name="Somebody Else"),
        Student(id="7"),
        Student(id="007"),  # a spreadsheet takes the zeros away
        Student(email="JANE.DOE@x.org"),
        Student(login="JD"),
        Student(name="Jane Doe"),
        Student(name="doejane"),
        Student(name="jane_doe"),
    ],
)
def test_what_a_platform_states_finds_the_student(stated: Student) -> None:
    assert owners([Claim(stated)]) == [0]


@pytest.mark.parametrize(
    ("written", "listed"),
    [
        ("mullerjan", "Müller, Jan"),
        ("muellerjan", "Müller, Jan"),
        ("mllerjan", "Müller, Jan"),
        ("Mu\u0308ller Jan", "Jan M\u00fcller"),
        ("obrienann", "Ann O'Brien"),
        ("bergjovander", "Jo van der Berg"),
        ("vanderbergjo", "Jo van der Berg"),
        ("wojciklukasz", "Łukasz Wójcik"),
        ("strassejo", "Jo Straße"),
    ],
)
def test_a_name_is_known_in_every_way_a_platform_writes_it(written: str, listed: str) -> None:
    students = [Student(id="1", name="Someone Other"), Student(id="2", name=listed)]
    assert owners([Claim(Student(name=written))], students) == [1]


def test_a_name_that_is_written_exactly_goes_before_one_without_its_accents() -> None:
    students = [Student(id="1", name="Jan Muller"), Student(id="2", name="Jan Müller")]
    assert owners([Claim(Student(name="Müller Jan"))], students) == [1]


def test_a_file_named_after_somebody_does_not_spoil_the_line_of_who_has_a_number() -> None:
    claims = [Claim(Student(platform="Participant 1001")), *plain("Jane Doe", "7", "jd", "jane.doe@x.org")]
    assert owners(claims) == [0, None, None, None, None]


def test_of_several_that_fit_as_well_none_is_taken_and_all_are_named() -> None:
    found = match(plain("jd", "Jane Doe", "john"), (JANE, JOHN))
    assert found.owners == (None, None, 1)
    assert found.contested == {0}
    assert [note.split(" is ")[0] for note in found.notes] == ["jd", "Jane Doe"]


def test_two_who_share_a_name_are_told_apart_by_their_numbers_or_not_at_all() -> None:
    twins = (Student(id="1", name="Sam Twin", platform="11"), Student(id="2", name="Sam Twin", platform="22"))
    numbered = [Claim(Student(platform="22", name="twinsam")), Claim(Student(platform="11", name="twinsam"))]
    assert owners(numbered, twins) == [1, 0]
    assert owners([Claim(Student(name="Sam Twin"))], twins) == [None]


def test_a_name_with_another_number_is_another_person() -> None:
    one = [Claim(Student(platform="1002", name="John Roe")), Claim(Student(platform="3", name="Jane Doe"))]
    assert owners(one) == [1, None]


def test_numbers_of_another_kind_say_nothing_against_a_name() -> None:
    assert owners([Claim(Student(id="12345", name="Jane Doe")), Claim(Student(id="6789", name="John Roe"))]) == [0, 1]


def test_logins_behind_a_prefix_that_the_class_shares_are_found() -> None:
    students = [Student(login="ada"), Student(login="bob"), Student(login="x-ada")]
    claims = [Claim(Student(), (name,), name, True) for name in ("hw-1-ada", "hw-1-bob", "hw-1-x-ada")]
    assert owners(claims, students) == [0, 1, 2]


@pytest.mark.parametrize(
    "names", [["hw1-evil-ada", "hw1-bob"], ["hw1-evil-ada", "hw1-bob", "hw1-eve"], ["evil-ada"], ["evil-ada", "bob"]]
)
def test_who_chooses_a_login_that_ends_in_anothers_does_not_become_them(names: list[str]) -> None:
    students = [Student(login="ada"), Student(login="bob")]
    claims = [Claim(Student(), (name,), name, True) for name in names]
    assert 0 not in owners(claims, students)


def test_what_lies_in_a_folder_has_no_say_when_folders_are_named_after_students() -> None:
    claims = [Claim(Student(), ("jr", "jd"), "jr/jd.ipynb"), Claim(Student(), ("eve", "jd"), "eve/jd.ipynb")]
    assert owners(claims) == [1, None]


def test_the_assignments_name_round_a_login_is_no_part_of_it() -> None:
    claims = plain("jd_matrix_gradients", "matrix-gradients jr (2)")
    assert match(claims, (JANE, JOHN), "matrix_gradients").owners == (0, 1)
    assert match(plain("matrix-gradients-jr"), (JANE, JOHN), "matrix_gradients").owners == (1,)


def test_a_browsers_copy_is_the_students_only_when_there_is_no_original() -> None:
    assert owners(plain("jd (1)")) == [0]
    assert owners(plain("jd (1)", "jd")) == [None, 0]


def test_who_handed_in_nothing_is_missing_and_who_is_contested_is_not() -> None:
    assert missing([JANE, JOHN], [Student(file="a.ipynb", platform="Participant 1001")]) == [JOHN]
    contesting = [Student(file="a", name="Jane Doe"), Student(file="b", name="Jane Doe")]
    assert missing([JANE, JOHN], contesting) == [JOHN]


def test_the_list_knows_who_and_the_hand_in_when() -> None:
    stated = Student(file="a.ipynb", name="janedoe", platform="Participant 1001", submitted="2026-01-01", late="yes")
    known = Student(id="7", name="Doe, Jane", platform="Teilnehmer/in1001", submitted="2025-01-01")
    assert joined(stated, known) == Student(
        "a.ipynb", "7", "Doe, Jane", platform="Teilnehmer/in1001", submitted="2026-01-01", late="yes"
    )


@given(st.text(max_size=60))
def test_any_name_has_spellings_that_are_found_again(name: str) -> None:
    for spelling in spellings(name):
        assert spelling in spellings(spelling)


@given(st.lists(st.sampled_from(["jd", "jr", "7", "8", "Jane Doe", "Roe John", "john@x.org", "x"]), max_size=8))
def test_no_student_is_found_twice(names: list[str]) -> None:
    found = [owner for owner in owners(plain(*names)) if owner is not None]
    assert len(found) == len(set(found))


def test_grade_with_a_list_joins_what_collect_found(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "submissions.csv").write_text(
        "file,id,name,platform,submitted,late,kind\n"
        "doejane-1001.ipynb,,doejane,1001,2026-01-01T00:00:00+00:00,yes,canvas\n"
        "Jane Doe.ipynb,,Jane Doe,,,,plain\n"
    )
    listed = tmp_path / "class.csv"
    listed.write_text('Student,ID,SIS User ID,SIS Login ID\n"Doe, Jane",1001,s7,jd\n"Roe, John",1002,s8,jr\n')
    found = roster.identify(listed, [folder], ["doejane-1001.ipynb", "Jane Doe.ipynb"])
    jane = found.students["doejane-1001.ipynb"]
    assert (jane.id, jane.login, jane.platform, jane.late) == ("s7", "jd", "1001", "yes")
    assert found.students["Jane Doe.ipynb"].id == ""
    assert found.strangers == ("Jane Doe.ipynb",)
    assert [student.id for student in found.missing] == ["s8"]
    assert found.notes == ("Jane Doe.ipynb is not the only one who could be Doe, Jane",)
