"""Each command: the frames it becomes, or the error that refuses it before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai.types import (
    LiveClientContent,
    LiveClientContextUpdate,
    LiveClientMessage,
    LiveClientRealtimeInput,
)

from tests.providers.google_sending import (
    B64,
    MANUAL,
    OLD,
    PCM,
    SAYS,
    VERTEX,
    client_content,
    frames,
    message,
    opened,
    said,
)
from unirt import (
    AppendAudio,
    ApproveServerTool,
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
    Interrupt,
    Item,
    ItemKind,
    Manual,
    Noted,
    ReportPlayback,
    Respond,
    RetrieveItem,
    Role,
    SeedHistory,
    SendImage,
    SendRaw,
    SendText,
    SessionClosedError,
    SessionConfig,
    SessionUpdated,
    StartTurn,
    Tool,
    TruncateItem,
    UnsupportedCommand,
    UnsupportedSetting,
    UpdateSession,
    UsageError,
)

AUDIO_FRAME = {"realtimeInput": {"audio": {"data": B64, "mimeType": "audio/pcm;rate=16000"}}}
STOP = {"clientContent": {"turns": [], "turnComplete": False}}

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
