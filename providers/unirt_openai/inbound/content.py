"""
Server events with a response's content: parts, their deltas, and where the audio is played.

A content part is one kind of content, or two: a spoken part is audio and its transcript side by
side. Parts are announced before their deltas, but not everywhere: in dialects, and in a recording
that starts in the middle, the first delta announces the stream.
What comes for a response that was interrupted is told as discarded, by the composer.

The ``done`` of a kind says its final text and not how it ended: it also comes when a response fails
or is cancelled (openai 3.54.0, docstrings of ``ResponseAudioDoneEvent`` and its siblings, 2026-11).
So streams close with their item, whose status says it.
"""

from __future__ import annotations

from collections.abc import Mapping

from unirt import events as ev
from unirt.composer import Response
from unirt.events import StreamKind
from unirt.wire import Wire, decode_audio
from unirt_openai import media
from unirt_openai.inbound.rows import Handler, Row
from unirt_openai.names import remember
from unirt_openai.speaking import Speaking
from unirt_openai.state import State, ids_of

__all__ = ["PARTS", "ROWS"]

PARTS: Mapping[str, tuple[StreamKind, ...]] = {
    "text": (StreamKind.TEXT,),
    "output_text": (StreamKind.TEXT,),
    "audio": (StreamKind.AUDIO, StreamKind.TRANSCRIPT),
    "output_audio": (StreamKind.AUDIO, StreamKind.TRANSCRIPT),
}
"""
What a part holds, by its type. ``content_part.*`` say it without ``output_``, items with it
(recorded sessions, 2026-11).
"""

_ONE_SOUND = "which item is heard is not told: all sound counts as the answer's first item's"

_WORDS = {StreamKind.TEXT: "text", StreamKind.TRANSCRIPT: "transcript"}
"Where a part, and the ``done`` of a kind, hold the whole text."


def _part_added(state: State, wire: Wire) -> None:
    part, index = wire.obj("part"), wire.count("content_index")
    kinds = PARTS.get(part.text_or("type") or "")
    response = state.response_of(wire)
    item_id = state.item_of(wire, response)
    if kinds is None:
        _unmapped(state, wire, part, response, item_id)
        return
    for kind in kinds:
        _open(state, response, kind, item_id, index, synthesised=False)
    if state.media is not None and len(response.spoken) > 1 and StreamKind.AUDIO in kinds:
        state.composer.noted(
            str(wire.data["type"]), _ONE_SOUND, item_id=item_id, **ids_of(response)
        )


def _part_done(state: State, wire: Wire) -> None:
    part, index = wire.obj("part"), wire.count("content_index")
    kinds = PARTS.get(part.text_or("type") or "")
    texts = {kind: part.text_or(key) for kind, key in _WORDS.items()}
    response = state.response_of(wire)
    item_id = state.item_of(wire, response)
    if kinds is None:
        _unmapped(state, wire, part, response, item_id)
        return
    for kind in kinds:
        state.composer.settle(response, kind, item_id, index, text=texts.get(kind))


def _unmapped(state: State, wire: Wire, part: Wire, response: Response, item_id: str) -> None:
    type_ = f"{wire.data.get('type')}.part"
    state.composer.emit(
        ev.Unmapped, type=type_, data=part.data, item_id=item_id, **ids_of(response)
    )


def _audio_delta(state: State, wire: Wire) -> None:
    data = decode_audio(wire.text("delta"), "$.delta")
    index = wire.count("content_index")
    response = state.response_of(wire)
    item_id = state.item_of(wire, response)
    if not data:
        _empty(state, wire, response, item_id)
        return
    _open(state, response, StreamKind.AUDIO, item_id, index)
    format_ = state.formats.get(response.id)
    if format_ is None:
        format_ = state.output_format
        remember(state.formats, response.id, format_)
    entry = state.composer.audio(response, item_id, index, data, format_)
    if entry is not None:
        named = wire.text_or("item_id") or item_id
        state.speaking = Speaking(
            response=response, entry=entry, format=format_, item_id=named, index=index
        )


def _text_delta(kind: StreamKind) -> Handler:
    def handle(state: State, wire: Wire) -> None:
        text = wire.text("delta")
        index = wire.count("content_index")
        response = state.response_of(wire)
        item_id = state.item_of(wire, response)
        if not text:
            _empty(state, wire, response, item_id)
            return
        _open(state, response, kind, item_id, index)
        entry = state.composer.text(response, kind, item_id, index, text)
        speaking = state.speaking
        if speaking is not None and kind is StreamKind.TRANSCRIPT:
            same = (item_id, index, response) == (
                speaking.entry.stream.item_id,
                speaking.index,
                speaking.response,
            )
            speaking.words = entry if same else None

    return handle


