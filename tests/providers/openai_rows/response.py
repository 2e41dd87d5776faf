"""Responses, and the items that come out of them."""

from __future__ import annotations

from tests.providers.openai_rows.row import Row
from tests.providers.openai_told import CALL, MCP, MESSAGE, OUT, SPEAKING, STARTED
from unirt import events as ev
from unirt.events import Ending
from unirt.usage import Tokens, Usage

__all__ = ["ROWS"]

ROWS: list[Row] = [
    (
        [SPEAKING],
        {
            "type": "response.created",
            "response": {"id": "r1", "conversation_id": "c", "metadata": {"k": "v"}},
        },
        [
            (
                ev.ResponseStarted,
                {
                    "response_id": "r1",
                    "turn_id": "u_turn_1",
                    "in_conversation": True,
                    "metadata": {"k": "v"},
                },
            )
        ],
    ),
    (
        [STARTED],
        {"type": "response.created", "response": {"id": "r2", "conversation_id": None}},
        [(ev.ResponseStarted, {"response_id": "r2", "in_conversation": False})],
    ),
    (
        [STARTED],
        STARTED | {"event_id": "again"},
        [(ev.Noted, {})],
    ),
    (
        [STARTED],
        MESSAGE,
        [
            (
                ev.OutputItemAdded,
                {"item_id": "i1", "response_id": "r1", "output_index": 0, "turn_id": "u_turn_1"},
            )
        ],
    ),
    (
        [STARTED, MESSAGE, {"type": "response.output_text.delta", "delta": "a", **OUT}],
        {**MESSAGE, "type": "response.output_item.done"},
        [
            (ev.StreamClosed, {"text": "a", "ending": Ending.COMPLETE}),
            (ev.OutputItemDone, {"item_id": "i1"}),
        ],
    ),
    ([STARTED], CALL, [(ev.OutputItemAdded, {"item_id": "i2"}), (ev.StreamOpened, {})]),
    ([STARTED], MCP, [(ev.OutputItemAdded, {"item_id": "i3"}), (ev.StreamOpened, {})]),
    (
        [STARTED, CALL],
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "output_index": 2,
            "item": {**CALL["item"], "status": "completed", "arguments": '{"a": 1}'},
        },
        [
            (ev.ToolCallDelta, {"text": '{"a": 1}'}),
            (ev.ToolCall, {"name": "look", "arguments": '{"a": 1}', "args": {"a": 1}}),
            (ev.StreamClosed, {"text": '{"a": 1}', "ending": Ending.COMPLETE}),
            (ev.OutputItemDone, {"item_id": "i2", "output_index": 2}),
        ],
    ),
    (
        [STARTED, CALL],
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "item": {**CALL["item"], "status": "incomplete", "arguments": '{"a"'},
        },
        [
            (ev.ToolCallDelta, {"text": '{"a"'}),
            (ev.StreamClosed, {"ending": Ending.INCOMPLETE}),
            (ev.OutputItemDone, {}),
        ],
    ),
    (
        [STARTED, MCP],
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "item": {**MCP["item"], "arguments": "{}", "output": "found"},
        },
        [
            (ev.ServerToolDelta, {"text": "{}"}),
            (ev.ServerToolResult, {"output": "found", "error": None}),
            (ev.StreamClosed, {"ending": Ending.COMPLETE}),
            (ev.OutputItemDone, {"item_id": "i3"}),
        ],
    ),
    (
        [STARTED, MCP],
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "item": {
                **MCP["item"],
                "error": {"type": "http_error", "code": 500, "message": "down"},
            },
        },
        [
            (ev.ServerToolResult, {"output": None, "error": "down"}),
            (ev.StreamClosed, {"ending": Ending.FAILED}),
            (ev.OutputItemDone, {}),
        ],
    ),
    (
        [STARTED],
        {
            "type": "response.done",
            "response": {
                "id": "r1",
                "status": "completed",
                "usage": {"input_tokens": 3, "output_tokens": 4},
            },
        },
        [
            (
                ev.ResponseDone,
                {
                    "response_id": "r1",
                    "ending": Ending.COMPLETE,
                    "reason": None,
                    "usage": Usage(input=Tokens(other=3), output=Tokens(other=4)),
                },
            )
        ],
    ),
]
