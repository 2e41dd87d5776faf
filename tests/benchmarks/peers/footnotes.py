"""
What each peer leaves undone, in the measured run, that unirt does in it, and what it does besides.

A ratio between two libraries says little unless one knows what each was doing. unirt, in the same
run: every wire event becomes at least one event, which still has its raw frame, transcripts and the
whole life of an answer included; history and usage are kept, and how much of an interrupted answer
can have been heard; what is unread is bounded, and audio that is dropped is counted.

Found by reading the pinned releases that :mod:`.venvs` names, in November 2026. The symbols are
where to look.
"""

from __future__ import annotations

import attrs

__all__ = ["FOOTNOTES"]


@attrs.frozen
class _Footnote:
    level: str
    "What was measured."
    less: str
    more: str

    def __str__(self) -> str:
        return f"{self.level} *Less than unirt:* {self.less} *More:* {self.more}"


_NOTES: dict[str, _Footnote] = {
    "openai_agents_model": _Footnote(
        "A listener of `OpenAIRealtimeWebSocketModel`, called in the reading task.",
        "the ends of transcripts, parts and items and the rate limits reach it as raw dictionaries"
        " only (`_handle_ws_event`); no queue, so a slow listener stops the reading; no history;"
        " no Gemini.",
        "each message is validated against the SDK's model of its type"
        " (`get_server_event_type_adapter`); every one is told as a raw event too; keeps how much"
        " of each item there was to hear (`ModelAudioTracker`, which forgets no item).",
    ),
    "openai_agents_session": _Footnote(
        "`async for event in session` of a `RealtimeRunner`.",
        "one queue, without a bound (`RealtimeSession._event_queue`); the ends of transcripts,"
        " parts and items and the rate limits as raw dictionaries only; no Gemini.",
        "as for the model; each event is told twice, raw and typed (`on_event`); copies its history"
        " at each piece of transcript (`_get_new_history`), so the cost grows with the"
        " conversation; runs output guardrails.",
    ),
    "livekit": _Footnote(
        "The plug-in's `RealtimeSession`, its text and audio streams both read. `AgentSession`,"
        " which most applications put on top, is not in the figure.",
        "18 of OpenAI's server events have a handler (`_run_ws`), the others reach listeners as raw"
        " dictionaries; nothing is validated (`construct`); of Gemini, raw messages are dropped;"
        " channels without a bound (`utils.aio.Chan`); what was heard is the application's to keep"
        " (`truncate`).",
        "each piece of audio is an `rtc.AudioFrame`, without a copy; mirrors the server's list of"
        " items (`RemoteChatContext`); metrics for each answer; Gemini is parsed by google-genai.",
    ),
    "strands_model": _Footnote(
        "`receive()` of the bidirectional model.",
        "audio is handed over as base64 (`BidiAudioDeltaEvent`), and decoded in the contender as"
        " Strands' own speaker does; events are dictionaries, without the raw message; the ends of"
        " transcripts and parts, items and rate limits are dropped (`_convert_openai_event`); no"
        " history, no queue; nothing keeps what was heard.",
        "a timer is set for every message (`asyncio.wait_for`); Gemini is parsed by google-genai,"
        " which decodes the PCM, and Strands encodes it again (`_convert_gemini_live_event`).",
    ),
    "strands_agent": _Footnote(
        "`receive()` of a `BidiAgent`.",
        "as for the model; a queue of one, so a slow reader stops the reading at once.",
        "as for the model; messages are kept as history (`_AgentLoop._run_model`); spans, to a"
        " tracer that was off; a timer that restarts the connection.",
    ),
    "pydantic_ai": _Footnote(
        "`async for event in session` of `Agent.realtime`: speech in the deltas of parts.",
        "no raw message; OpenAI's parts, items and rate limits are read for their life cycle and"
        " not told (`map_event`); one reader, and no bound while it reads (`_queue_put`).",
        "builds the message history of its agents (`SessionCore`); a model of its own for each kind"
        " of message; position of playback in bytes; limits of usage; spans, to a tracer that was"
        " off; Gemini is parsed by google-genai.",
    ),
    "pipecat": _Footnote(
        "A pipeline of the realtime service and one processor, its worker without observers.",
        "16 of OpenAI's server events are used; the others are validated and dropped"
        " (`_receive_task_handler`), and so is each raw message; of a Gemini message only the first"
        " part is read (`_handle_msg_model_turn`); queues without a bound"
        " (`FrameProcessorQueue`); history is another processor's.",
        "each event is a frame with an identifier, which goes through two queues and two tasks of"
        " every processor; each piece of transcript is two frames; a model of its own for each"
        " OpenAI event; keeps how much was spoken, by the clock"
        " (`_truncate_current_audio_response`); Gemini is parsed by google-genai, and all audio of"
        " the session stays in a buffer that is never emptied (`_bot_audio_buffer`).",
    ),
    "pipecat_observed": _Footnote(
        "The same with the observers that a `PipelineWorker` has unless they are turned off.",
        "as above.",
        "as above; follows turns, and tells RTVI clients of each frame (`RTVIObserver`), though"
        " none was connected.",
    ),
    "semantic_kernel": _Footnote(
        "`async for event in service.receive()`, and the bytes of each audio event.",
        "transcripts and audio are typed, everything else is the SDK's event in an envelope"
        " (`_parse_event`); no queue, no history, no usage; nothing keeps what was heard; no"
        " Gemini.",
        "the official SDK parses each message, as in its own row; audio is decoded into a data URI"
        " of a content object, with validation (`DataUri`).",
    ),
    "adk": _Footnote(
        "`GeminiLlmConnection.receive()`, called again after each turn. `Runner.run_live`, which"
        " most applications use, is not in the figure.",
        "no raw message; no queue; that generation is complete is not told by itself; nothing keeps"
        " what was heard; no OpenAI.",
        "the official SDK parses each message, as in its own row; each becomes an `LlmResponse`;"
        " transcripts are joined, and told again whole.",
    ),
    "litellm": _Footnote(
        "The relay of its proxy (`_arealtime`), with a stub for the client at its other end, so"
        " without the second WebSocket that there would be.",
        "**no PCM is decoded**: what comes out is JSON text, of which the stub measures the base64;"
        " no events, no history, no bound.",
        "every message is parsed, and encoded again for the client, for Gemini twice"
        " (`_send_event_to_client`) after it was translated to OpenAI's events; keeps messages for"
        " its log of costs (`store_message`).",
    ),
}

FOOTNOTES: dict[str, str] = {name: str(note) for name, note in _NOTES.items()}
"By the name of the peer."
