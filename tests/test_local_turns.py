"""Turns that the session marks by itself, on every provider, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unirt
from tests.talking import PAIRS
from unirt import commands as cmd
from unirt.audio import AudioFormat
from unirt.grammar import Checker
from unirt.registry import installed, load
from unirt.simulator import Line, Scenario, Simulator, loads
from unirt.simulator.voice import encode, load_wav, silence

AUDIO = Path(__file__).parent.parent / "examples" / "audio"
STORY = loads("""
[pace]
latency_ms = 0
speed = 1000
[[reply]]
cue = "text"
steps = [{ say = "Once upon a time there was a king who had a daughter.", ms = 60000 }]
""")
RATES = [8_000, 16_000, 24_000, 48_000]

every_provider = pytest.mark.parametrize("provider", installed())


@asynccontextmanager
async def listening(
    provider: str, scenario: Scenario | None = None, **config: Any
) -> AsyncIterator[tuple[unirt.Session, Line, list[unirt.Event]]]:
    """A session with ears of its own, the server's end of it, and all that was told."""
    told: list[unirt.Event] = []
    async with (
        Simulator(load(provider), scenario) as simulator,
        unirt.connect(
            provider,
            environ={**simulator.env, "UNIRT_TURN_DETECTION": "local_vad"},
            observers=[Checker().feed_all, told.extend],
            **config,
        ) as session,
    ):
        yield session, simulator.connections[-1], told


def noise(ms: float, format: AudioFormat) -> bytes:
    samples = np.random.default_rng(8).normal(0, 0.05, int(ms * format.rate / 1000))
    return encode(samples.astype(np.float32), format)


async def send(session: unirt.Session, sound: bytes, format: AudioFormat) -> None:
    size = format.bytes_for(20)
    for start in range(0, len(sound), size):
        await session.send_audio(sound[start : start + size], format)


async def until(session: unirt.Session, kind: type[unirt.Event]) -> Any:
    async for event in session:
        if isinstance(event, kind):
            return event
    raise AssertionError("the session ended")


def marks(line: Line) -> list[str]:
    """How the server was told of turns."""
    kinds = (cmd.StartTurn, cmd.EndTurn, cmd.CommitInput, cmd.Respond)
    return [type(command).__name__ for command in line.commands if isinstance(command, kinds)]


@every_provider
@pytest.mark.parametrize("rate", RATES)
async def test_what_is_said_is_a_turn_and_noise_is_none(provider: str, rate: int) -> None:
    format = AudioFormat(rate=rate)
    async with listening(provider) as (session, line, told):
        await send(session, noise(2_000, format), format)
        assert line.totals.audio_ms_received == 0
        await send(session, load_wav(AUDIO / "go_forward.wav", format), format)
        await send(session, silence(1_000, format), format)
        await until(session, unirt.ResponseDone)
        await send(session, noise(1_000, format), format)

        started, stopped = (
            event for event in told if isinstance(event, unirt.SpeechStarted | unirt.SpeechStopped)
        )
        assert isinstance(started, unirt.SpeechStarted)
        assert isinstance(stopped, unirt.SpeechStopped)
        assert started.synthesised
        assert stopped.synthesised
        assert started.audio_ms == pytest.approx(2_200, abs=120)
        assert stopped.audio_ms == pytest.approx(4_700, abs=170)
        answer = next(event for event in told if isinstance(event, unirt.ResponseStarted))
        assert started.turn_id == stopped.turn_id == answer.turn_id
        [turn] = session.timings.turns
        assert turn.ended_by == "speech"
        assert started.audio_ms is not None
        assert stopped.audio_ms is not None
        turn_ms = stopped.audio_ms - started.audio_ms
    # What was sent is the turn: what was said, a moment before it, and the silence that ended it.
    # Resamplers are late by up to 100 ms together.
    assert line.totals.audio_ms_received == pytest.approx(turn_ms, abs=120)
    # OpenAI's manual turns begin without a word: only their end is on the wire.
    wire = ["CommitInput", "Respond"] if provider == "openai" else ["StartTurn", "EndTurn"]
    assert marks(line) == wire


@every_provider
async def test_speech_interrupts_and_noise_does_not(provider: str) -> None:
    format = unirt.PCM16_16K
    async with listening(provider, STORY) as (session, line, told):
        await session.send_text("A story.")
        async for event in session:
            if isinstance(event, unirt.AudioDelta):
                await session.report_playback(900.0, event.response_id)
                break
        await send(session, noise(3_000, format), format)
        assert not [event for event in told if isinstance(event, unirt.Interrupted)]
        await send(session, load_wav(AUDIO / "do_something.wav", format), format)
        cut = await until(session, unirt.Interrupted)
        assert cut.by == "speech"
        assert cut.heard_exactly
        await send(session, silence(1_000, format), format)
        await until(session, unirt.ResponseStarted)
        await until(session, unirt.ResponseDone)
        kinds = [type(event) for event in told]
        assert kinds.index(unirt.SpeechStarted) < kinds.index(unirt.Interrupted)
        assert kinds.index(unirt.Interrupted) < kinds.index(unirt.SpeechStopped)
    truncated = [c for c in line.commands if isinstance(c, cmd.TruncateItem)]
    assert len(truncated) == (provider == "openai")


