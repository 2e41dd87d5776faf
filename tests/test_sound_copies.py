"""
Sound is not copied more than needed: once where the application may change what it gave, once
between our memory and the codec's, and never between the codec and the application.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from av import AudioFrame

import unirt
from tests.calling import calling, simulated
from unirt.audio import PCM16_24K
from unirt.session.audio_in import AudioIn, pieces
from unirt.simulator.scenario import Cue, Pace, Reply, Say, Scenario
from unirt.transports.webrtc.outgoing import Waiting
from unirt.transports.webrtc.sound import FRAME_BYTES, Resampler
from unirt.transports.webrtc.transport import WebRTCTransport

SECOND = PCM16_24K.byte_rate


def held(work: Callable[[], Any]) -> int:
    """The most bytes of memory that were held at once for it, its result included."""
    work()  # what is made at the first time only
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = work()
        _, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return peak - before


def test_bytes_that_need_no_converting_go_as_they_are() -> None:
    audio_in, data = AudioIn(None), bytes(SECOND)
    raw, given = audio_in.accept(data, None, PCM16_24K)
    (piece,) = pieces(raw, given)
    assert audio_in.convert(piece, given, PCM16_24K) is data


@pytest.mark.parametrize(
    "given",
    [np.zeros(SECOND // 2, "<i2"), bytearray(SECOND), memoryview(bytearray(SECOND))],
    ids=["array", "bytearray", "memoryview"],
)
def test_what_an_application_may_change_is_copied_once(given: Any) -> None:
    audio_in = AudioIn(None)
    assert SECOND <= held(lambda: audio_in.accept(given, None, PCM16_24K)) < 1.2 * SECOND


def test_a_frame_that_leaves_is_copied_once_out_of_what_waits() -> None:
    waiting = Waiting()
    waiting.put(bytes(FRAME_BYTES) * 10)
    assert FRAME_BYTES <= held(waiting.take) < 1.8 * FRAME_BYTES  # and what views cost


def test_a_frame_that_comes_is_copied_once_out_of_the_codec() -> None:
    frame = AudioFrame(format="s16", layout="mono", samples=PCM16_24K.rate)
    frame.sample_rate = PCM16_24K.rate
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    resampler = Resampler()
    assert len(resampler.samples(frame)) == SECOND
    assert held(lambda: resampler.samples(frame)) < 1.2 * SECOND


async def test_what_a_call_brings_is_what_the_application_gets() -> None:
    reply = Reply(cue=Cue.TEXT, steps=(Say(text="one two", ms=400),))
    scenario = Scenario(name="says", replies=(reply,), pace=Pace(speed=8.0, latency_ms=1.0))
    async with simulated(scenario) as simulator, calling(simulator) as reader:
        transport = reader.session._link._transport
        assert isinstance(transport, WebRTCTransport)
        came: list[bytes] = []
        hear = transport.peer._hear

        def note(data: bytes) -> None:
            came.append(data)
            hear(data)

        transport.peer._hear = note
        await reader.session.send_text("hello")
        await reader.many(unirt.ResponseDone)
        told = reader.of(unirt.AudioDelta)
    assert len(told) > 10
    assert {id(event.data) for event in told} <= {id(data) for data in came}
