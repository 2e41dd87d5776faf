"""Sound in a session that is played: sources and players go by the tape's time."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

import unirt
from tests.unirt.taping import SETUP, by_hand
from unirt.audio import PCM16_16K, PCM16_24K
from unirt.clock import Clock, ManualClock, SystemClock
from unirt.session import Source
from unirt.sound import EchoGuard, HalfDuplex, MemorySink, MemorySource, Tee

T = TypeVar("T")
READY = (SETUP[0], SETUP[1].replace("{", '{"t": 10, ', 1))


def heard(t: float, ms: float = 20.0) -> str:
    audio = base64.b64encode(PCM16_16K.silence(ms)).decode()
    frame = {"realtimeInput": {"audio": {"data": audio, "mimeType": "audio/pcm;rate=16000"}}}
    return json.dumps({"t": t, "sent": frame})


def spoken(t: float) -> list[str]:
    """Speech that comes ten times as fast as it can be heard."""
    audio = base64.b64encode(PCM16_24K.silence(200)).decode()
    part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": audio}}
    frame = {"serverContent": {"modelTurn": {"parts": [part]}}}
    return [json.dumps({"t": t + 20 * k, "received": frame}) for k in range(10)]


def content(t: float, **said: bool) -> str:
    return json.dumps({"t": t, "received": {"serverContent": said}})


def in_order(*lines: str) -> list[str]:
    return sorted(lines, key=lambda line: json.loads(line)["t"])


async def until_interrupted(session: unirt.Session) -> unirt.Interrupted:
    """How the first answer was interrupted, when it is over."""
    told = []
    async for event in session:
        if isinstance(event, unirt.Interrupted):
            told.append(event)
        elif isinstance(event, unirt.ResponseDone):
            break
    (interrupted,) = told
    return interrupted


def play(path: Path, application: Callable[[], Coroutine[Any, Any, T]], **options: Any) -> T:
    with unirt.cassette(path, **options):
        return asyncio.run(application())


@pytest.mark.parametrize("apart", [19.9, 20.4, 26.0])
def test_what_was_heard_of_an_answer_is_what_the_tape_says(apart: float, tmp_path: Path) -> None:
    """The microphone of the recording was a little slower, or faster, than it is now."""
    path = tmp_path / "talk.jsonl"
    microphone = [heard(11 + apart * k) for k in range(70)]
    answer = [*spoken(100), content(1_110, interrupted=True), content(1_110, turnComplete=True)]
    by_hand(path, *READY, *in_order(*microphone, *answer), '{"stall": true}')

    async def application() -> unirt.Interrupted:
        async with unirt.connect(audio_in=PCM16_16K) as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(session.playback.play(MemorySink()))
            source = MemorySource(b"", PCM16_16K, silence_ms=60_000)  # a minute, in no time
            tasks.create_task(session.listen(source))
            event = await until_interrupted(session)
            await session.close()
        return event

    for _ in range(3):
        event = play(path, application, match=["command", "microphone"])
        assert (event.heard_ms, event.heard_exactly) == (1_000, True)


def test_the_end_of_a_turn_that_was_sent_sooner_than_now_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    manual = json.loads(SETUP[0])
    manual["sent"]["setup"]["realtimeInputConfig"] = {
        "automaticActivityDetection": {"disabled": True}
    }
    by_hand(
        path,
        json.dumps(manual),
        READY[1],
        '{"t": 11, "sent": {"realtimeInput": {"activityStart": {}}}}',
        *(heard(11 + 19 * k) for k in range(10)),
        '{"t": 200, "sent": {"realtimeInput": {"activityEnd": {}}}}',
        *spoken(250),
        content(600, turnComplete=True),
        '{"close": {"code": 1000}}',
    )

    async def application() -> bool:
        async with unirt.connect(audio_in=PCM16_16K, turn_detection="manual") as session:
            await session.start_turn()
            await session.listen(MemorySource(PCM16_16K.silence(200), PCM16_16K))
            await session.end_turn()
            return any([isinstance(event, unirt.ResponseDone) async for event in session])

    assert play(path, application)


def test_an_application_that_takes_real_time_finds_the_recorded_time(tmp_path: Path) -> None:
    """The player goes along with the tape, which stands where it waits for the application."""
    path = tmp_path / "talk.jsonl"
    by_hand(
        path,
        *READY,
        '{"t": 50, "sent": {"realtimeInput": {"text": "Go."}}}',
        *spoken(100),
        '{"t": 710, "sent": {"realtimeInput": {"text": "Stop."}}}',
        content(711, interrupted=True),
        content(711, turnComplete=True),
        '{"stall": true}',
    )

    async def application() -> unirt.Interrupted:
        async with unirt.connect() as session, asyncio.TaskGroup() as tasks:
            await session.send_text("Go.")
            for _ in range(100):
                await asyncio.sleep(0)
            tasks.create_task(session.playback.play(MemorySink()))  # the answer is there
            interrupted = tasks.create_task(until_interrupted(session))
            for _ in range(20_000):  # it thinks
                await asyncio.sleep(0)
            await session.send_text("Stop.")
            event = await interrupted
            await session.close()
        return event

    event = play(path, application)
    assert (event.heard_ms, event.heard_exactly) == (600, True)


class Keeping:
    """A source and a player that has been told whose time it is."""

    def __init__(self) -> None:
        self.format = PCM16_24K
        self.clock: Clock | None = None

    def keep_time(self, clock: Clock) -> None:
        self.clock = clock

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b""

    def play(self, audio: unirt.AudioDelta) -> None:
        """Hear it."""

    def flush(self) -> None:
        """There is nothing."""


async def test_a_session_tells_its_time_to_what_listens_and_plays(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    by_hand(path, *READY, '{"stall": true}')
    source, sink = Keeping(), Keeping()
    with unirt.cassette(path) as deck:
        async with unirt.connect() as session:
            await session.listen(source)
            playing = asyncio.create_task(session.playback.play(sink))
        await playing
    assert source.clock is sink.clock is deck.clock


class Still(ManualClock):
    """A clock that stands, and lets go on who waits to send on."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    async def pause_until(self, when: float) -> None:
        self.pauses.append(when)

    async def follow_until(self, when: float) -> None:
        await self.sleep_until(when)


