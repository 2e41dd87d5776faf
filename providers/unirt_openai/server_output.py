"""
The model's side of OpenAI's wire, said by a server: responses, items, parts, and their endings.

Canonical streams stand alone; on this wire they nest. A response holds output items, a message
holds content parts, and an audio part holds two streams: the voice and its transcript. So an item
is announced with its first stream, a part with its first kind, and the endings come from the inside
out, in the order that was recorded (2026-11)::

    response.output_audio.done, response.output_audio_transcript.done, response.content_part.done,
    conversation.item.done, response.output_item.done, response.done, rate_limits.updated

When is an item over? When all its streams have closed and something else begins or ends: another
item, the generation, the response. Before that one more part may come. A function call is over when
it is delivered.

Frames are told once an item, whether its streams implied them or an event asked for them; that lets
both a simulator (which speaks in streams) and a relay (which passes item events on) speak through
here. A response outside the conversation has no ``conversation.item.*`` frames. Thoughts, pictures
and citations have no words on this wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pybase64

from unirt import events as ev
from unirt.events import Ending, StreamKind

from unirt_openai.items import write_item
from unirt_openai.server_state import Request, ServerState, oldest_dropped
from unirt_openai.usage import write_usage

__all__ = ["OutputSide"]

_PART_OF: Mapping[StreamKind, str] = {
    StreamKind.TEXT: "text",
    StreamKind.AUDIO: "audio",
    StreamKind.TRANSCRIPT: "audio",
}
_WHOLE = {"text": {StreamKind.TEXT}, "audio": {StreamKind.AUDIO, StreamKind.TRANSCRIPT}}
_ITEM_OF: Mapping[StreamKind, str] = {
    StreamKind.TOOL_CALL: "function_call",
    StreamKind.SERVER_TOOL: "mcp_call",
    **dict.fromkeys(_PART_OF, "message"),
}
_STATUS: Mapping[Ending, str] = {
    Ending.COMPLETE: "completed",
    Ending.INTERRUPTED: "cancelled",
    Ending.CANCELLED: "cancelled",
    Ending.FAILED: "failed",
    Ending.INCOMPLETE: "incomplete",
}
_CODES = {"rate_limited": "rate_limit_exceeded", "quota": "insufficient_quota"}
_QUOTA = 15_000_000
"Tokens a minute, as recorded from a paid account."


@attrs.define(eq=False)
class _Part:
    kind: str
    index: int
    texts: list[str] = attrs.field(factory=list)
    opened: set[StreamKind] = attrs.field(factory=set)
    closed: set[StreamKind] = attrs.field(factory=set)
    final: str = ""
    done: bool = False

    @property
    def content(self) -> dict[str, Any]:
        if self.kind == "text":
            return {"type": "output_text", "text": self.final}
        return {"type": "output_audio", "transcript": self.final}


@attrs.define(eq=False)
class _Item:
    wire: dict[str, Any]
    index: int
    parts: dict[tuple[str, int], _Part] = attrs.field(factory=dict)
    arguments: list[str] = attrs.field(factory=list)
    told: set[str] = attrs.field(factory=set)
    "Which of the frames that come once an item have gone out."
    whole: bool = True
    "Whether everything in it ended complete."
    done: bool = False

    @property
    def id(self) -> str:
        return str(self.wire["id"])

    @property
    def open(self) -> bool:
        if self.wire["type"] != "message":
            return True
        return any(part.opened - part.closed for part in self.parts.values())


@attrs.define(eq=False)
class _Answer:
    id: str
    in_conversation: bool
    request: Mapping[str, Any]
    metadata: Mapping[str, Any] | None
    items: dict[str, _Item] = attrs.field(factory=dict)


class OutputSide:
    """Turns events about responses and their content into frames."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._answers: dict[str, _Answer] = {}
        self._over: dict[str, None] = {}
        self._left = _QUOTA

    # Responses.

    def is_running(self, response_id: str) -> bool:
        """Whether a response was started and is not done."""
        return response_id in self._answers

    def started(self, event: ev.ResponseStarted) -> None:
        self._start(event.response_id, event.in_conversation, event.metadata)

    def _start(
        self, id: str, in_conversation: bool, metadata: Mapping[str, Any] | None = None
    ) -> _Answer | None:
        if id in self._over:
            return None
        if (known := self._answers.get(id)) is not None:
            return known
        request = self._request(in_conversation)
        answer = _Answer(id, in_conversation, request, metadata or request.get("metadata"))
        self._answers[id] = answer
        if in_conversation:
            self._state.active = id
        self._state.say("response.created", response=self._response(answer, "in_progress"))
        return answer

    def _request(self, in_conversation: bool) -> Mapping[str, Any]:
        """The oldest request that this response may be the answer to."""
        waiting: list[Request] = self._state.requests
        for request in waiting:
            if request.in_conversation == in_conversation:
                waiting.remove(request)
                return request.fields
        return {}

    def _answer(self, response_id: str | None) -> _Answer | None:
        if response_id is not None:
            return self._start(response_id, in_conversation=True)
        running = self._state.active
        return None if running is None else self._answers.get(running)

    def generation_done(self, event: ev.GenerationDone) -> None:
        """Nothing is said of it; what is whole is closed."""
        answer = self._answers.get(event.response_id)
        if answer is not None:
            self._settle(answer)

    def done(self, event: ev.ResponseDone) -> None:
        answer = self._start(event.response_id, in_conversation=True)
        if answer is None:
            return
        for item in answer.items.values():
            self._finish(answer, item, event.ending)
        del self._answers[answer.id]
        self._over[answer.id] = None
        oldest_dropped(self._over)
        if self._state.active == answer.id:
            self._state.active = None
        response = self._response(answer, _STATUS[event.ending])
        response["status_details"] = _details(event)
        response["output"] = [item.wire for item in answer.items.values()]
        if event.usage is not None:
            response["usage"] = write_usage(event.usage)
            self._left = max(0, self._left - event.usage.total_tokens)
        self._state.say("response.done", response=response)
        self._state.say(
            "rate_limits.updated",
            rate_limits=[
                {
                    "name": "tokens",
                    "limit": _QUOTA,
                    "remaining": self._left,
                    "reset_seconds": (_QUOTA - self._left) * 60 / _QUOTA,
                }
            ],
        )

    def _response(self, answer: _Answer, status: str) -> dict[str, Any]:
        session, request = self._state.session, answer.request
        speaking = session["audio"].get("output", {})
        asked = (request.get("audio") or {}).get("output") or {}
        output = {key: asked.get(key, speaking.get(key)) for key in ("format", "voice")}
        return {
            "object": "realtime.response",
            "id": answer.id,
            "status": status,
            "status_details": None,
            "output": [],
            "conversation_id": self._state.conversation.id if answer.in_conversation else None,
            "output_modalities": request.get("output_modalities")
            or session.get("output_modalities"),
            "max_output_tokens": request.get("max_output_tokens")
            or session.get("max_output_tokens"),
            "audio": {"output": output},
            "usage": None,
            "metadata": answer.metadata and dict(answer.metadata),
        }

    # Items.

    def _begin(self, answer: _Answer, wire: dict[str, Any]) -> _Item:
        self._settle(answer)
        item = answer.items[wire["id"]] = _Item(wire, len(answer.items))
        return item

    def _announce(self, answer: _Answer, item: _Item) -> None:
        self._tell(answer, item, "response.output_item.added")
        self._tell(answer, item, "conversation.item.added")

    def _settle(self, answer: _Answer) -> None:
        """Finish the messages that are whole, now that something else begins or ends."""
        for item in answer.items.values():
            if not item.open and item.parts:
                self._finish(answer, item)

    def _finish(self, answer: _Answer, item: _Item, ending: Ending = Ending.COMPLETE) -> None:
        if item.done:
            return
        item.done = True
        if item.open and ending is not Ending.COMPLETE:
            item.whole = False
        for part in item.parts.values():
            for kind in sorted(_WHOLE[part.kind] - part.closed):
                self._close_stream(answer, item, part, kind, None)
            self._finish_part(answer, item, part)
        if item.wire["type"] == "function_call" and "arguments" not in item.told:
            item.whole = False
            self._arguments_done(answer, item, "".join(item.arguments))
        if "status" in item.wire:
            item.wire["status"] = "completed" if item.whole else "incomplete"
        if item.parts:
            item.wire["content"] = [part.content for part in item.parts.values()]
        self._announce(answer, item)
        self._tell(answer, item, "conversation.item.done")
        self._tell(answer, item, "response.output_item.done")

    def _tell(self, answer: _Answer, item: _Item, type: str) -> None:
        """Say one of the four frames that come once an item."""
        if type in item.told:
            return
        item.told.add(type)
        wire = dict(item.wire)
        if type.startswith("response."):
            self._state.say(type, response_id=answer.id, output_index=item.index, item=wire)
        elif answer.in_conversation:
            previous = None
            if type.endswith("added") and item.id not in self._state.conversation:
                previous = self._state.conversation.add(item.wire)
            self._state.say(type, previous_item_id=previous, item=wire)

    def item_event(
        self,
        event: ev.ItemAdded | ev.ItemDone | ev.OutputItemAdded | ev.OutputItemDone,
        type: str,
    ) -> None:
        """Say one of those frames because an event asks for it."""
        wire = write_item(event.item)
        wire["id"] = item_id = wire.get("id") or event.item_id or self._state.mint("item")
        response_id = event.response_id
        answer = None
        if response_id is not None or type.startswith("response."):
            answer = self._answer(response_id)
        if answer is None:
            self._conversation_item(wire, type, event)
            return
        item = answer.items.get(item_id) or self._begin(answer, wire)
        if type.endswith("done"):
            if not item.parts:
                item.wire.update(wire)
            if type.startswith("response."):
                self._finish(answer, item)
        self._tell(answer, item, type)

    def _conversation_item(
        self, wire: dict[str, Any], type: str, event: ev.ControlEvent
    ) -> None:
        """An item of the user's, or of nobody's response."""
        conversation, item_id = self._state.conversation, wire["id"]
        previous = getattr(event, "previous_item_id", None)
        if type.endswith("added"):
            if item_id in conversation:
                return
            known = previous if previous in conversation else None
            previous = conversation.add(wire, known) if previous is None or known else previous
            conversation.heard_of[item_id] = None
            oldest_dropped(conversation.heard_of)
        elif item_id in conversation and item_id not in conversation.heard_of:
            return
        elif item_id not in conversation:
            conversation.add(wire)
        conversation.heard_of.pop(item_id, None)
        if type.endswith("added"):
            conversation.heard_of[item_id] = None
        self._state.say(type, previous_item_id=previous, item=wire)

    # Streams.

    def opened(self, event: ev.StreamOpened) -> None:
        self._reach(event)

    def _reach(self, event: ev.ContentEvent, name: str = "") -> tuple[_Answer, _Item] | None:
        """The response and the item of an event, begun where they are not; ``None`` if over."""
        stream = event.stream
        type = _ITEM_OF.get(stream.kind)
        answer = None if type is None else self._answer(stream.response_id)
        if type is None or answer is None:
            return None
        item_id = stream.item_id or next(reversed(answer.items), None) or self._state.mint("item")
        item = answer.items.get(item_id)
        if item is None:
            item = self._begin(answer, self._wire(type, item_id, event, name))
        self._announce(answer, item)
        if type == "message":
            self._part(answer, item, stream)
        return answer, item

    def _wire(self, type: str, item_id: str, event: ev.ContentEvent, name: str) -> dict[str, Any]:
        stream = event.stream
        if type == "function_call":
            return {
                "id": item_id,
                "type": type,
                "status": "in_progress",
                "name": stream.name or name,
                "call_id": stream.call_id or self._state.mint("call"),
                "arguments": "",
            }
        if type == "mcp_call":
            return {
                "id": item_id,
                "type": type,
                "approval_request_id": None,
                "server_label": self._server_label(),
                "name": stream.name or "",
                "arguments": "",
                "output": None,
                "error": None,
            }
        phase = {"phase": stream.phase} if stream.phase else {}
        return {
            "id": item_id,
            "type": type,
            "status": "in_progress",
            "role": "assistant",
            **phase,
            "content": [],
        }

    def _server_label(self) -> str:
        for tool in self._state.session.get("tools") or ():
            if tool.get("type") == "mcp":
                return str(tool.get("server_label") or "server")
        return "server"

    def _part(self, answer: _Answer, item: _Item, stream: ev.Stream) -> _Part:
        kind = _PART_OF[stream.kind]
        part = item.parts.get((kind, stream.index))
        if part is None:
            taken = {other.index for other in item.parts.values()}
            index = stream.index if stream.index not in taken else max(taken) + 1
            part = item.parts[kind, stream.index] = _Part(kind, index)
            empty = {"type": kind, "text" if kind == "text" else "transcript": ""}
            self._say_part("response.content_part.added", answer, item, part, part=empty)
        part.opened.add(stream.kind)
        return part

    def audio(self, event: ev.AudioDelta) -> None:
        if (reached := self._reach(event)) is None:
            return
        answer, item = reached
        self._state.has_spoken = True
        self._state.conversation.grow_audio(item.id, event.duration_ms)
        self._say_part(
            "response.output_audio.delta",
            answer,
            item,
            self._part(answer, item, event.stream),
            delta=pybase64.b64encode(event.data).decode("ascii"),
        )

    def words(self, event: ev.TextDelta | ev.TranscriptDelta) -> None:
        if (reached := self._reach(event)) is not None:
            self._grow(*reached, self._part(*reached, event.stream), event.kind, event.text)

    def _grow(
        self, answer: _Answer, item: _Item, part: _Part, kind: StreamKind, text: str
    ) -> None:
        part.texts.append(text)
        self._say_part(f"response.{_NAMES[kind]}.delta", answer, item, part, delta=text)

    def closed(self, event: ev.StreamClosed) -> None:
        stream = event.stream
        answer = self._answers.get(stream.response_id or self._state.active or "")
        item = answer.items.get(stream.item_id or "") if answer is not None else None
        if answer is None or item is None or item.done:
            return
        item.whole = item.whole and event.ending is Ending.COMPLETE
        if stream.kind not in _PART_OF:
            self._finish(answer, item, event.ending)
            return
        part = self._part(answer, item, stream)
        self._close_stream(answer, item, part, stream.kind, event.text)
        if part.closed >= _WHOLE[part.kind]:
            self._finish_part(answer, item, part)

    def _close_stream(
        self, answer: _Answer, item: _Item, part: _Part, kind: StreamKind, text: str | None
    ) -> None:
        if kind in part.closed:
            return
        part.closed.add(kind)
        if kind is StreamKind.AUDIO:
            self._say_part("response.output_audio.done", answer, item, part)
            return
        so_far = "".join(part.texts)
        if text is not None and text != so_far and text.startswith(so_far):
            self._grow(answer, item, part, kind, text[len(so_far) :])
        part.final = so_far if text is None else text
        part.texts.clear()
        key = "text" if kind is StreamKind.TEXT else "transcript"
        self._say_part(f"response.{_NAMES[kind]}.done", answer, item, part, **{key: part.final})

    def _finish_part(self, answer: _Answer, item: _Item, part: _Part) -> None:
        if part.done:
            return
        part.done = True
        said = {"type": part.kind, "text" if part.kind == "text" else "transcript": part.final}
        self._say_part("response.content_part.done", answer, item, part, part=said)

    def _say_part(
        self, type: str, answer: _Answer, item: _Item, part: _Part, **fields: Any
    ) -> None:
        self._state.say(
            type,
            response_id=answer.id,
            item_id=item.id,
            output_index=item.index,
            content_index=part.index,
            **fields,
        )
