"""The files of one journal: the one that is written, and the full ones before it.

A full file is put aside under the next free number (``worker.jsonl.1`` is the oldest) and never touched again; nothing
is deleted, for an audit ends where its oldest file ends. The chain of hashes goes on over the seam: the first line of
each file names the last one of the file before it. It must not know what a line says.
"""

from __future__ import annotations

from pathlib import Path


def generations(path: Path) -> list[Path]:
    """The files of the journal at ``path`` that exist, oldest first; ``path`` itself is the last one, if it exists.

    Raises:
        OSError: the folder cannot be looked at.
    """
    numbers = _numbers(path)
    files = [_aside(path, number) for number in numbers]
    return [*files, path] if path.exists() else files


def put_aside(path: Path) -> Path:
    """Rename the full file at ``path``; its new name. Whoever calls holds the lock on it. Raises OSError."""
    new = _aside(path, max(_numbers(path), default=0) + 1)
    path.rename(new)
    return new


def before(path: Path) -> Path | None:
    """The file that ``path`` goes on from: what its name says must have been there; None for the first one."""
    base, number = _parts(path)
    if number is None:
        last = max(_numbers(base), default=0)
        return _aside(base, last) if last else None
    return _aside(base, number - 1) if number > 1 else None


def journals(folder: Path) -> list[Path]:
    """Every journal file in ``folder``, of each journal the oldest first."""
    bases = {_parts(path)[0] for path in folder.glob("*.jsonl*") if _is_ours(path)}
    return [file for base in sorted(bases) for file in generations(base)]


def _is_ours(path: Path) -> bool:
    return path.suffix == ".jsonl" or _parts(path)[1] is not None


def _parts(path: Path) -> tuple[Path, int | None]:
    """The journal that ``path`` belongs to, and its number among the files that were put aside."""
    base, _, number = path.name.rpartition(".")
    if base.endswith(".jsonl") and number.isdecimal() and number.isascii():
        return path.with_name(base), int(number)
    return path, None


def _numbers(path: Path) -> list[int]:
    found = (_parts(one) for one in path.parent.glob(f"{path.name}.*"))
    return sorted(number for base, number in found if number is not None and base == path)


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
