"""The budgets and rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
SOURCE_FOLDERS: Final = ("daybook", "flows", "tasks", "deployments")
FILE_LINES_MAX: Final = 500
FUNCTION_LINES_MAX: Final = 70
FLOW_LINES_MAX: Final = 60
TASK_LINES_MAX: Final = 25
SUPPRESSIONS_PER_1000_LINES_MAX: Final = 3.0
VAGUE_WORDS: Final = frozenset({"util", "utils", "helper", "helpers", "manager", "handler", "misc"})
VAGUE_NAMES: Final = frozenset({"common", "base", "data", "process", "core"}) | VAGUE_WORDS

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> list[Path]:
    """Every Python file of these folders, migrations apart: they are written once by Alembic."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "versions" not in path.parts
    )


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: Function) -> int:
    """From `def` to the last line."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_decorated(node: Function, name: str) -> bool:
    """Whether `@name` or `@name(...)` stands above it."""
    return any(
        re.fullmatch(rf"{name}(\(.*\))?", ast.unparse(one), re.DOTALL)
        for one in node.decorator_list
    )


def named(path: Path) -> str:
    """The path as it reads in a message."""
    return path.relative_to(ROOT).as_posix()


def test_files_are_short_enough_to_read() -> None:
    """No file, test or source, is longer than the budget."""
    long = {
        named(path): lines
        for path in sources(*SOURCE_FOLDERS, "tests")
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert {} == long


def test_functions_are_short_enough_to_hold_in_mind() -> None:
    """No function is longer than the budget."""
    long = {
        f"{named(path)}:{node.lineno} {node.name}": length(node)
        for path in sources(*SOURCE_FOLDERS, "tests")
        for node in functions(path)
        if length(node) > FUNCTION_LINES_MAX
    }
    assert {} == long


@pytest.mark.parametrize(
    ("folder", "decorator", "longest"),
    [("flows", "flow", FLOW_LINES_MAX), ("tasks", "step", TASK_LINES_MAX)],
)
def test_flows_and_tasks_are_thin(folder: str, decorator: str, longest: int) -> None:
    """What Prefect runs only says what runs; the work is in the library."""
    bodies = {
        f"{named(path)} {node.name}": length(node)
        for path in sources(folder)
        for node in functions(path)
        if is_decorated(node, decorator)
    }
    assert bodies
    assert {} == {name: lines for name, lines in bodies.items() if lines > longest}


@pytest.mark.parametrize("folder", ["flows", "tasks"])
def test_flows_and_tasks_leave_adapters_to_the_library(folder: str) -> None:
    """No pandas, httpx or SQLAlchemy where Prefect runs things."""
    text = "\n".join(path.read_text() for path in sources(folder))
    assert [] == re.findall(r"^\s*(?:from|import) (pandas|httpx|sqlalchemy)\b", text, re.MULTILINE)


def test_no_flow_or_task_module_shadows_a_package() -> None:
    """Prefect may put `flows/` first on the path: a module there must not hide a package."""
    known = set(sys.stdlib_module_names) | set(packages_distributions())
    stems = {path.stem for folder in ("flows", "tasks") for path in sources(folder)}
    assert set() == (stems - {"__init__"}) & known


def test_module_names_say_something() -> None:
    """No module is named after nothing in particular."""
    vague = [
        named(path)
        for path in sources(*SOURCE_FOLDERS)
        if path.stem in VAGUE_NAMES or VAGUE_WORDS & set(path.stem.split("_"))
    ]
    assert [] == vague


def test_packages_say_what_they_are() -> None:
    """Every folder of source is explained by the first line of its package."""
    mute = [
        named(path)
        for path in sources(*SOURCE_FOLDERS)
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert [] == mute


def test_suppressions_are_rare() -> None:
    """`noqa` and `type: ignore` stay under the budget, and each says why."""
    lines = [line for path in sources(*SOURCE_FOLDERS) for line in path.read_text().splitlines()]
    suppressed = [line for line in lines if re.search(r"#\s*(noqa|type: ignore)", line)]
    annotations = [line for line in suppressed if "TC00" in line]
    reason = re.compile(r"(noqa: [A-Z0-9, ]*[0-9]|ignore\[[^]]+\])[\s#-]+\w")
    unexplained = [line for line in suppressed if not reason.search(line)]
    assert [] == unexplained
    judged = len(suppressed) - len(annotations)
    assert judged * 1000 / len(lines) <= SUPPRESSIONS_PER_1000_LINES_MAX


def test_no_float_is_made_of_an_amount() -> None:
    """`float(` appears nowhere near money: amounts are integers or Decimal."""
    floats = [
        f"{named(path)}:{node.lineno}"
        for path in sources("daybook", "flows", "tasks")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"float", "np.float64"}
    ]
    assert [] == floats


def test_lock_files_hold_versions_and_hashes_alone() -> None:
    """No address and no option: where packages come from is each machine's own setting."""
    line = re.compile(r"[A-Za-z0-9._-]+==[^ ]+( ;[^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    odd = [
        text
        for path in ROOT.glob("*.lock")
        for text in path.read_text().splitlines()
        if not line.fullmatch(text)
    ]
    assert [] == odd


def test_no_file_carries_a_path_of_this_machine() -> None:
    """What is written here works anywhere."""
    files = [*sources(*SOURCE_FOLDERS, "tests"), *ROOT.glob("*.toml"), *ROOT.glob("docs/**/*.md")]
    # A checkout may lie in `/daybook`, and `tests/daybook/` is no path of the machine.
    ours = re.compile(rf"(?<![\w.}}/-]){re.escape(str(ROOT))}/")
    assert [] == [named(path) for path in files if ours.search(path.read_text())]
