"""
Server events about the user: the input buffer, voice activity, and what was understood.

Everything of the user's carries an item id from the first sign on: ``speech_started`` names the
item that the words will become. So all of it finds its turn, in whatever order it comes, and a
transcript usually does not come where one would look for it: it streams before the speech is over,
or ends after the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt import events as ev
from unirt.events import Ending, StreamKind
from unirt.wire import Wire
from unirt_openai import floor
from unirt_openai.inbound.rows import Row
from unirt_openai.names import remember
from unirt_openai.state import State
from unirt_openai.usage import read_transcription_usage

__all__ = ["ROWS"]


# The buffer and voice activity.


def _speech_started(state: State, wire: Wire) -> None:
    audio_ms = wire.number_or("audio_start_ms")
    item_id = _new_user_item(state, wire)
    turn_id = state.composer.turn(item_id)
    state.composer.emit(ev.SpeechStarted, audio_ms=audio_ms, item_id=item_id, turn_id=turn_id)
    floor.barge_in(state)


def _speech_stopped(state: State, wire: Wire) -> None:
    audio_ms = wire.number_or("audio_end_ms")
    item_id = state.user_item_of(wire)
    turn_id = state.composer.turn(item_id)
    state.composer.emit(ev.SpeechStopped, audio_ms=audio_ms, item_id=item_id, turn_id=turn_id)


def _committed(state: State, wire: Wire) -> None:
    previous = wire.text_or("previous_item_id")
    item_id = _new_user_item(state, wire)
    turn_id = state.composer.turn(item_id)
    state.composer.emit(
        ev.InputCommitted,
        previous_item_id=previous and state.names.of(previous),
        item_id=item_id,
        turn_id=turn_id,
    )


def _new_user_item(state: State, wire: Wire) -> str:
    """The item that the frame names; a new one where it names none and no turn is open."""
    if not state.composer.turn_is_open:
        state.user_item = None
    return state.user_item_of(wire, new=True)


def _cleared(state: State, _wire: Wire) -> None:
    if state.media is not None:
        state.media.cleared()
    state.composer.emit(ev.InputCleared)


def _timeout(state: State, wire: Wire) -> None:
    fields: dict[str, Any] = {
        "start_ms": wire.number_or("audio_start_ms"),
        "end_ms": wire.number_or("audio_end_ms"),
    }
    item_id = _new_user_item(state, wire)
    turn_id = state.composer.turn(item_id)
    state.composer.emit(ev.InputTimeout, item_id=item_id, turn_id=turn_id, **fields)


def _dtmf(state: State, wire: Wire) -> None:
    state.composer.emit(
        ev.DtmfReceived,
        key=wire.text_or("event") or "",
        at_unix_s=wire.number_or("received_at"),
    )


# Transcripts.


def _transcript_delta(state: State, wire: Wire) -> None:
    text = wire.text_or("delta")
    index = wire.count("content_index")
    if not text:
        state.composer.noted(_type(wire), "an empty piece")
        return
    item_id = state.user_item_of(wire)
    remember(state.heard, item_id, None)
    state.composer.user_text(StreamKind.TRANSCRIPT, item_id, index, text)


def _transcript_updated(state: State, wire: Wire) -> None:
    # Only in the xAI dialect: the whole transcript so far, which the next one may correct.
    text = wire.text_or("transcript") or ""
    index = wire.count("content_index")
    item_id = state.user_item_of(wire)
    state.composer.user_interim(item_id, index, text, _language(wire))


def _transcript_completed(state: State, wire: Wire) -> None:
    # The xAI dialect sends guesses by this name too, and says so in `status`
    # (github.com/livekit/agents/issues/6271, 2026-11).
    if wire.text_or("status") == "in_progress":
        _transcript_updated(state, wire)
        return
    text = wire.text_or("transcript") or ""
    index = wire.count("content_index")
    language = _language(wire)
    told = wire.obj_or("usage")
    usage = None if told is None else read_transcription_usage(told)
    composer = state.composer
    item_id = state.user_item_of(wire)
    if text and language is not None and item_id not in state.heard:
        remember(state.heard, item_id, None)
        composer.user_text(StreamKind.TRANSCRIPT, item_id, index, text, language=language)
    if not composer.user_finish(StreamKind.TRANSCRIPT, item_id, index, text=text):
        why = "this transcript was told before" if text else "no words were understood"
        composer.noted(_type(wire), why, **state.ids_of_item(item_id))
    if usage is not None:
        composer.emit(
            ev.UsageReported,
            scope="transcription",
            usage=usage[0],
            duration_ms=usage[1],
            model=state.transcriber,
            **state.ids_of_item(item_id),
        )


def _language(wire: Wire) -> str | None:
    codes = [code for entry in wire.objs("languages") if (code := entry.text_or("code"))]
    return ", ".join(codes) or wire.text_or("language")


def _transcript_segment(state: State, wire: Wire) -> None:
    text = wire.text_or("text") or ""
    index = wire.count("content_index")
    start, end = wire.number_or("start"), wire.number_or("end")
    fields = {"segment_id": wire.text_or("id"), "speaker": wire.text_or("speaker")}
    state.composer.user_segment(
        state.user_item_of(wire),
        index,
        text,
        start_ms=None if start is None else start * 1000,
        end_ms=None if end is None else end * 1000,
        **fields,
    )


def _transcript_failed(state: State, wire: Wire) -> None:
    error = wire.obj_or("error") or Wire({}, "$.error")
    index = wire.count("content_index")
    message = error.text_or("message") or "no message"
    code = error.text_or("code") or error.text_or("type")
    item_id = state.user_item_of(wire)
    state.composer.emit(
        ev.TranscriptionFailed,
        message=message,
        code=code,
        item_id=item_id,
        turn_id=state.composer.turn(item_id),
    )
    state.composer.user_finish(
        StreamKind.TRANSCRIPT, item_id, index, ending=Ending.FAILED, reason="model_error"
    )


def _type(wire: Wire) -> str:
    return str(wire.data.get("type"))


_TRANSCRIPTION = "conversation.item.input_audio_transcription"

ROWS: Mapping[str, Row] = {
    "input_audio_buffer.speech_started": Row(
        _speech_started, (ev.SpeechStarted, ev.Interrupted, ev.ToolCallCancelled)
    ),
    "input_audio_buffer.speech_stopped": Row(_speech_stopped, (ev.SpeechStopped,)),
    "input_audio_buffer.committed": Row(_committed, (ev.InputCommitted,)),
    "input_audio_buffer.cleared": Row(_cleared, (ev.InputCleared,)),
    "input_audio_buffer.timeout_triggered": Row(_timeout, (ev.InputTimeout,)),
    "input_audio_buffer.dtmf_event_received": Row(_dtmf, (ev.DtmfReceived,)),
    f"{_TRANSCRIPTION}.delta": Row(_transcript_delta, (ev.TranscriptDelta,)),
    f"{_TRANSCRIPTION}.updated": Row(_transcript_updated, (ev.TranscriptInterim,)),
    f"{_TRANSCRIPTION}.completed": Row(
        _transcript_completed, (ev.StreamClosed, ev.TranscriptInterim, ev.UsageReported)
    ),
    f"{_TRANSCRIPTION}.segment": Row(_transcript_segment, (ev.TranscriptSegment,)),
    f"{_TRANSCRIPTION}.failed": Row(_transcript_failed, (ev.TranscriptionFailed, ev.StreamClosed)),
}
