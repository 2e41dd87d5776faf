"""
What a server says, a client hears: every kind of event, on both providers.

For each model whose facts do not mark a class of events as never emitted, a listening client hears
that class of what :data:`SAYINGS` has its server say; where the facts say that the provider itself
tells it, with the same data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import attrs
import pytest
from openai.types.realtime import RealtimeServerEvent

import unirt.events as ev
from tests.providers.sayings import (
    BARGE_IN,
    CALLED,
    CONCLUDED,
    IDS,
    SAYINGS,
    SPOKEN,
    STARTED,
    TALKED,
    USAGE,
    VOICE,
    WRITING,
    say,
)
from unirt import G711_ULAW, SessionConfig
from unirt.capabilities import Emission
from unirt.commands import SendToolResult
from unirt.config import Transcription
from unirt.events import Ending, Event
from unirt.registry import load
from unirt.testing import check
from unirt.translator import Translator

MODELS = [
    ("openai", "gpt-realtime-2.1"),
    ("google", "models/gemini-3.8-live"),
    ("google", "models/gemini-3.8-live-extended-thinking"),
    ("google", "models/gemini-3.1-flash-live-preview"),
    ("google", "publishers/google/models/gemini-live-2.5-flash-native-audio"),
]

BY_THE_CLOCK = {"openai": {ev.SessionExpiring}}
"What a listener concludes from its clock."


class Conversation:
    """A server, the client that configured it, and one that only listens."""

    def __init__(
        self, name: str, model: str, strict: Callable[[str | bytes], dict[str, Any]]
    ) -> None:
        provider = load(name)
        assert provider.server is not None
        config = SessionConfig(model=model, input_transcription=Transcription())
        self.server = provider.server(model=model)
        self.client = provider.new_translator(config)
        self.listener = provider.new_translator(SessionConfig(model=model), offline=True)
        self.strict = strict
        self.heard: list[Event] = []
        self.server.start(0.0)
        self.client.start(0.0)
        self.listener.start(0.0)
        self.listener.frames_to_send()  # what it would say first; from then on it only listens
        self.exchange()

    def exchange(self) -> None:
        """Carry frames both ways until nobody says anything."""
        for _ in range(20):
            for frame in self.client.frames_to_send():
                self.server.receive(frame, 0.0)
            frames = self.server.frames_to_send()
            for frame in frames:
                self.strict(frame)
                self.client.receive(frame, 0.0)
                self.listen(self.listener, frame)
            if not frames:
                return
        raise AssertionError("client and server do not come to rest")

    def listen(self, listener: Translator, frame: str | bytes) -> None:
        listener.receive(frame, 0.0)
        assert not listener.frames_to_send()
        self.heard += listener.events_received()

    def say(self, events: list[Event]) -> None:
        for event in events:
            self.server.send(event, 0.0)
            self.exchange()
        if (close := self.server.close_wanted()) is not None:
            self.listener.receive_close(*close, "remote", 0.0)
            self.heard += self.listener.events_received()


@pytest.fixture
def strict(
    request: pytest.FixtureRequest,
    openai_strict: Callable[[str | bytes], dict[str, Any]],
    google_strict: Callable[[str | bytes], dict[str, Any]],
) -> dict[str, Callable[[str | bytes], dict[str, Any]]]:
    # OpenAI's types cannot hold what is no member of their union; that one saying is excused.
    def openai(frame: str | bytes) -> dict[str, Any]:
        return {} if b"novelty" in _bytes(frame) else openai_strict(frame)

    def google(frame: str | bytes) -> dict[str, Any]:
        return {} if b"novelty" in _bytes(frame) else google_strict(frame)

    return {"openai": openai, "google": google}


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def test_every_event_class_has_a_saying_or_is_concluded_by_listeners() -> None:
    classes = {
        getattr(ev, name)
        for name in ev.__all__
        if isinstance(getattr(ev, name), type) and issubclass(getattr(ev, name), Event)
    } - {Event, ev.ContentEvent, ev.ControlEvent}
    classes = {kind for kind in classes if not issubclass(kind, ev.SessionEvent)}
    assert classes == SAYINGS.keys() | CONCLUDED


@pytest.mark.parametrize("kind", SAYINGS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(("name", "model"), MODELS, ids=lambda part: part.rpartition("/")[2])
def test_what_the_server_says_is_what_the_client_hears(
    name: str,
    model: str,
    kind: type[Event],
    strict: dict[str, Callable[[str | bytes], dict[str, Any]]],
) -> None:
    conversation = Conversation(name, model, strict[name])
    saying = SAYINGS[kind]
    conversation.say(saying.events)

    check(conversation.heard)
    heard = [event for event in conversation.heard if type(event) is kind]
    emission = load(name).capabilities(model).emission(kind.__name__)
    if emission is Emission.NEVER or kind in BY_THE_CLOCK.get(name, set()):
        assert not heard
        return
    assert heard
    if emission is Emission.SAID:
        told = {_data(event, saying.same, name) for event in heard}
        for event in saying.events:
            if type(event) is kind:
                assert _data(event, saying.same, name) in told


def test_all_of_openais_server_events_are_said(
    strict: dict[str, Callable[[str | bytes], dict[str, Any]]],
) -> None:
    said: set[str] = set()

    def note(frame: str | bytes) -> dict[str, Any]:
        data = strict["openai"](frame)
        said.add(data.get("type", "novelty"))
        return data

    for saying in SAYINGS.values():
        Conversation("openai", "gpt-realtime-2.1", note).say(saying.events)

    declared = {
        get_args(member.model_fields["type"].annotation)[0]
        for member in get_args(get_args(RealtimeServerEvent)[0])
    }
    # The beta's name of conversation.item.added: declared, and said by no server any more.
    assert declared - said == {"conversation.item.created"}


def _data(event: Event, fields: tuple[str, ...], provider: str) -> str:
    """The fields to compare; on Google's wire nothing names responses and items."""
    unnamed = {"response_id", "item_id", "metadata", "in_conversation"}
    ids = unnamed if provider == "google" else set()
    return repr([(field, _value(getattr(event, field))) for field in fields if field not in ids])


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted(value.items())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(float(value), 3)
    return value.hex() if isinstance(value, bytes) else value


