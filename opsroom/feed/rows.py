"""All rows of a picture, kept packed (JSON, deflated) until one is looked at.

Ten thousand decoded rows are seventy megabytes of small objects, packed they are two; a screen shows fifty. Settled
rows of one fleet are much alike, so the first one is the dictionary of the others (RFC 1951, zlib's ``zdict``). JSON
because series of short decimals deflate to half of what MessagePack's binary numbers do, and in a quarter of the time.
It must not know where rows come from.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, MutableMapping

import msgspec

from opsroom.domain.board import Row
from opsroom.domain.rollout import Uid

DECODED = 64
"""Decoded rows that are kept, of those that were asked for one by one: what stands on a screen."""

_LEVEL, _WINDOW, _MEMORY = 1, -12, 5
"""zlib's parameters: raw deflate with a window of 4 KiB; quick, because a row is hardly larger."""

_ALIKE, _ALONE = b"d", b"a"
"""First byte of a row that was deflated with the dictionary, and of one without."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Row)


class Rows(MutableMapping[Uid, Row]):
    """Rows by uid. A row that has not changed is the same object as long as it is looked at."""

    __slots__ = ("_decoded", "_dictionary", "_packed")

    def __init__(self, dictionary: bytes = b"") -> None:
        self._packed: dict[Uid, bytes] = {}
        self._decoded: dict[Uid, Row] = {}
        self._dictionary = dictionary

    def successor(self) -> Rows:
        """An empty one whose rows can be compared with these."""
        return Rows(self._dictionary)

    def copy(self) -> Rows:
        """The rows as they are now, whatever becomes of these."""
        found = self.successor()
        found._packed = self._packed.copy()
        found._decoded = self._decoded.copy()
        return found

    def differs(self, other: Rows, uid: Uid) -> bool:
        """Whether a row is another one there (a predecessor or successor), or not there."""
        return self._packed.get(uid) != other._packed.get(uid)

    def __setitem__(self, uid: Uid, row: Row) -> None:
        data = _ENCODER.encode(row)
        kind, dictionary = _ALONE, b""
        if not row.rollout.under_way:
            kind = _ALIKE
            dictionary = self._dictionary = self._dictionary or data[: 1 << -_WINDOW]
        pack = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, dictionary)
        self._packed[uid] = kind + pack.compress(data) + pack.flush()
        if uid in self._decoded:
            self._decoded[uid] = row

    def __getitem__(self, uid: Uid) -> Row:
        found = self._decoded.get(uid)
        if found is None:
            found = self.glance(uid)
            if len(self._decoded) >= DECODED:
                self._decoded.clear()
            self._decoded[uid] = found
        return found

    def glance(self, uid: Uid) -> Row:
        """A row for a moment: it is not kept, so that looking through many does not push out those on the screen.

        Raises:
            KeyError: it is not there.
        """
        found = self._decoded.get(uid)
        if found is not None:
            return found
        data = self._packed[uid]
        dictionary = self._dictionary if data.startswith(_ALIKE) else b""
        return _DECODER.decode(zlib.decompressobj(_WINDOW, dictionary).decompress(data[1:]))

    def __delitem__(self, uid: Uid) -> None:
        del self._packed[uid]
        self._decoded.pop(uid, None)

    def __iter__(self) -> Iterator[Uid]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, uid: object) -> bool:
        return uid in self._packed
