"""What honest notebooks contain and the grader lacks costs itself alone, in the grader and in check.py."""
# ruff: noqa: E501  (cells as text)

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from adkit import checks
from courses import one_question

from autograder.assignment import Limits
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission, read_content

TEMPLATE = Path(__file__).parents[3] / "student_template"
F = "def f(x):\n    return 2 * x\n"

GOES_ON = {
    "get_ipython imported": ["from IPython import get_ipython\nimport numpy as np", "%load_ext autoreload\n%time\n" + F],
    "IPython.display": ["import IPython.display\nfrom IPython.display import HTML, clear_output\ndisplay(3)\n" + F],
    "google.colab": ["from google.colab import drive, files\ndrive.mount('/content')\nfiles.upload()\n%cd /content\n" + F],
    "colab is not there": ["try:\n    import google.colab\n    IN = 1\nexcept ImportError:\n    IN = 0\nassert not IN\n" + F],
    "matplotlib first": ["import matplotlib.pyplot as plt, numpy as np\nplt.plot(np.ones(3))\nplt.show()\n" + F],
    "subplots": [
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1])\nfig, axs = plt.subplots(2, 2)\n"
        "axs[0, 0].plot([1])\n(a, b), (c, d) = axs\nassert len([ax.plot() for ax in axs.flat]) == 4\n"
        "counts, bins, patches = plt.hist([1])\nfirst, *rest = plt.plot([1])\n" + F
    ],
    "drawing in a function": ["import seaborn as sns\nsns.set()\ndef f(x):\n    sns.lineplot(x)\n    return 2 * x"],
    "tqdm": ["from tqdm.auto import tqdm, trange\ndef f(x):\n    return sum(x for _ in tqdm(trange(2), desc='x'))"],
    "a decorator of a package that shows": ["from line_profiler import profile\n@profile\n" + F],
    "ipywidgets": ["from ipywidgets import interact\n@interact(k=(0, 9))\ndef g(k=1):\n    return k\n" + F],
    "another package": ["import torch\nx = torch.zeros(3)\ny = x + 1\n" + F],
    "annotations of it": ["from torch import Tensor\ndef f(x: Tensor) -> Tensor:\n    return 2 * x"],
    "otter's version": ["import otter\nprint(otter.__version__)\ngrader = otter.Notebook('x.ipynb')\ngrader.check('q1')\n" + F],
    "adkit's notebook": ["import adkit\ngrader = adkit.Notebook('x')\ngrader.check('q1')\ngrader.export()\n" + F],
    "writefile": ["%%writefile helpers.py\nK = 2", "%%writefile -a helpers.py\nJ = K", "import helpers\nf = lambda x: helpers.J * x"],
    "run": ["%%writefile a.py\nk = 2\ndef f(x):\n    return k * x", "%run a.py"],
    "run of no file": ["%run nothing.py\n" + F],
    "shell and magics": ["!pip install x\nfiles = !ls \\\n  -l\nassert files == []\n%env A=1\n%timeit 3\n%matplotlib inline\n" + F],
    "cell magics": ["%%capture out\nx = 1", "out.show()", "%%bash\nls", "%%html\n<b>", "%%prun\ny = x", "%%time\n" + F],
    "pylab": ["%pylab inline\nplot(zeros(3))\ndef f(x):\n    return float(2 * array(x))"],
    "gpu": [
        "import os\nos.environ['JAX_PLATFORMS'] = 'gpu'\nimport jax, jax.numpy as jnp\n"
        "jax.config.update('jax_platform_name', 'gpu')\njax.config.update('jax_platforms', 'cuda')\n"
        "device = jax.devices('gpu')[0]\nk = jnp.ones(1)\ndef f(x):\n    return float(2 * k[0] * x)"
    ],
    "64 bits off": [
        "import jax, jax.numpy as jnp\njax.config.update('jax_enable_x64', False)\n"
        "def f(x):\n    return 2 * x if jnp.ones(1).dtype == jnp.float64 else 0"
    ],
    "input": ["n = int(input('n? '))\nm = n + 1\n" + F],
    "a missing file": ["import numpy as np\ndata = np.loadtxt('data.csv')\nmean = data.mean()\nopen('x').read()\n" + F],
    "folders": ["import os, sys\nsys.path.append('/content/x')\nos.chdir('/content/x')\n" + F],
    "warnings as errors": ["import numpy as np, warnings\nwarnings.filterwarnings('error')\nnp.seterr(all='raise')\n" + F],
    "recursion limit": ["import sys\nsys.setrecursionlimit(60)", "import jax.numpy as jnp\nf = lambda x: float(jnp.sum(2 * x))"],
    "await": [
        "import asyncio\nasync def two(x):\n    await asyncio.sleep(0)\n    return 2 * x\n"
        "task = asyncio.create_task(two(1))\nk = await task\nf = lambda x: k * x"
    ],
    "future": ["from __future__ import annotations", "def f(x: Nowhere) -> Nowhere:\n    return 2 * x"],
    "prompts": [">>> def f(x):\n...     return 2 * x\n"],
    "indented": ["    def f(x):\n        return 2 * x\n"],
    "syntax error": ["x = = 3\n" + F, "print 'hello'"],
    "never closed": ["x = (1,\n" + F],
    "quotes never closed": ['x = """\n' + F],
    "strings over lines": ['x = = 3\ntext = """\ndef f(:\n"""\nassert "f(:" in text\n' + F],
    "line ends of other systems": ["x = = 3\r\ny = 'a\u2028def f(:'\r\nassert len(y) == 9\r\n" + F.replace("\n", "\r\n")],
    "decorated, with a gap": ["x = = 3\nimport functools\n@functools.lru_cache\n\n# why\n" + F],
    "prose in a code cell": ["# Title\nThis is text, isn't it?\n" + F],
    "names deleted": ["x = 1\ndel x\ndel nothing\n" + F],
    "print redefined": ["def print(*words):\n    return 1 / 0\n" + F],
    "a stub is called": ["def g():\n    raise NotImplementedError('q1: g')\ng()\n" + F],
    "an exit of a library": ["import argparse\nargparse.ArgumentParser().parse_args(['-x'])\n" + F],
    "main": ["if __name__ == '__main__':\n    def f(x):\n        return 2 * x"],
    "several names imported": ["from numpy import Inf, pi, not_there, array\ndef f(x):\n    return float(2 * array(x) * pi / pi)"],
    "debug print": ["import jax\n@jax.jit\ndef g(x):\n    jax.debug.print('{}', x)\n    return 2 * x\ng(1.0)\nf = lambda x: float(g(x))"],
}  # fmt: skip

