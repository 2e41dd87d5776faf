"""
What a server says for each canonical event: one row an event class.

Google's messages name neither responses nor items, so most of what events tell of those is not
said: a response begins with its first content, and ends with ``turnComplete``. Three habits of the
real servers are kept (recorded, and reported in public; 2026-11):

- **A tool round is one turn.** The Gemini API ends no turn while the model waits for a tool: the
  response that called sends no ``turnComplete``, and its usage is in the one of the response that
  goes on. Vertex AI ends it with an empty half-turn once the tool was answered.
- **An interruption ends the turn** without ``generationComplete``: ``interrupted``, then the
  cancellation of calls that were waited for, then ``turnComplete`` with the usage.
- **Transcripts are sent to those who asked**, and only Vertex AI says that one is finished.

Arguments of calls are sent whole, so their deltas are held back. Items, buffers, commits, quotas,
playback and acknowledged settings have no words on this wire, nor have errors: one that is fatal
closes the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pybase64

from unirt import events as ev
from unirt.events import Ending, Event, Severity, StreamKind
from unirt.usage import Usage
from unirt_google.server.parts import ServerTools, duration, nested, transcription
from unirt_google.server.state import PendingCall, ServerState
from unirt_google.usage import usage_to_wire

__all__ = ["Speaker"]

_REASONS = {
    "content_filter": "GENERATED_CONTENT_SAFETY",
    "malformed_call": "MALFORMED_FUNCTION_CALL",
    "needs_input": "NEED_MORE_INPUT",
    "max_output_tokens": None,
}
"Why a turn did not complete, in Google's words; there is no word for a limit of tokens."
_OTHER_REASON = "GENERATED_OTHER"
_STATUSES = {"in_progress": "IN_PROGRESS", "idle": "IDLE"}
_CLOSES = {"invalid_argument": 1007, "not_found": 1008, "permission_denied": 1008}
"Close codes by the code of a fatal error; the others are 1011, an internal error."
_WORDS = {StreamKind.TEXT, StreamKind.THOUGHT, StreamKind.TRANSCRIPT}


@attrs.define(eq=False)
class _Turn:
    """One response, as far as this wire has a notion of it."""

    id: str
    calls: list[PendingCall] = attrs.field(factory=list)
    usage: Usage | None = None
    "What it cost, where that was not said yet."
    generated: bool = False
    "``generationComplete`` was said, and nothing after it."
    interrupted: bool = False
    held: bool = False
    "It is done, and its ``turnComplete`` waits for a tool."

    @property
    def called(self) -> bool:
        """Whether it asked for tools that were not cancelled."""
        return any(not call.cancelled for call in self.calls)

    @property
    def waits(self) -> bool:
        return any(not call.settled for call in self.calls)


class Speaker:
    """Turns canonical events into server messages, which queue in the state."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._turn: _Turn | None = None
        self._over: str | None = None
        "The last response that was ended on the wire."
        self._said: dict[str, str] = {}
        "What was said of each open stream of words."
        self._tools = ServerTools()
        state.on_answered = self._answered
        self._rows: Mapping[type[Event], Callable[[Any], None]] = {
            ev.ResponseStarted: self._started,
            ev.GenerationDone: self._generation_done,
            ev.Interrupted: self._interrupted,
            ev.ResponseDone: self._done,
            ev.AudioDelta: self._audio,
            ev.TextDelta: self._words,
            ev.ThoughtDelta: self._words,
            ev.TranscriptDelta: self._words,
            ev.TranscriptInterim: self._interim,
            ev.ImageDelta: self._image,
            ev.CitationsDelta: self._citations,
            ev.ToolCall: self._called,
            ev.ToolCallCancelled: self._calls_cancelled,
            ev.ServerToolDelta: self._server_tool,
            ev.ServerToolResult: self._server_tool_result,
            ev.StreamClosed: self._closed,
            ev.SpeechStarted: self._speech,
            ev.SpeechStopped: self._speech,
            ev.InteractionStatus: self._status,
            ev.UsageReported: self._usage,
            ev.SessionExpiring: self._expiring,
            ev.ResumptionUpdated: self._resumption,
            ev.ProviderError: self._error,
            ev.SessionClosed: self._session_closed,
            ev.Unmapped: self._unmapped,
        }

    def say(self, event: Event) -> None:
        """Queue the messages of an event; none where the wire has no words for it."""
        row = self._rows.get(type(event))
        if row is not None:
            row(event)

    # Responses.

    def _started(self, event: ev.ResponseStarted) -> None:
        before = self._turn
        self._turn = _Turn(event.response_id)
        self._state.active = event.response_id
        if before is not None and before.held:
            self._turn.usage = before.usage
        elif before is not None:
            self._end(before)

    def _generation_done(self, event: ev.GenerationDone) -> None:
        if self._turn is not None:
            self._turn.generated = True
        self._content("generationComplete", True)

    def _interrupted(self, event: ev.Interrupted) -> None:
        turn = self._turn
        self._content("interrupted", True)
        if turn is None or turn.id != event.response_id:
            return
        turn.interrupted = True
        if turn.held and not turn.waits:
            self._end(turn)

    def _done(self, event: ev.ResponseDone) -> None:
        if event.response_id == self._over:
            return
        turn = self._turn
        if turn is None or turn.id != event.response_id:
            turn = self._turn = _Turn(event.response_id)
        if event.usage is not None:
            turn.usage = event.usage if turn.usage is None else turn.usage + event.usage
        cut = event.ending in (Ending.INTERRUPTED, Ending.CANCELLED)
        if cut and not turn.interrupted:
            turn.interrupted = True
            self._content("interrupted", True)
        if turn.called and event.ending is Ending.COMPLETE:
            turn.held = True
            self._state.active = None
            self._answered()
            return
        if event.ending is Ending.COMPLETE and not (turn.generated or turn.interrupted):
            self._content("generationComplete", True)
        self._end(turn, reason=_reason(event))

    def _answered(self) -> None:
        """The last tool was answered: on Vertex AI that ends the turn that called it."""
        turn = self._turn
        if turn is not None and turn.held and not turn.waits and self._state.vertex:
            if not turn.generated:
                self._content("generationComplete", True)
            self._end(turn)

    def _end(self, turn: _Turn, *, reason: str | None = None) -> None:
        """Say ``turnComplete``, with the usage beside it."""
        content: dict[str, Any] = {"turnComplete": True}
        if reason is not None:
            content["turnCompleteReason"] = reason
        if self._state.family.name == "3.8-extended-thinking":
            content["interactionStatus"] = "IDLE"
        if self._state.vertex:
            content["groundingMetadata"] = {}
        if turn.usage is None:
            self._state.say(serverContent=content)
        else:
            self._state.say(serverContent=content, usageMetadata=self._count(turn.usage))
        self._over = turn.id
        if self._turn is turn:
            self._turn = self._state.active = None

    # Content.

    def _audio(self, event: ev.AudioDelta) -> None:
        rate = event.format.rate
        silent_rate = self._state.vertex and rate == 24_000
        mime_type = "audio/pcm" if silent_rate else f"audio/pcm;rate={rate}"
        self._part(event, {"inlineData": _blob(mime_type, event.data)})

    def _image(self, event: ev.ImageDelta) -> None:
        self._part(event, {"inlineData": _blob(event.mime_type, event.data)})

    def _words(self, event: ev.TextDelta | ev.ThoughtDelta | ev.TranscriptDelta) -> None:
        key = event.stream.id
        self._said[key] = self._said.get(key, "") + event.text
        match event:
            case ev.ThoughtDelta():
                self._part(event, {"text": event.text, "thought": True})
            case ev.TranscriptDelta():
                self._transcript(event, transcription(event))
            case ev.TextDelta() if event.role != "user":
                self._part(event, {"text": event.text})

    def _interim(self, event: ev.TranscriptInterim) -> None:
        if self._state.asked_for("inputAudioTranscription"):
            self._content("interimInputTranscription", transcription(event))

    def _closed(self, event: ev.StreamClosed) -> None:
        """Words that the pieces left out, and on Vertex AI, that a transcript is finished."""
        said = self._said.pop(event.stream.id, "")
        self._tools.forget(event.stream.id)
        if event.kind not in _WORDS:
            return
        if event.text is not None and said and event.text != said and event.text.startswith(said):
            self._rest(event, event.text[len(said) :])
        complete = event.ending is Ending.COMPLETE
        if event.kind is StreamKind.TRANSCRIPT and self._state.vertex and complete:
            self._transcript(event, {"finished": True})

    def _rest(self, event: ev.StreamClosed, text: str) -> None:
        if event.kind is StreamKind.TRANSCRIPT:
            self._transcript(event, {"text": text})
        elif event.role != "user":
            thought = {"thought": True} if event.kind is StreamKind.THOUGHT else {}
            self._part(event, {"text": text, **thought})

    def _transcript(self, event: ev.ContentEvent, wire: Mapping[str, Any]) -> None:
        side = "input" if event.role == "user" else "output"
        if self._state.asked_for(f"{side}AudioTranscription"):
            if side == "output":
                self._flows(event)
            self._content(f"{side}Transcription", wire)

    def _citations(self, event: ev.CitationsDelta) -> None:
        self._flows(event)
        key = "urlContextMetadata" if "urlMetadata" in event.data else "groundingMetadata"
        self._content(key, dict(event.data))

    def _part(self, event: ev.ContentEvent, part: Mapping[str, Any]) -> None:
        self._flows(event)
        role = {"role": "model"} if self._state.vertex else {}
        self._content("modelTurn", {**role, "parts": [part]})

    def _flows(self, event: ev.ContentEvent) -> None:
        """Content of a response goes out; it is begun where nobody said so."""
        if self._turn is None and event.response_id is not None:
            self._turn = _Turn(event.response_id)
            self._state.active = event.response_id
        if self._turn is not None:
            self._turn.generated = False

    def _content(self, key: str, value: Any) -> None:
        frames = self._state.frames
        if self._state.bundle and frames and key in _BUNDLED:
            last = frames[-1].get("serverContent")
            if last and len(frames[-1]) == 1 and key not in last and _BUNDLED.issuperset(last):
                last[key] = value
                return
        self._state.say(serverContent={key: value})

    # Tools.

    def _called(self, event: ev.ToolCall) -> None:
        self._flows(event)
        call = self._state.called(event.call_id or self._state.mint("call"), event.name)
        if self._turn is not None:
            self._turn.calls.append(call)
        wire = {"id": call.id, "name": event.name, "args": dict(event.args or {})}
        self._state.say(toolCall={"functionCalls": [wire]})

    def _calls_cancelled(self, event: ev.ToolCallCancelled) -> None:
        for call_id in event.call_ids:
            if (call := self._state.calls.get(call_id)) is not None:
                call.settled = call.cancelled = True
        self._state.say(toolCallCancellation={"ids": list(event.call_ids)})
        turn = self._turn
        if turn is not None and turn.held and turn.interrupted and not turn.waits:
            self._end(turn)

    def _server_tool(self, event: ev.ServerToolDelta) -> None:
        for part in self._tools.grow(event):
            self._part(event, part)

    def _server_tool_result(self, event: ev.ServerToolResult) -> None:
        for part in self._tools.finish(event):
            self._part(event, part)

    # The user, the session, and the rest.

    def _speech(self, event: ev.SpeechStarted | ev.SpeechStopped) -> None:
        """Voice activity, by the models that tell it or where Vertex AI was asked to."""
        starts = isinstance(event, ev.SpeechStarted)
        if self._state.family.voice_activity:
            activity = {"type": "ACTIVITY_START" if starts else "ACTIVITY_END"}
            if event.audio_ms is not None:
                activity["audioOffset"] = duration(event.audio_ms)
            self._state.say(voiceActivity=activity)
        if self._state.vertex and self._state.asked_for("explicitVadSignal"):
            signal = "VAD_SIGNAL_TYPE_SOS" if starts else "VAD_SIGNAL_TYPE_EOS"
            self._state.say(voiceActivityDetectionSignal={"vadSignalType": signal})

    def _status(self, event: ev.InteractionStatus) -> None:
        if event.status == "waiting":
            content: dict[str, Any] = {
                "turnComplete": True,
                "turnCompleteReason": "NEED_MORE_INPUT",
                "waitingForInput": True,
            }
        elif event.status == "in_progress":
            content = {"turnComplete": True, "interactionStatus": "IN_PROGRESS"}
        else:
            content = {"interactionStatus": _STATUSES.get(event.status, event.status)}
        self._state.say(serverContent=content)

    def _usage(self, event: ev.UsageReported) -> None:
        if event.scope == "response" and event.usage is not None:
            self._state.say(usageMetadata=self._count(event.usage))

    def _count(self, usage: Usage) -> dict[str, Any]:
        return usage_to_wire(usage, "vertex" if self._state.vertex else "gemini")

    def _expiring(self, event: ev.SessionExpiring) -> None:
        self._state.say(goAway={"timeLeft": duration(event.time_left_ms)})

    def _resumption(self, event: ev.ResumptionUpdated) -> None:
        update: dict[str, Any] = {"newHandle": event.handle or "", "resumable": event.resumable}
        if event.last_client_message is not None:
            update["lastConsumedClientMessageIndex"] = str(event.last_client_message)
        self._state.say(sessionResumptionUpdate=update)

    def _error(self, event: ev.ProviderError) -> None:
        if event.severity is Severity.FATAL:
            self._state.hang_up(_CLOSES.get((event.code or "").lower(), 1011), event.message)

    def _session_closed(self, event: ev.SessionClosed) -> None:
        self._state.hang_up(event.code or 1000, event.reason)

    def _unmapped(self, event: ev.Unmapped) -> None:
        """A message in Google's own words, or a field of one, put back where it was."""
        if (message := nested(event.type, event.data)) is not None:
            self._state.say(**message)


_BUNDLED = frozenset({"modelTurn", "outputTranscription"})
"What newer models send in one frame."


def _blob(mime_type: str, data: bytes) -> dict[str, str]:
    return {"mimeType": mime_type, "data": pybase64.b64encode(data).decode("ascii")}


def _reason(event: ev.ResponseDone) -> str | None:
    if event.ending not in (Ending.FAILED, Ending.INCOMPLETE):
        return None
    if event.detail is not None and event.detail.isupper() and " " not in event.detail:
        return event.detail
    return _REASONS.get(event.reason or "", _OTHER_REASON)
