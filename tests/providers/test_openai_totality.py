"""Whatever comes over the wire, the translator tells something legal and raises nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unirt import commands as cmd
from unirt.config import Manual, ServerVAD, SessionConfig, Tool
from unirt.errors import UnirtError
from unirt.events import Event
from unirt.items import AudioContent, ImageContent, Item, ItemKind, Role, TextContent
from unirt.testing import check, fold
from unirt_openai.inbound import HANDLERS
from unirt_openai.translator import OpenAITranslator

_IDS = st.sampled_from(["a", "b", "resp_1", "item_1", "call_1", "", "event_1"])
_WORDS = st.sampled_from(
    [
        "completed",
        "incomplete",
        "in_progress",
        "cancelled",
        "failed",
        "turn_detected",
        "audio",
        "text",
        "output_text",
        "output_audio",
        "message",
        "function_call",
        "mcp_call",
        "user",
        "assistant",
        "input_text",
        "input_audio",
        "input_image",
        "item_reference",
        "mcp_approval_request",
        "mcp_list_tools",
        "function_call_output",
        "UklGRg==",
        "{}",
        '{"a":1}',
    ]
)
_NAMES = st.sampled_from(
    [
        "type",
        "event_id",
        "session",
        "error",
        "item",
        "response",
        "part",
        "delta",
        "text",
        "usage",
        "transcript",
        "arguments",
        "item_id",
        "response_id",
        "call_id",
        "content_index",
        "id",
        "output_index",
        "status",
        "status_details",
        "reason",
        "output",
        "content",
        "role",
        "audio",
        "format",
        "rate",
        "input",
        "turn_detection",
        "interrupt_response",
        "conversation_id",
        "name",
        "metadata",
        "code",
        "message",
        "rate_limits",
        "limit",
        "seconds",
        "languages",
        "image_url",
        "input_tokens",
        "output_tokens",
        "output_token_details",
        "text_tokens",
        "reasoning_tokens",
        "previous_item_id",
        "audio_start_ms",
        "audio_end_ms",
        "start",
        "end",
        "expires_at",
    ]
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    _IDS,
    _WORDS,
    st.text(max_size=8),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(_NAMES, _IDS), inner, max_size=5)
    ),
    max_leaves=12,
)
_TYPES = st.sampled_from(sorted(HANDLERS))
_ITEM = st.fixed_dictionaries(
    {"type": _WORDS},
    optional={
        "id": _IDS,
        "role": _WORDS,
        "status": _WORDS,
        "call_id": _IDS,
        "name": _WORDS,
        "arguments": _WORDS,
        "output": _WORDS,
        "content": st.lists(
            st.fixed_dictionaries(
                {"type": _WORDS}, optional={"text": _WORDS, "transcript": _WORDS, "audio": _WORDS}
            ),
            max_size=2,
        ),
    },
)
_PLAUSIBLE = st.builds(
    lambda fields, type_: {**fields, "type": type_},
    st.fixed_dictionaries(
        {},
        optional={
            "response_id": _IDS,
            "item_id": _IDS,
            "call_id": _IDS,
            "name": _WORDS,
            "content_index": st.integers(0, 1),
            "output_index": st.integers(0, 1),
            "delta": _WORDS,
            "text": _WORDS,
            "transcript": _WORDS,
            "arguments": _WORDS,
            "status": _WORDS,
            "part": st.fixed_dictionaries(
                {"type": _WORDS}, optional={"text": _WORDS, "transcript": _WORDS}
            ),
            "item": _ITEM,
            "session": _JSON,
            "error": _JSON,
            "response": st.fixed_dictionaries(
                {},
                optional={
                    "id": _IDS,
                    "status": _WORDS,
                    "status_details": st.fixed_dictionaries({}, optional={"reason": _WORDS}),
                    "output": st.lists(_ITEM, max_size=2),
                    "conversation_id": st.one_of(st.none(), _IDS),
                },
            ),
        },
    ),
    _TYPES,
)
_SOUP = st.one_of(
    _JSON,
    st.builds(
        lambda fields, type_: {**fields, "type": type_},
        st.dictionaries(_NAMES, _JSON, max_size=6),
        _TYPES,
    ),
)
_FRAMES = st.one_of(_PLAUSIBLE, _PLAUSIBLE, _PLAUSIBLE, _SOUP)
_RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _feed(frames: list[Any], *, offline: bool) -> None:
    config = SessionConfig(turn_detection=ServerVAD(), tools=(Tool(name="message"),))
    translator = OpenAITranslator(config, offline=offline)
    translator.start(0.0)
    kept = []
    now = 0.0
    for frame in frames:
        now += 0.05
        translator.receive(frame, now)
        events = translator.events_received()
        assert events, f"a frame without an event: {frame!r}"
        assert all(event.origin is events[0].origin for event in events)
        kept += events
        sent = translator.frames_to_send()
        assert not (offline and sent)
        assert all(json.loads(frame)["event_id"] for frame in sent)
    translator.receive_close(1006, "", "network", now)
    kept += translator.events_received()
    check(kept, complete=True)
    fold(kept)


@pytest.mark.long
@pytest.mark.parametrize("offline", [True, False])
@_RELAXED
@given(frames=st.lists(_FRAMES, max_size=25))
def test_any_interleaving_of_decoded_frames_gives_legal_events(
    offline: bool, frames: list[Any]
) -> None:
    _feed(frames, offline=offline)


@_RELAXED
@given(frames=st.lists(_FRAMES, max_size=10))
def test_text_frames_are_read_as_the_decoded_ones(frames: list[Any]) -> None:
    _feed([json.dumps(frame) for frame in frames], offline=True)


@_RELAXED
@given(frames=st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=40)), max_size=6))
def test_bytes_that_are_no_json_are_malformed_and_nothing_more(frames: list[Any]) -> None:
    _feed(frames, offline=False)


def test_a_frame_and_arguments_that_nest_without_measure() -> None:
    call = {"response_id": "r", "item_id": "i", "call_id": "c", "name": "f"}
    done = {"type": "response.function_call_arguments.done", **call, "arguments": "[" * 50_000}
    _feed(["[" * 50_000, '{"type":' * 50_000, json.dumps(done)], offline=False)


@_RELAXED
@given(fields=st.dictionaries(_NAMES, _JSON, max_size=6), type_=st.one_of(_TYPES, _JSON))
def test_every_event_reaches_its_frame_and_its_typed_object(
    fields: dict[str, Any], type_: Any
) -> None:
    frame = {**fields, "type": type_}
    translator = OpenAITranslator(SessionConfig(), offline=True)
    translator.start(0.0)
    translator.receive(frame, 0.0)
    for event in translator.events_received():
        assert event.raw is frame
        event.native()


_ITEMS = st.builds(
    Item,
    kind=st.sampled_from(list(ItemKind)),
    id=st.one_of(st.none(), _IDS),
    role=st.one_of(st.none(), st.sampled_from(list(Role))),
    call_id=st.one_of(st.none(), _IDS),
    name=st.one_of(st.none(), _WORDS),
    output=st.one_of(st.none(), _WORDS),
    data=st.one_of(st.none(), st.fixed_dictionaries({"type": _WORDS})),
    content=st.lists(
        st.one_of(
            st.builds(TextContent, text=_WORDS),
            st.builds(
                AudioContent,
                transcript=st.one_of(st.none(), _WORDS),
                data=st.one_of(st.none(), st.just(b"\0\0")),
            ),
            st.builds(ImageContent, data=st.just(b"x")),
        ),
        max_size=2,
    ).map(tuple),
)
_MS = st.floats(0, 500)
_COMMANDS = st.one_of(
    st.builds(cmd.AppendAudio, data=st.binary(max_size=400)),
    st.builds(cmd.SendText, text=_WORDS, respond=st.booleans()),
    st.builds(cmd.SendImage, data=st.just(b"x"), respond=st.booleans()),
    st.builds(cmd.StartTurn),
    st.builds(cmd.EndTurn, respond=st.booleans()),
    st.builds(cmd.CommitInput),
    st.builds(cmd.ClearInput),
    st.builds(cmd.Respond, in_conversation=st.booleans()),
    st.builds(cmd.CancelResponse, response_id=st.one_of(st.none(), _IDS)),
    st.builds(cmd.Interrupt, played_ms=st.one_of(st.none(), _MS)),
    st.builds(cmd.TruncateItem, item_id=_IDS, audio_end_ms=st.integers(0, 5)),
    st.builds(cmd.ReportPlayback, played_ms=_MS, response_id=st.one_of(st.none(), _IDS)),
    st.builds(cmd.ClearPlayback),
    st.builds(
        cmd.SendToolResult,
        call_id=_IDS,
        output=_WORDS,
        scheduling=st.one_of(st.none(), st.sampled_from(list(cmd.Scheduling))),
        respond=st.booleans(),
    ),
    st.builds(cmd.SeedHistory, items=st.lists(_ITEMS, max_size=3).map(tuple)),
    st.builds(cmd.CreateItem, item=_ITEMS),
    st.builds(cmd.DeleteItem, item_id=_IDS),
    st.builds(cmd.RetrieveItem, item_id=_IDS),
    st.builds(cmd.ApproveServerTool, approval_id=_IDS, approve=st.booleans()),
    st.builds(cmd.UpdateSession, changes=st.builds(SessionConfig, instructions=_WORDS)),
    st.builds(cmd.SendRaw, frame=st.fixed_dictionaries({"type": _WORDS})),
)


@pytest.mark.parametrize("detection", [ServerVAD(), Manual()])
@_RELAXED
@given(steps=st.lists(st.one_of(_COMMANDS, _PLAUSIBLE), max_size=25))
def test_commands_and_frames_in_any_order_stay_legal_or_are_refused_whole(
    detection: Any, steps: list[Any]
) -> None:
    translator = OpenAITranslator(SessionConfig(turn_detection=detection))
    translator.start(0.0)
    kept: list[Event] = []
    now = 0.0
    for step in steps:
        now += 0.05
        refused = False
        translator.handle_timer(now)
        kept += translator.events_received()
        translator.frames_to_send()
        if isinstance(step, dict):
            translator.receive(step, now)
        else:
            try:
                translator.send(step, now)
            except UnirtError:
                refused = True
        events, frames = translator.events_received(), translator.frames_to_send()
        assert not (refused and (events or frames))
        assert all(json.loads(frame)["type"] for frame in frames)
        kept += events
    translator.receive_close(1000, "", "local", now)
    check([*kept, *translator.events_received()], complete=True)