ENDS = {
    "raise": "raise ValueError('no')",
    "assert": "assert 1 == 2",
    "sys.exit": "import sys\nsys.exit()",
    "exit": "exit()",
    "quit": "quit()",
    "in an if": "if True:\n    raise KeyError",
    "in a try": "try:\n    raise KeyError\nfinally:\n    pass",
    "in a for": "for k in range(3):\n    assert k < 1",
    "in a with": "import contextlib\nwith contextlib.nullcontext():\n    raise KeyError",
    "in a function": "def g():\n    raise KeyError\ng()",
    "below a magic": "%matplotlib inline\nassert False",
}


def opened(workshop: ForkServer, submission: Submission) -> Session:
    limits = Limits(cell_seconds=20, call_seconds=20)
    return Session(workshop, submission, one_question(limits, "f"))


def notes(workshop: ForkServer, *cells: str) -> str:
    with opened(workshop, Submission("x", None, cells)) as session:
        pass
    return "\n".join([*session.log.notes, *(text for _, text in session.log.failed_cells)])


@pytest.mark.parametrize("kind", GOES_ON)
def test_what_the_grader_lacks_costs_itself_alone(workshop: ForkServer, kind: str) -> None:
    with opened(workshop, Submission("x", None, tuple(GOES_ON[kind]))) as session:
        assert "f" in session.functions, session.log
        assert session.functions["f"](3.0) == 6.0
        assert session.functions["f"](1.0) == 2.0
    assert session.log.restarts == 0


@pytest.mark.parametrize("kind", ENDS)
def test_what_the_notebook_raises_itself_ends_its_cell_and_no_other(workshop: ForkServer, kind: str) -> None:
    with opened(workshop, Submission("x", None, (f"{ENDS[kind]}\nf = None", F, f"{ENDS[kind]}\nf = None"))) as session:
        assert session.functions["f"](3.0) == 6.0
    assert [cell for cell, _ in session.log.failed_cells] == [1, 3]


def test_no_statement_runs_twice(workshop: ForkServer) -> None:
    cell = (
        "runs = []\nundefined\nruns.append(1)\nx = = 3\nruns.append(2)\n!ls\nruns.append(3)\nf = lambda x: list(runs)"
    )
    with opened(workshop, Submission("x", None, (cell,))) as session:
        assert session.functions["f"](0) == [1, 2, 3]


