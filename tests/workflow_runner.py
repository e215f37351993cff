"""Runs a GitHub Actions workflow here: every `run:` step of every job, in order, as a runner does.

Each job has a workspace of its own, an environment from scratch, and the files by which steps speak (GITHUB_OUTPUT,
GITHUB_STEP_SUMMARY, …). The few actions that the workflows use are stood in for: checkout clones, setup-python puts an
environment on the PATH that has the packages of this one and a pip that looks nothing up twice, artefacts are copied as
the service stores them (no file modes), caches are always empty. A job can do what its `permissions:` and its secrets
allow, and no more. Everything else is an error.
"""

import fnmatch
import functools
import glob
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

STEP_SECONDS = 900
_PIP = Path(sysconfig.get_path("purelib")) / "pip"


class WorkflowError(Exception):
    """A workflow that a runner would refuse, or that does what is not stood in for."""


# --- what a step's output makes a runner do --------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """A workflow command that a runner found in a log."""

    name: str
    data: str
    properties: dict[str, str]


def commands(log: str) -> list[Command]:
    """The commands a runner obeys in a log (actions/runner, ActionCommand.cs and ActionCommandManager.cs)."""
    found: list[Command] = []
    stopped = ""
    for line in re.split(r"\r\n|\n|\r", log):
        if stopped:
            if line.strip() == f"::{stopped}::":
                stopped = ""
            continue
        text = line.lstrip()
        match, separator = re.match(r"::([^\s:]+)(?: (.*?))?::(.*)", text), ","
        if match is None:  # the older form, whose properties end with another sign
            match, separator = re.search(r"##\[(\S+?)(?: (.*?))?\](.*)", line), ";"
        if match is None:
            continue
        name, properties, data = match[1], match[2] or "", match[3]
        if name == "stop-commands":
            stopped = data
            continue
        pairs = (entry.split("=", 1) for entry in properties.split(separator) if "=" in entry)
        found.append(Command(name, _unescape(data), {key.strip(): _unescape(value) for key, value in pairs}))
    return found


