"""
The model's side of OpenAI's wire, said by a server: which response and which item an event means.

Events name responses, items and streams; this room finds them, or begins what has not begun, and
lets them speak (:mod:`unirt_openai.server.items`, :mod:`unirt_openai.server.calls`).
A response says nothing after ``response.done``; what is still told of it then is dropped.
Thoughts, pictures and citations have no words on this wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt import events as ev
from unirt.events import Ending, StreamKind
from unirt_openai.items import write_item
from unirt_openai.server.calls import FunctionCall, McpCall
from unirt_openai.server.items import Answer, Message, OutputItem
from unirt_openai.server.state import ServerState, oldest_dropped
from unirt_openai.usage import write_usage

__all__ = ["OutputSide"]

_CLASSES: Mapping[str, type[OutputItem]] = {
    "message": Message,
    "function_call": FunctionCall,
    "mcp_call": McpCall,
}
_TYPE_OF: Mapping[StreamKind, str] = {
    StreamKind.TOOL_CALL: "function_call",
    StreamKind.SERVER_TOOL: "mcp_call",
    **dict.fromkeys(Message.KINDS, "message"),
}
"The type of item that a stream is a part of; kinds that are missing are not said."

_STATUS: Mapping[Ending, str] = {
    Ending.COMPLETE: "completed",
    Ending.INTERRUPTED: "cancelled",
    Ending.CANCELLED: "cancelled",
    Ending.FAILED: "failed",
    Ending.INCOMPLETE: "incomplete",
}
_CODES = {"rate_limited": "rate_limit_exceeded", "quota": "insufficient_quota"}
"Canonical reasons of a failure, in OpenAI's codes; the others are its ``server_error``."

_QUOTA = 15_000_000
"Tokens a minute, as recorded (2026-11)."


class OutputSide:
    """Turns events about responses and their content into frames."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._answers: dict[str, Answer] = {}
        self._over: dict[str, Any] = {}
        self._left = _QUOTA
        self._approval: str | None = None
        "The request for an approval that the next call answers to."

    # Responses.

    def started(self, event: ev.ResponseStarted) -> None:
        self._start(event.response_id, event.in_conversation, event.metadata)

    def generation_done(self, event: ev.GenerationDone) -> None:
        """Nothing is said of it; what is whole is finished."""
        if (answer := self._answers.get(event.response_id)) is not None:
            _settle(answer)

    def done(self, event: ev.ResponseDone) -> None:
        answer = self._start(event.response_id)
        if answer is None:
            return
        for item in answer.items.values():
            item.finish(event.ending)
        del self._answers[answer.id]
        self._state.running.discard(answer.id)
        self._over[answer.id] = None
        oldest_dropped(self._over)
        if self._state.active == answer.id:
            self._state.active = None
        usage = None if event.usage is None else write_usage(event.usage)
        response = {
            **self._response(answer, _STATUS[event.ending]),
            "status_details": _details(event),
            "output": [item.wire for item in answer.items.values()],
            "usage": usage,
        }
        self._state.say("response.done", response=response)
        self._say_quota(0 if usage is None else usage["total_tokens"])

    def _start(
        self,
        response_id: str,
        in_conversation: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Answer | None:
        """The response of that id, started where it was not; ``None`` where it is done."""
        if response_id in self._over:
            return None
        if (known := self._answers.get(response_id)) is not None:
            return known
        request = self._take_request(in_conversation)
        answer = self._answers[response_id] = Answer(
            response_id, in_conversation, request, metadata or request.get("metadata")
        )
        self._state.running.add(response_id)
        if in_conversation:
            self._state.active = response_id
        self._state.say("response.created", response=self._response(answer, "in_progress"))
        return answer

    def _take_request(self, in_conversation: bool) -> Mapping[str, Any]:
        """The oldest accepted request that a response of this kind may answer."""
        for request in self._state.requests:
            if request.in_conversation == in_conversation:
                self._state.requests.remove(request)
                return request.fields
        return {}

    def _response(self, answer: Answer, status: str) -> dict[str, Any]:
        asked = {**self._state.session, **answer.request}
        output = dict(self._state.session["audio"].get("output") or {})
        output.update((answer.request.get("audio") or {}).get("output") or {})
        return {
            "object": "realtime.response",
            "id": answer.id,
            "status": status,
            "status_details": None,
            "output": [],
            "conversation_id": self._state.conversation.id if answer.in_conversation else None,
            "output_modalities": asked.get("output_modalities"),
            "max_output_tokens": asked.get("max_output_tokens"),
            "audio": {"output": {key: output.get(key) for key in ("format", "voice")}},
            "usage": None,
            "metadata": None if answer.metadata is None else dict(answer.metadata),
        }

    def _say_quota(self, spent: int) -> None:
        self._left = max(0, self._left - spent)
        limit = {
            "name": "tokens",
            "limit": _QUOTA,
            "remaining": self._left,
            "reset_seconds": (_QUOTA - self._left) * 60 / _QUOTA,
        }
        self._state.say("rate_limits.updated", rate_limits=[limit])

    # Streams.

    def opened(self, event: ev.StreamOpened) -> None:
        item = self._item(event)
        if isinstance(item, Message):
            item.open(event.stream)

    def audio(self, event: ev.AudioDelta) -> None:
        item = self._item(event)
        if isinstance(item, Message):
            item.audio(event)

    def words(
        self, event: ev.TextDelta | ev.TranscriptDelta | ev.ToolCallDelta | ev.ServerToolDelta
    ) -> None:
        match self._item(event):
            case Message() as item:
                item.grow(event.stream, event.text)
            case (FunctionCall() | McpCall()) as item if not item.done:
                item.grow(event.text)

    def called(self, event: ev.ToolCall | ev.ServerToolResult) -> None:
        match self._item(event), event:
            case FunctionCall(done=False) as item, ev.ToolCall():
                item.deliver(event)
            case McpCall(done=False) as item, ev.ServerToolResult():
                item.deliver(event)

    def closed(self, event: ev.StreamClosed) -> None:
        stream = event.stream
        answer = self._answers.get(stream.response_id or self._state.active or "")
        if stream.kind not in _TYPE_OF or answer is None:
            return
        item = answer.items.get(answer.place(stream.item_id or "", stream.kind))
        if item is None or item.done:
            return
        if isinstance(item, Message):
            item.close(stream, event.text, event.ending)
        else:
            item.finish(event.ending)

    def _item(self, event: ev.ContentEvent) -> OutputItem | None:
        """The item that an event is about, begun where it was not; ``None`` if it is not said."""
        stream = event.stream
        type = _TYPE_OF.get(stream.kind)
        answer = self._answer(stream.response_id)
        if type is None or answer is None:
            return None
        latest = next(reversed(answer.items), None) if type == "message" else None
        item_id = stream.item_id or latest or self._state.mint("item")
        item_id = answer.place(item_id, stream.kind)
        item = answer.items.get(item_id) or self._begin(answer, self._wire(type, item_id, event))
        item.announce()
        return item

    def _answer(self, response_id: str | None) -> Answer | None:
        if response_id is not None:
            return self._start(response_id)
        return self._answers.get(self._state.active or "")

    def _begin(self, answer: Answer, wire: dict[str, Any]) -> OutputItem:
        _settle(answer)
        return _CLASSES.get(str(wire.get("type")), OutputItem)(self._state, answer, wire)

    def _wire(self, type: str, item_id: str, event: ev.ContentEvent) -> dict[str, Any]:
        stream = event.stream
        head = {"id": item_id, "type": type}
        name = stream.name or getattr(event, "name", None) or ""
        if type == "function_call":
            call_id = stream.call_id or self._state.mint("call")
            return {
                **head,
                "status": "in_progress",
                "name": name,
                "call_id": call_id,
                "arguments": "",
            }
        if type == "mcp_call":
            approval, self._approval = self._approval, None
            return {
                **head,
                "approval_request_id": approval,
                "server_label": self._server_label(),
                "name": name,
                "arguments": "",
                "output": None,
                "error": None,
            }
        phase = {"phase": stream.phase} if stream.phase else {}
        return {**head, "status": "in_progress", "role": "assistant", **phase, "content": []}

    def _server_label(self) -> str:
        for tool in self._state.session.get("tools") or ():
            if tool["type"] == "mcp":
                return str(tool.get("server_label"))
        return "server"

    # Items that events tell of themselves.

    def item_event(
        self, event: ev.ItemAdded | ev.ItemDone | ev.OutputItemAdded | ev.OutputItemDone, type: str
    ) -> None:
        """Say a frame about an item, unless it was said: of a response's, or of the user's."""
        wire = write_item(event.item)
        wire["id"] = wire.get("id") or event.item_id or self._state.mint("item")
        output = type.startswith("response.")
        answer = self._answer(event.response_id) if output or event.response_id else None
        if answer is None:
            if not output:
                self._others_item(wire, type, getattr(event, "previous_item_id", None))
            return
        item = answer.items.get(wire["id"]) or self._begin(answer, wire)
        if type.endswith("done"):
            if not isinstance(item, Message) or not item.wire["content"]:
                item.wire.update(wire)
            item.finish()
        item.tell(type)

    def approval(self, event: ev.ApprovalRequested) -> None:
        """Say the item that asks for a yes or a no."""
        wire = {
            "id": event.approval_id,
            "type": "mcp_approval_request",
            "server_label": event.server or self._server_label(),
            "name": event.name or "",
            "arguments": event.arguments or "",
        }
        answer = self._answer(event.response_id)
        self._approval = event.approval_id
        if answer is not None:
            item = answer.items.get(event.approval_id) or self._begin(answer, wire)
            item.finish()
        elif event.approval_id not in self._state.conversation:
            self._state.add_item(wire)

    def tool_status(self, event: ev.ServerToolStatus) -> None:
        for answer in self._answers.values():
            item = answer.items.get(event.item_id or "")
            if isinstance(item, McpCall):
                item.status(event.status)
                return
        self._state.say(
            f"response.mcp_call.{event.status}", output_index=0, item_id=event.item_id or ""
        )

    def _others_item(self, wire: dict[str, Any], type: str, previous: str | None) -> None:
        conversation, item_id = self._state.conversation, wire["id"]
        if type.endswith("added"):
            if item_id in conversation:
                return
            previous = conversation.add(wire, previous if previous in conversation else None)
            conversation.unfinished[item_id] = None
            oldest_dropped(conversation.unfinished)
        elif item_id not in conversation:
            conversation.add(wire)
        elif item_id in conversation.unfinished:
            del conversation.unfinished[item_id]
        else:
            return
        self._state.say(type, previous_item_id=previous, item=wire)


def _settle(answer: Answer) -> None:
    for item in answer.items.values():
        if item.settled:
            item.finish()


def _details(event: ev.ResponseDone) -> dict[str, Any] | None:
    """Why a response did not complete, as ``status_details``."""
    match event.ending:
        case Ending.COMPLETE:
            return None
        case Ending.INTERRUPTED if event.reason != "client":
            return {"type": "cancelled", "reason": "turn_detected"}
        case Ending.INTERRUPTED | Ending.CANCELLED:
            return {"type": "cancelled", "reason": "client_cancelled"}
        case Ending.INCOMPLETE:
            filtered = event.reason == "content_filter"
            reason = "content_filter" if filtered else "max_output_tokens"
            return {"type": "incomplete", "reason": reason}
        case Ending.FAILED:
            code = _CODES.get(event.reason or "", "server_error")
            message = event.detail or "The server had an error while processing your request."
            error = {"type": code, "code": code, "message": message}
            return {"type": "failed", "error": error}
