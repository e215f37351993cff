"""`grader = adkit.Notebook("matrix_gradients")`: checking and handing in, from inside a notebook."""

import datetime
import html
import sys
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adkit.notebook import missing_jax, versions
from adkit.notebook.file import (
    NotebookFileError,
    Ran,
    missing_from,
    own_path,
    save,
    surely_older,
)
from adkit.notebook.fresh_run import Note, Problem, fresh_run
from adkit.notebook.handout import Handout, Question, find, nearest
from adkit.notebook.public_cases import QuestionResult, check_question, thirty_two_bits
from adkit.notebook.report import Block, Hint, Table, found_text, message_html, total

__all__ = ["Notebook"]


class Notebook:
    """The checks of one assignment, and its hand-in.

    name: the assignment's, e.g. "matrix_gradients"; the notebook's file may have any name.
    Raises `adkit.notebook.handout.HandoutError` where the assignment's public tests are not found.
    """

    def __init__(self, name: str) -> None:
        self._handout: Handout = find(name.removesuffix(".ipynb"))
        self._hints: dict[str, int] = {}
        self._ran = Ran()
        _watch(self._ran)
        if thirty_two_bits():  # JAX was imported before adkit
            import jax

            jax.config.update("jax_enable_x64", True)  # pyright: ignore[reportUnknownMemberType]
        if missing_jax.is_missing():
            _say(missing_jax.NOTICE)
        different = versions.differences(self._handout.versions)
        if different and not _graded_by_otter():
            _say(different)

    def check(self, question: str) -> Block:
        """Runs the public cases of a question on the functions as they are now. The last value of a cell is shown."""
        if _graded_by_otter():
            return Block(None, "")  # Otter runs every test itself, at the end
        found = self._handout.question(str(question))
        if found is None:
            return self._no_question(question)
        return Block(check_question(self._handout, found, _space_of_caller()))

    def hint(self, question: str) -> Block | Hint:
        """A hint for a question: called once it asks something back, then it gives an idea, then a line of mathematics.

        It never gives the answer. After a restart of the kernel it begins again.
        """
        found = self._handout.question(str(question))
        if found is None:
            return self._no_question(question)
        if not found.hints:
            return Block(None, f"There are no hints for {found.name}.")
        given = self._hints[found.name] = min(self._hints.get(found.name, 0) + 1, len(found.hints))
        return Hint(found.name, found.title, found.hints[:given], len(found.hints) - given)

    def _no_question(self, question: str) -> Block:
        known = [entry.name for entry in self._handout.questions]
        return Block(None, f"There is no question '{question}'{nearest(str(question), known)}.")

    def check_all(self) -> None:
        """Runs the public cases of every question, and shows a table that grows meanwhile."""
        if _graded_by_otter():
            return
        space = _space_of_caller()
        with _growing(self._handout.title, self._handout.questions) as add:
            for question in self._handout.questions:
                add(check_question(self._handout, question, space))

    def export(
        self, nb_path: str | None = None, export_path: str | None = None, run_tests: bool = True, **_of_otter: object
    ) -> None:
        """Saves the notebook where the front end can be asked to, makes the file to hand in, and checks what is in it.

        nb_path: the notebook's file, where it is not found out by itself. export_path: the file to write.
        run_tests: whether to run the notebook and its public cases once more in a process of its own.
        Other options of Otter's export are accepted and have no meaning here.
        """
        if _graded_by_otter():
            return
        try:
            self._export(nb_path, export_path, run_tests)
        except NotebookFileError as problem:
            _say(f"Nothing was exported. {problem}", "wrong")

    def _export(self, nb_path: str | None, export_path: str | None, run_tests: bool) -> None:
        if nb_path is None:
            path = own_path(self._handout.name, self._ran, _names())
        else:
            path = Path(nb_path).resolve()
            if not path.is_file():
                raise NotebookFileError(f"There is no file {path}.")
        saved = save(path)
        if not saved and surely_older(path, self._ran):
            raise NotebookFileError(
                f"{path.name} was last saved before some of its cells ran: save it now (Ctrl+S, on a Mac Cmd+S), then "
                "run this cell again."
            )
        different = [] if saved else missing_from(path, self._ran.telling)
        content = path.read_bytes()
        target = Path(export_path) if export_path else path.with_name(f"{_stem(path)}_{_now():%Y_%m_%dT%H_%M_%S}.zip")
        _write(target, f"{self._handout.name}.ipynb", content)
        when = datetime.datetime.fromtimestamp(path.stat().st_mtime)
        how = "saved just now" if saved else f"as it was saved at {when:%H:%M:%S}"
        _say(f"{target.name} holds {path.name}, {how}.", "passed")
        if different:
            _say(f"{_cells(len(different))} been changed in the file since; what is in the file is handed in.")
        if run_tests:
            self._check_again(content)
        _offer(target)

    def _check_again(self, content: bytes) -> None:
        """Runs what was exported from the top, as the grader does, and shows the table."""
        script = self._handout.folder.parent.parent / "check.py"
        if not script.is_file():
            _say(f"{script.name} is not in {script.parent}, so the exported file was not checked once more.")
            return
        with _growing(self._handout.title, self._handout.questions) as add:
            for found in fresh_run(script, self._handout, content):
                add(found)


