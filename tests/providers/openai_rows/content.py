"""Content of responses: its parts, its pieces, and its sound where the provider plays it."""

from __future__ import annotations

from tests.providers.openai_rows.row import Row
from tests.providers.openai_told import MESSAGE, OUT, STARTED, part
from unirt import events as ev
from unirt.audio import PCM16_24K

__all__ = ["ROWS"]

ROWS: list[Row] = [
    ([STARTED, MESSAGE], part("response.content_part.added", text=""), [(ev.StreamOpened, {})]),
    (
        [STARTED, MESSAGE],
        {
            "type": "response.content_part.added",
            "part": {"type": "audio", "transcript": ""},
            **OUT,
        },
        [(ev.StreamOpened, {}), (ev.StreamOpened, {})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.content_part.added", "part": {"type": "hologram", "x": 1}, **OUT},
        [
            (
                ev.Unmapped,
                {
                    "type": "response.content_part.added.part",
                    "data": {"type": "hologram", "x": 1},
                    "response_id": "r1",
                    "item_id": "i1",
                },
            )
        ],
    ),
    (
        [STARTED, MESSAGE, part("response.content_part.added")],
        part("response.content_part.done", text="whole"),
        [(ev.TextDelta, {"text": "whole"})],
    ),
    (
        [STARTED, {"type": "response.output_text.done", "text": "a", **OUT}],
        part("response.content_part.done", text="a"),
        [(ev.Noted, {"response_id": "r1", "item_id": "i1"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.output_text.delta", "delta": "Hi", **OUT},
        [(ev.StreamOpened, {}), (ev.TextDelta, {"text": "Hi"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.output_text.delta", "delta": "", **OUT},
        [(ev.Noted, {"why": "an empty piece", "response_id": "r1"})],
    ),
    (
        [STARTED, {"type": "response.output_text.delta", "delta": "H", **OUT}],
        {"type": "response.output_text.done", "text": "Hi", **OUT},
        [(ev.TextDelta, {"text": "i"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.output_audio.delta", "delta": "AAAA", **OUT},
        [(ev.StreamOpened, {}), (ev.AudioDelta, {"data": b"\0\0\0", "format": PCM16_24K})],
    ),
    (
        [STARTED, {"type": "response.output_audio.delta", "delta": "AAAA", **OUT}],
        {"type": "response.output_audio.done", **OUT},
        [(ev.Noted, {"item_id": "i1"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "response.output_audio_transcript.delta", "delta": "Hi", **OUT},
        [(ev.StreamOpened, {}), (ev.TranscriptDelta, {"text": "Hi"})],
    ),
    (
        [STARTED, {"type": "response.output_audio_transcript.delta", "delta": "Hi", **OUT}],
        {"type": "response.output_audio_transcript.done", "transcript": "Hi", **OUT},
        [(ev.Noted, {"item_id": "i1"})],
    ),
    (
        [STARTED],
        {"type": "output_audio_buffer.started", "response_id": "r1"},
        [(ev.PlaybackStarted, {"response_id": "r1", "turn_id": "u_turn_1"})],
    ),
    (
        [STARTED],
        {"type": "output_audio_buffer.stopped", "response_id": "gone"},
        [(ev.PlaybackStopped, {"response_id": "gone"})],
    ),
    (
        [STARTED],
        {"type": "output_audio_buffer.cleared", "response_id": "r1"},
        [
            (ev.PlaybackCleared, {"response_id": "r1"}),
            (ev.Interrupted, {"response_id": "r1", "by": "speech", "generating": True}),
        ],
    ),
]
