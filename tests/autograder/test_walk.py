"""Walks through what students made end, whatever is in it, and lose nothing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from deep_folders import nest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.walk import Bounds, remove, walk

NAMES = st.sampled_from(["a", "b", "c.ipynb", "d.py", ".e", "é"])


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    yield nest(tmp_path / "deep", 1500)
    subprocess.run(["rm", "-rf", str(tmp_path / "deep")], check=True)  # deeper than shutil can remove


def test_folders_nested_beyond_the_bound_are_one_place_with_a_problem(deep: Path) -> None:
    (deep / "toy.ipynb").touch()
    places = {place.parts: place for place in walk(deep, Bounds(depth=5))}
    assert ("toy.ipynb",) in places
    assert "nested more than 5 deep" in places[("nested",) * 6].problem
    assert len(places) == 2


def test_folders_too_deep_for_the_system_are_a_place_too(deep: Path) -> None:
    problems = [place.problem for place in walk(deep, Bounds(depth=10_000))]
    assert len(problems) == 1
    assert "cannot be read" in problems[0]


def test_a_folder_with_too_many_entries_is_one_place_whatever_is_listed_first(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / str(number)).touch()
    (place,) = walk(tmp_path, Bounds(entries=19))
    assert place.parts == ()
    assert "more than 19 files" in place.problem


def test_what_comes_after_the_last_entry_that_is_counted_is_still_reported(tmp_path: Path) -> None:
    for name in ("a/x", "a/y", "b/x", "c/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    places = {place.parts: bool(place.problem) for place in walk(tmp_path, Bounds(entries=5))}
    assert places == {("a", "x"): False, ("a", "y"): False, ("b",): True, ("c",): True}


def test_a_walk_that_takes_too_long_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (place,) = walk(tmp_path, Bounds(seconds=-1.0))
    assert "took longer" in place.problem


def test_links_are_places_and_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (place,) = walk(tmp_path)
    assert (place.parts, place.link, place.folder) == (("loop",), True, False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(NAMES, min_size=1, max_size=5), max_size=12),
    st.integers(0, 4),
    st.integers(1, 12),
    st.sets(NAMES, max_size=2),
)
def test_every_file_is_in_exactly_one_place(
    tmp_path_factory: pytest.TempPathFactory,
    paths: list[list[str]],
    depth: int,
    entries: int,
    closed: set[str],
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    files = write_tree(folder, paths)
    places = list(walk(folder, Bounds(depth=depth, entries=entries), lambda parts, _names: parts[-1] not in closed))
    for file in files:
        assert (
            sum(place.parts == file or (place.folder and file[: len(place.parts)] == place.parts) for place in places)
            == 1
        )


def write_tree(folder: Path, paths: list[list[str]]) -> set[tuple[str, ...]]:
    """Writes files at these paths, as far as they can all be there; those that are."""
    for parts in paths:
        target = folder.joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        except (FileExistsError, NotADirectoryError):
            continue
    return {path.relative_to(folder).parts for path in folder.rglob("*") if path.is_file()}


def test_folders_of_any_depth_are_removed_and_what_a_link_leads_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    deep = nest(tmp_path / "deep", 3000)
    (deep / "link").symlink_to(tmp_path / "other")
    remove(deep)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
