"""``o``: a page opens where a person sits; over SSH its address is shown; other kinds of address go nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from opsroom.ui import browser
from opsroom.ui.options import Options
from tests.ui.stage import screen_text, stage

DESK = {"DISPLAY": ":0"}


def found(name: str) -> str:
    return f"/usr/bin/{name}"


@pytest.mark.parametrize(
    ("environment", "platform", "program"),
    [
        (DESK, "linux", "/usr/bin/xdg-open"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", "/usr/bin/xdg-open"),
        ({}, "linux", ""),
        ({}, "darwin", "/usr/bin/open"),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", "/usr/bin/wslview"),
        ({**DESK, "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "linux", ""),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", ""),
    ],
)
def test_pages_open_where_a_person_sits(environment: dict[str, str], platform: str, program: str) -> None:
    assert browser.opener(environment, found, platform) == program
    assert browser.opener(environment, lambda name: None, platform) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "-https://x",
        "https://a b",
        "http://[x",
        "ssh://h/x",
    ],
)
def test_only_web_pages_are_opened(url: str) -> None:
    assert not browser.may_open(url)
    assert browser.may_open("https://git.local/shop/-/commit/8f2c1d0?a=b#c")


def press(program: str) -> str:
    async def on_stage() -> str:
        app, _ = stage(Options(act=("/bin/cat",), opener=program))
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await pilot.press("o")
            return screen_text(app)

    return asyncio.run(on_stage())


def test_the_key_opens_the_page_or_shows_its_address(tmp_path: Path) -> None:
    address = "https://git.local/checkout-api/8f2c1d0"
    assert f"Asked this machine to open {address}" in press("/bin/true")
    for program in (str(tmp_path / "none"), ""):
        text = press(program)
        assert address in text
        assert "Asked" not in text
