"""
What a client may say to a server: one row a client event, all eleven of them.

A handler takes the frame, answers as the live service does, and returns what was said in canonical
terms. It raises :class:`~unirt_openai.server.checks.Refused` before it changes anything; the caller
turns that into an ``error`` that names the frame.

One thing is said in two frames here and in one elsewhere: text, and the wish for an answer. So a
user's message is heard as ``SendText(respond=False)``, and ``Respond`` follows. A message that the
canonical verbs cannot say (several parts of different kinds, another role, a place of its own in
the conversation) is heard as ``CreateItem``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unirt.commands import (
    AppendAudio,
    ApproveServerTool,
    CancelResponse,
    ClearInput,
    ClearPlayback,
    Command,
    CommitInput,
    CreateItem,
    DeleteItem,
    Respond,
    RetrieveItem,
    SendImage,
    SendText,
    SendToolResult,
    TruncateItem,
    UpdateSession,
)
from unirt.items import ImageContent, Item, Role, TextContent
from unirt.wire import Wire, WireError, decode_audio, parse_frame
from unirt_openai.items import read_item
from unirt_openai.server.canonical import read_request
from unirt_openai.server.checks import Refused, invalid_value, missing, obj
from unirt_openai.server.input import InputSide
from unirt_openai.server.listings import Listings
from unirt_openai.server.session import RESPONSE, updated_session
from unirt_openai.server.state import Request, ServerState

__all__ = ["CLIENT_EVENTS", "Listener"]

_SHORTEST_COMMIT_MS = 100.0
"A shorter buffer cannot be committed (live errors quoted in public issues, 2026-11)."
_LONGEST_ID = 32
"Characters of a client's item id (likewise)."

_CONTENT: Mapping[str, tuple[str, ...]] = {
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text",),
    "system": ("input_text",),
}
"What a client may put into a message, by role; the assistant's audio cannot be seeded."

_ITEMS = ("message", "function_call", "function_call_output", "mcp_approval_response")
"The items that a client may create."


class Listener:
    """Hears one connection's client."""

    def __init__(self, state: ServerState, input_: InputSide) -> None:
        self._state = state
        self._input = input_
        self._listings = Listings()
        self.rows: Mapping[str, Callable[[Wire], Command]] = {
            "session.update": self._session_update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "output_audio_buffer.clear": self._clear_playback,
            "conversation.item.create": self._create,
            "conversation.item.retrieve": self._retrieve,
            "conversation.item.truncate": self._truncate,
            "conversation.item.delete": self._delete,
            "response.create": self._respond,
            "response.cancel": self._cancel,
        }

    def hear(self, type: str, frame: Wire) -> Command:
        """
        Answer a frame and say what it means.

        Raises:
            Refused: The service would answer with an error, and nothing was changed.
        """
        handler = self.rows.get(type)
        if handler is None:
            raise invalid_value("type", type, CLIENT_EVENTS)
        try:
            return handler(frame)
        except WireError as exc:
            path = exc.path.removeprefix("$.")
            raise Refused("invalid_type", f"Invalid type for '{path}': {exc.what}.", path) from None

    # The session.

    def _session_update(self, frame: Wire) -> Command:
        if "session" not in frame:
            raise missing("session")
        state = self._state
        changes = frame.data["session"]
        state.configure(updated_session(state.session, changes, has_spoken=state.has_spoken))
        state.say("session.updated", session=state.session)
        self._listings.read(state)
        return UpdateSession(changes=state.config)

    # The user's audio.

    def _append(self, frame: Wire) -> Command:
        if "audio" not in frame:
            raise missing("audio")
        try:
            data = decode_audio(frame.text("audio"), "audio")
        except WireError as exc:
            if exc.path != "audio":
                raise
            message = "Invalid 'audio'. Expected base64-encoded audio bytes."
            raise Refused("invalid_value", message, "audio") from None
        self._state.buffer.size += len(data)
        self._state.buffer.total += len(data)
        return AppendAudio(data=data)

    def _commit(self, frame: Wire) -> Command:
        state = self._state
        held = state.input_format.duration_ms(state.buffer.size)
        if held < _SHORTEST_COMMIT_MS:
            raise Refused(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{_SHORTEST_COMMIT_MS:.0f}ms of audio, but buffer only has {held:.2f}ms of audio.",
            )
        self._input.commit_by_client()
        return CommitInput()

    def _clear(self, frame: Wire) -> Command:
        self._state.buffer.size, self._state.buffer.item_id = 0, None
        self._state.say("input_audio_buffer.cleared")
        return ClearInput()

    def _clear_playback(self, frame: Wire) -> Command:
        """Whoever owns the playback answers, with a ``PlaybackCleared`` event."""
        return ClearPlayback()

    # Items.

    def _create(self, frame: Wire) -> Command:
        state = self._state
        wire = _checked_item(frame)
        item_id = wire.data.get("id")
        if item_id is not None and item_id in state.conversation:
            raise Refused(
                "item_create_duplicate_item_id",
                f"Error adding item: an item with id '{item_id}' already exists.",
                "item.id",
            )
        after = frame.text_or("previous_item_id")
        if after not in (None, "root") and after not in state.conversation:
            raise Refused(
                "item_create_invalid_previous_item_id",
                f"Error adding item: the previous item with id '{after}' does not exist.",
                "previous_item_id",
            )
        calls = state.conversation.call_names()
        if wire.data["type"] == "function_call_output" and wire.text("call_id") not in calls:
            raise Refused(
                "invalid_tool_call_id",
                f"Tool call ID '{wire.data['call_id']}' not found in conversation.",
                "item.call_id",
            )
        item = read_item(wire, audio_format=state.input_format)
        command = _said(item, wire, after)
        state.add_item(_kept({**wire.data, "id": item_id or state.mint("item")}), after)
        return command

    def _retrieve(self, frame: Wire) -> Command:
        item_id, item = self._find(frame, "retrieve")
        self._state.say("conversation.item.retrieved", item=item)
        return RetrieveItem(item_id=item_id)

    def _delete(self, frame: Wire) -> Command:
        item_id, _ = self._find(frame, "delete")
        self._state.conversation.remove(item_id)
        self._state.say("conversation.item.deleted", item_id=item_id)
        return DeleteItem(item_id=item_id)

    def _truncate(self, frame: Wire) -> Command:
        item_id, item = self._find(frame, "truncate")
        if "audio_end_ms" not in frame:
            raise missing("audio_end_ms")
        index, end = frame.count("content_index"), frame.count("audio_end_ms")
        conversation = self._state.conversation
        held = conversation.audio_ms.get(item_id, 0.0)
        if item.get("role") != "assistant" or not held:
            raise Refused(
                "unsupported_content_type",
                "Only model output audio messages can be truncated",
                "item_id",
            )
        if not 0 <= end <= held + 1:
            raise Refused(
                "invalid_value",
                f"Audio content of {held:.0f}ms is already shorter than {end}ms",
                "audio_end_ms",
            )
        conversation.audio_ms[item_id] = float(end)
        item["content"] = [{"type": "output_audio", "transcript": None}]
        self._state.say(
            "conversation.item.truncated", item_id=item_id, content_index=index, audio_end_ms=end
        )
        return TruncateItem(item_id=item_id, audio_end_ms=end, content_index=index)

    def _find(self, frame: Wire, verb: str) -> tuple[str, dict[str, Any]]:
        if "item_id" not in frame:
            raise missing("item_id")
        item_id = frame.text("item_id")
        item = self._state.conversation.get(item_id)
        if item is None:
            raise Refused(
                f"item_{verb}_invalid_item_id",
                f"Error with item.{verb}: the item with id '{item_id}' does not exist.",
                "item_id",
            )
        return item_id, item

    # Responses.

    def _respond(self, frame: Wire) -> Command:
        state = self._state
        fields = frame.data.get("response") or {}
        obj(RESPONSE)(fields, "response")
        request = Request(fields)
        if request.in_conversation and (
            state.active is not None or any(r.in_conversation for r in state.requests)
        ):
            raise Refused(
                "conversation_already_has_active_response",
                "Conversation already has an active response in progress"
                + (f": {state.active}. " if state.active else ". ")
                + "Wait until the response is finished before creating a new one.",
            )
        command: Respond = read_request(fields)
        state.request(request)
        return command

    def _cancel(self, frame: Wire) -> Command:
        response_id = frame.text_or("response_id")
        active = self._state.active
        wanted = response_id in (None, active) and (active is not None or self._state.requests)
        if not wanted and response_id not in self._state.running:
            raise Refused(
                "response_cancel_not_active", "Cancellation failed: no active response found"
            )
        return CancelResponse(response_id=response_id)


