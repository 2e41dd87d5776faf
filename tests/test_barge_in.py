"""
Barge-in on every provider: what was heard is exact, and the same, over real sockets (fields 6, 7).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

import unirt
from unirt import commands as cmd
from unirt.provider import Provider
from unirt.simulator import Line, Simulator
from unirt.simulator.script import loads
from unirt.simulator.voice import speech

STORY = "Once upon a time there was a king who had a daughter."
SCENARIO = loads(f"""
    [pace]
    speed = 20

    [[reply]]
    cue = "text"
    steps = [{{ say = "{STORY}", ms = 6000 }}]

    [[reply]]
    cue = "speech"
    heard = {{ text = "Stop." }}
    steps = [{{ say = "All right.", ms = 600 }}]
""")


class Device:
    """A sink that tells at once that it has played what it was given, up to a position."""

    def __init__(self, session: unirt.Session, until_ms: float) -> None:
        self.session = session
        self.left_ms = until_ms
        self.reached = asyncio.Event()
        self.given: list[tuple[str | None, float]] = []
        self.flushes = 0

    def play(self, audio: unirt.AudioDelta) -> None:
        self.given.append((audio.response_id, audio.duration_ms))
        more = min(audio.duration_ms, self.left_ms)
        self.left_ms -= more
        self.session.playback.played(more)
        if not self.left_ms:
            self.reached.set()

    def flush(self) -> None:
        self.flushes += 1


@contextlib.asynccontextmanager
async def telling(provider: Provider, until_ms: float) -> AsyncIterator[tuple[Device, Line]]:
    """A session whose story was played up to a position, and the server's end of it."""
    async with (
        Simulator(provider, SCENARIO) as simulator,
        unirt.connect(
            provider, audio_in=unirt.PCM16_16K, environ=simulator.env, env_file=None
        ) as session,
    ):
        aiter(session)  # from here on it holds what is told, until somebody reads it
        device = Device(session, until_ms)
        playing = asyncio.create_task(session.playback.play(device))
        await session.send_text("A story.")
        await device.reached.wait()
        yield device, simulator.connections[-1]
        await session.close()
        await playing


async def until(session: unirt.Session, kind: type[unirt.Event]) -> unirt.Event:
    async for event in session:
        if isinstance(event, kind):
            return event
    raise AssertionError("the session ended")


def truncated(line: Line) -> list[int]:
    return [c.audio_end_ms for c in line.commands if isinstance(c, cmd.TruncateItem)]


@pytest.mark.parametrize("by", ["speech", "client"])
async def test_what_a_sink_played_is_what_was_heard(provider: Provider, by: str) -> None:
    async with telling(provider, 1_250) as (device, line):
        session = device.session
        if by == "speech":
            await session.send_audio(speech(800, unirt.PCM16_16K))
        else:
            await session.interrupt()
        cut = await until(session, unirt.Interrupted)
        assert isinstance(cut, unirt.Interrupted)
        assert (cut.by, cut.heard_ms, cut.heard_exactly) == (by, 1250, True)
        if by == "client":
            await session.send_audio(speech(800, unirt.PCM16_16K))
        await session.send_audio(bytes(32_000))
        await until(session, unirt.ResponseStarted)
        await until(session, unirt.ResponseDone)

        story = next(item for item in session.history if item.interruption is not None)
        assert story.text == "Once upon"
        assert story.interruption == unirt.Interruption(by=by, heard_ms=1250, exactly=True)
        told = truncated(line)
        stopped = [c for c in line.commands if isinstance(c, cmd.CancelResponse)]
    assert device.flushes == 1
    given = [response for response, _ in device.given]
    assert given.index(given[-1]) == given.count(cut.response_id)  # nothing stale after the flush
    assert told == ([1250] if provider.name == "openai" else [])
    # Who hears the user speak stops by itself.
    assert len(stopped) == (by == "client" and cut.generating)


async def test_nothing_is_truncated_of_what_was_not_heard(provider: Provider) -> None:
    async with telling(provider, 0) as (device, line):
        session = device.session
        await session.interrupt()
        cut = await until(session, unirt.Interrupted)
        assert isinstance(cut, unirt.Interrupted)
        assert (cut.heard_ms, cut.heard_exactly) == (0, True)
        await session.send_text("Another.")
        await until(session, unirt.ResponseStarted)
        await until(session, unirt.ResponseDone)
        assert truncated(line) == []
        assert session.history[1].text == ""
