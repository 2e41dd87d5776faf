"""Whatever comes over the wire, the translator tells something legal and raises nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unirt import (
    AppendAudio,
    CancelResponse,
    CommitInput,
    EndTurn,
    Interrupt,
    Manual,
    Respond,
    SendText,
    SendToolResult,
    SessionConfig,
    StartTurn,
    Tool,
    UnirtError,
)
from unirt.testing import check, fold
from unirt_google.inbound import FIELDS, REASONS
from unirt_google.parts import PARTS
from unirt_google.spelling import snake
from unirt_google.translator import GoogleTranslator

_NAMES = re.findall(
    r"\w+",
    """
    serverContent parts text finished thought mimeType data ids functionCalls name args id
    timeLeft newHandle resumable type audioOffset vadSignalType promptTokenCount words response
    promptTokensDetails modality tokenCount languageCode outcome toolType sessionId
    """,
) + [name.rpartition(".")[2] for name in [*FIELDS, *PARTS]]
_KEYS = st.one_of(
    st.sampled_from(_NAMES),
    st.sampled_from([snake(name) for name in _NAMES]),
    st.sampled_from(sorted(FIELDS)),
    st.text(max_size=3),
)
_VOICE = ["ACTIVITY_START", "ACTIVITY_END", "VAD_SIGNAL_TYPE_SOS", "VAD_SIGNAL_TYPE_EOS"]
_MEDIA = ["AAAA", "audio/pcm", "audio/pcm;rate=16000", "image/png"]
_WORDS = st.sampled_from(
    [*REASONS, *_VOICE, *_MEDIA, "IN_PROGRESS", "IDLE", "1.5s", "TEXT", "f", "a", ""]
)
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _WORDS, st.text(max_size=5)
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=12,
)

_TEXT = st.sampled_from(["", "Hi", " there"])
_TRANSCRIPTION = st.fixed_dictionaries({}, optional={"text": _TEXT, "finished": st.booleans()})
_PART = st.one_of(
    st.just({"inlineData": {"data": "AAAA", "mimeType": "audio/pcm"}}),
    st.just({"inlineData": {"data": "AAAA", "mimeType": "image/png"}}),
    st.fixed_dictionaries({"text": _TEXT}, optional={"thought": st.booleans()}),
    st.just({"executableCode": {"code": "1"}}),
    st.just({"codeExecutionResult": {"output": "1"}}),
    st.just({"toolCall": {"id": "s", "toolType": "GOOGLE_MAPS"}}),
    st.just({"toolResponse": {"id": "s"}}),
)
_CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "modelTurn": st.builds(lambda parts: {"parts": parts}, st.lists(_PART, max_size=2)),
        "inputTranscription": _TRANSCRIPTION,
        "interimInputTranscription": _TRANSCRIPTION,
        "outputTranscription": _TRANSCRIPTION,
        "interrupted": st.booleans(),
        "generationComplete": st.booleans(),
        "turnComplete": st.booleans(),
        "turnCompleteReason": st.sampled_from([*REASONS, "NEW"]),
        "interactionStatus": st.sampled_from(["IN_PROGRESS", "IDLE", "NEW"]),
        "waitingForInput": st.booleans(),
        "groundingMetadata": st.sampled_from([{}, {"webSearchQueries": ["q"]}]),
    },
)
_CALLS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["f", "g"])}, optional={"id": st.sampled_from("abc")}
    ),
    max_size=2,
)
_FRAME = st.fixed_dictionaries(
    {},
    optional={
        "serverContent": _CONTENT,
        "toolCall": st.builds(lambda calls: {"functionCalls": calls}, _CALLS),
        "toolCallCancellation": st.builds(
            lambda ids: {"ids": ids}, st.lists(st.sampled_from("abc"), max_size=2)
        ),
        "voiceActivity": st.sampled_from([{"type": "ACTIVITY_START"}, {"type": "ACTIVITY_END"}]),
        "usageMetadata": st.just({"promptTokenCount": 1}),
        "setupComplete": st.just({}),
    },
)
_COMMAND = st.one_of(
    st.just(SendText(text="Hi")),
    st.just(SendText(text="Hi", respond=False)),
    st.just(AppendAudio(data=b"\0\0")),
    st.just(StartTurn()),
    st.just(EndTurn()),
    st.just(CommitInput()),
    st.just(Respond()),
    st.just(CancelResponse()),
    st.just(Interrupt()),
    st.builds(
        SendToolResult,
        call_id=st.sampled_from(["a", "b", "c", "u_call_1"]),
        output=st.just("x"),
        more_follows=st.booleans(),
    ),
)
_CONFIGS = [
    SessionConfig(),
    SessionConfig(turn_detection=Manual(), tools=(Tool(name="f", blocking=False),)),
    SessionConfig(model="gemini-2.5-flash-native-audio-latest"),
]


def hold(translator: GoogleTranslator, steps: list[Any]) -> None:
    """Feed everything; each frame tells something, and all of it is legal and ends whole."""
    events = []
    translator.start(0.0)
    for now, step in enumerate(steps):
        if isinstance(step, dict | str | bytes):
            translator.receive(step, float(now) / 10)
            told = translator.events_received()
            assert told, step
            assert all(event.raw is not None for event in told)
            events += told
        else:
            try:
                translator.send(step, float(now) / 10)
            except UnirtError:
                assert translator.frames_to_send() == [] or now == 0
            events += translator.events_received()
        translator.frames_to_send()
    translator.receive_close(1006, "", "network", 1e6)
    events += translator.events_received()
    check(events, complete=True)
    fold(events)


@given(st.lists(_JSON, min_size=1, max_size=6))
def test_any_json(frames: list[Any]) -> None:
    hold(GoogleTranslator(SessionConfig(), offline=True), [json.dumps(frame) for frame in frames])


@given(st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=40)), max_size=4))
def test_any_bytes_and_any_text(frames: list[str | bytes]) -> None:
    hold(GoogleTranslator(SessionConfig()), list(frames))


@given(st.dictionaries(st.sampled_from([*FIELDS, "serverContent"]), _JSON, max_size=4))
def test_any_value_in_any_known_field(values: dict[str, Any]) -> None:
    frame: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    for name, value in values.items():
        place = inner if name.startswith("serverContent.") else frame
        place[name.removeprefix("serverContent.")] = value
    if inner:
        frame["serverContent"] = inner
    hold(GoogleTranslator(SessionConfig()), [frame, frame])


@pytest.mark.parametrize("offline", [True, False])
@settings(max_examples=200)
@given(st.sampled_from(_CONFIGS), st.lists(st.one_of(_FRAME, _FRAME, _COMMAND), max_size=14))
def test_any_conversation(offline: bool, config: SessionConfig, steps: list[Any]) -> None:
    hold(GoogleTranslator(config, offline=offline), steps)


def test_a_frame_that_nests_without_measure() -> None:
    deep = '{"toolCall":{"functionCalls":[{"name":"f","args":' + '{"a":' * 5000 + "1" + "}" * 5000
    hold(GoogleTranslator(SessionConfig()), [deep + "}]}}"])
