"""What goes wrong, when, for how long: faults as records, random schedules of them by seed, and the weather of now.

A schedule is made of storms with calm between them, so that both "nothing bad during" and "well again after" can be
checked. It must not know sockets: the proxy asks what hits a request and does it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from enum import StrEnum

import msgspec

CALM = 13.0
"""Seconds between two storms: what must be well again after ten has three to prove it."""

FIRST_STORM = 9.0
"""Seconds of fair weather at the start: a worker connects, lists, learns its metrics and takes the Lease."""


class Side(StrEnum):
    """Which server is hard to reach."""

    KUBE = "kube"
    PROMETHEUS = "prometheus"


class Kind(StrEnum):
    """What can happen to a request or to a stream."""

    DELAY = "delay"
    REFUSE = "refuse"
    """The connection closes before anything was passed on."""
    LOSE = "lose"
    """It went through; the answer never comes back."""
    TRUNCATE = "truncate"
    """Half of the answer comes back."""
    STATUS = "status"
    """An answer with ``code``, nothing was passed on."""
    LATE_TIMEOUT = "late_timeout"
    """A write went through and is answered 504."""
    DOUBLE = "double"
    """A write is passed on twice; the second answer comes back."""
    FREEZE = "freeze"
    """Not one byte moves, in either direction, until it ends."""
    CUT = "cut"
    """A watch ends in the middle of a line."""
    EXPIRE = "expire"
    """A watch says 410 and ends."""
    REPEAT = "repeat"
    """A watch event comes twice."""
    BOOKMARK = "bookmark"
    """A bookmark that nobody expected."""
    LAG = "lag"
    """Watch events of the kinds in ``only`` come later than those of others."""
    EMPTY = "empty"
    """Prometheus knows no series."""
    GARBAGE = "garbage"
    """Success, with a body that is no JSON."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One kind of trouble for a while. ``begin`` in seconds since the weather started."""

    kind: Kind
    side: Side
    begin: float
    seconds: float
    share: float = 1.0
    """Of the requests (or watch events, or watches a second) that it hits."""
    code: int = 0
    retry_after: float | None = None
    wait: float = 0.0
    only: str = ""
    """Hits only paths that hold this text."""

    @property
    def end(self) -> float:
        """Seconds since the weather started."""
        return self.begin + self.seconds


class Blow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happens to a worker process."""

    what: str
    """``kill`` (and start again), ``stop`` (SIGSTOP, SIGCONT after ``seconds``), ``full`` (disk full that long) or
    ``clock`` (wall clock set by ``skew`` seconds for that long)."""
    at: float
    seconds: float = 0.0
    holder: bool = True
    """To the worker that holds the Lease, else to the other one."""
    deeds: int = 0
    """Not before so many were stored."""
    skew: float = 0.0


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that will go wrong in one run."""

    seed: int
    seconds: float
    faults: tuple[Fault, ...] = ()
    blows: tuple[Blow, ...] = ()


class Weather:
    """What goes wrong now. ``clock`` in seconds; time starts with ``start``."""

    def __init__(self, schedule: Schedule, clock: Callable[[], float] = time.monotonic) -> None:
        self.schedule = schedule
        self._clock = clock
        self._zero: float | None = None
        self._dice = random.Random(f"weather {schedule.seed}")  # noqa: S311 - repeatable on purpose
        self._extra: list[Fault] = []

    def start(self) -> None:
        """Now is second 0."""
        self._zero = self._clock()

    @property
    def now(self) -> float:
        """Seconds since the start; 0 before it."""
        return 0.0 if self._zero is None else self._clock() - self._zero

    def add(self, kind: Kind, side: Side = Side.KUBE, **more: object) -> Fault:
        """A fault from now on, for ever or until ``clear``; for tests of one kind at a time."""
        if self._zero is None:
            self.start()
        values = {"kind": kind, "side": side, "begin": self.now, "seconds": 1e9, **more}
        fault = msgspec.convert(values, Fault)
        self._extra.append(fault)
        return fault

    def clear(self) -> None:
        """End everything that ``add`` began."""
        self._extra.clear()

    def active(self, side: Side) -> list[Fault]:
        """The faults of this moment."""
        if self._zero is None:
            return []
        now = self.now
        mine = [one for one in self.schedule.faults if one.side is side and one.begin <= now < one.end]
        return mine + [one for one in self._extra if one.side is side and one.begin <= now < one.end]

    def hit(self, kind: Kind, side: Side, path: str, share: float = 1.0) -> Fault | None:
        """The fault of ``kind`` that hits a request for ``path`` now, by the dice; ``share`` scales its chance."""
        for fault in self.active(side):
            if fault.kind is kind and fault.only in path and self._dice.random() < fault.share * share:
                return fault
        return None

    def frozen(self, side: Side, path: str) -> bool:
        """Whether nothing moves now."""
        return any(one.kind is Kind.FREEZE and one.only in path for one in self.active(side))


SKEWS = (-3600.0, -40.0, 40.0, 3600.0)
"""Seconds; about the patience with a verdict, and far beyond it."""

