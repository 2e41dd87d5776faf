"""Field 8: what a model must not be sent while it waits for a tool is dropped, counted and told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unirt import (
    AppendAudio,
    CommitInput,
    EndTurn,
    Event,
    InputPaused,
    InputResumed,
    Interrupt,
    Manual,
    SendImage,
    SendText,
    SendToolResult,
    SessionClosed,
    SessionConfig,
    StartTurn,
    Tool,
    ToolCallCancelled,
    UsageError,
)
from unirt.capabilities import Emission
from unirt.testing import check
from unirt_google.facts import capabilities
from unirt_google.translator import GoogleTranslator

OLDER = "gemini-2.5-flash-native-audio-preview-12-2025"
PREVIEW = "gemini-3.1-flash-live-preview"
VERTEX = "projects/p/locations/l/publishers/google/models/gemini-live-2.5-flash-native-audio"
PIECE = bytes(640)  # 20 ms at 16 kHz
SAYS = {
    "serverContent": {
        "modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "AAAA"}}]}
    }
}


def calls(*ids: str, name: str = "f") -> dict[str, Any]:
    return {"toolCall": {"functionCalls": [{"id": id_, "name": name} for id_ in ids]}}


class Talk:
    """A session that was set up; what it tells and sends is kept."""

    def __init__(self, model: str = OLDER, **config: Any) -> None:
        self.translator = GoogleTranslator(SessionConfig(model=model, **config))
        self.events: list[Event] = []
        self.sent: list[dict[str, Any]] = []
        self.translator.start(0.0)
        self.hear({"setupComplete": {}})
        self.sent.clear()

    def hear(self, *frames: dict[str, Any]) -> None:
        for frame in frames:
            self.translator.receive(frame, 0.0)
        self._drain()

    def say(self, *commands: Any) -> None:
        for command in commands:
            self.translator.send(command, 0.0)
        self._drain()

    def speak(self, pieces: int = 1) -> None:
        self.say(*[AppendAudio(data=PIECE)] * pieces)

    def _drain(self) -> None:
        self.events += self.translator.events_received()
        self.sent += map(json.loads, self.translator.frames_to_send())

    @property
    def kinds(self) -> list[str]:
        """What was sent, by the names of the messages, and of what is in real time."""
        return [next(iter(frame.get("realtimeInput") or frame)) for frame in self.sent]

    def told(self, *kinds: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]


@pytest.mark.parametrize(
    ("model", "blocking", "dropped"),
    [
        (OLDER, None, True),
        (OLDER, True, True),
        (OLDER, False, False),
        (PREVIEW, None, False),
        (VERTEX, None, False),
        (VERTEX, True, False),
        ("gemini-3.8-live", None, False),
        ("gemini-3.8-live", True, False),
        ("gemini-3.8-live-extended-thinking", None, False),
    ],
)
def test_whose_audio_is_dropped_is_a_fact_of_the_model_and_the_tool(
    model: str, blocking: bool | None, dropped: bool
) -> None:
    talk = Talk(model, tools=(Tool(name="f", blocking=blocking),))
    talk.hear(calls("c"))
    talk.speak()
    assert talk.kinds == ([] if dropped else ["audio"])
    assert len(talk.told(InputPaused)) == dropped


@pytest.mark.parametrize("model", [OLDER, VERTEX, PREVIEW, "gemini-3.8-live"])
def test_the_facts_say_whether_it_is_told(model: str) -> None:
    facts = capabilities(model)
    gated = model == OLDER
    for event in ("InputPaused", "InputResumed"):
        assert facts.emission(event) is (Emission.SYNTHESISED if gated else Emission.NEVER)
    assert ("dropped" in facts.verbs["AppendAudio"].how) == gated


def test_what_is_dropped_is_told_at_the_first_piece_and_counted_at_the_end() -> None:
    talk = Talk()
    talk.speak()
    talk.hear(SAYS, calls("c"))
    assert not talk.told(InputPaused)
    talk.speak(7)
    [paused] = talk.told(InputPaused)
    assert (paused.reason, paused.call_ids, paused.synthesised) == ("tool_call", ("c",), True)
    talk.say(SendToolResult(call_id="c", output="ok"))
    [resumed] = talk.told(InputResumed)
    assert (resumed.dropped_ms, resumed.dropped_images) == (140.0, 0)
    talk.speak()
    assert talk.kinds == ["audio", "toolResponse", "audio"]
    check(talk.events)


def test_it_is_told_anew_each_time_and_not_where_nothing_was_dropped() -> None:
    talk = Talk()
    for call_id, pieces in (("a", 2), ("b", 0), ("c", 3)):
        talk.hear(calls(call_id))
        talk.speak(pieces)
        talk.say(SendToolResult(call_id=call_id, output="ok"))
        talk.hear(SAYS)
    assert [event.dropped_ms for event in talk.told(InputResumed)] == [40.0, 60.0]
    assert [event.call_ids for event in talk.told(InputPaused)] == [("a",), ("c",)]


def test_all_calls_that_are_waited_for_must_be_answered() -> None:
    talk = Talk()
    talk.hear(calls("a", "b"))
    talk.speak()
    talk.say(SendToolResult(call_id="a", output="ok"))
    talk.speak()
    assert talk.kinds == ["toolResponse"]
    talk.say(SendToolResult(call_id="b", output="ok"))
    assert [event.dropped_ms for event in talk.told(InputResumed)] == [40.0]


@pytest.mark.parametrize("how", ["cancelled", "text", "interrupt"])
def test_whatever_ends_the_waiting_opens_the_gate(how: str) -> None:
    talk = Talk()
    talk.hear(SAYS, calls("c"))
    talk.speak()
    if how == "cancelled":
        talk.hear({"toolCallCancellation": {"ids": ["c"]}})
    else:
        talk.say(SendText(text="Never mind.") if how == "text" else Interrupt())
    assert talk.told(InputResumed)
    talk.speak()
    assert talk.kinds[-1] == "audio"


def test_a_manual_turn_gives_the_call_up_and_begins_with_what_was_said_before() -> None:
    talk = Talk(turn_detection=Manual())
    talk.hear(SAYS, calls("a", "b"))
    talk.speak(2)  # nobody's turn yet: kept, and not dropped
    assert not talk.told(InputPaused)
    talk.say(StartTurn())
    talk.speak()
    talk.say(EndTurn())
    assert talk.kinds == ["toolResponse", "activityStart", "audio", "audio", "audio", "activityEnd"]
    answers = talk.sent[0]["toolResponse"]["functionResponses"]
    assert [(each["id"], each["name"]) for each in answers] == [("a", "f"), ("b", "f")]
    assert all("error" in each["response"] for each in answers)
    [cancelled] = talk.told(ToolCallCancelled)
    assert (cancelled.call_ids, cancelled.synthesised) == (("a", "b"), True)

    talk.say(SendToolResult(call_id="a", output="late"))
    assert talk.kinds[-1] == "activityEnd"
    talk.hear({"toolCallCancellation": {"ids": ["a", "b"]}})  # the server says so itself, later
    assert len(talk.told(ToolCallCancelled)) == 1
    check(talk.events)


def test_a_manual_turn_that_may_not_interrupt_has_to_wait() -> None:
    options = {"realtime_input_config": {"activity_handling": "NO_INTERRUPTION"}}
    talk = Talk(turn_detection=Manual(), provider_options=options)
    talk.hear(calls("c"))
    with pytest.raises(UsageError, match="waits for a tool"):
        talk.say(StartTurn())
    assert not talk.sent
    talk.say(SendToolResult(call_id="c", output="ok"), StartTurn())
    assert talk.kinds == ["toolResponse", "activityStart"]


def test_the_end_of_the_input_cannot_be_told_meanwhile() -> None:
    talk = Talk()
    talk.hear(calls("c"))
    with pytest.raises(UsageError, match="hears nothing"):
        talk.say(CommitInput())
    talk.say(SendToolResult(call_id="c", output="ok"), CommitInput())
    assert talk.kinds == ["toolResponse", "audioStreamEnd"]


def test_the_newest_picture_is_kept() -> None:
    talk = Talk()
    talk.hear(calls("c"))
    talk.say(*(SendImage(data=data) for data in (b"old", b"older", b"new")))
    assert not talk.sent
    talk.say(SendToolResult(call_id="c", output="ok"))
    assert talk.kinds == ["toolResponse", "video"]
    assert talk.sent[-1]["realtimeInput"]["video"]["data"] == "bmV3"
    [resumed] = talk.told(InputResumed)
    assert (resumed.dropped_ms, resumed.dropped_images) == (0.0, 2)


def test_what_was_dropped_is_counted_before_the_session_is_over() -> None:
    talk = Talk()
    talk.hear(calls("c"))
    talk.speak(3)
    talk.say(SendImage(data=b"last"))
    talk.translator.receive_close(1011, "", "remote", 1.0)
    events = talk.translator.events_received()
    resumed = next(event for event in events if isinstance(event, InputResumed))
    assert (resumed.dropped_ms, resumed.dropped_images) == (60.0, 1)
    assert isinstance(events[-1], SessionClosed)
    check(talk.events + events)
