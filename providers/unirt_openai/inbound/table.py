"""
Server events to canonical events: the table of all types, and the one way through it.

A type is a row; the GA and the beta name of the same thing share one. The 46 types are those of the
SDK's ``RealtimeServerEvent`` (openai 3.54.0, 2026-11); the rest are beta names, still spoken by
Azure, and a type of the xAI dialect. What is in no row is ``Unmapped``, with its data.

Every frame gives at least one event. Where a handler found nothing to tell, because other frames
told it, the frame is noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt import events as ev
from unirt.wire import Wire, WireError
from unirt_openai.inbound import (
    content,
    items,
    response,
    session,
    tools,
    user,
)
from unirt_openai.inbound.rows import Row
from unirt_openai.state import Ids, State

__all__ = ["HANDLERS", "complain", "hear"]

HANDLERS: Mapping[str, Row] = {
    **session.ROWS,
    **user.ROWS,
    **items.ROWS,
    **response.ROWS,
    **content.ROWS,
    **tools.ROWS,
}
"By type on the wire."


def hear(state: State, data: Any) -> str:
    """
    Tell what one decoded frame says; returns its type.

    Raises:
        WireError: It is not what the protocol says.
    """
    wire = Wire(data)
    type_ = wire.text("type")
    row = HANDLERS.get(type_)
    composer = state.composer
    if row is None:
        composer.emit(ev.Unmapped, type=type_, data=data, **_ids(state, wire))
        return type_
    row.handler(state, wire)
    if composer.silent:
        composer.noted(type_, "other frames have told it", **_ids(state, wire))
    return type_


def _ids(state: State, wire: Wire) -> Ids:
    """What a frame without a handler's help belongs to, as far as it says."""
    item_id, response_id = wire.data.get("item_id"), wire.data.get("response_id")
    if isinstance(response_id, str) and response_id:
        ids = state.ids_of_response(response_id)
        if isinstance(item_id, str) and item_id:
            ids["item_id"] = state.names.of(item_id, ids["response_id"])
        return ids
    return state.ids_of_item(item_id) if isinstance(item_id, str) else {}


def complain(state: State, error: WireError) -> None:
    """Tell that a frame is malformed."""
    state.composer.emit(ev.Malformed, where=error.path, what=error.what)
