"""
From the wire: what each field of a server message means.

A message is one object with up to nine fields, one of which, ``serverContent``, has up to twelve of
its own. They are not alternatives: newer models send several in one frame, and none of them says
what it belongs to. So their order inside a frame is ours to choose, and it is the order of
:data:`FIELDS`:

1. What is about the connection, and the signs of the user's voice, for they precede any answer.
2. ``interrupted``, before all content, so that nothing stale of the same frame is delivered: the
   content that shares a frame with it belongs to the response that it cuts.
3. The user's words before the model's, for the model answers them. The model's sound before its
   transcript, its words before their sources, all content before ``generationComplete``.
4. Tool calls after what was said before them, then their cancellation.
5. The end of the turn, which closes what the fields before it opened, with the usage beside it.
6. ``goAway``, which cuts nothing short. Last, what we cannot name.

A field that is malformed is told as such and does not take the others with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from unirt import events as ev
from unirt.events import Ending
from unirt.usage import Usage
from unirt.value import Value
from unirt.wire import Wire, WireError
from unirt_google import parts
from unirt_google.dialogue import Dialogue
from unirt_google.parts import milliseconds, transcription_fields
from unirt_google.rows import Row
from unirt_google.spelling import spelled
from unirt_google.usage import usage_from_wire

__all__ = ["FIELDS", "REASONS", "hear"]


@attrs.frozen
class Frame(Value):
    """One server message, its names in one spelling."""

    top: Wire
    content: Wire


def hear(dialogue: Dialogue, message: Wire) -> None:
    """Compose what a server message says."""
    top = spelled(message)
    frame = Frame(top, _content(dialogue, top))
    fields = _fields(frame)
    if len(fields) > 1:
        fields.sort(key=lambda field: _RANKS.get(field[0], len(_RANKS)))
    dialogue.answer.begin_frame()
    for name, row, value in fields:
        try:
            if row is None:
                dialogue.composer.emit(ev.Unmapped, type=name, data=value)
            else:
                row.handler(dialogue, frame)
        except WireError as exc:
            dialogue.composer.emit(ev.Malformed, where=exc.path, what=exc.what)


def _fields(frame: Frame) -> list[tuple[str, Row[Frame] | None, Any]]:
    """The fields that are set: path, row and value."""
    fields = [
        (name, None if "." in name else FIELDS.get(name), value)
        for name, value in frame.top.data.items()
        if value is not None and name != "serverContent"
    ]
    for name, value in frame.content.data.items():
        if value is not None:
            path = f"serverContent.{name}"
            fields.append((path, FIELDS.get(path), value))
    return fields


def _content(dialogue: Dialogue, top: Wire) -> Wire:
    content = top.data.get("serverContent")
    if content is None:
        return _NOTHING
    try:
        return spelled(Wire(content, "$.serverContent"))
    except WireError as exc:
        dialogue.composer.emit(ev.Malformed, where=exc.path, what=exc.what)
        return _NOTHING


_NOTHING = Wire({})


# The connection.


def _setup_complete(dialogue: Dialogue, frame: Frame) -> None:
    wire = spelled(frame.top.obj("setupComplete"))
    session_id = wire.text_or("sessionId")
    composer = dialogue.composer
    if not composer.session_started(session_id=session_id, model=dialogue.asked_model):
        composer.noted("setupComplete", "the session had started")
    composer.emit(ev.SessionUpdated, synthesised=True)
    for key in wire.data:
        if key != "sessionId" and key in wire:
            composer.emit(ev.Unmapped, type=f"setupComplete.{key}", data=wire.data[key])
    dialogue.ready = True


def _resumption(dialogue: Dialogue, frame: Frame) -> None:
    wire = spelled(frame.top.obj("sessionResumptionUpdate"))
    handle = wire.text_or("newHandle") or None
    resumable = wire.flag("resumable") and handle is not None
    index = "lastConsumedClientMessageIndex"
    dialogue.composer.emit(
        ev.ResumptionUpdated,
        resumable=resumable,
        handle=handle if resumable else None,
        last_client_message=wire.count(index) if index in wire else None,
    )


def _go_away(dialogue: Dialogue, frame: Frame) -> None:
    left = milliseconds(spelled(frame.top.obj("goAway")), "timeLeft")
    dialogue.composer.emit(ev.SessionExpiring, time_left_ms=left or 0.0)


# The user.


def _voice_activity(dialogue: Dialogue, frame: Frame) -> None:
    wire = spelled(frame.top.obj("voiceActivity"))
    # The wire says `type`; the SDK's own class would say `voiceActivityType` (3.4.0, 2026-11).
    kind = wire.text_or("type") or wire.text_or("voiceActivityType")
    _activity(dialogue, "voiceActivity", kind, milliseconds(wire, "audioOffset"), wire)


def _vad_signal(dialogue: Dialogue, frame: Frame) -> None:
    wire = spelled(frame.top.obj("voiceActivityDetectionSignal"))
    kind = wire.text_or("vadSignalType")
    _activity(dialogue, "voiceActivityDetectionSignal", kind, None, wire)


def _activity(
    dialogue: Dialogue, name: str, kind: str | None, audio_ms: float | None, wire: Wire
) -> None:
    if kind in ("ACTIVITY_START", "VAD_SIGNAL_TYPE_SOS"):
        dialogue.user.speech_started(audio_ms)
    elif kind in ("ACTIVITY_END", "VAD_SIGNAL_TYPE_EOS"):
        dialogue.user.speech_stopped(audio_ms)
    else:
        dialogue.composer.emit(ev.Unmapped, type=name, data=wire.data)


def _input_transcription(dialogue: Dialogue, frame: Frame) -> None:
    wire = spelled(frame.content.obj("inputTranscription"))
    text, finished = wire.text_or("text") or "", wire.flag("finished")
    if not dialogue.user.transcript(text, finished=finished, **transcription_fields(wire)):
        dialogue.composer.noted("serverContent.inputTranscription", "no text")


def _interim_transcription(dialogue: Dialogue, frame: Frame) -> None:
    wire = spelled(frame.content.obj("interimInputTranscription"))
    text = wire.text_or("text")
    if text:
        dialogue.user.interim(text, wire.text_or("languageCode"))
    else:
        dialogue.composer.noted("serverContent.interimInputTranscription", "no text")


# The model.


def _interrupted(dialogue: Dialogue, frame: Frame) -> None:
    if frame.content.flag("interrupted"):
        dialogue.answer.interrupted()


def _model_turn(dialogue: Dialogue, frame: Frame) -> None:
    parts.model_turn(dialogue, frame.content.obj("modelTurn"))


def _output_transcription(dialogue: Dialogue, frame: Frame) -> None:
    parts.output_transcription(dialogue, frame.content.obj("outputTranscription"))


def _grounding(dialogue: Dialogue, frame: Frame) -> None:
    sources = frame.content.obj("groundingMetadata")
    parts.citations(dialogue, "groundingMetadata", sources.data)


def _url_context(dialogue: Dialogue, frame: Frame) -> None:
    sources = frame.content.obj("urlContextMetadata")
    parts.citations(dialogue, "urlContextMetadata", sources.data)


def _tool_call(dialogue: Dialogue, frame: Frame) -> None:
    wire = spelled(frame.top.obj("toolCall"))
    parts.function_calls(dialogue, wire.objs("functionCalls"))


def _tool_call_cancellation(dialogue: Dialogue, frame: Frame) -> None:
    call_ids = frame.top.obj("toolCallCancellation").texts("ids")
    if call_ids:
        dialogue.composer.cancel_calls(call_ids)


# The end of a turn.

_FILTERED = (Ending.INCOMPLETE, "content_filter")
_BROKEN = (Ending.FAILED, "model_error")

REASONS: Mapping[str, tuple[Ending, str | None]] = {
    "TURN_COMPLETE_REASON_UNSPECIFIED": (Ending.COMPLETE, None),
    "NEED_MORE_INPUT": (Ending.COMPLETE, None),
    "MALFORMED_FUNCTION_CALL": (Ending.FAILED, "malformed_call"),
    "RESPONSE_REJECTED": _BROKEN,
    "GENERATED_OTHER": _BROKEN,
    "INPUT_OTHER": _BROKEN,
    "MAX_REGENERATION_REACHED": _BROKEN,
    "PROHIBITED_INPUT_CONTENT": _FILTERED,
    "IMAGE_PROHIBITED_INPUT_CONTENT": _FILTERED,
    "INPUT_TEXT_CONTAIN_PROMINENT_PERSON_PROHIBITED": _FILTERED,
    "INPUT_IMAGE_CELEBRITY": _FILTERED,
    "INPUT_IMAGE_PHOTO_REALISTIC_CHILD_PROHIBITED": _FILTERED,
    "INPUT_TEXT_NCII_PROHIBITED": _FILTERED,
    "INPUT_IP_PROHIBITED": _FILTERED,
    "BLOCKLIST": _FILTERED,
    "UNSAFE_PROMPT_FOR_IMAGE_GENERATION": _FILTERED,
    "GENERATED_IMAGE_SAFETY": _FILTERED,
    "GENERATED_CONTENT_SAFETY": _FILTERED,
    "GENERATED_AUDIO_SAFETY": _FILTERED,
    "GENERATED_VIDEO_SAFETY": _FILTERED,
    "GENERATED_CONTENT_PROHIBITED": _FILTERED,
    "GENERATED_CONTENT_BLOCKLIST": _FILTERED,
    "GENERATED_IMAGE_PROHIBITED": _FILTERED,
    "GENERATED_IMAGE_CELEBRITY": _FILTERED,
    "GENERATED_IMAGE_PROMINENT_PEOPLE_DETECTED_BY_REWRITER": _FILTERED,
    "GENERATED_IMAGE_IDENTIFIABLE_PEOPLE": _FILTERED,
    "GENERATED_IMAGE_MINORS": _FILTERED,
    "OUTPUT_IMAGE_IP_PROHIBITED": _FILTERED,
}
"""
``google.genai.types.TurnCompleteReason`` (3.4.0, 2026-11), as canonical endings and reasons. One
that is not listed is a failure of the model's: it is told only when a turn ends abnormally.
"""

_STATUSES = {"IN_PROGRESS": "in_progress", "IDLE": "idle", "REQUIRES_ACTION": "idle"}
"""
``google.genai.types.InteractionStatus`` (3.4.0, 2026-11); REQUIRES_ACTION is an old name of IDLE.
Any other word is told in lower case.
"""


def _generation_complete(dialogue: Dialogue, frame: Frame) -> None:
    if frame.content.flag("generationComplete") and not dialogue.answer.generated():
        dialogue.composer.noted("serverContent.generationComplete", "nothing is being generated")


def _turn_complete(dialogue: Dialogue, frame: Frame) -> None:
    if not frame.content.flag("turnComplete"):
        return
    status = frame.content.text_or("interactionStatus")
    detail = frame.content.text_or("turnCompleteReason")
    waiting = frame.content.flag("waitingForInput") or detail == "NEED_MORE_INPUT"
    usage = _usage(dialogue, frame)
    answer = dialogue.answer
    if status == "IN_PROGRESS":
        answer.in_progress(usage)
        return
    ending, reason = (Ending.COMPLETE, None) if detail is None else REASONS.get(detail, _BROKEN)
    if waiting and dialogue.composer.active is None:
        answer.unanswered(usage)
    elif not answer.done(ending, reason, None if ending is Ending.COMPLETE else detail, usage):
        dialogue.composer.noted("serverContent.turnComplete", "no turn was to be answered")


def _reason(dialogue: Dialogue, frame: Frame) -> None:
    """The reason is the turn's, where one ends; alone it has no canonical meaning."""
    detail = frame.content.text_or("turnCompleteReason")
    if not frame.content.flag("turnComplete"):
        dialogue.composer.emit(ev.Unmapped, type="serverContent.turnCompleteReason", data=detail)
    elif detail == "NEED_MORE_INPUT" and not frame.content.flag("waitingForInput"):
        dialogue.composer.emit(ev.InteractionStatus, status="waiting")


