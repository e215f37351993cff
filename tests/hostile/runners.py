"""The ways an attack is graded, each watched by a `Lab`."""

import csv
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.grading.task import Settings, task_of
from autograder.grading.worker import grade_task
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.layers import Policy, policy
from autograder.isolation.leases import FIRST_UID, LEASES
from autograder.isolation.session import Session
from autograder.records.journal import Record
from autograder.records.results import SubmissionResult
from autograder.report.feedback import feedback_page
from autograder.report.grades import Row, final_grades
from autograder.report.gradescope import results_json
from hostile.apparatus import NEIGHBOUR_POINTS, Lab, alive, neighbour_code, steering
from hostile.attack import RIGHT, RIGHT_POINTS, Attack, notebook

_REPOSITORY = Path(__file__).resolve().parents[2]
USER_IDS = range(FIRST_UID, FIRST_UID + 2 * LEASES)
BATCH = "(the batch)"
"""What an outcome of a whole batch has for the attack's name."""
HONEST = 12
"""Honest submissions in a batch of attacks."""
_OWN_SECONDS = 15.0
"""Processor time that the grader's own process may take for one attack, reading and comparing its answers."""
_KERNELS_OWN = 5_000
"""Locks, and asynchronous requests, that no honest program needs."""
_GROWTH = 500 * 1024**2
"""Memory that the grader may take for one attack at most."""
_ANSWERS = {"return 2 * x": 4.0, "return 0.5 * (x * x).sum()": 4.0, "return f(x)": 2.0}
"""What RIGHT answers, and the points of each."""


@dataclass(frozen=True)
class Outcome:
    """What was observed of one attack."""

    attack: str
    runner: str
    found: tuple[str, ...]
    """Every sign of success; empty when the attack gained nothing."""
    score: float | None
    status: str
    seconds: float
    honest: tuple[int, int] = (0, 0)
    """Honest submissions graded beside it that got exactly their points, and how many there were."""

    @property
    def held(self) -> bool:
        """Whether the attack gained nothing."""
        return not self.found