def _unescape(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


# --- expressions ------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d+(?:\.\d+)?)|(==|!=|&&|\|\||[!()\[\],.])|([A-Za-z_][\w-]*|\*))")


class Expressions:
    """The part of GitHub's expression language that the workflows use."""

    def __init__(self, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self.contexts = contexts
        self.functions = functions

    def fill(self, text: Any) -> Any:
        """A value of the workflow with its expressions replaced; a lone expression keeps its type."""
        if not isinstance(text, str):
            return text
        alone = re.fullmatch(r"\s*\$\{\{(.*?)\}\}\s*", text, re.DOTALL)
        if alone and "${{" not in alone[1]:
            return self.value(alone[1])
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: self.text(self.value(match[1])), text, flags=re.DOTALL)

    @staticmethod
    def text(value: Any) -> str:
        """As it is put into a string."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return json.dumps(value) if isinstance(value, list | dict) else str(value)

    def value(self, expression: str) -> Any:
        """What an expression is."""
        self._tokens: list[str] = []
        position = 0
        expression = expression.strip()
        while position < len(expression):
            match = _TOKEN.match(expression, position)
            if match is None:
                raise WorkflowError(f"not an expression: {expression!r}")
            self._tokens.append(match[0].strip())
            position = match.end()
        value = self._or()
        if self._tokens:
            raise WorkflowError(f"not an expression: {expression!r}")
        return value

    def _next(self, *wanted: str) -> str | None:
        if self._tokens and (not wanted or self._tokens[0] in wanted):
            return self._tokens.pop(0)
        return None

    def _or(self) -> Any:
        left = self._and()
        while self._next("||"):
            right = self._and()
            left = left or right
        return left

    def _and(self) -> Any:
        left = self._equality()
        while self._next("&&"):
            right = self._equality()
            left = left and right
        return left

    def _equality(self) -> Any:
        left = self._unary()
        while operator := self._next("==", "!="):
            right = self._unary()
            same = left == right or (left in (None, "") and right in (None, ""))
            left = same if operator == "==" else not same
        return left

    def _unary(self) -> Any:
        if self._next("!"):
            return not self._unary()
        token = self._next()
        if token is None:
            raise WorkflowError("an expression ends early")
        if token == "(":
            value = self._or()
            self._next(")")
            return value
        if token[0] == "'":
            return token[1:-1].replace("''", "'")
        if token[0].isdigit():
            return float(token)
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        if self._next("("):
            arguments: list[Any] = []
            while not self._next(")"):
                arguments.append(self._or())
                self._next(",")
            if token not in self.functions:
                raise WorkflowError(f"unknown function {token}()")
            return self.functions[token](*arguments)
        if token not in self.contexts:
            raise WorkflowError(f"unknown context {token!r}")
        value = self.contexts[token]
        while operator := self._next(".", "["):
            key = self._next() if operator == "." else self._or()
            if operator == "[":
                self._next("]")
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


# --- jobs -------------------------------------------------------------------------------------------------------


@dataclass
class Step:
    """A step that was run."""

    name: str
    exit_code: int
    log: str
    skipped: bool = False


@dataclass
class Job:
    """A job that was run, of a matrix one for each combination."""

    name: str
    workspace: Path
    result: str = "success"
    steps: list[Step] = field(default_factory=list[Step])
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    summary: str = ""

    @property
    def log(self) -> str:
        """Everything the steps printed."""
        return "".join(f"--- {step.name} (exit code {step.exit_code})\n{step.log}\n" for step in self.steps)

    @property
    def commands(self) -> list[Command]:
        """What a runner would obey in it."""
        return [command for step in self.steps for command in commands(step.log)]


@dataclass
class Run:
    """A workflow that was run."""

    jobs: dict[str, list[Job]] = field(default_factory=dict[str, list[Job]])
    artifacts: dict[str, Path] = field(default_factory=dict[str, Path])

    @property
    def ok(self) -> bool:
        """Whether GitHub would show it green."""
        return all(job.result in ("success", "skipped") for jobs in self.jobs.values() for job in jobs)

    @property
    def log(self) -> str:
        """Everything, for a failing test's message."""
        return "\n".join(f"=== {job.name}: {job.result}\n{job.log}" for jobs in self.jobs.values() for job in jobs)


class Runner:
    """A place for runs of one repository's workflows."""

    def __init__(
        self,
        repository: Path,
        folder: Path,
        *,
        server_url: str = "file:///nowhere",
        api_url: str = "http://127.0.0.1:9",
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        checked_out: Callable[[Path], None] | None = None,
    ) -> None:
        self.repository = repository
        self.folder = folder
        self.server_url = server_url
        self.api_url = api_url
        self.secrets = dict(secrets or {})
        self.variables = dict(variables or {})
        self.extra = dict(environment or {})
        self.checked_out = checked_out
        """Called with each checkout's folder: for what a job would make there in minutes."""
        folder.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        workflow: str,
        event: str,
        inputs: Mapping[str, Any] | None = None,
        artifacts: Mapping[str, Path] | None = None,
        jobs: Container[str] | None = None,
        whole_matrix: bool = True,
    ) -> Run:
        """Runs `.github/workflows/<workflow>` as it stands in the repository's newest commit.

        artifacts: what earlier jobs of a calling workflow uploaded, by name (folders).
        jobs: those that are run, where not all are of interest; the others are not even skipped.
        whole_matrix: False runs a job for the first of its matrix's combinations only.
        """
        source = git(self.repository, "show", f"HEAD:.github/workflows/{workflow}")
        document: dict[Any, Any] = yaml.safe_load(source)
        triggers = document[True]  # YAML 1.1 reads `on` as a boolean
        if not isinstance(triggers, dict):
            triggers = dict.fromkeys(_list(triggers), None)
        if event not in triggers:
            raise WorkflowError(f"{workflow} is not started by {event}")
        self._document = document
        self._whole_matrix = whole_matrix
        self._inputs = _inputs((triggers[event] or {}).get("inputs", {}), inputs or {})
        self._event = event
        run = Run(artifacts=dict(artifacts or {}))
        waiting = {name: job for name, job in document["jobs"].items() if jobs is None or name in jobs}
        while waiting:
            name = next(name for name, job in waiting.items() if not set(_list(job.get("needs"))) & set(waiting))
            run.jobs[name] = list(self._jobs(name, waiting.pop(name), run))
        return run

    def _jobs(self, name: str, job: dict[str, Any], run: Run) -> Iterator[Job]:
        needs = {
            other: {"result": _worst(run.jobs[other]), "outputs": run.jobs[other][0].outputs if run.jobs[other] else {}}
            for other in _list(job.get("needs"))
        }
        wanted = job.get("if", "success()")
        results = [need["result"] for need in needs.values()]
        contexts = self._contexts(needs=needs)
        functions = _functions(lambda: all(result == "success" for result in results))
        if not Expressions(contexts, functions).value(re.sub(r"^\$\{\{|\}\}$", "", str(wanted).strip())):
            yield Job(name, self.folder, "skipped")
            return
        matrix = (job.get("strategy") or {}).get("matrix") or {}
        matrix = {key: Expressions(contexts, functions).fill(values) for key, values in matrix.items()}
        for combination in itertools.islice(itertools.product(*matrix.values()), None if self._whole_matrix else 1):
            chosen = dict(zip(matrix, combination, strict=True))
            yield self._job(name, job, {**contexts, "matrix": chosen}, run)

    def _job(self, name: str, job: dict[str, Any], contexts: dict[str, Any], run: Run) -> Job:
        place = self.folder / f"{len(list(self.folder.iterdir()))}-{name}"
        workspace, temporary = place / "work", place / "temp"
        workspace.mkdir(parents=True)
        temporary.mkdir()
        done = Job(name, workspace)
        permissions = job.get("permissions", self._document.get("permissions"))
        if permissions is None:
            raise WorkflowError(f"{name}: no permissions are set, so it would get the repository's default")
        steps: dict[str, Any] = {}
        environment = {
            "PATH": os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(place),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_SERVER_URL": self.server_url,
            "GITHUB_API_URL": self.api_url,
            "GITHUB_REPOSITORY": "course/private",
            "RUNNER_TEMP": str(temporary),
            "RUNNER_OS": "Linux",
            **self.extra,
        }
        contexts = {**contexts, "steps": steps, "runner": {"temp": str(temporary), "os": "Linux"}}
        failed = False
        for number, step in enumerate(job["steps"]):
            functions = _functions(lambda: not failed) | {"hashFiles": lambda *patterns: "0" * 64}  # noqa: B023
            whole = {**contexts, "env": {**(self._document.get("env") or {}), **(job.get("env") or {})}}
            expressions = Expressions(whole, functions)
            label = str(expressions.fill(step.get("name", step.get("uses", f"step {number}"))))
            condition = str(step.get("if", "success()")).strip()
            condition = re.sub(r"^\$\{\{|\}\}$", "", condition).strip()
            if "cancelled()" not in condition and "always()" not in condition and "success()" not in condition:
                condition = f"success() && ({condition})"
            if not expressions.value(condition):
                done.steps.append(Step(label, 0, "", skipped=True))
                continue
            own: dict[str, Any] = {}
            for block in (self._document.get("env"), job.get("env"), step.get("env")):
                own |= {key: Expressions.text(expressions.fill(value)) for key, value in (block or {}).items()}
            try:
                if "uses" in step:
                    settings = {key: expressions.fill(value) for key, value in (step.get("with") or {}).items()}
                    self._use(step["uses"].split("@")[0], settings, done, environment, permissions, run)
                    done.steps.append(Step(label, 0, ""))
                else:
                    failed |= self._script(label, step, number, done, environment, own, steps, temporary)
            except WorkflowError as error:
                done.steps.append(Step(label, 1, str(error)))
                failed = True
        done.result = "failure" if failed else "success"
        outputs = Expressions({**contexts, "env": {}}, _functions(lambda: True))
        done.outputs = {key: Expressions.text(outputs.fill(value)) for key, value in (job.get("outputs") or {}).items()}
        return done

    def _script(
        self,
        label: str,
        step: dict[str, Any],
        number: int,
        done: Job,
        environment: dict[str, str],
        own: dict[str, str],
        steps: dict[str, Any],
        temporary: Path,
    ) -> bool:
        if "${{" in step["run"]:
            raise WorkflowError(f"{label}: an expression in a script is an injection; pass it in env")
        files = {name: temporary / f"{name}-{number}" for name in ("OUTPUT", "STEP_SUMMARY", "ENV", "PATH", "STATE")}
        for file in files.values():
            file.touch()
        script = temporary / f"step-{number}.sh"
        script.write_text(step["run"])
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        process = subprocess.run(
            shell,
            cwd=done.workspace / step.get("working-directory", "."),
            env={**environment, **own, **{f"GITHUB_{name}": str(file) for name, file in files.items()}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=STEP_SECONDS,
        )
        log = process.stdout.decode("utf-8", "replace")
        done.steps.append(Step(label, process.returncode, log))
        done.summary += files["STEP_SUMMARY"].read_text()
        lines = files["OUTPUT"].read_text().splitlines()
        steps[step.get("id", f"step-{number}")] = {"outputs": dict(line.split("=", 1) for line in lines)}
        environment |= dict(line.split("=", 1) for line in files["ENV"].read_text().splitlines())
        return process.returncode != 0

    def _use(
        self,
        action: str,
        settings: dict[str, Any],
        job: Job,
        environment: dict[str, str],
        permissions: Mapping[str, str],
        run: Run,
    ) -> None:
        match action:
            case "actions/checkout":
                if permissions.get("contents") not in ("read", "write"):
                    raise WorkflowError("checkout of a private repository needs contents: read")
                if settings.get("persist-credentials") is not False:
                    raise WorkflowError("checkout leaves the token in .git/config")
                target = job.workspace / settings.get("path", ".")
                git(self.folder, "clone", "--quiet", f"file://{self.repository}", str(target))
                if settings.get("ref"):
                    git(target, "checkout", "--quiet", settings["ref"])
                if self.checked_out is not None:
                    self.checked_out(target)
            case "actions/setup-python":
                python = make_environment(Path(environment["RUNNER_TEMP"]) / "python")
                environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
                # Nothing is downloaded: what is asked for is there, and the course is installed without isolation
                environment |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false"}
                environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
                remember_pip(python)
                environment |= {"WORKFLOW_INSTALLED": _installed().name, "WORKFLOW_PIP": str(_PIP)}
            case "actions/cache" | "actions/cache/restore":
                if "key" not in settings:
                    raise WorkflowError("a cache without a key")
            case "actions/upload-artifact":
                self._upload(settings, job, run)
            case "actions/download-artifact":
                self._download(settings, job, run)
            case _:
                raise WorkflowError(f"nothing stands in for {action}")

    def _upload(self, settings: dict[str, Any], job: Job, run: Run) -> None:
        name = settings["name"]
        if name in run.artifacts:
            raise WorkflowError(f"an artefact called {name} is there already")
        found = [
            Path(match)
            for pattern in settings["path"].split()
            for match in sorted(glob.glob(str(job.workspace / pattern), recursive=True))
        ]
        if not found:
            raise WorkflowError(f"nothing to upload at {settings['path']}")
        root = Path(os.path.commonpath(found))
        root = root if len(found) == 1 and root.is_dir() else root.parent if len(found) == 1 else root
        target = self.folder / "artifacts" / f"{len(run.artifacts)}"
        for entry in found:
            for file in [entry, *entry.rglob("*")] if entry.is_dir() else [entry]:
                relative = file.relative_to(root)
                if any(part.startswith(".") for part in relative.parts) or not file.is_file():
                    continue
                if set(str(relative)) & set('":<>|*?\r\n\\'):
                    raise WorkflowError(f"{relative} has a character that no artefact may have")
                (target / relative).parent.mkdir(parents=True, exist_ok=True)
                (target / relative).write_bytes(file.read_bytes())  # without its mode
        run.artifacts[name] = target

    def _download(self, settings: dict[str, Any], job: Job, run: Run) -> None:
        target = job.workspace / settings.get("path", ".")
        if "name" in settings:
            if settings["name"] not in run.artifacts:
                raise WorkflowError(f"there is no artefact {settings['name']}")
            shutil.copytree(run.artifacts[settings["name"]], target, dirs_exist_ok=True)
            return
        for name in fnmatch.filter(run.artifacts, settings["pattern"]):
            shutil.copytree(run.artifacts[name], target / name, dirs_exist_ok=True)

    def _contexts(self, needs: dict[str, Any]) -> dict[str, Any]:
        return {
            "inputs": self._inputs,
            "needs": needs,
            "vars": self.variables,
            "secrets": self.secrets,
            "github": {"ref": "refs/heads/main", "event_name": self._event, "repository": "course/private"},
        }


def make_environment(folder: Path) -> Path:
    """A virtual environment that also has the packages of the running one; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (own / "parent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for tool in ("ruff", "pyright"):
        there = Path(sys.executable).parent / tool
        if there.exists():
            (folder / "bin" / tool).symlink_to(there)
    return python


def remember_pip(python: Path) -> None:
    """Puts remembered_pip in pip's place in an environment."""
    [own] = (python.parent.parent / "lib").glob("python*/site-packages")
    (own / "pip").mkdir()
    (own / "pip" / "__init__.py").touch()
    shutil.copy(Path(__file__).with_name("remembered_pip.py"), own / "pip" / "__main__.py")


@functools.cache
def _installed() -> "tempfile.TemporaryDirectory[str]":
    """Where remembered_pip keeps what pip has installed: for all runs of this process."""
    return tempfile.TemporaryDirectory(prefix="installed-")


def git(folder: Path, *arguments: str) -> str:
    """Runs git in a folder, as somebody and without the machine's settings; what it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "course@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise WorkflowError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def commit(folder: Path, message: str = "a commit") -> None:
    """Commits everything in a folder, making it a repository first."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)


def _inputs(declared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(given) - set(declared)
    if unknown:
        raise WorkflowError(f"unknown inputs: {', '.join(sorted(unknown))}")
    missing = [name for name, entry in declared.items() if entry.get("required") and name not in given]
    if missing:
        raise WorkflowError(f"missing inputs: {', '.join(missing)}")
    return {name: given.get(name, entry.get("default")) for name, entry in declared.items()}


def _functions(succeeded: Callable[[], bool]) -> dict[str, Callable[..., Any]]:
    return {
        "success": succeeded,
        "failure": lambda: not succeeded(),
        "always": lambda: True,
        "cancelled": lambda: False,
        "fromJSON": json.loads,
    }


def _worst(jobs: list[Job]) -> str:
    results = {job.result for job in jobs}
    return "failure" if "failure" in results else "success" if results == {"success"} else "skipped"


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
