"""
The user's side of OpenAI's wire, said by a server: speech, commits, and transcripts.

Two parties may commit audio. Where the server detects the turns, an ``InputCommitted`` event does;
where the client does it by ``input_audio_buffer.commit``, the server answers at once, because a
real one does, and the item's id is its own. Events about that turn come later and name it as their
author pleases; the first name that is not known claims the item (:func:`item_of`).
"""

from __future__ import annotations

import math
from typing import Any

import attrs

from unirt import events as ev
from unirt.events import Ending
from unirt_openai.server.state import ServerState, oldest_dropped
from unirt_openai.usage import write_usage

__all__ = ["InputSide", "item_of"]


def item_of(state: ServerState, name: str | None) -> str:
    """The id on the wire of the user item that an event names, or leaves unnamed."""
    buffer = state.buffer
    if name is None:
        return buffer.unclaimed or buffer.item_id or _begin(state)
    if name in buffer.aliases:
        return buffer.aliases[name]
    if name in state.conversation or name == buffer.item_id or buffer.unclaimed is None:
        return name
    buffer.aliases[name], buffer.unclaimed = buffer.unclaimed, None
    oldest_dropped(buffer.aliases)
    return buffer.aliases[name]


def _begin(state: ServerState) -> str:
    state.buffer.item_id = state.mint("item")
    return state.buffer.item_id


@attrs.define(eq=False)
class _Transcript:
    """The transcript of one part of one item, while it grows."""

    texts: list[str] = attrs.field(factory=list)
    language: str | None = None
    over: bool = False


