"""OpenAI's server side: whatever it hears and is told to say, it raises nothing and is valid."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unirt.events as ev
from tests.providers.openai_server_wire import (
    CALL,
    CALLED,
    CAPTION,
    DONE,
    SPOKEN,
    STARTED,
    VOICE,
    Strict,
    Wire,
    say,
    stream,
    types,
)
from unirt.events import Ending, Event, StreamKind
from unirt.items import Item, Role, TextContent
from unirt_openai.server.commands import CLIENT_EVENTS


@pytest.fixture
def wire(openai_strict: Strict) -> Wire:
    return Wire(openai_strict)


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
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.long
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
