"""Items: they come, are done, read, cut and deleted."""

from __future__ import annotations

from tests.providers.openai_rows.row import Row
from tests.providers.openai_told import MESSAGE, SPEAKING, STARTED, TYPED
from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.items import AudioContent, ImageContent, Item, Role, TextContent

__all__ = ["ROWS"]

ROWS: list[Row] = [
    (
        [],
        {
            "type": "conversation.item.added",
            "previous_item_id": "p",
            "item": {
                **TYPED,
                "content": [
                    {"type": "input_text", "text": "Hi"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                    {"type": "input_text", "text": "you"},
                ],
            },
        },
        [
            (ev.SessionStarted, {}),
            (
                ev.ItemAdded,
                {
                    "previous_item_id": "p",
                    "item_id": "u1",
                    "turn_id": "u_turn_1",
                    "item": Item(
                        id="u1",
                        role=Role.USER,
                        status="completed",
                        content=(
                            TextContent(text="Hi"),
                            ImageContent(data=b"\0\0\0", mime_type="image/png"),
                            TextContent(text="you"),
                        ),
                    ),
                },
            ),
            (ev.StreamOpened, {}),
            (ev.TextDelta, {"text": "Hi"}),
            (ev.StreamClosed, {"text": "Hi"}),
            (ev.StreamOpened, {}),
            (ev.TextDelta, {"text": "you"}),
            (ev.StreamClosed, {"text": "you"}),
        ],
    ),
    (
        [SPEAKING],
        {
            "type": "conversation.item.added",
            "item": {**TYPED, "content": [{"type": "input_audio", "transcript": None}]},
        },
        [
            (
                ev.ItemAdded,
                {
                    "turn_id": "u_turn_1",
                    "item": Item(
                        id="u1", role=Role.USER, status="completed", content=(AudioContent(),)
                    ),
                },
            )
        ],
    ),
    (
        [STARTED],
        {"type": "conversation.item.created", "item": {**TYPED, "content": []}},
        [(ev.ItemAdded, {"item_id": "u1"})],
    ),
    (
        [STARTED, MESSAGE],
        {"type": "conversation.item.added", "item": MESSAGE["item"]},
        [(ev.ItemAdded, {"item_id": "i1", "response_id": "r1", "turn_id": "u_turn_1"})],
    ),
    (
        [STARTED, MESSAGE],
        {
            "type": "conversation.item.done",
            "item": {
                "id": "i1",
                "type": "message",
                "role": "assistant",
                "phase": "commentary",
                "content": [{"type": "output_audio", "transcript": "Hm"}],
            },
        },
        [
            (
                ev.ItemDone,
                {
                    "response_id": "r1",
                    "item": Item(
                        id="i1",
                        role=Role.ASSISTANT,
                        phase="commentary",
                        content=(AudioContent(transcript="Hm"),),
                    ),
                },
            )
        ],
    ),
    (
        [STARTED],
        {
            "type": "conversation.item.done",
            "item": {**TYPED, "content": [{"type": "input_text", "text": "never added"}]},
        },
        [
            (ev.ItemDone, {"item_id": "u1"}),
            (ev.StreamOpened, {}),
            (ev.TextDelta, {"text": "never added"}),
            (ev.StreamClosed, {}),
        ],
    ),
    (
        [STARTED],
        {
            "type": "conversation.item.done",
            "item": {
                "id": "q1",
                "type": "mcp_approval_request",
                "server_label": "s",
                "name": "rm",
                "arguments": "{}",
            },
        },
        [
            (ev.ItemDone, {}),
            (
                ev.ApprovalRequested,
                {"approval_id": "q1", "server": "s", "name": "rm", "arguments": "{}"},
            ),
        ],
    ),
    (
        [STARTED],
        {
            "type": "conversation.item.retrieved",
            "item": {**TYPED, "content": [{"type": "input_audio", "audio": "AAAA"}]},
        },
        [
            (
                ev.ItemRetrieved,
                {
                    "item": Item(
                        id="u1",
                        role=Role.USER,
                        status="completed",
                        content=(AudioContent(data=b"\0\0\0", format=PCM16_24K),),
                    )
                },
            )
        ],
    ),
    (
        [STARTED],
        {"type": "conversation.item.deleted", "item_id": "x"},
        [(ev.ItemDeleted, {"item_id": "x"})],
    ),
    (
        [STARTED, MESSAGE],
        {
            "type": "conversation.item.truncated",
            "item_id": "i1",
            "content_index": 1,
            "audio_end_ms": 720,
        },
        [
            (
                ev.ItemTruncated,
                {"item_id": "i1", "response_id": "r1", "content_index": 1, "audio_end_ms": 720},
            )
        ],
    ),
]