class SessionRunner:
    """Grades in this process, through an isolated session: the fastest way, and the one with the closest look."""

    name = "session"

    def __init__(self, lab: Lab, chosen: Policy | None = None) -> None:
        self.lab = lab
        self.assignment = Assignment.load(lab.assignment)
        self.policy = chosen or policy(secrets=lab.secrets)
        self._settings = Settings(assignment=str(lab.assignment), seed="seed")
        self._temporary = tempfile.tempdir

    def __enter__(self) -> "SessionRunner":
        tempfile.tempdir = str(self.lab.folder / "scratch")
        self._workshop = ForkServer(self.policy).__enter__()
        self._waited: list[float] = []
        self._workshop.report_waiting = self._waited.append
        self.neighbour()
        return self

    def __exit__(self, *exception: object) -> None:
        self._workshop.close()
        tempfile.tempdir = self._temporary

    def run(self, attack: Attack) -> Outcome:
        """Grades one attack, then an honest neighbour, and looks at everything."""
        folder = self.lab.folder / "submissions" / "hostile"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = self.lab.hand_in(attack, folder, [os.getpid(), os.getppid()])
        descriptors = len(os.listdir("/proc/self/fd"))
        running_as = os.sched_getaffinity(0), os.sched_getscheduler(0)
        memory = _peak(reset=True)
        started, own = time.monotonic(), time.process_time()
        self._waited.clear()
        found: list[str] = []
        with Growth(_kernel, 0.1) as growth:
            result = self.grade(path, found)
        seconds, own = time.monotonic() - started, time.process_time() - own
        found += _taken(growth.most())
        if result is not None:
            found += self.judge(attack, result)
        if own > _OWN_SECONDS:
            found.append(f"the grader itself took {own:.0f} s of processor time")
        if seconds - sum(self._waited) > self.assignment.limits.submission_seconds * 1.25 + 10:
            found.append(f"the grader was busy for {seconds:.0f} s")
        if _peak(reset=False) - memory > _GROWTH:
            found.append(f"the grader's memory grew by {(_peak(reset=False) - memory) / 2**20:.0f} MB")
        if len(os.listdir("/proc/self/fd")) > descriptors:
            found.append("the grader has more open descriptors than before")
        if (os.sched_getaffinity(0), os.sched_getscheduler(0)) != running_as:
            found.append("the grader may use less of the machine than before")
        found += self.left_behind()
        points = self.neighbour()
        if points != NEIGHBOUR_POINTS:
            found.append(f"an honest neighbour got {points} of {NEIGHBOUR_POINTS}")
        score = None if result is None else result.earned
        status = "" if result is None else result.status
        honest = (int(points == NEIGHBOUR_POINTS), 1)
        return Outcome(attack.name, self.name, tuple(found), score, status, seconds, honest)

    def grade(self, path: Path, found: list[str]) -> SubmissionResult | None:
        """The result of a file; what is wrong with the grader goes to `found`."""
        try:
            reply = grade_task(
                task_of(path.name, path), self._settings, self.assignment, partial(Session, self._workshop)
            )
        except BaseException as error:
            found.append(f"the batch ended: {type(error).__name__}: {error}")
            return None
        if "error" in reply:
            found.append(f"the grader failed: {reply['error']}")
            return None
        return SubmissionResult.from_json(reply["result"])

    def judge(self, attack: Attack, result: SubmissionResult) -> list[str]:
        """Signs of success in the result and in what is made of it."""
        found: list[str] = []
        if result.earned > attack.deserves or (attack.deserves == RIGHT_POINTS != result.earned):
            found.append(f"{result.earned:g} points instead of {attack.deserves:g}")
        if result.status == "failed":
            found.append(f"the grader itself failed: {[note for note in result.notes if 'grader' in note]}")
        record = Record(result.file, "stem", "0", result)
        page, results = feedback_page(result, self.assignment.title), results_json(record)
        questions = [{"name": q.name, "points": q.points, "bonus": q.bonus} for q in self.assignment.questions]
        grades = final_grades([Row.of(result, "stem")], questions)
        for suffix, text, students in ((".html", page, True), (".json", results, False), (".csv", grades, False)):
            found += self.lab.leaks(text, for_students=students) + steering(suffix, text)
        shown = [test["output"] for test in json.loads(results)["tests"] if test["visibility"] == "visible"]
        found += self.lab.leaks("\n".join([*shown, json.loads(results)["output"]]), for_students=True)
        return found + self.lab.leaks(json.dumps(result.to_json()), for_students=False)

    def left_behind(self) -> list[str]:
        """Processes and files that are still there."""
        found = self.lab.traces()
        if pids := alive(self._workshop.user_ids or [os.getuid()], self.lab.folder.name):
            found.append(f"{len(pids)} processes are alive")
        if left := os.listdir(self.lab.folder / "scratch"):
            found.append(f"scratch folders are left: {left}")
            for name in left:
                shutil.rmtree(self.lab.folder / "scratch" / name, ignore_errors=True)
        return found

    def neighbour(self) -> float | str:
        """The points of an honest submission, graded now."""
        path = self.lab.folder / "submissions" / "honest.ipynb"
        path.write_bytes(notebook([neighbour_code()]))
        problems: list[str] = []
        result = self.grade(path, problems)
        return problems[0] if result is None else result.earned


class Growth:
    """A context manager: by how much figures grew meanwhile, at their highest. `every`: seconds between two looks."""

    def __init__(self, figures: Callable[[], dict[str, int]], every: float) -> None:
        self._figures = figures
        self._every = every

    def __enter__(self) -> "Growth":
        self._before, self._most, self._end = self._figures(), self._figures(), threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._looking.join()

    def most(self) -> dict[str, int]:
        """The growth of each figure."""
        return {name: self._most[name] - self._before[name] for name in self._most}

    def _look(self) -> None:
        while not self._end.wait(self._every):
            self._most = {name: max(value, self._most[name]) for name, value in self._figures().items()}


def _taken(growth: dict[str, int]) -> list[str]:
    """What was taken in numbers that no honest program needs."""
    return [f"{number} {what} were taken" for what, number in growth.items() if number > _KERNELS_OWN]


def _kernel() -> dict[str, int]:
    """What there is on the whole machine of things that the kernel holds and no memory limit counts."""
    return {
        "locks": Path("/proc/locks").read_bytes().count(b"\n"),
        "asynchronous requests": int(Path("/proc/sys/fs/aio-nr").read_text()),
    }