def test_a_compound_statement_is_whole(workshop: ForkServer) -> None:
    cell = (
        "done = []\nfor k in range(3):\n    done.append(k)\n    undefined\n    done.append(9)\nf = lambda x: list(done)"
    )
    with opened(workshop, Submission("x", None, (cell,))) as session:
        assert session.functions["f"](0) == [0]


def test_at_most_fifty_failures_are_named_and_the_others_are_counted(workshop: ForkServer) -> None:
    with opened(workshop, Submission("x", None, ("".join(f"nothing_{k}\n" for k in range(80)) + F,))) as session:
        assert session.functions["f"](1) == 2
    assert len(session.log.failed_cells) == 50
    assert "30 more statements failed." in session.log.notes


def test_the_time_limit_is_for_all_statements_of_a_cell_together(workshop: ForkServer) -> None:
    limits = Limits(cell_seconds=1)
    assignment = one_question(limits, "f")
    cell = "import time\n" + "time.sleep(0.3)\n" * 8 + "f = None"
    with Session(workshop, Submission("x", None, (F, cell)), assignment) as session:
        assert session.functions["f"](1) == 2
    assert "Cell 2 was left out: it took longer than the 1 seconds of a cell." in session.log.notes


def test_a_missing_package_is_named_once_however_often_it_is_used(workshop: ForkServer) -> None:
    said = notes(
        workshop,
        "import matplotlib.pyplot as plt\nfrom mpl_toolkits.mplot3d import Axes3D\nimport torch\n" + F,
        "import matplotlib as mpl\nplt.plot([1])\nfloat(plt.gca().x)\ncolors = list(plt.cm.x)\nfor c in colors:\n    pass",
        "import torch.nn as nn\nx = torch.ones(3)\ny = nn.Linear(3)\nprint(y)",
    )
    assert said.count("the grader has no matplotlib") == 1
    assert said.count("the grader has no torch") == 1
    assert "NameError" not in said


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("!pip install x\n%timeit 3\n", "Not run by the grader: !pip and %timeit."),
        ("%%bash\nls", "Not run by the grader: %%bash."),
        ("input()", "Not run by the grader: input()."),
        ("import jax\njax.config.update('jax_enable_x64', False)", "64-bit floats"),
        ("import jax\njax.config.update('jax_platform_name', 'tpu')", "on the CPU"),
        ("import jax\ndef g(x):\n    jax.debug.print('{}', x)", "jax.debug.print"),
        ("from jax.debug import callback", "jax.debug.callback"),
        ("import numpy as np\nx = np.Inf", "removed in the NumPy 2.0 release"),
        ("import numpy as np\nx = np.product", "gone in NumPy 2"),
        ("from numpy import Inf", "Use `np.inf` instead"),
        ("x = 1\n<<<<<<< HEAD\ny = 2\n", "git"),
        ("%run nothing.py", "%%writefile"),
    ],
)
def test_what_was_not_run_or_not_kept_is_said(workshop: ForkServer, cell: str, says: str) -> None:
    assert says in notes(workshop, cell)


def test_what_needs_a_failed_statement_is_counted_with_it(workshop: ForkServer) -> None:
    with opened(workshop, Submission("x", None, ("data = open('x').read()", "a = data\nb = a", "print(b)"))) as session:
        pass
    assert len(session.log.failed_cells) == 1
    assert session.log.failed_cells[0][1].endswith("3 statements that need it failed, too")


USES = (
    "plt.x + 1", "1 - plt.x", "plt.x == 1", "plt.x < 1", "float(plt.x)", "int(plt.x)", "bool(plt.x)", "len(plt.x)",
    "np.asarray(plt.x)", "jnp.asarray(plt.x)", "np.array([plt.x, 1.0]).astype(float)", "jnp.sin(plt.x)", "list(plt.x)",
    "1 in plt.x", "[0][plt.x]", "round(plt.x)", "not plt.x",
)  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_a_value_of_a_stand_in_is_an_error_that_names_the_package(workshop: ForkServer, use: str) -> None:
    head = "import numpy as np, jax.numpy as jnp\nimport matplotlib.pyplot as plt\n"
    cells = (f"{head}def f(x):\n    return {use}",)
    says = "the grader has no matplotlib|stand-in for a package that the grader does not have"
    with opened(workshop, Submission("x", None, cells)) as session, pytest.raises(checks.StudentError, match=says):
        session.functions["f"](1.0)


