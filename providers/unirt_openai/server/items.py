"""
Output items, said by a server: what a response consists of, and the messages among it.

Canonical streams stand alone; on this wire they nest. A response holds output items, a message
holds content parts, and an audio part holds two streams: the voice and its transcript. So an item
is announced with its first stream and a part with its first kind, and the endings come from the
inside out, in the order that was recorded (2026-11)::

    response.output_audio.done, response.output_audio_transcript.done, response.content_part.done,
    conversation.item.done, response.output_item.done

The four frames that come once an item are told once, whether a stream implied them or an event
asked for them. That lets both a simulator, which speaks in streams, and a relay, which passes item
events on, speak through here. Outside the conversation there are no ``conversation.item.*`` frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pybase64

from unirt.events import AudioDelta, Ending, Stream, StreamKind
from unirt_openai.server.state import ServerState

__all__ = ["Answer", "Message", "OutputItem"]


@attrs.define(eq=False)
class Answer:
    """One response that is running."""

    id: str
    in_conversation: bool
    request: Mapping[str, Any]
    "The ``response.create`` that it answers; empty where nobody asked."
    metadata: Mapping[str, Any] | None
    items: dict[str, OutputItem] = attrs.field(factory=dict)
    "By id, in order of output."

    def place(self, item_id: str, kind: StreamKind) -> str:
        """
        The id of the item that a stream goes to.

        An item of this wire is one thing; what others say in one is more items here.
        """
        item = self.items.get(item_id)
        return item_id if item is None or kind in item.KINDS else f"{item_id}_{kind}"


class OutputItem:
    """One item of a response. Kinds that this server knows no more of are this class itself."""

    KINDS: ClassVar[frozenset[StreamKind]] = frozenset()
    "The streams that it may hold."

    def __init__(self, state: ServerState, answer: Answer, wire: dict[str, Any]) -> None:
        self.state = state
        self.answer = answer
        self.wire = wire
        self.id: str = wire["id"]
        self.index = len(answer.items)
        self.whole = True
        "Whether everything in it ended complete."
        self.done = False
        self._told: set[str] = set()
        answer.items[self.id] = self

    @property
    def settled(self) -> bool:
        """Whether it may be finished as soon as something else begins or ends."""
        return False

    def announce(self) -> None:
        """Say that the response and the conversation have it, unless that was said."""
        self.tell("response.output_item.added")
        self.tell("conversation.item.added")

    def finish(self, ending: Ending = Ending.COMPLETE) -> None:
        """Say everything that is still missing of it."""
        if self.done:
            return
        self.announce()
        self.done = True
        self.wind_up(ending)
        if "status" in self.wire:
            self.wire["status"] = "completed" if self.whole else "incomplete"
        self.tell("conversation.item.done")
        self.tell("response.output_item.done")

    def wind_up(self, ending: Ending) -> None:
        """Say the endings of what is inside it; the response ends with `ending`."""
        self.whole = self.whole and ending is Ending.COMPLETE

    def tell(self, type: str) -> None:
        """Say one of the frames that come once an item, unless that was said."""
        if type in self._told:
            return
        self._told.add(type)
        if type.startswith("response."):
            self.state.say(
                type, response_id=self.answer.id, output_index=self.index, item=dict(self.wire)
            )
        elif self.answer.in_conversation:
            previous = None
            if type == "conversation.item.added" and self.id not in self.state.conversation:
                previous = self.state.conversation.add(self.wire)
            self.state.say(type, previous_item_id=previous, item=dict(self.wire))

    def say(self, type: str, **fields: Any) -> None:
        """Say a frame about something inside it."""
        self.state.say(
            type, response_id=self.answer.id, item_id=self.id, output_index=self.index, **fields
        )


_NAMES: Mapping[StreamKind, str] = {
    StreamKind.TEXT: "response.output_text",
    StreamKind.AUDIO: "response.output_audio",
    StreamKind.TRANSCRIPT: "response.output_audio_transcript",
}
"What the streams of a message are called on the wire."

_STREAMS: Mapping[str, tuple[StreamKind, ...]] = {
    "text": (StreamKind.TEXT,),
    "audio": (StreamKind.AUDIO, StreamKind.TRANSCRIPT),
}
"The streams of a content part, by its type, in the order of their endings."

_WORDS = {"text": "text", "audio": "transcript"}
"The field that holds a part's words."


@attrs.define(eq=False)
class _Part:
    """One content part of a message."""

    type: str
    index: int
    said: list[str] = attrs.field(factory=list)
    "The pieces of its words so far."
    words: str = ""
    "Its words, once they are final."
    opened: set[StreamKind] = attrs.field(factory=set)
    closed: set[StreamKind] = attrs.field(factory=set)
    done: bool = False

    def wire(self, prefix: str = "") -> dict[str, Any]:
        return {"type": f"{prefix}{self.type}", _WORDS[self.type]: self.words}


class Message(OutputItem):
    """
    A message of the assistant's.

    It may be over when all its streams have closed, but one more part may come; it is over when
    something else begins, or the generation or the response ends.
    """

    KINDS: ClassVar[frozenset[StreamKind]] = frozenset(_NAMES)

    def __init__(self, state: ServerState, answer: Answer, wire: dict[str, Any]) -> None:
        super().__init__(state, answer, wire)
        self._parts: dict[tuple[str, int], _Part] = {}

    @property
    def settled(self) -> bool:
        parts = self._parts.values()
        return bool(parts) and not any(part.opened - part.closed for part in parts)

    def open(self, stream: Stream) -> _Part:
        """The part that a stream belongs to, said to be added where it was not."""
        type = "text" if stream.kind is StreamKind.TEXT else "audio"
        part = self._parts.get((type, stream.index))
        if part is None:
            # Numbered here: on this wire an index is a place in the item's content, without gaps.
            part = self._parts[type, stream.index] = _Part(type, len(self._parts))
            self._say(part, "response.content_part.added", part=part.wire())
        part.opened.add(stream.kind)
        return part

    def audio(self, event: AudioDelta) -> None:
        """Say the next piece of the voice."""
        part = self.open(event.stream)
        self.state.has_spoken = True
        self.state.conversation.grow_audio(self.id, event.duration_ms)
        if self.state.in_call:
            return  # it is heard beside the frames
        data = pybase64.b64encode(event.data).decode("ascii")
        self._say(part, "response.output_audio.delta", delta=data)

    def grow(self, stream: Stream, text: str) -> None:
        """Say the next piece of text or transcript."""
        part = self.open(stream)
        part.said.append(text)
        self._say(part, f"{_NAMES[stream.kind]}.delta", delta=text)

    def close(self, stream: Stream, text: str | None, ending: Ending) -> None:
        """Say that a stream is over; `text` is its final wording, where there is one."""
        self.whole = self.whole and ending is Ending.COMPLETE
        part = self.open(stream)
        if stream.kind not in part.closed:
            self._close(part, stream.kind, text)
        if part.closed.issuperset(_STREAMS[part.type]):
            self._finish_part(part)

    def wind_up(self, ending: Ending) -> None:
        if not self.settled:
            super().wind_up(ending)
        for part in self._parts.values():
            for kind in _STREAMS[part.type]:
                if kind not in part.closed:
                    self._close(part, kind, None)
            self._finish_part(part)
        if self._parts:
            self.wire["content"] = [part.wire("output_") for part in self._parts.values()]

    def _close(self, part: _Part, kind: StreamKind, text: str | None) -> None:
        part.closed.add(kind)
        if kind is StreamKind.AUDIO:
            self._say(part, "response.output_audio.done")
            return
        so_far = "".join(part.said)
        if text is not None and text != so_far and text.startswith(so_far):
            self._say(part, f"{_NAMES[kind]}.delta", delta=text[len(so_far) :])
        part.words = so_far if text is None else text
        part.said.clear()
        self._say(part, f"{_NAMES[kind]}.done", **{_WORDS[part.type]: part.words})

    def _finish_part(self, part: _Part) -> None:
        if not part.done:
            part.done = True
            self._say(part, "response.content_part.done", part=part.wire())

    def _say(self, part: _Part, type: str, /, **fields: Any) -> None:
        self.say(type, content_index=part.index, **fields)