class GradeRunner:
    """`autograder grade` over a folder with all attacks and honest submissions between them."""

    name = "autograder grade"

    def __init__(self, lab: Lab, jobs: int = 2) -> None:
        self.lab = lab
        self.jobs = jobs

    def _command(self, folder: Path) -> list[str]:
        return ["grade", str(folder), "-a", str(self.lab.assignment), "-j", str(self.jobs)]

    def run(self, attacks: Sequence[Attack]) -> Iterator[Outcome]:
        """Grades them together; an outcome for each, then one for the batch as a whole."""
        folder, out = self.lab.folder / "submissions" / "class", self.lab.folder / "out"
        folder.mkdir()
        for attack in attacks:
            self.lab.hand_in(attack, folder, [os.getpid()])
        honest = honest_among(attacks)
        for name, (code, _) in honest.items():
            (folder / name).write_bytes(notebook([code]))
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "autograder.cli", *self._command(folder), "-o", str(out)],
            cwd=_REPOSITORY,
            capture_output=True,
            text=True,
            errors="replace",
            env={
                **os.environ,
                "PYTHONPATH": _paths(),
                "TMPDIR": str(self.lab.folder / "scratch"),
                "AUTOGRADER_SEED": f"CANARY-SEED-{self.lab.canary}",
            },
            check=False,
        )
        seconds = time.monotonic() - started
        if not (out / "final_grades.csv").is_file():
            lost = f"no grades: {done.stdout[-500:]} {done.stderr[-1500:]}"
            yield Outcome(BATCH, self.name, (lost,), None, "", seconds, (0, len(honest)))
            return
        problems = self.lab.inspect(out)
        results = {data["extra_data"]["file"]: data for data in map(_load, (out / "results").glob("*.json"))}
        everything = [f"terminal: {sign}" for sign in steering(".txt", done.stdout.replace("\x1b", "") + done.stderr)]
        everything += self.lab.traces()
        if pids := alive(USER_IDS if os.geteuid() == 0 else [os.getuid()], self.lab.folder.name):
            everything.append(f"{len(pids)} processes are alive")
        exact = 0
        for name, (_, points) in honest.items():
            got = results.get(name, {}).get("score")
            exact += got == points
            if got != points:
                everything.append(f"{name} got {got} instead of {points:g}")
        with open(out / "final_grades.csv", newline="") as file:
            rows = len(list(csv.reader(file))) - 2
        if rows != len(attacks) + len(honest):
            everything.append(f"{rows} rows for {len(attacks) + len(honest)} submissions")
        claimed: set[str] = set()
        for attack in attacks:
            data = _of(attack, results)
            found = [problem for problem in problems if attack.name in problem]
            claimed |= set(found)
            found += [trace for trace in everything if f"HOSTILE-{attack.name}" in trace]
            if data is None:
                found.append("it has no result")
            elif data["score"] > attack.deserves or (attack.deserves == RIGHT_POINTS != data["score"]):
                found.append(f"{data['score']:g} points instead of {attack.deserves:g}")
            elif data["extra_data"]["status"] == "failed":
                found.append(f"the grader itself failed: {data['extra_data']}")
            took = 0.0 if data is None else data["extra_data"]["seconds"].get("total", 0.0)
            score, status = (None, "") if data is None else (data["score"], data["extra_data"]["status"])
            yield Outcome(attack.name, self.name, tuple(found), score, status, took)
        everything += [problem for problem in problems if problem not in claimed]
        status = f"exit code {done.returncode}"
        yield Outcome(BATCH, self.name, tuple(everything), None, status, seconds, (exact, len(honest)))


