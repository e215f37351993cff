"""Where JAX is not installed: `import jax` gives something that says so when it is used.

Most of the course needs no JAX: graphs, schedules, drawings, formulas in NumPy. A notebook that begins with
`import jax` goes on there, and each use of JAX raises `MissingJaxError`, whose sentence a check shows. An installed JAX
is never replaced, and libraries that look for JAX find that there is none.
"""

import importlib.abc
import importlib.machinery
import sys
import sysconfig
import types
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["NOTICE", "MissingJaxError", "behind", "install", "is_missing"]

NOTICE = (
    "JAX is not installed here. What needs it says so, and everything else works; your work is graded where JAX is. "
    "To install it: pip install -r requirements.txt"
)
_SENTENCE = "JAX is not installed here, and {} needs it. What you write with NumPy can be checked all the same"


class MissingJaxError(ImportError):
    """Something of JAX was used where it is not installed."""


class _Missing:
    """Something of JAX: can be named, in annotations too, and not used."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Missing(f"{self._path}.{name}")

    def __call__(self, *_arguments: object, **_options: object) -> NoReturn:
        raise MissingJaxError(_SENTENCE.format(self._path), name="jax")

    __getitem__ = __enter__ = __iter__ = __bool__ = __float__ = __int__ = __array__ = __call__

    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __or__(self, other: object) -> "_Missing":  # jax.Array | None
        return self

    __ror__ = __or__

    def __repr__(self) -> str:
        return f"<{self._path}: JAX is not installed here>"


class _Module(types.ModuleType):
    """A module of JAX."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []
        if name == "jax":
            # 64 bits, and on the CPU: what cells set and checks ask for
            self.config = types.SimpleNamespace(
                jax_enable_x64=True, jax_platforms="cpu", jax_platform_name="cpu", update=_nothing
            )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Missing(f"{self.__name__}.{name}")


def _nothing(*_arguments: object) -> None: ...


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds JAX where no other finder does, for notebooks and for adkit."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """As an importer of `sys.meta_path`."""
        if name.partition(".")[0] != "jax" or _asked_by_a_library():
            return None
        if name != "jax" and not is_missing():
            return None  # a part that an installed JAX looks for and does without
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """A module that says what is missing."""
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def _asked_by_a_library() -> bool:
    """Whether code of an installed package, or of Python itself, imports or looks for JAX."""
    frame: types.FrameType | None = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    installed = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    return frame is None or frame.f_code.co_filename.startswith(tuple(f"{folder}/" for folder in installed))


def install() -> None:
    """Stands behind all other finders from now on; nothing changes where JAX is installed."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


def is_missing() -> bool:
    """Whether JAX was imported, and is not there."""
    return isinstance(sys.modules.get("jax"), _Module)


def behind(error: BaseException | None) -> MissingJaxError | None:
    """The error about JAX that an exception came from; None where there is none."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, MissingJaxError):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None
