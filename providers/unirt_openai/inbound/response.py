"""
Server events about responses: how they start, which items they write, how they end.

``response.done`` is the one truth about an ending. It also holds a copy of all that was written;
where a dialect left deltas out, what is missing is delivered from that copy before the response is
closed, so that nothing vanishes.

One conversation runs one response at a time. A dialect drops a response without a word when the
user talks over it; the next one then closes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from unirt import events as ev
from unirt.composer import Response
from unirt.events import Ending, StreamKind
from unirt.items import AudioContent, Item, ItemKind, TextContent
from unirt.wire import Wire
from unirt_openai import floor
from unirt_openai.formats import read_format
from unirt_openai.inbound.items import request_approval
from unirt_openai.inbound.rows import Row
from unirt_openai.inbound.tools import call_added, call_done, deliver_call, server_call_done
from unirt_openai.names import remember
from unirt_openai.state import Ids, State, dig, ids_of
from unirt_openai.usage import read_usage

__all__ = ["ROWS"]

ENDINGS: Mapping[tuple[str, str | None], tuple[Ending, str | None]] = {
    ("completed", None): (Ending.COMPLETE, None),
    ("cancelled", "turn_detected"): (Ending.INTERRUPTED, "speech"),
    ("cancelled", "client_cancelled"): (Ending.CANCELLED, "client"),
    ("incomplete", "max_output_tokens"): (Ending.INCOMPLETE, "max_output_tokens"),
    ("incomplete", "content_filter"): (Ending.INCOMPLETE, "content_filter"),
}
"By status and reason (openai 3.54.0, ``RealtimeResponseStatus``, 2026-11)."

_STATUS_ONLY: Mapping[str, tuple[Ending, str | None]] = {
    "": (Ending.COMPLETE, None),
    "completed": (Ending.COMPLETE, None),
    "cancelled": (Ending.CANCELLED, "unknown"),
    "incomplete": (Ending.INCOMPLETE, "unknown"),
}
"By status, where the reason is missing or unknown; any other status is a failure."

FAILURES: Mapping[str, str] = {
    "rate_limit_exceeded": "rate_limited",
    "insufficient_quota": "quota",
}
"""
Reasons of failures by the error's code or type; all others are the model's
(developers.openai.com/api/docs/guides/error-codes, 2026-11).
"""


def _created(state: State, wire: Wire) -> None:
    told = wire.obj("response")
    response_id = told.text_or("id") or None
    metadata = told.obj_or("metadata")
    # Null means beside the conversation; dialects leave the key out (recorded sessions, 2026-11).
    in_conversation = told.data.get("conversation_id", "") is not None
    composer = state.composer
    if response_id is not None and composer.response_named(response_id) is not None:
        return
    if in_conversation:
        _close_dropped(state)
    response = composer.response_started(
        response_id,
        in_conversation=in_conversation,
        metadata=None if metadata is None else metadata.data,
    )
    format_ = read_format(dig(told.data, "audio", "output", "format"))
    format_ = format_ or read_format(told.data.get("output_audio_format"))
    if format_ is not None:
        remember(state.formats, response.id, format_)
    if in_conversation and state.requests.begun():
        floor.cancel(state, response)


def _close_dropped(state: State) -> None:
    dropped = state.composer.active
    if dropped is not None:
        state.composer.response_done(
            dropped.id, ending=Ending.CANCELLED, reason="unknown", synthesised=True
        )


# Output items.


def _item_added(state: State, wire: Wire) -> None:
    told, index = wire.obj("item"), wire.count("output_index")
    item = state.read(told)
    response = state.response_of(wire)
    item_id = state.names.claim(item.id or state.composer.mint("item"), response.id)
    state.writes(response, item_id)
    output = state.remember_output(item_id, item, told.text_or("type") or "", response.id)
    output.arguments = item.arguments or output.arguments
    ids: Ids = {"item_id": item_id, **ids_of(response)}
    item = state.names.item(item, item.id and item_id)
    state.composer.emit(ev.OutputItemAdded, item=item, output_index=index, **ids)
    if item.kind is ItemKind.TOOL_CALL:
        call_added(state, response, output, StreamKind.TOOL_CALL)
    elif output.type in _SERVER_CALLS:
        call_added(state, response, output, StreamKind.SERVER_TOOL)


def _item_done(state: State, wire: Wire) -> None:
    told, index = wire.obj("item"), wire.count("output_index")
    item = state.read(told)
    response = state.response_of(wire)
    item_id = state.names.claim(
        item.id or state.writing.get(response.id) or state.composer.mint("item"), response.id
    )
    output = state.remember_output(item_id, item, told.text_or("type") or "", response.id)
    ids: Ids = {"item_id": item_id, **ids_of(response)}
    if item.kind is ItemKind.TOOL_CALL:
        call_done(state, response, output, item)
    elif output.type in _SERVER_CALLS:
        server_call_done(state, response, output, item)
    elif item.status != "incomplete":
        _close_streams(state, response, item_id)
    request_approval(state, item, ids)
    item = state.names.item(item, item.id and item_id)
    state.composer.emit(ev.OutputItemDone, item=item, output_index=index, **ids)


def _close_streams(state: State, response: Response, item_id: str) -> None:
    """Close what is open of an item that is complete; one that is not ends as its response does."""
    for key in [key for key in response.streams if key[0] == item_id]:
        _, index, kind = key
        if kind is StreamKind.AUDIO and state.media is not None:
            continue  # it is still being heard, until the response is done
        state.composer.finish(response, kind, item_id, index)


_SERVER_CALLS = frozenset({"mcp_call", "mcp_tool_call"})


# The end.


def _done(state: State, wire: Wire) -> None:
    told = wire.obj("response")
    response_id = told.text_or("id") or None
    ending, reason, detail = _ending(told)
    usage = told.obj_or("usage")
    counted = None if usage is None else read_usage(usage)
    output = [(state.read(entry), entry.text_or("type") or "") for entry in told.objs("output")]
    composer = state.composer
    known = composer.response_named(response_id) if response_id is not None else composer.active
    response = known or composer.response_started(response_id, synthesised=True)
    ended = response.ended
    if reason == "unknown" and response.id in state.cancelled:
        reason = "client"
    if not (response.done or response.interrupted or ending is Ending.INTERRUPTED):
        for item, type_ in output:
            _deliver(state, response, item, type_, ending)
        if ending is Ending.COMPLETE:
            _deliver_told_calls(state, response)
    composer.response_done(response.id, ending=ending, reason=reason, detail=detail, usage=counted)
    state.writing.pop(response.id, None)
    state.written.pop(response.id, None)
    state.formats.pop(response.id, None)
    if not ended:
        state.requests.done(response, state.now)


def _ending(told: Wire) -> tuple[Ending, str | None, str | None]:
    """How it ended, why in the canonical vocabulary, and the provider's own words for it."""
    status = told.text_or("status") or ""
    details = told.obj_or("status_details") or Wire({}, "$.response.status_details")
    reason = details.text_or("reason")
    error = details.obj_or("error")
    if error is not None:
        code = error.text_or("code") or error.text_or("type")
        message = error.text_or("message")
        detail = ": ".join(words for words in (code, message) if words) or None
        if status == "failed":
            return Ending.FAILED, FAILURES.get(code or "", "model_error"), detail
    known = ENDINGS.get((status, reason)) or _STATUS_ONLY.get(status)
    if known is None:
        return Ending.FAILED, "model_error" if status == "failed" else "unknown", reason or status
    return *known, reason


