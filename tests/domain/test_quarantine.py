"""Which versions an entry of the quarantine keeps out."""

from __future__ import annotations

import pytest

from opsroom.domain.quarantine import Quarantined


@pytest.mark.parametrize(("entry", "covered"), [("bad", ["bad"]), (None, ["", "bad", "new"]), ("", [""])])
def test_an_entry_covers_its_version_and_one_that_cannot_be_read_any(entry: str | None, covered: list[str]) -> None:
    quarantined = Quarantined(hash=entry, at=0.0)
    assert [version for version in ("", "bad", "new") if quarantined.covers(version)] == covered
