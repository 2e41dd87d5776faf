"""
A toy provider, real in every respect but its protocol: what session tests talk to.

And the dial of the WebSocket transports, which is tested with each of them, and a composer.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

import unirt
from unirt import commands as cmd
from unirt import events as ev
from unirt.audio import PCM16_16K, PCM16_24K
from unirt.capabilities import Capabilities, Changing, Fact, Support
from unirt.commands import Command
from unirt.composer import Composer
from unirt.config import SessionConfig
from unirt.errors import UnsupportedCommand, UsageError
from unirt.events import Ending, Event, StreamKind
from unirt.playback import ResponsePlayback
from unirt.provider import Credentials, EnvVar, Provider
from unirt.transport import Transport
from unirt.transports.memory import memory_pair
from unirt.transports.websocket import open_websocket
from unirt.usage import Tokens, Usage

NATIVE = Fact(Support.NATIVE)
VERBS = [name for name in cmd.__all__ if name not in ("Command", "Scheduling", "ClearPlayback")]
SETTINGS = [
    "model",
    "voice",
    "instructions",
    "history",
    "tools",
    "input_format",
    "temperature",
    "language",
    "speed",
    "max_output_tokens",
    "modalities",
    "turn_detection.manual",
    "turn_detection.server_vad",
    "turn_detection.semantic_vad",
    "input_transcription",
    "input_transcription.enabled",
    "input_transcription.model",
]


def capabilities(model: str) -> Capabilities:
    return Capabilities(
        provider="toy",
        model=model,
        settings=dict.fromkeys(SETTINGS, NATIVE),
        verbs=dict.fromkeys(VERBS, NATIVE),
        emits={},
        input_format=PCM16_16K,
        output_format=PCM16_24K,
    )


class ToyTranslator:
    """Frames are JSON objects: the client's have ``do``, the server's have ``is``."""

    def __init__(
        self, config: SessionConfig, *, ids: Callable[[str], str], offline: bool = False
    ) -> None:
        self.capabilities = capabilities(config.model or "toy-1")
        self.capabilities.check_config(config)
        self.config = config
        self.ready = False
        self.composer = Composer("toy", ids=ids)
        self.frames: list[str | bytes] = []
        self.timer: float | None = None

    def changing(self, setting: str) -> Changing:
        return self.capabilities.changing(setting)

    def start(self, now: float) -> None:
        self.put(do="hello", model=self.config.model, voice=self.config.voice)

    def put(self, **frame: Any) -> None:
        self.frames.append(json.dumps(frame))

    def send(self, command: Command, now: float) -> None:
        self.capabilities.check_command(command)
        self.composer.begin(None, now)
        match command:
            case cmd.AppendAudio():
                self.put(do="audio", data=command.data.hex())
            case cmd.SendRaw():
                raw = command.frame
                self.frames.append(raw if isinstance(raw, str | bytes) else json.dumps(raw))
            case cmd.UpdateSession():
                self.config = self.config.merged(command.changes)
                self.put(do="UpdateSession")
            case cmd.SendText(text="refuse me"):
                raise UsageError("refused", where="send_text", remedy="write something else")
            case cmd.SendText():
                item = self.composer.mint("item")
                self.composer.user_text(StreamKind.TEXT, item, 0, command.text, synthesised=True)
                self.composer.user_finish(StreamKind.TEXT, item, synthesised=True)
                self.put(do="text", text=command.text)
            case cmd.SeedHistory():
                self.composer.emit(ev.HistorySeeded, carried=len(command.items))
                self.put(do="SeedHistory")
            case cmd.ReportPlayback():
                self.composer.playback(
                    command.played_ms, command.response_id, flushed=command.flushed
                )
            case cmd.SendToolResult():
                self.answer(command)
            case cmd.ApproveServerTool():
                self.put(do="ApproveServerTool", approve=command.approve, reason=command.reason)
            case _:
                self.put(do=type(command).__name__)

    def answer(self, command: cmd.SendToolResult) -> None:
        call = self.composer.calls.get(command.call_id)
        if call is not None and call.answered:
            raise UsageError("answered already", where="SendToolResult", remedy="answer once")
        if command.scheduling is cmd.Scheduling.SILENT:
            raise UnsupportedCommand("silence", provider="toy", why="it talks", remedy="listen")
        if call is not None:
            call.answered = not command.more_follows
        more = {"more": True} if command.more_follows else {}
        self.put(
            do="SendToolResult",
            call=command.call_id,
            **({"output": command.output} if command.error is None else {"error": command.error}),
            **more,
        )

    def receive(self, frame: Any, now: float) -> None:
        said = json.loads(frame) if isinstance(frame, str | bytes) else frame
        self.composer.begin(said, now)
        getattr(self, f"on_{said['is']}")(said)

    def on_hello(self, said: dict[str, Any]) -> None:
        self.composer.session_started(session_id=said.get("id"), model=said.get("model"))
        self.ready = True

    def on_error(self, said: dict[str, Any]) -> None:
        severity = ev.Severity(said.get("severity", "error"))
        self.composer.emit(
            ev.ProviderError, message=said["message"], code=said.get("code"), severity=severity
        )

    def on_note(self, said: dict[str, Any]) -> None:
        self.composer.noted("note", said.get("why", ""))

    def on_ping(self, said: dict[str, Any]) -> None:
        self.composer.noted("ping", "answered")
        self.put(do="pong", n=said.get("n"))

    def on_speech(self, said: dict[str, Any]) -> None:
        self.composer.emit(ev.SpeechStarted, turn_id=self.composer.turn(said["item"]))

    def on_commit(self, said: dict[str, Any]) -> None:
        item = said["item"]
        self.composer.emit(ev.InputCommitted, item_id=item, turn_id=self.composer.turn(item))

    def on_transcript(self, said: dict[str, Any]) -> None:
        kind, item = StreamKind.TRANSCRIPT, said["item"]
        self.composer.user_text(kind, item, 0, said["text"])
        if said.get("final", True):
            self.composer.user_finish(kind, item)

    def on_start(self, said: dict[str, Any]) -> None:
        self.composer.response_started(
            said["response"], in_conversation=said.get("in_conversation", True)
        )

    def on_audio(self, said: dict[str, Any]) -> None:
        response = self.composer.response_started(said["response"])
        data = bytes.fromhex(said["data"]) if "data" in said else bytes(said["size"])
        self.composer.audio(response, said.get("item", "i"), 0, data, PCM16_24K)

    def on_text(self, said: dict[str, Any]) -> None:
        response = self.composer.response_started(said["response"])
        kind = StreamKind(said.get("kind", "text"))
        self.composer.text(response, kind, said.get("item", "i"), 0, said["text"])

    def on_call(self, said: dict[str, Any]) -> None:
        response = self.composer.response_started(said["response"])
        arguments = said.get("arguments", "{}")
        self.composer.tool_call(
            response,
            said["call"] + ".item",
            call_id=said["call"],
            name=said.get("name", "tool"),
            arguments=arguments,
            args=said.get("args"),
        )

    def on_cancel(self, said: dict[str, Any]) -> None:
        self.composer.cancel_calls(said["calls"])

    def on_approval(self, said: dict[str, Any]) -> None:
        self.composer.emit(
            ev.ApprovalRequested,
            approval_id=said["id"],
            name=said["name"],
            arguments=said.get("arguments"),
            server="far away",
        )

    def on_server_tool(self, said: dict[str, Any]) -> None:
        response = self.composer.response_started(said["response"])
        kind, item = StreamKind.SERVER_TOOL, said["item"]
        self.composer.open(response, kind, item, name=said["name"])
        self.composer.text(response, kind, item, 0, said["arguments"])
        self.composer.server_tool_result(response, item, output=said["output"])

    def on_interrupt(self, said: dict[str, Any]) -> None:
        self.composer.interrupt(by="speech")

    def on_usage(self, said: dict[str, Any]) -> None:
        usage = Usage(output=Tokens(text=said["tokens"]))
        self.composer.emit(
            ev.UsageReported, scope=said["scope"], usage=usage, response_id=said.get("response")
        )

    def on_done(self, said: dict[str, Any]) -> None:
        tokens = said.get("tokens")
        self.composer.response_done(
            said["response"],
            ending=Ending(said.get("ending", "complete")),
            usage=None if tokens is None else Usage(output=Tokens(audio=tokens)),
        )

    def on_delete(self, said: dict[str, Any]) -> None:
        self.composer.emit(ev.ItemDeleted, item_id=said["item"])

    def on_timer(self, said: dict[str, Any]) -> None:
        self.timer = said["at"]
        self.composer.noted("timer", "set")

    def on_bug(self, said: dict[str, Any]) -> None:
        raise RuntimeError("a bug in the translator")

    def handle_timer(self, now: float) -> None:
        self.composer.begin(None, now)
        if self.timer is not None and now >= self.timer:
            self.timer = None
            self.composer.emit(ev.SessionExpiring, time_left_ms=now * 1000)
            self.put(do="expiring")

    def get_timer(self) -> float | None:
        return self.timer

    def receive_close(
        self, code: int | None, reason: str, by: str, now: float, *, goes_on: bool = False
    ) -> None:
        self.composer.begin(None, now)
        if goes_on:
            self.composer.session_moves()
            return
        clean = by == "local" or code == 1000
        self.composer.session_closed(code=code, reason=reason, by=by, clean=clean)

    def frames_to_send(self) -> list[str | bytes]:
        frames, self.frames = self.frames, []
        return frames

    def events_received(self) -> list[Event]:
        return self.composer.events_received()

    def playback(self, now: float) -> tuple[ResponsePlayback, ...]:
        return self.composer.playbacks(now)


class Toy:
    """A toy provider and the server's end of a connection to it."""

    def __init__(self) -> None:
        self.here, self.there = memory_pair("memory://toy")
        self.dialled: list[tuple[SessionConfig, Credentials]] = []
        self.provider = Provider(
            name="toy",
            label="Toy",
            default_model="toy-1",
            env=(EnvVar(name="TOY_API_KEY", what="the key", secret=True, required=True),),
            capabilities=capabilities,
            translator=ToyTranslator,
            dial=self.dial,
        )

    async def dial(self, config: SessionConfig, credentials: Credentials) -> Transport:
        self.dialled.append((config, credentials))
        return self.here

    async def say(self, what: str, **fields: Any) -> None:
        """Send one server frame."""
        await self.there.send(json.dumps({"is": what, **fields}))

    async def heard(self) -> Any:
        """The next client frame."""
        return json.loads(await self.there.receive())

    def connecting(self, **arguments: Any) -> AbstractAsyncContextManager[unirt.Session]:
        """``unirt.connect()`` to the toy, once, with nothing read from files."""
        fixed = {"provider": self.provider, "env_file": None, "reconnect": False}
        return unirt.connect(**{**fixed, **arguments})

    async def greet(self) -> None:
        """Say in advance what the handshake waits for."""
        await self.say("hello", id="sess_1", model="toy-1-large")


@pytest.fixture
async def toy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Toy]:
    """The toy, in a clean environment; afterwards no task may be left."""
    for name in list(os.environ):
        if name.startswith("UNIRT_"):
            monkeypatch.delenv(name)
    yield Toy()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
async def session(toy: Toy) -> AsyncIterator[unirt.Session]:
    """An open session with the toy, whose greeting was read off the wire."""
    await toy.greet()
    async with toy.connecting() as opened:
        assert (await toy.heard())["do"] == "hello"
        yield opened


@pytest.fixture(params=["websocket", "fast"])
def dial(request: pytest.FixtureRequest) -> Callable[..., Awaitable[Transport]]:
    """Opens a WebSocket with a key in its headers, once by each transport."""

    async def dial(url: str, **options: Any) -> Transport:
        return await open_websocket(
            "toy",
            url,
            headers={"Authorization": "Bearer sk-very-secret-key"},
            options={"proxy": None, **options},
            transport=request.param,
        )

    return dial


@pytest.fixture
def composer() -> Composer:
    """One that is at its first frame."""
    made = Composer("toy")
    made.begin({"frame": 1}, 0.0)
    return made
