"""How the cells of a notebook are run outside of Jupyter: by the grader and by `check.py`, which therefore agree.

Cells run in order, and a cell statement by statement:

1. After a statement that fails, the cell goes on with its next top-level statement. No statement runs twice. A compound
   statement (`def`, `if`, `for`, `with`, `try`) is one statement; `import a, b` is two.
2. A `raise`, an `assert` or `sys.exit()` of the notebook's own code ends the cell, as it does in Jupyter: at the top
   level, inside of a compound statement, or in a function that the cell calls. An exception that comes out of a library
   does not, nor one that Python raises (a NameError, say), nor the stub of a question that is not written yet.
3. What is not Python costs itself: a cell with a syntax error is cut in front of the lines that begin a statement (at
   the margin, outside of brackets and of triple quotes), and the pieces that are Python run.
4. Magics: `%%time`, `%%capture` and the like run their cell, `%%writefile` writes a module that can be imported, `%run`
   runs one; what would leave Python (`!pip`, `%%bash`) or measures (`%timeit`) is not run, and that is said.
5. A package that only shows something has a stand-in where it is not installed (`adkit.notebook.standins`). An
   annotation that names something missing stays text.
6. 64-bit floats stay on and the CPU stays the platform, whatever a cell says; that is said, too.

At most `LIMIT` failures are kept. A failure that only follows from another (a name that a failed statement would have
bound) is counted with that one. Line numbers in tracebacks are those of the cell, or of the script.
"""

from __future__ import annotations
import __future__

import ast
import asyncio
import builtins
import dis
import inspect
import linecache
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

from adkit.notebook import magics, standins
from adkit.stubs import is_stub

__all__ = ["LIMIT", "Failure", "Runner", "describe", "sentences", "statements", "where"]

LIMIT = 50
"""Failures that are kept; the others are counted."""
_NAMES = 8
"""Packages and magics that are named."""
_ATTEMPTS = 2000
"""How often pieces of a cell are put together to see whether they are Python."""
_TEXT = 4000
"""Characters of an error message."""
_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_RAISE = dis.opmap["RAISE_VARARGS"]
_LOOPING = {"create_task", "ensure_future", "get_running_loop"}


# --- from text to statements ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unparsable:
    """A piece of a cell that is not Python."""

    line: int
    error: BaseException


Piece = ast.stmt | Unparsable


def statements(source: str) -> list[Piece]:
    """A cell's top-level statements in order, and what is not Python, with their lines. Magics are calls of
    `get_ipython()`. Raises RecursionError and MemoryError for what Python's parser cannot take."""
    try:
        return [single for statement in ast.parse(source).body for single in _one_import_each(statement)]
    except (SyntaxError, ValueError):
        pass  # magics, or an error somewhere
    magic = magics.of_cell(source)
    if magic is not None:
        shift, rest = magic
        return [_moved(piece, shift) for piece in statements(rest)]
    return list(_pieces(magics.lines_of(source)))


def _one_import_each(statement: ast.stmt) -> Iterator[ast.stmt]:
    match statement:
        case ast.Import(names=[_, _, *_]):
            for alias in statement.names:
                yield ast.copy_location(ast.Import([alias]), statement)
        case ast.ImportFrom(names=[_, _, *_]) if statement.module != "__future__":
            for alias in statement.names:
                yield ast.copy_location(ast.ImportFrom(statement.module, [alias], statement.level), statement)
        case _:
            yield statement


def _moved(piece: Piece, lines: int) -> Piece:
    if lines == 0:
        return piece
    if isinstance(piece, Unparsable):
        return Unparsable(piece.line + lines, piece.error)
    return ast.increment_lineno(piece, lines)


_CONTINUES = re.compile(r"(else|elif|except|finally)\b|[)\]}\s#]|\.\.\.")


