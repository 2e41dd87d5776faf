"""Whole sessions over WebRTC: two real peers on loopback, and what became of their audio."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI

import unirt
from tests.calling import (
    HERE,
    calling,
    idle,
    loudest_hz,
    samples,
    simulated,
)
from tests.talking import Reader
from unirt import ConnectionMeasured
from unirt.simulator import builtin
from unirt.simulator.scenario import Cue, Pace, Reply, Say, Scenario
from unirt.simulator.voice import silence, speech
from unirt.testing import check, fold, outline
from unirt.transport import TransportClosed
from unirt.transports.webrtc.options import CallOptions
from unirt.transports.webrtc.peer import Peer
from unirt.wire import parse_frame

SPOKEN = speech(600, unirt.PCM16_24K) + silence(700, unirt.PCM16_24K)
OUR_JITTER_MS = 120.0
"What the length of an answer may differ by: its first and its last packet may be cut into."


def says(text: str, ms: float, *, cue: Cue = Cue.TEXT, speed: float = 8.0) -> Scenario:
    reply = Reply(cue=cue, steps=(Say(text=text, ms=ms),))
    return Scenario(name="says", replies=(reply,), pace=Pace(speed=speed, latency_ms=1.0))


def shape(events: list[unirt.Event]) -> list[dict[str, Any]]:
    """The folded view without the sound itself, which a codec changes."""
    return [
        {**entry, "data": None if entry["kind"] == "audio" else entry["data"], "heard_ms": None}
        for entry in outline(fold(events))
    ]


async def spoken_turn(transport: str) -> list[unirt.Event]:
    async with simulated(builtin("spoken_turn")) as simulator:
        options = HERE if transport == "webrtc" else {}
        async with unirt.connect(
            "openai",
            transport=transport,
            environ=simulator.env,
            env_file=None,
            reconnect=False,
            connection_options=options,
        ) as session:
            await session.send_audio(SPOKEN)
            events: list[unirt.Event] = []
            async for event in session:
                events.append(event)
                if isinstance(event, unirt.ResponseDone):
                    return events
    raise AssertionError("the session ended")


async def test_a_spoken_turn_gives_the_folded_stream_that_it_gives_over_a_socket() -> None:
    call, socket = await spoken_turn("webrtc"), await spoken_turn("websocket")
    check(call)
    assert shape(call) == shape(socket)
    here, there = samples(call), samples(socket)
    assert abs(len(here) - len(there)) / 24 < OUR_JITTER_MS
    word = 24 * 300  # its words are notes of 300 ms; the second of each
    for number in range(2, 6):
        middle = slice(number * word + word // 4, (number + 1) * word - word // 4)
        assert loudest_hz(here[middle]) == pytest.approx(loudest_hz(there[middle]), abs=15)


async def test_the_settings_go_with_the_call_and_the_call_has_a_name() -> None:
    async with simulated() as simulator:
        vad = unirt.ServerVAD(silence_ms=321)
        async with calling(simulator, voice="cedar", turn_detection=vad) as reader:
            session = reader.session
            call_id = session.call_id
            assert call_id is not None
            assert list(simulator.calls) == [call_id]
            (created,) = await reader.many(unirt.SessionStarted)
            assert created.config is not None
            told = created.config["audio"]
            assert told["output"]["voice"] == "cedar"
            assert told["input"]["turn_detection"]["silence_duration_ms"] == 321
            assert session.url.endswith("/v1/realtime/calls")
        assert simulator.calls == {}
    assert await idle() == set()


async def test_a_secret_opens_what_was_configured_with_it_and_nothing_else_is_sent() -> None:
    async with simulated() as simulator:
        secret = await unirt.client_secret(
            "openai",
            environ=simulator.env,
            env_file=None,
            voice="marin",
            instructions="Be kind.",
        )
        assert secret.value.startswith("ek_")
        assert secret.value not in repr(secret)
        async with calling(simulator, api_key=secret.value) as reader:
            (started,) = await reader.many(unirt.SessionStarted)
            assert started.config is not None
            assert started.config["instructions"] == "Be kind."
            assert reader.session.call_id is not None


async def test_push_to_talk_waits_until_the_turn_was_heard() -> None:
    async with simulated(builtin("manual_turn"), log=True) as simulator:
        async with calling(simulator, turn_detection="manual") as reader:
            session = reader.session
            await session.start_turn()
            await session.send_audio(speech(600, unirt.PCM16_24K))
            await session.end_turn()
            await reader.many(unirt.ResponseDone)
            assert reader.of(unirt.ProviderError) == []
        (line,) = simulator.connections
        assert line.log is not None
        sent = [parse_frame(each.frame)["type"] for each in line.log if each.direction == "in"]
        turn = [name for name in sent if name.startswith("input_audio_buffer")]
        assert turn == ["input_audio_buffer.clear", "input_audio_buffer.commit"]
        assert line.totals.audio_ms_received >= 600


async def test_the_user_interrupts_and_the_provider_falls_silent_by_itself() -> None:
    async with simulated(says("one two three four five six seven eight", 6_000)) as simulator:
        async with calling(simulator) as reader:
            session = reader.session
            await session.send_text("go on")
            await reader.many(unirt.AudioDelta, 10)
            await session.send_audio(SPOKEN)
            (cut,) = await reader.many(unirt.Interrupted)
            assert cut.by == "speech"
            await reader.many(unirt.PlaybackCleared)
            playback = session.playback.of(cut.response_id)
            assert playback is not None
            assert playback.flushed
            assert not session.playback.playing or session.playback.current != playback
        events = await reader.done()
    of_it = [
        e for e in events if isinstance(e, unirt.AudioDelta) and e.response_id == cut.response_id
    ]
    assert sum(e.duration_ms for e in of_it) < 6_000


async def test_the_application_interrupts_and_the_provider_is_told_to_clear() -> None:
    async with simulated(says("one two three four five six seven eight", 6_000)) as simulator:
        async with calling(simulator) as reader:
            session = reader.session
            await session.send_text("go on")
            await reader.many(unirt.AudioDelta, 10)
            assert session.playback.playing
            await session.interrupt()
            await reader.many(unirt.PlaybackCleared)
            (cut,) = reader.of(unirt.Interrupted)
            assert cut.by == "client"
            assert not session.playback.playing
        (line,) = simulator.connections
    names = [heard.type for heard in line.heard if heard.type != "audio"]
    assert names[-1] == "output_audio_buffer.clear"
    assert ("response.cancel" in names) == cut.generating
    assert "conversation.item.truncate" not in names


async def test_what_is_too_large_for_the_channel_is_refused_before_anything_is_sent() -> None:
    async with simulated(says("Yes.", 300)) as simulator, calling(simulator) as reader:
        session = reader.session
        before = session.stats.frames_out
        with pytest.raises(unirt.UsageError, match="more than the peer takes") as refused:
            await session.send_text("x" * 300_000)
        assert refused.value.where == "SendText"
        assert session.stats.frames_out == before
        await session.send_text("hello")
        await reader.many(unirt.ResponseDone)


async def test_what_of_a_history_is_too_large_for_a_call_is_lost_and_told() -> None:
    async with simulated(says("I see.", 300)) as simulator:
        async with unirt.connect(
            "openai", environ=simulator.env, env_file=None, reconnect=False
        ) as session:
            reader = Reader(session)
            await session.send_text("x" * 300_000)
            await reader.many(unirt.ResponseDone)
            await session.switch("openai", transport="webrtc")
            (seeded,) = await reader.many(unirt.HistorySeeded)
            assert [(note.index, note.what) for note in seeded.lost] == [
                (0, "it is larger than a call takes in one message")
            ]
            assert len(seeded.changed) == 1  # its answer
            await session.send_text("hello")
            await reader.many(unirt.ResponseDone, 2)
            assert session.call_id is not None
        await reader.done()
        assert reader.error is None
    assert await idle() == set()


async def test_audio_in_any_format_is_heard_and_the_pieces_leave_no_trace() -> None:
    """A tone of 1 kHz in 48 kHz stereo floats, in pieces of 7 ms, arrives as a tone of 1 kHz."""
    given = unirt.AudioFormat(rate=48_000, channels=2, encoding=unirt.Encoding.FLOAT32)
    t = np.arange(48_000) / 48_000
    tone = np.repeat((0.3 * np.sin(2 * np.pi * 1_000 * t)).astype("<f4")[:, None], 2, axis=1)
    async with simulated() as simulator:
        heard: list[bytes] = []
        async with calling(simulator, audio_in=given, turn_detection="manual") as reader:
            (call,) = simulator.calls.values()
            listen = call.line.receive_audio

            def note(data: bytes, now: float) -> None:
                heard.append(data)
                listen(data, now)

            call.line.receive_audio = note  # type: ignore[method-assign]  # to look on
            await reader.session.start_turn()
            for start in range(0, len(tone), 336):
                await reader.session.send_audio(tone[start : start + 336])
            await reader.session.end_turn(respond=False)
    sound = np.frombuffer(b"".join(heard), "<i2").astype(float)
    loud = np.flatnonzero(np.abs(sound) > 1_000)
    inside = sound[loud[0] + 2_400 : loud[-1] - 2_400]
    assert len(inside) > 15_000
    assert loudest_hz(inside) == pytest.approx(1_000, abs=3)
    spectrum = np.abs(np.fft.rfft(inside * np.hanning(len(inside)))) ** 2
    hz = np.fft.rfftfreq(len(inside), 1 / 24_000)
    beside = spectrum[np.abs(hz - 1_000) > 100].sum() / spectrum.sum()
    assert 10 * np.log10(beside) < -25  # a click at each edge would be at -15 and above
    assert np.abs(inside).max() == pytest.approx(0.3 * 32_768, rel=0.2)


async def test_the_connection_is_measured_and_told() -> None:
    async with simulated() as simulator:
        async with calling(simulator, options={"measure_every": 0.1}) as reader:
            assert reader.session.condition is not None
            assert reader.session.condition.state == "connected"
            told = await reader.many(ConnectionMeasured, 3)
            assert told[-1].condition.state == "connected"
            assert told[-1].condition.sent > 0
            assert told[-1].condition.bytes_in > 0
            assert reader.session.condition == told[-1].condition
        events = await reader.done()
    check(events, complete=True)


async def test_what_nobody_reads_comes_all_the_same_and_the_oldest_of_it_goes() -> None:
    over = asyncio.Event()

    def watch(events: Sequence[unirt.Event]) -> None:
        if any(isinstance(event, unirt.ResponseDone) for event in events):
            over.set()

    async with (
        simulated(says("one two three four five six", 2_000)) as simulator,
        unirt.connect(
            "openai",
            transport="webrtc",
            environ=simulator.env,
            env_file=None,
            connection_options=HERE,
            limits=unirt.Limits(audio_ms=200),
            observers=[watch],
        ) as session,
    ):
        unread = aiter(session)
        await session.send_text("go on")
        await over.wait()
        assert session.stats.dropped_audio_ms > 1_500
        await session.close()
        kept = [event async for event in unread if isinstance(event, unirt.AudioDelta)]
        assert 0 < sum(event.duration_ms for event in kept) < 400
        assert session.condition is not None
        assert session.condition.received > 95


async def test_in_a_call_no_thread_decodes() -> None:
    def decoding() -> set[str]:
        return {thread.name for thread in threading.enumerate() if "decoder" in thread.name}

    async with simulated(says("Hello there.", 600)) as simulator, calling(simulator) as reader:
        await reader.session.send_text("hello")
        await reader.many(unirt.ResponseDone)
        assert samples(reader.events).any()
        assert decoding() == set()


async def test_a_conversation_moves_from_a_socket_to_a_call_and_back() -> None:
    async with simulated() as simulator:
        async with unirt.connect(
            "openai", environ=simulator.env, env_file=None, reconnect=False
        ) as session:
            reader = Reader(session)
            await session.send_text("one")
            await reader.many(unirt.ResponseDone)
            assert session.call_id is None
            await session.switch("openai", transport="webrtc")
            assert session.call_id is not None
            await session.send_text("two")
            await reader.many(unirt.ResponseDone, 2)
            await session.send_audio(SPOKEN)
            await reader.many(unirt.ResponseDone, 3)
            await session.switch("openai", transport="websocket")
            assert session.call_id is None
            await session.send_text("three")
            await reader.many(unirt.ResponseDone, 4)
        events = await reader.done()
    check(events, complete=True)
    assert {e.format for e in events if isinstance(e, unirt.AudioDelta)} == {unirt.PCM16_24K}
    assert await idle() == set()


# What cannot be.


def test_settings_that_a_call_cannot_have_are_refused_before_it_is_made() -> None:
    async def refused() -> None:
        with pytest.raises(unirt.UnsupportedSetting, match="audio_in= and audio_out="):
            async with unirt.connect(
                "openai",
                transport="webrtc",
                api_key="sk-0123456789abcdef",
                output_format=unirt.G711_ULAW,
                env_file=None,
                reconnect=False,
                environ={},
            ):
                raise AssertionError("it came about")

    asyncio.run(refused())


def test_who_has_no_calls_says_what_there_is() -> None:
    with pytest.raises(unirt.ConfigurationError, match="use 'websocket' or 'fast'"):
        unirt.connect(
            "google", transport="webrtc", api_key="k", env_file=None, reconnect=False, environ={}
        )


# Somebody else's client.


async def test_the_vendors_own_client_sets_a_call_up_and_hangs_it_up() -> None:
    frames: list[dict[str, Any]] = []
    heard: list[bytes] = []
    came = asyncio.Event()

    def note(frame: bytes, binary: bool) -> None:
        frames.append(json.loads(frame))
        came.set()

    over: list[str] = []

    def end(gone: TransportClosed) -> None:
        over.append(gone.by)
        came.set()

    async with simulated(says("Hello there.", 600, cue=Cue.RESPOND)) as simulator:
        peer = Peer(
            CallOptions(interfaces=("127.0.0.1",)),
            take=lambda: bytes(960),
            heard=note,
            hear=heard.append,
            told=lambda condition: None,
            over=end,
        )
        client = AsyncOpenAI(api_key="sk-x", base_url=simulator.env["OPENAI_BASE_URL"])
        async with client:
            secret = await client.realtime.client_secrets.create(session={"type": "realtime"})
            assert secret.value.startswith("ek_")
            created = await client.realtime.calls.create(
                sdp=await peer.offer("oai-events"),
                session={"type": "realtime", "instructions": "Be brief."},
            )
            call_id = created.response.headers["location"].rpartition("/")[2]
            offered = [one for one in created.text.splitlines() if one.startswith("a=candidate:")]
            assert {one.split()[4] for one in offered} == {"127.0.0.1"}  # no other address
            await peer.accept(created.text)
            await peer.opened()
            while not any(frame["type"] == "session.created" for frame in frames):
                came.clear()
                await came.wait()
            assert frames[0]["session"]["instructions"] == "Be brief."
            peer.send_now('{"type":"response.create"}')
            while frames[-1]["type"] != "output_audio_buffer.stopped":
                came.clear()
                await came.wait()
            assert not any("audio.delta" in frame["type"] for frame in frames)
            await client.realtime.calls.hangup(call_id)
            while not over:
                came.clear()
                await came.wait()
        await peer.close()
    assert np.abs(np.frombuffer(b"".join(heard), "<i2")).max() > 3_000
