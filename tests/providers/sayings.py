"""
What a server can say: every kind of event, with the events that make a server say it.

:data:`SAYINGS` lists every event class, but for those that a listener concludes.
"""

from __future__ import annotations

from typing import Any

import attrs

import unirt.events as ev
from unirt import PCM16_24K
from unirt.events import Ending, Event, Origin, StreamKind
from unirt.items import Item, ItemKind, Role, TextContent
from unirt.usage import Tokens, Usage

__all__ = [
    "BARGE_IN",
    "CALLED",
    "CONCLUDED",
    "IDS",
    "SAYINGS",
    "SPOKEN",
    "STARTED",
    "TALKED",
    "USAGE",
    "VOICE",
    "WRITING",
    "say",
]

ORIGIN = Origin(provider="test")
IDS: dict[str, Any] = {"response_id": "resp_a", "turn_id": "turn_a"}
SOUND = bytes(range(240)) * 20
USAGE = Usage(
    input=Tokens(text=10, audio=20),
    cached=Tokens(text=4),
    output=Tokens(text=3, audio=30),
    thinking=5,
)


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
