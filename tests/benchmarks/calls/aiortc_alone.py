"""
``aiortc`` alone: the least code that has such a call.

What the microphone gives is what the track sends, and its pace is the track's. Nothing is sent when
there is nothing to say, nothing is told, nothing is measured, and a packet that is late is gone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from fractions import Fraction

import httpx2
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, AudioResampler

from tests.benchmarks.calls.caller import Caller, Give
from tests.benchmarks.calls.marks import Marks
from tests.benchmarks.contender import Task, main
from unirt.transports.webrtc.candidates import restrict
from unirt.transports.webrtc.options import CallOptions

__all__ = ["AiortcAlone"]

_RATE = 24_000
_SESSION = {
    "type": "realtime",
    "model": "gpt-realtime",
    "audio": {"input": {"turn_detection": None}},
}


class _Microphone(MediaStreamTrack):
    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._pts = 0

    async def give(self, pcm: bytes) -> None:
        self._said.put_nowait(pcm)

    async def recv(self) -> AudioFrame:
        pcm = await self._said.get()
        frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.planes[0].update(pcm)
        frame.sample_rate, frame.time_base = _RATE, Fraction(1, _RATE)
        frame.pts, self._pts = self._pts, self._pts + frame.samples
        return frame


class AiortcAlone(Caller):
    """The floor."""

    name = "floor"
    packages = ("aiortc", "av")

    @asynccontextmanager
    async def calling(self, task: Task, marks: Marks) -> AsyncGenerator[Give]:
        connection, microphone = RTCPeerConnection(), _Microphone()
        events: list[str] = []
        created = asyncio.Event()
        listening: list[asyncio.Task[None]] = []
        connection.addTrack(microphone)
        channel = connection.createDataChannel("oai-events")

        def came(frame: str) -> None:
            events.append(json.loads(frame)["type"])
            created.set()

        channel.on("message", came)
        connection.on(
            "track",
            lambda track: listening.append(asyncio.create_task(_listen(track, marks))),
        )
        for transceiver in connection.getTransceivers():  # it offers no loopback by itself
            gatherer = transceiver.receiver.transport.transport.iceGatherer
            restrict(gatherer, CallOptions(interfaces=("127.0.0.1",)))
        try:
            await connection.setLocalDescription(await connection.createOffer())
            sdp = await _called(task.url, connection.localDescription.sdp)
            await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
            await created.wait()
            channel.send(json.dumps({"type": "response.create"}))
            yield microphone.give
        finally:
            await connection.close()
            await asyncio.gather(*listening)
        assert "response.created" in events


async def _listen(track: MediaStreamTrack, marks: Marks) -> None:
    resampler = AudioResampler(format="s16", layout="mono", rate=_RATE)
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        assert isinstance(frame, AudioFrame)
        for piece in resampler.resample(frame):
            marks.hear(bytes(piece.planes[0])[: piece.samples * 2])


async def _called(url: str, offer: str) -> str:
    """The answer of the server at that address, which is one of a WebSocket."""
    async with httpx2.AsyncClient() as client:
        answer = await client.post(
            f"http{url.removeprefix('ws')}/v1/realtime/calls",
            headers={"Authorization": "Bearer sk-benchmark-benchmark"},
            files={
                "sdp": (None, offer, "application/sdp"),
                "session": (None, json.dumps(_SESSION), "application/json"),
            },
        )
        answer.raise_for_status()
        return answer.text


if __name__ == "__main__":
    main(AiortcAlone())
