"""What is not Python in a notebook's cell: IPython's magics and shell commands, and what they do outside of Jupyter.

They become calls of `get_ipython()`, as IPython makes them, and every line stays where it is.
"""

from __future__ import annotations

import ast
import importlib
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from adkit.notebook import standins

__all__ = ["Shell", "as_python", "lines_of", "may_run_code", "of_cell"]

_TRANSFORMS = 500
_OTHER_LANGUAGES_WORDS = """
    bash sh script system sx cmd powershell html HTML javascript js latex markdown svg SVG perl ruby pypy python python2
    python3 R julia cython sql sqlite bigquery timeit writefile file skip debug
"""
_OTHER_LANGUAGES = frozenset(_OTHER_LANGUAGES_WORDS.split())
"""Cell magics whose cell does not run in the notebook's namespace."""
_SILENT_WORDS = """
    alias alias_magic aimport autoawait automagic autoreload autosave cd colors config doctest_mode gui load_ext logoff
    logon logstart logstop lsmagic matplotlib pdb pinfo pinfo2 precision psource pushd popd reload_ext reset
    reset_selective rerun tb tensorboard unload_ext who who_ls whos xdel xmode
"""
_SILENT = frozenset(_SILENT_WORDS.split())
"""Line magics that change nothing that is graded."""


