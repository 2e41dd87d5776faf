"""
Push-to-talk is one thing on every provider: nothing said is lost, nothing empty is sent (field 20).

Over real sockets, by what the simulated server heard.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import unirt
from tests.pace import FAST
from unirt import commands as cmd
from unirt.preroll import PREROLL_MS
from unirt.provider import Provider
from unirt.registry import load
from unirt.simulator import Line, Simulator

TONE = b"\x00\x10" * 16  # 1 ms at 16 kHz

Talking = tuple[unirt.Session, Line]


@pytest.fixture
async def talking(provider: Provider) -> AsyncIterator[Talking]:
    """A session with manual turns, and the server's end of it."""
    async with (
        Simulator(provider, pace=FAST) as simulator,
        unirt.connect(
            provider,
            turn_detection="manual",
            audio_in=unirt.PCM16_16K,
            environ=simulator.env,
            env_file=None,
        ) as session,
    ):
        yield session, simulator.connections[-1]


async def spoken(session: unirt.Session, ms: int) -> None:
    for _ in range(ms // 20):
        await session.send_audio(TONE * 20)


async def answered(session: unirt.Session) -> None:
    async for event in session:
        if isinstance(event, unirt.ResponseDone):
            return


async def test_what_was_said_before_the_turn_is_its_beginning(talking: Talking) -> None:
    session, line = talking
    await spoken(session, 400)
    await session.start_turn()
    await spoken(session, 600)
    await session.end_turn()
    await answered(session)

    assert line.totals.audio_ms_received == pytest.approx(1000, abs=1)


async def test_no_more_is_kept_than_the_bound(talking: Talking) -> None:
    session, line = talking
    await spoken(session, 5_000)
    await session.start_turn()
    await session.end_turn()
    await answered(session)

    assert line.totals.audio_ms_received == pytest.approx(PREROLL_MS, abs=20)


async def test_between_turns_nothing_is_sent_and_each_turn_has_its_own(talking: Talking) -> None:
    session, line = talking
    for _ in range(2):
        await spoken(session, 300)
        await session.start_turn()
        await spoken(session, 300)
        await session.end_turn()
        await answered(session)
    assert line.totals.audio_ms_received == pytest.approx(1200, abs=1)

    sent = session.stats.frames_out + session.stats.frames_waiting
    await spoken(session, 500)
    assert session.stats.frames_out + session.stats.frames_waiting == sent


async def test_an_empty_turn_is_refused_and_stays_open(talking: Talking) -> None:
    session, line = talking
    with pytest.raises(unirt.UsageError, match="no turn has been started"):
        await session.end_turn()
    await session.start_turn()
    with pytest.raises(unirt.UsageError, match="no audio was sent"):
        await session.end_turn()
    await session.start_turn()  # the same turn: it holds nothing yet
    await spoken(session, 200)
    with pytest.raises(unirt.UsageError, match="started already"):
        await session.start_turn()
    await session.end_turn()
    await answered(session)

    said = [type(command) for command in line.commands]
    assert said.count(cmd.CommitInput) + said.count(cmd.EndTurn) == 1
    assert not [e for e in line.heard if e.type == "error"]


async def test_a_turn_that_is_too_short_to_be_committed_is_refused() -> None:
    provider = load("openai")
    async with (
        Simulator(provider, pace=FAST) as simulator,
        unirt.connect(
            provider,
            turn_detection="manual",
            audio_in=unirt.PCM16_16K,
            environ=simulator.env,
            env_file=None,
        ) as session,
    ):
        await session.start_turn()
        await spoken(session, 60)
        with pytest.raises(unirt.UsageError, match=r"only .* ms of audio .* no less than 100"):
            await session.end_turn()
        await spoken(session, 60)
        await session.end_turn()
        await answered(session)
        assert not [e for e in session.history if e.status == "failed"]
