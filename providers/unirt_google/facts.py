"""
What Gemini Live can do: facts with sources, model family by model family.

Rows that all families share stand first; where a family differs is in
:mod:`unirt_google.families`.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from unirt.audio import PCM16_16K, PCM16_24K
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
from unirt.config import Scheduling, SessionConfig
from unirt_google.families import Family, family_of, hears_beside_tools, is_vertex, waits_for_tools

__all__ = ["DEFAULT_MODEL", "FREE_FORM", "PROVIDER_NAME", "capabilities"]

PROVIDER_NAME = "google"
DEFAULT_MODEL = "gemini-3.8-live"

FREE_FORM = frozenset(
    {"args", "response", "labels", "parametersJsonSchema", "responseJsonSchema", "partMetadata"}
)
"Fields whose content has names of its own."

_GUIDE = "https://ai.google.dev/gemini-api/docs/live-api/capabilities, 2026-11"
_TOOLS = "https://ai.google.dev/gemini-api/docs/live-api/tools, 2026-11"
_REFERENCE = "https://ai.google.dev/api/live, 2026-11"
_SESSIONS = "https://ai.google.dev/gemini-api/docs/live-api/session-management, 2026-11"
_VERTEX = "https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/live-api, 2026-11"
_SDK = "google.genai.types.LiveConnectConfig 3.4.0, 2026-11"
_CONTEXT_UPDATE = f"{_VERTEX}; google.genai.live.AsyncSession.send_context_update 3.4.0"
_UNCHANGING = "the configuration is fixed while the connection is open"
_OURS = "unirt's own doing"
_RECORDED = "recorded frames of 2.5, 3.1 and Vertex AI, 2026-11"

_BESIDE = "github.com/google/adk-python/issues/4679, discuss.ai.google.dev/t/114644, 2026-11"

_NATIVE, _EMULATED, _REFUSED = Support.NATIVE, Support.EMULATED, Support.REFUSED
_SAID, _SYNTHESISED, _NEVER = Emission.SAID, Emission.SYNTHESISED, Emission.NEVER


def _no(how: str, remedy: str, source: str = _SDK) -> Fact:
    return Fact(_REFUSED, how, source, remedy=remedy)


SETTINGS: Mapping[str, Fact] = {
    "model": Fact(_NATIVE, "setup.model", _REFERENCE),
    "instructions": Fact(_NATIVE, "setup.systemInstruction", _REFERENCE),
    "voice": Fact(
        _NATIVE,
        "setup.generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName",
        _SDK,
    ),
    "modalities": Fact(
        _NATIVE,
        "setup.generationConfig.responseModalities",
        f"{_GUIDE}: one a session, and speech models refuse TEXT",
        values=(("audio",),),
    ),
    "language": Fact(_NATIVE, "setup.generationConfig.speechConfig.languageCode", _SDK),
    "temperature": Fact(_NATIVE, "setup.generationConfig.temperature", _SDK),
    "max_output_tokens": Fact(_NATIVE, "setup.generationConfig.maxOutputTokens", _SDK),
    "speed": _no("the model has no speed", "ask for a pace in the instructions"),
    "tools": Fact(_NATIVE, "setup.tools", _TOOLS),
    "tool_choice": _no("the Live API has no tool config", "say in the instructions when to call"),
    "parallel_tool_calls": _no(
        "the model decides by itself how many tools it calls at once", "leave it out"
    ),
    "turn_detection.server_vad": Fact(
        _NATIVE, "setup.realtimeInputConfig.automaticActivityDetection", _REFERENCE
    ),
    "turn_detection.server_vad.threshold": _no(
        "sensitivity is HIGH or LOW here, and no number",
        "use provider_options={'realtime_input_config': {'automatic_activity_detection': "
        "{'start_of_speech_sensitivity': 'START_SENSITIVITY_LOW'}}}",
        _REFERENCE,
    ),
    "turn_detection.server_vad.prefix_padding_ms": Fact(
        _NATIVE, "automaticActivityDetection.prefixPaddingMs", _REFERENCE
    ),
    "turn_detection.server_vad.silence_ms": Fact(
        _NATIVE, "automaticActivityDetection.silenceDurationMs", _REFERENCE
    ),
    "turn_detection.server_vad.respond": Fact(
        _NATIVE,
        "the end of a turn always starts a response; False is refused, use Manual()",
        _REFERENCE,
        values=(True,),
    ),
    "turn_detection.server_vad.interrupt": Fact(
        _NATIVE, "setup.realtimeInputConfig.activityHandling", _REFERENCE
    ),
    "turn_detection.server_vad.idle_timeout_ms": _no(
        "the model does not go on by itself", "send a text when the user was silent for long"
    ),
    "turn_detection.semantic_vad": _no(
        "turns are detected by sound only", "use ServerVAD() or Manual()", _REFERENCE
    ),
    **{
        f"turn_detection.semantic_vad.{part}": _no(
            "turns are detected by sound only", "use ServerVAD() or Manual()", _REFERENCE
        )
        for part in ("eagerness", "respond", "interrupt")
    },
    "turn_detection.manual": Fact(
        _NATIVE, "automaticActivityDetection.disabled, activityStart, activityEnd", _REFERENCE
    ),
    **LOCAL_VAD,
    "input_transcription": Fact(_NATIVE, "setup.inputAudioTranscription", _REFERENCE),
    "input_transcription.enabled": Fact(
        _NATIVE, "setup.inputAudioTranscription is set or left out", _REFERENCE
    ),
    "input_transcription.model": _no("the model transcribes by itself", "leave it out"),
    "input_transcription.language": Fact(
        _NATIVE, "setup.inputAudioTranscription.languageCodes", _SDK
    ),
    "input_transcription.prompt": _no("there is no prompt", "use vocabulary="),
    "input_transcription.vocabulary": Fact(
        _NATIVE, "setup.inputAudioTranscription.customVocabulary", _SDK
    ),
    "input_transcription.word_times": Fact(
        _NATIVE, "setup.inputAudioTranscription.wordTimestamp", _SDK
    ),
    "input_transcription.speakers": Fact(
        _NATIVE, "setup.inputAudioTranscription.diarization", _SDK
    ),
    "output_transcription": Fact(
        _NATIVE, "setup.outputAudioTranscription is set or left out", _REFERENCE
    ),
    "input_format": Fact(
        _NATIVE,
        "the rate in realtimeInput.audio.mimeType; PCM16 mono only",
        f"{_GUIDE}: other rates than 16 kHz are resampled by the server",
    ),
    "output_format": Fact(
        _NATIVE, "the model speaks PCM16 at 24 kHz and nothing else", _GUIDE, values=(PCM16_24K,)
    ),
    "noise_reduction": _no("the model has none", "clean the audio before it is sent"),
    "thinking": Fact(_NATIVE, "setup.generationConfig.thinkingConfig", _GUIDE),
    "thinking.include_thoughts": Fact(_NATIVE, "thinkingConfig.includeThoughts", _GUIDE),
    "history": Fact(
        _EMULATED,
        "clientContent turns once the session is ready; tool calls and speech become text",
        f"{_GUIDE}, {_RECORDED}",
    ),
    "provider_options": Fact(
        _NATIVE, "the fields of LiveConnectConfig, over what the settings above produce", _SDK
    ),
}

_NO_CANCEL = (
    "clientContent with no turns and turnComplete false, which interrupts and waits; "
    "how much was heard stays in the session's own history, for nothing can tell the model"
)
_FIXED = "items cannot be changed once they are sent"

VERBS: Mapping[str, Fact] = {
    "AppendAudio": Fact(
        _NATIVE,
        "realtimeInput.audio; with Manual(), what is sent before start_turn() is kept "
        "(the last 2 s of it) and follows activityStart",
        _REFERENCE,
    ),
    "SendText": Fact(
        _NATIVE,
        "clientContent; what asks for no answer waits until none runs, which it would interrupt",
        _REFERENCE,
    ),
    "SendImage": Fact(
        _NATIVE, "realtimeInput.video; clientContent where it asks for an answer", _REFERENCE
    ),
    "StartTurn": Fact(_NATIVE, "realtimeInput.activityStart", _REFERENCE),
    "EndTurn": Fact(_NATIVE, "realtimeInput.activityEnd, which always asks for an answer"),
    "ClearInput": _no("audio that was sent is with the model", "do not send it"),
    "Respond": Fact(
        _NATIVE,
        "clientContent with turnComplete and no turns, once no response runs; no overrides",
        _REFERENCE,
    ),
    "CancelResponse": Fact(_EMULATED, _NO_CANCEL, _REFERENCE),
    "Interrupt": Fact(_EMULATED, _NO_CANCEL, _REFERENCE),
    "TruncateItem": _no(_FIXED, "use interrupt(played_ms=), and history= on reconnecting"),
    "ReportPlayback": Fact(_EMULATED, "kept by unirt; nothing is sent"),
    "ClearPlayback": _no("the application owns the playback", "use interrupt()"),
    "SendToolResult": Fact(_NATIVE, "toolResponse", _TOOLS),
    "SeedHistory": Fact(
        _EMULATED,
        "clientContent turns with turnComplete false; tool calls and speech become text",
        f"{_GUIDE}, {_RECORDED}",
    ),
    "CreateItem": Fact(
        _EMULATED, "clientContent with turnComplete false; written messages only, at the end"
    ),
    "DeleteItem": _no(_FIXED, "reconnect with history="),
    "RetrieveItem": _no("items cannot be read back", "use session.history"),
    "ApproveServerTool": _no("no tool of the server's asks for approval", "do without it"),
    "SendRaw": Fact(_NATIVE, "the frame as it is"),
}

_ITEMS = Emits(_NEVER, "the protocol has no items", _REFERENCE)
_BUFFER = Emits(_NEVER, "the protocol says nothing of its input buffer", _REFERENCE)
_PLAYBACK = Emits(_NEVER, "the application owns the playback", _REFERENCE)
_APART = Emits(_SYNTHESISED, "the protocol has no streams; kinds of content open and close them")

EMITS: Mapping[str, Emits] = {
    "SessionStarted": Emits(_SAID, "setupComplete", _RECORDED),
    "SessionUpdated": Emits(_SYNTHESISED, "setupComplete acknowledges the configuration too"),
    "SessionExpiring": Emits(_SAID, "goAway", _SESSIONS),
    "SessionClosed": Emits(_SAID, "the close frame", _REFERENCE),
    "ResumptionUpdated": Emits(_SAID, "sessionResumptionUpdate", _SESSIONS),
    "ConversationCreated": Emits(_NEVER, "conversations have no name here", _REFERENCE),
    "ProviderError": Emits(
        _NEVER, "there is no error message; the connection is closed", _REFERENCE
    ),
    "Malformed": Emits(_SAID, "a frame that breaks the protocol"),
    "Unmapped": Emits(_SAID, "a frame, a field or a part without a canonical meaning"),
    "Noted": Emits(_SAID, "a frame that changes nothing, such as an empty serverContent"),
    "RateLimitsUpdated": Emits(_NEVER, "quotas are not told", _REFERENCE),
    "UsageReported": Emits(_SAID, "usageMetadata apart from a turnComplete", _REFERENCE),
    "InputCommitted": Emits(_SYNTHESISED, "when the answer to something spoken begins"),
    "InputCleared": _BUFFER,
    "InputTimeout": _BUFFER,
    "DtmfReceived": Emits(_NEVER, "there is no telephony", _REFERENCE),
    "TranscriptionFailed": Emits(_NEVER, "a transcript that fails does not come", _REFERENCE),
    "TranscriptSegment": Emits(
        _NEVER, "speakers are told with the words, as TranscriptDelta.speaker", _SDK
    ),
    "ResponseStarted": Emits(_SYNTHESISED, "at the first content after an input"),
    "GenerationDone": Emits(_SAID, "generationComplete", _REFERENCE),
    "Interrupted": Emits(_SAID, "interrupted", _REFERENCE),
    "HistorySeeded": Emits(_SYNTHESISED, "when history is seeded"),
    "HeardCorrected": Emits(
        _SYNTHESISED, "from a player's report that comes after the interruption"
    ),
    "ContentDiscarded": Emits(_SAID, "content that comes after interrupted"),
    "ResponseDone": Emits(_SAID, "turnComplete; synthesised between a tool call and its answer"),
    "InteractionStatus": Emits(_SAID, "interactionStatus, waitingForInput", _REFERENCE),
    "PlaybackStarted": _PLAYBACK,
    "PlaybackStopped": _PLAYBACK,
    "PlaybackCleared": _PLAYBACK,
    **dict.fromkeys(
        (
            "ItemAdded",
            "ItemDone",
            "ItemRetrieved",
            "ItemDeleted",
            "ItemTruncated",
            "OutputItemAdded",
            "OutputItemDone",
        ),
        _ITEMS,
    ),
    "ToolCallCancelled": Emits(_SAID, "toolCallCancellation", _REFERENCE),
    "ServerToolStatus": Emits(_NEVER, "a server-side tool tells its call and its result", _SDK),
    "ToolsListed": Emits(_NEVER, "the server's tools are not listed", _REFERENCE),
    "ApprovalRequested": Emits(_NEVER, "no tool of the server's asks for approval", _REFERENCE),
    "StreamOpened": _APART,
    "StreamClosed": _APART,
    "AudioDelta": Emits(_SAID, "inlineData of type audio/pcm", _RECORDED),
    "TextDelta": Emits(_SAID, "text; synthesised for what the user wrote"),
    "TranscriptDelta": Emits(_SAID, "inputTranscription, outputTranscription", _RECORDED),
    "TranscriptInterim": Emits(_SAID, "interimInputTranscription", _SDK),
    "ThoughtDelta": Emits(_SAID, "text with thought", _RECORDED),
    "ImageDelta": Emits(_SAID, "inlineData of another type", _SDK),
    "ToolCallDelta": Emits(_SYNTHESISED, "arguments come whole", _RECORDED),
    "ToolCall": Emits(_SAID, "toolCall", _RECORDED),
    "ServerToolDelta": Emits(_SAID, "executableCode, or a part's toolCall", _SDK),
    "ServerToolResult": Emits(_SAID, "codeExecutionResult, or a part's toolResponse", _SDK),
    "CitationsDelta": Emits(_SAID, "groundingMetadata, urlContextMetadata", _SDK),
}


def _settings(family: Family, vertex: bool) -> dict[str, Fact]:
    rows = dict(SETTINGS)
    thinks = bool(family.thinking_levels or family.thinking_budget)
    if not thinks:
        refusal = _no(
            "the model refuses every thinkingConfig (1007)",
            "leave it out, or use gemini-3.8-live-extended-thinking",
            _GUIDE,
        )
        rows |= dict.fromkeys(("thinking", "thinking.include_thoughts"), refusal)
    scheduled = _no("the model decides when it speaks of a result", "leave it out", _TOOLS)
    if family.scheduling and not vertex:
        scheduled = Fact(_NATIVE, "functionResponses.scheduling, unless the model waits", _TOOLS)
    rows |= {f"tools.scheduling.{kind}": scheduled for kind in Scheduling}
    rows["thinking.effort"] = (
        Fact(_NATIVE, "thinkingConfig.thinkingLevel", _GUIDE, values=family.thinking_levels)
        if family.thinking_levels
        else _no("the model knows no levels of thinking", "use budget_tokens=", _GUIDE)
    )
    rows["thinking.budget_tokens"] = (
        Fact(_NATIVE, "thinkingConfig.thinkingBudget", _GUIDE)
        if family.thinking_budget
        else _no("the model knows no budget of thinking", "use effort=", _GUIDE)
    )
    return rows


def _verbs(family: Family, vertex: bool, hears: bool) -> dict[str, Fact]:
    rows = dict(VERBS)
    if not hears:
        rows["AppendAudio"] = attrs.evolve(
            VERBS["AppendAudio"],
            how=f"{VERBS['AppendAudio'].how}; what is sent while the model waits for a tool is "
            "dropped, counted and told (InputPaused, InputResumed)",
            source=f"{_REFERENCE}; {_BESIDE}",
        )
    rows["CommitInput"] = (
        Fact(_EMULATED, "realtimeInput.audioStreamEnd, which also asks for an answer", _REFERENCE)
        if family.stream_end
        else _no(
            "audioStreamEnd does not end a turn on this model",
            "send silence, or use Manual() and end_turn()",
            "https://github.com/openclaw/openclaw/issues/152830, 2026-11",
        )
    )
    # On the Gemini API the reference lists four client messages and says that the configuration
    # is fixed while the connection is open; the SDK sends a fifth to both backends.
    rows["UpdateSession"] = (
        Fact(
            _NATIVE,
            "contextUpdate, for instructions and tools; it is not acknowledged",
            _CONTEXT_UPDATE,
        )
        if family.context_update and vertex
        else _no(
            _UNCHANGING,
            "use session.update(), which opens a new connection",
            _REFERENCE,
        )
    )
    return rows


def _changes(family: Family, vertex: bool) -> dict[str, Changing]:
    fixed = Changing(Change.RECONNECT, _UNCHANGING, _REFERENCE)
    rows = dict.fromkeys(attrs.fields_dict(SessionConfig), fixed)
    if family.context_update and vertex:
        rows |= dict.fromkeys(
            ("instructions", "tools"), Changing(Change.IN_PLACE, source=_CONTEXT_UPDATE)
        )
    rows["history"] = Changing(
        Change.NEVER,
        "it is what was said before the session began",
        _OURS,
        remedy="use seed()",
    )
    return rows


def _emits(family: Family, hears: bool) -> dict[str, Emits]:
    rows = dict(EMITS)
    paused = (
        Emits(_NEVER, "the model takes audio while tools run", _TOOLS)
        if hears
        else Emits(_SYNTHESISED, "with audio that is sent while the model waits for a tool")
    )
    rows |= dict.fromkeys(("InputPaused", "InputResumed"), paused)
    activity = (
        Emits(_SAID, "voiceActivity", _RECORDED)
        if family.voice_activity
        else Emits(
            _NEVER,
            "the model tells no voice activity; with LocalVAD() it is synthesised",
            "https://github.com/googleapis/python-genai/issues/2981, 2026-11",
        )
    )
    return rows | dict.fromkeys(("SpeechStarted", "SpeechStopped"), activity)


def capabilities(model: str) -> Capabilities:
    """The facts about a model, by its name or its resource path."""
    family, hears = family_of(model), hears_beside_tools(model)
    return Capabilities(
        provider=PROVIDER_NAME,
        model=model,
        settings=_settings(family, is_vertex(model)),
        verbs=_verbs(family, is_vertex(model), hears),
        emits=_emits(family, hears),
        changes=_changes(family, is_vertex(model)),
        input_format=PCM16_16K,
        output_format=PCM16_24K,
        waits_for_tools=waits_for_tools(model),  # _TOOLS
        max_connection_ms=600_000,  # about ten minutes: _SESSIONS
    )
