"""Every attack against every way of grading: `python benchmarks/attacks.py [--runner RUNNER]… [NAME…]`.

Prints the table attack × runner with what was observed from outside, and ends with 1 when an attack gained anything.
Runners: `session` and `grade` take minutes for all attacks, `otter` ten seconds an attack, `docker` five (it needs the
image that --image names). The corpus and what success looks like: `tests/hostile`.

Poorer machines: `--without-namespaces` as in a container, `--as-user` as somebody without root's rights (both together:
as a user of a machine that allows no user namespaces), and for `session` any choice of `--layers`.

The whole table, by one command that can be stopped at any time and goes on where it stopped:

    python benchmarks/attacks.py --record benchmarks/attacks.jsonl --resume --write

--record FILE runs all attacks in every runner as root with all layers (`otter grade`: in containers), and in `session`
and `grade` on poorer machines (--situation): there those that never met that machine and a sample of the others, or all
with --everything. Each outcome is in FILE before the next attack is run. One process grades several attacks; when one
of them ends it or makes it hang, that one is graded again by itself and the others go on, and what ends its process
twice is recorded as having gained. --resume leaves out what FILE has already for the code as it is (the attack itself,
the apparatus in `tests/hostile`, and `autograder/isolation`), or with --since DATE from that day on, whatever the code
was. --write puts what FILE says into RECORDS.md; alone, it runs nothing. Exit codes: 0 nothing gained, 1 something
gained, 2 usage or environment.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import attack_record
from attack_record import FULL, POORER, REPOSITORY, RUNNERS, SITUATIONS, Code, RecordError, Seen
from hostile import situations
from hostile.apparatus import Lab
from hostile.attack import Attack
from hostile.corpus import ATTACKS, BY_NAME
from hostile.runners import BATCH, DockerRunner, GradeRunner, OtterRunner, Outcome, SessionRunner, table

from autograder.isolation.layers import LAYERS, available, policy
from autograder.walk import remove

PAGE = REPOSITORY / "benchmarks" / "RECORDS.md"
RECORD = REPOSITORY / "benchmarks" / "attacks.jsonl"
TOGETHER = {"session": 20, "grade": 60, "otter": 10, "docker": 30}
"""How many attacks a process grades."""
SAMPLED = {"overwrites-grades", "reads-hidden-tests", "proc-mem", "tcp", "starts-programs", "double-fork", "honest"}
"""Attacks that tell much about a poorer machine: in every sample."""
_USER = 12345
_NAMESPACES = {"mount", "network", "pid", "ipc"}
_SECONDS = {"session": (600, 0), "otter": (450, 0), "grade": (300, 30), "docker": (1200, 60)}
"""How long a process may say nothing: in any case, and for each attack of a batch that is graded as a whole."""


class SituationError(Exception):
    """A machine that a situation cannot be had on; the message says why."""


def outcomes(runner: str, attacks: Sequence[Attack], without: set[str], image: str) -> Iterator[Outcome]:
    """Runs attacks in this process."""
    with Lab() as lab:
        if runner == "session":
            with SessionRunner(lab, policy(without=without, secrets=lab.secrets)) as session:
                yield from map(session.run, attacks)
        elif runner == "grade":
            yield from GradeRunner(lab).run(attacks)
        elif runner == "otter":
            yield from map(OtterRunner(lab).run, attacks)
        else:
            yield from DockerRunner(lab, image).run(attacks)


def in_chunks(
    names: Sequence[str],
    together: int,
    grade: Callable[[Sequence[str], Callable[[Outcome], None]], str],
    note: Callable[[Outcome], None],
    *,
    at_once: bool,
) -> None:
    """Has `grade` (names, what to do with an outcome; the answer says what went wrong, if anything) grade all names.

    Where outcomes are missing, `grade` is called again: with the first of them alone (the one that was being graded),
    or where a runner has all outcomes `at_once` with either half, until what does the harm is alone. What is missing
    then goes to `note` as a success of the attack.
    """
    waiting = deque(names[start : start + together] for start in range(0, len(names), together))
    while waiting:
        chunk = waiting.popleft()
        seen: set[str] = set()

        def noted(outcome: Outcome, seen: set[str] = seen) -> None:
            seen.add(outcome.attack)
            note(outcome)

        trouble = grade(chunk, noted)
        missing = [name for name in chunk if name not in seen]
        if not missing:
            if trouble:
                note(Outcome(BATCH, "", (trouble,), None, "", 0.0))
            continue
        print(f"{trouble or 'outcomes are missing'}: {', '.join(missing)}", file=sys.stderr, flush=True)
        if len(chunk) == 1:
            note(Outcome(chunk[0], "", (trouble or "it has no outcome",), None, "", 0.0))
            continue
        first = max(1, len(missing) // 2) if at_once else 1
        waiting.extendleft(part for part in (missing[first:], missing[:first]) if part)


def watched(command: Sequence[str], seconds: float, take: Callable[[str], None], environment: dict[str, str]) -> str:
    """Runs a command and hands every line that it prints to `take`.

    The answer is "" when it ended well, else what happened: an exit code, a signal, or `seconds` without a line, after
    which it and all in its session is killed.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            ended = _hand_on(process.stdout.fileno(), seconds, take)
            code = process.wait(timeout=seconds if ended else 0)
        except subprocess.TimeoutExpired:
            return f"the process that graded it said nothing for {seconds:.0f} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.stdout.close()
            process.wait()
        if code == 0:
            return ""
        errors.seek(0)
        last = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"the process that graded it ended with {how}{': ' if last else ''}{''.join(last)}"


