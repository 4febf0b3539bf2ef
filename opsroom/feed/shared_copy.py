"""A copy of a recording without names, for people who must not know them: same times, same course, other names.

The whole recording is read twice: once for the names, once for the copy. It must not know what a name looks like.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from opsroom.domain.masking import without_secrets
from opsroom.errors import OpsroomError
from opsroom.feed.frames import Frame
from opsroom.feed.pseudonyms import Pseudonyms
from opsroom.feed.record import GZIP, Line, RecordingError
from opsroom.feed.replay import recorded


def shared_copy(source: Path, target: Path) -> int:
    """Write a copy of ``source`` with pseudonyms to the new file ``target``; returns the number of its frames.

    Raises:
        RecordingError: ``source`` cannot be read or is no recording, or ``target`` exists or cannot be written.
    """
    names = Pseudonyms()
    for _, line in recorded(source):
        names.learn(line.frame)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise RecordingError(f"{target} exists already", "Name a new file for the copy") from error
    except OSError as error:
        raise RecordingError(f"cannot write {target} ({error.strerror})", "Name another file") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            return _copied(source, names, file.write)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise RecordingError(f"cannot write {target} ({error.strerror})", "Free some space") from error
    except OpsroomError:
        target.unlink(missing_ok=True)
        raise


def _copied(source: Path, names: Pseudonyms, write: Callable[[bytes], object]) -> int:
    zipped, member, frames = zlib.compressobj(wbits=GZIP), 0, 0
    for offset, line in recorded(source):
        if offset != member:
            write(zipped.flush(zlib.Z_FINISH))
            zipped, member = zlib.compressobj(wbits=GZIP), offset
        frame: Frame = names.mask(line.frame)
        write(zipped.compress(without_secrets(msgspec.json.encode(Line(at=line.at, frame=frame))) + b"\n"))
        frames += 1
    write(zipped.flush(zlib.Z_FINISH))
    return frames