def _done(kind: StreamKind) -> Handler:
    def handle(state: State, wire: Wire) -> None:
        text = wire.text_or(_WORDS[kind]) if kind in _WORDS else None
        index = wire.count("content_index")
        response = state.response_of(wire)
        item_id = state.item_of(wire, response)
        state.composer.settle(response, kind, item_id, index, text=text)

    return handle


def _open(
    state: State,
    response: Response,
    kind: StreamKind,
    item_id: str,
    index: int,
    *,
    synthesised: bool = True,
) -> None:
    """Announce a stream, where that was not done, with what its item says of it."""
    if (item_id, index, kind) in response.streams:
        return
    output = state.output(item_id, response.id)
    if kind is StreamKind.AUDIO:
        output.audio_index = index
    state.composer.open(response, kind, item_id, index, synthesised=synthesised, phase=output.phase)


def _empty(state: State, wire: Wire, response: Response, item_id: str) -> None:
    type_ = str(wire.data.get("type"))
    state.composer.noted(type_, "an empty piece", item_id=item_id, **ids_of(response))


# Playback, where the provider owns it: WebRTC and telephone calls.


def _playback(event: type[ev.ControlEvent], what: str) -> Handler:
    def handle(state: State, wire: Wire) -> None:
        response_id = wire.text_or("response_id")
        response = state.composer.response_named(response_id) if response_id else None
        state.composer.emit(event, **(state.ids_of_response(response_id) if response_id else {}))
        if response is not None:
            response.sounding = what == "started"
        if state.media is not None:
            media.played(state, state.media, response, what)
        if event is not ev.PlaybackCleared:
            return
        if response is None and not response_id:
            response = state.composer.active or state.composer.latest
        if response is not None:
            by = "client" if response.id in state.cancelled else "speech"
            state.composer.interrupt(response, by=by, synthesised=True, said=True)

    return handle


_AUDIO = Row(_audio_delta, (ev.AudioDelta, ev.StreamOpened, ev.ContentDiscarded))
_AUDIO_DONE = Row(_done(StreamKind.AUDIO), (ev.Noted,))
_TEXT = Row(_text_delta(StreamKind.TEXT), (ev.TextDelta, ev.StreamOpened, ev.ContentDiscarded))
_TEXT_DONE = Row(_done(StreamKind.TEXT), (ev.Noted, ev.TextDelta))
_TRANSCRIPT = Row(
    _text_delta(StreamKind.TRANSCRIPT), (ev.TranscriptDelta, ev.StreamOpened, ev.ContentDiscarded)
)
_TRANSCRIPT_DONE = Row(_done(StreamKind.TRANSCRIPT), (ev.Noted, ev.TranscriptDelta))

ROWS: Mapping[str, Row] = {
    "response.content_part.added": Row(_part_added, (ev.StreamOpened,)),
    "response.content_part.done": Row(
        _part_done, (ev.Noted, ev.TextDelta, ev.TranscriptDelta, ev.StreamOpened)
    ),
    "response.output_audio.delta": _AUDIO,
    "response.audio.delta": _AUDIO,
    "response.output_audio.done": _AUDIO_DONE,
    "response.audio.done": _AUDIO_DONE,
    "response.output_text.delta": _TEXT,
    "response.text.delta": _TEXT,
    "response.output_text.done": _TEXT_DONE,
    "response.text.done": _TEXT_DONE,
    "response.output_audio_transcript.delta": _TRANSCRIPT,
    "response.audio_transcript.delta": _TRANSCRIPT,
    "response.output_audio_transcript.done": _TRANSCRIPT_DONE,
    "response.audio_transcript.done": _TRANSCRIPT_DONE,
    "output_audio_buffer.started": Row(
        _playback(ev.PlaybackStarted, "started"), (ev.PlaybackStarted,)
    ),
    "output_audio_buffer.stopped": Row(
        _playback(ev.PlaybackStopped, "stopped"), (ev.PlaybackStopped,)
    ),
    "output_audio_buffer.cleared": Row(
        _playback(ev.PlaybackCleared, "cleared"), (ev.PlaybackCleared, ev.Interrupted)
    ),
}