def _hand_on(descriptor: int, seconds: float, take: Callable[[str], None]) -> bool:
    """Hands on every line; whether the other side closed before it said nothing for `seconds`."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(seconds):
            content = os.read(descriptor, 65536)
            if not content:
                return True
            *lines, rest = (rest + content).split(b"\n")
            for line in lines:
                take(line.decode("utf-8", "replace"))
    return False


class Recording:
    """Runs attacks of one situation and runner in processes of their own, and writes what was seen."""

    def __init__(self, file: Path, situation: str, runner: str, image: str) -> None:
        self.file = file
        self.situation = situation
        self.runner = runner
        self.image = image
        self.layers: tuple[str, ...] = ()
        self.gained = 0
        self.done = 0

    def check(self) -> None:
        """SituationError where this machine cannot be the situation."""
        if self.situation == "container":
            for asked, problem in (
                (["info"], "no Docker daemon answers"),
                (
                    ["image", "inspect", self.image],
                    f"image {self.image!r} is not available locally; name one by --image",
                ),
            ):
                if not shutil.which("docker") or subprocess.run(["docker", *asked], capture_output=True).returncode:
                    raise SituationError(problem)
            return
        if self.situation.startswith("root") and os.geteuid() != 0:
            raise SituationError("only root can be root")
        trouble = self._grade([], lambda outcome: None)
        if trouble:
            raise SituationError(trouble)
        lacking, there = _NAMESPACES - set(self.layers), _NAMESPACES & set(self.layers)
        if self.situation.endswith("without-namespaces"):
            if there:
                raise SituationError(f"there are layers all the same: {', '.join(sorted(there))}")
        elif lacking:
            raise SituationError(f"layers are missing: {', '.join(sorted(lacking))}")

    def run(self, names: Sequence[str]) -> None:
        """Runs these attacks."""
        in_chunks(names, TOGETHER[self.runner], self._grade, self._note, at_once=self.runner in ("grade", "docker"))

    def _grade(self, names: Sequence[str], note: Callable[[Outcome], None]) -> str:
        self.code, self.commit = Code(), _commit()
        self.batch = hashlib.sha256(f"{os.getpid()} {time.time_ns()}".encode()).hexdigest()[:12]
        command = [sys.executable, __file__, "--lines", "--runner", self.runner, "--image", self.image]
        folder = tempfile.mkdtemp(prefix="attacks-")
        os.chmod(folder, 0o755)
        if "user" in self.situation.split("-") and os.geteuid() == 0:
            command += ["--as-user", str(_USER)]
            os.chown(folder, _USER, _USER)
        if self.situation.endswith("without-namespaces"):
            command.append("--without-namespaces")
        self._places = {
            folder: "<tmp>",
            str(REPOSITORY): "<repository>",
            sys.prefix: "<python>",
            sys.base_prefix: "<python>",
        }

        def take(line: str) -> None:
            content = json.loads(line)
            if isinstance(content, list):
                self.layers = tuple(content)
            else:
                parts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
                note(Outcome(**parts))

        constant, each = _SECONDS[self.runner]
        try:
            environment = {**os.environ, "TMPDIR": folder}
            return watched([*command, "--", *names], constant + each * len(names), take, environment)
        finally:
            remove(Path(folder))

    def _note(self, outcome: Outcome) -> None:
        names = {**self._places, str(Path.home()): "<home>"} if len(str(Path.home())) > 1 else self._places
        seen = Seen(
            attack=outcome.attack,
            runner=self.runner,
            situation=self.situation,
            found=tuple(attack_record.cleaned(sign, names) for sign in outcome.found),
            score=outcome.score,
            status=attack_record.cleaned(outcome.status, names),
            seconds=round(outcome.seconds, 1),
            honest=outcome.honest,
            batch=self.batch,
            layers=() if self.situation == "container" else self.layers,
            date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            commit=self.commit,
            code=self.code.digest(outcome.attack),
            machine=f"Linux {'.'.join(platform.release().split('.')[:2])}, "
            f"Python {platform.python_version()}, JAX {version('jax')}",
        )
        attack_record.append(self.file, seen)
        self.done += 1
        self.gained += not outcome.held
        if not outcome.held:
            print(
                f"{self.situation}, {self.runner}: {seen.attack}: {'; '.join(seen.found)}", file=sys.stderr, flush=True
            )


def _commit() -> str:
    def git(*command: str) -> str:
        done = subprocess.run(["git", *command], cwd=REPOSITORY, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "autograder", "tests/hostile", "student_template/adkit")
        return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "no commit"


def sampled(name: str) -> bool:
    """Whether an attack is in the sample for poorer machines: one in six, the same ones whatever is added."""
    return name in SAMPLED or hashlib.sha256(name.encode()).digest()[0] % 6 == 0


def chosen(names: Sequence[str], situation: str, runner: str, record: Sequence[Seen], everything: bool) -> list[str]:
    """The attacks that a situation and runner is to have seen: all in the table's columns; on poorer machines the
    sample and those that were never run there."""
    if everything or (situation, runner) in FULL:
        return list(names)
    before = attack_record.latest(record)
    return [name for name in names if sampled(name) or (situation, runner, name) not in before]


def missing(
    names: Sequence[str], situation: str, runner: str, record: Sequence[Seen], code: Code, since: str | None
) -> list[str]:
    """Those without an outcome for the code as it is, or from the day `since` on."""
    before = attack_record.latest(record)

    def counts(name: str) -> bool:
        seen = before.get((situation, runner, name))
        return seen is not None and (seen.code == code.digest(name) if since is None else seen.date[:10] >= since)

    return [name for name in names if not counts(name)]


def plan(places: Sequence[str] | None, runners: Sequence[str] | None) -> list[tuple[str, str]]:
    """Situations and runners to be run: what the table has, of these places and runners; or where both are chosen,
    what was chosen. `otter grade` is in containers and nothing else is."""
    table = [*FULL, *((situation, runner) for situation in POORER for runner in ("session", "grade"))]
    if places and runners:
        pairs = [(situation, runner) for situation in SITUATIONS for runner in RUNNERS]
        table = [pair for pair in pairs if (pair[0] == "container") == (pair[1] == "docker")]
    return [pair for pair in table if pair[0] in (places or SITUATIONS) and pair[1] in (runners or RUNNERS)]


def record_all(options: argparse.Namespace) -> int:
    """Runs what is missing and writes it down."""
    started = time.monotonic()
    wanted = plan(options.situation, options.runner)
    names = options.names or [attack.name for attack in ATTACKS]
    gained, run = 0, 0
    fit: set[str] = set()
    for situation, runner in wanted:
        record = attack_record.read(options.record)
        todo = names if options.names else chosen(names, situation, runner, record, options.everything)
        asked = len(todo)
        if options.resume:
            todo = missing(todo, situation, runner, record, Code(), options.since)
        recording = Recording(options.record, situation, runner, options.image)
        title = f"{SITUATIONS[situation]}, {runner}"
        if not todo:
            print(f"{title}: all {asked} are in the record", flush=True)
            continue
        try:
            if situation not in fit:
                recording.check()
            fit.add(situation)
        except SituationError as error:
            print(f"{title}: left out, {len(todo)} attacks are missing: {error}", flush=True)
            continue
        print(f"{title}: {len(todo)} of {asked} attacks", flush=True)
        since = time.monotonic()
        recording.run(todo)
        gained, run = gained + recording.gained, run + recording.done
        took = time.monotonic() - since
        print(
            f"{title}: {recording.done} outcomes in {took:.0f} s, {recording.gained} in which something was gained",
            flush=True,
        )
    print(f"{run} outcomes in {time.monotonic() - started:.0f} s, {gained} in which something was gained", flush=True)
    known = attack_record.latest(attack_record.read(options.record)).values()
    return 1 if gained or any(seen.found for seen in known if seen.attack in names) else 0


def as_lines(options: argparse.Namespace, without: set[str]) -> int:
    """Prints the layers and each outcome as a line of JSON; whatever else is printed goes to stderr."""
    with os.fdopen(os.dup(1), "w") as stream:
        os.dup2(2, 1)
        print(json.dumps(sorted(available() - without)), file=stream, flush=True)
        attacks = [BY_NAME[name] for name in options.names]
        for runner in options.runner if attacks else ():
            for outcome in outcomes(runner, attacks, without, options.image):
                print(json.dumps(dataclasses.asdict(outcome)), file=stream, flush=True)
    return 0


def main() -> int:
    """Runs and prints the table, or keeps the record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks; all of them without")
    parser.add_argument("--runner", action="append", choices=RUNNERS)
    parser.add_argument("--image", default="rig-base:latest")
    parser.add_argument("--without-namespaces", action="store_true", help="as in a container: none can be made")
    parser.add_argument("--as-user", type=int, metavar="UID", help="as this user id, not root")
    parser.add_argument("--layers", metavar="LAYER,…", help="with --runner session: no layers but these")
    keeping = parser.add_argument_group("the whole table")
    keeping.add_argument("--record", type=Path, metavar="FILE", help="add every outcome to FILE at once")
    keeping.add_argument("--situation", action="append", choices=SITUATIONS, help="without, all that can be had here")
    keeping.add_argument("--resume", action="store_true", help="leave out what FILE has for the code as it is")
    keeping.add_argument("--since", metavar="DATE", help="with --resume: what was seen from this day on counts")
    keeping.add_argument("--everything", action="store_true", help="every attack on poorer machines, too")
    keeping.add_argument("--write", action="store_true", help="put what the record says into RECORDS.md")
    parser.add_argument("--lines", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BY_NAME]:
        parser.error(f"there is no attack {', '.join(unknown)} in tests/hostile")
    if options.record is None and (options.situation or options.resume or options.everything):
        parser.error("--situation, --resume and --everything go with --record FILE")
    if options.record and (options.as_user or options.without_namespaces or options.layers):
        parser.error("with --record, a machine is chosen by --situation")
    if options.record and not plan(options.situation, options.runner):
        parser.error("otter grade (--runner docker) is in --situation container, and nothing else is")
    chosen = options.resume or options.names or options.situation or options.runner
    if options.record and not chosen and options.record.is_file() and options.record.stat().st_size:
        parser.error(f"{options.record} has outcomes already: --resume goes on; to begin anew, name another file")
    if options.since is not None:
        if not options.resume:
            parser.error("--since goes with --resume")
        try:
            date.fromisoformat(options.since)
        except ValueError:
            parser.error(f"--since takes a day such as 2026-01-31, not {options.since!r}")
    if options.layers and options.runner != ["session"]:
        parser.error("--layers goes with --runner session alone")
    if options.record or options.write:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what it started ends with it
        try:
            code = record_all(options) if options.record else 0
            if options.write:
                text = attack_record.table(attack_record.read(options.record or RECORD), ATTACKS, Code())
                PAGE.write_text(attack_record.written(PAGE.read_text("utf-8"), text), "utf-8")
        except RecordError as error:
            parser.error(str(error))
        except KeyboardInterrupt:
            print(f"stopped; --resume goes on with what {options.record} does not have", file=sys.stderr)
            return 128 + signal.SIGINT
        return code
    return print_table(options)