def _stem(path: Path) -> str:
    return path.stem.replace(" ", "_")


def _cells(number: int) -> str:
    return "1 cell that defines functions has" if number == 1 else f"{number} cells that define functions have"


def _now() -> datetime.datetime:
    return datetime.datetime.now()


def _write(target: Path, name: str, content: bytes) -> None:
    """The zip that Otter, Gradescope and the grader take: the notebook under the assignment's name."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        archive.writestr("__zip_filename__", target.name)  # as Otter's own export


# --- the surroundings -------------------------------------------------------------------------------------------------


def _graded_by_otter() -> bool:
    """Whether `otter run`, `otter grade` or `otter check` runs this notebook: they run the tests themselves."""
    otter: Any = sys.modules.get("otter")
    return bool(getattr(getattr(otter, "Notebook", None), "_grading_mode", False))


def _shell() -> Any:
    """The running IPython, or None."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _names() -> dict[str, Any]:
    shell = _shell()
    return shell.user_ns if shell is not None else vars(sys.modules["__main__"])


def _space_of_caller() -> dict[str, Any]:
    """The global names where `grader.check` is called."""
    return sys._getframe(2).f_globals  # pyright: ignore[reportPrivateUsage]


def _watch(ran: Ran) -> None:
    """Has every cell that runs from now on recorded."""
    shell = _shell()
    if shell is None:
        return
    before: Any = getattr(shell, "_adkit_watch", None)
    if before is not None:  # the setup cell has run already: its record goes on
        ran.cells = before.cells
        return
    shell._adkit_watch = ran

    def record(info: Any) -> None:
        ran.record(str(info.raw_cell or ""), getattr(info, "cell_id", None))

    shell.events.register("pre_run_cell", record)


def _in_a_notebook() -> bool:
    shell = _shell()
    return shell is not None and getattr(shell, "kernel", None) is not None


def _show(value: Any, handle: Any = None) -> Any:
    from IPython.display import display  # pyright: ignore[reportUnknownVariableType]

    if handle is not None:
        handle.update(value)
        return handle
    return display(value, display_id=True)


class _Message:
    def __init__(self, text: str, state: str) -> None:
        self._text, self._state = text, state

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return message_html(self._text, self._state)


def _say(text: str, state: str = "not yet") -> None:
    if _in_a_notebook():
        _show(_Message(text, state))
    else:
        print(text)


def _offer(target: Path) -> None:
    """Says where the file is; in a notebook as a link to it."""
    if not _in_a_notebook():
        print(f"Hand in: {target}")
        return

    class Link:
        def __repr__(self) -> str:
            return f"Hand in: {target}"

        def _repr_html_(self) -> str:
            name = html.escape(target.name)
            link = f"<a href='{name}' download='{name}' target='_blank'><strong>{name}</strong></a>"
            where = html.escape(str(target.resolve().parent))
            return f"<div style='line-height:1.45'>Hand in {link}. It is in {where}.</div>"

    _show(Link())


@contextmanager
def _growing(title: str, questions: tuple[Question, ...]) -> Generator[Any, None, None]:
    """A table to which results, problems and notes are added: redrawn in a notebook, line by line in a terminal."""
    names = [question.name for question in questions]
    width = max(len(f"{question.name}: {question.title}") for question in questions)
    results: list[QuestionResult] = []
    problems: list[str] = []
    notes: list[str] = []
    in_a_notebook = _in_a_notebook()

    def table(ended: bool = False) -> Table:
        left = () if ended else tuple(names[len(results) :])
        return Table(title, tuple(results), left, tuple(problems), tuple(notes))

    def add(found: QuestionResult | Problem | Note) -> None:
        if isinstance(found, QuestionResult):
            results.append(found)
        else:
            (problems if isinstance(found, Problem) else notes).append(found.text)
        if in_a_notebook:
            _show(table(), handle)
        else:
            print(found_text(found, width), flush=True)

    handle: Any = _show(table()) if in_a_notebook else None
    if not in_a_notebook:
        print(title, flush=True)
    try:
        yield add
    finally:
        if in_a_notebook:
            _show(table(ended=True), handle)
        else:
            print(f"\n{total(results)}")
