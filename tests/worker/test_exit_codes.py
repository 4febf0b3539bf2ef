"""One meaning for each exit code: in the code, in ``--help``, in the README, and in what commands end with."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

from opsroom import errors
from opsroom.cli import main
from opsroom.cli.parser import build
from opsroom.errors import EXIT_CODES, OpsroomError

README = Path(__file__).parents[2] / "README.md"


def test_every_error_ends_in_a_code_that_is_explained() -> None:
    found = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, OpsroomError)]
    assert len(found) > 8
    assert {one.exit_code for one in found} == set(EXIT_CODES) - {0, 130}


def test_help_and_readme_say_the_same() -> None:
    text = " ".join(build().format_help().split())
    readme = README.read_text(encoding="utf-8")
    for code, words in EXIT_CODES.items():
        assert f"{code} {words}" in text
        assert f"\n| {code} | {words} |\n" in readme


@pytest.mark.parametrize(
    ("kubeconfig", "code", "words"),
    [
        ("", 2, "no kubeconfig at"),
        ("no yaml: [", 2, "opsroom: "),
        (
            '{"clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:9"}}],"current-context":"c",'
            '"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],"users":[{"name":"u","user":{"token":"t"}}]}',
            5,
            "127.0.0.1:9",
        ),
    ],
    ids=["no kubeconfig", "a broken one", "nobody answers"],
)
def test_a_cluster_that_cannot_be_had_is_wrong_configuration_or_unreachable(
    run_in_here: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], kubeconfig: str, code: int, words: str
) -> None:
    file = tmp_path / "config"
    if kubeconfig:
        file.write_text(kubeconfig)

    async def run() -> int:
        async with run_in_here(file) as worker:
            board = worker.client.board
            await worker.until(lambda: board.room is not None and any(s.error for s in board.room.sources), 60)
            feed = str(worker.client.address)
            return await asyncio.to_thread(main, ["ls", "--feed", feed, "--config", str(_settings(tmp_path))])

    assert asyncio.run(run()) == code
    assert words in capsys.readouterr().err


def _settings(folder: Path) -> Path:
    file = folder / "opsroom.toml"
    file.write_text("")
    return file


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["ls", "--nonsense"], 2),
        (["show"], 2),
        (["ls", "--config", "/nowhere/opsroom.toml"], 2),
        (["worker", "--listen", "nonsense"], 2),
        (["worker", "--policy", "/nowhere/policy.toml"], 2),
        (["ls", "--feed", "nonsense"], 2),
        (["ls", "--feed", "http://127.0.0.1:9"], 5),
        (["promote", "x", "--yes", "--read-only", "--feed", "unix:/nowhere/w.sock"], 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_commands_end_in_the_code_of_what_is_wrong(
    command: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    assert main(command) == code
