"""How long grading a class takes: `otter run`, several at a time, against `autograder grade` with as many workers.

`stock` is `otter run` with the same tests and without this project's plugin: the submission in the kernel, the tests
beside it, no isolation. It has no time limit; a submission that hangs is ended after --stock-timeout seconds. A runner
is `2` (`autograder grade -j 2`), `otter` or `stock`, and with `:2` two of these at a time.

    autograder build matrix_gradients
    python benchmarks/bench_grading.py --assignment matrix_gradients --repeat 3 --runners stock,1,stock:2,2

With --copies N the class is N copies of the right solution under different names, with --mixed N every third of them
has one of the known mistakes: what a class of that size costs, and the peak of the memory held for the grader and all
its processes together (looked at four times a second).

Method: everything in one run on one machine, the runners in turn within each repetition, so that a slow minute hits
all of them; medians over the repetitions, wall clock, processes started anew each time (so a worker's start and
every compilation count). Phases are those that the grader notes with each result: `start` is what is left of the
run's time times its workers. The scores of all runners but stock are compared question by question, and which cases
failed, case by case; a difference is printed and makes the exit code 1. Nothing here is a test: times depend on the
machine.
"""

import argparse
import csv
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from autograder.isolation.procfs import descendants, held_bytes
from autograder.records import journal
from autograder.records.run import Run, versions
from autograder.samples import write_sample_class

Scores = dict[str, dict[str, float]]
"""By file and question; a file that could not be graded has no questions. Cases that failed are there as 1."""

PHASES = ("read", "open", "calls", "artefacts", "tests", "close")


@dataclass
class Timing:
    """One runner over all repetitions."""

    seconds: list[float] = field(default_factory=list[float])
    phases: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    scores: Scores = field(default_factory=Scores)
    memory: int = 0
    """Bytes that the machine held for all processes together, at most; what they share is not counted."""


def main() -> int:
    options = _options()
    bundle = Path(options.dist, options.assignment, "autograder.zip")
    runners = [runner for runner in options.runners.split(",") if runner]
    if {"otter", "stock"} & {runner.split(":")[0] for runner in runners} and not bundle.is_file():
        print(f"{bundle} is missing: autograder build {options.assignment} -o {options.dist}", file=sys.stderr)
        return 2
    timings = {runner: Timing() for runner in runners}
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as temporary:
        samples = Path(temporary, "samples")
        write_sample_class(options.assignment, samples)
        if options.copies or options.mixed:
            files = _class_of(samples, options.copies or options.mixed, mistaken=bool(options.mixed))
        else:
            files = _chosen(samples, options.only)
        stock = Path(temporary, "stock.zip")
        if any(runner.startswith("stock") for runner in runners):
            _without_plugins(bundle, stock)
        for repetition in range(options.repeat):
            for runner in runners:
                out = Path(temporary, f"{runner.replace(':', '-')}-{repetition}")
                name, _, at_once = runner.partition(":")
                if name in ("otter", "stock"):
                    zipped, limit = (stock, options.stock_timeout) if name == "stock" else (bundle, None)
                    _time_otter(timings[runner], files, zipped, out, limit, int(at_once or 1))
                else:
                    _time_grade(timings[runner], samples, options.assignment, int(runner), out)
                print(f"{repetition + 1}: {runner}: {timings[runner].seconds[-1]:.1f} s", file=sys.stderr, flush=True)
    _print_times(timings, len(files), options.repeat)
    return _compare({runner: timing for runner, timing in timings.items() if not runner.startswith("stock")})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times grading the sample class; compares the scores.")
    parser.add_argument("--assignment", "-a", default="matrix_gradients")
    parser.add_argument("--dist", default="dist", help="where `autograder build` wrote to")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--runners", default="otter,1,2", help="stock, otter, and numbers of workers")
    parser.add_argument("--stock-timeout", type=float, default=180.0, help="seconds; stock Otter has no limit itself")
    parser.add_argument("--only", default="", help="only files whose name contains this")
    parser.add_argument("--copies", type=int, default=0, help="a class of so many right solutions instead")
    parser.add_argument("--mixed", type=int, default=0, help="a class of so many, of which every third has a mistake")
    return parser.parse_args()


def _chosen(samples: Path, only: str) -> list[Path]:
    files = [path for path in sorted(samples.iterdir()) if path.suffix in (".ipynb", ".py", ".zip")]
    for path in files:
        if only not in path.name:
            path.unlink()
    return [path for path in files if only in path.name]


def _class_of(samples: Path, size: int, *, mistaken: bool) -> list[Path]:
    """In place of the samples: copies of the right solution, and if `mistaken` every third one with a known mistake."""
    right = (samples / "perfect.ipynb").read_bytes()
    wrong = [path.read_bytes() for path in sorted(samples.glob("mistake_*.ipynb"))] if mistaken else []
    shutil.rmtree(samples)
    samples.mkdir()
    files = [samples / f"student{number:04d}.ipynb" for number in range(size)]
    for number, path in enumerate(files):
        path.write_bytes(wrong[number // 3 % len(wrong)] if wrong and number % 3 == 2 else right)
    return files


def _without_plugins(bundle: Path, target: Path) -> None:
    """The same autograder.zip, for Otter as it comes."""
    with zipfile.ZipFile(bundle) as given, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in given.infolist():
            content = given.read(entry)
            if entry.filename == "otter_config.json":
                content = json.dumps(json.loads(content) | {"plugins": []}).encode()
            made.writestr(entry, content)


def _time_otter(
    timing: Timing,
    files: Iterable[Path],
    bundle: Path,
    out: Path,
    seconds_each: float | None = None,
    at_once: int = 1,
) -> None:
    otter = shutil.which("otter", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))

    def grade(path: Path) -> None:
        folder = out / path.name
        folder.mkdir(parents=True)
        command = [otter or "otter", "run", "-a", str(bundle.resolve()), "-o", str(folder), "--no-logo", str(path)]
        _run(command, seconds_each)
        timing.scores[path.name] = _otters_scores(folder / "results.json")

    started = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(grade, files))
    timing.seconds.append(time.monotonic() - started)


