"""Google's server side: whatever it hears and is told to say, it raises nothing and is valid."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unirt.events as ev
from tests.providers.google_server_wire import (
    CALLED,
    CAPTION,
    DONE,
    LIVE,
    OLDER,
    PREVIEW,
    SPOKEN,
    STARTED,
    USAGE,
    VERTEX,
    VOICE,
    Strict,
    Wire,
    say,
    stream,
)
from unirt.events import Ending, Event, StreamKind
from unirt_google.server import GoogleServer

_NAMES = re.findall(
    r"\w+",
    """
    setup clientContent realtimeInput toolResponse contextUpdate model turns turnComplete role
    parts text audio data mimeType functionResponses id name response scheduling willContinue
    tools functionDeclarations systemInstruction generationConfig thinkingConfig thinkingBudget
    inlineData responseModalities inputAudioTranscription proactivity historyConfig
    realtimeInputConfig automaticActivityDetection silenceDurationMs _ activityEnd
    """,
)
_LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.floats(),
    st.sampled_from(
        [LIVE, OLDER, "user", "model", "AAAA", "audio/pcm;rate=16000", "TEXT", "call_a"]
    ),
    st.sampled_from(["", "f", "audio/pcm;rate=²", "SILENT", "MINIMAL", "\ud800"]),
)
_JSON = st.recursive(
    _LEAF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
_MESSAGE = st.builds(
    lambda kind, body: {kind: body},
    st.sampled_from(_NAMES[:5]),
    st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=5),
)
_TOTAL = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.long
@_TOTAL
@given(first=_MESSAGE, frames=st.lists(_MESSAGE | _JSON | st.binary(max_size=20), max_size=6))
def test_no_message_makes_it_raise(
    google_strict: Strict, first: dict[str, Any], frames: list[Any]
) -> None:
    setup = first.get("setup") or {}
    for opening in (first, {"setup": {**setup, "model": LIVE}}, {"setup": {"model": OLDER}}):
        server = GoogleServer()
        server.receive(json.dumps(opening), 0.0)
        server.send(CALLED, 0.0)
        for frame in frames:
            server.receive(frame if isinstance(frame, bytes) else json.dumps(frame), 0.0)
            assert server.config is not None
        assert server.heard()
        for answer in server.frames_to_send():
            google_strict(answer)


_SAYABLE = [
    STARTED,
    DONE,
    *SPOKEN,
    CALLED,
    say(ev.StreamClosed, stream=CAPTION, text="Hello"),
    say(ev.StreamClosed, stream=VOICE, ending=Ending.INTERRUPTED),
    say(ev.ThoughtDelta, stream=stream(StreamKind.THOUGHT), text="x"),
    say(ev.TextDelta, stream=stream(StreamKind.TEXT, response_id=None), text="x"),
    say(ev.ServerToolResult, stream=stream(StreamKind.SERVER_TOOL, name="code_execution")),
    say(ev.GenerationDone, response_id="resp_a"),
    say(ev.Interrupted, response_id="resp_a"),
    say(ev.Interrupted, response_id="resp_b"),
    say(ev.ToolCallCancelled, call_ids=("call_a",)),
    say(ev.ResponseStarted, response_id="resp_b"),
    say(ev.ResponseDone, response_id="resp_b", ending=Ending.INTERRUPTED),
    say(ev.InteractionStatus, status="idle"),
    say(ev.SpeechStarted),
    say(ev.UsageReported, scope="response", usage=USAGE),
]


@_TOTAL
@given(
    events=st.lists(st.sampled_from(_SAYABLE), max_size=25),
    model=st.sampled_from([LIVE, VERTEX, PREVIEW]),
    bundle=st.booleans(),
)
def test_events_in_any_order_are_said_in_messages_that_are_valid(
    google_strict: Strict, events: list[Event], model: str, bundle: bool
) -> None:
    wire = Wire(google_strict, model, bundle)
    wire.say(*events)
    assert wire.server.close_wanted() is None
