"""
What depends on time is recorded in real time, on a busy machine, and played many times.

The applications wait as applications do, by the event loop. Each play has to be like all others,
event for event, with what was heard and who was interrupted where. How much a microphone sent is no
part of that: while an application takes its time, it is open.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

import unirt
from unirt import Session
from unirt.audio import PCM16_16K
from unirt.registry import installed, load
from unirt.simulator import Simulator
from unirt.simulator.script import loads
from unirt.simulator.voice import silence, speech
from unirt.sound import MemorySink, MemorySource

pytestmark = pytest.mark.long

LOAD = 2
"How many processes do nothing but keep the machine busy, where nobody else needs it."
BUSY = "import os; os.nice(10)\nwhile True: pass"
PLAYS = 5

ANSWERS = """
[[reply]]
cue = "{cue}"
steps = [{{ say = "One, two, three, four, five, six, seven, eight, nine, ten.", ms = 5000 }}]

[[reply]]
cue = "{cue}"
steps = [{{ say = "All right.", ms = 600 }}]
"""
BY_VOICE = ANSWERS.format(cue="speech")
BY_TEXT = ANSWERS.format(cue="text")
TOOL = """
[[session.tools]]
name = "look_up"
description = "An order."
parameters = { type = "object", properties = { order = { type = "string" } } }
blocking = true

[[reply]]
cue = "speech"
steps = [{ call = "look_up", args = { order = "4711" } }]

[[reply]]
cue = "tool_result"
steps = [{ say = "It comes on Friday, or on the day after that, as ever.", ms = 1500 }]