def _pieces(lines: Sequence[str]) -> Iterator[Piece]:
    """Rule 3: the statements of a cell that does not parse as a whole."""
    starts = [0]
    decorated = False
    for number, line in enumerate(lines):
        begins = number > 0 and not _CONTINUES.match(line)
        if begins and not decorated and not lines[number - 1].endswith("\\\n"):
            starts.append(number)
        if begins or number == 0:
            decorated = line.startswith("@")
    starts.append(len(lines))
    attempts = _ATTEMPTS
    at = 0
    while at < len(starts) - 1:
        first = starts[at]
        # a piece that is not complete (an open bracket or triple quotes) is tried with the next ones
        found: list[ast.stmt] | None = None
        problem: BaseException | None = None
        end = at + 1
        while end < len(starts):
            try:
                found = ast.parse(magics.as_python(lines[first : starts[end]])).body
                break
            except (SyntaxError, ValueError) as error:
                problem = problem or error
                attempts -= 1
                if not _incomplete(error) or attempts < 0:
                    if _quoted(problem):
                        break  # the text of a string, up to here
                    end = at + 1
                    break
                end += 1
        else:
            end = at + 1
        if found is not None:
            for statement in found:
                for single in _one_import_each(statement):
                    yield _moved(single, first)
        else:
            assert problem is not None
            within = getattr(problem, "lineno", None) or 1
            yield Unparsable(first + within, _mark_named(lines[first], problem))
        at = end


def _incomplete(error: BaseException) -> bool:
    text = str(error)
    return _quoted(error) or "was never closed" in text or "unexpected EOF" in text


def _quoted(error: BaseException | None) -> bool:
    return "unterminated triple-quoted" in str(error)


def _mark_named(line: str, problem: BaseException) -> BaseException:
    if re.match(r"(<{7}|={7}|>{7})(\s|$)", line):
        return SyntaxError("a mark that git leaves where two versions are in conflict; keep one version and delete it")
    return problem


# --- what is said -----------------------------------------------------------------------------------------------


def where(error: BaseException) -> str:
    """The last line of the notebook's own code on the way to an exception, in brackets; empty without one."""
    for entry in reversed(traceback.extract_tb(error.__traceback__)):
        if entry.filename.startswith(("<cell", "<script")):
            return f" (in {entry.name}, line {entry.lineno} of {entry.filename[1:-1]}: {(entry.line or '').strip()})"
    return ""


def describe(error: BaseException) -> str:
    """What a student needs of an exception: type, message, and the line of their own code."""
    try:
        message = str(getattr(error, "message", error))
    except Exception:
        message = "(its message cannot be shown)"
    message = re.sub(r"\n\s*-{20,}.*", "", message, flags=re.DOTALL)[:_TEXT]
    if any(kind.__name__ == "CheckError" for kind in type(error).__mro__):
        return message  # already a sentence for the student
    place = where(error)
    if isinstance(error, SyntaxError):
        message = error.msg or ""
    elif isinstance(error, ImportError):
        message = re.sub(r" \([^()\n]*[/\\][^()\n]*\)", "", message)  # where the package is on this machine
    message += _numpy_1(error, message)
    if "standins.StandIn" in message:
        message += " (a stand-in for a package that the grader does not have)"
    return f"{type(error).__name__}: {message}{place}" if message else f"{type(error).__name__}{place}"


