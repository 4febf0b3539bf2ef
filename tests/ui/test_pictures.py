"""The README shows the board as it is."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from tests.ui.pictures import FOLDER, PICTURES, README, board_text, in_readme


def test_the_readme_and_the_pictures_folder_hold_the_board_as_it_is() -> None:
    text = board_text()
    assert in_readme(README.read_text(encoding="utf-8")) == text, "run python -m tests.ui.pictures"
    assert (FOLDER / "board.txt").read_text(encoding="utf-8") == text + "\n"


def test_the_pictures_are_whole_and_the_readme_shows_them() -> None:
    readme = README.read_text(encoding="utf-8")
    for name in PICTURES:
        file = FOLDER / f"{name}.svg"
        words = " ".join(ElementTree.parse(file).getroot().itertext())  # noqa: S314 - our own file
        assert "checkout-api" in words
        assert f".pictures/{name}.svg" in readme