[[reply]]
cue = "speech"
steps = [{ say = "All right.", ms = 600 }]
"""
LOST = BY_VOICE.replace("ms = 5000 }", 'ms = 5000 }, { close = 1011, reason = "Internal error" }')

Told = list[unirt.Event]


def microphone(*parts: float) -> MemorySource:
    """So many ms of speech, and of silence where they are negative, one after the other."""
    sound = (speech(ms, PCM16_16K) if ms > 0 else silence(-ms, PCM16_16K) for ms in parts)
    return MemorySource(b"".join(sound), PCM16_16K)


async def read(session: Session, answers: int, told: Told) -> None:
    async for event in session:
        told.append(event)
        answers -= isinstance(event, unirt.ResponseDone)
        if not answers:
            break


async def spoken_over(told: Told, *parts: float, answers: int = 2, **options: Any) -> None:
    connecting = unirt.connect(audio_in=PCM16_16K, **options)
    async with connecting as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(session.playback.play(MemorySink()))
        tasks.create_task(session.listen(microphone(*(parts or (-200, 800, -1500, 700, -2500)))))
        await read(session, answers, told)
        await session.close()


async def answering(session: Session) -> None:
    while session.playback.current is None:
        await asyncio.sleep(0.01)


async def by_voice(told: Told) -> None:
    await spoken_over(told)


async def by_turns_of_the_session(told: Told) -> None:
    def likely(window: Any) -> float:
        return float(np.abs(np.frombuffer(window, "<f4")).max() > 0.01)

    await spoken_over(
        told, -300, 900, -2000, 700, -3000, turn_detection="local_vad", detector=likely
    )


async def by_pushing_to_talk(told: Told) -> None:
    async def talk(session: Session) -> None:
        for ms in (700, 900):
            await session.start_turn()
            await session.listen(microphone(ms))
            await session.end_turn()
            await asyncio.sleep(0.4)

    connecting = unirt.connect(audio_in=PCM16_16K, turn_detection="manual")
    async with connecting as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(session.playback.play(MemorySink()))
        tasks.create_task(talk(session))
        await read(session, 2, told)
        await session.close()


async def by_button(told: Told) -> None:
    async def press(session: Session) -> None:
        await answering(session)
        await asyncio.sleep(0.43)
        await session.interrupt()
        await asyncio.sleep(0.2)
        await session.send_text("And now?")

    async with unirt.connect() as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(session.playback.play(MemorySink()))
        reading = tasks.create_task(read(session, 2, told))
        await session.send_text("Count.")
        await press(session)
        await reading
        await session.close()


async def with_a_slow_tool(told: Told) -> None:
    async def look_up(order: str) -> str:
        """An order."""
        await asyncio.sleep(0.5)
        return f"{order}: Friday"

    await spoken_over(told, -200, 800, -1900, 500, -3000, answers=3, tools=[look_up])


async def while_it_moves(told: Told) -> None:
    async def move(session: Session) -> None:
        await answering(session)
        await asyncio.sleep(0.3)
        await session.switch(session.provider)

    async with unirt.connect(audio_in=PCM16_16K) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(session.playback.play(MemorySink()))
        tasks.create_task(session.listen(microphone(-200, 800, -1500, 700, -4000)))
        tasks.create_task(move(session))
        await read(session, 2, told)
        await session.close()


async def while_a_connection_is_lost(told: Told) -> None:
    await spoken_over(told, -200, 800, -2500, 700, -4000, answers=3)


async def two_at_once(told: Told) -> None:
    others: Told = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(spoken_over(told))
        await asyncio.sleep(0.5)
        tasks.create_task(spoken_over(others, -300, 700, -1000, 500, -2500))
    told += others


async def until_a_limit(told: Told) -> None:
    budget = unirt.Budget(idle=0.8)
    async with unirt.connect(audio_in=PCM16_16K, budget=budget) as session:
        await session.send_text("Count.")
        told += [event async for event in session]


APPLICATIONS: dict[Callable[[Told], Awaitable[None]], str] = {
    by_voice: BY_VOICE,
    by_turns_of_the_session: BY_VOICE,
    by_pushing_to_talk: BY_VOICE,
    by_button: BY_TEXT,
    with_a_slow_tool: TOOL,
    while_it_moves: BY_VOICE,
    while_a_connection_is_lost: LOST,
    two_at_once: BY_VOICE,
    until_a_limit: BY_TEXT.replace("5000", "500"),
}


@pytest.fixture(scope="module", autouse=True)
def busy() -> Iterator[None]:
    """A machine that has other things to do."""
    idlers = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(LOAD)]
    yield
    for idler in idlers:
        idler.kill()
        idler.wait()


def shown(told: Told) -> list[str]:
    lines = []
    for event in told:
        if isinstance(event, unirt.Reconnected):
            event = attrs.evolve(event, replayed_ms=0.0)  # noqa: PLW2901  (the same but for that)
        lines.append(f"{event.origin.received_at:.6f} {event!r}")
    return lines


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("provider", installed())
def test_it_is_played_the_same_way_every_time(
    application: Callable[[Told], Awaitable[None]],
    provider: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "talk.jsonl"
    match = ["command", "microphone"]

    async def live() -> Told:
        told: Told = []
        async with Simulator(load(provider), loads(APPLICATIONS[application])) as simulator:
            for name, value in {**simulator.env, "UNIRT_PROVIDER": provider}.items():
                monkeypatch.setenv(name, value)
            with unirt.cassette(path, mode="once", match=match):
                await application(told)
        return told

    async def played(**options: Any) -> Told:
        told: Told = []
        with unirt.cassette(path, **options):
            await application(told)
        return told

    live_told = asyncio.run(live())
    first, *others = [asyncio.run(played()) for _ in range(PLAYS)]
    for other in others:
        assert shown(other) == shown(first)
    paced = asyncio.run(played(pace=20))
    names = [
        [type(event).__name__ for event in told if _counts(event)] for told in (live_told, paced)
    ]
    assert names == [[type(event).__name__ for event in first if _counts(event)]] * 2


def _counts(event: unirt.Event) -> bool:
    """What depends on nothing but who said what, and who interrupted whom."""
    return isinstance(event, unirt.ResponseDone | unirt.Interrupted | unirt.Reconnected)