def _run(command: Sequence[str], seconds: float | None) -> None:
    """Runs a command, its kernel included, and ends both when the time is up."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        for pid in (*descendants(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _otters_scores(path: Path) -> dict[str, float]:
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    tests: list[dict[str, Any]] = [test for test in content.get("tests", []) if "score" in test]
    scores = {str(test["name"]): float(test["score"]) for test in tests}
    failed = ((test["name"], title) for test in tests for title in _FAILED.findall(test["output"]))
    return scores | {_case(question, title): 1.0 for question, title in failed}


_FAILED = re.compile(r"^    (\S.*) result:\n\s*❌", re.MULTILINE)
"""A case that failed, in Otter's summary of a question."""


def _case(question: str, title: str) -> str:
    return f"{question} failed: {title}"


def _time_grade(timing: Timing, samples: Path, assignment: str, jobs: int, out: Path) -> None:
    command = [sys.executable, "-m", "autograder.cli", "grade", str(samples), "-a", assignment, "-o", str(out)]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([*command, "-j", str(jobs), "-q"], stdout=said, stderr=said)
        while process.poll() is None:
            timing.memory = max(timing.memory, sum(map(held_bytes, (process.pid, *descendants(process.pid)))))
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.25)
        timing.seconds.append(time.monotonic() - started)
        if process.returncode not in (0, 1):
            said.seek(0)
            raise SystemExit(f"autograder grade failed: {said.read()}")
    phases: dict[str, float] = {phase: 0.0 for phase in PHASES}  # noqa: C420 (keys are any text)
    total = 0.0
    for record in journal.read_latest(out):
        seconds = record.result.seconds
        total += seconds.get("total", 0.0)
        for phase in PHASES:
            phases[phase] += seconds.get(phase, 0.0)
        if record.result.status == "completed":
            timing.scores[record.result.file] = {
                _case(question.name, case.title): 1.0
                for question in record.result.questions
                for case in question.cases
                if not case.passed
            }
    phases["tests"] -= phases["calls"] + phases["artefacts"]  # what the tests themselves compute
    phases["start"] = Run.read(out).seconds * jobs - total
    timing.phases.append(phases)
    with open(out / "final_grades.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["file"] != "points-per-question":
                graded = row["grading_status"].startswith("Completed")
                names = [name for name in row if name.startswith("q")] if graded else []
                scores = {name: float(row[name]) for name in names}
                file = row["file"].removeprefix("'")  # which keeps a spreadsheet from reading the name as a formula
                timing.scores[file] = timing.scores.get(file, {}) | scores


def _print_times(timings: Mapping[str, Timing], files: int, repeat: int) -> None:
    found = ", ".join(f"{name} {version}" for name, version in versions().items())
    print(f"{files} submissions, medians of {repeat}; {platform.machine()}, {os.cpu_count()} cores; {found}\n")
    phases = ("start", *PHASES)
    print(f"| runner | total s | s a submission | times stock | peak MB | {' | '.join(phases)} |")
    print(f"|---|{'---:|' * (4 + len(phases))}")
    for runner, timing in timings.items():
        total = median(timing.seconds)
        kind, _, at_once = runner.partition(":")
        together = f", {at_once} at a time" if at_once else ""
        name = {"otter": f"otter run{together}", "stock": f"otter run, stock{together}"}.get(kind, f"grade -j {runner}")
        cells = [_median(timing.phases, phase) for phase in phases]
        stock = timings.get({"1": "stock"}.get(runner, f"stock:{runner}"))
        ratio = "" if stock is None else f"{median(stock.seconds) / total:.1f}"
        memory = f"{timing.memory / 1e6:.0f}" if timing.memory else ""
        print(f"| {name} | {total:.1f} | {total / max(1, files):.2f} | {ratio} | {memory} | {' | '.join(cells)} |")
    for runner, timing in timings.items():
        print(f"{runner}: {', '.join(f'{seconds:.1f}' for seconds in timing.seconds)} s")


def _median(phases: Sequence[Mapping[str, float]], phase: str) -> str:
    return f"{median(entry[phase] for entry in phases):.1f}" if phases else ""


def _compare(timings: Mapping[str, Timing]) -> int:
    """Prints every score that is not the same everywhere; 1 when there is one."""
    names = sorted({name for timing in timings.values() for name in timing.scores})
    differences = 0
    for name in names:
        given = {runner: timing.scores.get(name, {}) for runner, timing in timings.items()}
        # what could not be read has no cases; Otter may have run them against nothing
        unread = any(not scores for scores in given.values())
        for question in sorted({question for scores in given.values() for question in scores}):
            if unread and " failed: " in question:
                continue
            points = {runner: scores.get(question, 0.0) for runner, scores in given.items()}
            if len({round(value, 5) for value in points.values()}) > 1:
                differences += 1
                print(f"different: {name} {question}: {points}")
    print(f"\nscores of {len(names)} submissions compared: {differences or 'no'} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
