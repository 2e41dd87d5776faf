"""Every server event, by a table: what it becomes, and with which fields."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from openai.types import realtime
from openai.types.beta import realtime as beta

from tests.providers.openai_told import (
    ASR,
    CALL,
    MCP,
    MESSAGE,
    OUT,
    SPEAKING,
    STARTED,
    TYPED,
    last,
    part,
    told,
)
from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.events import Ending, Event, Severity
from unirt.items import AudioContent, ImageContent, Item, Role, TextContent
from unirt.testing import translate
from unirt.usage import Tokens, Usage
from unirt_openai.inbound import HANDLERS

ONE = "one event, said by the provider"
Row = tuple[list[dict[str, Any]], dict[str, Any], list[tuple[type[Event], dict[str, Any]]]]
"The frames before, the frame, and what that becomes."


def calling(status: str) -> Row:
    """A server tool's call goes on."""
    return (
        [STARTED, MCP],
        {"type": f"response.mcp_call.{status}", "item_id": "i3", "output_index": 0},
        [(ev.ServerToolStatus, {"status": status, "item_id": "i3", "response_id": "r1"})],
    )


def listing(status: str) -> Row:
    """The listing of a server's tools goes on."""
    return (
        [
            STARTED,
            {
                "type": "conversation.item.added",
                "item": {"id": "l1", "type": "mcp_list_tools", "server_label": "s"},
            },
        ],
        {"type": f"mcp_list_tools.{status}", "item_id": "l1"},
        [(ev.ToolsListed, {"status": status, "server": "s", "item_id": "l1"})],
    )


