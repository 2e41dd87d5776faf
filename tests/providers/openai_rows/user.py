"""The user: speech, what is understood of it, and what is done with it."""

from __future__ import annotations

from tests.providers.openai_rows.row import Row
from tests.providers.openai_told import ASR, SPEAKING, STARTED
from unirt import events as ev
from unirt.events import Ending
from unirt.usage import Tokens, Usage

__all__ = ["ROWS"]

ROWS: list[Row] = [
    (
        [STARTED, {"type": "response.done", "response": {"id": "r1", "status": "completed"}}],
        SPEAKING,
        [(ev.SpeechStarted, {"audio_ms": 100, "item_id": "u1", "turn_id": "u_turn_2"})],
    ),
    (
        [SPEAKING],
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 900, "item_id": "u1"},
        [(ev.SpeechStopped, {"audio_ms": 900, "item_id": "u1", "turn_id": "u_turn_1"})],
    ),
    (
        [SPEAKING],
        {"type": "input_audio_buffer.committed", "item_id": "u1", "previous_item_id": "p"},
        [(ev.InputCommitted, {"previous_item_id": "p", "item_id": "u1", "turn_id": "u_turn_1"})],
    ),
    ([SPEAKING], {"type": "input_audio_buffer.cleared"}, [(ev.InputCleared, {})]),
    (
        [STARTED],
        {
            "type": "input_audio_buffer.timeout_triggered",
            "item_id": "u2",
            "audio_start_ms": 5,
            "audio_end_ms": 6,
        },
        [(ev.InputTimeout, {"start_ms": 5, "end_ms": 6, "item_id": "u2"})],
    ),
    (
        [STARTED],
        {"type": "input_audio_buffer.dtmf_event_received", "event": "9", "received_at": 17},
        [(ev.DtmfReceived, {"key": "9", "at_unix_s": 17})],
    ),
    (
        [SPEAKING],
        {"type": f"{ASR}.delta", "item_id": "u1", "content_index": 0, "delta": "Hel"},
        [(ev.StreamOpened, {}), (ev.TranscriptDelta, {"text": "Hel"})],
    ),
    (
        [SPEAKING, {"type": f"{ASR}.delta", "item_id": "u1", "delta": "Hel"}],
        {
            "type": f"{ASR}.completed",
            "item_id": "u1",
            "content_index": 0,
            "transcript": "Hello",
            "usage": {"type": "duration", "seconds": 3},
        },
        [
            (ev.TranscriptDelta, {"text": "lo"}),
            (ev.StreamClosed, {"text": "Hello", "ending": Ending.COMPLETE}),
            (
                ev.UsageReported,
                {
                    "scope": "transcription",
                    "duration_ms": 3000,
                    "item_id": "u1",
                    "usage": None,
                    "model": "gpt-realtime-whisper",
                },
            ),
        ],
    ),
    (
        [SPEAKING],
        {
            "type": f"{ASR}.completed",
            "item_id": "u1",
            "transcript": "Hallo",
            "languages": [{"code": "de"}],
            "usage": {
                "type": "tokens",
                "total_tokens": 5,
                "input_tokens": 3,
                "output_tokens": 2,
                "input_token_details": {"audio_tokens": 3},
            },
        },
        [
            (ev.StreamOpened, {}),
            (ev.TranscriptDelta, {"text": "Hallo", "language": "de"}),
            (ev.StreamClosed, {"text": "Hallo"}),
            (
                ev.UsageReported,
                {"usage": Usage(input=Tokens(audio=3), output=Tokens(text=2))},
            ),
        ],
    ),
    (
        [SPEAKING],
        {"type": f"{ASR}.completed", "item_id": "u1", "transcript": "", "usage": None},
        [(ev.Noted, {"why": "no words were understood", "item_id": "u1"})],
    ),
    (
        [SPEAKING, {"type": f"{ASR}.completed", "item_id": "u1", "transcript": "a"}],
        {"type": f"{ASR}.completed", "item_id": "u1", "transcript": "a"},
        [(ev.Noted, {"why": "this transcript was told before"})],
    ),
    (
        [SPEAKING],
        {
            "type": f"{ASR}.segment",
            "item_id": "u1",
            "id": "g1",
            "text": "Hi",
            "speaker": "A",
            "start": 0.5,
            "end": 1.25,
        },
        [
            (ev.StreamOpened, {}),
            (
                ev.TranscriptSegment,
                {
                    "text": "Hi",
                    "segment_id": "g1",
                    "speaker": "A",
                    "start_ms": 500,
                    "end_ms": 1250,
                },
            ),
        ],
    ),
    (
        [SPEAKING, {"type": f"{ASR}.delta", "item_id": "u1", "delta": "Hel"}],
        {
            "type": f"{ASR}.failed",
            "item_id": "u1",
            "error": {"code": "audio_unintelligible", "message": "no", "type": "t"},
        },
        [
            (
                ev.TranscriptionFailed,
                {"message": "no", "code": "audio_unintelligible", "item_id": "u1"},
            ),
            (ev.StreamClosed, {"ending": Ending.FAILED}),
        ],
    ),
    # The xAI dialect's guesses.
    (
        [SPEAKING],
        {"type": f"{ASR}.updated", "item_id": "u1", "transcript": "Hello?"},
        [(ev.StreamOpened, {}), (ev.TranscriptInterim, {"text": "Hello?"})],
    ),
    (
        [SPEAKING],
        {"type": f"{ASR}.completed", "item_id": "u1", "status": "in_progress", "transcript": "He"},
        [(ev.StreamOpened, {}), (ev.TranscriptInterim, {"text": "He"})],
    ),
]
