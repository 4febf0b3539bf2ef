"""The command line as its users meet it: options in either place, errors in one sentence, the right exit code."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import pytest

from opsroom.cli import main, own_worker
from opsroom.cli.children import command
from opsroom.cli.options import settings_for
from opsroom.cli.own_worker import common_words, current_context, identity
from opsroom.cli.parser import APART, build
from opsroom.cli.processes import _say_hello
from opsroom.errors import UsageError


def parsed(line: str) -> argparse.Namespace:
    return build().parse_args(line.split())


@pytest.mark.parametrize(
    "line", ["--context prod -n a ls -n b", "ls --context prod -n a -n b", "-n a -n b ls --context prod"]
)
def test_common_options_may_stand_on_either_side(line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    settings = settings_for(parsed(line))
    assert settings.context == "prod"
    assert settings.namespaces == ("a", "b")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("nonsense", "invalid choice"),
        ("ls --outptu json", "unrecognized arguments"),
        ("worker --mode sometimes", "invalid choice"),
        ("promote", "NAME"),
        ("demo --seed seven", "invalid int value"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(line: str, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    said = capsys.readouterr().err
    assert said.startswith("opsroom: ")
    assert not said.startswith("opsroom: opsroom")
    assert what in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("demo --services 0", "--services"),
        ("demo --change-rate 0", "--change-rate"),
        ("demo --headless -1", "--headless"),
        ("--config /nowhere/x.toml ls", "/nowhere/x.toml"),
        ("--policy /nowhere/p.toml ls", "/nowhere/p.toml"),
        ("ls -n Shop_EU", "'Shop_EU' is no name of a namespace"),
    ],
)
def test_wrong_values_are_named(line: str, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    assert what in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["ls", "--context", "prod\udcff"], "is no text"),
        (["ls", "-n", "shop", "-n", "\udcff"], "is no text"),
        (["promote", "\udcff"], "name is no text"),
    ],
)
def test_bytes_that_are_no_text_are_refused(words: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert what in capsys.readouterr().err


def test_a_reason_is_one_printable_line_before_anybody_else_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def run(arguments: argparse.Namespace) -> int:
        taken.append(arguments.reason)
        return 0

    monkeypatch.setattr("opsroom.cli.queue.run", run)
    assert main(["freeze", "--reason", "\x1b[2Jlook\nfirst\udcff"]) == 0
    assert taken == ["[2Jlook first"]


def test_version_prints_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("opsroom ")


def test_a_worker_for_another_cluster_is_another_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "config"
    file.write_text("apiVersion: v1\ncurrent-context: prod-eu\ncontexts: []\n")
    line = f"ls --kubeconfig {file}"
    first = settings_for(parsed(line))
    assert current_context(first) == "prod-eu"
    before = identity(first)
    file.write_text('{\n  "kind": "Config",\n  "current-context": "prod-eu"\n}\n')
    assert current_context(first) == "prod-eu"
    file.write_text("apiVersion: v1\ncurrent-context: 'staging'\n")
    assert identity(settings_for(parsed(line))) != before
    for more in ("--context x", "-n shop", "--prometheus http://p", "--read-only", "--policy f"):
        assert identity(settings_for(parsed(f"{line} {more}"))) != identity(settings_for(parsed(line)))
    before = identity(settings_for(parsed(line)))
    monkeypatch.setattr(own_worker, "__version__", "0.0.9")
    assert identity(settings_for(parsed(line))) != before


def test_children_get_the_same_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    arguments = parsed("ls --kubeconfig k --context c -n a -n b --prometheus http://p --read-only")
    words = common_words(arguments, settings_for(arguments))
    again = build().parse_args(["worker", *words])
    assert settings_for(again) == settings_for(arguments)


def test_an_unknown_word_names_the_help() -> None:
    with pytest.raises(UsageError, match="--help"):
        parsed("ls --nope")


def test_learning_names_the_file_and_line_that_it_cannot_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["learn", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl cannot be read" in capsys.readouterr().err
    file = tmp_path / "cases.jsonl"
    file.write_text("{}\n")
    assert main(["learn", str(file)]) == 1
    assert f"{file}:1" in capsys.readouterr().err


def test_too_little_to_learn_from_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text("")
    assert main(["learn", str(file)]) == 1
    assert "too few outcomes" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["journal", "journal --verify"])
def test_an_empty_journal_says_so_beside_the_output(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(line.split()) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Nothing has been done from here yet")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("wall", "the wall needs a terminal. opsroom wall --serve"),
        ("replay none.rec", "a replay needs a terminal"),
        ("demo", "the demo needs a terminal. opsroom demo --headless SECONDS"),
        ("", "the board needs a terminal. In scripts use opsroom ls"),
    ],
)
def test_without_a_terminal_each_screen_says_what_there_is_instead(
    line: str, what: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(line.split()) == 2
    assert what in capsys.readouterr().err


@pytest.mark.parametrize("command_", sorted(APART))
def test_commands_without_a_cluster_offer_no_cluster_options_and_still_take_them(
    command_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command_, "--help"])
    said = capsys.readouterr().out
    assert {name for name in ("--kubeconfig", "--context", "--feed", "--policy", "--config") if name in said} == APART[
        command_
    ]
    needs = {"login": ["feed"], "learn": ["f"], "replay": ["f"], "completion": ["bash"]}
    assert parsed(" ".join([command_, *needs.get(command_, []), "--context", "x"])).contexts == ["x"]


def test_act_without_an_intent_ends_instead_of_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with Path("/dev/null").open(encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert main(["act"]) == 2


def test_a_child_imports_nothing_from_the_folder_we_stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('somebody else was here')\n")
    monkeypatch.chdir(tmp_path)
    child = subprocess.run(command("ls", "--nonsense"), capture_output=True, text=True, check=False)
    assert "somebody else" not in child.stderr
    assert child.returncode == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "worker --context prod-eu -n shop -n pay --mode auto",
            "opsroom worker: prod-eu, shop, pay; mode auto; feed at unix:/run/a.sock; ctrl+c ends it\n",
        ),
        ("worker --context prod-eu --read-only", "prod-eu, all namespaces; mode observe (read-only); feed at"),
    ],
)
def test_a_persons_worker_says_what_it_looks_at_and_how_it_ends(
    line: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    arguments = parsed(line)
    _say_hello(settings_for(arguments), arguments.mode, "unix:/run/a.sock")
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
