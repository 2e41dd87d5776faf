"""What the providers' tests share: the vendors' own types as judges, and a wire to talk on."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pydantic
import pytest
from google.genai.types import LiveServerMessage
from openai.types.realtime import RealtimeServerEvent

from unirt.commands import Command
from unirt.config import SessionConfig
from unirt.events import Event
from unirt.grammar import Checker
from unirt_openai.translator import OpenAITranslator

OPENAI_UNDECLARED = {
    "session.created.session.id",
    "session.created.session.object",
    "session.created.session.expires_at",
    "session.updated.session.id",
    "session.updated.session.object",
    "session.updated.session.expires_at",
    "response.created.response.output.phase",
    "response.done.response.output.phase",
    "response.output_item.added.item.phase",
    "response.output_item.done.item.phase",
    "conversation.item.added.item.phase",
    "conversation.item.done.item.phase",
    "response.done.response.usage.output_token_details.reasoning_tokens",
    "response.output_audio_transcript.delta.obfuscation",
}
"""What recorded frames hold although the SDK (openai 3.54.0) does not declare it."""


@pytest.fixture(scope="session")
def openai_strict() -> Callable[[str | bytes], dict[str, Any]]:
    """Parses one server frame of OpenAI's, or fails where it is not exactly one of the 46."""
    members = {
        typing.get_args(member.model_fields["type"].annotation)[0]: member
        for member in typing.get_args(typing.get_args(RealtimeServerEvent)[0])
    }
    assert len(members) == 46

    def parse(frame: str | bytes) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(frame)
        member = members[data["type"]]
        parsed = member.model_validate_json(frame, strict=True)
        undeclared = set(_extras(parsed, data["type"])) - OPENAI_UNDECLARED
        assert not undeclared, f"{undeclared} in {data}"
        return data

    return parse


def _extras(value: Any, path: str) -> Iterator[str]:
    """The paths of all keys that no field was declared for."""
    if isinstance(value, pydantic.BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}"
        for name in value.model_fields_set & type(value).model_fields.keys():
            yield from _extras(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for entry in value:
            yield from _extras(entry, path)


@pytest.fixture(scope="session")
def google_strict() -> Callable[[str | bytes], dict[str, Any]]:
    """
    Parses one server message of Google's, or fails where the SDK's types do not hold all of it.

    The types forbid unknown names at every level. Where the SDK's own reader renames a field
    before it parses, so is it here: voice activity's ``type``, and Vertex AI's ``candidates…``.
    """

    def parse(frame: str | bytes) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(frame)
        assert data, "a message without a field makes the SDK raise TypeError"
        renamed = json.loads(frame)
        if "voiceActivity" in renamed:
            activity = renamed["voiceActivity"]
            activity["voiceActivityType"] = activity.pop("type")
        if "usageMetadata" in renamed:
            renamed["usageMetadata"] = {
                name.replace("candidates", "response"): count
                for name, count in renamed["usageMetadata"].items()
            }
        resumption = renamed.get("sessionResumptionUpdate", {})
        if "lastConsumedClientMessageIndex" in resumption:
            index = resumption["lastConsumedClientMessageIndex"]
            assert isinstance(index, str), "protojson writes 64-bit integers as strings"
            resumption["lastConsumedClientMessageIndex"] = int(index)
        LiveServerMessage.model_validate_json(json.dumps(renamed), strict=True)
        return data

    return parse


class OpenAIWire:
    """An OpenAI translator with a server's hand at the other end of the wire."""

    def __init__(self, config: SessionConfig, ids: Callable[[str], str] | None = None) -> None:
        self.translator = OpenAITranslator(config, ids=ids)
        self.now = 0.0
        self._checker = Checker()
        self.translator.start(self.now)

    def hear(self, *frames: dict[str, Any]) -> list[Event]:
        """The server says frames; returns what the application is told."""
        for frame in frames:
            self.translator.receive(frame, self.now)
        return self.events()

    def send(self, command: Command) -> list[dict[str, Any]]:
        """The application says a command; returns the frames without their ids."""
        self.translator.send(command, self.now)
        return self.sent()

    def events(self) -> list[Event]:
        events = self.translator.events_received()
        for event in events:
            self._checker.feed(event)
        return events

    def sent(self) -> list[dict[str, Any]]:
        frames = [json.loads(frame) for frame in self.translator.frames_to_send()]
        assert all(frame.pop("event_id") for frame in frames)
        return frames

    def open(self) -> OpenAIWire:
        """Go through the handshake."""
        self.hear({"type": "session.created", "session": {"id": "s1"}})
        self.hear({"type": "session.updated", "session": {"id": "s1"}})
        self.sent()
        return self


@pytest.fixture
def openai_wire() -> Callable[..., OpenAIWire]:
    """Makes a wire whose session is open; its arguments are those of `SessionConfig`."""

    def make(**config: Any) -> OpenAIWire:
        return OpenAIWire(SessionConfig(**config)).open()

    return make


@pytest.fixture
def openai_fresh_wire() -> Callable[..., OpenAIWire]:
    """Makes a wire on which nobody has said anything."""

    def make(**config: Any) -> OpenAIWire:
        return OpenAIWire(SessionConfig(**config))

    return make