CLIENT_EVENTS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "output_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "conversation.item.delete",
    "response.create",
    "response.cancel",
)
"All client events (openai.types.realtime.RealtimeClientEvent, SDK 3.54.0, 2026-11)."


def _checked_item(frame: Wire) -> Wire:
    """The item of a ``conversation.item.create``, if a client may create it."""
    if "item" not in frame:
        raise missing("item")
    item = Wire(frame.data["item"], "item")
    if "type" not in item:
        raise missing("item.type")
    if item.data["type"] not in _ITEMS:
        raise invalid_value("item.type", item.data["type"], _ITEMS)
    if len(item.text_or("id") or "") > _LONGEST_ID:
        raise Refused(
            "string_above_max_length",
            "Invalid 'item.id': string too long. Expected a string with maximum length "
            f"{_LONGEST_ID}, but got a string with length {len(item.data['id'])} instead.",
            "item.id",
        )
    if item.data["type"] == "message":
        _check_message(item)
    for key in _REQUIRED.get(item.data["type"], ()):
        if key not in item:
            raise missing(f"item.{key}")
    return item


_REQUIRED = {
    "message": ("role", "content"),
    "function_call": ("name", "arguments", "call_id"),
    "function_call_output": ("call_id", "output"),
    "mcp_approval_response": ("approval_request_id", "approve"),
}