ROWS: list[Row] = [
    # The session.
    (
        [],
        {
            "type": "session.created",
            "session": {"id": "s1", "model": "m", "expires_at": 9, "tools": []},
        },
        [
            (
                ev.SessionStarted,
                {
                    "session_id": "s1",
                    "model": "m",
                    "expires_at": 9,
                    "config": {"id": "s1", "model": "m", "expires_at": 9, "tools": []},
                },
            )
        ],
    ),
    ([], {"type": "session.created"}, [(ev.SessionStarted, {"session_id": None, "config": None})]),
    (
        [{"type": "session.created"}],
        {"type": "session.created", "session": {"id": "s2"}},
        [(ev.SessionUpdated, {"config": {"id": "s2"}})],
    ),
    (
        [{"type": "session.created"}],
        {"type": "session.updated", "session": {"instructions": "x"}},
        [(ev.SessionUpdated, {"config": {"instructions": "x"}})],
    ),
    (
        [],
        {"type": "session.updated", "session": {}},
        [(ev.SessionStarted, {}), (ev.SessionUpdated, {"config": {}})],
    ),
    (
        [{"type": "session.created"}],
        {"type": "transcription_session.updated", "session": {}},
        [(ev.SessionUpdated, {})],
    ),
    (
        [],
        {"type": "conversation.created", "conversation": {"id": "c1"}},
        [(ev.SessionStarted, {}), (ev.ConversationCreated, {"conversation_id": "c1"})],
    ),
    (
        [STARTED],
        {
            "type": "rate_limits.updated",
            "rate_limits": [
                {"name": "tokens", "limit": 10, "remaining": 4, "reset_seconds": 1.5},
                {"name": "requests"},
            ],
        },
        [
            (
                ev.RateLimitsUpdated,
                {
                    "limits": (
                        ev.RateLimit(name="tokens", limit=10, remaining=4, reset_ms=1500),
                        ev.RateLimit(name="requests"),
                    )
                },
            )
        ],
    ),
    (
        [STARTED],
        {
            "type": "error",
            "event_id": "e1",
            "error": {
                "type": "invalid_request_error",
                "code": "invalid_value",
                "message": "bad",
                "param": "item.content[0].type",
                "event_id": "c7",
            },
        },
        [
            (
                ev.ProviderError,
                {
                    "message": "bad",
                    "severity": Severity.ERROR,
                    "type": "invalid_request_error",
                    "code": "invalid_value",
                    "param": "item.content[0].type",
                    "command_id": "c7",
                },
            )
        ],
    ),
    # The user.
    (
        [STARTED, {"type": "response.done", "response": {"id": "r1", "status": "completed"}}],
        SPEAKING,
        [(ev.SpeechStarted, {"audio_ms": 100, "item_id": "u1", "turn_id": "u_turn_2"})],
    ),
    (
        [SPEAKING],
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 900, "item_id": "u1"},
        [(ev.SpeechStopped, {"audio_ms": 900, "item_id": "u1", "turn_id": "u_turn_1"})],
    ),
    (
        [SPEAKING],
        {"type": "input_audio_buffer.committed", "item_id": "u1", "previous_item_id": "p"},
        [(ev.InputCommitted, {"previous_item_id": "p", "item_id": "u1", "turn_id": "u_turn_1"})],
    ),
    ([SPEAKING], {"type": "input_audio_buffer.cleared"}, [(ev.InputCleared, {})]),
    (
        [STARTED],
        {
            "type": "input_audio_buffer.timeout_triggered",
            "item_id": "u2",
            "audio_start_ms": 5,
            "audio_end_ms": 6,
        },
        [(ev.InputTimeout, {"start_ms": 5, "end_ms": 6, "item_id": "u2"})],
    ),
    (
        [STARTED],
        {"type": "input_audio_buffer.dtmf_event_received", "event": "9", "received_at": 17},
        [(ev.DtmfReceived, {"key": "9", "at_unix_s": 17})],
    ),
    (
        [SPEAKING],
        {"type": f"{ASR}.delta", "item_id": "u1", "content_index": 0, "delta": "Hel"},
        [(ev.StreamOpened, {}), (ev.TranscriptDelta, {"text": "Hel"})],
    ),
    (
        [SPEAKING, {"type": f"{ASR}.delta", "item_id": "u1", "delta": "Hel"}],
        {
            "type": f"{ASR}.completed",
            "item_id": "u1",
            "content_index": 0,
            "transcript": "Hello",
            "usage": {"type": "duration", "seconds": 3},
        },
        [
            (ev.TranscriptDelta, {"text": "lo"}),
            (ev.StreamClosed, {"text": "Hello", "ending": Ending.COMPLETE}),
            (
                ev.UsageReported,
                {
                    "scope": "transcription",
                    "duration_ms": 3000,
                    "item_id": "u1",
                    "usage": None,
                    "model": "gpt-realtime-whisper",
                },
            ),
        ],
    ),
    (
        [SPEAKING],
        {
            "type": f"{ASR}.completed",
            "item_id": "u1",
            "transcript": "Hallo",
            "languages": [{"code": "de"}],
            "usage": {
                "type": "tokens",
                "total_tokens": 5,
                "input_tokens": 3,
                "output_tokens": 2,
                "input_token_details": {"audio_tokens": 3},
            },
        },
        [
            (ev.StreamOpened, {}),
            (ev.TranscriptDelta, {"text": "Hallo", "language": "de"}),
            (ev.StreamClosed, {"text": "Hallo"}),
            (
                ev.UsageReported,
                {"usage": Usage(input=Tokens(audio=3), output=Tokens(text=2))},
            ),
        ],
    ),
    (
        [SPEAKING],
        {"type": f"{ASR}.completed", "item_id": "u1", "transcript": "", "usage": None},
        [(ev.Noted, {"why": "no words were understood", "item_id": "u1"})],
    ),
    (
        [SPEAKING, {"type": f"{ASR}.completed", "item_id": "u1", "transcript": "a"}],
        {"type": f"{ASR}.completed", "item_id": "u1", "transcript": "a"},
        [(ev.Noted, {"why": "this transcript was told before"})],
    ),
    (
        [SPEAKING],
        {
            "type": f"{ASR}.segment",
            "item_id": "u1",
            "id": "g1",
            "text": "Hi",
            "speaker": "A",
            "start": 0.5,
            "end": 1.25,
        },
        [
            (ev.StreamOpened, {}),
            (
                ev.TranscriptSegment,
                {
                    "text": "Hi",
                    "segment_id": "g1",
                    "speaker": "A",
                    "start_ms": 500,
                    "end_ms": 1250,
                },
            ),
        ],
    ),
    (
        [SPEAKING, {"type": f"{ASR}.delta", "item_id": "u1", "delta": "Hel"}],
        {
            "type": f"{ASR}.failed",
            "item_id": "u1",
            "error": {"code": "audio_unintelligible", "message": "no", "type": "t"},
        },
        [
            (
                ev.TranscriptionFailed,
                {"message": "no", "code": "audio_unintelligible", "item_id": "u1"},
            ),
            (ev.StreamClosed, {"ending": Ending.FAILED}),
        ],
    ),
    # The xAI dialect's guesses.
    (
        [SPEAKING],
        {"type": f"{ASR}.updated", "item_id": "u1", "transcript": "Hello?"},
        [(ev.StreamOpened, {}), (ev.TranscriptInterim, {"text": "Hello?"})],
    ),
    (
        [SPEAKING],
        {"type": f"{ASR}.completed", "item_id": "u1", "status": "in_progress", "transcript": "He"},
        [(ev.StreamOpened, {}), (ev.TranscriptInterim, {"text": "He"})],
    ),
    # Items.
    (
        [],
        {
            "type": "conversation.item.added",
            "previous_item_id": "p",
            "item": {
                **TYPED,
                "content": [
                    {"type": "input_text", "text": "Hi"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                    {"type": "input_text", "text": "you"},
                ],
            },
        },
        [
            (ev.SessionStarted, {}),
            (
                ev.ItemAdded,
                {
                    "previous_item_id": "p",
                    "item_id": "u1",
                    "turn_id": "u_turn_1",
                    "item": Item(
                        id="u1",
                        role=Role.USER,
                        status="completed",
                        content=(
                            TextContent(text="Hi"),
                            ImageContent(data=b"\0\0\0", mime_type="image/png"),
                            TextContent(text="you"),
                        ),
                    ),
                },
            ),
            (ev.StreamOpened, {}),
            (ev.TextDelta, {"text": "Hi"}),
            (ev.StreamClosed, {"text": "Hi"}),
            (ev.StreamOpened, {}),
            (ev.TextDelta, {"text": "you"}),
            (ev.StreamClosed, {"text": "you"}),
        ],
    ),
    (
        [SPEAKING],
        {
            "type": "conversation.item.added",
            "item": {**TYPED, "content": [{"type": "input_audio", "transcript": None}]},
        },
        [
            (
                ev.ItemAdded,
                {
                    "turn_id": "u_turn_1",
                    "item": Item(
                        id="u1", role=Role.USER, status="completed", content=(AudioContent(),)
                    ),
                },
            )
        ],
    ),
    (
        [STARTED],
        {"type": "conversation.item.created", "item": {**TYPED, "content": []}},
        [(ev.ItemAdded, {"item_id": "u1"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "conversation.item.added", "item": MESSAGE["item"]},
        [(ev.ItemAdded, {"item_id": "i1", "response_id": "r1", "turn_id": "u_turn_1"})],
    ),
    (
        [STARTED, MESSAGE],
        {
            "type": "conversation.item.done",
            "item": {
                "id": "i1",
                "type": "message",
                "role": "assistant",
                "phase": "commentary",
                "content": [{"type": "output_audio", "transcript": "Hm"}],
            },
        },
        [
            (
                ev.ItemDone,
                {
                    "response_id": "r1",
                    "item": Item(
                        id="i1",
                        role=Role.ASSISTANT,
                        phase="commentary",
                        content=(AudioContent(transcript="Hm"),),
                    ),
                },
            )
        ],
    ),
    (
        [STARTED],
        {
            "type": "conversation.item.done",
            "item": {**TYPED, "content": [{"type": "input_text", "text": "never added"}]},
        },
        [
            (ev.ItemDone, {"item_id": "u1"}),
            (ev.StreamOpened, {}),
            (ev.TextDelta, {"text": "never added"}),
            (ev.StreamClosed, {}),
        ],
    ),
    (
        [STARTED],
        {
            "type": "conversation.item.done",
            "item": {
                "id": "q1",
                "type": "mcp_approval_request",
                "server_label": "s",
                "name": "rm",
                "arguments": "{}",
            },
        },
        [
            (ev.ItemDone, {}),
            (
                ev.ApprovalRequested,
                {"approval_id": "q1", "server": "s", "name": "rm", "arguments": "{}"},
            ),
        ],
    ),
    (
        [STARTED],
        {
            "type": "conversation.item.retrieved",
            "item": {**TYPED, "content": [{"type": "input_audio", "audio": "AAAA"}]},
        },
        [
            (
                ev.ItemRetrieved,
                {
                    "item": Item(
                        id="u1",
                        role=Role.USER,
                        status="completed",
                        content=(AudioContent(data=b"\0\0\0", format=PCM16_24K),),
                    )
                },
            )
        ],
    ),
    (
        [STARTED],
        {"type": "conversation.item.deleted", "item_id": "x"},
        [(ev.ItemDeleted, {"item_id": "x"})],
    ),
    (
        [STARTED, MESSAGE],
        {
            "type": "conversation.item.truncated",
            "item_id": "i1",
            "content_index": 1,
            "audio_end_ms": 720,
        },
        [
            (
                ev.ItemTruncated,
                {"item_id": "i1", "response_id": "r1", "content_index": 1, "audio_end_ms": 720},
            )
        ],
    ),
    # Responses.
    (
        [SPEAKING],
        {
            "type": "response.created",
            "response": {"id": "r1", "conversation_id": "c", "metadata": {"k": "v"}},
        },
        [
            (
                ev.ResponseStarted,
                {
                    "response_id": "r1",
                    "turn_id": "u_turn_1",
                    "in_conversation": True,
                    "metadata": {"k": "v"},
                },
            )
        ],
    ),
    (
        [STARTED],
        {"type": "response.created", "response": {"id": "r2", "conversation_id": None}},
        [(ev.ResponseStarted, {"response_id": "r2", "in_conversation": False})],
    ),
    (
        [STARTED],
        STARTED | {"event_id": "again"},
        [(ev.Noted, {})],
    ),
    (
        [STARTED],
        MESSAGE,
        [
            (
                ev.OutputItemAdded,
                {"item_id": "i1", "response_id": "r1", "output_index": 0, "turn_id": "u_turn_1"},
            )
        ],
    ),
    (
        [STARTED, MESSAGE, {"type": "response.output_text.delta", "delta": "a", **OUT}],
        {**MESSAGE, "type": "response.output_item.done"},
        [
            (ev.StreamClosed, {"text": "a", "ending": Ending.COMPLETE}),
            (ev.OutputItemDone, {"item_id": "i1"}),
        ],
    ),
    ([STARTED], CALL, [(ev.OutputItemAdded, {"item_id": "i2"}), (ev.StreamOpened, {})]),
    ([STARTED], MCP, [(ev.OutputItemAdded, {"item_id": "i3"}), (ev.StreamOpened, {})]),
    (
        [STARTED, CALL],
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "output_index": 2,
            "item": {**CALL["item"], "status": "completed", "arguments": '{"a": 1}'},
        },
        [
            (ev.ToolCallDelta, {"text": '{"a": 1}'}),
            (ev.ToolCall, {"name": "look", "arguments": '{"a": 1}', "args": {"a": 1}}),
            (ev.StreamClosed, {"text": '{"a": 1}', "ending": Ending.COMPLETE}),
            (ev.OutputItemDone, {"item_id": "i2", "output_index": 2}),
        ],
    ),
    (
        [STARTED, CALL],
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "item": {**CALL["item"], "status": "incomplete", "arguments": '{"a"'},
        },
        [
            (ev.ToolCallDelta, {"text": '{"a"'}),
            (ev.StreamClosed, {"ending": Ending.INCOMPLETE}),
            (ev.OutputItemDone, {}),
        ],
    ),
    (
        [STARTED, MCP],
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "item": {**MCP["item"], "arguments": "{}", "output": "found"},
        },
        [
            (ev.ServerToolDelta, {"text": "{}"}),
            (ev.ServerToolResult, {"output": "found", "error": None}),
            (ev.StreamClosed, {"ending": Ending.COMPLETE}),
            (ev.OutputItemDone, {"item_id": "i3"}),
        ],
    ),
    (
        [STARTED, MCP],
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "item": {
                **MCP["item"],
                "error": {"type": "http_error", "code": 500, "message": "down"},
            },
        },
        [
            (ev.ServerToolResult, {"output": None, "error": "down"}),
            (ev.StreamClosed, {"ending": Ending.FAILED}),
            (ev.OutputItemDone, {}),
        ],
    ),
    ([STARTED, MESSAGE], part("response.content_part.added", text=""), [(ev.StreamOpened, {})]),
    (
        [STARTED, MESSAGE],
        {
            "type": "response.content_part.added",
            "part": {"type": "audio", "transcript": ""},
            **OUT,
        },
        [(ev.StreamOpened, {}), (ev.StreamOpened, {})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.content_part.added", "part": {"type": "hologram", "x": 1}, **OUT},
        [
            (
                ev.Unmapped,
                {
                    "type": "response.content_part.added.part",
                    "data": {"type": "hologram", "x": 1},
                    "response_id": "r1",
                    "item_id": "i1",
                },
            )
        ],
    ),
    (
        [STARTED, MESSAGE, part("response.content_part.added")],
        part("response.content_part.done", text="whole"),
        [(ev.TextDelta, {"text": "whole"})],
    ),
    (
        [STARTED, {"type": "response.output_text.done", "text": "a", **OUT}],
        part("response.content_part.done", text="a"),
        [(ev.Noted, {"response_id": "r1", "item_id": "i1"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.output_text.delta", "delta": "Hi", **OUT},
        [(ev.StreamOpened, {}), (ev.TextDelta, {"text": "Hi"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.output_text.delta", "delta": "", **OUT},
        [(ev.Noted, {"why": "an empty piece", "response_id": "r1"})],
    ),
    (
        [STARTED, {"type": "response.output_text.delta", "delta": "H", **OUT}],
        {"type": "response.output_text.done", "text": "Hi", **OUT},
        [(ev.TextDelta, {"text": "i"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.output_audio.delta", "delta": "AAAA", **OUT},
        [(ev.StreamOpened, {}), (ev.AudioDelta, {"data": b"\0\0\0", "format": PCM16_24K})],
    ),
    (
        [STARTED, {"type": "response.output_audio.delta", "delta": "AAAA", **OUT}],
        {"type": "response.output_audio.done", **OUT},
        [(ev.Noted, {"item_id": "i1"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.output_audio_transcript.delta", "delta": "Hi", **OUT},
        [(ev.StreamOpened, {}), (ev.TranscriptDelta, {"text": "Hi"})],
    ),
    (
        [STARTED, {"type": "response.output_audio_transcript.delta", "delta": "Hi", **OUT}],
        {"type": "response.output_audio_transcript.done", "transcript": "Hi", **OUT},
        [(ev.Noted, {"item_id": "i1"})],
    ),
    # Tools.
    (
        [STARTED, CALL],
        {
            "type": "response.function_call_arguments.delta",
            "response_id": "r1",
            "item_id": "i2",
            "call_id": "k1",
            "delta": "{",
        },
        [(ev.ToolCallDelta, {"text": "{"})],
    ),
    (
        [STARTED, CALL],
        {
            "type": "response.function_call_arguments.done",
            "response_id": "r1",
            "item_id": "i2",
            "arguments": "{}",
        },
        [(ev.Noted, {"item_id": "i2", "response_id": "r1"})],
    ),
    (
        [STARTED, MCP],
        {
            "type": "response.mcp_call_arguments.delta",
            "response_id": "r1",
            "item_id": "i3",
            "delta": "{",
        },
        [(ev.ServerToolDelta, {"text": "{"})],
    ),
    (
        [STARTED, MCP],
        {
            "type": "response.mcp_call_arguments.done",
            "response_id": "r1",
            "item_id": "i3",
            "arguments": "{}",
        },
        [(ev.Noted, {"item_id": "i3"})],
    ),
    *map(calling, ("in_progress", "completed", "failed")),
    *map(listing, ("in_progress", "completed", "failed")),
    # Playback that the provider owns.
    (
        [STARTED],
        {"type": "output_audio_buffer.started", "response_id": "r1"},
        [(ev.PlaybackStarted, {"response_id": "r1", "turn_id": "u_turn_1"})],
    ),
    (
        [STARTED],
        {"type": "output_audio_buffer.stopped", "response_id": "gone"},
        [(ev.PlaybackStopped, {"response_id": "gone"})],
    ),
    (
        [STARTED],
        {"type": "output_audio_buffer.cleared", "response_id": "r1"},
        [
            (ev.PlaybackCleared, {"response_id": "r1"}),
            (ev.Interrupted, {"response_id": "r1", "by": "speech", "generating": True}),
        ],
    ),
    (
        [STARTED],
        {
            "type": "response.done",
            "response": {
                "id": "r1",
                "status": "completed",
                "usage": {"input_tokens": 3, "output_tokens": 4},
            },
        },
        [
            (
                ev.ResponseDone,
                {
                    "response_id": "r1",
                    "ending": Ending.COMPLETE,
                    "reason": None,
                    "usage": Usage(input=Tokens(other=3), output=Tokens(other=4)),
                },
            )
        ],
    ),
    # What has no name here.
    (
        [STARTED],
        {"type": "response.levitated", "response_id": "r1", "x": 1},
        [
            (
                ev.Unmapped,
                {
                    "type": "response.levitated",
                    "response_id": "r1",
                    "data": {"type": "response.levitated", "response_id": "r1", "x": 1},
                },
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("before", "frame", "expected"), ROWS, ids=[str(row[1]["type"]) for row in ROWS]
)
def test_a_frame_becomes(
    before: list[dict[str, Any]],
    frame: dict[str, Any],
    expected: list[tuple[type[Event], dict[str, Any]]],
) -> None:
    events = last([*before, frame])
    assert [type(event) for event in events] == [kind for kind, _ in expected]
    for event, (_, fields) in zip(events, expected, strict=True):
        said = told(event)
        assert {name: said[name] for name in fields} == fields


def _types(union: Any) -> set[str]:
    members = typing.get_args(typing.get_args(union)[0])
    return {
        literal
        for member in members
        for literal in typing.get_args(member.model_fields["type"].annotation)
    }


def test_every_type_of_the_sdk_and_of_the_beta_has_a_row() -> None:
    ga = _types(realtime.RealtimeServerEvent)
    assert len(ga) == 46
    assert ga | _types(beta.RealtimeServerEvent) <= set(HANDLERS)


def test_the_table_above_shows_every_type_or_its_beta_alias() -> None:
    shown = {HANDLERS[row[1]["type"]] for row in ROWS if row[1]["type"] in HANDLERS}
    assert {name for name, row in HANDLERS.items() if row not in shown} == set()


@pytest.mark.parametrize(
    ("beta_name", "name"),
    [
        ("response.audio.delta", "response.output_audio.delta"),
        ("response.audio.done", "response.output_audio.done"),
        ("response.text.delta", "response.output_text.delta"),
        ("response.text.done", "response.output_text.done"),
        ("response.audio_transcript.delta", "response.output_audio_transcript.delta"),
        ("response.audio_transcript.done", "response.output_audio_transcript.done"),
        ("conversation.item.created", "conversation.item.added"),
        ("transcription_session.updated", "session.updated"),
    ],
)
def test_a_beta_name_means_what_the_ga_name_means(beta_name: str, name: str) -> None:
    assert HANDLERS[beta_name] is HANDLERS[name]


@pytest.mark.parametrize(
    ("row", "kinds"),
    [(row[1], [kind for kind, _ in row[2]]) for row in ROWS if row[1]["type"] in HANDLERS],
    ids=[str(row[1]["type"]) for row in ROWS if row[1]["type"] in HANDLERS],
)
def test_the_rows_say_what_their_frames_become(
    row: dict[str, Any], kinds: list[type[Event]]
) -> None:
    always = {ev.Noted, ev.SessionStarted, ev.Unmapped, ev.StreamOpened, ev.StreamClosed}
    growth = {ev.TextDelta, ev.TranscriptDelta, ev.ToolCallDelta, ev.ServerToolDelta}
    assert set(kinds) <= {*HANDLERS[row["type"]].gives, *always, *growth}


MALFORMED: list[tuple[Any, str]] = [
    ("not json", "$"),
    (b"\xff\xfe", "$"),
    ("null", "$"),
    ({}, "$.type"),
    ({"type": 5}, "$.type"),
    ({"type": "response.output_audio.delta", "delta": "*", **OUT}, "$.delta"),
    ({"type": "response.output_audio.delta", **OUT}, "$.delta"),
    ({"type": "response.output_text.delta", "delta": 5, **OUT}, "$.delta"),
    ({"type": "response.output_text.delta", "delta": "a", "item_id": []}, "$.item_id"),
    ({"type": "response.output_item.added", "item": "i"}, "$.item"),
    ({"type": "response.done", "response": {"output": [5]}}, "$.response.output[0]"),
    ({"type": "response.created"}, "$.response"),
    ({"type": "error", "error": {"type": []}}, "$.error.type"),
    ({"type": "conversation.item.added", "item": {"role": "user", "content": 5}}, "$.item.content"),
    (
        {
            "type": "conversation.item.retrieved",
            "item": {"role": "user", "content": [{"type": "input_audio", "audio": "*"}]},
        },
        "$.item.content[0].audio",
    ),
    ({"type": "rate_limits.updated", "rate_limits": {}}, "$.rate_limits"),
]


@pytest.mark.parametrize(("frame", "where"), MALFORMED, ids=[str(row[0])[:40] for row in MALFORMED])
def test_a_malformed_frame_says_where_and_does_nothing_else(frame: Any, where: str) -> None:
    events = translate("openai", [STARTED, MESSAGE, frame])[3:]
    assert [type(event) for event in events] == [ev.Malformed]
    assert isinstance(events[0], ev.Malformed)
    assert events[0].where == where
    assert events[0].raw == frame
