"""What the benchmark server plays is what the vendors' endpoints could say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.benchmarks import google_frames, openai_frames
from tests.benchmarks.load import NUMBER, PREVIOUS, Block, Load
from tests.benchmarks.server import PROTOCOLS
from unirt import events as ev
from unirt.config import SessionConfig
from unirt.grammar import check
from unirt.registry import load as load_provider

Strict = Callable[[str | bytes], dict[str, Any]]
LOAD = Load(chunk_ms=20, turns=3)


def payloads(frames: bytes) -> list[bytes]:
    """The payloads of unmasked frames, one after the other."""
    found = []
    while frames:
        size, start = frames[1], 2
        if size == 126:
            size, start = int.from_bytes(frames[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(frames[2:10], "big"), 10
        found.append(frames[start : start + size])
        frames = frames[start + size :]
    return found


def played(protocol: str, load: Load = LOAD) -> list[bytes]:
    """All that a connection is told after its request, as payloads."""
    voice, turn = PROTOCOLS[protocol]
    block = Block(turn(load), binary=voice.binary)
    return [payload for number in range(load.turns) for payload in payloads(block.turn(number))]


@pytest.fixture
def strict(request: pytest.FixtureRequest) -> tuple[str, Strict]:
    return request.param, request.getfixturevalue(f"{request.param}_strict")


@pytest.mark.parametrize("strict", ["openai", "google"], indirect=True)
def test_every_frame_is_one_of_the_vendor_s(strict: tuple[str, Strict]) -> None:
    protocol, parse = strict
    for payload in played(protocol):
        assert parse(payload)


def test_the_openai_handshake_is_the_vendor_s(openai_strict: Strict) -> None:
    voice = openai_frames.Voice()
    update = {"type": "session.update", "session": {"instructions": "Be brief.", "tools": []}}
    words = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    said = [
        *voice.greeting(),
        *voice.answer(update),
        *voice.answer({"type": "conversation.item.create", "item": words}),
        *voice.answer({"type": "input_audio_buffer.clear"}),
    ]
    frames = [openai_strict(payload) for payload in said]
    assert frames[1]["session"] == {**frames[0]["session"], "instructions": "Be brief."}
    assert len({frame["event_id"] for frame in frames}) == len(frames) == 5


def test_the_openai_answer_gives_metadata_back(openai_strict: Strict) -> None:
    request = {"type": "response.create", "response": {"metadata": {"key": "value"}}}
    assert openai_frames.Voice.asks(request)
    first = openai_frames.Voice.created(request)
    assert first is not None
    response = openai_strict(first)["response"]
    assert response["metadata"] == {"key": "value"}
    assert response["id"] == json.loads(played("openai")[0])["response"]["id"]


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        ({"setup": {}}, False),
        ({"clientContent": {"turns": [], "turnComplete": True}}, True),
        ({"client_content": {"turns": [], "turn_complete": True}}, True),
        ({"clientContent": {"turns": []}}, False),
        ({"realtimeInput": {"text": "Hello"}}, True),
        ({"realtime_input": {"audio": {}}}, False),
    ],
)
def test_google_is_asked_by_a_complete_turn_or_by_text(message: dict[str, Any], asks: bool) -> None:
    assert google_frames.Voice.asks(message) is asks


@pytest.mark.parametrize(("protocol", "count"), [("openai", 101), ("google", 92)])
def test_a_turn_has_the_mix_that_the_figures_are_about(protocol: str, count: int) -> None:
    assert len(PROTOCOLS[protocol][1](Load())) == count


@pytest.mark.parametrize("protocol", ["openai", "google"])
def test_turns_translate_into_a_legal_session(protocol: str) -> None:
    voice = PROTOCOLS[protocol][0]()
    provider = load_provider(protocol)
    translator = provider.new_translator(SessionConfig(model=provider.default_model))
    translator.start(0.0)
    events = []

    def hear(frames: list[bytes]) -> None:
        for frame in frames:
            translator.receive(frame, 0.0)
            events.extend(translator.events_received())

    hear(voice.greeting())
    for frame in translator.frames_to_send():
        hear(voice.answer(json.loads(frame)))
    assert translator.ready
    hear(played(protocol))

    check(events)
    kinds = Counter(type(event) for event in events)
    assert not {ev.Unmapped, ev.Malformed, ev.ProviderError, ev.ContentDiscarded} & kinds.keys()
    assert kinds[ev.ResponseStarted] == kinds[ev.ResponseDone] == LOAD.turns
    assert kinds[ev.AudioDelta] == LOAD.turns * LOAD.audio_per_turn
    assert kinds[ev.TranscriptDelta] >= LOAD.turns * LOAD.transcripts_per_turn
    audio = sum(len(event.data) for event in events if isinstance(event, ev.AudioDelta))
    assert audio == LOAD.turns * LOAD.audio_per_turn * LOAD.chunk_bytes
    done = [event for event in events if isinstance(event, ev.ResponseDone)]
    assert all(event.usage is not None and event.usage.total_tokens for event in done)


def test_no_identifier_comes_twice() -> None:
    frames = [json.loads(payload) for payload in played("openai")]
    assert len({frame["event_id"] for frame in frames}) == len(frames)
    ids = [frame["response"]["id"] for frame in frames if frame["type"] == "response.created"]
    assert len(set(ids)) == LOAD.turns


@pytest.mark.parametrize("protocol", ["openai", "google"])
def test_no_mark_is_left_in_what_is_played(protocol: str) -> None:
    whole = b"".join(played(protocol))
    assert NUMBER.encode() not in whole
    assert PREVIOUS.encode() not in whole
