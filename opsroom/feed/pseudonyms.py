"""Other names for everything that has a name, so that a recording can be shown to strangers. Pure.

One name always gets the same pseudonym, wherever it stands: in its field, as part of a pod's name, or in the middle of
a sentence. So the story stays readable. Names are learnt from all frames first (``learn``), for a sentence may name
what comes later. What looks like an address, a path, an image or a mailbox is replaced, known or not; of the other
words of a sentence only those stay that are surely nobody's (``vocabulary``).
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from opsroom.domain.series import Series
from opsroom.feed.change import Shift
from opsroom.feed.vocabulary import common

T = TypeVar("T")

NAMES = {
    ("Room", "context"): "cluster",
    ("Room", "namespaces"): "namespace",
    ("Room", "identity"): "person",
    ("Decider", "identity"): "worker",
    ("Freeze", "by"): "person",
    ("Queue", "windows"): "window",
    ("QueueEntry", "uid"): "uid",
    ("QueueEntry", "held_by"): "uid",
    ("QueueEntry", "requester"): "person",
    ("QueueEntry", "waits_for"): "limit",
    ("Intent", "actor"): "person",
    ("Intent", "approved_by"): "person",
    ("Target", "uid"): "uid",
    ("Target", "namespace"): "namespace",
    ("Target", "name"): "service",
    ("Rollout", "uid"): "uid",
    ("Rollout", "namespace"): "namespace",
    ("Rollout", "name"): "service",
    ("Rollout", "stable_name"): "service",
    ("Revision", "images"): "image",
    ("Step", "name"): "step",
    ("Change", "author"): "person",
    ("Change", "commit"): "commit",
    ("Change", "url"): "link",
    ("Verdict", "uid"): "uid",
    ("Decision", "uid"): "uid",
    ("Decision", "row"): "row",
    ("Intent", "row"): "row",
    ("Flag", "by"): "person",
    ("Flag", "acknowledged_by"): "person",
    ("Happening", "by"): "person",
    ("Approval", "by"): "person",
    ("RowChange", "uid"): "uid",
    ("Delta", "gone"): "uid",
    ("Metric", "name"): "metric",
    ("MetricShift", "name"): "metric",
    ("Evidence", "metric"): "metric",
    ("Revision", "version"): "version",
    ("Offer", "revision"): "version",
    ("QueueEntry", "superseded"): "version",
    ("Analysis", "name"): "analysis",
}
"""Fields that hold a name, and the kind of thing it is the name of."""

KEPT = frozenset(
    {
        ("Hello", "version"),
        ("SourceState", "name"),
        ("SourceState", "detail"),
        ("Intent", "id"),
        ("Precondition", "canary_hash"),
        ("Precondition", "stable_hash"),
        ("Rollout", "resource_version"),
        ("Rollout", "owner"),
        ("Rollout", "gates"),
        ("Revision", "hash"),
        ("Approval", "hash"),
        ("Analysis", "stage"),
        ("Evidence", "guard"),
        ("Decision", "detail"),
        ("Right", "missing"),
        ("Happening", "kind"),
        ("Row", "result"),
        ("RowChange", "result"),
    }
)
"""Fields of hashes and of codes that we make ourselves. All others are sentences, also those of one foreign word."""

HIDDEN = "…"
"""In place of a word that may be anybody's."""

OURS = frozenset(
    (
        *("latency_p99", "latency_p50", "error_rate", "cpu_usage", "memory_bytes", "memory_usage", "memory"),
        *("restarts", "requests", "errors", "pods", "global", "service", "default"),
        *("paused", "draining", "frozen", "off", "running"),
    )
)
"""Names that are everybody's."""

COMMON_LABELS = frozenset(("app", "component", "env", "name", "owner", "team", "tier", "track", "version"))

LEARNT = ("cluster", "namespace", "person", "worker", "service", "image", "commit")
"""Kinds of names that are looked for in sentences."""

_PUBLIC = re.compile(r"(?:^|\.)(?:k8s\.io|kubernetes\.io|argoproj\.io|flagger\.app|opsroom\.dev)$")
_PATH_IN_OBJECT = re.compile(r"(?:spec|status|metadata)\.")
_PIECES = re.compile(
    r"""
    (?P<link>[a-z][a-z0-9+.-]{0,20}://[^\s"'<>]+)
  | (?P<person>[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)
  | (?P<address>\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|\[?(?:[0-9a-f]{1,4}:){3,}[0-9a-f:]*[0-9a-f]\]?(?::\d+)?)
  | (?P<image>(?<![\w.-])(?:[\w-]+(?:\.[\w-]+)+|localhost)(?::\d+)?(?:/[\w.-]+)+(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?)
  | (?P<host>[A-Za-z0-9][\w-]*(?:\.[\w-]+)*\.[A-Za-z]{2,}(?::\d+)?)(?![\w-])
  | (?P<path>(?<![\w.])/(?:[\w.@-]+/)+[\w.@-]*)
  | (?P<word>[^\W_](?:[\w.-]*[^\W_])?)
    """,
    re.VERBOSE,
)
_PARTS = re.compile(r"(?P<host>.{3,})_\d+_[0-9a-f]{6}|(?P<owner>[\w.+-]{3,64})@[\w.-]+")
_ATOMS = re.compile(r"([._-]+)")
_HASH = re.compile(r"[0-9a-f]{6,10}|[bcdfghjklmnpqrstvwxz2456789]{5,10}")
"""What a controller adds to a name: a template's hash, or letters of chance (K8S apimachinery pkg/util/rand)."""


