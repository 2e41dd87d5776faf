"""OpenAI's server side: what it answers by itself, what it hears, and the order of what it says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unirt.events as ev
from unirt import G711_ULAW, PCM16_24K
from unirt.commands import (
    AppendAudio,
    ApproveServerTool,
    CancelResponse,
    ClearInput,
    ClearPlayback,
    CommitInput,
    CreateItem,
    DeleteItem,
    Respond,
    RetrieveItem,
    SendImage,
    SendText,
    SendToolResult,
    TruncateItem,
    UpdateSession,
)
from unirt.config import (
    Manual,
    NoiseReduction,
    ProviderTool,
    SemanticVAD,
    ServerVAD,
    Thinking,
    Tool,
    Transcription,
)
from unirt.events import Ending, Event, Origin, StreamKind
from unirt.items import ImageContent, Item, ItemKind, Role, TextContent
from unirt.translator import Upgrade
from unirt.usage import Tokens, Usage
from unirt_openai.server import OpenAIServer
from unirt_openai.server.commands import CLIENT_EVENTS

ORIGIN = Origin(provider="test")
SECOND = bytes(48_000)
Strict = Callable[[str | bytes], dict[str, Any]]


class Wire:
    """A server with its session open, and both ends of its wire; every frame is judged."""

    def __init__(self, strict: Strict, **upgrade: str) -> None:
        self.server = OpenAIServer()
        self.strict = strict
        if upgrade:
            headers = {"authorization": "Bearer sk-test"}
            request = Upgrade(path="/v1/realtime", query=upgrade, headers=headers)
            assert self.server.upgrade(request).status == 101
        self.server.start(1000.0)
        self.opening = self.take()

    def take(self) -> list[dict[str, Any]]:
        return [self.strict(frame) for frame in self.server.frames_to_send()]

    def hear(self, **event: Any) -> list[dict[str, Any]]:
        self.server.receive(json.dumps(event), 0.0)
        return self.take()

    def command(self, **event: Any) -> Any:
        self.hear(**event)
        return self.server.heard()[-1].command

    def configure(self, **session: Any) -> dict[str, Any]:
        updated, *_ = self.hear(type="session.update", session={"type": "realtime", **session})
        assert updated["type"] == "session.updated"
        return dict(updated["session"])

    def error(self, **event: Any) -> dict[str, Any]:
        [frame] = self.hear(event_id="event_mine", **event)
        assert frame["type"] == "error", frame
        assert frame["error"]["type"] == "invalid_request_error"
        assert frame["error"]["event_id"] == "event_mine"
        heard = self.server.heard()[-1]
        assert (heard.command, heard.command_id) == (None, "event_mine")
        return dict(frame["error"])

    def say(self, *events: Event) -> list[dict[str, Any]]:
        for event in events:
            self.server.send(event, 0.0)
        return self.take()


@pytest.fixture
def wire(openai_strict: Strict) -> Wire:
    return Wire(openai_strict)


def types(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


def stream(kind: StreamKind, item_id: str = "item_a", index: int = 0, **fields: Any) -> ev.Stream:
    place = {"response_id": "resp_a", **fields}
    return ev.Stream(
        id=f"{item_id}.{index}.{kind}", kind=kind, item_id=item_id, index=index, **place
    )


def say(kind: type[Event], **fields: Any) -> Event:
    return kind(origin=ORIGIN, **fields)


def user_text(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


VOICE = stream(StreamKind.AUDIO)
CAPTION = stream(StreamKind.TRANSCRIPT)
CALL = stream(StreamKind.TOOL_CALL, "item_f", call_id="call_a", name="get_weather")
STARTED = say(ev.ResponseStarted, response_id="resp_a")
DONE = say(ev.ResponseDone, response_id="resp_a")
SPOKEN = [
    say(ev.StreamOpened, stream=CAPTION),
    say(ev.TranscriptDelta, stream=CAPTION, text="Hello"),
    say(ev.StreamOpened, stream=VOICE),
    say(ev.AudioDelta, stream=VOICE, data=SECOND, format=PCM16_24K),
]
CALLED = say(
    ev.ToolCall, stream=CALL, name="get_weather", arguments='{"city":"Oslo"}', args={"city": "Oslo"}
)


# The upgrade.


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/realtime", {"authorization": "Bearer sk-x"}, 101),
        ("/openai/v1/realtime", {"api-key": "azure"}, 101),
        ("/v1/realtime", {"sec-websocket-protocol": "realtime, openai-insecure-api-key.ek"}, 101),
        ("/v1/realtime", {}, 401),
        ("/v1/realtime", {"authorization": "Bearer "}, 401),
        ("/v1/chat", {"authorization": "Bearer sk-x"}, 404),
    ],
)
def test_an_upgrade_needs_the_path_and_a_key(
    path: str, headers: dict[str, str], status: int
) -> None:
    verdict = OpenAIServer().upgrade(Upgrade(path=path, query={}, headers=headers))
    assert verdict.status == status
    if status != 101:
        assert json.loads(verdict.body)["error"]["type"] == "invalid_request_error"
    offers = "realtime" in headers.get("sec-websocket-protocol", "")
    assert verdict.subprotocol == ("realtime" if offers else None)


# The session.


def test_a_session_begins_with_every_field_of_its_defaults(openai_strict: Strict) -> None:
    [created] = Wire(openai_strict, model="gpt-realtime").opening
    assert created["type"] == "session.created"
    session = created["session"]
    assert set(session) == {
        *("type", "object", "id", "model", "output_modalities", "instructions", "tools"),
        *("tool_choice", "max_output_tokens", "tracing", "truncation", "prompt", "expires_at"),
        *("audio", "include"),
    }
    assert (session["model"], session["expires_at"]) == ("gpt-realtime", 4600)
    assert session["audio"]["output"]["voice"] == "alloy"
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200


def test_a_control_connection_to_a_running_call_is_not_told_of_its_session(
    openai_strict: Strict,
) -> None:
    wire = Wire(openai_strict, call_id="rtc_1")
    assert wire.opening == []
    assert wire.configure(instructions="Be brief.")["instructions"] == "Be brief."


def test_a_transcription_session_knows_only_input(openai_strict: Strict) -> None:
    wire = Wire(openai_strict, intent="transcription")
    assert set(wire.opening[0]["session"]["audio"]) == {"input"}
    session = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}
    assert types(wire.hear(type="session.update", session=session)) == ["session.updated"]
    assert wire.server.config.turn_detection == Manual()
    error = wire.error(type="session.update", session={"type": "transcription", "tools": []})
    assert error["param"] == "session.tools"


def test_an_update_keeps_what_it_does_not_name(wire: Wire) -> None:
    wire.configure(instructions="Be brief.")
    session = wire.configure(
        audio={
            "input": {
                "turn_detection": {"type": "server_vad", "threshold": 0.7},
                "transcription": {"model": "gpt-realtime-whisper"},
            }
        }
    )
    assert session["instructions"] == "Be brief."
    assert session["audio"]["output"]["voice"] == "marin"
    detection = session["audio"]["input"]["turn_detection"]
    assert (detection["threshold"], detection["prefix_padding_ms"]) == (0.7, 300)
    assert session["audio"]["input"]["transcription"] == {
        "model": "gpt-realtime-whisper",
        "language": None,
        "prompt": None,
    }


def test_a_turn_detection_of_another_type_starts_from_its_own_defaults(wire: Wire) -> None:
    detection = {"type": "semantic_vad", "eagerness": "low"}
    session = wire.configure(audio={"input": {"turn_detection": detection}})
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": True,
        "interrupt_response": True,
    }


def test_the_configuration_is_heard_in_canonical_terms(wire: Wire) -> None:
    assert not wire.server.ready
    mcp = {"type": "mcp", "server_label": "docs", "server_url": "https://example.org"}
    wire.configure(
        output_modalities=["text"],
        max_output_tokens=100,
        tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}}, mcp],
        tool_choice={"type": "function", "name": "f"},
        reasoning={"effort": "low"},
        audio={
            "input": {
                "format": {"type": "audio/pcmu"},
                "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
                "transcription": {"model": "m", "language": "de", "keywords": ["unirt"]},
                "noise_reduction": {"type": "far_field"},
            },
            "output": {"voice": {"id": "voice_1"}, "speed": 1.2},
        },
    )
    config = wire.server.config
    assert wire.server.ready
    assert wire.server.heard()[-1].command == UpdateSession(changes=config)
    assert (config.modalities, config.max_output_tokens, config.speed) == (("text",), 100, 1.2)
    assert config.tools == (Tool(name="f", parameters={"type": "object"}), ProviderTool(spec=mcp))
    assert (config.tool_choice, config.voice) == ("f", "voice_1")
    assert config.thinking == Thinking(effort="low")
    assert config.turn_detection == SemanticVAD(eagerness="high", respond=True, interrupt=True)
    assert config.input_transcription == Transcription(
        model="m", language="de", vocabulary=["unirt"]
    )
    assert (config.input_format, config.output_format) == (G711_ULAW, PCM16_24K)
    assert config.noise_reduction is NoiseReduction.FAR_FIELD


def test_defaults_are_a_server_vad_and_no_transcription(wire: Wire) -> None:
    config = wire.server.config
    assert config.turn_detection == ServerVAD(
        threshold=0.5, prefix_padding_ms=300, silence_ms=500, respond=True, interrupt=True
    )
    assert config.input_transcription == Transcription(enabled=False)


_VAD = ("audio", "input", "turn_detection")


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({}, "missing_required_parameter", "session.type"),
        ({"type": "other"}, "invalid_value", "session.type"),
        ({"type": "realtime", "temperature": 1}, "unknown_parameter", "session.temperature"),
        ({"type": "realtime", "model": "gpt-5"}, "invalid_value", "session.model"),
        ({"type": "realtime", "instructions": 5}, "invalid_type", "session.instructions"),
        (
            {"type": "realtime", "output_modalities": ["text", "audio"]},
            "invalid_value",
            "session.output_modalities",
        ),
        (
            {"type": "realtime", "max_output_tokens": 4097},
            "invalid_value",
            "session.max_output_tokens",
        ),
        (
            {"type": "realtime", "max_output_tokens": "many"},
            "invalid_value",
            "session.max_output_tokens",
        ),
        (
            {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "psychic"}}}},
            "invalid_value",
            "session.audio.input.turn_detection.type",
        ),
        (
            {"type": "realtime", "audio": {"output": {"speed": 3}}},
            "invalid_value",
            "session.audio.output.speed",
        ),
        (
            {
                "type": "realtime",
                "audio": {
                    "input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 100}}
                },
            },
            "invalid_value",
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        (
            {"type": "realtime", "tools": [{"type": "function", "name": "f", "strict": True}]},
            "unknown_parameter",
            "session.tools[0].strict",
        ),
        (
            {"type": "realtime", "tools": [{}]},
            "missing_required_parameter",
            "session.tools[0].type",
        ),
        ({"type": "realtime", "tool_choice": "maybe"}, "invalid_value", "session.tool_choice"),
        ({"type": "realtime", "audio": None}, "invalid_type", "session.audio"),
        ([], "invalid_type", "session"),
    ],
)
def test_a_bad_update_is_refused_by_its_path_and_changes_nothing(
    wire: Wire, session: Any, code: str, param: str
) -> None:
    before = wire.server.config
    error = wire.error(type="session.update", session=session)
    assert (error["code"], error["param"]) == (code, param)
    assert wire.server.config == before


def test_a_voice_nobody_knows_is_accepted_until_the_model_has_spoken(wire: Wire) -> None:
    output = {"output": {"voice": "nightingale"}}
    assert wire.configure(audio=output)["audio"]["output"]["voice"] == "nightingale"
    wire.say(STARTED, *SPOKEN)
    wire.configure(audio=output)
    later = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    assert wire.error(type="session.update", session=later)["code"] == "cannot_update_voice"


# Items.


@pytest.mark.parametrize(
    ("item", "command"),
    [
        (user_text("Hi"), SendText(text="Hi", respond=False)),
        (
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_image", "image_url": "data:image/png;base64,iVBORw=="}],
            },
            SendImage(data=b"\x89PNG", mime_type="image/png"),
        ),
        (
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": "https://example.org/a.png"},
                ],
            },
            CreateItem(
                item=Item(
                    role=Role.USER,
                    content=(
                        TextContent(text="What is this?"),
                        ImageContent(url="https://example.org/a.png"),
                    ),
                )
            ),
        ),
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hello"}],
            },
            CreateItem(item=Item(role=Role.ASSISTANT, content=(TextContent(text="Hello"),))),
        ),
        (
            {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"},
            CreateItem(item=Item(kind=ItemKind.TOOL_CALL, name="f", arguments="{}", call_id="c")),
        ),
        (
            {
                "type": "mcp_approval_response",
                "approval_request_id": "mcpr_1",
                "approve": True,
                "id": "item_mine",
            },
            ApproveServerTool(approval_id="mcpr_1", approve=True),
        ),
    ],
)
def test_an_item_is_acknowledged_and_heard_as_a_command(
    wire: Wire, item: dict[str, Any], command: object
) -> None:
    frames = wire.hear(type="conversation.item.create", event_id="event_7", item=item)
    assert types(frames) == ["conversation.item.added", "conversation.item.done"]
    [heard] = wire.server.heard()
    assert heard.command == command
    assert (heard.type, heard.command_id) == ("conversation.item.create", "event_7")


def test_items_chain_and_can_be_put_anywhere(wire: Wire) -> None:
    def create(id_: str, **place: str) -> str | None:
        item = {"id": id_, **user_text(id_)}
        previous = wire.hear(type="conversation.item.create", item=item, **place)[0][
            "previous_item_id"
        ]
        return None if previous is None else str(previous)

    assert create("item_1") is None
    assert create("item_2") == "item_1"
    assert create("item_0", previous_item_id="root") is None
    assert create("item_1b", previous_item_id="item_1") == "item_1"
    assert create("item_3") == "item_2"


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": "Hi"}],
            },
            "invalid_value",
            "item.content[0].type",
        ),
        (
            {"type": "message", "role": "robot", "content": []},
            "invalid_value",
            "item.role",
        ),
        ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
        ({"type": "poem"}, "invalid_value", "item.type"),
        ({}, "missing_required_parameter", "item.type"),
        ({"type": "message", "role": "user", "content": "Hi"}, "invalid_type", "item.content"),
        ({"id": "x" * 33, **user_text("Hi")}, "string_above_max_length", "item.id"),
        (
            {"type": "function_call_output", "call_id": "nobody", "output": ""},
            "invalid_tool_call_id",
            "item.call_id",
        ),
    ],
)
def test_a_bad_item_is_refused_and_the_next_one_is_not(
    wire: Wire, item: dict[str, Any], code: str, param: str
) -> None:
    error = wire.error(type="conversation.item.create", item=item)
    assert (error["code"], error["param"]) == (code, param)
    assert wire.command(type="conversation.item.create", item=user_text("Hi")) is not None


def test_an_item_is_refused_whose_id_is_taken_or_whose_place_is_nowhere(wire: Wire) -> None:
    item = {"id": "item_x", **user_text("Hi")}
    wire.hear(type="conversation.item.create", item=item)
    assert wire.error(type="conversation.item.create", item=item)["param"] == "item.id"
    lost = wire.error(
        type="conversation.item.create", item=user_text("Hi"), previous_item_id="item_y"
    )
    assert lost["param"] == "previous_item_id"


@pytest.mark.parametrize(
    ("output", "result"),
    [
        ("Sunny.", SendToolResult(call_id="call_a", output="Sunny.", respond=False)),
        ('{"error":"No."}', SendToolResult(call_id="call_a", error="No.", respond=False)),
        ('{"error":1}', SendToolResult(call_id="call_a", output='{"error":1}', respond=False)),
    ],
)
def test_the_result_of_a_call_is_heard(wire: Wire, output: str, result: SendToolResult) -> None:
    wire.say(STARTED, CALLED, DONE)
    item = {"type": "function_call_output", "call_id": "call_a", "output": output}
    frames = wire.hear(type="conversation.item.create", item=item)
    assert "status" not in frames[0]["item"]  # as recorded
    assert wire.server.heard()[-1].command == result


def test_items_can_be_read_and_removed(wire: Wire) -> None:
    wire.hear(type="conversation.item.create", item={"id": "item_x", **user_text("Hi")})
    [retrieved] = wire.hear(type="conversation.item.retrieve", item_id="item_x")
    assert retrieved["item"]["content"] == [{"type": "input_text", "text": "Hi"}]
    assert wire.server.heard()[-1].command == RetrieveItem(item_id="item_x")
    assert types(wire.hear(type="conversation.item.delete", item_id="item_x")) == [
        "conversation.item.deleted"
    ]
    assert wire.server.heard()[-1].command == DeleteItem(item_id="item_x")
    for verb in ("retrieve", "delete", "truncate"):
        error = wire.error(type=f"conversation.item.{verb}", item_id="item_x")
        assert (error["code"], error["param"]) == (f"item_{verb}_invalid_item_id", "item_id")


def test_a_spoken_answer_can_be_cut_to_what_was_heard(wire: Wire) -> None:
    wire.say(STARTED, *SPOKEN, DONE)
    cut = {"type": "conversation.item.truncate", "item_id": "item_a", "content_index": 0}
    too_far = wire.error(**cut, audio_end_ms=1500)
    assert too_far["message"] == "Audio content of 1000ms is already shorter than 1500ms"
    [truncated] = wire.hear(**cut, audio_end_ms=400)
    assert (truncated["type"], truncated["audio_end_ms"]) == ("conversation.item.truncated", 400)
    assert wire.server.heard()[-1].command == TruncateItem(item_id="item_a", audio_end_ms=400)
    again = wire.error(**cut, audio_end_ms=500)
    assert again["message"] == "Audio content of 400ms is already shorter than 500ms"
    [retrieved] = wire.hear(type="conversation.item.retrieve", item_id="item_a")
    assert retrieved["item"]["content"] == [{"type": "output_audio", "transcript": None}]


def test_what_has_no_sound_cannot_be_cut(wire: Wire) -> None:
    wire.hear(type="conversation.item.create", item={"id": "item_x", **user_text("Hi")})
    error = wire.error(type="conversation.item.truncate", item_id="item_x", audio_end_ms=10)
    assert error["code"] == "unsupported_content_type"


# The user's audio.


def append(wire: Wire, data: bytes) -> list[dict[str, Any]]:
    audio = base64.b64encode(data).decode()
    return wire.hear(type="input_audio_buffer.append", audio=audio)


def test_audio_is_heard_and_not_acknowledged(wire: Wire) -> None:
    assert append(wire, SECOND) == []
    assert wire.server.heard()[-1].command == AppendAudio(data=SECOND)
    assert wire.error(type="input_audio_buffer.append", audio="*")["param"] == "audio"
    assert wire.error(type="input_audio_buffer.append")["code"] == "missing_required_parameter"
    assert wire.error(type="input_audio_buffer.append", audio=5)["code"] == "invalid_type"


def test_a_commit_makes_an_item_and_an_empty_one_is_refused(wire: Wire) -> None:
    commit = {"type": "input_audio_buffer.commit"}
    assert wire.error(**commit)["code"] == "input_audio_buffer_commit_empty"
    append(wire, SECOND)
    frames = wire.hear(**commit)
    assert types(frames) == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert frames[1]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert frames[0]["item_id"] == frames[1]["item"]["id"]
    assert wire.server.heard()[-1].command == CommitInput()
    assert wire.error(**commit)["code"] == "input_audio_buffer_commit_empty"


def test_a_cleared_buffer_is_empty(wire: Wire) -> None:
    append(wire, SECOND)
    assert types(wire.hear(type="input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert wire.server.heard()[-1].command == ClearInput()
    error = wire.error(type="input_audio_buffer.commit")
    assert "only has 0.00ms of audio" in error["message"]


def test_clearing_the_playback_is_left_to_whoever_plays(wire: Wire) -> None:
    assert wire.hear(type="output_audio_buffer.clear") == []
    assert wire.server.heard()[-1].command == ClearPlayback()


def test_a_transcript_finds_the_item_that_the_clients_own_commit_made(wire: Wire) -> None:
    transcription = {"model": "gpt-realtime-whisper"}
    wire.configure(audio={"input": {"turn_detection": None, "transcription": transcription}})
    append(wire, SECOND)
    item_id = wire.hear(type="input_audio_buffer.commit")[0]["item_id"]
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_of_mine")
    frames = wire.say(
        say(ev.InputCommitted, item_id="item_of_mine"),
        say(ev.TranscriptDelta, stream=words, text=" Hello"),
        say(ev.StreamClosed, stream=words),
    )
    assert types(frames) == [
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
    ]
    assert {frame["item_id"] for frame in frames} == {item_id}
    assert frames[1]["transcript"] == "Hello"
    assert frames[1]["usage"] == {"type": "duration", "seconds": 1}


def test_nobody_is_told_a_transcript_who_did_not_ask(wire: Wire) -> None:
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
    assert not wire.say(
        say(ev.TranscriptDelta, stream=words, text="Hello"),
        say(ev.StreamClosed, stream=words, text="Hello"),
    )


def test_a_failed_transcription_is_told_once(wire: Wire) -> None:
    wire.configure(audio={"input": {"transcription": {"model": "m"}}})
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
    frames = wire.say(
        say(
            ev.TranscriptionFailed,
            message="Mumbled.",
            code="audio_unintelligible",
            item_id="item_u",
        ),
        say(ev.StreamClosed, stream=words, ending=Ending.FAILED),
    )
    assert types(frames) == ["conversation.item.input_audio_transcription.failed"]
    assert frames[0]["error"]["message"] == "Mumbled."


def test_usage_of_a_transcription_travels_with_it(wire: Wire) -> None:
    wire.configure(audio={"input": {"transcription": {"model": "m"}}})
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
    usage = Usage(input=Tokens(audio=20, text=2), output=Tokens(text=5))
    [completed] = wire.say(
        say(ev.UsageReported, scope="transcription", usage=usage),
        say(ev.StreamClosed, stream=words, text="Hello"),
    )
    assert completed["usage"] == {
        "type": "tokens",
        "total_tokens": 27,
        "input_tokens": 22,
        "output_tokens": 5,
        "input_token_details": {"text_tokens": 2, "audio_tokens": 20},
    }


# Responses.


def test_a_response_is_asked_for_with_everything_the_request_says(wire: Wire) -> None:
    request = {
        "instructions": "Briefly.",
        "output_modalities": ["text"],
        "tools": [{"type": "function", "name": "f"}],
        "tool_choice": "required",
        "audio": {"output": {"voice": "cedar"}},
        "max_output_tokens": 50,
        "metadata": {"k": "v"},
        "conversation": "none",
        "input": [user_text("Hi")],
        "reasoning": {"effort": "low"},
    }
    command = wire.command(type="response.create", response=request)
    assert command == Respond(
        instructions="Briefly.",
        modalities=("text",),
        tools=(Tool(name="f"),),
        tool_choice="required",
        voice="cedar",
        max_output_tokens=50,
        metadata={"k": "v"},
        in_conversation=False,
        input=(Item(role=Role.USER, content=(TextContent(text="Hi"),)),),
        provider_options={"reasoning": {"effort": "low"}},
    )
    [created] = wire.say(say(ev.ResponseStarted, response_id="resp_o", in_conversation=False))
    response = created["response"]
    assert (response["conversation_id"], response["metadata"]) == (None, {"k": "v"})
    assert (response["output_modalities"], response["max_output_tokens"]) == (["text"], 50)
    assert response["audio"]["output"]["voice"] == "cedar"


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"temperature": 1}, "response.temperature"),
        ({"conversation": "other"}, "response.conversation"),
        ({"metadata": {"k": 1}}, "response.metadata.k"),
        (5, "response"),
    ],
)
def test_a_bad_request_is_refused_by_its_path(wire: Wire, request_: Any, param: str) -> None:
    assert wire.error(type="response.create", response=request_)["param"] == param


def test_only_one_response_of_the_conversation_runs_at_a_time(wire: Wire) -> None:
    busy = "conversation_already_has_active_response"
    assert wire.command(type="response.create") == Respond()
    assert wire.error(type="response.create")["code"] == busy
    wire.say(STARTED)
    assert wire.error(type="response.create")["code"] == busy
    aside = wire.command(type="response.create", response={"conversation": "none"})
    assert aside == Respond(in_conversation=False)
    wire.say(DONE)
    assert wire.command(type="response.create") == Respond()


def test_what_runs_can_be_cancelled_and_nothing_else(wire: Wire) -> None:
    cancel = {"type": "response.cancel"}
    assert wire.error(**cancel)["code"] == "response_cancel_not_active"
    wire.say(STARTED)
    assert wire.command(**cancel) == CancelResponse()
    assert wire.command(**cancel, response_id="resp_a") == CancelResponse(response_id="resp_a")
    assert wire.error(**cancel, response_id="resp_z")["code"] == "response_cancel_not_active"
    wire.say(DONE)
    assert wire.error(**cancel)["code"] == "response_cancel_not_active"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type":"session.destroy"}', "invalid_value"),
        ('{"event_id":"e"}', "invalid_event"),
        ('{"type":5}', "invalid_event"),
        ('{"type":"response.create","event_id":5}', "invalid_event"),
        ("[]", "invalid_event"),
        ("{", "invalid_event"),
        (b"\xff", "invalid_event"),
    ],
)
def test_what_is_no_client_event_is_answered_with_an_error(
    wire: Wire, frame: str | bytes, code: str
) -> None:
    wire.server.receive(frame, 0.0)
    [error] = wire.take()
    assert error["error"]["code"] == code
    assert [heard.command for heard in wire.server.heard()] == [None]


# The order of what is said.


def test_a_spoken_turn_is_said_in_the_recorded_order(wire: Wire) -> None:
    wire.configure(audio={"input": {"transcription": {"model": "m"}}})
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
    usage = Usage(input=Tokens(text=14, audio=27), output=Tokens(audio=100, text=20))
    frames = wire.say(
        say(ev.SpeechStarted, audio_ms=1460.0, item_id="item_u"),
        say(ev.SpeechStopped, audio_ms=4256.0, item_id="item_u"),
        say(ev.InputCommitted, item_id="item_u"),
        STARTED,
        *SPOKEN,
        say(ev.TranscriptDelta, stream=words, text="Hello"),
        say(ev.StreamClosed, stream=words, text="Hello."),
        say(ev.StreamClosed, stream=VOICE),
        say(ev.StreamClosed, stream=CAPTION, text="Hello"),
        say(ev.GenerationDone, response_id="resp_a"),
        say(ev.ResponseDone, response_id="resp_a", usage=usage),
    )
    assert types(frames) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert (frames[0]["audio_start_ms"], frames[1]["audio_end_ms"]) == (1460, 4256)
    assert frames[7]["previous_item_id"] == "item_u"
    assert frames[12]["usage"] == {"type": "duration", "seconds": 3}
    response = frames[18]["response"]
    assert (response["status"], response["status_details"]) == ("completed", None)
    assert response["conversation_id"].startswith("conv_")
    assert response["output"] == [frames[17]["item"]]
    assert response["output"][0]["content"] == [{"type": "output_audio", "transcript": "Hello"}]
    assert response["usage"]["total_tokens"] == 161
    [limit] = frames[19]["rate_limits"]
    assert limit["limit"] - limit["remaining"] == 161


def test_a_function_call_is_said_in_the_recorded_order(wire: Wire) -> None:
    frames = wire.say(
        STARTED,
        say(ev.StreamOpened, stream=CALL),
        say(ev.ToolCallDelta, stream=CALL, text='{"city":'),
        CALLED,
        say(ev.StreamClosed, stream=CALL),
        DONE,
    )
    assert types(frames) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert frames[3]["delta"] + frames[4]["delta"] == frames[5]["arguments"] == '{"city":"Oslo"}'
    assert (frames[5]["name"], frames[5]["call_id"]) == ("get_weather", "call_a")
    assert frames[7]["item"]["status"] == "completed"


@pytest.mark.parametrize(
    ("result", "status", "output", "error"),
    [
        ({"output": "42"}, "completed", "42", None),
        (
            {"error": "down"},
            "failed",
            None,
            {"type": "tool_execution_error", "message": "down"},
        ),
    ],
)
def test_a_tool_that_the_server_runs_is_said_with_its_result(
    wire: Wire, result: dict[str, str], status: str, output: str | None, error: Any
) -> None:
    wire.configure(
        tools=[{"type": "mcp", "server_label": "docs", "server_url": "https://example.org"}]
    )
    search = stream(StreamKind.SERVER_TOOL, "item_s", name="search")
    frames = wire.say(
        STARTED,
        say(ev.StreamOpened, stream=search),
        say(ev.ServerToolDelta, stream=search, text='{"q":1}'),
        say(ev.ServerToolResult, stream=search, **result),
        say(ev.StreamClosed, stream=search),
    )
    assert types(frames)[1:] == [
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        f"response.mcp_call.{status}",
        "conversation.item.done",
        "response.output_item.done",
    ]
    item = frames[-1]["item"]
    assert (item["server_label"], item["name"], item["arguments"]) == ("docs", "search", '{"q":1}')
    assert (item["output"], item["error"]) == (output, error)


def test_the_tools_of_an_mcp_server_are_read_once(wire: Wire) -> None:
    docs = {
        "type": "mcp",
        "server_label": "docs",
        "server_url": "https://example.org",
        "allowed_tools": ["search"],
    }
    frames = wire.hear(type="session.update", session={"type": "realtime", "tools": [docs]})
    assert types(frames) == [
        "session.updated",
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "conversation.item.done",
        "mcp_list_tools.completed",
    ]
    item = frames[3]["item"]
    assert (item["server_label"], [tool["name"] for tool in item["tools"]]) == ("docs", ["search"])
    again = wire.hear(type="session.update", session={"type": "realtime", "tools": [docs]})
    assert types(again) == ["session.updated"]
    gone = {**docs, "server_url": "https://nowhere.invalid"}
    frames = wire.hear(type="session.update", session={"type": "realtime", "tools": [gone]})
    assert types(frames)[1:] == [
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.failed",
    ]


def test_a_call_that_was_asked_for_names_the_request(wire: Wire) -> None:
    search = stream(StreamKind.SERVER_TOOL, "item_s", name="search")
    frames = wire.say(
        STARTED,
        say(ev.ApprovalRequested, approval_id="mcpr_1", name="search", response_id="resp_a"),
        say(ev.StreamOpened, stream=search),
    )
    asked, call = frames[1]["item"], frames[-1]["item"]
    assert (asked["type"], asked["id"]) == ("mcp_approval_request", "mcpr_1")
    assert (call["type"], call["approval_request_id"]) == ("mcp_call", "mcpr_1")


def test_a_barge_in_closes_what_is_open_as_incomplete(wire: Wire) -> None:
    frames = wire.say(
        STARTED,
        *SPOKEN,
        say(ev.SpeechStarted, audio_ms=900.0, item_id="item_u"),
        say(ev.StreamClosed, stream=VOICE, ending=Ending.INTERRUPTED),
        say(ev.StreamClosed, stream=CAPTION, ending=Ending.INTERRUPTED),
        say(ev.Interrupted, response_id="resp_a"),
        say(ev.ResponseDone, response_id="resp_a", ending=Ending.INTERRUPTED, reason="speech"),
    )
    assert types(frames)[6:] == [
        "input_audio_buffer.speech_started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert frames[11]["item"]["status"] == "incomplete"
    response = frames[12]["response"]
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}


@pytest.mark.parametrize(
    ("ending", "reason", "status", "details"),
    [
        (
            Ending.CANCELLED,
            "client",
            "cancelled",
            {"type": "cancelled", "reason": "client_cancelled"},
        ),
        (
            Ending.INTERRUPTED,
            "client",
            "cancelled",
            {"type": "cancelled", "reason": "client_cancelled"},
        ),
        (
            Ending.INCOMPLETE,
            "max_output_tokens",
            "incomplete",
            {"type": "incomplete", "reason": "max_output_tokens"},
        ),
        (
            Ending.FAILED,
            "rate_limited",
            "failed",
            {
                "type": "failed",
                "error": {
                    "type": "rate_limit_exceeded",
                    "code": "rate_limit_exceeded",
                    "message": "Slow down.",
                },
            },
        ),
    ],
)
def test_how_a_response_ended_is_said(
    wire: Wire, ending: Ending, reason: str, status: str, details: dict[str, Any]
) -> None:
    done = say(
        ev.ResponseDone, response_id="resp_a", ending=ending, reason=reason, detail="Slow down."
    )
    response = wire.say(STARTED, *SPOKEN, done)[-2]["response"]
    assert (response["status"], response["status_details"]) == (status, details)
    assert response["output"][0]["status"] == "incomplete"


def test_a_call_that_is_cut_keeps_its_partial_arguments_and_is_incomplete(wire: Wire) -> None:
    frames = wire.say(
        STARTED,
        say(ev.ToolCallDelta, stream=CALL, text='{"ci'),
        say(ev.ResponseDone, response_id="resp_a", ending=Ending.INTERRUPTED),
    )
    done = frames[types(frames).index("response.output_item.done")]
    assert (done["item"]["status"], done["item"]["arguments"]) == ("incomplete", '{"ci')


def test_items_interleave_and_parts_of_one_item_have_places_of_their_own(wire: Wire) -> None:
    text = stream(StreamKind.TEXT)  # the same item and index as the voice
    frames = wire.say(
        STARTED,
        say(ev.TextDelta, stream=text, text="Let me see."),
        say(ev.AudioDelta, stream=VOICE, data=SECOND, format=PCM16_24K),
        CALLED,
        say(ev.StreamClosed, stream=text, text="Let me see."),
        DONE,
    )
    places = {
        (frame["type"], frame["output_index"], frame.get("content_index"))
        for frame in frames
        if frame["type"].endswith((".delta", "text.done"))
    }
    assert places == {
        ("response.output_text.delta", 0, 0),
        ("response.output_audio.delta", 0, 1),
        ("response.function_call_arguments.delta", 1, None),
        ("response.output_text.done", 0, 0),
    }
    [message, call] = frames[-2]["response"]["output"]
    assert [part["type"] for part in message["content"]] == ["output_text", "output_audio"]
    assert call["type"] == "function_call"


def test_outside_the_conversation_no_item_enters_it(wire: Wire) -> None:
    frames = wire.say(
        say(ev.ResponseStarted, response_id="resp_a", in_conversation=False), *SPOKEN, DONE
    )
    assert not [type_ for type_ in types(frames) if type_.startswith("conversation.item")]
    assert frames[0]["response"]["conversation_id"] is None


def test_an_empty_response_is_said(wire: Wire) -> None:
    assert types(wire.say(STARTED, DONE)) == [
        "response.created",
        "response.done",
        "rate_limits.updated",
    ]


def test_a_finished_response_says_nothing_more(wire: Wire) -> None:
    wire.say(STARTED, DONE)
    assert wire.say(*SPOKEN, DONE) == []


def test_items_that_events_tell_of_are_said_once(wire: Wire) -> None:
    item = Item(id="item_a", role=Role.ASSISTANT, status="in_progress")
    final = Item(
        id="item_a", role=Role.ASSISTANT, status="completed", content=(TextContent(text="Hi"),)
    )
    text = stream(StreamKind.TEXT)
    ids: dict[str, Any] = {"response_id": "resp_a", "item_id": "item_a"}
    frames = wire.say(
        STARTED,
        say(ev.OutputItemAdded, item=item, **ids),
        say(ev.ItemAdded, item=item, **ids),
        say(ev.StreamOpened, stream=text),
        say(ev.TextDelta, stream=text, text="Hi"),
        say(ev.StreamClosed, stream=text, text="Hi"),
        say(ev.ItemDone, item=final, **ids),
        say(ev.OutputItemDone, item=final, **ids),
        DONE,
    )
    assert types(frames) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]


def test_hanging_up_is_wanted_once_the_session_was_closed(wire: Wire) -> None:
    assert wire.server.close_wanted() is None
    wire.say(say(ev.SessionClosed, code=1001, reason="Your session hit the maximum duration."))
    assert wire.server.close_wanted() == (1001, "Your session hit the maximum duration.")


# Whatever comes.

_LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["realtime", "message", "user", "assistant", "input_text", "item_1", "resp_a"]),
    st.sampled_from(["function_call_output", "call_a", "audio", "server_vad", "none", "AAAA", ""]),
)
_KEYS = st.sampled_from(
    re.findall(
        r"\w+",
        """
    type event_id session item audio response item_id content role input output turn_detection
    call_id previous_item_id audio_end_ms text conversation metadata tools name id format
    content_index
    """,
    )
)
_JSON = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)
_EVENT = st.builds(
    lambda type_, rest: {**rest, "type": type_},
    st.sampled_from(CLIENT_EVENTS),
    st.dictionaries(_KEYS, _JSON, max_size=5),
)
_TOTAL = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@_TOTAL
@given(frames=st.lists(_EVENT | _JSON | st.binary(max_size=20), max_size=8))
def test_no_frame_makes_it_raise_and_each_is_heard(
    openai_strict: Strict, frames: list[Any]
) -> None:
    wire = Wire(openai_strict)
    for frame in frames:
        wire.server.receive(frame if isinstance(frame, bytes) else json.dumps(frame), 0.0)
        answers = wire.take()
        [heard] = wire.server.heard()
        assert (heard.command is None) == ("error" in types(answers))


_SAYABLE = [
    STARTED,
    DONE,
    *SPOKEN,
    CALLED,
    say(ev.StreamClosed, stream=VOICE),
    say(ev.StreamClosed, stream=CAPTION, text="Hello"),
    say(ev.StreamClosed, stream=CALL, ending=Ending.INTERRUPTED),
    say(ev.ToolCallDelta, stream=CALL, text="{"),
    say(ev.TextDelta, stream=stream(StreamKind.TEXT), text="x"),
    say(ev.ThoughtDelta, stream=stream(StreamKind.THOUGHT), text="x"),
    say(ev.GenerationDone, response_id="resp_a"),
    say(ev.Interrupted, response_id="resp_a"),
    say(ev.ResponseDone, response_id="resp_a", ending=Ending.INTERRUPTED),
    say(ev.SpeechStarted),
    say(ev.SpeechStopped),
    say(ev.InputCommitted),
    say(ev.TextDelta, stream=stream(StreamKind.TEXT, response_id=None), text="x"),
    say(ev.ServerToolStatus, status="completed"),
    say(ev.ApprovalRequested, approval_id="mcpr_1"),
    say(ev.ItemDone, item=Item(role=Role.USER, content=(TextContent(text="x"),))),
]


@_TOTAL
@given(events=st.lists(st.sampled_from(_SAYABLE), max_size=25))
def test_events_in_any_order_are_said_in_frames_that_are_valid(
    openai_strict: Strict, events: list[Event]
) -> None:
    wire = Wire(openai_strict)
    frames = wire.say(*events)
    for type_ in ("response.created", "response.done"):
        ids = [f["response"]["id"] for f in frames if f["type"] == type_]
        assert len(ids) == len(set(ids))
    once = [
        (f["type"], f["item"]["id"]) for f in frames if f["type"].startswith("response.output_item")
    ]
    assert len(once) == len(set(once))