def _check_message(item: Wire) -> None:
    role = item.text_or("role")
    if role is not None and role not in _CONTENT:
        raise invalid_value("item.role", role, list(_CONTENT))
    for i, part in enumerate(item.objs("content")):
        type_ = part.text_or("type")
        allowed = _CONTENT[role or "user"]
        if type_ not in allowed:
            raise invalid_value(f"item.content[{i}].type", type_, allowed)


def _kept(wire: dict[str, Any]) -> dict[str, Any]:
    """An item as the server shows it from now on: without audio bytes, and with a status."""
    if wire["type"] == "function_call_output":
        return {key: value for key, value in wire.items() if key not in ("status", "object")}
    shown = {"id": wire["id"], "type": wire["type"], "status": "completed", **wire}
    if wire["type"] == "mcp_approval_response":
        del shown["status"]
    if wire["type"] == "message":
        shown["content"] = [
            {"type": "input_audio", "transcript": part.get("transcript")}
            if part.get("type") == "input_audio"
            else part
            for part in wire["content"]
        ]
    return shown


def _said(item: Item, wire: Wire, after: str | None) -> Command:
    """What the creation of an item means."""
    match wire.data["type"]:
        case "function_call_output":
            return _tool_result(wire.text("call_id"), wire.text("output"))
        case "mcp_approval_response":
            return ApproveServerTool(
                approval_id=wire.text("approval_request_id"),
                approve=wire.flag("approve"),
                reason=wire.text_or("reason"),
            )
    if item.role is Role.USER and after is None:
        match item.content:
            case (ImageContent(data=bytes(data), mime_type=mime_type),):
                return SendImage(data=data, mime_type=mime_type, respond=False)
            case (TextContent(), *rest) if all(isinstance(part, TextContent) for part in rest):
                return SendText(text=item.text, respond=False)
    return CreateItem(item=item, previous_item_id=after)


def _tool_result(call_id: str, output: str) -> SendToolResult:
    """The result of a call; JSON with nothing but an error in it is how failures are told."""
    try:
        value = parse_frame(output)
    except ValueError:
        value = None
    if isinstance(value, dict) and list(value) == ["error"] and isinstance(value["error"], str):
        return SendToolResult(call_id=call_id, error=value["error"], respond=False)
    return SendToolResult(call_id=call_id, output=output, respond=False)