def print_table(options: argparse.Namespace) -> int:
    """Runs attacks in this process, or as what is to become of it, and prints the table."""
    if os.geteuid() == 0 and (options.as_user or options.without_namespaces):
        situations.reachable([Path(sys.prefix), Path(sys.base_prefix), REPOSITORY])
    if options.as_user:
        situations.as_user(options.as_user)
    if options.without_namespaces:
        situations.without_namespaces()
    without = set[str](LAYERS) - set(options.layers.split(",")) if options.layers else set[str]()
    if options.lines:
        return as_lines(options, without)
    attacks = [BY_NAME[name] for name in options.names] or list(ATTACKS)
    seen: list[Outcome] = []
    started = time.monotonic()
    for runner in options.runner or ("session", "grade"):
        for outcome in outcomes(runner, attacks, without, options.image):
            seen.append(outcome)
            if not outcome.held or sys.stderr.isatty():
                print(f"{outcome.runner}: {outcome.attack}: {outcome.found or 'held'}", file=sys.stderr, flush=True)
    print(table(seen))
    print()
    kinds = Counter(attack.kind for attack in attacks)
    print(
        f"{len(attacks)} attacks ({', '.join(f'{count} {kind}' for kind, count in kinds.items())}) "
        f"in {time.monotonic() - started:.0f} s"
    )
    print(f"layers here: {', '.join(sorted(available() - without))}")
    won = [outcome for outcome in seen if not outcome.held]
    print(f"{len(seen)} outcomes, {len(won)} in which something was gained")
    return 1 if won else 0


if __name__ == "__main__":
    sys.exit(main())
