"""What the workflows say: valid, least privileges, pinned, and no secret near students' code."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = [
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    *sorted((ROOT / "student_template" / ".github" / "workflows").glob("*.yml")),
]


def load(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs() -> list[Any]:
    return [
        pytest.param(load(path), job, id=f"{path.stem}-{name}")
        for path in WORKFLOWS
        for name, job in load(path)["jobs"].items()
    ]


def test_every_workflow_is_known_here() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "grade", "links", "release", "check"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_valid_by_githubs_schema(path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_security_linter_finds_nothing_in_a_workflow(path: Path) -> None:
    command = [Path(sys.executable).with_name("zizmor"), "--offline", "--persona", "pedantic", "--no-config", path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_with_their_version_beside_it(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert lines
    for line in lines:
        assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_one_action_has_one_version_everywhere() -> None:
    used: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for action, rest in re.findall(r"uses: (\w+/[\w-]+)[\w/-]*@(.+)", path.read_text()):
            used.setdefault(action, set()).add(rest)
    assert {action: versions for action, versions in used.items() if len(versions) > 1} == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_starts_with_reading_at_most(path: Path) -> None:
    assert load(path)["permissions"] in ({}, {"contents": "read"})


@pytest.mark.parametrize(("workflow", "job"), jobs())
def test_a_job_may_do_no_more_than_read_and_not_for_ever(workflow: dict[Any, Any], job: dict[str, Any]) -> None:
    assert job.get("permissions", workflow["permissions"]) in ({}, {"contents": "read"})
    assert 0 < job["timeout-minutes"] <= 360


@pytest.mark.parametrize(("workflow", "job"), jobs())
def test_no_expression_is_put_into_a_script(workflow: dict[Any, Any], job: dict[str, Any]) -> None:
    assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize(("workflow", "job"), jobs())
def test_checkout_leaves_no_token_behind(workflow: dict[Any, Any], job: dict[str, Any]) -> None:
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_no_workflow_is_started_by_a_pull_request_with_the_repositorys_rights() -> None:
    for path in WORKFLOWS:
        assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(load(path)[True])


def test_jobs_with_students_code_hold_no_secret_and_a_token_that_may_do_nothing() -> None:
    for name in ("grade", "merge"):
        job = load(ROOT / ".github" / "workflows" / "grade.yml")["jobs"][name]
        assert job["permissions"] == {}
        assert not re.search(r"secrets|github\.token|GITHUB_TOKEN", str(job))
        assert "checkout" not in str(job["steps"])


def test_jobs_with_students_code_write_no_cache_that_others_would_trust() -> None:
    for name in ("grade", "merge"):
        job = load(ROOT / ".github" / "workflows" / "grade.yml")["jobs"][name]
        assert not any(step.get("uses", "").startswith("actions/cache@") for step in job["steps"])
        assert not any("cache" in (step.get("with") or {}) for step in job["steps"])


def test_the_token_for_students_repositories_is_seen_by_one_step_only() -> None:
    text = (ROOT / ".github" / "workflows" / "grade.yml").read_text()
    assert text.count("secrets.STUDENTS_TOKEN") == 1
    steps = load(ROOT / ".github" / "workflows" / "grade.yml")["jobs"]["collect"]["steps"]
    holding = [step["name"] for step in steps if "STUDENTS_TOKEN" in str(step)]
    assert holding == ["Students' repositories"]


def test_by_hand_and_from_another_workflow_take_the_same_inputs_but_for_an_artefact() -> None:
    triggers = load(ROOT / ".github" / "workflows" / "grade.yml")[True]
    by_hand, called = triggers["workflow_dispatch"]["inputs"], triggers["workflow_call"]["inputs"]
    assert set(called) - set(by_hand) == {"artifact"}
    for name, entry in by_hand.items():
        assert (entry["type"], entry.get("default")) == (called[name]["type"], called[name].get("default"))


def test_students_are_given_no_way_to_hidden_tests() -> None:
    text = (ROOT / "student_template" / ".github" / "workflows" / "check.yml").read_text()
    assert "secrets" not in text
    assert "autograder" not in text


def test_the_command_that_ci_runs_is_the_one_people_run() -> None:
    steps = [
        step.get("run", "")
        for job in load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"].values()
        for step in job["steps"]
    ]
    assert any(step.startswith("make lint") for step in steps)
    assert any(step.startswith("make test") for step in steps)
    assert any("autograder build --check" in step for step in steps)
