"""Each command: the frames it becomes, or the error that refuses it before anything is sent."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.genai.types import (
    FunctionResponse,
    LiveClientContent,
    LiveClientContextUpdate,
    LiveClientMessage,
    LiveClientRealtimeInput,
)

from unirt import (
    AppendAudio,
    ApproveServerTool,
    AudioContent,
    AudioFormat,
    AudioFormatError,
    CancelResponse,
    ClearInput,
    ClearPlayback,
    Command,
    CommitInput,
    CreateItem,
    DeleteItem,
    EndTurn,
    HistorySeeded,
    ImageContent,
    Interrupt,
    Item,
    ItemKind,
    Manual,
    Noted,
    ReportPlayback,
    Respond,
    RetrieveItem,
    Role,
    Scheduling,
    SeedHistory,
    SendImage,
    SendRaw,
    SendText,
    SendToolResult,
    SessionClosedError,
    SessionConfig,
    SessionUpdated,
    StartTurn,
    TextContent,
    Tool,
    TruncateItem,
    UnsupportedCommand,
    UnsupportedSetting,
    UpdateSession,
    UsageError,
)
from unirt_google.translator import GoogleTranslator

PCM = b"\x01\x00\x02\x00"
B64 = base64.b64encode(PCM).decode()
AUDIO_FRAME = {"realtimeInput": {"audio": {"data": B64, "mimeType": "audio/pcm;rate=16000"}}}
MANUAL = SessionConfig(turn_detection=Manual())
SAYS = {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": B64}}]}}}
VERTEX = "projects/p/locations/l/publishers/google/models/gemini-3.8-live"
OLD = "gemini-2.5-flash-native-audio-latest"
STOP = {"clientContent": {"turns": [], "turnComplete": False}}


def opened(config: SessionConfig | None = None) -> GoogleTranslator:
    """A translator whose session is ready."""
    translator = GoogleTranslator(config or SessionConfig())
    translator.start(0.0)
    translator.receive({"setupComplete": {}}, 0.0)
    translator.frames_to_send()
    translator.events_received()
    return translator


def frames(translator: GoogleTranslator, *commands: Command) -> list[Any]:
    for command in commands:
        translator.send(command, 0.0)
    return [json.loads(frame) for frame in translator.frames_to_send()]


def said(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text} for text in texts]}


def client_content(*turns: Any, complete: bool) -> dict[str, Any]:
    return {"clientContent": {"turns": list(turns), "turnComplete": complete}}


def message(role: Role, text: str) -> Item:
    return Item(role=role, content=(TextContent(text=text),))


SENT: list[tuple[str, SessionConfig, list[Command], list[Any]]] = [
    ("audio", SessionConfig(), [AppendAudio(data=PCM)], [AUDIO_FRAME]),
    (
        "audio at another rate",
        SessionConfig(input_format=AudioFormat(rate=24_000)),
        [AppendAudio(data=PCM)],
        [{"realtimeInput": {"audio": {"data": B64, "mimeType": "audio/pcm;rate=24000"}}}],
    ),
    (
        "text",
        SessionConfig(),
        [SendText(text='Say "Köln"')],
        [client_content(said("user", 'Say "Köln"'), complete=True)],
    ),
    (
        "text that waits",
        SessionConfig(),
        [SendText(text="Hi", respond=False)],
        [client_content(said("user", "Hi"), complete=False)],
    ),
    (
        "image",
        SessionConfig(),
        [SendImage(data=PCM)],
        [{"realtimeInput": {"video": {"data": B64, "mimeType": "image/jpeg"}}}],
    ),
    (
        "image that asks",
        SessionConfig(),
        [SendImage(data=PCM, mime_type="image/png", respond=True)],
        [
            client_content(
                {"role": "user", "parts": [{"inlineData": {"data": B64, "mimeType": "image/png"}}]},
                complete=True,
            )
        ],
    ),
    (
        "manual turn",
        MANUAL,
        [StartTurn(), AppendAudio(data=PCM), EndTurn()],
        [
            {"realtimeInput": {"activityStart": {}}},
            AUDIO_FRAME,
            {"realtimeInput": {"activityEnd": {}}},
        ],
    ),
    (
        "audio before a manual turn follows its start",
        MANUAL,
        [AppendAudio(data=PCM), StartTurn(), EndTurn()],
        [
            {"realtimeInput": {"activityStart": {}}},
            AUDIO_FRAME,
            {"realtimeInput": {"activityEnd": {}}},
        ],
    ),
    (
        "commit",
        SessionConfig(model=OLD),
        [CommitInput()],
        [{"realtimeInput": {"audioStreamEnd": True}}],
    ),
    ("respond", SessionConfig(), [Respond()], [{"clientContent": {"turnComplete": True}}]),
    ("playback", SessionConfig(), [ReportPlayback(played_ms=5)], []),
    (
        "history",
        SessionConfig(),
        [SeedHistory(items=(message(Role.USER, "Hi"), message(Role.ASSISTANT, "Hello")))],
        [client_content(said("user", "Hi"), said("model", "Hello"), complete=False)],
    ),
    (
        "item",
        SessionConfig(),
        [CreateItem(item=message(Role.ASSISTANT, "Hello"))],
        [client_content(said("model", "Hello"), complete=False)],
    ),
    (
        "update",
        SessionConfig(model=VERTEX),
        [UpdateSession(changes=SessionConfig(instructions="Be brief.", tools=(Tool(name="f"),)))],
        [
            {
                "contextUpdate": {
                    "systemInstruction": said("user", "Be brief."),
                    "tools": {"tools": [{"functionDeclarations": [{"name": "f"}]}]},
                }
            }
        ],
    ),
    (
        "tools cleared",
        SessionConfig(model=VERTEX),
        [UpdateSession(changes=SessionConfig(tools=()))],
        [{"contextUpdate": {"tools": {"tools": []}}}],
    ),
    ("raw object", SessionConfig(), [SendRaw(frame={"a": [1]})], [{"a": [1]}]),
    ("raw text", SessionConfig(), [SendRaw(frame='{"a": 2}')], [{"a": 2}]),
    ("raw bytes", SessionConfig(), [SendRaw(frame=b"[3]")], [[3]]),
]


@pytest.mark.parametrize(
    ("config", "commands", "expected"), [row[1:] for row in SENT], ids=[row[0] for row in SENT]
)
def test_a_command_becomes_frames(
    config: SessionConfig, commands: list[Command], expected: list[Any]
) -> None:
    assert frames(opened(config), *commands) == expected


@pytest.mark.parametrize(
    ("config", "commands", "expected"),
    [row[1:] for row in SENT if "raw" not in row[0]],
    ids=[row[0] for row in SENT if "raw" not in row[0]],
)
def test_the_sdk_s_types_know_every_frame(
    config: SessionConfig, commands: list[Command], expected: list[Any]
) -> None:
    for frame in frames(opened(config), *commands):
        LiveClientMessage.model_validate(frame)


def test_every_client_message_of_the_sdk_is_sent_by_some_command_or_left_for_a_reason() -> None:
    sent = [frame for row in SENT for frame in row[3] if isinstance(frame, dict)]
    kinds = {key for frame in sent for key in frame} | {"setup", "toolResponse"}
    aliases = {field.alias or name for name, field in LiveClientMessage.model_fields.items()}
    assert aliases <= kinds

    def inner(kind: str) -> set[str]:
        return {key for frame in sent for key in frame.get(kind, {})}

    def fields(model: Any) -> set[str]:
        return {field.alias or name for name, field in model.model_fields.items()}

    assert inner("clientContent") == fields(LiveClientContent)
    assert inner("contextUpdate") == fields(LiveClientContextUpdate)
    # `mediaChunks` is deprecated in favour of `audio` and `video`. `text` goes as clientContent,
    # which says whether an answer is wanted; `send_raw` reaches both.
    left = fields(LiveClientRealtimeInput) - inner("realtimeInput")
    assert left == {"mediaChunks", "text"}


# Interrupting.


@pytest.mark.parametrize("command", [Interrupt(), CancelResponse()], ids=str)
def test_an_answer_is_stopped_by_content_that_asks_for_nothing(command: Command) -> None:
    translator = opened()
    translator.receive(SAYS, 0.0)
    assert frames(translator, command) == [STOP]


def test_a_playback_is_stopped_without_a_frame() -> None:
    translator = opened()
    translator.receive(SAYS, 0.0)
    translator.receive({"serverContent": {"turnComplete": True}}, 0.0)
    assert frames(translator, Interrupt(played_ms=0)) == []


def test_cancelling_what_is_not_running_sends_nothing() -> None:
    translator = opened()
    translator.receive(SAYS, 0.0)
    translator.receive({"serverContent": {"turnComplete": True}}, 0.0)
    assert frames(translator, CancelResponse(response_id="u_resp_1")) == []
    assert isinstance(translator.events_received()[-1], Noted)
    with pytest.raises(UsageError, match="no response 'other'"):
        translator.send(CancelResponse(response_id="other"), 0.0)


def test_audio_before_a_manual_turn_is_bounded() -> None:
    translator = opened(MANUAL)
    second = bytes(32_000)
    sent = frames(translator, *[AppendAudio(data=second)] * 5, StartTurn())
    assert len(sent) == 1 + 2


# Tool results.


def called(
    config: SessionConfig | None = None, call_id: str | None = "c"
) -> tuple[GoogleTranslator, str]:
    """A translator whose model has called a tool ``f``, and the call's canonical id."""
    translator = opened(config or SessionConfig(model=OLD))
    call = {"name": "f"} if call_id is None else {"name": "f", "id": call_id}
    translator.receive({"toolCall": {"functionCalls": [call]}}, 0.0)
    ids = [getattr(event, "call_id", None) for event in translator.events_received()]
    return translator, next(id_ for id_ in ids if id_)