class InputSide:
    """Turns events about the user into frames, and commits what the client commits."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._transcripts: dict[str, _Transcript] = {}
        self._started_ms: dict[str, float] = {}
        self._spoken_ms: dict[str, float] = {}
        self._usage: dict[str, Any] | None = None

    # The audio buffer.

    def commit_by_client(self) -> None:
        """Make the buffer an item, as the client asked."""
        state, buffer = self._state, self._state.buffer
        item_id = buffer.item_id or state.mint("item")
        self._spoken(item_id, state.input_format.duration_ms(buffer.size))
        self._commit(item_id, None)
        buffer.unclaimed = item_id

    def committed(self, event: ev.InputCommitted) -> None:
        state = self._state
        item_id = item_of(state, event.item_id)
        if item_id not in state.conversation:
            previous = event.previous_item_id
            self._commit(item_id, previous if previous in state.conversation else None)

    def _commit(self, item_id: str, previous: str | None) -> None:
        state = self._state
        state.buffer.size, state.buffer.item_id = 0, None
        state.say(
            "input_audio_buffer.committed",
            previous_item_id=previous or state.conversation.last_id,
            item_id=item_id,
        )
        state.add_item(
            {
                "id": item_id,
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_audio", "transcript": None}],
            },
            previous,
        )

    def speech_started(self, event: ev.SpeechStarted) -> None:
        buffer = self._state.buffer
        buffer.item_id = event.item_id or buffer.item_id or self._state.mint("item")
        buffer.unclaimed = None
        at = self._offset(event.audio_ms)
        self._started_ms[buffer.item_id] = at
        oldest_dropped(self._started_ms)
        self._state.say(
            "input_audio_buffer.speech_started", audio_start_ms=round(at), item_id=buffer.item_id
        )

    def speech_stopped(self, event: ev.SpeechStopped) -> None:
        item_id = item_of(self._state, event.item_id)
        at = self._offset(event.audio_ms)
        self._spoken(item_id, max(0.0, at - self._started_ms.get(item_id, at)))
        self._state.say(
            "input_audio_buffer.speech_stopped", audio_end_ms=round(at), item_id=item_id
        )

    def _spoken(self, item_id: str, ms: float) -> None:
        self._spoken_ms[item_id] = ms
        oldest_dropped(self._spoken_ms)

    def timed_out(self, event: ev.InputTimeout) -> None:
        self._state.say(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=round(event.start_ms or 0),
            audio_end_ms=round(self._offset(event.end_ms)),
            item_id=event.item_id or _begin(self._state),
        )

    def _offset(self, told: float | None) -> float:
        return (
            self._state.input_format.duration_ms(self._state.buffer.total) if told is None else told
        )

    # Transcripts of what the user said. The words a user typed need none: their item held them.

    def transcript(self, event: ev.TranscriptDelta) -> None:
        if not self._state.transcribes:
            return
        entry = self._entry(event)
        entry.texts.append(event.text)
        entry.language = event.language or entry.language
        self._state.say(_TRANSCRIPTION + "delta", **self._place(event), delta=event.text)

    def segment(self, event: ev.TranscriptSegment) -> None:
        if not self._state.transcribes:
            return
        self._state.say(
            _TRANSCRIPTION + "segment",
            **self._place(event),
            id=event.segment_id or self._state.mint("seg"),
            text=event.text,
            speaker=event.speaker or "",
            start=(event.start_ms or 0.0) / 1000,
            end=(event.end_ms or 0.0) / 1000,
        )

    def transcript_closed(self, event: ev.StreamClosed) -> None:
        entry = self._entry(event)
        if entry.over or not self._state.transcribes:
            return
        if event.ending is Ending.FAILED:
            self._fail(entry, self._place(event), "The transcription failed.", event.reason)
        elif event.ending is Ending.COMPLETE:
            entry.over = True
            text = "".join(entry.texts).strip() if event.text is None else event.text
            usage, self._usage = self._usage, None
            said = {"languages": [{"code": entry.language}]} if entry.language else {}
            self._state.say(
                _TRANSCRIPTION + "completed",
                **self._place(event),
                transcript=text,
                usage=usage or self._duration(event.item_id),
                **said,
            )
        entry.texts.clear()

    def transcription_failed(self, event: ev.TranscriptionFailed) -> None:
        item_id = item_of(self._state, event.item_id)
        entry = self._transcripts.setdefault(f"{item_id}.0", _Transcript())
        if not entry.over:
            place = {"item_id": item_id, "content_index": 0}
            self._fail(entry, place, event.message, event.code)

    def usage_reported(self, event: ev.UsageReported) -> None:
        """Keep it: on this wire it travels with the transcript that completes next."""
        if event.scope != "transcription":
            return
        if event.usage is None:
            self._usage = {"type": "duration", "seconds": (event.duration_ms or 0.0) / 1000}
            return
        written = write_usage(event.usage)
        details = written["input_token_details"]
        self._usage = {
            "type": "tokens",
            **{key: written[key] for key in ("total_tokens", "input_tokens", "output_tokens")},
            "input_token_details": {key: details[key] for key in ("text_tokens", "audio_tokens")},
        }

    def _fail(
        self, entry: _Transcript, place: dict[str, Any], message: str, code: str | None
    ) -> None:
        entry.over = True
        error = {"type": "transcription_error", "code": code, "message": message, "param": None}
        self._state.say(_TRANSCRIPTION + "failed", **place, error=error)

    def _entry(self, event: ev.ContentEvent) -> _Transcript:
        place = self._place(event)
        key = f"{place['item_id']}.{place['content_index']}"
        entry = self._transcripts.setdefault(key, _Transcript())
        oldest_dropped(self._transcripts)
        return entry

    def _place(self, event: ev.ContentEvent) -> dict[str, Any]:
        return {
            "item_id": item_of(self._state, event.item_id),
            "content_index": event.stream.index,
        }

    def _duration(self, item_id: str | None) -> dict[str, Any]:
        spoken = self._spoken_ms.get(item_of(self._state, item_id), 0.0)
        return {"type": "duration", "seconds": math.ceil(spoken / 1000)}


_TRANSCRIPTION = "conversation.item.input_audio_transcription."