def test_a_stand_in_never_shadows_what_is_installed_or_written(workshop: ForkServer) -> None:
    cells = (
        "%%writefile seaborn.py\ndef k():\n    return 2",
        "import seaborn, ipywidgets\nassert ipywidgets.__file__ and ipywidgets.IntSlider(value=3).value == 3\n"
        "def f(x):\n    return seaborn.k() * x",
    )
    with opened(workshop, Submission("x", None, cells)) as session:
        assert session.functions["f"](3.0) == 6.0
    assert session.log.notes == session.log.failed_cells == []


@pytest.mark.parametrize(
    "print_", ["jax.debug.print('{}', x)", "jax.debug.callback(print, x)", "dprint('{}', x, ordered=True)"]
)
def test_a_debug_print_takes_nothing_from_what_is_counted(workshop: ForkServer, print_: str) -> None:
    cell = f"""
import jax, jax.numpy as jnp
from jax.debug import print as dprint
@jax.jit
def inner(x):
    {print_}
    return x @ x
inner(jnp.eye(2))
def f(x):
    {print_}
    return inner(x)
"""
    with opened(workshop, Submission("x", None, (cell,))) as session:
        measured = session.functions["f"].measure((np.eye(2),))
    assert measured.work.products == 1


def test_a_debug_print_in_a_notebook_that_has_run_it_before_is_passed_over_as_well() -> None:
    import jax
    from adkit.tracing import export as artefact

    @jax.jit
    def inner(x: jax.Array) -> jax.Array:
        jax.debug.print("seen")
        return x @ x

    inner(np.eye(2))
    assert artefact.measure(lambda x: inner(x), np.eye(2)).work.products == 1


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("\n\nundefined", 3),
        ("\n%%time\n\nundefined", 4),
        ("!ls \\\n  -l\nx = = 3\nundefined", 4),
        ("if True:\n    x = !ls \\\n      -l\nundefined", 4),
        ('x = """\n\n"""\n%cd x\nundefined', 5),
        ("def g():\n    undefined\ng()", 2),
    ],
)
def test_lines_in_messages_are_those_of_the_cell(workshop: ForkServer, cell: str, line: int) -> None:
    assert f"line {line} of cell 1: undefined" in notes(workshop, cell)


def test_an_error_of_a_million_characters_costs_no_function(workshop: ForkServer) -> None:
    long = "def g():\n    [][len('" + "y" * 2_000_000 + "')]\n" + "g()\n" * 60
    with opened(workshop, Submission("x", None, (long, F))) as session:
        assert session.functions["f"](1) == 2
    assert len(session.log.failed_cells) == 50


def test_source_of_a_function_can_be_had(workshop: ForkServer) -> None:
    cell = (
        "\n%matplotlib inline\nimport inspect\n\ndef g(x):\n    return x\n\ndef f(x):\n    return inspect.getsource(g)"
    )
    with opened(workshop, Submission("x", None, (cell,))) as session:
        assert session.functions["f"](0) == "def g(x):\n    return x\n"


# --- scripts ----------------------------------------------------------------------------------------------------

EXPORTS = {
    "nbconvert": "#!/usr/bin/env python\n# coding: utf-8\n\n# In[1]:\n\n\nget_ipython().run_line_magic('matplotlib', 'inline')\n"
    "get_ipython().system('pip install x')\n\n\n# In[ ]:\n\n\nundefined\nassert False\n\n\n# In[3]:\n\n\n"
    "get_ipython().run_cell_magic('time', '', 'def f(x):\\n    return 2 * x\\n')\n",
    "VS Code": "# To add a new cell, type '# %%'\n# %% [markdown]\n# # Title\n# %%\nfrom IPython import get_ipython\n\n# %%\n"
    "get_ipython().run_line_magic('matplotlib', 'inline')\nassert False\n\n# %%\n%%time\ndef f(x):\n    return 2 * x\n",
    "Colab": '# -*- coding: utf-8 -*-\n"""Untitled.ipynb\n\nAutomatically generated by Colab.\n\n# In[1]: is no marker\n"""\n\n'
    "!pip install jax\nfrom google.colab import drive\ndrive.mount('/content/drive')\n\nassert False\n\n"
    "# Commented out IPython magic to ensure Python compatibility.\n# %matplotlib inline\nimport numpy as np\n\n"
    "# Commented out IPython magic to ensure Python compatibility.\n# %%time\n# def f(x):\n#   # twice\n#   return 2 * x\n\n"
    '"""# Question 2"""\n\nprint(undefined)\n',
    "jupytext": "# ---\n# jupyter:\n#   kernelspec:\n#     language: python\n# ---\n\n# %% [markdown]\n# text\n\n# %%\nassert False\n\n"
    '# %% tags=["x"]\ndef f(x):\n    return 2 * x\n',
    "one bad line": "import matplotlib.pyplot as plt\n\nx = = 3\n\nraise ValueError\n\n\ndef f(x):\n    y = {\n'a': 2,\n\n'b': 3}\n\n"
    "    return y['a'] * x\n\n\ntry:\n    import nothing\n\nexcept ImportError:\n    pass\n",
    "one bad line, no blank ones": "import sys\nx = = 3\ndef f(x):\n    return 2 * x\nundefined\ny = (\n",
}  # fmt: skip