def _waiting(dialogue: Dialogue, frame: Frame) -> None:
    if frame.content.flag("waitingForInput"):
        dialogue.composer.emit(ev.InteractionStatus, status="waiting")


def _interaction_status(dialogue: Dialogue, frame: Frame) -> None:
    status = frame.content.text("interactionStatus")
    if status == "INTERACTION_STATUS_UNSPECIFIED":
        dialogue.composer.noted("serverContent.interactionStatus", "no status")
        return
    told = _STATUSES.get(status, status.lower())
    if told == "idle" and not frame.content.flag("turnComplete"):
        dialogue.answer.idle()
    dialogue.composer.emit(ev.InteractionStatus, status=told)


def _usage_alone(dialogue: Dialogue, frame: Frame) -> None:
    if not frame.content.flag("turnComplete"):
        dialogue.answer.report(usage_from_wire(frame.top.obj("usageMetadata")))


def _usage(dialogue: Dialogue, frame: Frame) -> Usage | None:
    """The usage beside the end of a turn; what is wrong with it does not keep the turn open."""
    try:
        wire = frame.top.obj_or("usageMetadata")
        return None if wire is None else usage_from_wire(wire)
    except WireError as exc:
        dialogue.composer.emit(ev.Malformed, where=exc.path, what=exc.what)
        return None


