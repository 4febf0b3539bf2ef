"""``opsroom journal``: who did what and what came of it, from every journal file of this user's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from opsroom.config import paths
from opsroom.delivery.generations import journals
from opsroom.delivery.journal import Entry, merged, verify
from opsroom.errors import JournalError
from opsroom.view import journal_line


def run(arguments: argparse.Namespace) -> int:
    """Print the entries, oldest first, or check the chains."""
    files = journals(paths.journal_folder())
    known = _verify(files, arguments.output) if arguments.verify else _print(files, arguments.output)
    if not known:
        sys.stderr.write(f"Nothing has been done from here yet: {paths.journal_folder()} holds no journal.\n")
    return 0


def _print(files: Iterable[Path], output: str) -> bool:
    """Print every entry; whether there was any."""
    known = False
    for entry in merged(files):
        known = True
        sys.stdout.write(_json(entry) if output == "json" else _plain(entry))
    return known


def _verify(files: Iterable[Path], output: str) -> bool:
    """Check every file; whether there was any.

    Raises:
        JournalError: a chain does not hold (a line torn by a crash does not count).
    """
    broken, known = 0, False
    for file in files:
        known = True
        faults = verify(file)
        broken += sum(fault.kind != "torn" for fault in faults)
        if output == "json":
            sys.stdout.write(msgspec.json.encode({"path": str(file), "faults": faults}).decode() + "\n")
            continue
        sys.stdout.write(f"{file}: {'holds' if not faults else ''}\n")
        for fault in faults:
            sys.stdout.write(f"  line {fault.line}: {journal_line.FAULT[fault.kind]}\n")
    if broken:
        raise JournalError(f"{broken} lines of the journal do not hold", "Compare it with a backup")
    return known


def _json(entry: Entry) -> str:
    return msgspec.json.encode(entry).decode() + "\n"


def _plain(entry: Entry) -> str:
    if entry.deed is not None:
        return journal_line.of_deed(entry.at, entry.deed, entry.rollout) + "\n"
    if entry.decision is not None:
        return journal_line.of_decision(entry.at, entry.decision, entry.rollout) + "\n"
    return journal_line.of_note(entry.at, entry.writer, entry.note) + "\n"
