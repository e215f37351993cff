"""Folders nested deeper than a path may be long."""

import os
from pathlib import Path


def nest(folder: Path, depth: int) -> Path:
    """Folders inside each other, deeper than a path may be long."""
    folder.mkdir(exist_ok=True)
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("nested", dir_fd=here)
        below = os.open("nested", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    return folder
