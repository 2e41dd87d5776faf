"""
What a server says, a client hears: every kind of event, on both providers.

:data:`SAYINGS` lists every event class with the events that make a server say it. For each model
whose facts do not mark the class as never emitted, a listening client hears that class; where the
facts say that the provider itself tells it, with the same data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import attrs
import pytest
from openai.types.realtime import RealtimeServerEvent

import unirt.events as ev
from unirt import G711_ULAW, PCM16_24K, SessionConfig
from unirt.capabilities import Emission
from unirt.commands import SendToolResult
from unirt.config import Transcription
from unirt.events import Ending, Event, Origin, StreamKind
from unirt.items import Item, ItemKind, Role, TextContent
from unirt.registry import load
from unirt.testing import check
from unirt.translator import Translator
from unirt.usage import Tokens, Usage

ORIGIN = Origin(provider="test")
IDS: dict[str, Any] = {"response_id": "resp_a", "turn_id": "turn_a"}
SOUND = bytes(range(240)) * 20
USAGE = Usage(
    input=Tokens(text=10, audio=20),
    cached=Tokens(text=4),
    output=Tokens(text=3, audio=30),
    thinking=5,
)
MODELS = [
    ("openai", "gpt-realtime-2.1"),
    ("google", "models/gemini-3.8-live"),
    ("google", "models/gemini-3.8-live-extended-thinking"),
    ("google", "models/gemini-3.1-flash-live-preview"),
    ("google", "publishers/google/models/gemini-live-2.5-flash-native-audio"),
]


def stream(kind: StreamKind, **fields: Any) -> ev.Stream:
    place: dict[str, Any] = {"item_id": f"item_{kind}", **IDS, **fields}
    return ev.Stream(id=f"{place['item_id']}.{kind}", kind=kind, **place)


def user_stream(kind: StreamKind) -> ev.Stream:
    return ev.Stream(
        id=f"item_user.{kind}", kind=kind, role="user", item_id="item_user", turn_id="turn_a"
    )


VOICE = stream(StreamKind.AUDIO, item_id="item_answer")
CAPTION = stream(StreamKind.TRANSCRIPT, item_id="item_answer")
WRITING = stream(StreamKind.TEXT)
THOUGHT = stream(StreamKind.THOUGHT)
PICTURE = stream(StreamKind.IMAGE)
SOURCES = stream(StreamKind.CITATIONS)
CALL = stream(StreamKind.TOOL_CALL, call_id="call_a", name="get_weather")
SEARCH = stream(StreamKind.SERVER_TOOL, call_id="call_s", name="web_search")
SPEECH = user_stream(StreamKind.TRANSCRIPT)
MESSAGE = Item(
    id="item_m",
    role=Role.ASSISTANT,
    content=(TextContent(text="Hi"),),
    status="completed",
)
TOOL_ITEM = Item(
    kind=ItemKind.TOOL_CALL,
    id="item_f",
    name="get_weather",
    call_id="call_f",
    arguments="{}",
    status="completed",
)


def say(kind: type[Event], **fields: Any) -> Event:
    return kind(origin=ORIGIN, **fields)


STARTED = say(ev.ResponseStarted, **IDS)
SPOKEN = [
    say(ev.StreamOpened, stream=CAPTION),
    say(ev.TranscriptDelta, stream=CAPTION, text="Hello"),
    say(ev.StreamOpened, stream=VOICE),
    say(ev.AudioDelta, stream=VOICE, data=SOUND, format=PCM16_24K),
]
CLOSED = [
    say(ev.StreamClosed, stream=VOICE),
    say(ev.StreamClosed, stream=CAPTION, text="Hello"),
]
DONE = say(ev.ResponseDone, usage=USAGE, **IDS)
CALLED = [
    STARTED,
    say(ev.StreamOpened, stream=CALL),
    say(ev.ToolCallDelta, stream=CALL, text='{"city":'),
    say(ev.ToolCallDelta, stream=CALL, text='"Oslo"}'),
    say(
        ev.ToolCall,
        stream=CALL,
        name="get_weather",
        arguments='{"city":"Oslo"}',
        args={"city": "Oslo"},
    ),
    say(ev.StreamClosed, stream=CALL, text='{"city":"Oslo"}'),
    DONE,
]
SEARCHED = [
    STARTED,
    say(ev.StreamOpened, stream=SEARCH),
    say(ev.ServerToolDelta, stream=SEARCH, text='{"query":"moon"}'),
    say(ev.ServerToolResult, stream=SEARCH, output='{"km":384400}'),
    say(ev.StreamClosed, stream=SEARCH),
]
TALKED = [
    say(ev.SpeechStarted, audio_ms=400.0, item_id="item_user", turn_id="turn_a"),
    say(ev.SpeechStopped, audio_ms=1900.0, item_id="item_user", turn_id="turn_a"),
    say(ev.InputCommitted, item_id="item_user", turn_id="turn_a"),
    say(ev.StreamOpened, stream=SPEECH),
    say(ev.TranscriptDelta, stream=SPEECH, text="Hello there"),
]
BARGE_IN = [
    say(ev.SpeechStarted, audio_ms=2400.0, item_id="item_user2", turn_id="turn_b"),
    say(ev.StreamClosed, stream=CAPTION, text="Hello", ending=Ending.INTERRUPTED, reason="speech"),
    say(ev.StreamClosed, stream=VOICE, ending=Ending.INTERRUPTED, reason="speech"),
    say(ev.Interrupted, by="speech", **IDS),
]


@attrs.frozen(kw_only=True)
class Saying:
    """Events that make a server say something, and what of it must arrive as it was."""

    events: list[Event]
    same: tuple[str, ...] = ()


SAYINGS: dict[type[Event], Saying] = {
    # The session.
    ev.SessionStarted: Saying(events=[]),
    ev.SessionUpdated: Saying(events=[say(ev.SessionUpdated)]),
    ev.SessionExpiring: Saying(
        events=[say(ev.SessionExpiring, time_left_ms=49_500.0)], same=("time_left_ms",)
    ),
    ev.ResumptionUpdated: Saying(
        events=[
            say(ev.ResumptionUpdated, resumable=True, handle="secret", last_client_message=12),
            say(ev.ResumptionUpdated, resumable=False),
        ],
        same=("resumable", "handle", "last_client_message"),
    ),
    ev.ConversationCreated: Saying(
        events=[say(ev.ConversationCreated, conversation_id="conv_x")], same=("conversation_id",)
    ),
    ev.SessionClosed: Saying(
        events=[say(ev.SessionClosed, code=1008, reason="not you")], same=("code", "reason")
    ),
    ev.ProviderError: Saying(
        events=[
            say(ev.ProviderError, message="No.", type="t", code="c", param="p", command_id="e_1")
        ],
        same=("message", "type", "code", "param", "command_id"),
    ),
    ev.Unmapped: Saying(
        events=[say(ev.Unmapped, type="novelty", data={"type": "novelty", "novelty": {"x": 1}})],
        same=("type",),
    ),
    ev.RateLimitsUpdated: Saying(
        events=[
            say(
                ev.RateLimitsUpdated,
                limits=(ev.RateLimit(name="tokens", limit=10, remaining=9, reset_ms=1500.0),),
            )
        ],
        same=("limits",),
    ),
    ev.UsageReported: Saying(
        events=[
            *TALKED,
            say(ev.UsageReported, scope="transcription", duration_ms=2500.0),
            say(ev.StreamClosed, stream=SPEECH, text="Hello there"),
            STARTED,
            *SPOKEN,
            say(ev.UsageReported, scope="response", usage=USAGE),
        ]
    ),
    # The user's turn.
    ev.SpeechStarted: Saying(events=TALKED[:1], same=("audio_ms",)),
    ev.SpeechStopped: Saying(events=TALKED[:2], same=("audio_ms",)),
    ev.InputCommitted: Saying(events=[*TALKED, STARTED, *SPOKEN], same=("item_id",)),
    ev.InputCleared: Saying(events=[say(ev.InputCleared)]),
    ev.InputTimeout: Saying(
        events=[say(ev.InputTimeout, start_ms=100.0, end_ms=6100.0, item_id="item_user")],
        same=("start_ms", "end_ms", "item_id"),
    ),
    ev.DtmfReceived: Saying(
        events=[say(ev.DtmfReceived, key="#", at_unix_s=1_790_000_000.0)],
        same=("key", "at_unix_s"),
    ),
    ev.TranscriptionFailed: Saying(
        events=[*TALKED[:3], say(ev.TranscriptionFailed, message="Mumbled.", item_id="item_user")],
        same=("message", "item_id"),
    ),
    ev.TranscriptSegment: Saying(
        events=[
            *TALKED[:4],
            say(
                ev.TranscriptSegment,
                stream=SPEECH,
                text="Hello",
                segment_id="seg_1",
                speaker="A",
                start_ms=500.0,
                end_ms=1250.0,
            ),
        ],
        same=("text", "segment_id", "speaker", "start_ms", "end_ms"),
    ),
    ev.TranscriptInterim: Saying(
        events=[say(ev.TranscriptInterim, stream=SPEECH, text="Hel", language="en")],
        same=("text", "language"),
    ),
    # Responses and their content.
    ev.ResponseStarted: Saying(
        events=[
            say(ev.ResponseStarted, metadata={"k": "v"}, in_conversation=False, **IDS),
            *SPOKEN,
        ],
        same=("response_id", "metadata", "in_conversation"),
    ),
    ev.GenerationDone: Saying(
        events=[STARTED, *SPOKEN, *CLOSED, say(ev.GenerationDone, **IDS), DONE]
    ),
    ev.ResponseDone: Saying(
        events=[STARTED, *SPOKEN, *CLOSED, DONE], same=("ending", "reason", "usage")
    ),
    ev.Interrupted: Saying(events=[*TALKED, STARTED, *SPOKEN, *BARGE_IN]),
    ev.ContentDiscarded: Saying(events=[*TALKED, STARTED, *SPOKEN, *BARGE_IN, SPOKEN[-1]]),
    ev.InteractionStatus: Saying(
        events=[STARTED, *SPOKEN, say(ev.InteractionStatus, status="in_progress")],
        same=("status",),
    ),
    ev.StreamOpened: Saying(events=[STARTED, *SPOKEN[:2]]),
    ev.StreamClosed: Saying(events=[STARTED, *SPOKEN, *CLOSED, DONE], same=("ending", "text")),
    ev.AudioDelta: Saying(events=[STARTED, *SPOKEN], same=("data", "format")),
    ev.TranscriptDelta: Saying(events=[*TALKED, STARTED, *SPOKEN], same=("text",)),
    ev.TextDelta: Saying(
        events=[
            STARTED,
            say(ev.TextDelta, stream=WRITING, text="Hello"),
            say(ev.StreamClosed, stream=WRITING, text="Hello"),
        ],
        same=("text",),
    ),
    ev.ThoughtDelta: Saying(
        events=[STARTED, say(ev.ThoughtDelta, stream=THOUGHT, text="Hm.")], same=("text",)
    ),
    ev.ImageDelta: Saying(
        events=[STARTED, say(ev.ImageDelta, stream=PICTURE, data=SOUND, mime_type="image/png")],
        same=("data", "mime_type"),
    ),
    ev.CitationsDelta: Saying(
        events=[
            STARTED,
            *SPOKEN,
            say(ev.CitationsDelta, stream=SOURCES, data={"webSearchQueries": ["moon"]}),
            say(
                ev.CitationsDelta,
                stream=SOURCES,
                data={"urlMetadata": [{"retrievedUrl": "https://example.org"}]},
            ),
        ],
        same=("data",),
    ),
    # Tools.
    ev.ToolCallDelta: Saying(events=CALLED),
    ev.ToolCall: Saying(events=CALLED, same=("call_id", "name", "arguments", "args")),
    ev.ToolCallCancelled: Saying(
        events=[
            *CALLED,
            BARGE_IN[0],
            say(ev.Interrupted, by="speech", generating=False, **IDS),
            say(ev.ToolCallCancelled, call_ids=("call_a",)),
        ],
        same=("call_ids",),
    ),
    ev.ServerToolDelta: Saying(events=SEARCHED, same=("text",)),
    ev.ServerToolResult: Saying(events=SEARCHED, same=("output", "error")),
    ev.ServerToolStatus: Saying(
        events=[
            *SEARCHED[:2],
            say(ev.ServerToolStatus, status="in_progress", item_id="item_server_tool"),
            say(ev.ServerToolStatus, status="failed", item_id="item_server_tool"),
        ],
        same=("status", "item_id"),
    ),
    ev.ToolsListed: Saying(
        events=[
            say(ev.ToolsListed, status="in_progress", item_id="item_l"),
            say(ev.ToolsListed, status="completed", item_id="item_l"),
            say(ev.ToolsListed, status="failed", item_id="item_n"),
        ],
        same=("status", "item_id"),
    ),
    ev.ApprovalRequested: Saying(
        events=[
            STARTED,
            say(
                ev.ApprovalRequested,
                approval_id="mcpr_1",
                server="docs",
                name="search",
                arguments="{}",
                response_id="resp_a",
            ),
        ],
        same=("approval_id", "server", "name", "arguments"),
    ),
    # Items and playback.
    ev.ItemAdded: Saying(events=[say(ev.ItemAdded, item=MESSAGE)], same=("item",)),
    ev.ItemDone: Saying(
        events=[say(ev.ItemAdded, item=MESSAGE), say(ev.ItemDone, item=MESSAGE)], same=("item",)
    ),
    ev.OutputItemAdded: Saying(
        events=[
            STARTED,
            say(
                ev.OutputItemAdded,
                item=attrs.evolve(TOOL_ITEM, status="in_progress", arguments=""),
                **IDS,
            ),
        ],
        same=("item", "output_index"),
    ),
    ev.OutputItemDone: Saying(
        events=[
            STARTED,
            say(ev.OutputItemAdded, item=TOOL_ITEM, **IDS),
            say(ev.OutputItemDone, item=TOOL_ITEM, **IDS),
        ],
        same=("item", "output_index"),
    ),
    ev.ItemRetrieved: Saying(events=[say(ev.ItemRetrieved, item=MESSAGE)], same=("item",)),
    ev.ItemDeleted: Saying(
        events=[say(ev.ItemDeleted, item_id="item_m")],
        same=("item_id",),
    ),
    ev.ItemTruncated: Saying(
        events=[say(ev.ItemTruncated, item_id="item_m", audio_end_ms=740.0)],
        same=("item_id", "audio_end_ms", "content_index"),
    ),
    ev.PlaybackStarted: Saying(
        events=[STARTED, say(ev.PlaybackStarted, response_id="resp_a")], same=("response_id",)
    ),
    ev.PlaybackStopped: Saying(
        events=[STARTED, say(ev.PlaybackStopped, response_id="resp_a")], same=("response_id",)
    ),
    ev.PlaybackCleared: Saying(
        events=[STARTED, say(ev.PlaybackCleared, response_id="resp_a")], same=("response_id",)
    ),
}

CONCLUDED: set[type[Event]] = {
    ev.Noted,
    ev.Malformed,
    ev.HeardCorrected,
    ev.HistorySeeded,
    ev.InputPaused,
    ev.InputResumed,
}
"""
What a listener concludes from a frame or from what its application says, and no server says.
"""

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
