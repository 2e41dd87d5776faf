"""
The way from a frame to an event, cut off after each of its steps.

``python -m tests.benchmarks.contenders.anatomy NAME`` goes as far as the step of that name, and
throws away what it has by then. Each step does what the one before it does and one thing more, so
the difference between two of them is what that thing costs. They are made of unirt's own parts as
they are; the last step, in which an application reads the session, is the contender
:mod:`~tests.benchmarks.contenders.unirt`.

Two things cannot be told apart. An envelope decodes the audio while it opens a frame, so what it
saves is told as the difference to reading and decoding each frame as JSON. And a translator has no
events without reading its frames: what composing costs is its cost less that of the reading alone.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

import unirt
from tests.benchmarks.contender import Contender, Meter, Task, main
from tests.benchmarks.contenders.protocols import PATHS, handshake, trigger
from unirt.clock import SystemClock
from unirt.commands import Command, Respond, SendText
from unirt.envelope import Envelope
from unirt.registry import load
from unirt.translator import Frame, Translator
from unirt.transport import Transport
from unirt.transports.websocket import open_websocket
from unirt.wire import decode_audio, parse_frame

__all__ = ["STEPS", "Anatomy", "Step"]

Take = Callable[[Sequence[Frame]], None]
"What is done with the frames of one read."


class Tapped:
    """
    A transport that stops the meter with the last frame that is due, and says when no more come.

    It looks at each read of the socket and not at each frame, so all steps bear it alike.

    Args:
        transport: What moves the frames.
        meter: What it stops.
        due: How many frames :meth:`deliver` is to hand over before.
    """

    def __init__(self, transport: Any, meter: Meter, due: int) -> None:
        self._transport = transport
        self._meter = meter
        self._due = due
        self.url: str = transport.url
        self.send = transport.send
        self.send_now = transport.send_now
        self.receive = transport.receive
        self.close = transport.close

    async def deliver(
        self, take: Callable[[Sequence[Frame]], bool], room: Callable[[], Awaitable[None]]
    ) -> None:
        left = self._due

        def tapped(frames: Sequence[Frame]) -> bool:
            nonlocal left
            more = take(frames)
            left -= len(frames)
            if left <= 0:
                self._meter.stop()
            return more

        try:
            await self._transport.deliver(tapped, room)
        finally:
            self._meter.finished.set()


@attrs.frozen(kw_only=True)
class Step:
    """One step of the way."""

    run: Callable[[Task, Meter, str], Awaitable[None]]
    "Has one conversation, over the transport of that name."
    transport: str = "websocket"
    uvloop: bool = False
    hears: bool = False
    "Whether it has the audio in its hands, so that it can be counted."


class Anatomy(Contender):
    """unirt, as far as one of its steps."""

    packages = ("unirt-realtime", "websockets", "pydantic-core", "pybase64", "attrs")

    def __init__(self, name: str) -> None:
        self.name = name
        self._step = STEPS[name]
        self.hears = self._step.hears

    async def converse(self, task: Task, meter: Meter) -> None:
        await self._step.run(task, meter, self._step.transport)


async def _tapped(task: Task, meter: Meter, transport: str, due: int) -> Tapped:
    """An open connection on which nothing was said."""
    url = task.url + PATHS[task.protocol]
    opened = await open_websocket("benchmark", url, headers={}, options={}, transport=transport)
    return Tapped(opened, meter, due)


async def _listen(transport: Tapped, meter: Meter, take: Take) -> None:
    """Have `take` called with every frame until the last is there, then close."""

    def taken(frames: Sequence[Frame]) -> bool:
        take(frames)
        return True

    listening = asyncio.create_task(transport.deliver(taken, _room))
    await meter.finished.wait()
    await transport.close()
    await asyncio.wait({listening})
    listening.exception()  # that the connection is closed


async def _room() -> None:
    """There is always room."""


# Steps without a translator.


async def _thrown_away(task: Task, meter: Meter, transport: str) -> None:
    def take(frames: Sequence[Frame]) -> None:
        return

    await _bare(task, meter, transport, take)


async def _as_json(task: Task, meter: Meter, transport: str) -> None:
    def take(frames: Sequence[Frame]) -> None:
        for frame in frames:
            parse_frame(frame)

    await _bare(task, meter, transport, take)


async def _as_pcm(task: Task, meter: Meter, transport: str) -> None:
    audio_of = _AUDIO[task.protocol]
    heard = 0

    def take(frames: Sequence[Frame]) -> None:
        nonlocal heard
        for frame in frames:
            audio = audio_of(parse_frame(frame))
            if audio is not None:
                heard += len(decode_audio(audio, ""))

    await _bare(task, meter, transport, take)
    meter.audio_bytes = heard


async def _by_envelope(task: Task, meter: Meter, transport: str) -> None:
    """As translators do it, but that they study a frame of each answer, needed or not."""
    audio_of = _AUDIO[task.protocol]
    envelope: Envelope | None = None
    heard = 0

    def take(frames: Sequence[Frame]) -> None:
        nonlocal envelope, heard
        for frame in frames:
            assert isinstance(frame, bytes)
            pcm = None if envelope is None else envelope.open(frame)
            if pcm is None:
                data = parse_frame(frame)
                audio = audio_of(data)
                if audio is None:
                    continue
                pcm = decode_audio(audio, "")
                envelope = Envelope.around(frame, audio, "event_id" if "event_id" in data else None)
                assert envelope is not None  # or the step would measure something else
            heard += len(pcm)

    await _bare(task, meter, transport, take)
    meter.audio_bytes = heard


async def _bare(task: Task, meter: Meter, transport: str, take: Take) -> None:
    """A conversation of which nothing is understood but what `take` understands."""
    tapped = await _tapped(task, meter, transport, task.wire_events)
    first, frames = handshake(task.protocol)
    await tapped.send(first)
    for _ in range(frames):
        await tapped.receive()
    await tapped.send(trigger(task.protocol))
    meter.start()
    await _listen(tapped, meter, take)


def _openai_audio(data: Any) -> str | None:
    """The base64 of an event; ``None`` where it is no audio."""
    return data["delta"] if data["type"] == "response.output_audio.delta" else None


def _google_audio(data: Any) -> str | None:
    """The base64 of a message; ``None`` where it is no audio."""
    turn = data["serverContent"].get("modelTurn")
    return None if turn is None else turn["parts"][0]["inlineData"]["data"]


_AUDIO: dict[str, Callable[[Any], str | None]] = {"openai": _openai_audio, "google": _google_audio}


# Steps with a translator.


def _request(protocol: str) -> Command:
    return Respond() if protocol == "openai" else SendText(text="Hello")


async def _translated(task: Task, meter: Meter, transport: str) -> None:
    """The translator, fed a read at a time as a session does; its events are thrown away."""
    tapped = await _tapped(task, meter, transport, task.wire_events)
    provider, now = load(task.protocol), SystemClock().now
    translator = provider.new_translator(unirt.SessionConfig(model=provider.default_model))
    translator.start(now())
    await _say(translator, tapped)
    while not translator.ready:
        translator.receive(await tapped.receive(), now())
        await _say(translator, tapped)
    translator.events_received()
    translator.send(_request(task.protocol), now())
    await _say(translator, tapped)
    events = 0

    def take(frames: Sequence[Frame]) -> None:
        nonlocal events
        time = now()
        for frame in frames:
            translator.receive(frame, time)
        events += len(translator.events_received())

    meter.start()
    await _listen(tapped, meter, take)
    _check(events, task)


async def _say(translator: Translator, transport: Tapped) -> None:
    for frame in translator.frames_to_send():
        await transport.send(frame)


async def _unread(task: Task, meter: Meter, transport: str) -> None:
    """A whole session, its state and its history kept, that nobody reads."""
    _, shaken = handshake(task.protocol)
    tapped: Transport = await _tapped(task, meter, transport, task.wire_events + shaken)
    async with unirt.connect(task.protocol, transport=tapped, environ={}) as session:
        await session.view().aclose()  # until there was a view, a session keeps all for the first
        await session.send(_request(task.protocol))
        meter.start()
        await meter.finished.wait()
        events = session.stats.events
    _check(events, task)


def _check(events: int, task: Task) -> None:
    """Every frame is an event at least, so fewer would mean that something was left out."""
    if events < task.wire_events:
        raise RuntimeError(f"{task.wire_events} frames were {events} events")


STEPS: dict[str, Step] = {
    "anatomy_transport": Step(run=_thrown_away),
    "anatomy_json": Step(run=_as_json),
    "anatomy_pcm": Step(run=_as_pcm, hears=True),
    "anatomy_envelope": Step(run=_by_envelope, hears=True),
    "anatomy_translator": Step(run=_translated),
    "anatomy_session": Step(run=_unread),
    "anatomy_transport_fast": Step(run=_thrown_away, transport="fast", uvloop=True),
}
"By name, in order."


def _main(name: str) -> None:
    if STEPS[name].uvloop:
        import uvloop

        main(Anatomy(name), run=uvloop.run)
    else:
        main(Anatomy(name))


if __name__ == "__main__":
    _main(*sys.argv[1:])
