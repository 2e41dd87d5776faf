"""Items that OpenAI is sent, and the frames that hold them."""

from __future__ import annotations

from typing import Any

from unirt.items import Item, Role

__all__ = ["CALLED", "CREATE", "said", "typed"]

CREATE = {"type": "response.create"}
CALL_ITEM = {
    "id": "f1",
    "type": "function_call",
    "status": "completed",
    "name": "look",
    "call_id": "k1",
    "arguments": "{}",
}
CALLED = [
    {"type": "response.created", "response": {"id": "r1"}},
    {"type": "response.output_item.done", "response_id": "r1", "item": CALL_ITEM},
    {"type": "response.done", "response": {"id": "r1", "status": "completed"}},
]


def said(role: Role, *content: Any, **fields: Any) -> Item:
    return Item(role=role, content=content, **fields)


def typed(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}
