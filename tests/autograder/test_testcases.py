"""Test files are read by Otter's own reader, and nothing else of Otter is imported for it."""

import subprocess
import sys

READ = """
import sys
from autograder.assignment import Assignment
from autograder.testcases import load_cases

cases = load_cases(Assignment.load("ad_modes"))
case = cases["q1"][0]
assert not {"otter", "pandas", "nbconvert"} & set(sys.modules), "more than the reader was imported"

import otter
from otter.test_files import create_test_file
from otter.test_files.exception_test import ExceptionTestFile

whole = ExceptionTestFile.from_file("assignments/ad_modes/tests/q1.py")
assert [each.name for each in cases["q1"]] == [each.body.test_func.__name__ for each in whole.test_cases]
try:
    case.run({})
except AssertionError as error:
    print(error)
"""


def test_reading_test_files_imports_the_reader_alone_and_otter_can_be_imported_after_it() -> None:
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "toy_forward is not defined" in done.stdout