class Pseudonyms:
    """The pseudonyms of one recording."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._words: dict[str, str] = {}
        """Names made of words, by their lower case, for sentences."""
        self._longest = 1
        """Most pieces (atoms and what stands between them) of any of these."""
        self._phrases: dict[str, str] = {}
        """Names that hold other signs (blanks, slashes, colons): found as they are."""
        self._phrase: re.Pattern[str] | None = None

    def learn(self, value: Any) -> None:
        """Take every name in a frame."""
        self._walk(value, learning=True)

    def mask(self, frame: T) -> T:
        """``frame`` with pseudonyms in place of names."""
        masked: T = self._walk(frame, learning=False)
        return masked

    def text(self, sentence: str) -> str:
        """``sentence`` with pseudonyms in place of names and of what looks like an address."""
        if self._phrase is None:
            longest = sorted(self._phrases, key=len, reverse=True)
            self._phrase = re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in longest) or r"(?!)")
        found, at = [], 0
        for match in self._phrase.finditer(sentence):
            found += [_PIECES.sub(self._piece, sentence[at : match.start()]), self._phrases[match[0]]]
            at = match.end()
        return "".join([*found, _PIECES.sub(self._piece, sentence[at:])])

    def _walk(self, value: Any, learning: bool) -> Any:
        if isinstance(value, Series | Shift):
            return value
        if isinstance(value, msgspec.Struct):
            where = type(value).__name__
            changed = {
                name: self._field((where, name), getattr(value, name), learning) for name in value.__struct_fields__
            }
            return value if learning else type(value)(**changed)
        if isinstance(value, tuple):
            return tuple(self._walk(one, learning) for one in value)
        return value

    def _field(self, place: tuple[str, str], value: Any, learning: bool) -> Any:
        if isinstance(value, tuple):
            return tuple(self._field(place, one, learning) for one in value)
        if isinstance(value, dict):
            return value if learning else {self._key(key): self._label(one) for key, one in value.items()}
        # A StrEnum is a string as well, and a word of ours.
        if type(value) is not str:
            return self._walk(value, learning)
        if place in KEPT or not value:
            return value
        kind = NAMES.get(place)
        if learning:
            if kind in LEARNT and value not in OURS:
                self._learn(kind, value)
            return value
        return self.text(value) if kind is None else self._name(kind, value)

    def _learn(self, kind: str, name: str) -> None:
        if kind == "image":
            name = _untagged(name)
        part = _PARTS.fullmatch(name)
        if part is not None:
            # A worker's machine, or a mailbox's owner: a sentence may name that alone.
            self._learn("host" if part["host"] else kind, part["host"] or part["owner"])
        given = self._of(kind, name)
        if all(atom for atom in _ATOMS.split(name)) and re.fullmatch(r"[\w.-]+", name):
            self._words.setdefault(name.lower(), given)
            self._longest = max(self._longest, len(_ATOMS.split(name)))
        else:
            self._phrases.setdefault(name, given)
        self._phrase = None

    def _name(self, kind: str, name: str) -> str:
        if name in OURS:
            return name
        if kind == "image":
            bare = _untagged(name)
            return self._of("image", bare) + self.text(name[len(bare) :])
        if kind == "version" and self.text(name) == name:
            return name
        return self._of(kind, name)

    def _of(self, kind: str, name: str) -> str:
        """The pseudonym; two kinds of one name (a service and its namespace) have two."""
        known = self._given.get((kind, name))
        if known is None:
            self._counts[kind] = number = self._counts.get(kind, 0) + 1
            known = self._given[kind, name] = f"{kind}-{number}"
        return known

    def _key(self, key: str) -> str:
        place, slash, _ = key.partition("/")
        everybodys = bool(_PUBLIC.search(place)) if slash else key in COMMON_LABELS
        return key if everybodys else self._of("label", key)

    def _label(self, value: str) -> str:
        masked = self.text(value)
        return self._of("value", value) if HIDDEN in masked else masked

    def _piece(self, match: re.Match[str]) -> str:
        kind, found = str(match.lastgroup), match[0]
        if kind == "word" or (kind == "host" and found.lower() in self._words):
            return self._word(found)
        if kind == "host":
            public = _PUBLIC.search(found)
            if public:
                return self._word(found[: public.start()]) + found[public.start() :]
            if _PATH_IN_OBJECT.match(found):
                return self._word(found)
            return self._of("address", found)
        return self._name(kind, found)

    def _word(self, word: str) -> str:
        """``checkout-7d4f9-x2x4z`` becomes ``service-3-7d4f9-x2x4z``: the longest known names in it are replaced."""
        atoms = _ATOMS.split(word)
        out, at, named = [], 0, False
        while at < len(atoms):
            for end in range(min(len(atoms), at + self._longest), at, -2):
                known = self._words.get("".join(atoms[at:end]).lower())
                if known is not None:
                    out.append(known)
                    at, named = end, True
                    break
            else:
                safe = common(atoms[at]) or (named and _HASH.fullmatch(atoms[at]))
                out.append(atoms[at] if safe else HIDDEN)
                at += 1
            if at < len(atoms) and at % 2:
                out.append(atoms[at])
                at += 1
        return "".join(out)


def _untagged(image: str) -> str:
    """``registry/checkout`` of ``registry/checkout:v2@sha256:…``."""
    bare = image.partition("@")[0]
    head, colon, tag = bare.rpartition(":")
    return head if colon and "/" not in tag else bare
