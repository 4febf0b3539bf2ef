"""The house's rules as tests: sizes, docstrings, rooms, and what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "opsroom"
MODULES = sorted(PACKAGE.rglob("*.py"))

HEAVY = ("kubernetes", "numpy", "scipy", "sklearn", "keyring", "prometheus_api_client", "textual", "rich", "httpx")
OWNERS = {
    "kubernetes": ("kube",),
    "textual": ("ui",),
    "rich": ("ui",),
    "numpy": ("sources", "analysis", "worker", "simulator"),
    "scipy": ("analysis",),
    "sklearn": ("analysis",),
    "prometheus_api_client": ("sources",),
    "keyring": ("config",),
}
FORBIDDEN_NAMES = ("utils", "helpers", "managers", "common", "misc")
LIMITS = {"opsroom/ui/app.py": 250}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_is_for_one_thing(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LIMITS.get(name_of(path), 400)
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_package_is_imported_in_its_room_only(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            assert node.level == 0, "imports are absolute"
        for name in names:
            rooms = OWNERS.get(name.partition(".")[0])
            assert rooms is None or room in rooms, f"{name} belongs to {rooms}"


def loaded_by(module: str) -> set[str]:
    """Top-level packages in ``sys.modules`` after a fresh interpreter imported ``module``."""
    code = f"import {module}, sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(run.stdout.split())


def test_the_command_line_costs_nothing_to_import() -> None:
    assert not loaded_by("opsroom.cli") & {*HEAVY, "asyncio", "msgspec"}


def test_the_board_never_loads_a_cluster_client_or_a_number_cruncher() -> None:
    heavy = set(HEAVY) - {"textual", "rich"}
    assert not loaded_by("opsroom.ui.app") & (heavy | {"starlette", "uvicorn"})


def test_the_top_level_holds_what_was_agreed() -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=False, cwd=ROOT).stdout.split(
        "\n"
    )
    top = {line.partition("/")[0] for line in tracked if line}
    plain = {name for name in top if not name.startswith(".")}
    assert plain <= {"pyproject.toml", "opsroom", "tests", "themes", "README.md", "CHANGELOG.md"}