@every_provider
async def test_each_stretch_of_speech_is_a_turn_of_its_own(provider: str) -> None:
    format = unirt.PCM16_24K
    async with listening(provider) as (session, _, told):
        for name in ("go_forward", "do_something"):
            await send(session, load_wav(AUDIO / f"{name}.wav", format), format)
            await send(session, silence(1_000, format), format)
            await until(session, unirt.ResponseDone)
        turns = [event.turn_id for event in told if isinstance(event, unirt.SpeechStarted)]
        assert len(turns) == len(set(turns)) == 2
        spoken = [item.role for item in session.history]
        assert spoken == ["user", "assistant"] * 2


@every_provider
async def test_a_file_that_is_sent_at_once_is_heard_alike(provider: str) -> None:
    format = unirt.PCM16_24K
    sound = load_wav(AUDIO / "go_forward.wav", format) + silence(1_000, format)
    async with listening(provider) as (session, line, told):
        await session.send_audio(sound, format)
        await until(session, unirt.ResponseDone)
        assert sum(isinstance(event, unirt.SpeechStopped) for event in told) == 1
    assert line.totals.audio_ms_received == pytest.approx(2_500, abs=200)


@every_provider
async def test_nobody_else_marks_turns_meanwhile(provider: str) -> None:
    async with listening(provider) as (session, _, _told):
        assert isinstance(session.config.turn_detection, unirt.LocalVAD)
        for verb in (session.start_turn, session.end_turn, session.commit, session.clear_input):
            with pytest.raises(unirt.UsageError, match="by itself"):
                await verb()
        with pytest.raises(unirt.UsageError, match="when it is opened"):
            await session.update(turn_detection="manual")


@every_provider
async def test_ears_are_not_put_on_later(provider: str) -> None:
    async with (
        Simulator(load(provider)) as simulator,
        unirt.connect(provider, environ=simulator.env) as session,
    ):
        with pytest.raises(unirt.UsageError, match="when it is opened"):
            await session.update(turn_detection="local_vad")


@pytest.mark.parametrize("provider", installed())
def test_the_facts_call_it_emulated(provider: str) -> None:
    facts = load(provider).capabilities(load(provider).default_model)
    assert facts.settings["turn_detection.local_vad"].support is unirt.Support.EMULATED


@pytest.mark.parametrize("names", PAIRS, ids="-to-".join)
async def test_the_ears_move_to_another_provider_with_the_session(names: tuple[str, str]) -> None:
    format = unirt.PCM16_24K
    async with Simulator(load(names[0])) as one, Simulator(load(names[1])) as other:
        environ = {**one.env, **other.env, "UNIRT_PROVIDER": names[0]}
        async with unirt.connect(
            turn_detection=unirt.LocalVAD(silence_ms=300), audio_in=format, environ=environ
        ) as session:
            for name, provider in zip(("go_forward", "do_something"), names, strict=True):
                if provider != session.provider:
                    await session.switch(provider)
                await send(session, load_wav(AUDIO / f"{name}.wav", format), format)
                await send(session, silence(1_000, format), format)
                await until(session, unirt.ResponseDone)
                assert session.provider == provider
        lines = one.connections[-1], other.connections[-1]
    for line in lines:
        assert line.totals.audio_ms_received == pytest.approx(2_300, abs=250)
        assert line.totals.commands["AppendAudio"] > 10
    wire = {"openai": ["CommitInput", "Respond"], "google": ["StartTurn", "EndTurn"]}
    assert [marks(line) for line in lines] == [wire[name] for name in names]


@every_provider
async def test_a_turn_goes_on_over_another_connection(provider: str) -> None:
    """The user speaks while the connection is lost: nothing of the turn is."""
    format = unirt.PCM16_24K
    sound = load_wav(AUDIO / "go_forward.wav", format) + silence(1_000, format)
    middle = format.bytes_for(1_200)
    async with Simulator(load(provider)) as simulator:
        async with unirt.connect(
            provider,
            turn_detection=unirt.LocalVAD(),
            fallback=provider,
            environ=simulator.env,
        ) as session:
            await send(session, sound[:middle], format)
            await session.switch(provider)
            await send(session, sound[middle:], format)
            await until(session, unirt.ResponseDone)
        first, second = simulator.connections
    assert first.totals.audio_ms_received == pytest.approx(1_000, abs=120)
    assert second.totals.audio_ms_received == pytest.approx(2_500, abs=150)
    assert marks(second)[-2:] in (["CommitInput", "Respond"], ["StartTurn", "EndTurn"])