def lines_of(text: str) -> list[str]:
    """Lines with their ends, where Python sees them: `str.splitlines` sees more."""
    return list(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n")))


def of_cell(source: str) -> tuple[int, str] | None:
    """For a cell that begins with `%%name`: (lines above, Python in its place); None for any other.

    The cell below a magic that runs it is Python as it is, one line further down.
    """
    lines = lines_of(source)
    above = next((number for number, line in enumerate(lines) if line.strip()), None)
    if above is None or not lines[above].startswith("%%") or not lines[above][2:3].isalpha():
        return None
    name, _, line = lines[above][2:].strip().partition(" ")
    body = "".join(lines[above + 1 :])
    body += "" if not body or body.endswith("\n") else "\n"
    if not _runs(name, body):
        return above, f"get_ipython().run_cell_magic({name!r}, {line.strip()!r}, {body!r})\n"
    here = ""
    if name == "capture":
        target = next((word for word in line.split() if word.isidentifier()), "")
        here = f"{target} = get_ipython().captured()" if target else ""
    elif name == "time" and _is_python(line.strip()):
        here = line.strip()
    return above, f"{here}\n{body}" if not body.lstrip().startswith("%%") else f"\n{body}"


def _runs(name: str, body: str) -> bool:
    if name in ("time", "capture", "prun"):
        return True
    return name not in _OTHER_LANGUAGES and _is_python(body)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def as_python(lines: Sequence[str]) -> str:
    """Lines of a cell with magics and prompts as Python, line for line."""
    text = "".join(lines)
    if _is_python(text):
        return text
    try:
        from IPython.core import inputtransformer2
    except ImportError:
        return text
    transformer: Any = inputtransformer2  # untyped
    manager = transformer.TransformerManager()
    now = [*lines]
    if now and not now[-1].endswith("\n"):
        now[-1] += "\n"
    for transform in (transformer.leading_indent, transformer.classic_prompt, transformer.ipython_prompt):
        now = list(transform(now))
    for _ in range(_TRANSFORMS):
        try:
            changed, after = manager.do_one_token_transform(now)
        except SyntaxError:
            break
        if not changed:
            break
        shorter = len(now) - len(after)
        if shorter > 0:  # a command over several lines has become one
            same = next((k for k, (a, b) in enumerate(zip(now, after, strict=False)) if a != b), len(after) - 1)
            after = [*after[: same + 1], *["\n"] * shorter, *after[same + 1 :]]
        now = after
    return "".join(now)


def may_run_code(statement: ast.stmt) -> bool:
    """Whether a statement hands a magic code to run, as text in which nobody looks for names."""
    for node in ast.walk(statement):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in ("run_cell_magic", "run_cell", "magic", "ev", "ex"):
            return True
        if node.func.attr == "run_line_magic" and node.args:
            name = node.args[0]
            known = isinstance(name, ast.Constant) and name.value in _SILENT | {"env", "set_env", "pwd", "pip", "conda"}
            if not known:
                return True
    return False


class Runner(Protocol):
    """What runs a notebook's cells (`adkit.notebook.cells.Runner`), as far as magics need it."""

    names: dict[str, Any]

    def did_not_run(self, what: str) -> None: ...

    def run_text(self, source: str, filename: str, names: dict[str, Any] | None = None, shift: int = 0) -> None: ...


class Shell:
    """What `get_ipython()` is: runs what magics run in Python, takes down the others, accepts anything else."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.user_ns = runner.names
        self.config: dict[str, Any] = {"IPKernelApp": {}}
        self.execution_count = 1

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return standins.StandIn(f"get_ipython().{name}", "there is no Jupyter where a notebook is graded")

    def run_line_magic(self, name: str, line: str = "", *_rest: object, **_options: object) -> Any:
        """`%name line`."""
        line = line.strip()
        if name in ("time", "prun"):
            return self._value(line if name == "time" else re.sub(r"^(-\w( \S+)? )*", "", line))
        if name in ("env", "set_env"):
            return _environment(line)
        if name == "run":
            return self._run_file(line)
        if name == "pwd":
            return os.getcwd()
        if name == "pylab":
            return self._pylab(line)
        if name not in _SILENT:
            self._runner.did_not_run(f"%{name}" if name.isidentifier() else "%")
        return None

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        """`%%name line` over a cell."""
        if name in ("writefile", "file"):
            _write(line, cell)
        elif _runs(name, cell):  # where a script calls it
            self._runner.run_text(cell, f"<cell of %%{name}>")
        else:
            self._runner.did_not_run(f"%%{name}" if name.isidentifier() else "%%")

    def magic(self, line: str) -> Any:
        """`%line`, in old exports."""
        name, _, rest = line.lstrip("%").partition(" ")
        return self.run_line_magic(name, rest)

    def system(self, command: str = "", *_arguments: object, **_options: object) -> None:
        """`!command`."""
        found = re.match(r"\s*(\w{1,40})", str(command))
        self._runner.did_not_run(f"!{found[1] if found else ''}")

    system_piped = system_raw = system

    def getoutput(self, command: str = "", *_arguments: object, **_options: object) -> Any:
        """`x = !command`: no lines."""
        self.system(command)
        from IPython.utils.text import SList

        return SList()

    def run_cell(self, cell: str, *_arguments: object, **_options: object) -> None:
        """Runs code as a cell."""
        self._runner.run_text(cell, "<cell of run_cell>")

    def ev(self, expression: str) -> Any:
        """The value of an expression."""
        return eval(expression, self.user_ns)

    def ex(self, code: str) -> None:
        """Runs code."""
        exec(code, self.user_ns)

    def captured(self) -> Any:
        """What `%%capture` calls its output."""
        from IPython.utils.capture import CapturedIO

        return CapturedIO(None, None)

    def _value(self, code: str) -> Any:
        try:
            return eval(compile(code, "<cell magic>", "eval", dont_inherit=True), self.user_ns)
        except SyntaxError:
            exec(compile(code, "<cell magic>", "exec", dont_inherit=True), self.user_ns)

    def _run_file(self, line: str) -> None:
        words = [word for word in line.split() if not word.startswith("-")]
        path = Path(words[0].strip("'\"") if words else "")
        if not path.suffix:
            path = path.with_suffix(".py")
        if not path.is_file():
            raise FileNotFoundError(
                f"there is no file {path} where the notebook is graded: only the notebook is handed in. Put its code "
                "into a cell, or write it with %%writefile"
            )
        names = self.user_ns if "-i" in line.split() else {"__name__": "__main__", "__builtins__": __builtins__}
        self._runner.run_text(path.read_text(encoding="utf-8"), f"<file {path.name}>", names)
        self.user_ns.update({key: value for key, value in names.items() if not key.startswith("__")})

    def _pylab(self, line: str) -> None:
        code = "import numpy\nimport numpy as np\nimport matplotlib.pyplot as plt\nfrom matplotlib import pylab\n"
        if "--no-import-all" not in line:
            code += "from numpy import *\nfrom matplotlib.pyplot import *\n"
        self._runner.run_text(code, "<cell of %pylab>")


def _environment(line: str) -> Any:
    name, equals, value = line.partition("=") if "=" in line else line.partition(" ")
    if not name:
        return dict(os.environ)
    if not equals:
        return os.environ.get(name.strip())
    os.environ[name.strip()] = value.strip()
    return None


def _write(line: str, text: str) -> None:
    words = [word for word in line.split() if word not in ("-a", "--append")]
    path = Path(" ".join(words).strip("'\"")).expanduser()
    more = len(words) < len(line.split())
    with open(path, "a" if more else "w", encoding="utf-8") as file:
        file.write(text)
    importlib.invalidate_caches()
