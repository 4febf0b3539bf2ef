"""The journal: flushed, chained, tolerant of a torn line, and honest about tampering."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opsroom.delivery.generations import generations, journals
from opsroom.delivery.journal import Entry, Journal, merged, read, read_recent, verify
from opsroom.errors import JournalError


def entry(at: float, note: str = "begun") -> Entry:
    """A line."""
    return Entry(at=at, writer="", note=note)


def test_what_was_written_is_read_back_with_its_writer(journal: Journal) -> None:
    journal.write(entry(1.0))
    journal.write(entry(2.0, "frozen"))
    assert [(one.at, one.note, one.writer) for one in read(journal.path)] == [
        (1.0, "begun", "ada"),
        (2.0, "frozen", "ada"),
    ]
    assert verify(journal.path) == []


def test_each_line_is_flushed_before_write_returns(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    sync = os.fsync

    def watched(handle: int) -> None:
        flushed.append(os.fstat(handle).st_size)
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    journal.write(entry(1.0))
    assert flushed[0] == journal.path.stat().st_size


def test_only_its_owner_can_read_it(journal: Journal) -> None:
    journal.write(entry(1.0))
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_changed_line_shows(journal: Journal) -> None:
    for at in (1.0, 2.0, 3.0):
        journal.write(entry(at))
    text = journal.path.read_text().replace('"at":2.0', '"at":2.5')
    journal.path.write_text(text)
    assert [(fault.line, fault.kind) for fault in verify(journal.path)] == [(3, "broken_chain")]


def test_a_removed_line_shows(journal: Journal) -> None:
    for at in (1.0, 2.0, 3.0):
        journal.write(entry(at))
    lines = journal.path.read_text().splitlines(keepends=True)
    journal.path.write_text(lines[0] + lines[2])
    assert [(fault.line, fault.kind) for fault in verify(journal.path)] == [(2, "broken_chain")]


def test_a_torn_last_line_is_passed_over_and_the_chain_goes_on(journal: Journal) -> None:
    journal.write(entry(1.0))
    with journal.path.open("ab") as file:
        file.write(b'{"at":2.0,"wri')
    assert [one.at for one in read(journal.path)] == [1.0]
    assert [fault.kind for fault in verify(journal.path)] == ["torn"]
    journal.write(entry(3.0))
    assert [one.at for one in read(journal.path)] == [1.0, 3.0]
    assert [(fault.line, fault.kind) for fault in verify(journal.path)] == [(2, "torn")]


def test_a_line_made_unreadable_later_is_not_called_torn(journal: Journal) -> None:
    for at in (1.0, 2.0):
        journal.write(entry(at))
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"garbage\n" + lines[1])
    assert [fault.kind for fault in verify(journal.path)] == ["unreadable", "broken_chain"]


def test_a_last_line_longer_than_one_look_is_chained(journal: Journal) -> None:
    journal.write(entry(1.0, "x" * 200_000))
    journal.write(entry(2.0))
    assert verify(journal.path) == []


def test_a_folder_that_cannot_be_made_is_a_journal_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal.jsonl", "ada").write(entry(1.0))


def test_several_files_are_merged_by_time(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / "a.jsonl", "a"), Journal(tmp_path / "b.jsonl", "b")
    first.write(entry(1.0))
    second.write(entry(2.0))
    first.write(entry(3.0))
    assert [one.writer for one in merged([first.path, second.path, tmp_path / "none.jsonl"])] == ["a", "b", "a"]


def test_processes_that_write_at_once_keep_one_chain(journal: Journal) -> None:
    program = (
        "import sys; from pathlib import Path; from opsroom.delivery.journal import Journal, Entry\n"
        "journal = Journal(Path(sys.argv[1]), sys.argv[2])\n"
        "for at in range(40): journal.write(Entry(at=float(at), writer=''))"
    )
    children = [subprocess.Popen([sys.executable, "-c", program, str(journal.path), str(n)]) for n in range(3)]
    assert [child.wait(30) for child in children] == [0, 0, 0]
    assert len(list(read(journal.path))) == 120
    assert verify(journal.path) == []


def test_a_full_disk_is_a_journal_error(monkeypatch: pytest.MonkeyPatch, journal: Journal) -> None:
    def full(_handle: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match="No space left"):
        journal.write(entry(1.0))


def filled(path: Path, lines: int, full: int = 400) -> Journal:
    """A journal of small files."""
    made = Journal(path, "ada", full)
    for at in range(lines):
        made.write(entry(float(at)))
    return made


def test_a_full_file_is_put_aside_and_the_chain_goes_on_in_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "ada.jsonl"
    filled(path, 20)
    files = generations(path)
    assert len(files) > 3
    assert [file.name for file in files[:2]] == ["ada.jsonl.1", "ada.jsonl.2"]
    assert files[-1] == path
    assert journals(tmp_path) == files
    assert [fault for file in files for fault in verify(file)] == []
    assert [one.at for one in merged(files)] == [float(at) for at in range(20)]
    recent = [one.at for one in read_recent(path)]
    assert recent == [float(at) for at in range(20)][-len(recent) :]
    assert len(recent) > len(list(read(path)))
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)


def test_more_than_nine_files_stay_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "ada.jsonl"
    filled(path, 60)
    numbers = [int(file.name.rpartition(".")[2]) for file in generations(path)[:-1]]
    assert len(numbers) > 10
    assert numbers == sorted(numbers)


def test_what_was_changed_or_taken_out_before_the_seam_shows_after_it(tmp_path: Path) -> None:
    path = tmp_path / "ada.jsonl"
    filled(path, 20)
    first, second = generations(path)[:2]
    whole = first.read_text().splitlines(keepends=True)
    first.write_text("".join(whole[:-1]))
    assert [(fault.line, fault.kind) for fault in verify(second)] == [(1, "broken_chain")]
    first.unlink()
    assert [(fault.line, fault.kind) for fault in verify(second)] == [(1, "cut_off")]
    assert verify(generations(path)[1]) == []


def test_a_crash_between_two_files_leaves_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "ada.jsonl"
    made = filled(path, 3, 10_000)
    with path.open("ab") as torn:
        torn.write(b'{"at":9.0,"wri')
    path.rename(tmp_path / "ada.jsonl.1")
    made.write(entry(4.0))
    assert verify(path) == []
    assert [fault.kind for fault in verify(tmp_path / "ada.jsonl.1")] == ["torn"]


WRITER = """
import sys
from pathlib import Path
from opsroom.delivery.journal import Entry, Journal
journal = Journal(Path(sys.argv[1]), sys.argv[2], 2000)
for at in range(60):
    journal.write(Entry(at=float(at), writer="", note=sys.argv[2]))
"""


def test_writers_who_meet_at_the_seam_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ada.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    files = generations(path)
    assert len(files) > 5
    assert [fault for file in files for fault in verify(file)] == []
    for name in ("a", "b", "c"):
        lines = [one.at for file in files for one in read(file) if one.writer == name]
        assert lines == [float(at) for at in range(60)]
