"""Which versions are on this machine, and which the grader has."""

from collections.abc import Mapping, Sequence
from importlib import metadata

__all__ = ["differences"]


def differences(graders: Mapping[str, Sequence[str]]) -> str:
    """One sentence about the packages whose version differs from the grader's in more than its last part.

    Empty where there is none. graders: the grader's versions of each package; several where Python's version decides.
    """
    found: list[str] = []
    for package, versions in graders.items():
        try:
            here = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
        if _minor(here) not in {_minor(version) for version in versions}:
            found.append(f"{package} {here} here, {' or '.join(versions)} there")
    if not found:
        return ""
    return (
        f"The versions that grade differ from those on this machine: {'; '.join(found)}. Nearly everything is "
        "the same in both; if one of their functions is missing when your work is graded, this is why."
    )


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])
