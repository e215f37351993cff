"""The documents say what is there: names of code, files, links, commands and targets are real."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from autograder.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [
    *DOCS,
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", ".github/CLASSROOM.md")),
    ROOT / "benchmarks" / "RECORDS.md",
    ROOT / "student_template" / "README.md",
]
STUDENTS = ROOT / "student_template"
FOLDERS = {"autograder": ROOT, "reference": ROOT, "adkit": STUDENTS}
ENDINGS = {
    "csv",
    "html",
    "ipynb",
    "json",
    "jsonl",
    "lock",
    "md",
    "pkl",
    "png",
    "py",
    "sh",
    "svg",
    "toml",
    "txt",
    "yml",
    "zip",
}
PAGE_IDS = [str(page.relative_to(ROOT)) for page in PAGES]


def rooms() -> dict[str, str]:
    """What names in the documents begin with: the packages, and each room of `autograder` without its package."""
    children = {path.stem for path in (ROOT / "autograder").iterdir() if path.suffix == ".py" or path.is_dir()}
    return {name: name for name in FOLDERS} | {
        child: f"autograder.{child}" for child in children if not child.startswith("_")
    }


def names_in(text: str) -> set[str]:
    """The dotted names of code in a page, in full."""
    short = rooms()
    pattern = rf"(?<![\w./@-])({'|'.join(map(re.escape, short))})((?:\.[A-Za-z_]\w*)+)"
    found = {short[first] + rest for first, rest in re.findall(pattern, text)}
    return {name for name in found if name.rpartition(".")[2] not in ENDINGS}


@cache
def members(file: Path) -> dict[str, ast.AST | None]:
    """The names at the top level of a module: what is defined, assigned or imported there."""
    return _bound(ast.parse(file.read_text(encoding="utf-8")).body)


def _bound(body: list[ast.stmt]) -> dict[str, ast.AST | None]:
    found: dict[str, ast.AST | None] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name: None for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: None for target in targets if isinstance(target, ast.Name)}
    return found


def exists(name: str) -> bool:
    """Whether a dotted name is a package, a module, or what a module or a class of one defines."""
    first, *parts = name.split(".")
    place = FOLDERS[first] / first
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    module = place / f"{parts[0]}.py" if parts else place
    in_module = module.is_file()
    file = module if in_module else place / "__init__.py"
    parts = parts[in_module:]
    if not file.is_file():
        return False
    if name.startswith("adkit.") and len(parts) == 1 and re.search(rf'^    "{parts[0]}": "', file.read_text(), re.M):
        return True  # loaded when it is first used
    found = members(file)
    for number, part in enumerate(parts):
        if part not in found:
            return False
        node = found[part]
        if number + 1 < len(parts):
            if not isinstance(node, ast.ClassDef):
                return False
            found = _bound(node.body)
    return True


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_names_of_code_are_real(page: Path) -> None:
    names = names_in(page.read_text(encoding="utf-8"))
    assert sorted(name for name in names if not exists(name)) == []


def test_the_way_of_a_submission_is_drawn_with_names() -> None:
    drawn = re.findall(
        r"```mermaid\n(.*?)```", (ROOT / "docs" / "maintainers" / "way-of-a-submission.md").read_text(), re.DOTALL
    )
    assert len(drawn) >= 2
    assert all(names_in(drawing) for drawing in drawn)


@pytest.mark.parametrize(
    "name", ["autograder.grading.nothing", "adkit.checks.nothing", "cli.nothing", "text.for_html.x"]
)
def test_a_name_that_is_not_there_is_noticed(name: str) -> None:
    (found,) = names_in(f"as `{name}` does")
    assert not exists(found)


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_files_are_there(page: Path) -> None:
    tops = "|".join(
        re.escape(path.name) for path in ROOT.iterdir() if path.name not in ("dist", "build", "out", ".venv")
    )
    text = re.sub(r"^\| [\w-]+/[\w-]+ .*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)  # others' files
    words = [word for word in re.findall(rf"`((?:{tops})/[\w./*-]+)`", text) if "qN" not in word]
    assert [word for word in words if not any(ROOT.glob(word.rstrip("/")))] == []


def anchors(page: Path) -> set[str]:
    """What GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`]+`", "", text)
    text = re.sub(r"^ {4,}.*$", "", text, flags=re.MULTILINE)
    lost: list[str] = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_commands_and_targets_are_there(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = page.read_text(encoding="utf-8")
    code = "\n".join([*re.findall(r"^ {4,}(.*)$", text, re.MULTILINE), *re.findall(r"`([^`\n]+)`", text)])
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = set(re.findall(r"^    ([a-z-]+)(?: |$)", capsys.readouterr().out, re.MULTILINE))
    assert {"grade", "build", "otter-grade"} <= commands
    used = set(re.findall(r"(?:^|bin/)autograder ([a-z][a-z-]*)\b(?!\.)", code, re.MULTILINE))
    assert used - commands == set()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = {word for words in re.findall(r"^make((?: [a-z]+)+)", code, re.MULTILINE) for word in words.split()}
    assert made - targets == set()


def imported_rooms(file: Path) -> set[tuple[str, str]]:
    """Imports of `autograder` in a module: (room, room.module)."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "autograder":
            parts = node.module.split(".")[1:]
            names = [".".join(parts)] if len(parts) > 1 else [".".join([*parts, alias.name]) for alias in node.names]
            found |= {(name.split(".")[0], name) for name in names}
    return found


def test_no_room_imports_one_of_a_floor_above_it() -> None:
    text = (ROOT / "docs" / "maintainers" / "rooms.md").read_text()
    rows = re.findall(r"^\| (\d) \| (.+) \|$", text, re.MULTILINE)
    floors = {room: int(floor) for floor, row in rows for room in re.findall(r"`(\w+)`", row)}
    package = ROOT / "autograder"
    assert {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()} - {
        "__init__",
        "__main__",
        "__pycache__",
    } == floors.keys()
    up: set[tuple[str, str]] = set()
    for file in package.rglob("*.py"):
        module = ".".join(file.relative_to(package).with_suffix("").parts)
        room = module.split(".")[0]
        if room in floors:
            up |= {(module, name) for other, name in imported_rooms(file) if floors.get(other, 0) > floors[room]}
    assert up == set()


def test_every_decision_is_listed_and_has_its_parts() -> None:
    folder = ROOT / "docs" / "maintainers" / "decisions"
    pages = sorted(folder.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "index.md").read_text())
    assert listed == [page.name for page in pages]
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], page.name