def _numpy_1(error: BaseException, message: str) -> str:
    """A hint where a name of NumPy 1 is missing, unless NumPy itself gives one."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or "NumPy 2" in message:
        return ""
    name = ""
    if isinstance(error, AttributeError) and getattr(error, "obj", None) is numpy:
        name = str(error.name)
    elif isinstance(error, ImportError) and error.name == "numpy":
        found = re.match(r"cannot import name '(\w+)' from 'numpy'", message)
        name = found[1] if found else ""
    if not name:
        return ""
    hint = ""
    with suppress(KeyError, TypeError, AttributeError):
        hint = f": {numpy.__expired_attributes__[name]}"
    return f" (np.{name} is not in NumPy {numpy.__version__}; names that NumPy 1 had are gone in NumPy 2{hint})"


@dataclass
class Failure:
    """A statement that failed."""

    cell: int
    line: int
    text: str
    stub: bool = False
    """Whether it only met a question that is not written yet."""
    followed: int = 0
    """Statements that failed because of it."""

    def __str__(self) -> str:
        if not self.followed:
            return self.text
        needs = "statement that needs" if self.followed == 1 else "statements that need"
        return f"{self.text}; {self.followed} {needs} it failed, too"


@dataclass
class Noticed:
    """What the grader did otherwise than Jupyter; plain data for `sentences`."""

    shown: dict[str, int] = field(default_factory=dict[str, int])
    """Packages that have a stand-in, and how many statements failed since they asked for a value of one."""
    missing: dict[str, int] = field(default_factory=dict[str, int])
    """Other packages that are missing, and how many statements failed because of it."""
    not_run: list[str] = field(default_factory=list[str])
    """Magics, and input()."""
    settings: list[str] = field(default_factory=list[str])
    """"x64", "platform"."""
    debug: list[str] = field(default_factory=list[str])
    """"jax.debug.print" and the like."""
    more: int = 0
    """Failures beyond `LIMIT`."""


_DOTTED = re.compile(r"[^\W\d]\w{0,59}(\.[^\W\d]\w{0,59}){0,3}")
_MAGIC = re.compile(r"[%!]{1,2}\w{0,40}|input\(\)")
_SETTINGS = {
    "x64": "A cell turns 64-bit floats off: they stay on when the notebook is graded.",
    "platform": "A cell asks for a GPU or a TPU: the notebook is graded on the CPU.",
}


def sentences(noticed: Any) -> list[str]:
    """What a student should know of `Noticed`, each thing once. `noticed`: its fields as a dict, from anywhere; what is
    not what it should be is passed over."""
    if type(noticed) is not dict:
        return []
    fields = cast("dict[Any, Any]", noticed)
    said: list[str] = []
    shown = _counts(fields.get("shown"))
    if shown:
        failed = sum(shown.values())
        asked = f" ({_count(failed, 'statement')} failed because of it)" if failed else ""
        said.append(
            f"Drawing was left out, because the grader has no {_and([*shown], 'and no')}. That costs "
            f"nothing, but a statement that needs the value of such a call has none{asked}."
        )
    for name, failed in _counts(fields.get("missing")).items():
        because = f" ({_count(failed, 'statement')} failed because of it)" if failed else ""
        said.append(
            f"Not imported, because the grader has no {name}{because}: only the packages of requirements.txt are "
            "there. A file of your own is not handed in: put its code into a cell."
        )
    not_run = _some(fields.get("not_run"), _MAGIC)
    if not_run:
        said.append(f"Not run by the grader: {_and(not_run)}.")
    said += [_SETTINGS[name] for name in _some(fields.get("settings"), re.compile("|".join(_SETTINGS)))]
    debug = _some(fields.get("debug"), re.compile(r"jax\.debug\.(print|callback|breakpoint|log)"))
    if debug:
        said.append(f"Left in and skipped by the grader, at no cost: {_and(debug)}.")
    more: Any = fields.get("more")
    if type(more) is int and more > 0:
        said.append(f"{_count(more, 'more statement')} failed.")
    return said


def _some(values: Any, pattern: re.Pattern[str]) -> list[str]:
    names = cast("list[Any]", values)[: 5 * _NAMES] if type(values) is list else []
    right = [name for name in names if type(name) is str and len(name) <= 250 and pattern.fullmatch(name)]
    return list(dict.fromkeys(right))[:_NAMES]


def _counts(values: Any) -> dict[str, int]:
    found = cast("dict[Any, Any]", values) if type(values) is dict else {}
    names = _some(list(found), _DOTTED)
    return {name: min(count, 10**6) if type(count := found[name]) is int and count > 0 else 0 for name in names}


def _and(names: list[str], word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# --- running ----------------------------------------------------------------------------------------------------


class Runner:
    """The namespace in which a notebook's cells run, as `__main__`.

    A context manager: inside of it `otter.Notebook`, `adkit.Notebook`, IPython's `get_ipython` and `display`, and
    `input` are stood in for. Stand-ins for missing packages stay, since functions import when they are called.
    """

    def __init__(
        self, describe: Callable[[BaseException], str] = describe, *, folder: str = "", everywhere: bool = False
    ) -> None:
        """describe: an exception in words.

        folder: where cells write files; modules there can be imported.
        everywhere: also stand in for packages that are installed, as on a machine that has none of them.
        """
        self.module = types.ModuleType("__main__")
        self.names: dict[str, Any] = self.module.__dict__
        self.failures: list[Failure] = []
        self.noticed = Noticed()
        self.number = 0
        """The cell that runs."""
        self._describe = describe
        self._folder = folder
        self._flags = _AWAIT
        self._script: list[str] = []
        self._lost: dict[str, Failure | str] = {}
        """Names that a failed statement would have bound: its failure, or the package that is missing."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self.shell = magics.Shell(self)
        self._finder = standins.Finder(
            lambda package: f"the grader has no {package}", always=everywhere, own=folder if everywhere else ""
        )
        self._everywhere = everywhere
        self._replaced: list[tuple[Any, str, Any]] = []
        self._inputs = [""]  # Jupyter's first cell is In[1]
        self.names.update(get_ipython=lambda: self.shell, display=_nothing, __builtins__=builtins, In=self._inputs)

    def __enter__(self) -> Runner:
        import adkit

        sys.meta_path.insert(0 if self._everywhere else len(sys.meta_path), self._finder)
        self._replace(sys.modules, "__main__", self.module)
        otter = _otter()
        for name in [name for name in sys.modules if name.startswith("otter.")]:
            self._replace(sys.modules, name, None)
            del sys.modules[name]
        self._replace(sys.modules, "otter", otter)
        self._replace(vars(adkit), "Notebook", otter.Notebook)
        self._replace(vars(builtins), "input", self._input)
        with suppress(ImportError):
            for module in ("IPython", "IPython.core.getipython"):
                self._replace(vars(import_module(module)), "get_ipython", self.names["get_ipython"])
            self._replace(vars(import_module("IPython.display")), "display", _nothing)
        if self._folder:
            sys.path.insert(0, self._folder)
        self._settings = _settings()
        return self

    def __exit__(self, *_: object) -> None:
        for place, name, before in reversed(self._replaced):
            if before is _NOT_THERE:
                place.pop(name, None)
            else:
                place[name] = before
        for name in [name for name in sys.modules if name.startswith("otter.")]:
            if isinstance(sys.modules[name], standins.StandInModule):
                del sys.modules[name]
        for place, name, before in self._replaced:
            if place is sys.modules and before is not _NOT_THERE:
                place[name] = before
        self._replaced.clear()

    def _replace(self, place: Any, name: str, value: Any) -> None:
        self._replaced.append((place, name, place.get(name, _NOT_THERE)))
        place[name] = value

    def _input(self, *_: object) -> str:
        self.did_not_run("input()")
        raise EOFError("nobody is there to answer input()")

    def did_not_run(self, what: str) -> None:
        """Takes down a magic that is not run."""
        if what not in self.noticed.not_run and len(self.noticed.not_run) < 5 * _NAMES:
            self.noticed.not_run.append(what)

    def report(self) -> dict[str, Any]:
        """What was noticed so far, for `sentences`."""
        self.noticed.shown = {**dict.fromkeys(self._finder.used, 0), **self.noticed.shown}
        return dict(vars(self.noticed))

    def run_cell(self, source: str, number: int, first_line: int = 0) -> None:
        """Runs one cell by the rule of this module; nothing it raises gets out.

        first_line: where it begins in a script, from 1; 0 for a notebook's cell.
        """
        self.number = number
        self._inputs.append(source)
        if first_line:
            filename = "<script>"
            self._script += ["\n"] * (first_line - 1 - len(self._script))
            self._script += magics.lines_of(source)
            linecache.cache[filename] = (1, None, self._script, filename)
        else:
            filename = f"<cell {number}>"
            linecache.cache[filename] = (len(source), None, magics.lines_of(source), filename)
        self.run_text(source, filename, shift=max(first_line - 1, 0))

    def run_text(self, source: str, filename: str, names: dict[str, Any] | None = None, shift: int = 0) -> None:
        """Runs code in the notebook's namespace, or in `names`."""
        try:
            pieces = statements(source)
        except (RecursionError, MemoryError):  # what the parser says of either
            self._failed(1 + shift, SyntaxError("the cell is nested too deeply"), None)
            return
        debug = "debug" in source
        space = self.names if names is None else names
        for at, piece in enumerate(pieces):
            piece = _moved(piece, shift)
            if isinstance(piece, Unparsable):
                self._failed(piece.line, piece.error, None, f" (line {piece.line} of {filename[1:-1]})")
                continue
            if debug:
                self._look_for_debug(piece)
            problem = self._run(piece, filename, space)
            self.keep_settings()
            if problem is None:
                continue
            failure = self._failed(piece.lineno, problem, piece)
            ends = _ends_its_cell(problem)
            # nothing of it is kept alive: a million failures must not hold a million frames
            problem.__traceback__ = None
            if ends:
                for rest in pieces[at + 1 :]:
                    if isinstance(rest, ast.stmt) and failure is not None:
                        self._lost.update(dict.fromkeys(_bound(rest), failure))
                return

    def _run(self, statement: ast.stmt, filename: str, names: dict[str, Any]) -> BaseException | None:
        try:
            flags = self._flags | _late_annotations(statement, names)
            code = compile(ast.Module([statement], []), filename, "exec", flags=flags, dont_inherit=True)
            if code.co_flags & inspect.CO_COROUTINE:
                self._event_loop().run_until_complete(types.FunctionType(code, names)())
            elif _LOOPING.intersection(code.co_names):
                self._event_loop().run_until_complete(_in_the_loop(code, names))
            else:
                exec(code, names)
        except BaseException as error:
            return error
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                self._flags |= getattr(__future__, alias.name).compiler_flag
        return None

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        return self._loop

    def _failed(self, line: int, error: BaseException, statement: ast.stmt | None, place: str = "") -> Failure | None:
        """Takes down a failure; what only follows from another one is counted there."""
        bound = () if statement is None else _bound(statement)
        if isinstance(error, standins.MissingPackageError) and error.name in self._finder.used:
            self.noticed.shown[error.name] = self.noticed.shown.get(error.name, 0) + 1
            self._lost.update(dict.fromkeys(bound, error.name))
            return None
        if isinstance(error, NameError) and isinstance(error.name, str):
            cause = self._lost.get(error.name)
            if cause is not None:
                if isinstance(cause, Failure):
                    cause.followed += 1
                elif cause in self.noticed.missing:
                    self.noticed.missing[cause] += 1
                else:
                    self.noticed.shown[cause] += 1
                self._lost.update(dict.fromkeys(bound, cause))
                return cause if isinstance(cause, Failure) else None
        package = _missing_package(error, statement)
        if package is not None and (package in self.noticed.missing or len(self.noticed.missing) < 5 * _NAMES):
            self.noticed.missing[package] = self.noticed.missing.get(package, 0) + 1
            self._lost.update(dict.fromkeys(bound, package))
            return None
        if len(self.failures) >= LIMIT:
            self.noticed.more += 1
            return None
        try:
            text = self._describe(error)[:_TEXT] + place
        except BaseException:
            text = type(error).__name__ + place
        failure = Failure(self.number, line, text, is_stub(error))
        self.failures.append(failure)
        self._lost.update(dict.fromkeys(bound, failure))
        return failure

    def keep_settings(self) -> None:
        """Rule 6: what cells and functions may not change is put back."""
        kept = self._settings
        if sys.getrecursionlimit() < _RECURSION:
            sys.setrecursionlimit(_RECURSION)
        if kept is None:
            self._settings = _settings()
            return
        now = _settings()
        if now == kept or now is None:
            return
        jax: Any = sys.modules["jax"]
        for name, value in kept.items():
            if now.get(name) != value:
                with suppress(Exception):
                    jax.config.update(name, value)
                what = "x64" if name == "jax_enable_x64" else "platform"
                if what not in self.noticed.settings and str(now.get(name)) != "cpu":
                    self.noticed.settings.append(what)

    def _look_for_debug(self, statement: ast.stmt) -> None:
        for node in ast.walk(statement):
            name = ""
            if (
                isinstance(node, ast.Attribute)
                and getattr(node.value, "attr", getattr(node.value, "id", "")) == "debug"
            ):
                name = node.attr
            elif isinstance(node, ast.ImportFrom) and node.module == "jax.debug":
                name = node.names[0].name
            path = f"jax.debug.{name}"
            if name in ("print", "callback", "breakpoint", "log") and path not in self.noticed.debug:
                self.noticed.debug.append(path)


