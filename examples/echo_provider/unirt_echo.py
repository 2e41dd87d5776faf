"""An offline provider that writes back what it reads: the smallest complete plug-in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from unirt.capabilities import Capabilities, Changing, Emission, Emits, Fact, Support
from unirt.commands import Command, SendText
from unirt.composer import Composer
from unirt.config import SessionConfig
from unirt.events import Event, Malformed, StreamKind, Unmapped
from unirt.playback import ResponsePlayback
from unirt.provider import Credentials, Provider
from unirt.translator import Frame
from unirt.transport import Transport, TransportClosed
from unirt.transports.memory import memory_pair
from unirt.wire import Wire, WireError, parse_frame

# 1. Facts. What is not listed is refused by name before anything is sent.


def capabilities(model: str) -> Capabilities:
    said = ("SessionStarted", "ResponseStarted", "StreamOpened", "TextDelta", "ResponseDone")
    return Capabilities(
        provider="echo",
        model=model,
        settings={"model": Fact(Support.NATIVE)},
        verbs={"SendText": Fact(Support.NATIVE, "{'say': ...}")},
        emits={name: Emits(Emission.SAID) for name in said},
    )


# 2. The translator. Frames and time in, events and frames out; no I/O.
#
# The wire, such as it is:  > {"say": "hello"}
#                           < {"hello": "echo-1"}   once, first
#                           < {"word": "hello"}     for each word
#                           < {"end": true}


class EchoTranslator:
    def __init__(self, config: SessionConfig, ids: Callable[[str], str], offline: bool) -> None:
        self.capabilities = capabilities(config.model or "echo-1")
        self.capabilities.check_config(config)
        self.config = config
        self.ready = False
        self._composer = Composer("echo", ids=ids, clocked=not offline)
        self._frames: list[Frame] = []

    def changing(self, setting: str) -> Changing:
        return self.capabilities.changing(setting)

    def start(self, now: float) -> None:
        """This protocol lets the server speak first."""

    def send(self, command: Command, now: float) -> None:
        self.capabilities.check_command(command)
        assert isinstance(command, SendText)  # the only verb among the facts
        self._composer.begin(None, now)
        item = self._composer.mint("item")
        self._composer.user_text(StreamKind.TEXT, item, 0, command.text, synthesised=True)
        self._composer.user_finish(StreamKind.TEXT, item, synthesised=True)
        self._frames.append(json.dumps({"say": command.text}))

    def receive(self, frame: Frame | Mapping[str, object], now: float) -> None:
        raw: Any = frame
        try:
            raw = frame if isinstance(frame, Mapping) else parse_frame(frame)
            self._composer.begin(raw, now)
            self._hear(Wire(raw))
        except WireError as exc:
            self._composer.begin(raw, now)
            self._composer.emit(Malformed, where=exc.path, what=exc.what)

    def _hear(self, wire: Wire) -> None:
        composer = self._composer
        if "hello" in wire:
            composer.session_started(model=wire.text("hello"))
            self.ready = True
        elif "word" in wire:
            word = wire.text("word")
            response = composer.active or composer.response_started(synthesised=True)
            composer.text(response, StreamKind.TEXT, f"{response.id}.text", 0, word)
        elif "end" in wire and composer.active is not None:
            composer.response_done(composer.active.id)
        else:
            composer.emit(Unmapped, type="frame", data=wire.data)

    def receive_close(
        self, code: int | None, reason: str, by: str, now: float, *, goes_on: bool = False
    ) -> None:
        self._composer.begin(None, now)
        if goes_on:
            self._composer.session_moves()
            return
        clean = by == "local" or code == 1000
        self._composer.session_closed(code=code, reason=reason, by=by, clean=clean)

    def get_timer(self) -> float | None:
        return None

    def handle_timer(self, now: float) -> None:
        """There are no timers in this protocol."""

    def frames_to_send(self) -> list[Frame]:
        frames, self._frames = self._frames, []
        return frames

    def events_received(self) -> list[Event]:
        return self._composer.events_received()

    def playback(self, now: float) -> tuple[ResponsePlayback, ...]:
        return self._composer.playbacks(now)


# 3. The dial. Here the "server" is a task; elsewhere it is a URL and some headers.


async def dial(config: SessionConfig, credentials: Credentials) -> Transport:
    near, far = memory_pair()
    task = asyncio.create_task(_serve(far, config.model or "echo-1"))
    _SERVERS.add(task)
    task.add_done_callback(_SERVERS.discard)
    return near


_SERVERS: set[asyncio.Task[None]] = set()
"Held here, because the event loop holds its tasks only weakly."


async def _serve(end: Transport, model: str) -> None:
    try:
        await end.send(json.dumps({"hello": model}))
        while True:
            said = json.loads(await end.receive())["say"]
            for word in said.split(" "):
                await end.send(json.dumps({"word": f"{word} "}))
            await end.send(json.dumps({"end": True}))
    except TransportClosed:
        pass


# 4. The plug-in: data, found through the entry point in pyproject.toml.

PROVIDER = Provider(
    name="echo",
    label="Echo",
    default_model="echo-1",
    env=(),
    capabilities=capabilities,
    translator=lambda config, *, ids, offline: EchoTranslator(config, ids, offline),
    dial=dial,
)
