"""
Server events about conversation items: the provider's bookkeeping of what was said.

Items are control. What a user typed is the one content that comes only this way, so it is
delivered from here: each text part of a user's message is a stream of its own. What we put into
the conversation ourselves as history is not said by anybody now, and opens no turn.
The model's own items are delivered as they are generated; here they are only reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt import events as ev
from unirt.events import StreamKind
from unirt.items import Item, ItemKind, Role, TextContent
from unirt.wire import Wire
from unirt_openai.inbound.rows import Row
from unirt_openai.names import remember
from unirt_openai.state import Ids, State, dig, ids_of

__all__ = ["ROWS", "deliver_unconfirmed", "request_approval"]

# Named once: to look a member up in its enumeration takes Python 3.11 some 80 ns.
_ASSISTANT, _USER = Role.ASSISTANT, Role.USER
_SERVER_TOOL, _TOOL_RESULT = ItemKind.SERVER_TOOL, ItemKind.TOOL_RESULT


def _added(state: State, wire: Wire) -> None:
    item = _read(state, wire)
    ids = _ids(state, item)
    state.composer.emit(ev.ItemAdded, **_told(state, wire, item, ids))
    _follow(state, item, ids)


def _done(state: State, wire: Wire) -> None:
    item = _read(state, wire)
    ids = _ids(state, item)
    state.composer.emit(ev.ItemDone, **_told(state, wire, item, ids))
    _follow(state, item, ids)
    request_approval(state, item, ids)


def _told(state: State, wire: Wire, item: Item, ids: Ids) -> dict[str, Any]:
    previous = wire.text_or("previous_item_id")
    return {
        "item": state.names.item(item, item.id and ids["item_id"]),
        "previous_item_id": previous and state.names.of(previous),
        **ids,
    }


def _retrieved(state: State, wire: Wire) -> None:
    item = _read(state, wire)
    ids = state.ids_of_item(item.id)
    state.composer.emit(
        ev.ItemRetrieved, item=state.names.item(item, item.id and ids["item_id"]), **ids
    )


def _deleted(state: State, wire: Wire) -> None:
    item_id = wire.text_or("item_id")
    state.composer.emit(ev.ItemDeleted, **state.ids_of_item(item_id))


def _truncated(state: State, wire: Wire) -> None:
    fields: dict[str, Any] = {
        "audio_end_ms": wire.number_or("audio_end_ms") or 0.0,
        "content_index": wire.count("content_index"),
    }
    item_id = wire.text_or("item_id")
    state.composer.emit(ev.ItemTruncated, **fields, **state.ids_of_item(item_id))


def _read(state: State, wire: Wire) -> Item:
    told = wire.obj("item")
    ours = told.data.get("role") != _ASSISTANT
    return state.read(told, ours=ours)


def _ids(state: State, item: Item) -> Ids:
    """What the item belongs to. The user's message opens a turn where none is open."""
    if _is_user_turn(state, item):
        item_id = state.names.claim(item.id or state.composer.mint("item"), None)
        return {"item_id": item_id, "turn_id": state.composer.turn(item_id)}
    ids = state.ids_of_item(item.id)
    call = state.composer.call_named(item.call_id or "") if item.kind is _TOOL_RESULT else None
    if call is None:
        return ids
    response = state.composer.response(call.response_id)
    return {"item_id": ids.get("item_id"), **ids_of(response)}


def _is_user_turn(state: State, item: Item) -> bool:
    return item.role is _USER and item.id not in state.names.seeded


def _follow(state: State, item: Item, ids: Ids) -> None:
    """Deliver what only the item tells."""
    if item.kind is _SERVER_TOOL and item.id:
        server = dig(item.data, "server_label")
        if isinstance(server, str):
            remember(state.servers, item.id, server)
        return
    item_id = ids.get("item_id")
    if item_id is None or not _is_user_turn(state, item) or item_id in state.said:
        return
    state.user_item = item_id
    state.unconfirmed.pop(str(item.id), None)
    remember(state.said, item_id, None)
    _deliver(state, item, item_id)


def _deliver(state: State, item: Item, item_id: str, *, synthesised: bool = False) -> None:
    """Deliver what the user wrote."""
    composer, kind = state.composer, StreamKind.TEXT
    for index, part in enumerate(item.content):
        if isinstance(part, TextContent) and part.text:
            composer.user_text(kind, item_id, index, part.text, synthesised=synthesised)
            composer.user_finish(kind, item_id, index, text=part.text, synthesised=synthesised)


def deliver_unconfirmed(state: State) -> None:
    """The connection is gone: what was written and not told until now was said all the same."""
    if not state.composer.closed:
        for _, item in state.unconfirmed.values():
            _deliver(state, item, _ids(state, item)["item_id"], synthesised=True)
    state.unconfirmed.clear()


def request_approval(state: State, item: Item, ids: Ids) -> None:
    """Tell, once, that a server-side tool waits for a yes or a no."""
    if dig(item.data, "type") != "mcp_approval_request":
        return
    approval_id = item.id and ids["item_id"]
    if approval_id in state.approvals:
        return
    server = dig(item.data, "server_label")
    approval_id = approval_id or state.composer.mint("item")
    remember(state.approvals, approval_id, None)
    state.composer.emit(
        ev.ApprovalRequested,
        approval_id=approval_id,
        server=server if isinstance(server, str) else None,
        name=item.name,
        arguments=item.arguments,
        **ids,
    )


_ADDED = Row(_added, (ev.ItemAdded, ev.StreamOpened, ev.TextDelta, ev.StreamClosed))

ROWS: Mapping[str, Row] = {
    "conversation.item.added": _ADDED,
    "conversation.item.created": _ADDED,
    "conversation.item.done": Row(_done, (ev.ItemDone, ev.ApprovalRequested)),
    "conversation.item.retrieved": Row(_retrieved, (ev.ItemRetrieved,)),
    "conversation.item.deleted": Row(_deleted, (ev.ItemDeleted,)),
    "conversation.item.truncated": Row(_truncated, (ev.ItemTruncated,)),
}