@pytest.mark.parametrize(("name", "model"), MODELS, ids=lambda part: part.rpartition("/")[2])
def test_a_tool_round_is_heard_whole_with_all_its_usage(
    name: str, model: str, strict: dict[str, Callable[[str | bytes], dict[str, Any]]]
) -> None:
    conversation = Conversation(name, model, strict[name])
    conversation.say(CALLED)
    conversation.client.send(SendToolResult(call_id="call_a", output="Sunny."), 0.0)
    conversation.exchange()
    ids = {"response_id": "resp_b", "turn_id": "turn_a"}
    written = attrs.evolve(WRITING, response_id="resp_b", item_id="item_b", id="item_b.text")
    conversation.say(
        [
            say(ev.ResponseStarted, **ids),
            say(ev.TextDelta, stream=written, text="It is sunny."),
            say(ev.StreamClosed, stream=written, text="It is sunny."),
            say(ev.ResponseDone, usage=USAGE, **ids),
        ]
    )

    check(conversation.heard, complete=True)
    answers = [heard.command for heard in conversation.server.heard() if heard.command is not None]
    results = [command for command in answers if isinstance(command, SendToolResult)]
    assert [(result.call_id, result.output) for result in results] == [("call_a", "Sunny.")]
    done = [event for event in conversation.heard if isinstance(event, ev.ResponseDone)]
    assert [event.ending for event in done] == [Ending.COMPLETE, Ending.COMPLETE]
    usages = [event.usage for event in done if event.usage is not None]
    assert sum(usage.total_tokens for usage in usages) == 2 * USAGE.total_tokens


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (Ending.COMPLETE, None),
        (Ending.INTERRUPTED, "speech"),
        (Ending.FAILED, "model_error"),
        (Ending.INCOMPLETE, "content_filter"),
    ],
    ids=str,
)
@pytest.mark.parametrize(("name", "model"), MODELS, ids=lambda part: part.rpartition("/")[2])
def test_how_a_response_ends_is_heard(
    name: str,
    model: str,
    ending: Ending,
    reason: str | None,
    strict: dict[str, Callable[[str | bytes], dict[str, Any]]],
) -> None:
    conversation = Conversation(name, model, strict[name])
    done = say(ev.ResponseDone, ending=ending, reason=reason, usage=USAGE, **IDS)
    cut = BARGE_IN if ending is Ending.INTERRUPTED else []
    conversation.say([*TALKED, STARTED, *SPOKEN, *cut, done])

    check(conversation.heard)
    heard = [event for event in conversation.heard if isinstance(event, ev.ResponseDone)]
    assert [(event.ending, event.reason, event.usage) for event in heard] == [
        (ending, reason, USAGE)
    ]


def test_telephone_sound_arrives_in_its_own_format(
    openai_strict: Callable[[str | bytes], dict[str, Any]],
) -> None:
    provider = load("openai")
    assert provider.server is not None
    server = provider.server()
    client = provider.new_translator(SessionConfig(output_format=G711_ULAW))
    server.start(0.0)
    client.start(0.0)
    for _ in range(3):
        for frame in server.frames_to_send():
            openai_strict(frame)
            client.receive(frame, 0.0)
        for frame in client.frames_to_send():
            server.receive(frame, 0.0)
    server.send(STARTED, 0.0)
    server.send(say(ev.AudioDelta, stream=VOICE, data=b"\x7f" * 800, format=G711_ULAW), 0.0)
    for frame in server.frames_to_send():
        client.receive(frame, 0.0)

    [delta] = [e for e in client.events_received() if isinstance(e, ev.AudioDelta)]
    assert (delta.data, delta.format, delta.duration_ms) == (b"\x7f" * 800, G711_ULAW, 100.0)
