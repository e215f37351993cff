"""adkit, and the checks that need no JAX, where JAX is not installed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.build.command import solutions

ROOT = Path(__file__).resolve().parents[3]
STUDENTS = ROOT / "student_template"
WITHOUT_JAX = """
import sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in ("jax", "jaxlib") else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
sys.path.insert(0, {students!r})
"""
PUBLIC_POINTS_WITHOUT_JAX = {"ad_modes": 14, "ad_in_jax": 1, "matrix_gradients": 7.75, "checkpointing": 12.5}
"""What the formulas of the reference earn in public cases when they are written with NumPy."""


def without_jax(program: str, given: object = None) -> str:
    """What a program prints in a Python that has no JAX."""
    text = WITHOUT_JAX.format(students=str(STUDENTS)) + program
    done = subprocess.run(
        [sys.executable, "-c", text], input=json.dumps(given), capture_output=True, text=True, timeout=300, cwd=STUDENTS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_jax_goes_on_and_using_it_says_what_is_missing() -> None:
    said = without_jax("""
import adkit
import jax
import jax.numpy as jnp
from jax import Array

def f(x: Array | None) -> jax.Array: ...

print(isinstance(1.0, jax.Array), jax.config.jax_enable_x64)
for use in (lambda: jnp.sin(1.0), lambda: jax.grad(f), lambda: bool(jax.numpy.pi), lambda: jax.custom_vjp(f)):
    try:
        use()
    except ImportError as error:
        print(error)
""")
    first, *rest = said.splitlines()
    assert first == "False True"
    assert [re.fullmatch(r"JAX is not installed here, and (\S+) needs it\. .*", line)[1] for line in rest] == [  # type: ignore
        "jax.numpy.sin",
        "jax.grad",
        "jax.numpy.pi",
        "jax.custom_vjp",
    ]


def test_libraries_are_told_that_there_is_no_jax() -> None:
    said = without_jax("""
import json

import adkit

program = "try:\\n import jax\\n print('there')\\nexcept ImportError:\\n print('missing')"
exec(compile(program, json.__file__, "exec"))
""")
    assert said == "missing\n"


def test_where_jax_is_installed_it_is_jax() -> None:
    program = f"import sys; sys.path.insert(0, {str(STUDENTS)!r}); import adkit, jax; print(jax.__version__ > '0')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.stdout == "True\n", done.stderr


def test_a_part_that_an_installed_jax_does_without_is_not_stood_in_for() -> None:
    program = """
import sys, sysconfig
sysconfig.get_path = lambda name: "/nowhere"  # JAX is not where this Python keeps its packages
import adkit
import jax.numpy as jnp
try:
    import jax.a_part_that_is_not_there
except ModuleNotFoundError as error:
    print(jnp.sin(0.0), type(error).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, cwd=STUDENTS, check=False
    )
    assert done.stdout == "0.0 ModuleNotFoundError\n", done.stderr


def test_the_subject_and_the_drawings_need_no_jax() -> None:
    said = without_jax("""
import adkit

graph = adkit.toy_graph()
schedule = [("forward", 1), ("backward", 1)]
print("<svg" in adkit.draw(graph)._repr_svg_(), "<svg" in adkit.space_time(schedule, 1)._repr_svg_())
print(adkit.simulate(1, schedule).peak, adkit.least_evaluations(10, 3), "jax" in sys.modules)
""")
    assert said == "True True\n1 18 False\n"


ALL_QUESTIONS = """
import ast
import json
from pathlib import Path

import adkit
from adkit.notebook.handout import Handout
from adkit.notebook.public_cases import check_question

for name, answers in json.load(sys.stdin).items():
    handout = Handout.load(Path("tests") / name)
    earned, possible, said, space = 0.0, 0.0, set(), {}
    for question in handout.questions:
        for statement in ast.parse(answers[question.name]).body:
            try:
                exec(compile(ast.Module([statement], []), "<cell>", "exec"), space)
            except (ImportError, NameError) as error:
                said.add(str(error).partition(",")[0])
        result = check_question(handout, question, space)
        earned, possible = earned + result.earned, possible + result.public_points
        said |= {case.sentence.partition(",")[0] for case in result.cases if case.state != "passed" and case.sentence}
    print(json.dumps([name, earned, possible, sorted(said)]))
"""


def in_numpy(code: str) -> str:
    """A solution with NumPy and SciPy in the place of JAX's."""
    code = re.sub(r"^import jax\.numpy as jnp$", "import numpy as jnp", code, flags=re.MULTILINE)
    return re.sub(r"^from jax\.scipy\.", "from scipy.", code, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def earned() -> dict[str, tuple[float, float, list[str]]]:
    answers = {
        name: {question: in_numpy(code) for question, code in solutions(Assignment.load(name)).items()}
        for name in PUBLIC_POINTS_WITHOUT_JAX
    }
    lines = map(json.loads, without_jax(ALL_QUESTIONS, answers).splitlines())
    return {name: (points, possible, said) for name, points, possible, said in lines}


@pytest.mark.parametrize("name", PUBLIC_POINTS_WITHOUT_JAX)
def test_public_points_that_can_be_earned_without_jax(
    name: str, earned: dict[str, tuple[float, float, list[str]]]
) -> None:
    points, possible, said = earned[name]
    assert points >= PUBLIC_POINTS_WITHOUT_JAX[name]
    assert points == possible or "JAX is not installed here" in said


def test_the_handbook_says_how_many_points_these_are() -> None:
    page = (ROOT / "docs" / "students" / "checks.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) of [\d.]+ \|$", page, re.MULTILINE))
    assert {name: float(points) for name, points in table.items()} == PUBLIC_POINTS_WITHOUT_JAX
