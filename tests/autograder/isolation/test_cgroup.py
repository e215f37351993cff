"""Memory cgroups: where they may be made, what is written there, and that none is left."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignment import Assignment, Limits, Question
from autograder.isolation import cgroup, layers
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

Make = Callable[..., Path]


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A folder with the files of a group."""
    monkeypatch.setattr(cgroup, "_is_delegated", lambda base: True)

    def make(name: str = "own", *, controllers: str = "cpu memory", handed_on: str = "", members: str = "") -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        files = {"controllers": controllers, "subtree_control": handed_on, "procs": members, "type": "domain"}
        for file, content in files.items():
            (folder / f"cgroup.{file}").write_text(content)
        return folder

    return make


def test_groups_are_made_below_the_own_one_when_all_its_processes_belong_to_the_grader(group: Make) -> None:
    own = group(members=f"{os.getpid()}\n{os.getppid()}\n")
    assert cgroup.place(own) == own


def test_a_stranger_in_the_own_group_is_not_moved(group: Make) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        with_child = group("with child", members=f"{os.getpid()}\n{stranger.pid}\n")
        assert cgroup.place(with_child) == with_child
        assert cgroup.place(group("with init", members=f"{os.getpid()}\n1\n")) is None
    finally:
        stranger.communicate(b"\n")


def test_workers_find_the_group_that_the_first_of_them_has_prepared(group: Make) -> None:
    base = group("base", handed_on="memory")
    assert cgroup.place(group("base/autograder", members=f"{os.getpid()}\n")) == base


@pytest.mark.parametrize("why", ["no memory", "not delegated", "no cgroups"])
def test_without_what_it_takes_there_is_no_place(group: Make, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    own = group(controllers="cpu" if why == "no memory" else "memory", members=f"{os.getpid()}\n")
    if why == "not delegated":
        monkeypatch.undo()
    assert cgroup.place(own / "nowhere" if why == "no cgroups" else own) is None


def test_preparing_moves_all_processes_to_a_group_of_the_graders_and_hands_memory_on(group: Make) -> None:
    own = group(members="12\n")
    (own / "autograder").mkdir()
    cgroup.prepare(own)
    assert (own / "autograder" / "cgroup.procs").read_text() == "12"
    assert (own / "cgroup.subtree_control").read_text() == "+memory"


def test_a_group_bounds_memory_and_swap_and_ends_as_a_whole(group: Make) -> None:
    base = group()
    made = cgroup.Group(base, 1234)
    folder = Path(made.members).parent
    assert folder.parent == base
    written = {name: (folder / name).read_text() for name in ("memory.max", "memory.swap.max", "memory.oom.group")}
    assert written == {"memory.max": "1234", "memory.swap.max": "0", "memory.oom.group": "1"}
    assert not made.exceeded()
    (folder / "memory.events").write_text("max 3\noom 1\noom_kill 1\n")
    assert made.exceeded()


ASSIGNMENT = Assignment("groups", "Groups", Path(), (Question("q1", "t", 1, ("f",)),))
SUBMISSION = Submission("groups", None, ("def f(x): return open('/proc/self/cgroup').read()",))


def test_where_no_group_can_be_made_after_all_grading_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "place", lambda: None)
    policy = layers.policy()
    with ForkServer(replace(policy, layers=policy.layers | {"cgroup"})) as workshop:
        with Session(workshop, SUBMISSION, ASSIGNMENT) as session:
            assert "\n" in session.functions["f"](1)
        assert workshop.policy.layers == policy.layers - {"cgroup"}


FLOOD = "kept = []\ndef f(x): [kept.append(bytearray(b'x' * 10**6)) for _ in range(800)]"


@pytest.mark.skipif("cgroup" not in layers.available(), reason="no group can be made here")
def test_the_kernel_alone_ends_a_submission_that_uses_too_much_and_no_group_is_left() -> None:
    limits = Limits(memory_bytes=300_000_000, scratch_bytes=1_000_000)
    with ForkServer(replace(layers.policy(), layers=frozenset({"cgroup"}))) as workshop:
        flood = Submission("flood", None, (FLOOD,))
        with (
            Session(workshop, flood, replace(ASSIGNMENT, limits=limits)) as session,
            pytest.raises(AssertionError, match=r"used more memory than the 0\.279 GB"),
        ):
            session.functions["f"](1)
        base = cgroup.place()
        assert base is not None
        assert not list(base.glob("submission-*"))
