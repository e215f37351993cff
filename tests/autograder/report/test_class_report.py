"""The class report: which cases are bad, which mistakes are one, and how a class compares with an earlier one."""

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
import simulated_class
from graded_class import record, result, write_class

from autograder.cli import main
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.report.statistics import Moments, Statistics
from autograder.report.write import write_everything


def flags(statistics: Statistics) -> dict[str, str]:
    moments = statistics.moments
    return {name: flag for name, case in statistics.cases.items() if (flag := moments.flag(case))}


@pytest.mark.parametrize("seed", range(6))
def test_of_a_class_of_known_ability_exactly_the_planted_bad_cases_are_flagged(seed: int) -> None:
    statistics = Statistics.of(simulated_class.records(300, seed))
    assert flags(statistics) == simulated_class.PLANTED


def test_a_small_class_flags_nothing_but_what_all_or_none_pass() -> None:
    statistics = Statistics.of(simulated_class.records(12, 1))
    assert set(flags(statistics).values()) <= {"nobody passes", "everybody passes"}


def test_the_correlation_is_that_of_a_case_with_the_points_of_all_others() -> None:
    from statistics import correlation

    made = simulated_class.submissions(50, 3)
    statistics = Statistics.of(record(one) for one in made)
    name = "test_q3_12"
    passed = [float(case.passed) for one in made for q in one.questions for case in q.cases if case.name == name]
    others = [one.earned - x for one, x in zip(made, passed, strict=True)]
    assert statistics.moments.correlation(statistics.cases[name]) == pytest.approx(correlation(passed, others))


def test_a_case_that_is_all_there_is_has_no_correlation() -> None:
    question = QuestionResult("q1", "One", 1.0, False, (CaseResult("a", "a", 1.0, False, True, ""),))
    failed = QuestionResult("q1", "One", 1.0, False, (CaseResult("a", "a", 1.0, False, False, "no"),))
    made = [SubmissionResult("a", "completed", (question,)), SubmissionResult("b", "completed", (failed,))]
    statistics = Statistics.of(record(one) for one in made)
    assert statistics.moments.correlation(statistics.cases["a"]) is None
    assert Moments().flag(statistics.cases["a"]) == ""


def wrong(file: str, *mistakes: tuple[str, tuple[str, ...], str]) -> SubmissionResult:
    """A submission whose cases show mistakes: (sentence, names, the first one's sentence)."""
    cases = tuple(
        CaseResult(f"c{k}", "", 1.0, False, False, sentence, sentence, mistakes=names, misconception=first)
        for k, (sentence, names, first) in enumerate(mistakes)
    )
    return SubmissionResult(file, "completed", (QuestionResult("q1", "One", 3.0, False, cases),))


X, Y = ("X.", ("f__x",), "X."), ("Y.", ("f__y",), "Y.")
X_OR_Y, Z_OR_X = ("X. Or: Y.", ("f__x", "f__y"), "X."), ("Z. Or: X.", ("f__z", "f__x"), "Z.")


@pytest.mark.parametrize(
    ("made", "counts"),
    [
        ([[X], [X_OR_Y]], {"X.": 2}),
        ([[X, X_OR_Y]], {"X.": 1}),
        ([[Y, X_OR_Y]], {"Y.": 1}),
        ([[X], [Z_OR_X]], {"X.": 2}),
        ([[X_OR_Y], [X_OR_Y, X_OR_Y]], {"X.": 2}),
        ([[X, Y]], {"X.": 1, "Y.": 1}),
    ],
)
def test_a_mistake_and_the_same_mistake_beside_another_are_one(made: list, counts: dict[str, int]) -> None:
    statistics = Statistics.of(record(wrong(f"{k}.ipynb", *cases)) for k, cases in enumerate(made))
    assert statistics.mistakes == {("q1", sentence): times for sentence, times in counts.items()}


def test_points_above_those_possible_have_bins_of_their_own() -> None:
    def of(points: float) -> SubmissionResult:
        case = CaseResult("a", "a", points, False, True, "")
        return SubmissionResult(f"{points}", "completed", (QuestionResult("q1", "One", 10.0, False, (case,)),))

    statistics = Statistics.of(record(of(points)) for points in (0.0, 1.0, 9.9, 10.0, 10.5, 11.0, 11.5))
    assert statistics.histogram(10.0) == [1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 2, 1]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = simulated_class.write(tmp_path_factory.mktemp("class") / "out")
    write_everything(out)
    return (out / "report.html").read_text(encoding="utf-8")


def test_three_hundred_students_stay_below_two_megabytes(report: str) -> None:
    assert report.count("feedback/s") == 300 + 8  # and those who ran out of time once more
    assert len(report.encode()) < 2 * 1024**2


def test_the_policy_names_the_pages_script_by_its_digest(report: str) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", report, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in report
    assert "innerHTML" not in script


def test_names_come_from_the_roster_and_cases_are_listed_from_the_hardest_on(report: str) -> None:
    assert "Student 200" in report
    cases = report[report.index("<h2>Test cases</h2>") :]
    assert cases.index("case test_q6_nobody", cases.index("<table")) < cases.index(
        "case test_q6_everybody", cases.index("<table")
    )
    assert "<b>nobody passes</b>: q6, case test_q6_nobody" in cases


def test_a_class_is_compared_with_an_earlier_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write_class(tmp_path / "old", [result("a.ipynb", "q1"), result("b.ipynb")])
    new = write_class(tmp_path / "new", [result("a.ipynb", "q1", "q2"), result("c.ipynb", "q1")], contract="1" * 64)
    assert main(["report", str(new), "--compare", str(old)]) == 0
    page = (new / "report.html").read_text(encoding="utf-8")
    assert "Compared with an earlier class" in page
    assert "Its tests, references or checks were others." in page
    assert '<td class="s">q1</td><td class="n">50 %</td><td class="n">100 %</td><td class="n">+50</td>' in page
    assert main(["report", str(new)]) == 0
    assert "Compared with" not in (new / "report.html").read_text(encoding="utf-8")


def test_who_ran_out_of_time_is_named(tmp_path: Path) -> None:
    from autograder.records.results import Timeout
    from autograder.records.roster import Student

    late = replace(result("a.ipynb"), timeouts=(Timeout("call", "f", 10.0),))
    out = write_class(tmp_path / "out", [late, result("b.ipynb")], [Student(file="a.ipynb", name="Ann Roe")])
    write_everything(out)
    page = (out / "report.html").read_text(encoding="utf-8")
    who = page[page.index("Who ran out of time") : page.index("<h2>Questions")]
    assert "Ann Roe" in who
    assert "f took longer than 10 seconds" in who
    assert "b.ipynb" not in who