class OtterRunner:
    """`otter run` with the assignment's autograder.zip, one submission at a time."""

    name = "otter run"

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.bundle = bundle(lab)

    def run(self, attack: Attack) -> Outcome:
        """Grades one attack."""
        if attack.link:  # Otter copies what the path it is given leads to: whose path that is, the instructor decides
            return Outcome(attack.name, self.name, (), None, "not run: Otter follows the path it is given", 0.0)
        folder = Path(tempfile.mkdtemp(dir=self.lab.folder))
        path = self.lab.hand_in(attack, folder, [os.getpid()])
        started = time.monotonic()
        environment = {**os.environ, "PYTHONPATH": _paths(), "TMPDIR": str(self.lab.folder / "scratch")}
        environment["AUTOGRADER_SEED"] = f"CANARY-SEED-{self.lab.canary}"
        try:
            done = subprocess.run(
                [
                    str(Path(sys.executable).parent / "otter"),
                    "run",
                    "-a",
                    str(self.bundle),
                    "-o",
                    str(folder),
                    "--no-logo",
                    str(path),
                ],
                cwd=folder,
                capture_output=True,
                text=True,
                errors="replace",
                env=environment,
                timeout=300,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(attack.name, self.name, ("it did not end in 300 s",), None, "", 300.0)
        except ValueError as error:  # a name that cannot be passed to a program
            return Outcome(attack.name, self.name, (), None, f"not run: {error}", 0.0)
        seconds = time.monotonic() - started
        found = self.lab.traces()
        score: float | None = None
        file = folder / "results.json"
        if file.is_file():
            content = file.read_text("utf-8", "replace")
            data = json.loads(content)
            score = sum(test.get("score", 0.0) for test in data.get("tests", []))
            found += self.lab.leaks(content, for_students=False) + steering(".json", content)
            shown = "\n".join(str(t.get("output", "")) for t in data["tests"] if t.get("visibility") == "visible")
            found += self.lab.leaks(shown, for_students=True)
            if score > attack.deserves or (attack.deserves == RIGHT_POINTS != score):
                found.append(f"{score:g} points instead of {attack.deserves:g}")
        elif not done.stderr.strip():
            found.append("no result and no error")
        found += self.lab.leaks(done.stdout + done.stderr, for_students=False)
        if os.geteuid() == 0:
            found += [f"{len(pids)} processes are alive"] if (pids := alive(USER_IDS, self.lab.folder.name)) else []
        status = f"exit code {done.returncode}" + (
            "" if file.is_file() else f": {done.stderr.strip().splitlines()[-1:]}"
        )
        shutil.rmtree(folder, ignore_errors=True)
        return Outcome(attack.name, self.name, tuple(found), score, status, seconds)


class DockerRunner(GradeRunner):
    """`autograder otter-grade`: all attacks and honest submissions, each in a container of `otter grade`."""

    name = "otter grade"

    def __init__(self, lab: Lab, image: str = "rig-base:latest", containers: int = 2) -> None:
        super().__init__(lab, containers)
        self.image = image
        self.bundle = bundle(lab)

    def _command(self, folder: Path) -> list[str]:
        command = ["otter-grade", str(folder), "-n", "vault", "-a", str(self.bundle), "--image", self.image]
        return [*command, "--containers", str(self.jobs), "--timeout", "900", "--summaries"]


def honest_among(attacks: Sequence[Attack]) -> dict[str, tuple[str, float]]:
    """Names, sources and points of HONEST honest submissions. A grader that takes files by name meets them all through
    the attacks; some have everything right and some only a part, so that points of another would show."""
    parts = [chosen for size in (3, 2, 1) for chosen in itertools.combinations(_ANSWERS, size)]
    names = sorted(attack.name for attack in attacks) or ["none"]
    found: dict[str, tuple[str, float]] = {}
    for number, chosen in zip(range(HONEST), itertools.cycle(parts)):
        code = RIGHT
        for answer in _ANSWERS.keys() - set(chosen):
            code = code.replace(answer, "raise NotImplementedError")
        before = names[number * len(names) // HONEST]
        found[f"{before[:2]}-honest-{number + 1}.ipynb"] = code, sum(_ANSWERS[answer] for answer in chosen)
    return found


def bundle(lab: Lab) -> Path:
    """The vault's autograder.zip."""
    from autograder.build.bundle import write_bundle
    from autograder.build.testfiles import read_test_files

    path = lab.folder / "instructor" / "autograder.zip"
    if not path.is_file():
        assignment = Assignment.load(lab.assignment)
        write_bundle(assignment, read_test_files(assignment), path)
    return path


def _of(attack: Attack, results: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    from autograder.text import printable

    wanted = printable(os.fsencode(attack.file_name).decode("utf-8", "replace"), 300, lines=False)
    return results.get(wanted)


def _load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def _paths() -> str:
    import adkit

    return os.pathsep.join([str(_REPOSITORY), str(Path(adkit.__file__).resolve().parents[1])])


def _peak(*, reset: bool) -> int:
    """The grader's peak of resident memory in bytes, since the last reset where that is allowed."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table(outcomes: Iterable[Outcome]) -> str:
    """Attack × runner, with what was observed."""
    by_attack: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        by_attack.setdefault(outcome.attack, {})[outcome.runner] = outcome
    runners = list(dict.fromkeys(runner for row in by_attack.values() for runner in row))
    lines = [f"| attack | {' | '.join(runners)} |", f"|---|{'---|' * len(runners)}"]
    for name, row in by_attack.items():
        lines.append(f"| {name} | {' | '.join(_cell(row.get(runner)) for runner in runners)} |")
    return "\n".join(lines)


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return "—"
    if outcome.status.startswith("not run"):
        return outcome.status
    score = "no score" if outcome.score is None else f"{outcome.score:g} points"
    if outcome.held:
        return f"held ({score}, {outcome.seconds:.1f} s)"
    return f"**SUCCEEDED**: {'; '.join(outcome.found)[:300]}".replace("|", "/").replace("\n", " ")