async def test_a_source_that_goes_on_while_time_stands_still_is_not_ahead_of_it_then() -> None:
    clock = Still()
    source = MemorySource(PCM16_24K.silence(60), silence_ms=20)
    source.keep_time(clock)
    assert len([piece async for piece in source]) == 4
    assert clock.pauses == [0.02] * 4


def test_guards_and_a_tee_hand_the_time_on() -> None:
    clock = ManualClock()
    source, player = Keeping(), MemorySink()
    for guard in (HalfDuplex(source, player), EchoGuard(source, player)):
        source.clock = None
        assert isinstance(guard, Source)
        guard.keep_time(clock)
        assert source.clock is clock
    one, other = MemorySink(), MemorySink()
    Tee(one, other).keep_time(clock)
    assert one._clock is clock
    assert other._clock is clock


def test_a_clock_that_was_given_is_kept() -> None:
    mine = ManualClock()
    source = MemorySource(b"", clock=mine)
    sink = MemorySink(clock=mine)
    for each in (source, sink):
        each.keep_time(SystemClock())
        assert each._clock is mine


def test_where_less_is_said_than_was_recorded_it_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unirt.transports.playing.STANDS_S", 0.001)
    path = tmp_path / "talk.jsonl"
    answer = [*spoken(450), content(700, turnComplete=True)]
    by_hand(path, *READY, *(heard(20.0 + 20 * k) for k in range(20)), *answer, '{"stall": true}')

    async def application() -> bool:
        async with unirt.connect(audio_in=PCM16_16K) as session:
            await session.send_audio(PCM16_16K.silence(100))
            async for event in session:
                if isinstance(event, unirt.ResponseDone):
                    return True
        return False

    assert play(path, application, match=["command", "microphone"])