def result(**fields: Any) -> dict[str, Any]:
    return {"toolResponse": {"functionResponses": [{"name": "f", **fields}]}}


NON_BLOCKING = SessionConfig(tools=(Tool(name="f", blocking=False),))


@pytest.mark.parametrize(
    ("config", "fields", "expected"),
    [
        (None, {"output": "ok"}, {"response": {"output": "ok"}}),
        (None, {"output": {"t": 12}}, {"response": {"output": {"t": 12}}}),
        (None, {}, {"response": {"output": None}}),
        (None, {"error": "no"}, {"response": {"error": "no"}}),
        (
            NON_BLOCKING,
            {"output": 1, "scheduling": Scheduling.WHEN_IDLE},
            {"response": {"output": 1}, "scheduling": "WHEN_IDLE"},
        ),
        (
            SessionConfig(tools=(Tool(name="f", scheduling=Scheduling.WHEN_IDLE),)),
            {"output": 1},
            {"response": {"output": 1}, "scheduling": "WHEN_IDLE"},
        ),
        (
            SessionConfig(tools=(Tool(name="f", scheduling=Scheduling.WHEN_IDLE),)),
            {"output": 1, "scheduling": Scheduling.INTERRUPT},
            {"response": {"output": 1}, "scheduling": "INTERRUPT"},
        ),
        (
            NON_BLOCKING,
            {"output": 1, "respond": False},
            {"response": {"output": 1}, "scheduling": "SILENT"},
        ),
        (
            NON_BLOCKING,
            {"output": 1, "more_follows": True},
            {"response": {"output": 1}, "willContinue": True},
        ),
    ],
    ids=[
        "text",
        "object",
        "nothing",
        "error",
        "scheduled",
        "scheduled by the tool",
        "scheduled against the tool",
        "silent",
        "in pieces",
    ],
)
def test_a_result_goes_to_its_call(
    config: SessionConfig | None, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    translator, call_id = called(config)
    sent = frames(translator, SendToolResult(call_id=call_id, **fields))
    assert sent == [result(id="c", **expected)]
    LiveClientMessage.model_validate(sent[0])


def test_every_field_of_a_function_response_is_sent_or_left_for_a_reason() -> None:
    names = {field.alias or name for name, field in FunctionResponse.model_fields.items()}
    # `parts` would carry media, which a canonical result does not; `send_raw` reaches it.
    assert names - {"parts"} == {"id", "name", "response", "scheduling", "willContinue"}


def test_an_id_that_was_made_up_never_reaches_the_wire() -> None:
    """Field 9: a call without an id has one here, and is answered by its name."""
    translator, call_id = called(call_id=None)
    assert frames(translator, SendToolResult(call_id=call_id, output=1)) == [
        result(response={"output": 1})
    ]


def test_a_result_in_pieces_is_over_with_its_last() -> None:
    translator, call_id = called(NON_BLOCKING)
    translator.send(SendToolResult(call_id=call_id, output=1, more_follows=True), 0.0)
    translator.send(SendToolResult(call_id=call_id, output=2), 0.0)
    with pytest.raises(UsageError, match="answered already"):
        translator.send(SendToolResult(call_id=call_id, output=3), 0.0)


@pytest.mark.parametrize(
    ("config", "fields", "match"),
    [
        (None, {"call_id": "other"}, "no call 'other'"),
        (None, {"output": object()}, "not JSON"),
        (None, {"scheduling": Scheduling.SILENT}, "waits for this tool"),
        (None, {"respond": False}, "respond"),
        (None, {"more_follows": True}, "more_follows"),
        (SessionConfig(model="gemini-3.8-live-extended-thinking"), {"respond": False}, "decides"),
        (SessionConfig(model=VERTEX), {"scheduling": Scheduling.INTERRUPT}, "decides by itself"),
    ],
)
def test_a_result_that_cannot_work_is_refused(
    config: SessionConfig | None, fields: dict[str, Any], match: str
) -> None:
    translator, call_id = called(config)
    with pytest.raises(UsageError, match=match):
        translator.send(SendToolResult(**{"call_id": call_id, **fields}), 0.0)
    assert translator.frames_to_send() == []
    translator.send(SendToolResult(call_id=call_id, output="still open"), 0.0)


# History.


def test_what_is_no_text_becomes_text_and_is_said_to() -> None:
    items = (
        message(Role.SYSTEM, "Be kind."),
        Item(role=Role.USER, content=(AudioContent(transcript="Weather?"), AudioContent())),
        Item(kind=ItemKind.TOOL_CALL, call_id="c", name="f", arguments='{"a":1}'),
        Item(kind=ItemKind.TOOL_RESULT, call_id="c", name="f", output="rain"),
        Item(kind=ItemKind.TOOL_RESULT, call_id="d", name="g", error="down"),
        Item(kind=ItemKind.SERVER_TOOL, name="search"),
        Item(role=Role.USER, content=(ImageContent(data=PCM), ImageContent(url="https://e.org/x"))),
    )
    translator = opened()
    (frame,) = frames(translator, SeedHistory(items=items))
    image = {"inlineData": {"mimeType": "image/jpeg", "data": B64}}
    assert frame["clientContent"]["turns"] == [
        said("user", "Be kind.", "Weather?"),
        said("model", '[called f with {"a":1}]'),
        {
            "role": "user",
            "parts": [{"text": "[f returned rain]"}, {"text": "[g failed: down]"}, image],
        },
    ]
    (seeded,) = (e for e in translator.events_received() if isinstance(e, HistorySeeded))
    assert seeded.carried == 0
    assert {note.index: note.what for note in seeded.changed} == {
        0: "a system message became the user's",
        1: "speech became its transcript; speech without a transcript was left out",
        2: "a tool call became text",
        3: "a tool result became text",
        4: "a tool result became text",
        6: "a picture that is only an address was left out",
    }
    assert [(note.index, note.what) for note in seeded.lost] == [
        (5, "an item of kind server_tool has no form here")
    ]


def test_what_nobody_heard_or_wrote_is_lost_and_sends_nothing() -> None:
    translator = opened()
    unheard = AudioContent(transcript="", whole="Well,")
    items = (message(Role.USER, ""), Item(role=Role.ASSISTANT, content=(unheard,)))
    assert frames(translator, SeedHistory(items=items)) == []
    (seeded,) = (e for e in translator.events_received() if isinstance(e, HistorySeeded))
    assert (seeded.carried, seeded.changed) == (0, ())
    assert [note.what for note in seeded.lost] == [
        "it has no words",
        "speech that nobody heard was left out; it has no words",
    ]


def test_a_server_that_waits_for_its_history_is_told_where_it_ends() -> None:
    options = {"history_config": {"initial_history_in_client_content": True}}
    translator = opened(SessionConfig(provider_options=options))
    first, second = SeedHistory(items=(message(Role.USER, "Hi"),)), SendText(text="Go")
    assert frames(translator, first, first, second) == [
        client_content(said("user", "Hi"), complete=True),
        client_content(said("user", "Hi"), complete=False),
        client_content(said("user", "Go"), complete=True),
    ]


# What is refused.

REFUSED: list[tuple[str, SessionConfig, list[Command], type[Exception], str]] = [
    ("odd audio", SessionConfig(), [AppendAudio(data=b"\x00")], AudioFormatError, "whole"),
    (
        "no image",
        SessionConfig(),
        [SendImage(data=PCM, mime_type="video/mp4")],
        UsageError,
        "JPEG|jpeg",
    ),
    ("turn without manual", SessionConfig(), [StartTurn()], UsageError, r"Manual\(\)"),
    ("end without manual", SessionConfig(), [EndTurn()], UsageError, r"Manual\(\)"),
    (
        "turn in a turn",
        MANUAL,
        [StartTurn(), AppendAudio(data=PCM), StartTurn()],
        UsageError,
        "started already",
    ),
    ("end of nothing", MANUAL, [EndTurn()], UsageError, "no turn has been started"),
    ("end of silence", MANUAL, [StartTurn(), EndTurn()], UsageError, "no audio was sent"),
    (
        "end without an answer",
        MANUAL,
        [StartTurn(), AppendAudio(data=PCM), EndTurn(respond=False)],
        UnsupportedCommand,
        "always asks",
    ),
    ("commit", SessionConfig(), [CommitInput()], UnsupportedCommand, "silence"),
    (
        "commit in a manual session",
        SessionConfig(model=OLD, turn_detection=Manual()),
        [CommitInput()],
        UsageError,
        "end_turn",
    ),
    ("clear", SessionConfig(), [ClearInput()], UnsupportedCommand, "with the model"),
    ("clear playback", SessionConfig(), [ClearPlayback()], UnsupportedCommand, "playback"),
    (
        "truncate",
        SessionConfig(),
        [TruncateItem(item_id="i", audio_end_ms=1)],
        UnsupportedCommand,
        "interrupt",
    ),
    ("delete", SessionConfig(), [DeleteItem(item_id="i")], UnsupportedCommand, "history="),
    ("retrieve", SessionConfig(), [RetrieveItem(item_id="i")], UnsupportedCommand, "history"),
    (
        "approve",
        SessionConfig(),
        [ApproveServerTool(approval_id="a", approve=True)],
        UnsupportedCommand,
        "approval",
    ),
    (
        "an item of another kind",
        SessionConfig(),
        [CreateItem(item=Item(kind=ItemKind.TOOL_RESULT, call_id="c"))],
        UnsupportedCommand,
        "written messages",
    ),
    (
        "an item in between",
        SessionConfig(),
        [CreateItem(item=message(Role.USER, "Hi"), previous_item_id="root")],
        UnsupportedCommand,
        "at the end",
    ),
    (
        "update",
        SessionConfig(),
        [UpdateSession(changes=SessionConfig(instructions="Be brief."))],
        UnsupportedCommand,
        "new connection",
    ),
    (
        "update of what is fixed",
        SessionConfig(model=VERTEX),
        [UpdateSession(changes=SessionConfig(instructions="Be brief.", voice="Puck"))],
        UnsupportedSetting,
        "voice",
    ),
]


@pytest.mark.parametrize(
    ("config", "commands", "kind", "match"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_a_command_is_refused_before_anything_is_sent(
    config: SessionConfig, commands: list[Command], kind: type[Exception], match: str
) -> None:
    translator = opened(config)
    *before, refused = commands
    frames(translator, *before)
    with pytest.raises(kind, match=match):
        translator.send(refused, 0.0)
    assert translator.frames_to_send() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instructions", "Be brief."),
        ("modalities", ("text",)),
        ("tools", ()),
        ("tool_choice", "none"),
        ("voice", "Puck"),
        ("max_output_tokens", 5),
        ("metadata", {}),
        ("in_conversation", False),
        ("input", ()),
        ("provider_options", {}),
    ],
)
def test_an_override_of_one_response_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedCommand, match=rf"Respond\({name}="):
        opened().send(Respond(**{name: value}), 0.0)


@pytest.mark.parametrize(
    "command",
    [SeedHistory(items=()), CreateItem(item=message(Role.USER, "Hi"))],
    ids=["seed", "item"],
)
def test_history_does_not_interrupt(command: Command) -> None:
    translator = opened()
    translator.receive(SAYS, 0.0)
    with pytest.raises(UsageError, match="would interrupt"):
        translator.send(command, 0.0)


def test_an_update_is_acknowledged_here_because_the_server_does_not() -> None:
    translator = opened(SessionConfig(model=VERTEX))
    translator.send(UpdateSession(changes=SessionConfig(instructions="Be brief.")), 0.0)
    (event,) = translator.events_received()
    assert isinstance(event, SessionUpdated)
    assert event.synthesised
    assert translator.config.instructions == "Be brief."


def test_a_closed_session_refuses_every_verb() -> None:
    translator = opened()
    translator.receive_close(1000, "", "remote", 0.0)
    with pytest.raises(SessionClosedError):
        translator.send(SendText(text="Hi"), 0.0)
