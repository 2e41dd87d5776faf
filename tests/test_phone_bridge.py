"""The phone bridge: a test plays the phone, over real sockets, with the simulators behind it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import urllib.request
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from xml.etree import ElementTree

import pybase64
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import unirt
from examples.phone_bridge import phone_bridge
from unirt import commands as cmd
from unirt.items import Role
from unirt.registry import installed, load
from unirt.simulator import Line, Scenario, Simulator, loads
from unirt.simulator.voice import silence, speech

LINE = unirt.G711_ULAW
FAST = "[pace]\nlatency_ms = 0\nspeed = 1000\n"
HELLO = '[[reply]]\ncue = "text"\nsteps = [{ say = "Hello.", ms = 600 }]\n'
STORY = loads(f"""
{FAST}
[[reply]]
cue = "text"
steps = [{{ say = "Once upon a time there was a king who had a daughter.", ms = 6000 }}]
[[reply]]
cue = "speech"
heard = {{ text = "Stop." }}
steps = [{{ say = "All right.", ms = 600 }}]
""")
GOODBYE = loads(f"""
{FAST}{HELLO}
[[reply]]
cue = "speech"
heard = {{ text = "Bye." }}
steps = [{{ call = "hang_up" }}]
[[reply]]
cue = "tool_result"
steps = [{{ say = "Goodbye!", ms = 400 }}]
""")

every_provider = pytest.mark.parametrize("provider", installed())


class Bridge(uvicorn.Server):
    """The app, served on loopback."""

    def __init__(self) -> None:
        super().__init__(
            uvicorn.Config(
                self.app,
                interface="asgi3",
                ws="websockets-sansio",
                lifespan="off",
                log_config=None,
            )
        )
        self.listening = asyncio.Event()
        self.ended: asyncio.Queue[None] = asyncio.Queue()
        "One for each stream whose call is over, with all that belonged to it."
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.socket.getsockname())

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await phone_bridge.app(scope, receive, send)
        finally:
            if scope["type"] == "websocket":
                self.ended.put_nowait(None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Phone:
    """Twilio's end of a stream, and the player behind it, which plays when it is told to."""

    def __init__(self, stream: ClientConnection) -> None:
        self._stream = stream
        self._number = 0
        self._chunk = 0
        self._waiting: deque[dict[str, Any]] = deque()
        "Media and marks that have not been played."
        self._cleared: list[dict[str, Any]] = []
        "Marks of what was thrown away; they are sent back, too."
        self.played = b""
        self.cleared = asyncio.Event()
        self._more = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def _send(self, event: str, **about: Any) -> None:
        said: dict[str, Any] = {"event": event}
        if event != "connected":
            self._number += 1
            said |= {"sequenceNumber": str(self._number), "streamSid": "MZ18ad3ab5a668"}
            said[event] = about
        else:
            said |= about
        await self._stream.send(json.dumps(said))

    async def start(self) -> None:
        await self._send("connected", protocol="Call", version="1.0.0")
        await self._send(
            "start",
            accountSid="AC0123",
            callSid="CA4567",
            streamSid="MZ18ad3ab5a668",
            tracks=["inbound"],
            mediaFormat={"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            customParameters={},
        )

    async def say(self, sound: bytes) -> None:
        for start in range(0, len(sound), 160):
            self._chunk += 1
            await self._send(
                "media",
                track="inbound",
                chunk=str(self._chunk),
                timestamp=str(20 * self._chunk),
                payload=pybase64.b64encode_as_string(sound[start : start + 160]),
            )

    async def press(self, digit: str) -> None:
        await self._send("dtmf", track="inbound_track", digit=digit)

    async def stop(self) -> None:
        await self._send("stop", accountSid="AC0123", callSid="CA4567")

    async def play(self, ms: float) -> None:
        """Play so much more, or what there is until the call is over, and send back its marks."""
        wanted = len(self.played) + LINE.bytes_for(ms)
        while True:
            while self._waiting and (self._is_mark() or len(self.played) < wanted):
                said = self._waiting.popleft()
                if said["event"] == "mark":
                    await self._send("mark", **said["mark"])
                else:
                    self.played += pybase64.b64decode(said["media"]["payload"])
            if len(self.played) >= wanted or self.reading.done():
                return
            self._more.clear()
            await self._more.wait()

    async def answered(self) -> None:
        """Wait for something to play. What was thrown away before is told only now: a slow line."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        for mark in self._cleared:
            await self._send("mark", **mark["mark"])
        self._cleared.clear()

    def _is_mark(self) -> bool:
        return bool(self._waiting[0]["event"] == "mark")

    async def _read(self) -> None:
        try:
            async for message in self._stream:
                said = json.loads(message)
                assert said["streamSid"] == "MZ18ad3ab5a668"
                if said["event"] == "clear":
                    self._cleared += [each for each in self._waiting if each["event"] == "mark"]
                    self._waiting.clear()
                    self.cleared.set()
                else:
                    self._waiting.append(said)
                    self._more.set()
        except ConnectionClosed:
            pass
        finally:
            self._more.set()


@asynccontextmanager
async def calling(
    provider: str, monkeypatch: pytest.MonkeyPatch, scenario: Scenario | None = None
) -> AsyncIterator[tuple[Phone, Bridge, Simulator]]:
    """A call that has begun; nothing of it is left at the end."""
    async with Simulator(load(provider), scenario) as simulator:
        monkeypatch.setenv("UNIRT_PROVIDER", provider)
        for name, value in simulator.env.items():
            monkeypatch.setenv(name, value)
        bridge = Bridge()
        serving = asyncio.create_task(bridge.serve([bridge.socket]))
        await bridge.listening.wait()
        before = asyncio.all_tasks()
        async with connect(f"ws://{bridge.address}/media") as stream:
            phone = Phone(stream)
            await phone.start()
            yield phone, bridge, simulator
        await bridge.ended.get()
        await phone.reading
        left = {task for task in asyncio.all_tasks() - before if not task.done()}
        names = {getattr(task.get_coro(), "__qualname__", "") for task in left}
        assert not {
            name for name in names if "unirt" in name or "Session" in name or "Call" in name
        }
        bridge.should_exit = True
        await serving
    assert all(line.closed == (1000, "") for line in simulator.connections)


def written(line: Line) -> list[str]:
    """What the server was told in writing."""
    said: list[str] = []
    for command in line.commands:
        if isinstance(command, cmd.SendText):
            said.append(command.text)
        elif isinstance(command, cmd.CreateItem) and command.item.role is Role.USER:
            said.append(command.item.text)
    return said


@every_provider
async def test_a_caller_talks_to_the_model(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with calling(provider, monkeypatch, loads(FAST + HELLO)) as (phone, _, simulator):
        await phone.play(600)
        await phone.say(speech(800, LINE) + silence(1000, LINE))
        await phone.play(300)  # the simulator's own answer to that
        await phone.stop()
        line = simulator.connections[-1]
        config = line.server.config
    heard = config.input_format or load(provider).capabilities("").input_format
    assert heard == (LINE if provider == "openai" else unirt.PCM16_16K)
    assert (config.output_format == LINE) == (provider == "openai")
    assert line.totals.audio_ms_received == pytest.approx(1800, abs=40)
    assert written(line) == [phone_bridge.GREETING]
    assert len(set(phone.played)) > 20  # a voice, and no silence


@every_provider
async def test_an_interruption_clears_and_tells_what_was_heard(
    provider: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "phone_bridge")
    async with calling(provider, monkeypatch, STORY) as (phone, _, simulator):
        heard = [await interrupted(phone, 1_240)]
        await phone.say(silence(1_000, LINE))
        await phone.answered()
        heard += [await interrupted(phone, 200)]  # the marks that came back uncounted stay so
        line = simulator.connections[-1]
        await phone.stop()
    assert heard == [pytest.approx(1_240, abs=20), pytest.approx(200, abs=20)]
    told = [words for words in caplog.messages if words.startswith("interrupted")]
    assert told == [f"interrupted after {ms} ms" for ms in heard]
    truncated = [c.audio_end_ms for c in line.commands if isinstance(c, cmd.TruncateItem)]
    assert truncated == ([1_240, 200] if provider == "openai" else [])


@every_provider
async def test_what_no_mark_told_of_was_not_heard(
    provider: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "phone_bridge")
    async with calling(provider, monkeypatch, STORY) as (phone, _, simulator):
        await phone.answered()
        await interrupted(phone, 0)
        line = simulator.connections[-1]
        await phone.stop()
    assert "interrupted after 0.0 ms" in caplog.messages
    assert not [c for c in line.commands if isinstance(c, cmd.TruncateItem)]


async def interrupted(phone: Phone, ms: float) -> float:
    """Play so much more of an answer, and speak over it; returns how much was played, exactly."""
    before = len(phone.played)
    await phone.play(ms)
    heard_ms = LINE.duration_ms(len(phone.played) - before)
    phone.cleared.clear()
    await phone.say(speech(800, LINE))
    await phone.cleared.wait()
    return heard_ms


@every_provider
async def test_keys_are_told_in_writing(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with calling(provider, monkeypatch, loads(FAST + HELLO)) as (phone, _, simulator):
        await phone.play(600)
        await phone.press("5")
        await phone.play(600)
        line = simulator.connections[-1]
        await phone.stop()
    assert written(line)[1:] == ["(The caller pressed 5.)"]


@every_provider
async def test_the_model_hangs_up_when_its_goodbye_was_heard(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with calling(provider, monkeypatch, GOODBYE) as (phone, bridge, simulator):
        await phone.play(600)
        await phone.say(speech(800, LINE) + silence(1_000, LINE))
        await phone.play(300)
        await simulator.settled()
        assert bridge.ended.empty()  # the end of it was not heard
        await phone.play(100)
        await phone.reading
        assert LINE.duration_ms(len(phone.played)) == pytest.approx(1_000, abs=5)


@every_provider
async def test_a_caller_who_is_gone_ends_the_call(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with calling(provider, monkeypatch, STORY) as (phone, _, _simulator):
        await phone.play(500)
    # Leaving hangs up without a word; see what `calling` asks for then.


async def test_a_caller_who_never_starts_makes_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator(load("openai")) as simulator:
        bridge = Bridge()
        serving = asyncio.create_task(bridge.serve([bridge.socket]))
        await bridge.listening.wait()
        async with connect(f"ws://{bridge.address}/media"):
            pass
        await bridge.ended.get()
        assert not simulator.connections
        bridge.should_exit = True
        await serving


@every_provider
async def test_a_session_that_is_refused_ends_the_call(
    provider: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("UNIRT_PROVIDER", provider)
    for variable in load(provider).env:
        monkeypatch.delenv(variable.name, raising=False)
    bridge = Bridge()
    serving = asyncio.create_task(bridge.serve([bridge.socket]))
    await bridge.listening.wait()
    async with connect(f"ws://{bridge.address}/media") as stream:
        phone = Phone(stream)
        await phone.start()
        await phone.reading
    await bridge.ended.get()
    assert "the call ends: " in caplog.text
    bridge.should_exit = True
    await serving


async def test_a_call_is_answered_with_a_stream() -> None:
    bridge = Bridge()
    serving = asyncio.create_task(bridge.serve([bridge.socket]))
    await bridge.listening.wait()

    def ask() -> tuple[str, str]:
        request = urllib.request.Request(f"http://{bridge.address}/voice", method="POST")
        with urllib.request.urlopen(request) as answer:
            return answer.headers["content-type"], answer.read().decode()

    kind, text = await asyncio.to_thread(ask)
    assert kind.startswith("text/xml")
    stream = ElementTree.fromstring(text).find("Connect/Stream")
    assert stream is not None
    assert stream.attrib == {"url": f"wss://{bridge.address}/media"}
    bridge.should_exit = True
    await serving
