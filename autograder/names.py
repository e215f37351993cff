"""Which names are those of submissions, and which never are."""

import re
from pathlib import PurePosixPath

ENDINGS = (".ipynb", ".py", ".zip")
"""What counts as a submission, by the end of its name (in any case)."""
NO_SUBMISSIONS = frozenset({"__init__.py", "conftest.py"})
"""Files of a program's own."""
_SKIPPED_FOLDERS = frozenset({"__MACOSX", "__pycache__", "adkit", "node_modules", "site-packages", "venv"})
"""Folders that hold what a system, a tool or the course has put there."""
_BROWSERS_END = re.compile(r"\.(ipynb|py)(?: ?\(\d+\))?\.(?:txt|json|ipynb)$", re.IGNORECASE)
"""What a browser makes of a name: `x.ipynb.txt`, `x.ipynb.json`, `x.ipynb (1).txt`."""


def kind_of(name: str) -> str:
    """What a file is by its name: `.ipynb`, `.py` or `.zip`, or an empty text for none of them.

    A notebook that a browser saved as `x.ipynb.txt` or `x.ipynb.json` is a notebook.
    """
    browsers = _BROWSERS_END.search(name)
    suffix = f".{browsers[1]}" if browsers else PurePosixPath(name).suffix
    return suffix.lower() if suffix.lower() in ENDINGS else ""


def is_skipped_folder(name: str) -> bool:
    """Whether nothing in a folder of this name is a hand-in: hidden folders, environments, caches, the course's own."""
    return name.startswith(".") or name in _SKIPPED_FOLDERS


def letters_of(text: str) -> str:
    """Letters and digits alone, in lower case: `My_Notebook (2)` and `mynotebook2` are the same name."""
    return "".join(character for character in text.lower() if character.isalnum())
