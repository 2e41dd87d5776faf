"""Google's server side: what it hears in what a client says."""

from __future__ import annotations

import base64
from typing import Any

import attrs
import pytest

import unirt.events as ev
from tests.providers.google_server_wire import (
    CALL,
    CALLED,
    DONE,
    LIVE,
    MANUAL,
    OLDER,
    PREVIEW,
    STARTED,
    THINKS,
    VERTEX,
    Strict,
    Wire,
    say,
    stream,
    turn,
)
from unirt import AudioFormat
from unirt.commands import (
    AppendAudio,
    CancelResponse,
    CommitInput,
    EndTurn,
    Respond,
    Scheduling,
    SeedHistory,
    SendImage,
    SendText,
    SendToolResult,
    StartTurn,
    UpdateSession,
)
from unirt.config import SessionConfig, Tool
from unirt.events import StreamKind
from unirt.items import Item, ItemKind, Role, TextContent


def _user(text: str) -> Item:
    return Item(role=Role.USER, content=(TextContent(text=text),), status="completed")


def _model(text: str) -> Item:
    return Item(role=Role.ASSISTANT, content=(TextContent(text=text),), status="completed")


@pytest.mark.parametrize(
    ("body", "commands"),
    [
        (
            {"turns": [turn("user", "Hi")], "turnComplete": True},
            [SendText(text="Hi", respond=True)],
        ),
        (
            {"turns": [turn("user", "Hi")], "turn_complete": False},
            [SendText(text="Hi", respond=False)],
        ),
        ({"turns": [turn("user", "Hi")]}, [SendText(text="Hi", respond=False)]),
        ({"turnComplete": True}, [Respond()]),
        ({"turns": [], "turnComplete": False}, [CancelResponse()]),
        (
            {"turns": [turn("user", "A"), turn("model", "B")], "turnComplete": False},
            [SeedHistory(items=(_user("A"), _model("B")))],
        ),
        (
            {"turns": [turn("user", "A"), turn("model", "B")], "turnComplete": True},
            [SeedHistory(items=(_user("A"), _model("B"))), Respond()],
        ),
        (
            {
                "turns": [turn("user", "A"), turn("model", "B"), turn("user", "C", "D")],
                "turnComplete": True,
            },
            [SeedHistory(items=(_user("A"), _model("B"))), SendText(text="CD")],
        ),
        (
            {
                "turns": [
                    {
                        "role": "user",
                        "parts": [
                            {"inline_data": {"mime_type": "image/png", "data": "iVBORw=="}},
                            {"text": "What is this?"},
                        ],
                    }
                ],
                "turnComplete": True,
            },
            [SendImage(data=b"\x89PNG", mime_type="image/png"), SendText(text="What is this?")],
        ),
        (
            {
                "turns": [
                    {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
                    {
                        "role": "user",
                        "parts": [{"functionResponse": {"name": "f", "response": {"b": 2}}}],
                    },
                ]
            },
            [
                SeedHistory(
                    items=(
                        Item(kind=ItemKind.TOOL_CALL, name="f", arguments='{"a":1}'),
                        Item(kind=ItemKind.TOOL_RESULT, name="f", output='{"b":2}'),
                    )
                )
            ],
        ),
    ],
)
@pytest.mark.parametrize("spelling", ["clientContent", "client_content"])
def test_written_turns_are_heard(
    google_strict: Strict, spelling: str, body: dict[str, Any], commands: list[object]
) -> None:
    assert Wire(google_strict).commands(**{spelling: body}) == commands


@pytest.mark.parametrize(
    ("model", "role", "accepted"),
    [
        (LIVE, None, False),
        (PREVIEW, None, False),
        (OLDER, None, True),
        (LIVE, "assistant", False),
        (OLDER, "system", False),
        (VERTEX, "user", True),
    ],
)
def test_a_turn_needs_a_role_that_its_model_knows(
    google_strict: Strict, model: str, role: str | None, accepted: bool
) -> None:
    wire = Wire(google_strict, model)
    wire.hear(clientContent={"turns": [turn(role, "Hi")], "turnComplete": True})
    assert (wire.server.close_wanted() is None) == accepted


def test_a_system_turn_replaces_the_instructions_on_vertex(google_strict: Strict) -> None:
    wire = Wire(google_strict, VERTEX)
    [update, text] = wire.commands(
        clientContent={"turns": [turn("system", "Rhyme."), turn("user", "Hi")]}
    )
    assert update == UpdateSession(changes=SessionConfig(instructions="Rhyme."))
    assert text == SendText(text="Hi", respond=False)
    assert wire.server.config.instructions == "Rhyme."


def test_announced_history_is_history_until_it_ends(google_strict: Strict) -> None:
    wire = Wire(google_strict, historyConfig={"initialHistoryInClientContent": True})
    said = {"turns": [turn("user", "A")], "turnComplete": False}
    assert wire.commands(clientContent=said) == [SeedHistory(items=(_user("A"),))]
    said = {"turns": [turn("user", "B")], "turnComplete": True}
    assert wire.commands(clientContent=said) == [SeedHistory(items=(_user("B"),))]
    assert wire.commands(clientContent=said) == [SendText(text="B")]


@pytest.mark.parametrize(
    ("model", "body", "commands"),
    [
        (
            LIVE,
            {"audio": {"data": "-_8", "mime_type": "audio/pcm;rate=16000"}},
            [AppendAudio(data=b"\xfb\xff")],
        ),
        (
            LIVE,
            {"mediaChunks": [{"data": "AAA=", "mimeType": "audio/pcm"}]},
            [AppendAudio(data=b"\0\0")],
        ),
        (
            LIVE,
            {"video": {"data": "iVBORw==", "mimeType": "image/png"}},
            [SendImage(data=b"\x89PNG", mime_type="image/png")],
        ),
        (LIVE, {"text": "Hi"}, [SendText(text="Hi")]),
        (PREVIEW, {"audioStreamEnd": True}, [CommitInput()]),
        (LIVE, {"audio_stream_end": True}, [None]),
    ],
)
@pytest.mark.parametrize("spelling", ["realtimeInput", "realtime_input"])
def test_streaming_input_is_heard(
    google_strict: Strict, spelling: str, model: str, body: dict[str, Any], commands: list[object]
) -> None:
    assert Wire(google_strict, model).commands(**{spelling: body}) == commands


def test_the_rate_of_the_input_is_what_its_frames_say(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    wire.hear(realtimeInput={"audio": {"data": "AAA=", "mimeType": "audio/pcm; rate=48000"}})
    assert wire.server.config.input_format == AudioFormat(rate=48_000)
    bad = {"audio": {"data": "AAA=", "mimeType": "audio/pcm;rate=fast"}}
    assert wire.hear(realtimeInput=bad) == []
    assert wire.server.close_wanted() is not None


def test_activity_is_for_those_who_set_it_up(google_strict: Strict) -> None:
    wire = Wire(google_strict, realtimeInputConfig=MANUAL)
    assert wire.commands(realtimeInput={"activityStart": {}}) == [StartTurn()]
    assert wire.commands(realtime_input={"activity_end": {}}) == [EndTurn()]
    code, reason = Wire(google_strict).closed(realtimeInput={"activityStart": {}})
    assert (code, "Explicit activity control" in reason) == (1007, True)


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (
            {"id": "call_a", "name": "f", "response": {"output": "Sunny."}},
            SendToolResult(call_id="call_a", output="Sunny."),
        ),
        (
            {"name": "f", "response": {"temperature": 20}},
            SendToolResult(call_id="call_a", output={"temperature": 20}),
        ),
        (
            {"id": "call_a", "response": {"error": "No."}},
            SendToolResult(call_id="call_a", error="No."),
        ),
        (
            {"id": "call_a", "response": {}, "scheduling": "WHEN_IDLE", "will_continue": True},
            SendToolResult(
                call_id="call_a", output={}, scheduling=Scheduling.WHEN_IDLE, more_follows=True
            ),
        ),
    ],
)
@pytest.mark.parametrize("spelling", ["toolResponse", "tool_response"])
def test_results_are_heard_by_the_id_or_the_name_of_the_call(
    google_strict: Strict, spelling: str, response: dict[str, Any], result: SendToolResult
) -> None:
    wire = Wire(google_strict)
    wire.say(STARTED, CALLED, DONE)
    assert wire.commands(**{spelling: {"functionResponses": [response]}}) == [result]


