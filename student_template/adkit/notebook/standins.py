"""Stand-ins for packages that only show something, where such a package is not installed.

A notebook that begins with `import matplotlib.pyplot as plt` is right or wrong whatever it draws. So where a package
for display or convenience (`PACKAGES`) is missing, a stand-in takes its place: everything in it can be called for its
effect, and nothing happens. What it would have answered is not there: using it as a value (arithmetic, comparison,
`float`, `bool`, an array of it) raises `MissingPackageError`, which says so. Any other missing package is an
ImportError as ever.

A package that is installed is never replaced, and neither is a module that the notebook wrote itself.
"""

from __future__ import annotations

import dis
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

__all__ = ["PACKAGES", "Finder", "MissingPackageError", "StandIn", "StandInModule", "package_of"]

_PACKAGES = """
    matplotlib mpl_toolkits pylab seaborn plotly bokeh altair vega plotnine holoviews hvplot panel pygal bqplot ipympl
    mplcursors mplhep scienceplots tueplots celluloid cycler missingno graphviz pydot pyvista k3d vpython ipyvolume
    pythreejs ipycanvas manim ipywidgets ipython_genutils jupyterthemes itables watermark nb_black lab_black wandb
    tensorboard tensorboardX tqdm fastprogress progressbar alive_progress rich icecream colorama termcolor tabulate
    prettytable loguru pretty_errors snakeviz pyinstrument line_profiler memory_profiler nest_asyncio dotenv
    jaxtyping beartype typeguard
"""
PACKAGES = frozenset(_PACKAGES.split())
"""Packages that show, decorate or annotate: what a function answers does not depend on them."""
INSTALLED_WITH_OTTER = frozenset({"ipywidgets", "rich"})
"""Those of them that the grader has, since Otter needs them."""

_PASS_ON = frozenset(
    {"tqdm", "trange", "tqdm_notebook", "tnrange", "track", "progress_bar", "master_bar", "progressbar"}
)
"""Progress bars: what they go through is the program's own."""
_PYPLOT = """
    axhline axis axvline bar barh clf cla close cm colorbar contour contourf draw errorbar figure fill_between gca gcf
    grid hist imshow legend loglog matshow pause pcolormesh plot quiver rc rcParams savefig scatter semilogx semilogy
    show subplot subplots subplots_adjust suptitle text tight_layout title xlabel xlim xticks ylabel ylim yticks
"""


class MissingPackageError(ImportError):
    """A value was asked of a package that is not installed; the message names it."""


class StandIn:
    """Something of a package that is not there: can be called, entered, indexed and assigned to; has no value."""

    def __init__(self, path: str, missing: str) -> None:
        """path: what it stands for, "matplotlib.pyplot.plot"; missing: the reason, "the grader has no matplotlib"."""
        self.__dict__["_path"] = path if len(path) <= 100 else f"{path[:99]}…"
        self.__dict__["_missing"] = missing

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return StandIn(f"{self._path}.{name}", self._missing)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        name = self._path.rpartition(".")[2]
        if name in _PASS_ON:
            return Progress(range(*arguments) if name in ("trange", "tnrange") else arguments[0] if arguments else ())
        if name in ("subplots", "subplot_mosaic"):
            return self._subplots(name, arguments, options)
        if name == "ic":  # of icecream: shows a value and hands it on
            return arguments[0] if len(arguments) == 1 else (arguments or None)
        if len(arguments) == 1 and not options and isinstance(arguments[0], types.FunctionType | type):
            return arguments[0]  # a decorator
        return StandIn(f"{self._path}()", self._missing)

    def _subplots(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """(figure, axes) of pyplot, axes alone of a figure: one stand-in, or an array of as many as there would be."""
        axes: Any = StandIn(f"{self._path}().axes", self._missing)
        if name == "subplots":
            import numpy as np

            sizes = [*arguments[:2], *(1, 1)][:2]
            try:
                rows = int(options.get("nrows", sizes[0]))
                columns = int(options.get("ncols", sizes[1]))
                grid = np.empty((rows, columns), dtype=object)
                for place in np.ndindex(grid.shape):
                    grid[place] = StandIn(f"{self._path}().axes", self._missing)
            except (TypeError, ValueError):
                grid = np.array([[axes]], dtype=object)
            squeezed = grid.squeeze() if options.get("squeeze", True) else grid
            axes = squeezed if squeezed.ndim else squeezed[()]
        if ")" in self._path:  # fig.subplots()
            return axes
        return StandIn("figure", self._missing), axes

    def __getitem__(self, key: Any) -> StandIn:
        return StandIn(f"{self._path}[…]", self._missing)

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def __delitem__(self, key: Any) -> None: ...

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator[StandIn]:
        """As many as are asked for, where it is unpacked (`n, bins, patches = plt.hist(x)`); else it has no items."""
        count = _unpacked(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        if count is None:
            self._no_value()
        return iter([StandIn(f"{self._path}[{k}]", self._missing) for k in range(count)])

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    def __instancecheck__(self, instance: Any) -> bool:
        return False

    def __or__(self, other: Any) -> StandIn:  # plt.Axes | None
        return self

    __ror__ = __or__

    def __repr__(self) -> str:
        return f"<{self._path}: {self._missing}>"

    def __hash__(self) -> int:
        return id(self)

    def _no_value(self, *_: object) -> NoReturn:
        raise MissingPackageError(
            f"{self._missing}, so {self._path} has no value here", name=_called(package_of(self._path))
        )


_VALUES = """
    eq ne lt le gt ge add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul
    divmod rdivmod and rand xor rxor lshift rlshift rshift rrshift neg pos abs invert bool int float complex index round
    trunc floor ceil len contains next reversed array bytes
"""
for _name in _VALUES.split():
    setattr(StandIn, f"__{_name}__", StandIn._no_value)  # pyright: ignore[reportPrivateUsage]


def _unpacked(frame: types.FrameType) -> int | None:
    """How many values the frame is about to unpack; None when it does something else."""
    code, at = frame.f_code.co_code, frame.f_lasti
    operation = dis.opname[code[at]]
    if operation == "UNPACK_SEQUENCE":
        return code[at + 1]
    if operation == "UNPACK_EX":  # first, *rest = …
        return code[at + 1]
    return None


class Progress:
    """A progress bar that shows nothing: goes through what it was given."""

    def __init__(self, iterable: Iterable[Any] = ()) -> None:
        self.iterable = iterable
        self.n = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable)  # type: ignore[arg-type]

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self, n: int = 1) -> None:
        """Counts."""
        self.n += n

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing


def _nothing(*_arguments: object, **_options: object) -> None: ...


class StandInModule(types.ModuleType):
    """A module of a package that is not there."""

    def __init__(self, name: str, missing: str, **names: Any) -> None:
        super().__init__(name)
        self.__path__ = []
        self.__dict__.update(names)
        self.__dict__["_missing"] = missing

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return StandIn(f"{self.__name__}.{name}", self.__dict__["_missing"])


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `PACKAGES` where no other finder does: to be put behind all others in `sys.meta_path`."""

    def __init__(self, says: Callable[[str], str], always: bool = False, own: str = "") -> None:
        """says: the reason for a package, "the grader has no matplotlib".

        always: as where none is installed, for imports of the notebook (code of files "<…>"); then it belongs in front.
        own: the folder of modules that the notebook writes.
        """
        self._says = says
        self._always = always
        self._own = own
        self.used: dict[str, None] = {}
        """The packages that it stood in for."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """As an importer of `sys.meta_path`."""
        package = package_of(name)
        if name != package:
            # a part that an installed package does not have is missing as ever
            above = isinstance(sys.modules.get(package), StandInModule)
            return importlib.machinery.ModuleSpec(name, self, is_package=True) if above else None
        if package not in PACKAGES:
            return None
        if self._always:
            if package in INSTALLED_WITH_OTTER:
                return None
            if not _asked_by_a_cell():
                return None
            if self._own and importlib.machinery.PathFinder.find_spec(name, [self._own]) is not None:
                return None
        self.used[_called(package)] = None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """An empty stand-in; of pyplot and pylab with the usual names, for `from … import *`."""
        name = spec.name
        above: Any = sys.modules.get(package_of(name))
        missing = vars(above)["_missing"] if isinstance(above, StandInModule) else self._says(_called(package_of(name)))
        module = StandInModule(name, missing)
        if name in ("matplotlib.pyplot", "pylab", "matplotlib.pylab"):
            if "pylab" in name:  # which has all of NumPy's
                import numpy as np

                module.__dict__.update(
                    {key: value for key, value in vars(np).items() if not key.startswith("_")}, np=np
                )
            module.__dict__.update({key: getattr(module, key) for key in _PYPLOT.split()})
            module.__dict__.update(plt=module)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def _asked_by_a_cell() -> bool:
    frame: types.FrameType | None = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith("<")


def _called(package: str) -> str:
    return "matplotlib" if package in ("mpl_toolkits", "pylab") else package


def package_of(name: str) -> str:
    """The package of a dotted name."""
    return name.partition(".")[0].partition("(")[0].partition("[")[0]
