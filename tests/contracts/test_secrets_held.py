"""A secret is revealed where it is sent: never compared letter by letter, never put into words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = [path for path in sorted((ROOT / "opsroom").rglob("*.py")) if ".reveal()" in path.read_text(encoding="utf-8")]
BEARER = "Bearer "


def reveals(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Attribute) and one.attr == "reveal" for one in ast.walk(node))


def faults(tree: ast.AST) -> list[str]:
    """What is done with secrets that may not be."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and reveals(node):
            found.append(f"line {node.lineno}: compared; hmac.compare_digest takes the same time for every guess")
        if isinstance(node, ast.Raise) and reveals(node):
            found.append(f"line {node.lineno}: in an error")
        if isinstance(node, ast.JoinedStr) and reveals(node):
            head = node.values[0]
            if not (isinstance(head, ast.Constant) and head.value == BEARER):
                found.append(f"line {node.lineno}: in a sentence")
        called = node.func if isinstance(node, ast.Call) else None
        owner = called.value if isinstance(called, ast.Attribute) else None
        if isinstance(owner, ast.Name) and owner.id in ("log", "logging") and reveals(node):
            found.append(f"line {owner.lineno}: in the log")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_revealed_secret_is_only_sent(path: Path) -> None:
    assert faults(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "given == secret.reveal()",
        "secret.reveal() != given",
        "raise ValueError(secret.reveal())",
        'f"the token {secret.reveal()} is wrong"',
        'log.info("%s", secret.reveal())',
    ],
)
def test_what_may_not_be_done_with_a_secret_is_seen(code: str) -> None:
    assert faults(ast.parse(code))


def test_the_gates_secret_is_compared_in_constant_time() -> None:
    source = (ROOT / "opsroom" / "worker" / "gates.py").read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and reveals(node)]
    assert any(isinstance(call.func, ast.Attribute) and call.func.attr == "compare_digest" for call in calls)