def test_a_result_counts_once_and_not_after_its_call_was_cancelled(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    wire.say(STARTED, CALLED, DONE)
    answer = {"functionResponses": [{"id": "call_a", "response": {}}]}
    assert len(wire.commands(toolResponse=answer)) == 1
    assert wire.commands(toolResponse=answer) == [None]
    again = attrs.evolve(CALL, call_id="call_b", item_id="item_b", id="b")
    wire.say(say(ev.ToolCall, stream=again, name="f", arguments="{}", args={}))
    wire.say(say(ev.ToolCallCancelled, call_ids=("call_b",)))
    late = {"functionResponses": [{"id": "call_b", "response": {}}]}
    assert wire.commands(toolResponse=late) == [None]


def test_the_result_of_a_call_nobody_made_ends_the_connection(google_strict: Strict) -> None:
    answer = {"functionResponses": [{"id": "call_x", "response": {}}]}
    assert Wire(google_strict).closed(toolResponse=answer) == (
        1008,
        "Requested entity was not found.",
    )


def test_scheduling_ends_the_connection_where_the_model_has_none(google_strict: Strict) -> None:
    wire = Wire(google_strict, PREVIEW)
    wire.say(STARTED, CALLED, DONE)
    answer = {"functionResponses": [{"id": "call_a", "scheduling": "SILENT"}]}
    assert wire.closed(toolResponse=answer)[0] == 1007


def beside(ms: int) -> dict[str, Any]:
    """So much of the user's audio."""
    return {"audio": {"data": base64.b64encode(bytes(32 * ms)).decode(), "mimeType": "audio/pcm"}}


def test_a_model_that_waits_for_a_tool_takes_no_more_audio_than_was_on_its_way(
    google_strict: Strict,
) -> None:
    wire = Wire(google_strict, OLDER)
    wire.commands(realtimeInput=beside(2_000))
    wire.say(CALLED)
    wire.commands(realtimeInput=beside(300))
    wire.commands(realtimeInput=beside(200))
    assert wire.closed(realtimeInput=beside(20)) == (
        1008,
        "Operation is not implemented, or supported, or enabled.",
    )


@pytest.mark.parametrize("signal", ["activityStart", "activityEnd"])
def test_a_model_that_waits_for_a_tool_takes_no_activity(
    signal: str, google_strict: Strict
) -> None:
    wire = Wire(google_strict, OLDER, realtimeInputConfig=MANUAL)
    wire.say(CALLED)
    assert wire.closed(realtimeInput={signal: {}})[0] == 1008


@pytest.mark.parametrize(
    ("model", "behavior"),
    [(LIVE, "BLOCKING"), (THINKS, None), (PREVIEW, None), (OLDER, "NON_BLOCKING"), (VERTEX, None)],
)
def test_other_models_and_tools_take_audio(
    model: str, behavior: str | None, google_strict: Strict
) -> None:
    function = {"name": "f"} if behavior is None else {"name": "f", "behavior": behavior}
    setup: dict[str, Any] = {"tools": [{"functionDeclarations": [function]}]}
    if model is THINKS:
        setup["generationConfig"] = {"thinkingConfig": {"thinkingLevel": "LOW"}}
    wire = Wire(google_strict, model, **setup)
    wire.say(CALLED)
    assert len(wire.commands(realtimeInput=beside(2_000))) == 1


def test_audio_is_taken_again_once_the_tool_was_answered(google_strict: Strict) -> None:
    wire = Wire(google_strict, OLDER)
    answer = {"functionResponses": [{"id": "call_a", "name": "f", "response": {"output": 1}}]}
    wire.say(CALLED)
    wire.commands(realtimeInput=beside(400))
    wire.commands(toolResponse=answer)
    wire.commands(realtimeInput=beside(2_000))
    again = stream(StreamKind.TOOL_CALL, call_id="call_b", name="f")
    wire.say(say(ev.ToolCall, stream=again, name="f", arguments="{}", args={}))
    assert len(wire.commands(realtimeInput=beside(400))) == 1  # counted anew


def test_a_context_update_changes_instructions_and_tools(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    update = {
        "systemInstruction": turn("user", "Rhyme."),
        "tools": {"tools": [{"functionDeclarations": [{"name": "g"}]}]},
    }
    changes = SessionConfig(instructions="Rhyme.", tools=(Tool(name="g", blocking=False),))
    assert wire.commands(contextUpdate=update) == [UpdateSession(changes=changes)]
    assert wire.server.config.tools == (Tool(name="g", blocking=False),)
    cleared = wire.commands(contextUpdate={"tools": {"tools": []}})
    assert cleared == [UpdateSession(changes=SessionConfig(tools=()))]


@pytest.mark.parametrize(
    "message",
    [
        {"responseCreate": {}},
        {"clientContent": {"turns": "Hi"}},
        {"clientContent": {"turns": [{"role": "user", "parts": [{"poem": ""}]}]}},
        {"realtimeInput": {"audio": {"data": "*", "mimeType": "audio/pcm"}}},
        {"realtimeInput": {"smell": {}}},
        {"realtimeInput": 5},
        {"clientContent": {}, "realtimeInput": {}},
    ],
)
def test_what_is_no_client_message_ends_the_connection(
    google_strict: Strict, message: dict[str, Any]
) -> None:
    assert Wire(google_strict).closed(**message)[0] == 1007
