"""
What OpenAI Realtime can do, as facts with sources.

Three tables: settings by their path in :class:`~unirt.config.SessionConfig`, verbs by the name of
their command, and events by whether they will be seen. A model family differs from the newest one
by the few rows in :data:`WITHOUT_REASONING` and :data:`WITHOUT_IMAGES`.

Sources, all read in 2026-11: ``SDK`` is the package ``openai`` 3.54.0, ``openai.types.realtime``;
``GUIDE`` is developers.openai.com/api/docs/guides/realtime-conversations; ``VAD`` is
developers.openai.com/api/docs/guides/realtime-vad; ``WIRE`` are recorded sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from unirt import commands as cmd
from unirt import events as ev
from unirt.audio import G711_ALAW, G711_ULAW, PCM16_24K
from unirt.capabilities import (
    LOCAL_VAD,
    Capabilities,
    Change,
    Changing,
    Emission,
    Emits,
    Fact,
    Support,
)
from unirt.config import SessionConfig

__all__ = [
    "CHANGES",
    "DEFAULT_MODEL",
    "EPHEMERAL",
    "FREE_FORM",
    "MAX_SESSION_MS",
    "PROVIDER_NAME",
    "TRANSCRIBER",
    "TRANSCRIBERS",
    "TRANSCRIBERS_FOR",
    "VOICE_AFTER_AUDIO",
    "capabilities",
]

PROVIDER_NAME = "openai"
DEFAULT_MODEL = "gpt-realtime-2.1"
"The newest model that the SDK lists without a shutdown date (SDK, 2026-11)."
EPHEMERAL = "ek_"
"How a client secret begins, which holds a configuration."
FREE_FORM = frozenset({"metadata", "parameters", "variables"})
"Fields whose content has names of its own; arguments and results are texts here."

MAX_SESSION_MS = 60 * 60 * 1000
"""
How long a session may last: 60 minutes, then the server closes with 1001
(developers.openai.com/api/docs/guides/realtime-conversations; the close code as reported in
github.com/livekit/agents/issues/2358; 2026-11).
"""

TRANSCRIBER = "gpt-realtime-whisper"
"Transcribes unless told otherwise: streams, and runs beside server VAD (WIRE, 2026-11)."

TRANSCRIBERS = (
    "gpt-realtime-whisper",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
    "whisper-1",
)
"The transcription models that the facts below are about (SDK ``AudioTranscription.model``)."

TRANSCRIBERS_FOR: Mapping[str, tuple[str, ...]] = {
    "vocabulary": ("gpt-transcribe", "gpt-live-transcribe"),
    "prompt": tuple(model for model in TRANSCRIBERS[1:] if model != "gpt-4o-transcribe-diarize"),
    "speakers": ("gpt-4o-transcribe-diarize",),
}
"""
Which transcription models take a setting of :class:`~unirt.config.Transcription`; the first is used
where no model is named (SDK ``AudioTranscription``, fields ``keywords``, ``prompt``, ``model``).
A model that is not among :data:`TRANSCRIBERS` is newer than these facts and is not judged.
"""

_SDK = "openai 3.54.0, types/realtime/realtime_session_create_request.py, 2026-11"
_GUIDE = "developers.openai.com/api/docs/guides/realtime-conversations, 2026-11"
_VAD = "developers.openai.com/api/docs/guides/realtime-vad, 2026-11"
_WIRE = "recorded sessions, 2026-11"
_CLIENT = "openai 3.54.0, types/realtime/realtime_client_event.py, 2026-11"
_TRANSCRIPTION = "openai 3.54.0, types/realtime/audio_transcription.py, 2026-11"
_OURS = "unirt's own doing"


def _native(wire: str, source: str = _SDK, values: tuple[object, ...] | None = None) -> Fact:
    return Fact(Support.NATIVE, wire, source, values=values)


def _emulated(how: str, source: str = _OURS, values: tuple[object, ...] | None = None) -> Fact:
    return Fact(Support.EMULATED, how, source, values=values)


def _refused(why: str, remedy: str, source: str = _SDK) -> Fact:
    return Fact(Support.REFUSED, why, source, remedy=remedy)


_TURN = "audio.input.turn_detection"
_ASR = "audio.input.transcription"
_FORMATS = (PCM16_24K, G711_ULAW, G711_ALAW)

SETTINGS: Mapping[str, Fact] = {
    "model": _native("?model= of the URL"),
    "instructions": _native("instructions"),
    "voice": _native("audio.output.voice; only until the first audio of the session"),
    "modalities": _native("output_modalities", values=(("audio",), ("text",))),
    "language": _refused(
        "it has no field for the language that the model speaks",
        "say in instructions= which language to speak",
    ),
    "temperature": _refused("the protocol dropped it with the beta", "leave it out"),
    "max_output_tokens": _native("max_output_tokens"),
    "speed": _native("audio.output.speed, 0.25 to 1.5"),
    "tools": _native("tools"),
    **LOCAL_VAD,
    "tools.scheduling.interrupt": _emulated(
        "response.cancel and conversation.item.truncate before the result", _GUIDE
    ),
    "tools.scheduling.when_idle": _emulated(
        "the result at once, and its response.create when nothing runs, what was said is played "
        "and the user is not speaking",
        _GUIDE,
    ),
    "tools.scheduling.silent": _emulated("the result without a response.create", _GUIDE),
    "tool_choice": _native("tool_choice"),
    "parallel_tool_calls": _native("parallel_tool_calls"),
    "turn_detection.server_vad": _native(f"{_TURN}.type = server_vad"),
    "turn_detection.server_vad.threshold": _native(f"{_TURN}.threshold"),
    "turn_detection.server_vad.prefix_padding_ms": _native(f"{_TURN}.prefix_padding_ms"),
    "turn_detection.server_vad.silence_ms": _native(f"{_TURN}.silence_duration_ms"),
    "turn_detection.server_vad.respond": _native(f"{_TURN}.create_response", _VAD),
    "turn_detection.server_vad.interrupt": _native(f"{_TURN}.interrupt_response", _VAD),
    "turn_detection.server_vad.idle_timeout_ms": _native(f"{_TURN}.idle_timeout_ms"),
    "turn_detection.semantic_vad": _native(f"{_TURN}.type = semantic_vad"),
    "turn_detection.semantic_vad.eagerness": _native(
        f"{_TURN}.eagerness", _VAD, values=("low", "medium", "high", "auto")
    ),
    "turn_detection.semantic_vad.respond": _native(f"{_TURN}.create_response", _VAD),
    "turn_detection.semantic_vad.interrupt": _native(f"{_TURN}.interrupt_response", _VAD),
    "turn_detection.manual": _native(f"{_TURN} = null", _VAD),
    "input_transcription": _native(f"{_ASR}; unirt turns it on by default"),
    "input_transcription.enabled": _native(f"{_ASR} = null for off"),
    "input_transcription.model": _native(f"{_ASR}.model", _TRANSCRIPTION),
    "input_transcription.language": _native(f"{_ASR}.language, its primary subtag", _TRANSCRIPTION),
    "input_transcription.prompt": _native(f"{_ASR}.prompt", _TRANSCRIPTION),
    "input_transcription.vocabulary": _native(f"{_ASR}.keywords", _TRANSCRIPTION),
    "input_transcription.word_times": Fact(
        Support.REFUSED,
        "no transcription model of its gives them",
        _TRANSCRIPTION,
        remedy="leave it out",
    ),
    "input_transcription.speakers": _native(
        f"{_ASR}.model = {TRANSCRIBERS_FOR['speakers'][0]}", _TRANSCRIPTION
    ),
    "output_transcription": _native(
        "spoken output always comes with its transcript", _GUIDE, values=(True,)
    ),
    "input_format": _native("audio.input.format", values=_FORMATS),
    "output_format": _native("audio.output.format", values=_FORMATS),
    "noise_reduction": _native("audio.input.noise_reduction.type"),
    "thinking": _native("reasoning"),
    "thinking.effort": _native(
        "reasoning.effort", values=("minimal", "low", "medium", "high", "xhigh")
    ),
    "thinking.budget_tokens": _refused(
        "reasoning is set by effort, not by tokens", "use thinking.effort"
    ),
    "thinking.include_thoughts": _native("it never tells its thoughts", _WIRE, values=(False,)),
    "history": _emulated("conversation.item.create for each item, once the session is configured"),
    "provider_options": _native("any other field of the session object, by its own name"),
}

VERBS: Mapping[str, Fact] = {
    cmd.UpdateSession.__name__: _native("session.update", _CLIENT),
    cmd.AppendAudio.__name__: _native("input_audio_buffer.append", _CLIENT),
    cmd.SendText.__name__: _emulated(
        "conversation.item.create, then one response.create when no response is running", _GUIDE
    ),
    cmd.SendImage.__name__: _emulated("conversation.item.create with input_image", _GUIDE),
    cmd.StartTurn.__name__: _emulated("response.cancel and conversation.item.truncate", _GUIDE),
    cmd.EndTurn.__name__: _emulated("input_audio_buffer.commit, then response.create", _VAD),
    cmd.CommitInput.__name__: _native("input_audio_buffer.commit", _CLIENT),
    cmd.ClearInput.__name__: _native("input_audio_buffer.clear", _CLIENT),
    cmd.Respond.__name__: _native("response.create", _CLIENT),
    cmd.CancelResponse.__name__: _native("response.cancel", _CLIENT),
    cmd.Interrupt.__name__: _emulated("response.cancel and conversation.item.truncate", _GUIDE),
    cmd.TruncateItem.__name__: _native("conversation.item.truncate", _CLIENT),
    cmd.ReportPlayback.__name__: _emulated("remembered; it decides where to truncate", _GUIDE),
    cmd.ClearPlayback.__name__: _refused(
        "over a WebSocket the application plays, not the provider",
        "stop the player, and use interrupt(played_ms=...)",
        _CLIENT,
    ),
    cmd.SendToolResult.__name__: _emulated(
        "conversation.item.create with function_call_output, then one response.create once all "
        "calls of the response are answered and it is done",
        _GUIDE,
    ),
    cmd.SeedHistory.__name__: _emulated("conversation.item.create for each item", _WIRE),
    cmd.CreateItem.__name__: _native("conversation.item.create", _CLIENT),
    cmd.DeleteItem.__name__: _native("conversation.item.delete", _CLIENT),
    cmd.RetrieveItem.__name__: _native("conversation.item.retrieve", _CLIENT),
    cmd.ApproveServerTool.__name__: _native(
        "conversation.item.create with mcp_approval_response", _CLIENT
    ),
    cmd.SendRaw.__name__: _native("the frame as it is", _CLIENT),
}

_NOT_ON_THIS_WIRE = "the protocol has no such message"


def _said(*events: type[ev.Event], why: str = "", source: str = _SDK) -> dict[str, Emits]:
    return {event.__name__: Emits(Emission.SAID, why, source) for event in events}


def _ours(*events: type[ev.Event], why: str = "") -> dict[str, Emits]:
    return {event.__name__: Emits(Emission.SYNTHESISED, why, _OURS) for event in events}


def _never(*events: type[ev.Event], why: str = _NOT_ON_THIS_WIRE) -> dict[str, Emits]:
    return {event.__name__: Emits(Emission.NEVER, why, _SDK) for event in events}


EMITS: Mapping[str, Emits] = {
    **_said(ev.SessionStarted, why="not on a sideband, where it is synthesised", source=_WIRE),
    **_said(ev.SessionUpdated, ev.ProviderError),
    **_said(ev.RateLimitsUpdated, why="after response.done, maybe after the next", source=_WIRE),
    **_said(ev.ConversationCreated, why="declared, by dialects also sent", source=_WIRE),
    **_said(ev.UsageReported, why="of transcriptions"),
    **_said(ev.SpeechStarted, ev.SpeechStopped, ev.InputCommitted, ev.InputCleared),
    **_said(ev.InputTimeout, why="with idle_timeout_ms"),
    **_said(ev.DtmfReceived, why="on telephone calls"),
    **_said(ev.TranscriptionFailed, ev.TranscriptSegment),
    **_said(ev.ResponseStarted, ev.ResponseDone, ev.OutputItemAdded, ev.OutputItemDone),
    **_said(ev.ItemAdded, ev.ItemDone, ev.ItemRetrieved, ev.ItemDeleted, ev.ItemTruncated),
    **_said(
        ev.PlaybackStarted, ev.PlaybackStopped, ev.PlaybackCleared, why="over WebRTC and telephone"
    ),
    **_said(ev.ServerToolStatus, ev.ToolsListed, ev.ApprovalRequested, why="with MCP tools"),
    **_said(ev.ServerToolDelta, ev.ServerToolResult, why="with MCP tools"),
    **_said(ev.StreamOpened, ev.StreamClosed, ev.AudioDelta, ev.TextDelta, ev.TranscriptDelta),
    **_said(ev.ToolCallDelta, ev.ToolCall),
    **_ours(ev.Interrupted, why="from speech_started, or from the application's own verb"),
    **_ours(ev.HistorySeeded, why="when history is seeded"),
    **_ours(ev.HeardCorrected, why="from a player's report that comes after the interruption"),
    **_ours(ev.ToolCallCancelled, why="when the user interrupts while blocking calls are pending"),
    **_ours(ev.ContentDiscarded, why="content that comes after its response was interrupted"),
    **_ours(ev.SessionExpiring, why="a minute before the session ends, at the cap or `expires_at`"),
    **_ours(ev.SessionClosed, why="from the WebSocket's close"),
    **_ours(ev.Unmapped, ev.Malformed, ev.Noted, why="from what the frame holds"),
    **_never(ev.ResumptionUpdated, ev.GenerationDone, ev.InteractionStatus),
    **_never(ev.ThoughtDelta, ev.ImageDelta, ev.CitationsDelta),
    **_never(ev.InputPaused, ev.InputResumed, why="audio is taken at any time"),
    **_never(ev.TranscriptInterim, why="only dialects of the protocol send guesses"),
}

_LEAVE_OUT = "leave it out, or use a model of the gpt-realtime-2 family"

WITHOUT_REASONING: Mapping[str, Fact] = {
    "parallel_tool_calls": _refused("only reasoning models take it", _LEAVE_OUT),
    "thinking": _refused("the model does not reason", _LEAVE_OUT),
    "thinking.effort": _refused("the model does not reason", _LEAVE_OUT),
}
"Rows of the models before gpt-realtime-2 (SDK, fields parallel_tool_calls and reasoning)."

WITHOUT_IMAGES: Mapping[str, Fact] = {
    cmd.SendImage.__name__: _refused(
        "the model does not see",
        "use a gpt-realtime model",
        "openai.com/index/introducing-gpt-realtime, 'image input', 2026-11",
    ),
}
"Rows of the preview models."

_CALL = "developers.openai.com/api/docs/guides/realtime-webrtc, 2026-11"
_FORMAT_OF_A_CALL = _refused(
    "a call carries audio its own way",
    "leave it out; audio_in= and audio_out= of connect() say what the application has and wants",
    _CALL,
)

IN_A_CALL_SETTINGS: Mapping[str, Fact] = {
    "input_format": _FORMAT_OF_A_CALL,
    "output_format": _FORMAT_OF_A_CALL,
}
"Rows of settings where audio goes beside the frames."

IN_A_CALL_VERBS: Mapping[str, Fact] = {
    cmd.AppendAudio.__name__: _native("the call's own track", _CALL),
    cmd.ClearPlayback.__name__: _native("output_audio_buffer.clear", _CLIENT),
    cmd.Interrupt.__name__: _emulated("response.cancel and output_audio_buffer.clear", _GUIDE),
    cmd.StartTurn.__name__: _emulated(
        "response.cancel, output_audio_buffer.clear and input_audio_buffer.clear", _GUIDE
    ),
    cmd.ReportPlayback.__name__: _emulated("remembered; the provider knows what it played", _GUIDE),
}
"Rows of verbs where audio goes beside the frames."

IN_A_JOINED_CALL_VERBS: Mapping[str, Fact] = {
    name: IN_A_CALL_VERBS[name] for name in (cmd.ClearPlayback.__name__, cmd.Interrupt.__name__)
} | {
    cmd.AppendAudio.__name__: _refused(
        "the call has its own audio", "speak in the call, or send text", _CALL
    ),
}
"Rows of verbs of a connection that controls a call."

_PREVIEW = re.compile(r"gpt-4o(-mini)?-realtime")
_BEFORE_REASONING = re.compile(r"gpt-(4o|audio|realtime(-mini|-1\.5|-20\d\d-|$))")


CHANGES: Mapping[str, Changing] = {
    **{
        name: Changing(Change.IN_PLACE, source=_CLIENT) for name in attrs.fields_dict(SessionConfig)
    },
    "model": Changing(Change.RECONNECT, "a connection is of one model", _CLIENT),
    "speed": Changing(Change.BETWEEN, "it changes between answers only", _SDK),
    "history": Changing(
        Change.NEVER, "it is what was said before the session began", _OURS, remedy="use seed()"
    ),
}
"How settings change while a session runs."

VOICE_AFTER_AUDIO = Changing(
    Change.RECONNECT, "it is fixed once the model has spoken in a session", _CLIENT
)


def capabilities(model: str, *, in_a_call: bool = False, joined: bool = False) -> Capabilities:
    """
    The facts about a model; an unknown model gets those of the newest family.

    With `in_a_call`, of one whose audio goes beside the frames; with `joined`, over a connection
    that controls such a call.
    """
    settings, verbs = dict(SETTINGS), dict(VERBS)
    if _BEFORE_REASONING.match(model):
        settings.update(WITHOUT_REASONING)
    if _PREVIEW.match(model):
        verbs.update(WITHOUT_IMAGES)
    if in_a_call:
        settings.update(IN_A_CALL_SETTINGS)
        verbs.update(IN_A_CALL_VERBS)
    if joined:
        verbs.update(IN_A_JOINED_CALL_VERBS)
    return Capabilities(
        provider=PROVIDER_NAME,
        model=model,
        settings=settings,
        verbs=verbs,
        emits=EMITS,
        changes=CHANGES,
        max_connection_ms=MAX_SESSION_MS,
    )
