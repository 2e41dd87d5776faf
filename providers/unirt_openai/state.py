"""
What both directions of the translator know of one connection.

The composer holds what the application has been told. Here is the rest: what the provider said of
its items, formats and settings, and what was sent that an answer will refer to.
Everything is bounded; what is forgotten is so old that nobody speaks of it any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from unirt.audio import AudioFormat
from unirt.capabilities import Capabilities
from unirt.composer import Composer, Response
from unirt.config import Manual, Scheduling, SemanticVAD, ServerVAD, SessionConfig, Tool
from unirt.items import Item
from unirt.preroll import Preroll
from unirt.translator import Frame
from unirt.wire import Wire
from unirt_openai.formats import read_format
from unirt_openai.items import read_item
from unirt_openai.names import Names, remember
from unirt_openai.requests import Requests
from unirt_openai.speaking import Speaking

if TYPE_CHECKING:
    from unirt_openai.media import Media

__all__ = ["Ids", "OutputItem", "State", "dig", "ids_of"]

Ids = dict[str, Any]
"The ids that a control event carries, by the names of its fields."


@attrs.define(eq=False)
class OutputItem:
    """What is known of one item that a response writes."""

    id: str
    type: str = ""
    response_id: str | None = None
    phase: str | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    "Of a call: whole, as told when they were done."
    streamed: bool = False
    "Of a server-side call: whether its arguments came as deltas."
    audio_index: int = 0
    "Which content part is the spoken one; a truncation must name it."
    settled: bool = False
    "The provider said that the item is done."


@attrs.define(eq=False, kw_only=True)
class State:
    """One connection."""

    composer: Composer
    capabilities: Capabilities
    config: SessionConfig
    frames: list[Frame] = attrs.field(factory=list)
    "To be sent."
    now: float = 0.0

    # The handshake.
    acknowledged: bool = False
    "The provider said that a configuration is in force."
    told: dict[str, Any] = attrs.field(factory=dict)
    "The session object as the provider told it last."
    _told_format: AudioFormat | None = None
    "What the model speaks, as told there."

    # Items.
    outputs: dict[str, OutputItem] = attrs.field(factory=dict)
    written: dict[str, list[OutputItem]] = attrs.field(factory=dict)
    "The items of a response, until it is done."
    names: Names = attrs.field(init=False)
    "What the session calls them."
    writing: dict[str, str] = attrs.field(factory=dict)
    "The item that a response writes now, for frames that do not name it."
    said: dict[str, None] = attrs.field(factory=dict)
    "The user's items whose text was delivered."
    unconfirmed: dict[str, tuple[str, Item]] = attrs.field(factory=dict)
    "What the application wrote and the provider has not told yet: the frame, and the item."
    heard: dict[str, None] = attrs.field(factory=dict)
    "The user's items of whose transcript some was delivered."
    approvals: dict[str, None] = attrs.field(factory=dict)
    "Approval requests that were told."
    _read: tuple[dict[str, Any], AudioFormat, Item] | None = None
    "The item that was read last, and from what."
    servers: dict[str, str] = attrs.field(factory=dict)
    "The server that a list of tools is of, by item."
    formats: dict[str, AudioFormat] = attrs.field(factory=dict)
    "What a response speaks, where it said so."
    speaking: Speaking | None = None
    "Where the latest audio went."
    user_item: str | None = None
    "The user's latest item, for frames that do not name it."

    # What was sent.
    sent: dict[str, str] = attrs.field(factory=dict)
    "The types of frames by their ids, for errors that name one."
    buffered: int = 0
    "Bytes of audio that were appended since the last commit or clear of ours."
    window_open: bool = False
    "Between the start and the end of a manual turn."
    listening: bool = True
    "Whether audio goes to the provider: it does not between manual turns."
    preroll: Preroll = attrs.field(factory=Preroll)
    "Audio from before a manual turn, for that turn."
    cancelled: dict[str, None] = attrs.field(factory=dict)
    "Responses that the application cancelled."
    truncated: dict[str, int] = attrs.field(factory=dict)
    "Items that were truncated to what was heard of them, and to how many ms."
    requests: Requests = attrs.field(init=False)

    # The audio of a call.
    media: Media | None = None
    "Where audio goes beside the frames; ``None`` where it is in them."
    joined: bool = False
    "The connection controls a call whose audio goes elsewhere."

    def __attrs_post_init__(self) -> None:
        self.requests = Requests(self.composer, self.say)
        self.names = Names(self.composer.named)
        self.listen()

    def listen(self) -> None:
        """Find out, after settings changed, whether audio goes to the provider."""
        manual = self.manual
        self.window_open = self.window_open and manual
        self.listening = self.window_open or not manual
        if not manual:
            self.preroll.clear()

    @property
    def running(self) -> Response | None:
        """The response that the provider is writing; of a call, others may still be heard."""
        active = self.composer.active
        return None if active is None or active.ended else active

    @property
    def in_a_call(self) -> bool:
        """Whether the provider plays what the model says."""
        return self.media is not None or self.joined

    # Sending.

    def say(self, type_: str, /, **fields: Any) -> str:
        """Queue a frame; returns its id."""
        event_id = self.composer.ids("event")
        remember(self.sent, event_id, type_)
        frame = {"type": type_, "event_id": event_id, **fields}
        self.frames.append(json.dumps(frame, separators=(",", ":"), ensure_ascii=False))
        return event_id

    def read(self, wire: Wire, *, ours: bool = False) -> Item:
        """
        Read an item; `ours` for one of the user's.

        The provider tells an item up to five times, most of them in the very words of the last.
        """
        format_ = self.input_format if ours else self.output_format
        if self._read is None or self._read[:2] != (wire.data, format_):
            self._read = wire.data, format_, read_item(wire, audio_format=format_)
        return self._read[2]

    def new_item_id(self) -> str:
        """An id for an item that we create, taken by no item that is known."""
        while (item_id := self.composer.mint("item")) in self.names.seeded:
            continue
        return item_id

    # What is in force.

    def heed(self, session: dict[str, Any]) -> None:
        """The provider told its session object."""
        self.told = session
        told = read_format(dig(session, "audio", "output", "format"))
        self._told_format = told or read_format(session.get("output_audio_format"))
        self.listen()

    @property
    def output_format(self) -> AudioFormat:
        """What the model speaks, as told, else as configured, else by default."""
        return self._told_format or self.config.output_format or self.capabilities.output_format

    @property
    def input_format(self) -> AudioFormat:
        """What the model listens to."""
        return self.config.input_format or self.capabilities.input_format

    @property
    def transcriber(self) -> str | None:
        """The model that transcribes the user, as told, else as configured."""
        told = dig(self.told, "audio", "input", "transcription", "model")
        asked = self.config.input_transcription
        return told if isinstance(told, str) else None if asked is None else asked.model

    @property
    def speech_interrupts(self) -> bool:
        """Whether the user's speech cuts a running response."""
        told = self._told_detection()
        if isinstance(told, dict):
            return told.get("interrupt_response") is not False
        configured = self.config.turn_detection
        return not (
            isinstance(configured, ServerVAD | SemanticVAD) and configured.interrupt is False
        )

    @property
    def manual(self) -> bool:
        """Whether the application says when a turn starts and ends."""
        told = self._told_detection()
        if told is not _UNTOLD:
            return told is None
        return isinstance(self.config.turn_detection, Manual)

    def _told_detection(self) -> Any:
        where = dig(self.told, "audio", "input")
        for place in (where, self.told):
            if isinstance(place, dict) and "turn_detection" in place:
                return place["turn_detection"]
        return _UNTOLD

    def blocking(self, name: str) -> bool:
        """Whether the model waits for the result of the tool of that name."""
        tool = self._tool(name)
        return tool is None or tool.blocking is not False

    def scheduling(self, name: str) -> Scheduling | None:
        """What the results of the tool of that name may do, where they do not say so."""
        tool = self._tool(name)
        return None if tool is None else tool.scheduling

    def _tool(self, name: str) -> Tool | None:
        tools = (tool for tool in self.config.tools or () if isinstance(tool, Tool))
        return next((tool for tool in tools if tool.name == name), None)

    # Finding what a frame is about.

    def response_of(self, wire: Wire) -> Response:
        """The response that a frame is about; begun where the provider did not say it began."""
        composer = self.composer
        response_id = wire.text_or("response_id")
        if response_id:
            known = composer.response_named(response_id)
            return known or composer.response_started(response_id, synthesised=True)
        return composer.active or composer.response_started(synthesised=True)

    def item_of(self, wire: Wire, response: Response) -> str:
        """The item of the response that a frame is about; minted where nothing names it."""
        writing = self.writing.get(response.id)
        item_id = wire.text_or("item_id") or writing or self.composer.mint("item")
        item_id = self.names.claim(item_id, response.id)
        if item_id != writing:
            self.writes(response, item_id)
        return item_id

    def writes(self, response: Response, item_id: str) -> None:
        """The response writes that item now: what goes on, goes on there."""
        remember(self.writing, response.id, item_id)
        self.speaking = None

    def output(self, item_id: str, response_id: str | None = None) -> OutputItem:
        """What is known of an item that a response writes; begun where nothing is."""
        known = self.outputs.get(item_id)
        if known is None:
            known = OutputItem(item_id)
            remember(self.outputs, item_id, known)
        if known.response_id is None and response_id is not None:
            known.response_id = response_id
            if response_id not in self.written:
                remember(self.written, response_id, [])
            self.written[response_id].append(known)
        return known

    def user_item_of(self, wire: Wire, *, new: bool = False) -> str:
        """The user's item that a frame is about: the latest, or a minted one, if it names none."""
        named = wire.text_or("item_id") or self.user_item or self.composer.mint("item")
        self.user_item = item_id = self.names.claim(named, None, new=new)
        return item_id

    def ids_of_response(self, response_id: str) -> Ids:
        """The ids that a control event about a response carries, whether or not it was told of."""
        response = self.composer.response_named(response_id)
        return ids_of(response) or {"response_id": self.composer.named(response_id)}

    def ids_of_item(self, item_id: str | None) -> Ids:
        """The ids that a control event about an item carries."""
        if not item_id:
            return {}
        item_id = self.names.of(item_id)
        output = self.outputs.get(item_id)
        if output is not None and output.response_id is not None:
            response = self.composer.response(output.response_id)
            return {"item_id": item_id, **ids_of(response)}
        known = self.composer.knows_item(item_id)
        return {"item_id": item_id, "turn_id": self.composer.turn(item_id) if known else None}

    def remember_output(self, item_id: str, item: Item, type_: str, response_id: str) -> OutputItem:
        """Note what the provider said of an item that a response writes."""
        output = self.output(item_id, response_id)
        output.type = type_ or output.type
        output.phase = item.phase or output.phase
        output.name = item.name or output.name
        output.call_id = item.call_id or output.call_id
        return output


_UNTOLD: Any = object()


def ids_of(response: Response | None) -> Ids:
    """The ids that a control event about a response carries."""
    if response is None:
        return {}
    return {"response_id": response.id, "turn_id": response.turn_id}


def dig(value: Any, *keys: str) -> Any:
    """The value at a path of objects; ``None`` where the path breaks off."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