@pytest.mark.parametrize("tool", EXPORTS)
def test_a_script_gets_what_its_notebook_gets(workshop: ForkServer, tool: str) -> None:
    with opened(workshop, read_content(EXPORTS[tool].encode(), "x.py", Limits())) as session:
        assert session.functions["f"](3.0) == 6.0


def test_messages_about_a_script_have_its_own_lines(workshop: ForkServer) -> None:
    with opened(workshop, read_content(EXPORTS["Colab"].encode(), "x.py", Limits())) as session:
        pass
    said = "\n".join(text for _, text in session.log.failed_cells)
    lines = EXPORTS["Colab"].split("\n")
    for line in ("print(undefined)", "assert False"):
        assert f"line {lines.index(line) + 1} of script: {line}" in said


# --- check.py ---------------------------------------------------------------------------------------------------

TEST = '''
from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None

@test_case(name="twice", points=2)
def test_q1_twice(f):
    """twice"""
    from adkit import checks

    checks.equal(checks.call(f, 3.0), 6.0, what="f")
'''


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's folder with one small assignment."""
    folder = tmp_path_factory.mktemp("student")
    shutil.copy(TEMPLATE / "check.py", folder)
    shutil.copytree(TEMPLATE / "adkit", folder / "adkit", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tests" / "toy").mkdir(parents=True)
    (folder / "tests" / "toy" / "q1.py").write_text(TEST)
    question = {"name": "q1", "title": "Twice", "points": 4.0, "functions": ["f"], "bonus": False, "call_seconds": 10.0}
    facts = {
        "name": "toy",
        "title": "A toy",
        "questions": [{**question, "public_cases": 1, "public_points": 2.0}],
        "limits": {"cell_seconds": 60.0, "timeouts": 3},
        "versions": {},
    }
    (folder / "tests" / "toy" / "assignment.json").write_text(json.dumps(facts))
    return folder


def check(folder: Path, *cells: str) -> subprocess.CompletedProcess[str]:
    content = {"cells": [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]}
    (folder / "toy.ipynb").write_text("\ufeff" + json.dumps(content), encoding="utf-8")
    return subprocess.run([sys.executable, "check.py", "toy"], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    "kind", ["matplotlib first", "writefile", "gpu", "64 bits off", "adkit's notebook", "debug print"]
)
def test_check_gives_the_points_of_the_grader_and_says_the_same(workshop: ForkServer, student: Path, kind: str) -> None:
    done = check(student, *GOES_ON[kind])
    assert "1 passed, 0 wrong" in done.stdout, done.stdout + done.stderr
    with opened(workshop, Submission("x", None, tuple(GOES_ON[kind]))) as session:
        pass
    for note in session.log.notes:
        assert note in done.stdout


def test_check_stands_in_for_what_only_this_machine_has(student: Path) -> None:
    (student / "seaborn").mkdir()
    (student / "seaborn" / "__init__.py").write_text("K = 2")
    try:
        done = check(student, "import seaborn\n" + F + "\nk = seaborn.K + 1")
    finally:
        shutil.rmtree(student / "seaborn")
    assert done.returncode == 0, done.stdout
    assert "the grader has no seaborn" in done.stdout


def test_check_has_no_file_that_is_not_handed_in(student: Path) -> None:
    (student / "mine.py").write_text("K = 2")
    (student / "data.csv").write_text("2")
    done = check(student, "import mine\n" + F + "k = open('data.csv').read()")
    assert "the grader has no mine" in done.stdout
    assert "data.csv" in done.stdout
    assert "1 passed, 0 wrong" in done.stdout
