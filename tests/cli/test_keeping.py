"""The own worker is started again with patience, unless it can never run; what is said of it is never stale."""

from __future__ import annotations

from collections.abc import Iterator

from opsroom.cli.keeping import LONGEST_WAIT, LOOK_SECONDS, YOUNG_SECONDS, Keeper
from opsroom.cli.own_worker import pinned
from opsroom.config.settings import Settings


class Stage:
    """Workers that live and end as they are told; time passes only in them and in pauses."""

    def __init__(self, *lives: tuple[float, int] | OSError | None) -> None:
        """Each of ``lives``: seconds and exit code, an error at the start, or None: somebody else answers a while."""
        self.lives: Iterator[tuple[float, int] | OSError | None] = iter(lives)
        self.now = 100.0
        self.waits: list[float] = []
        self.saids: list[str] = []
        self.elsewhere = 0
        self.next: tuple[float, int] | None = None
        self.keeper = Keeper(self.start, self.answers, lambda: "the words", clock=lambda: self.now, pause=self.pause)

    def start(self) -> Stage:
        life = next(self.lives, None)
        if isinstance(life, OSError):
            raise life
        if life is None:
            self.keeper.stop()
            life = (0.0, 0)
        self.next = life
        return self

    def wait(self) -> int:
        assert self.next is not None
        self.now += self.next[0]
        return self.next[1]

    def answers(self) -> bool:
        self.elsewhere -= 1
        return self.elsewhere >= 0

    def pause(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.saids.append(self.keeper.said)
        self.now += seconds
        return len(self.waits) > 50

    def play(self) -> Stage:
        self.keeper.keep()
        return self


def test_it_waits_longer_each_time_and_never_longer_than_half_a_minute() -> None:
    stage = Stage(*[(1.0, 1)] * 8).play()
    assert stage.waits == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT]
    assert stage.saids[0] == "the worker ended with code 1 (the words), it is started again in 1 s"


def test_one_that_ran_for_long_is_started_again_at_once() -> None:
    stage = Stage((1.0, 1), (1.0, 1), (YOUNG_SECONDS + 1, -9), (YOUNG_SECONDS + 1, 0)).play()
    assert stage.waits == [1.0, 2.0, 1.0, 1.0]
    assert stage.saids[2] == "the worker ended by SIGKILL, it is started again in 1 s"


def test_one_whose_configuration_is_wrong_is_not_started_again() -> None:
    stage = Stage((0.5, 2), (1.0, 1)).play()
    assert stage.waits == []
    assert stage.keeper.said == "the worker cannot run: the words"


def test_a_configuration_that_became_wrong_later_is_tried_again() -> None:
    assert Stage((YOUNG_SECONDS + 1, 2)).play().waits == [1.0]


def test_a_process_that_cannot_be_made_is_tried_again() -> None:
    stage = Stage(OSError(11, "Resource temporarily unavailable"), (1.0, 1)).play()
    assert stage.waits == [1.0, 2.0]
    assert "Resource temporarily unavailable" in stage.saids[0]


def test_another_screens_worker_is_looked_at_and_replaced_when_it_is_gone() -> None:
    stage = Stage((YOUNG_SECONDS + 1, 0))
    stage.elsewhere = 3
    stage.play()
    assert stage.waits == [LOOK_SECONDS] * 3 + [1.0]
    assert stage.saids[:3] == ["", "", ""]


def test_a_worker_that_gave_way_to_anothers_lock_is_no_failure() -> None:
    stage = Stage((0.1, 1))
    stage.keeper.child = stage.start()
    stage.elsewhere = 3
    stage.play()
    assert stage.waits == [LOOK_SECONDS] * 2


def test_a_screen_keeps_the_context_it_began_with(tmp_path: object) -> None:
    file = f"{tmp_path}/config"
    with open(file, "w", encoding="utf-8") as config:
        config.write("current-context: prod-eu\n")
    began = pinned(Settings(kubeconfig=file))
    with open(file, "w", encoding="utf-8") as config:
        config.write("current-context: staging\n")
    assert began.context == "prod-eu"
    assert pinned(Settings(kubeconfig=file, context="other")).context == "other"
