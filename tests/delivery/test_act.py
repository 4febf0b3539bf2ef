"""``opsroom act``: one intent in, deeds out, and nothing sent before ``go``."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import msgspec
import pytest

from opsroom.delivery.act import Setting, act, run_deed
from opsroom.delivery.hands import Hands
from opsroom.domain.board import Right
from opsroom.domain.deed import Deed, DeedState, Intent, Refusal, Verb
from opsroom.errors import Unreachable, UsageError

Sim = Any


def canary(sim: Sim) -> None:
    """``cart`` with v2 at the first pause."""
    sim.rollout()
    sim.set_image("rollouts", "cart", "registry/app:v2")
    sim.cluster.pass_time(30)


async def _may(*_question: str) -> Right:
    return Right(allowed=True)


def setting(sim: Sim, said: list[Deed], *, hands: dict[str, Any] | None = None, **changes: Any) -> Setting:
    """An operator called bob."""

    async def connect() -> Hands:
        made: Hands = sim.hands(**({"may": _may, "user": "bob"} | (hands or {})))
        return made

    fields: dict[str, Any] = {"connect": connect, "emit": said.append, "now": sim.clock}
    return Setting(**(fields | changes))


def spoken(sim: Sim, intent: Intent, word: str | None, **changes: Any) -> tuple[int, list[Deed]]:
    """Exit code and deeds after ``word`` was said (None: end of input)."""
    said: list[Deed] = []

    async def main() -> int:
        stdin = asyncio.StreamReader()
        stdin.feed_data(msgspec.json.encode(intent) + b"\n")
        if word is not None:
            stdin.feed_data(word.encode() + b"\n")
        stdin.feed_eof()
        return await act(stdin, setting(sim, said, **changes))

    return sim.run(main()), said


def test_go_sends_and_every_state_is_told(sim: Sim) -> None:
    canary(sim)
    code, said = spoken(sim, sim.intent(Verb.PROMOTE), "go")
    assert code == 0
    assert said[0].state is DeedState.JOURNALLED
    assert said[-1].state is DeedState.DONE
    assert {deed.intent.actor for deed in said} == {"bob"}


@pytest.mark.parametrize("word", ["esc", None, "", "GO!"])
def test_anything_but_go_cancels_and_the_journal_says_so(sim: Sim, word: str | None) -> None:
    canary(sim)
    code, said = spoken(sim, sim.intent(Verb.PROMOTE), word)
    assert code == 1
    assert said[-1].state is DeedState.CANCELLED
    assert sim.journal.states == ["journalled", "cancelled"]
    assert sim.writer.sent == []


def test_nothing_is_sent_while_the_countdown_runs(sim: Sim) -> None:
    canary(sim)
    said: list[Deed] = []

    async def main() -> int:
        stdin = asyncio.StreamReader()
        stdin.feed_data(msgspec.json.encode(sim.intent(Verb.ROLL_BACK)) + b"\n")
        ready = asyncio.Event()

        def emit(deed: Deed) -> None:
            said.append(deed)
            ready.set()

        task = asyncio.create_task(act(stdin, setting(sim, said, emit=emit)))
        await ready.wait()
        assert said[-1].state is DeedState.JOURNALLED
        assert sim.writer.sent == []
        stdin.feed_data(b"go\n")
        return await task

    assert sim.run(main()) == 0


def test_sigterm_during_the_countdown_cancels(sim: Sim) -> None:
    canary(sim)
    said: list[Deed] = []

    async def main() -> int:
        stdin = asyncio.StreamReader()
        stdin.feed_data(msgspec.json.encode(sim.intent(Verb.ROLL_BACK)) + b"\n")

        def emit(deed: Deed) -> None:
            said.append(deed)
            if deed.state is DeedState.JOURNALLED:
                os.kill(os.getpid(), signal.SIGTERM)

        return await act(stdin, setting(sim, said, emit=emit))

    assert sim.run(main()) == 1
    assert said[-1].state is DeedState.CANCELLED
    assert sim.writer.sent == []


def test_sigterm_after_go_leaves_the_deed_in_the_journal_to_be_settled(sim: Sim) -> None:
    canary(sim)
    said: list[Deed] = []

    async def forever(_seconds: float) -> None:
        await asyncio.Event().wait()

    async def main() -> int:
        stdin = asyncio.StreamReader()
        stdin.feed_data(msgspec.json.encode(sim.intent(Verb.ROLL_BACK)) + b"\ngo\n")

        def emit(deed: Deed) -> None:
            said.append(deed)
            if deed.state is DeedState.ACCEPTED:
                os.kill(os.getpid(), signal.SIGTERM)

        return await act(stdin, setting(sim, said, emit=emit, hands={"wait": forever}))

    assert sim.run(main()) == 1
    assert sim.journal.states == ["journalled", "accepted"]
    assert len(sim.writer.sent) == 1


def test_ctrl_c_of_a_typed_deed_before_its_request_stops_it_and_the_journal_says_so(sim: Sim) -> None:
    canary(sim)
    said: list[Deed] = []

    async def may(*_question: str) -> Right:
        os.kill(os.getpid(), signal.SIGINT)
        return Right(allowed=True)

    assert sim.run(run_deed(sim.intent(Verb.ROLL_BACK), setting(sim, said, hands={"may": may}))) == 1
    assert sim.journal.states == ["journalled", "cancelled"]
    assert (said[-1].state, sim.writer.sent) == (DeedState.CANCELLED, [])


def test_ctrl_c_while_a_credential_plugin_takes_its_time_stops_it_at_once(sim: Sim) -> None:
    canary(sim)
    said: list[Deed] = []
    ended: list[str] = []

    async def connect() -> Hands:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(3600.0)
        finally:
            ended.append("the plugin")
        raise AssertionError

    assert sim.run(run_deed(sim.intent(Verb.ROLL_BACK), setting(sim, said, connect=connect))) == 1
    assert ([deed.state for deed in said], ended) == ([DeedState.CANCELLED], ["the plugin"])
    assert (sim.journal.states, sim.writer.sent) == ([], [])


def test_ctrl_c_while_the_cluster_is_too_busy_for_the_request_stops_it_as_well(sim: Sim) -> None:
    canary(sim)
    said: list[Deed] = []

    def busy(_path: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        raise Unreachable("too many requests", retry_after=3.0)

    async def a_moment(_seconds: float) -> None:
        for _turn in range(20):
            await asyncio.sleep(0)

    sim.writer.before.append(busy)
    assert sim.run(run_deed(sim.intent(Verb.ROLL_BACK), setting(sim, said, hands={"wait": a_moment}))) == 1
    assert sim.journal.states == ["journalled", "cancelled"]
    assert (said[-1].state, len(sim.writer.sent)) == (DeedState.CANCELLED, 0)


def test_ctrl_c_of_a_typed_deed_after_its_request_only_ends_the_following(sim: Sim) -> None:
    canary(sim)
    said: list[Deed] = []

    async def forever(_seconds: float) -> None:
        await asyncio.Event().wait()

    def emit(deed: Deed) -> None:
        said.append(deed)
        if deed.state is DeedState.ACCEPTED:
            os.kill(os.getpid(), signal.SIGINT)

    hands = {"wait": forever}
    assert sim.run(run_deed(sim.intent(Verb.ROLL_BACK), setting(sim, said, emit=emit, hands=hands))) == 1
    assert sim.journal.states == ["journalled", "accepted"]
    assert len(sim.writer.sent) == 1


def test_a_cluster_that_does_not_answer_is_exit_code_5(sim: Sim) -> None:
    canary(sim)

    async def connect() -> Hands:
        raise Unreachable("nobody answers")

    code, said = spoken(sim, sim.intent(Verb.PROMOTE), "go", connect=connect)
    assert (code, said[-1].refusal) == (5, Refusal.UNREACHABLE)


def test_a_missing_right_is_exit_code_4_before_the_countdown_ends(sim: Sim) -> None:
    canary(sim)

    async def may(*_question: str) -> Right:
        return Right(allowed=False, missing="patch rollouts/status")

    code, said = spoken(sim, sim.intent(Verb.PROMOTE), "go", hands={"may": may})
    assert (code, said[-1].refusal, said[-1].detail) == (4, Refusal.NO_RIGHT, "patch rollouts/status")


def test_what_is_no_intent_is_a_usage_error(sim: Sim) -> None:
    async def main() -> int:
        stdin = asyncio.StreamReader()
        stdin.feed_data(b'{"verb": "explode"}\n')
        stdin.feed_eof()
        return await act(stdin, setting(sim, []))

    with pytest.raises(UsageError, match="standard input"):
        sim.run(main())


def test_a_line_without_end_is_no_intent(sim: Sim) -> None:
    async def main() -> int:
        stdin = asyncio.StreamReader()
        stdin.feed_data(b"x" * 300_000)
        stdin.feed_eof()
        return await act(stdin, setting(sim, []))

    with pytest.raises(UsageError, match="standard input"):
        sim.run(main())


def test_a_word_without_end_cancels_and_the_journal_says_so(sim: Sim) -> None:
    canary(sim)
    code, said = spoken(sim, sim.intent(Verb.PROMOTE), "go" * 100_000)
    assert (code, said[-1].state) == (1, DeedState.CANCELLED)
    assert sim.journal.states == ["journalled", "cancelled"]
    assert sim.writer.sent == []


def test_an_operator_cannot_pass_for_the_worker(sim: Sim) -> None:
    canary(sim)
    intent = sim.intent(Verb.PROMOTE, automatic=True, fencing=9, actor="worker")
    _code, said = spoken(sim, intent, "go")
    assert (said[0].intent.actor, said[0].intent.automatic, said[0].intent.fencing) == ("bob", False, None)


def test_the_command_line_runs_the_same_deed_without_waiting(sim: Sim) -> None:
    canary(sim)
    said: list[Deed] = []
    assert sim.run(run_deed(sim.intent(Verb.ROLL_BACK), setting(sim, said))) == 0
    assert said[-1].state is DeedState.DONE
    again: list[Deed] = []
    assert sim.run(run_deed(sim.intent(Verb.ROLL_BACK), setting(sim, again))) == 1
    assert again[-1].refusal is Refusal.NOT_UNDER_WAY
