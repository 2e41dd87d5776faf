"""A bad network between two real peers: what is lost, and what comes late, is decided here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import unirt
from tests.calling import calling, peer_of, samples, simulated
from tests.tones import judge, tone
from unirt import ConnectionMeasured
from unirt.simulator.loudspeaker import Loudspeaker
from unirt.simulator.scenario import Cue, Pace, Reply, Say, Scenario
from unirt.simulator.voice import silence, speech
from unirt.testing import check
from unirt.transports.webrtc.peer import Peer

pytestmark = pytest.mark.long

ANSWER_MS = 3_000.0
SCENARIO = Scenario(
    name="loss",
    replies=(Reply(cue=Cue.SPEECH, steps=(Say(text="one two three four five", ms=ANSWER_MS),)),),
    pace=Pace(speed=8.0, latency_ms=1.0),
)
Send = Callable[[bytes], Awaitable[None]]


def disturbed(peer: Peer, disturb: Callable[[Send], Send]) -> None:
    """Let all that leaves a peer pass through something."""
    transceiver, *_ = peer._connection.getTransceivers()
    ice = transceiver.receiver.transport.transport
    ice._send = disturb(ice._send)  # type: ignore[assignment]  # before the network


def losing(every: int) -> Callable[[Send], Send]:
    """One packet of so many is lost."""

    def lossy(send: Send) -> Send:
        count = 0

        async def pass_on(data: bytes) -> None:
            nonlocal count
            count += 1
            if count % every:
                await send(data)

        return pass_on

    return lossy


def swapping(every: int) -> Callable[[Send], Send]:
    """One packet of so many comes after the one that follows it."""

    def swap(send: Send) -> Send:
        count = 0
        kept: list[bytes] = []

        async def pass_on(data: bytes) -> None:
            nonlocal count
            count += 1
            if count % every == 0:
                kept.append(data)
                return
            await send(data)
            while kept:
                await send(kept.pop())

        return pass_on

    return swap


def stalling(every: int, held: int) -> Callable[[Send], Send]:
    """Each time so many have passed, so many wait until the last of them, and come all at once."""

    def stall(send: Send) -> Send:
        count = 0
        kept: list[bytes] = []

        async def pass_on(data: bytes) -> None:
            nonlocal count
            count += 1
            kept.append(data)
            if count % (every + held) < every:
                for one in kept:
                    await send(one)
                kept.clear()

        return pass_on

    return stall


def delaying(seconds: float) -> Callable[[Send], Send]:
    """Every packet comes so much later."""

    def delay(send: Send) -> Send:
        loop, under_way = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        async def arrive(data: bytes) -> None:
            with contextlib.suppress(ConnectionError):  # the call is over
                await send(data)

        def later(data: bytes) -> None:
            task = loop.create_task(arrive(data))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

        async def pass_on(data: bytes) -> None:
            loop.call_later(seconds, later, data)

        return pass_on

    return delay


def silent_share(sound: npt.NDArray[np.int16]) -> float:
    """How many of the pieces of 20 ms are nothing but silence."""
    pieces = np.abs(sound[: len(sound) // 480 * 480].reshape(-1, 480)).max(axis=1)
    return float((pieces == 0).mean())


async def turn(disturb: Callable[[Send], Send]) -> tuple[list[unirt.Event], unirt.Condition]:
    """A spoken turn over such a network, and how it was measured in the end."""
    async with simulated(SCENARIO) as simulator:
        async with calling(simulator, options={"measure_every": 0.2}) as reader:
            (call,) = simulator.calls.values()
            for peer in (peer_of(reader.session), call._peer):
                disturbed(peer, disturb)
            spoken = speech(600, unirt.PCM16_24K) + silence(700, unirt.PCM16_24K)
            await reader.session.send_audio(spoken)
            await reader.many(unirt.ResponseDone)
            measured = len(reader.of(ConnectionMeasured))
            # One more whole interval, in which the peer reports as well.
            await reader.until(
                lambda: any(
                    None not in (event.condition.lost_there, event.condition.rtt_ms)
                    for event in reader.of(ConnectionMeasured)[measured:]
                )
            )
            condition = reader.session.condition
            assert condition is not None
        events = await reader.done()
    check(events, complete=True)
    lost = (unirt.Interrupted, unirt.ContentDiscarded, unirt.ProviderError)
    assert [event for event in events if isinstance(event, lost)] == []
    return events, condition


async def test_a_session_survives_that_every_tenth_packet_is_lost_and_says_so() -> None:
    events, condition = await turn(losing(10))
    assert condition.loss == pytest.approx(0.1, abs=0.05)
    assert condition.lost_there is not None
    assert condition.lost_there / condition.sent == pytest.approx(0.1, abs=0.07)
    words = "".join(event.text for event in events if isinstance(event, unirt.TranscriptDelta))
    assert "one two three four five" in words
    sound = samples(events)
    assert len(sound) / 24 == pytest.approx(ANSWER_MS, abs=250)  # the holes are filled
    assert silent_share(sound) == pytest.approx(0.1, abs=0.06)  # and no more than those


async def test_a_long_way_is_measured_and_changes_nothing_else() -> None:
    events, condition = await turn(delaying(0.1))
    assert condition.rtt_ms is not None
    assert 200 <= condition.rtt_ms < 1_000
    assert condition.jitter_ms is not None
    assert condition.jitter_ms < 200
    assert (condition.lost, condition.lost_there) == (0, 0)
    assert len(samples(events)) / 24 == pytest.approx(ANSWER_MS, abs=120)


def losing_a_frame(send: Send) -> Send:
    """The next packet that is no sound is lost, once; it is said again a second later."""
    left = 1

    async def pass_on(data: bytes) -> None:
        nonlocal left
        if left and 20 <= data[0] < 64:  # DTLS (RFC 7983, 7)
            left -= 1
            return
        await send(data)

    return pass_on


async def test_a_frame_that_is_lost_takes_nothing_of_what_was_spoken_with_it() -> None:
    """The input is emptied at the start of a turn: a second late, it would take the turn away."""
    reply = Reply(cue=Cue.TURN, steps=(Say(text="I heard:", echo=True),))
    scenario = Scenario(name="lost", replies=(reply,), pace=Pace(speed=50.0, latency_ms=1.0))
    async with (
        simulated(scenario) as simulator,
        calling(simulator, turn_detection="manual") as reader,
    ):
        session = reader.session
        disturbed(peer_of(session), losing_a_frame)
        await session.start_turn()
        await session.send_audio(tone(unirt.PCM16_24K, 0.5))
        await session.end_turn()
        await reader.many(unirt.ResponseDone)
        assert reader.of(unirt.ProviderError) == []
    heard = judge(samples(reader.events).tobytes(), unirt.PCM16_24K)
    assert heard.seconds == pytest.approx(0.5, abs=0.005)


async def test_a_frame_that_comes_late_takes_nothing_of_the_answer_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What tells whose sound it is comes long after the sound."""
    begun: list[str] = []
    start = Loudspeaker._start

    def note(speaker: Loudspeaker, answer: Any, now: float) -> None:
        if not answer.started:
            begun.append(answer.response_id)
        start(speaker, answer, now)

    monkeypatch.setattr(Loudspeaker, "_start", note)

    def losing_frames(send: Send) -> Send:
        sounds = 0

        async def pass_on(data: bytes) -> None:
            nonlocal sounds
            sound = data[0] >= 128
            sounds += 1 if sound and begun else 0
            if sound or not begun or sounds > 40:
                await send(data)

        return pass_on

    async with simulated(SCENARIO) as simulator, calling(simulator) as reader:
        disturbed(next(iter(simulator.calls.values()))._peer, losing_frames)
        await reader.session.send_audio(
            speech(600, unirt.PCM16_24K) + silence(700, unirt.PCM16_24K)
        )
        await reader.many(unirt.ResponseDone)
        assert reader.of(unirt.ContentDiscarded) == []
        assert len(begun) == 1
        began, first = reader.of(unirt.PlaybackStarted)[0], reader.of(unirt.AudioDelta)
    assert len(samples(reader.events)) / 24 == pytest.approx(ANSWER_MS, abs=120)
    # It did come late, or this shows nothing: all that was kept is told at once.
    early = [one for one in first if one.received_at == began.received_at]
    assert sum(one.duration_ms for one in early) > 500


async def test_packets_in_another_order_are_neither_lost_nor_heard_so() -> None:
    events, condition = await turn(swapping(7))
    assert condition.lost == 0
    sound = samples(events)
    assert len(sound) / 24 == pytest.approx(ANSWER_MS, abs=120)
    assert silent_share(sound) < 0.03  # where one is left out there is silence


async def test_packets_that_come_late_are_heard_and_nothing_of_them_is_dropped() -> None:
    """Of 35 packets 10 are late, by up to 200 ms of sound."""
    events, condition = await turn(stalling(25, 10))
    assert condition.lost == 0
    sound = samples(events)
    assert len(sound) / 24 == pytest.approx(ANSWER_MS, abs=250)
    assert silent_share(sound) < 0.03
    jitter = [
        event.condition.jitter_ms for event in events if isinstance(event, ConnectionMeasured)
    ]
    assert 5 < max(ms for ms in jitter if ms is not None) < 200
