"""Several contexts on one board: which settings, which feed and which worker belong to which of them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from opsroom.cli import board, looking, main
from opsroom.cli.options import board_settings, settings_for
from opsroom.cli.own_worker import common_words, identity, own_log
from opsroom.cli.parser import build
from opsroom.config import paths
from opsroom.config.settings import load_settings
from opsroom.domain.board import Room
from opsroom.errors import ConfigError, UsageError
from opsroom.feed.frames import Picture
from opsroom.ui.options import Options

FILE = """
context = "prod-eu"

[prometheus]
url = "http://everywhere:9090"
preset = "istio"

[screen]
contexts = ["prod-eu", "prod-us"]

[contexts.prod-us]
second_key = true
feed = "https://us.internal"

[contexts.prod-us.prometheus]
url = "http://us:9090"
"""


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("OPSROOM_CONTEXT", "OPSROOM_PROMETHEUS", "OPSROOM_FEED", "KUBECONFIG"):
        monkeypatch.delenv(variable, raising=False)


def told(text: str) -> None:
    file = paths.settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def parsed(line: str) -> argparse.Namespace:
    return build(board=True).parse_args(line.split())


def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """What the board is given instead of a screen to draw on."""
    shown: list[Options] = []

    def draw(*options: Options) -> int:
        shown.extend(options)
        return 0

    monkeypatch.setattr("opsroom.ui.app.run_board", draw)
    return shown


def test_each_context_has_its_own_prometheus_and_feed() -> None:
    told(FILE)
    eu, us = board_settings(parsed(""))
    assert (eu.context, eu.prometheus.url, eu.prometheus.preset, eu.feed) == (
        "prod-eu",
        "http://everywhere:9090",
        "istio",
        "",
    )
    assert (us.context, us.prometheus.url, us.prometheus.preset, us.feed) == (
        "prod-us",
        "http://us:9090",
        "istio",
        "https://us.internal",
    )


def test_every_command_looks_where_the_board_looks() -> None:
    told(FILE)
    there = settings_for(build().parse_args(["ls", "--context", "prod-us"]))
    assert there == board_settings(parsed(""))[1]
    us = board_settings(parsed(""))[1]
    again = settings_for(build().parse_args(["act", *common_words(parsed(""), us)]))
    assert (again.context, again.prometheus) == (us.context, us.prometheus)


def test_the_current_context_has_its_own_settings_too(tmp_path: Path) -> None:
    told(FILE.replace('context = "prod-eu"\n', ""))
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("current-context: prod-us\n")
    found = settings_for(build().parse_args(["ls", "--kubeconfig", str(kubeconfig)]))
    assert (found.context, found.prometheus.url) == ("", "http://us:9090")


def test_what_is_named_on_the_command_line_stands_before_the_file() -> None:
    told(FILE)
    assert [each.context for each in board_settings(parsed("--context a --context b"))] == ["a", "b"]
    assert [each.context for each in board_settings(parsed("--context prod-us"))] == ["prod-us"]
    assert [each.feed for each in board_settings(parsed("--feed unix:/x.sock"))] == ["unix:/x.sock"]
    urls = {each.prometheus.url for each in board_settings(parsed("--prometheus http://mine"))}
    assert urls == {"http://mine"}


def test_a_variable_stands_before_what_the_file_says_of_one_context(monkeypatch: pytest.MonkeyPatch) -> None:
    told(FILE)
    monkeypatch.setenv("OPSROOM_PROMETHEUS", "http://variable")
    assert {each.prometheus.url for each in board_settings(parsed(""))} == {"http://variable"}
    monkeypatch.setenv("OPSROOM_CONTEXT", "prod-us")
    assert [each.context for each in board_settings(parsed(""))] == ["prod-us"]
    monkeypatch.setenv("OPSROOM_FEED", "unix:/x.sock")
    assert [each.feed for each in board_settings(parsed(""))] == ["unix:/x.sock"]


def test_feeds_and_contexts_belong_together_in_their_order() -> None:
    line = "--context a --feed unix:/a.sock --context b --feed unix:/b.sock"
    assert [(each.context, each.feed) for each in board_settings(parsed(line))] == [
        ("a", "unix:/a.sock"),
        ("b", "unix:/b.sock"),
    ]


def test_feeds_without_contexts_are_for_looking_only() -> None:
    line = "--feed unix:/a.sock --feed unix:/b.sock"
    with pytest.raises(UsageError, match="deeds of each feed"):
        board_settings(parsed(line))
    found = board_settings(parsed(f"{line} --read-only"))
    assert [(each.context, each.read_only) for each in found] == [("", True), ("", True)]


def test_feeds_without_contexts_are_not_called_after_the_one_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    told(FILE)
    shown = drawn(monkeypatch)
    arguments = parsed("--feed unix:/a.sock --feed unix:/b.sock --read-only")
    assert board._several(arguments, board_settings(arguments)) == 0
    assert [(each.feed, each.context, each.show) for each in shown] == [
        ("unix:/a.sock", "", ()),
        ("unix:/b.sock", "", ()),
    ]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("--context a --context a", "named twice"),
        ("--context a --context b --feed unix:/a.sock", "2 contexts and 1 feeds"),
        ("--context a --feed unix:/a.sock --feed unix:/b.sock", "1 contexts and 2 feeds"),
        ("--context a --context b --feed unix:/a.sock --feed unix:/a.sock", "named twice"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(line: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        board_settings(parsed(line))


def test_of_several_contexts_none_is_whichever_is_the_current_one() -> None:
    told('[screen]\ncontexts = ["a", ""]\n')
    with pytest.raises(UsageError, match="has no name"):
        board_settings(parsed(""))


def test_one_feed_is_never_shown_as_two_contexts() -> None:
    told('feed = "https://opsroom.internal"\n[screen]\ncontexts = ["a", "b"]\n')
    with pytest.raises(UsageError, match="serves one context"):
        board_settings(parsed(""))
    told('[screen]\ncontexts = ["a", "b"]\n[contexts.a]\nfeed = "unix:/x"\n[contexts.b]\nfeed = "unix:/x"\n')
    with pytest.raises(UsageError, match="named for two contexts"):
        board_settings(parsed(""))


@pytest.mark.parametrize("line", ["ls --context a --context b", "--context a --context b wall"])
def test_other_commands_take_one_context(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = build().parse_args(line.split())
    with pytest.raises(UsageError, match="--context can be given once"):
        settings_for(arguments)


def test_a_context_with_a_wrong_prometheus_is_named() -> None:
    told("[contexts.prod-us.prometheus]\ntimeout = 0.0\n")
    with pytest.raises(ConfigError, match=r"contexts\.prod-us\.prometheus\.timeout must be more than 0"):
        load_settings()
    told('[contexts.prod-us.prometheus]\nurl = "http://me:secret@p"\n')
    with pytest.raises(ConfigError, match="names a user"):
        load_settings()


def test_two_workers_of_one_board_have_sockets_and_last_words_of_their_own() -> None:
    told(FILE)
    eu, us = (paths.worker_socket(identity(each)) for each in board_settings(parsed("")))
    assert eu != us
    assert own_log(eu) != own_log(us)


def test_each_context_has_its_own_commands_and_its_own_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    told(FILE)
    shown = drawn(monkeypatch)
    line = "--context prod-eu --feed unix:/eu.sock --context prod-us --feed unix:/us.sock"
    arguments = parsed(line)
    assert board._several(arguments, board_settings(arguments)) == 0
    assert [(each.context, each.feed) for each in shown] == [("prod-eu", "unix:/eu.sock"), ("prod-us", "unix:/us.sock")]
    for options, other in zip(shown, ("prod-us", "prod-eu"), strict=True):
        for command in (options.act, options.freeze, options.thaw, options.show):
            assert command[command.index("--context") + 1] == options.context
            assert other not in command
        assert options.guards["prod-us"].second_key


def test_pages_of_one_of_several_show_its_feed_no_token_for_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("for all")
    file.chmod(0o600)
    monkeypatch.setenv("FEED_TOKEN_FILE", str(file))
    shown: list[Options] = []
    given: list[object] = []

    def draw(*options: Options) -> int:
        shown.extend(options)
        return 0

    async def fetch(where: str, token: object, **_: object) -> Picture:
        given.append(token)
        return Picture(seq=1, room=Room(at=1.0))

    monkeypatch.setattr("opsroom.ui.app.run_board", draw)
    monkeypatch.setattr(looking, "fetch_picture", fetch)
    arguments = parsed("--context a --feed https://a.test --context b --feed https://b.test")
    board._several(arguments, board_settings(arguments))
    for options in shown:
        asked = options.show[options.show.index("show") :]
        looking.whole_picture(build().parse_args([*asked, "shop/cart", "--logs"]))
    assert given == [None, None]


def test_of_a_feed_that_shows_more_only_the_namespaces_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    shown: list[Options] = []

    async def fetch(where: str, token: object, namespaces: tuple[str, ...] = ()) -> Picture:
        asked.append(namespaces)
        return Picture(seq=1, room=Room(at=1.0))

    def draw(options: Options) -> int:
        shown.append(options)
        return 0

    monkeypatch.setattr(looking, "fetch_picture", fetch)
    monkeypatch.setattr("opsroom.ui.app.run_board", draw)
    for more, wanted in ((" -n edge -n shop", ("edge", "shop")), ("", ())):
        looking.whole_picture(build().parse_args(f"ls --feed https://a.test{more}".split()))
        arguments = parsed(f"--feed https://a.test{more}")
        board.show("https://a.test", (), board_settings(arguments)[0])
        assert (asked.pop(), shown.pop().namespaces) == (wanted, wanted)


def test_a_recording_is_of_one_context() -> None:
    arguments = parsed("--context a --context b --record x.rec")
    with pytest.raises(UsageError, match="a recording is of one context"):
        board._several(arguments, board_settings(arguments))


def test_plain_prints_one_context(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--plain", "--context", "a", "--context", "b"]) == 2
    assert "--context can be given once" in capsys.readouterr().err