CODES = (401, 403, 409, 410, 429, 500, 503, 504)
KINDS = ("rollouts", "replicasets", "pods", "deployments")


def schedule(seed: int, seconds: float, *, rivals: bool = True) -> Schedule:
    """The schedule of ``seed``: the same seed and length give the same one. ``rivals``: there are two workers."""
    dice = random.Random(f"schedule {seed}")  # noqa: S311 - repeatable on purpose
    faults: list[Fault] = []
    at = FIRST_STORM
    while at + 4.0 + CALM <= seconds:
        length = min(dice.uniform(4.0, 12.0), seconds - CALM - at)
        faults += _storm(dice, at, length)
        at += length + CALM
    if seconds >= 90.0:
        faults += _long_droughts(dice, seconds)
    return Schedule(seed=seed, seconds=seconds, faults=tuple(faults), blows=_blows(dice, seconds, rivals))


def _storm(dice: random.Random, begin: float, seconds: float) -> list[Fault]:
    if dice.random() < 0.3:
        return _outage(dice, begin, seconds)
    kinds = dice.sample(sorted(_KUBE), k=dice.randint(2, 5))
    storm = [_fault(dice, kind, Side.KUBE, begin, seconds) for kind in kinds]
    if dice.random() < 0.6:
        kind = dice.choice(sorted(_PROMETHEUS))
        storm.append(_fault(dice, kind, Side.PROMETHEUS, begin, seconds))
    return storm


def _outage(dice: random.Random, begin: float, seconds: float) -> list[Fault]:
    side = dice.choice(list(Side))
    if dice.random() < 0.5:
        return [Fault(kind=Kind.FREEZE, side=side, begin=begin, seconds=seconds)]
    return [Fault(kind=kind, side=side, begin=begin, seconds=seconds) for kind in (Kind.REFUSE, Kind.CUT)]


def _long_droughts(dice: random.Random, seconds: float) -> list[Fault]:
    """A server away for longer than any verdict or Lease keeps, each few minutes; storms pass meanwhile."""
    found, at = [], dice.uniform(15.0, 30.0)
    while at + 45.0 < seconds:
        length, side = dice.uniform(30.0, 60.0), dice.choice((Side.PROMETHEUS, Side.PROMETHEUS, Side.KUBE))
        if side is Side.KUBE and seconds >= 600.0:
            length *= 2.0
        kind = dice.choice((Kind.REFUSE, Kind.FREEZE, *((Kind.EMPTY,) if side is Side.PROMETHEUS else ())))
        found.append(Fault(kind=kind, side=side, begin=at, seconds=min(length, seconds - at - 15.0)))
        at += length + dice.uniform(90.0, 240.0)
    return found


def _blows(dice: random.Random, seconds: float, rivals: bool) -> tuple[Blow, ...]:
    if seconds < 40.0:
        return ()
    found, at = [], dice.uniform(12.0, 16.0)
    while at + 30.0 < seconds:
        # What a full disk refused waits for a person, and there is none: more of them would leave nothing to do.
        what = dice.choice((*("kill", "clock") * 2, *(("stop",) * 2 if rivals else ()), "full"))
        holder = dice.random() < 0.8
        length = 0.0 if what == "kill" else dice.uniform(16.0, 25.0) if what == "stop" else dice.uniform(8.0, 15.0)
        skew = dice.choice(SKEWS) if what == "clock" else 0.0
        found.append(Blow(what=what, at=at, seconds=length, holder=holder, skew=skew))
        at += dice.uniform(45.0, 90.0)
    return tuple(found)


_KUBE = (
    Kind.DELAY,
    Kind.REFUSE,
    Kind.LOSE,
    Kind.TRUNCATE,
    Kind.STATUS,
    Kind.LATE_TIMEOUT,
    Kind.DOUBLE,
    Kind.CUT,
    Kind.EXPIRE,
    Kind.REPEAT,
    Kind.BOOKMARK,
    Kind.LAG,
)
_PROMETHEUS = (Kind.DELAY, Kind.REFUSE, Kind.TRUNCATE, Kind.STATUS, Kind.EMPTY, Kind.GARBAGE)


def _fault(dice: random.Random, kind: Kind, side: Side, begin: float, seconds: float) -> Fault:
    code, retry_after, wait, only = 0, None, 0.0, ""
    share = dice.choice((0.1, 0.3, 0.6, 1.0))
    if kind is Kind.STATUS:
        code = dice.choice(CODES)
        retry_after = dice.choice((None, 1.0, 3.0)) if code in (429, 503) else None
    elif kind is Kind.DELAY:
        wait = dice.choice((0.05, 0.5, 3.0, 8.0))
    elif kind is Kind.LAG:
        wait, only, share = dice.uniform(0.5, 3.0), dice.choice(KINDS), 1.0
    elif kind in (Kind.CUT, Kind.EXPIRE):
        share = dice.choice((0.05, 0.2, 0.5))
    return Fault(
        kind=kind,
        side=side,
        begin=begin,
        seconds=seconds,
        share=share,
        code=code,
        retry_after=retry_after,
        wait=wait,
        only=only,
    )
