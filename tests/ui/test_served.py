"""The wall in a browser: what a browser may send, who may look, and what is said where the extra is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from opsroom.cli.wall import host_and_port
from opsroom.errors import UsageError
from opsroom.ui.served import same_origin, size_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("localhost:8000", ("localhost", 8000)),
        (":80", ("localhost", 80)),
        ("[::1]:9", ("::1", 9)),
        ("0.0.0.0:8000", ("0.0.0.0", 8000)),
    ],
)
def test_addresses(text: str, found: tuple[str, int]) -> None:
    assert host_and_port(text) == found


@pytest.mark.parametrize("text", ["8000", "localhost", "localhost:", "localhost:0", "a:99999", "::1:80", "a:b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        host_and_port(text)


def test_sizes_are_bounded() -> None:
    assert size_of(10**9, 10**9) == (400, 150)
    assert size_of(-1, "x") == (20, 5)
    assert size_of(120, 40) == (120, 40)


def test_pages_of_others_may_not_look() -> None:
    assert same_origin("http://wall:8000", "wall:8000")
    assert same_origin(None, "wall:8000")
    assert not same_origin("https://evil.example", "wall:8000")
    assert not same_origin("null", "wall:8000")


def test_without_the_extra_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['textual_serve'] = None; sys.modules['textual_serve.server'] = None\n"
        "from opsroom.cli import main\n"
        "sys.exit(main(['wall', '--serve', 'localhost:8000', '--feed', 'unix:/nowhere']))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert run.returncode == 2
    assert "pip install 'opsroom[serve]'" in run.stderr
    assert len(run.stderr.strip().splitlines()) <= 2
