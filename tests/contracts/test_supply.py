"""What is installed and what code may do: everything CI installs is hashed, and nothing of ours runs foreign code."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "opsroom").rglob("*.py"))
LOCK = ROOT / ".ci" / "requirements.txt"


def spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    """Name to the text of its entry."""
    entries = re.split(r"\n(?=[a-zA-Z0-9])", LOCK.read_text(encoding="utf-8"))
    return {spelled(entry.partition("==")[0]): entry for entry in entries if not entry.startswith("#")}


@pytest.mark.skipif(not LOCK.is_file(), reason="this is not a checkout")
def test_everything_that_ci_installs_is_at_one_version_with_hashes() -> None:
    found = locked()
    assert len(found) > 30
    assert all(re.match(r"[\w.-]+==[\w.+]+", entry) and "--hash=sha256:" in entry for entry in found.values())


@pytest.mark.skipif(not LOCK.is_file(), reason="this is not a checkout")
def test_every_dependency_of_ours_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["test"], *extras["dev"]]
    names = {spelled(re.split(r"[^\w.-]", one)[0]) for one in asked} - {"opsroom"}
    assert names <= locked().keys(), "run .ci/lock"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_is_made_of_data_and_no_shell_is_started(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "compile", "__import__")
        if isinstance(node, ast.keyword) and node.arg == "shell":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert not {name.partition(".")[0] for name in names} & {"pickle", "marshal", "shelve", "dill"}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in (("os", "system"), ("os", "popen"), ("yaml", "load"))
