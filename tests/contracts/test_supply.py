"""What is installed and what code may do: everything CI installs is hashed, and nothing of ours runs foreign code."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "opsroom").rglob("*.py"))
LOCK = ROOT / ".ci" / "requirements.txt"


UNSAFE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "runpy", "code", "pty"}
FORBIDDEN = {
    *(("os", "system"), ("os", "popen"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput")),
    *(("asyncio", "create_subprocess_shell"), ("yaml", "load"), ("yaml", "unsafe_load"), ("yaml", "full_load")),
    *(("builtins", "eval"), ("builtins", "exec"), ("ssl", "_create_unverified_context")),
}


def spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: Path = LOCK) -> dict[str, str]:
    """Name to the text of its entry."""
    entries = re.split(r"\n(?=[a-zA-Z0-9])", lock.read_text(encoding="utf-8"))
    return {spelled(entry.partition("==")[0]): entry for entry in entries if not entry.startswith("#")}


@pytest.mark.skipif(not LOCK.is_file(), reason="this is not a checkout")
def test_everything_that_ci_installs_is_at_one_version_with_hashes() -> None:
    for lock, least in ((LOCK, 30), (LOCK.with_name("audit.txt"), 10)):
        found = locked(lock)
        assert len(found) > least
        assert all(re.match(r"[\w.-]+==[\w.+]+", entry) and "--hash=sha256:" in entry for entry in found.values())


KNOWN = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
FLAW = {"name": "h11", "version": "0.16.0", "vulns": [{"id": "PYSEC-2099-1", "fix_versions": ["0.17"], "aliases": []}]}
UNKNOWN = {"name": "opsroom-nobody", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.skipif(not LOCK.is_file(), reason="this is not a checkout")
@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        ([KNOWN, FLAW], 1, "VULNERABLE h11 0.16.0: PYSEC-2099-1, mended in 0.17\n"),
        ([KNOWN], 0, "audited 1 packages, 0 known vulnerabilities\n"),
        ([KNOWN, UNKNOWN], 0, "NOT AUDITED, unknown to the service: opsroom-nobody\n"),
        ([UNKNOWN, FLAW], 1, "VULNERABLE h11"),
        ([UNKNOWN], 0, "NOT AUDITED: the advisory service that answers here knows none of our packages\n"),
        (None, 0, "NOT AUDITED: the advisory service cannot be reached from here\n"),
    ],
    ids=["a flaw", "none", "one unknown", "a flaw beside an unknown", "all unknown", "no service"],
)
def test_a_known_vulnerability_fails_and_what_was_not_audited_is_said(report: Any, code: int, words: str) -> None:
    text = "" if report is None else json.dumps({"dependencies": report, "fixes": []})
    audit = [sys.executable, str(LOCK.with_name("audit.py")), "--judge"]
    run = subprocess.run(audit, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (code, "")
    assert words in run.stdout


@pytest.mark.skipif(not LOCK.is_file(), reason="this is not a checkout")
def test_ci_audits() -> None:
    assert "\npython3 .ci/audit.py\n" in LOCK.with_name("run").read_text(encoding="utf-8")


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
            assert not {name.partition(".")[0] for name in names} & UNSAFE
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in FORBIDDEN


IMPORT_ALL = """
import importlib, pkgutil, sys

done = []
def look(event, told):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "urllib.Request"):
        done.append((event, str(told[1:2])))
    if event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "pty.spawn"):
        done.append((event, str(told[:2])))

sys.addaudithook(look)
import opsroom
for module in pkgutil.walk_packages(opsroom.__path__, "opsroom."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("opsroom.")]))
sys.exit(str(done) if done else 0)
"""


def test_importing_speaks_to_nobody_and_starts_nothing() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False, timeout=100, cwd=ROOT
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert int(run.stdout) >= len(MODULES) - 10