_NOT_THERE: Any = object()
_RECURSION = sys.getrecursionlimit()


def _nothing(*_arguments: object, **_options: object) -> None: ...


async def _in_the_loop(code: types.CodeType, names: dict[str, Any]) -> None:
    exec(code, names)


def _otter() -> Any:
    from importlib.metadata import PackageNotFoundError, version

    why = "the grader runs the checks itself"
    otter: Any = standins.StandInModule("otter", why)
    otter.Notebook = standins.StandIn("otter.Notebook", why)
    with suppress(PackageNotFoundError):
        otter.__version__ = version("otter-grader")
    return otter


def _settings() -> dict[str, Any] | None:
    jax: Any = sys.modules.get("jax")
    config = getattr(jax, "config", None)
    if config is None:
        return None
    found: dict[str, Any] = {}
    for name in ("jax_enable_x64", "jax_platforms", "jax_platform_name"):
        with suppress(AttributeError):  # some options are attributes, others are read
            found[name] = getattr(config, name) if hasattr(config, name) else config.read(name)
    return found


def _ends_its_cell(error: BaseException) -> bool:
    """Rule 2: whether it was raised by a `raise`, an `assert` or an exit of the notebook's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    code = trace.tb_frame.f_code
    if isinstance(error, SystemExit) and "_sitebuiltins" in code.co_filename:  # exit(), quit()
        return True
    if not code.co_filename.startswith(("<cell", "<script", "<file")):
        return False
    if isinstance(error, SystemExit):
        return True
    if isinstance(error, NotImplementedError) and code.co_name != "<module>":
        return False  # the template's stub, or one of the student's own
    return trace.tb_lasti >= 0 and code.co_code[trace.tb_lasti] == _RAISE


def _missing_package(error: BaseException, statement: ast.stmt | None) -> str | None:
    """The package that an import of the statement misses altogether."""
    if not isinstance(error, ModuleNotFoundError) or not isinstance(error.name, str):
        return None
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return None
    wanted = {
        (alias.name if isinstance(statement, ast.Import) else statement.module or "").partition(".")[0]
        for alias in statement.names
    }
    top = error.name.partition(".")[0]
    if top not in wanted or not _DOTTED.fullmatch(error.name):
        return None
    if error.name == top:
        return "google.colab" if top == "google" and "colab" in ast.dump(statement) else top
    return error.name if top == "google" else None  # a name space of many packages


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement binds at the top level."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {statement.name}
        case ast.Import() | ast.ImportFrom():
            return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
        case _:
            names = {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
            inner = [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)]
            return names.union(*map(_bound, inner))


def _late_annotations(statement: ast.stmt, names: dict[str, Any]) -> int:
    """The flag by which annotations are kept as text, where one names what is not there: nothing needs their value."""
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.AnnAssign):
        return 0
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found = node.returns
        elif isinstance(node, ast.arg | ast.AnnAssign):
            found = node.annotation
        else:
            continue
        if found is None:
            continue
        for part in ast.walk(found):
            if isinstance(part, ast.Name) and part.id not in names and not hasattr(builtins, part.id):
                return __future__.annotations.compiler_flag
    return 0