FIELDS: Mapping[str, Row[Frame]] = {
    "setupComplete": Row(_setup_complete, (ev.SessionStarted, ev.SessionUpdated, ev.Unmapped)),
    "sessionResumptionUpdate": Row(_resumption, (ev.ResumptionUpdated,)),
    "voiceActivity": Row(_voice_activity, (ev.SpeechStarted, ev.SpeechStopped, ev.Unmapped)),
    "voiceActivityDetectionSignal": Row(
        _vad_signal, (ev.SpeechStarted, ev.SpeechStopped, ev.Unmapped)
    ),
    "serverContent.interrupted": Row(_interrupted, (ev.Interrupted,)),
    "serverContent.interimInputTranscription": Row(_interim_transcription, (ev.TranscriptInterim,)),
    "serverContent.inputTranscription": Row(_input_transcription, (ev.TranscriptDelta,)),
    "serverContent.modelTurn": Row(
        _model_turn,
        (*dict.fromkeys(event for row in parts.PARTS.values() for event in row.gives), ev.Unmapped),
    ),
    "serverContent.outputTranscription": Row(_output_transcription, (ev.TranscriptDelta,)),
    "serverContent.groundingMetadata": Row(_grounding, (ev.CitationsDelta, ev.Unmapped)),
    "serverContent.urlContextMetadata": Row(_url_context, (ev.CitationsDelta, ev.Unmapped)),
    "serverContent.generationComplete": Row(_generation_complete, (ev.GenerationDone,)),
    "toolCall": Row(_tool_call, (ev.ToolCall, ev.Unmapped)),
    "toolCallCancellation": Row(_tool_call_cancellation, (ev.ToolCallCancelled,)),
    "serverContent.turnComplete": Row(_turn_complete, (ev.ResponseDone, ev.UsageReported)),
    "usageMetadata": Row(_usage_alone, (ev.UsageReported,)),
    "serverContent.turnCompleteReason": Row(_reason, (ev.InteractionStatus, ev.Unmapped)),
    "serverContent.waitingForInput": Row(_waiting, (ev.InteractionStatus,)),
    "serverContent.interactionStatus": Row(_interaction_status, (ev.InteractionStatus,)),
    "goAway": Row(_go_away, (ev.SessionExpiring,)),
}
"""
Every field of ``google.genai.types.LiveServerMessage`` and ``LiveServerContent`` (3.4.0, 2026-11),
in the order in which a frame is read.
"""

_RANKS: Mapping[str, int] = {name: rank for rank, name in enumerate(FIELDS)}
