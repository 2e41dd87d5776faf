"""
What one connection's server knows: its session, its conversation, and what waits to go out.

The rooms around it hold the behaviour: :mod:`unirt_openai.server.commands` what clients say,
:mod:`unirt_openai.server.input` the user's side, :mod:`unirt_openai.server.output` the model's,
:mod:`unirt_openai.server.frames` the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.config import SessionConfig
from unirt_openai.server.canonical import read_format, read_session
from unirt_openai.server.checks import Refused

__all__ = ["Conversation", "InputBuffer", "Request", "ServerState", "oldest_dropped"]

_REMEMBERED = 1024
"How many items, finished responses and spoken turns are remembered; the oldest are forgotten."
_REQUESTS = 64
"How many accepted requests may wait for their responses; the oldest are forgotten."


def oldest_dropped(memory: dict[str, Any], bound: int = _REMEMBERED) -> None:
    """Forget the oldest entries of a memory beyond its bound."""
    while len(memory) > bound:
        del memory[next(iter(memory))]


class Conversation:
    """The items of the default conversation, in order, as wire objects without their audio."""

    def __init__(self, id: str) -> None:
        self.id = id
        self._items: dict[str, dict[str, Any]] = {}
        self.unfinished: dict[str, Any] = {}
        "Items that were said to be added and not yet to be done."
        self.audio_ms: dict[str, float] = {}
        "How much audio each of the assistant's items has."

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def get(self, item_id: str) -> dict[str, Any] | None:
        """The item of that id."""
        return self._items.get(item_id)

    @property
    def last_id(self) -> str | None:
        """The id of the last item; ``None`` while there is none."""
        return next(reversed(self._items), None)

    def add(self, item: dict[str, Any], after: str | None = None) -> str | None:
        """
        Put an item in, at the end or after another one (``root``: first).

        Returns the id of the item before it.
        """
        if after is None or after == self.last_id:
            previous = self.last_id
            self._items[item["id"]] = item
        else:
            previous = None if after == "root" else after
            entries = list(self._items.items())
            place = 0 if after == "root" else list(self._items).index(after) + 1
            entries.insert(place, (item["id"], item))
            self._items = dict(entries)
        oldest_dropped(self._items)
        return previous

    def remove(self, item_id: str) -> None:
        """Take an item out."""
        self._items.pop(item_id, None)
        self.audio_ms.pop(item_id, None)

    def grow_audio(self, item_id: str, ms: float) -> None:
        """Count audio that went out for an item."""
        self.audio_ms[item_id] = self.audio_ms.get(item_id, 0.0) + ms
        oldest_dropped(self.audio_ms)

    def call_names(self) -> dict[str, str]:
        """The names of all function calls, by call id."""
        return {
            item["call_id"]: item.get("name") or ""
            for item in self._items.values()
            if item.get("type") == "function_call" and isinstance(item.get("call_id"), str)
        }


@attrs.define(eq=False)
class InputBuffer:
    """The audio that the client appended and nobody committed yet."""

    size: int = 0
    "Bytes since the last commit or clear."
    total: int = 0
    "Bytes since the session began; offsets in ``speech_started`` count from there."
    item_id: str | None = None
    "The item that it will become, once speech was detected in it."
    unclaimed: str | None = None
    "An item that the client's own commit made, until events about it name it."
    aliases: dict[str, str] = attrs.field(factory=dict)
    "The names that events use for items that the client's own commits made."


@attrs.frozen
class Request:
    """A ``response.create`` that was accepted and waits for its response."""

    fields: Mapping[str, Any]

    @property
    def in_conversation(self) -> bool:
        return self.fields.get("conversation") != "none"


class ServerState:
    """One connection."""

    def __init__(self, mint: Callable[[str], str], model: str) -> None:
        self.mint = mint
        self.model = model
        self.session: dict[str, Any] = {}
        self.config = SessionConfig()
        "The session in canonical terms."
        self.conversation = Conversation(mint("conv"))
        self.buffer = InputBuffer()
        self.requests: list[Request] = []
        self.active: str | None = None
        "The response of the conversation that is running."
        self.running: set[str] = set()
        "All responses that are running, those outside the conversation too."
        self.has_spoken = False
        self.in_call = False
        "Audio goes beside the frames."
        self.frames: list[dict[str, Any]] = []

    def configure(self, session: dict[str, Any]) -> None:
        """Put a session object in force."""
        self.session = session
        self.config = read_session(session)

    def request(self, request: Request) -> None:
        """Remember a request until its response starts."""
        self.requests.append(request)
        del self.requests[:-_REQUESTS]

    def say(self, type: str, **fields: Any) -> None:
        """Queue a frame, with an ``event_id`` of its own."""
        self.frames.append({"type": type, "event_id": self.mint("event"), **fields})

    def say_error(self, refused: Refused, event_id: str | None) -> None:
        """Queue the ``error`` for a client event that was refused."""
        self.say(
            "error",
            error={
                "type": "invalid_request_error",
                "code": refused.code,
                "message": refused.message,
                "param": refused.param,
                "event_id": event_id,
            },
        )

    def add_item(self, item: dict[str, Any], after: str | None = None) -> None:
        """Put a finished item into the conversation and acknowledge it."""
        previous = self.conversation.add(item, after)
        self.say("conversation.item.added", previous_item_id=previous, item=item)
        self.say("conversation.item.done", previous_item_id=previous, item=item)

    @property
    def input_format(self) -> AudioFormat:
        """What the client appends."""
        return read_format(self.session["audio"]["input"]["format"])

    @property
    def transcribes(self) -> bool:
        """Whether the client asked for transcripts of its audio."""
        return self.session["audio"]["input"]["transcription"] is not None