def _deliver(state: State, response: Response, item: Item, type_: str, ending: Ending) -> None:
    """Deliver of an item in the response's copy what no frame before has delivered."""
    named = item.id or state.writing.get(response.id) or state.composer.mint("item")
    item_id = state.names.claim(named, response.id)
    output = state.remember_output(item_id, item, type_, response.id)
    if item.kind is ItemKind.TOOL_CALL and not output.settled and ending is Ending.COMPLETE:
        output.settled = True
        deliver_call(state, response, output, item.arguments)
    elif type_ in _SERVER_CALLS and not output.settled:
        server_call_done(state, response, output, item)
    elif item.kind is ItemKind.MESSAGE:
        _deliver_message(state, response, item_id, item, ending)


def _deliver_message(
    state: State, response: Response, item_id: str, item: Item, ending: Ending
) -> None:
    for index, part in enumerate(item.content):
        match part:
            case TextContent():
                kind, text = StreamKind.TEXT, part.text
            case AudioContent():
                kind, text = StreamKind.TRANSCRIPT, part.transcript or ""
            case _:
                continue
        if not text or not _is_news(response, item_id, kind):
            continue
        if ending is Ending.COMPLETE:
            state.composer.finish(response, kind, item_id, index, text=text)
        elif (item_id, index, kind) not in response.streams:
            state.composer.text(response, kind, item_id, index, text)


def _is_news(response: Response, item_id: str, kind: StreamKind) -> bool:
    """Whether the item's words may not have been delivered yet, be it under a minted id."""
    told = {key[0] for key in response.streams if key[2] is kind}
    return not told or item_id in told


def _deliver_told_calls(state: State, response: Response) -> None:
    """Calls whose arguments were done, though neither item nor copy of them ever came."""
    for output in state.written.get(response.id, ()):
        told = output.type == "function_call"
        if told and output.arguments is not None and not output.settled:
            output.settled = True
            deliver_call(state, response, output, output.arguments)


ROWS: Mapping[str, Row] = {
    "response.created": Row(_created, (ev.ResponseStarted,)),
    "response.output_item.added": Row(_item_added, (ev.OutputItemAdded, ev.StreamOpened)),
    "response.output_item.done": Row(
        _item_done,
        (
            ev.OutputItemDone,
            ev.StreamClosed,
            ev.ToolCall,
            ev.ServerToolResult,
            ev.ApprovalRequested,
        ),
    ),
    "response.done": Row(_done, (ev.ResponseDone, ev.StreamClosed, ev.ToolCall)),
}
