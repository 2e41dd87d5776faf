"""
What was said, in the order of turns.

Events come in the order of the network, and a history is read in the order of the conversation:
the transcript of what the user said may come after the answer to it. Every content event names its
turn and its item, so a history is a list of turns, each with the user's items and then the answers
to them; whatever comes late finds its place.

What is in it: messages written and spoken (a spoken one as its transcript; the audio is not kept),
tool calls, each followed by its result, and what server-side tools returned. An answer that was
interrupted stays, with the words that are known and the status ``incomplete``. What is not in it:
thoughts, pictures, responses outside the conversation, and items that were deleted.

It holds at most ``limits.history_items`` items; beyond it the oldest turns are forgotten whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from unirt.commands import Command, CreateItem, SeedHistory, SendToolResult
from unirt.events import (
    Ending,
    Event,
    InputCommitted,
    ItemDeleted,
    ResponseDone,
    ResponseStarted,
    ServerToolDelta,
    ServerToolResult,
    SpeechStarted,
    Stream,
    StreamClosed,
    StreamKind,
    StreamOpened,
    TextDelta,
    ToolCall,
    ToolCallCancelled,
    TranscriptDelta,
)
from unirt.items import AudioContent, Content, Item, ItemKind, Role, TextContent

__all__ = ["History"]

_SPOKEN = {StreamKind.AUDIO, StreamKind.TRANSCRIPT}
_KEPT = {*_SPOKEN, StreamKind.TEXT, StreamKind.SERVER_TOOL}


@attrs.define(eq=False)
class _Part:
    """One content part of a message, or the arguments of a server-side tool."""

    spoken: bool
    pieces: list[str] = attrs.field(factory=list)
    final: str | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces) if self.final is None else self.final

    def content(self) -> Content | None:
        text = self.text
        if self.spoken:
            return AudioContent(transcript=text or None)
        return TextContent(text=text) if text else None


@attrs.define(eq=False)
class _Entry:
    """One item while it grows."""

    item: Item
    "All that is known of it, except `content` and `status`."
    status: str | None
    parts: dict[tuple[int, bool], _Part] = attrs.field(factory=dict)

    def part(self, index: int, *, spoken: bool) -> _Part:
        return self.parts.setdefault((index, spoken), _Part(spoken))

    def built(self) -> Item | None:
        """The item as it is now; ``None`` where nothing of it is known yet."""
        item = self.item
        if item.status != self.status:
            item = attrs.evolve(item, status=self.status)
        if not self.parts:
            return item
        if item.kind is ItemKind.SERVER_TOOL:
            return attrs.evolve(item, arguments=self.part(0, spoken=False).text)
        content = [part.content() for _, part in sorted(self.parts.items(), key=lambda p: p[0])]
        known = tuple(part for part in content if part is not None)
        return attrs.evolve(item, content=known) if known else None


@attrs.define(eq=False)
class _Turn:
    user: list[_Entry] = attrs.field(factory=list)
    answers: list[_Entry] = attrs.field(factory=list)

    def __len__(self) -> int:
        return len(self.user) + len(self.answers)


class History:
    """
    The items of one conversation.

    Args:
        limit: How many items it holds.
        seeded: What was said before the session began.
    """

    def __init__(self, limit: int, seeded: Iterable[Item] = ()) -> None:
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            StreamOpened: self._stream_opened,
            TextDelta: self._grow,
            TranscriptDelta: self._grow,
            ServerToolDelta: self._grow,
            StreamClosed: self._stream_closed,
            ToolCall: self._tool_call,
            ServerToolResult: self._server_tool_result,
            ToolCallCancelled: self._cancelled,
            SpeechStarted: self._turn_seen,
            InputCommitted: self._committed,
            ResponseStarted: self._response_started,
            ResponseDone: self._response_done,
            ItemDeleted: self._deleted,
        }
        "What each event does to it; no other event does anything."
        self._limit = limit
        self._count = 0
        "Of all items."
        self._turns: dict[str, _Turn] = {}
        self._entries: dict[str, tuple[_Turn, _Entry]] = {}
        "By item id."
        self._calls: dict[str, tuple[_Turn, _Entry]] = {}
        "By call id."
        self._open: dict[str, tuple[_Entry, _Part]] = {}
        "By stream id."
        self._outside: set[str] = set()
        "Responses outside the conversation."
        self._seeds = 0
        self._items: tuple[Item, ...] | None = None
        self._seed(seeded)

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, in order."""
        if self._items is None:
            entries = (e for turn in self._turns.values() for e in (*turn.user, *turn.answers))
            built = (entry.built() for entry in entries)
            self._items = tuple(item for item in built if item is not None)
        return self._items

    def feed(self, event: Event) -> None:
        """Take the next event of the session."""
        handler = self.handlers.get(type(event))
        if handler is not None:
            handler(event)

    def said(self, command: Command) -> None:
        """Take what the application said, once it was accepted."""
        match command:
            case SendToolResult():
                self._tool_result(command)
            case SeedHistory():
                self._seed(command.items)
            case CreateItem():
                self._create(command)
            case _:
                pass

    # Turns and entries.

    def _turn(self, turn_id: str | None) -> _Turn:
        if turn_id is None:
            return next(reversed(self._turns.values()), None) or self._turn("")
        turn = self._turns.get(turn_id)
        if turn is None:
            turn = self._turns[turn_id] = _Turn()
            self._trim()
        return turn

    def _add(self, turn: _Turn, item: Item, *, user: bool) -> _Entry:
        entry = _Entry(item, item.status)
        (turn.user if user else turn.answers).append(entry)
        self._count += 1
        if item.id is not None:
            self._entries[item.id] = turn, entry
        self._trim()
        return entry

    def _entry(self, stream: Stream, kind: ItemKind = ItemKind.MESSAGE) -> _Entry:
        known = self._entries.get(stream.item_id or stream.id)
        if known is not None:
            return known[1]
        item = Item(
            kind=kind,
            id=stream.item_id or stream.id,
            role=Role(stream.role) if kind is ItemKind.MESSAGE else None,
            status="in_progress",
            phase=stream.phase,
            call_id=stream.call_id,
            name=stream.name,
        )
        return self._add(self._turn(stream.turn_id), item, user=stream.role == "user")

    def _trim(self) -> None:
        while len(self._turns) > 1 and max(len(self._turns), self._count) > self._limit:
            oldest = self._turns.pop(next(iter(self._turns)))
            for entry in (*oldest.user, *oldest.answers):
                self._forget(entry)
        only = next(iter(self._turns.values()))
        while self._count > self._limit:
            self._forget((only.user or only.answers).pop(0))
        self._items = None

    def _forget(self, entry: _Entry) -> None:
        self._count -= 1
        self._entries.pop(entry.item.id or "", None)
        self._calls.pop(entry.item.call_id or "", None)

    # What the provider says.

    def _turn_seen(self, event: SpeechStarted) -> None:
        self._turn(event.turn_id)

    def _committed(self, event: InputCommitted) -> None:
        if event.item_id is None or event.item_id in self._entries:
            return
        item = Item(id=event.item_id, role=Role.USER, status="completed")
        entry = self._add(self._turn(event.turn_id), item, user=True)
        entry.part(0, spoken=True)

    def _response_started(self, event: ResponseStarted) -> None:
        if event.in_conversation:
            self._turn(event.turn_id)
        else:
            self._outside.add(event.response_id)

    def _response_done(self, event: ResponseDone) -> None:
        self._outside.discard(event.response_id)

    def _stream_opened(self, event: StreamOpened) -> None:
        stream = event.stream
        if stream.kind not in _KEPT or stream.response_id in self._outside:
            return
        if stream.kind is StreamKind.SERVER_TOOL:
            entry = self._entry(stream, ItemKind.SERVER_TOOL)
            part = entry.part(0, spoken=False)
        else:
            entry = self._entry(stream)
            part = entry.part(stream.index, spoken=stream.kind in _SPOKEN)
        self._items = None
        if stream.kind is not StreamKind.AUDIO:
            self._open[stream.id] = entry, part

    def _grow(self, event: TextDelta | TranscriptDelta | ServerToolDelta) -> None:
        known = self._open.get(event.stream.id)
        if known is not None:
            known[1].pieces.append(event.text)
            self._items = None

    def _stream_closed(self, event: StreamClosed) -> None:
        entry, part = self._open.pop(event.stream.id, (None, None))
        if entry is None:
            known = self._entries.get(event.stream.item_id or "")
            if event.kind is not StreamKind.AUDIO or known is None:
                return
            entry = known[1]
        if part is not None and event.text is not None:
            part.final = event.text
            part.pieces.clear()
        if entry.status != "incomplete":
            whole = event.ending is Ending.COMPLETE or event.role == "user"
            entry.status = "completed" if whole else "incomplete"
        self._items = None

    def _tool_call(self, event: ToolCall) -> None:
        if event.response_id in self._outside:
            return
        item = Item(
            kind=ItemKind.TOOL_CALL,
            id=event.item_id,
            status="completed",
            call_id=event.call_id,
            name=event.name,
            arguments=event.arguments,
        )
        turn = self._turn(event.turn_id)
        self._calls[event.call_id] = turn, self._add(turn, item, user=False)

    def _cancelled(self, event: ToolCallCancelled) -> None:
        for call_id in event.call_ids:
            known = self._calls.pop(call_id, None)
            if known is not None:
                known[1].status = "incomplete"
                self._items = None

    def _server_tool_result(self, event: ServerToolResult) -> None:
        if event.response_id not in self._outside:
            entry = self._entry(event.stream, ItemKind.SERVER_TOOL)
            entry.item = attrs.evolve(entry.item, output=event.output, error=event.error)
            self._items = None

    def _deleted(self, event: ItemDeleted) -> None:
        turn, entry = self._entries.pop(event.item_id or "", (None, None))
        if turn is not None and entry is not None:
            self._count -= len(turn)
            turn.user = [e for e in turn.user if e is not entry]
            turn.answers = [e for e in turn.answers if e is not entry]
            self._count += len(turn)
            self._items = None

    # What the application says.

    def _tool_result(self, command: SendToolResult) -> None:
        turn, call = self._calls.get(command.call_id, (None, None))
        if turn is None or call is None:
            return
        output = command.output
        if output is not None and not isinstance(output, str):
            output = json.dumps(output)
        item = Item(
            kind=ItemKind.TOOL_RESULT,
            call_id=command.call_id,
            name=call.item.name,
            output=output,
            error=command.error,
        )
        self._count -= len(turn)
        turn.answers = [
            e
            for e in turn.answers
            if e.item.call_id != command.call_id or e.item.kind is not ItemKind.TOOL_RESULT
        ]
        turn.answers.insert(turn.answers.index(call) + 1, _Entry(item, item.status))
        self._count += len(turn)
        self._items = None

    def _seed(self, items: Iterable[Item]) -> None:
        """Append items: to the turn that nobody has answered yet, else after all turns."""
        latest = next(reversed(self._turns.values()), None)
        for item in items:
            if latest is None or latest.answers:
                self._seeds += 1
                latest = self._turn(f"seed {self._seeds}")
            self._add(latest, item, user=True)

    def _create(self, command: CreateItem) -> None:
        before = self._entries.get(command.previous_item_id or "")
        if before is None:
            if command.previous_item_id == "root":
                self._seed_first(command.item)
            else:
                self._seed([command.item])
            return
        turn, neighbour = before
        entries = turn.user if neighbour in turn.user else turn.answers
        entry = _Entry(command.item, command.item.status)
        entries.insert(entries.index(neighbour) + 1, entry)
        self._count += 1
        if command.item.id is not None:
            self._entries[command.item.id] = turn, entry
        self._items = None

    def _seed_first(self, item: Item) -> None:
        self._seeds += 1
        self._turns = {f"seed {self._seeds}": _Turn(), **self._turns}
        self._add(next(iter(self._turns.values())), item, user=True)
