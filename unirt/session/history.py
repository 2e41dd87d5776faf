"""
What was said, in the order of turns.

Events come in the order of the network, and a history is read in the order of the conversation:
the transcript of what the user said may come after the answer to it. Every content event names its
turn and its item, so a history is a list of turns, each with the user's items and then the answers
to them; whatever comes late finds its place.

What is in it: messages written and spoken, tool calls, each followed by its result, and what
server-side tools returned. Of a spoken message the audio is not kept, but how long it was, and of
the user's where in the session's input it was, so that whoever records can find it. What is not in
it: thoughts, pictures, responses outside the conversation, and items that were deleted.

An answer that was interrupted stays, with the status ``incomplete`` and how much of it was heard.
Its transcript is then what was heard, by estimate; the words that nobody heard are still in
:attr:`~unirt.items.AudioContent.whole`. A report of a player that comes later corrects both.

The policy of its size: it holds at most ``limits.history_items`` items and about
``limits.history_characters`` characters of text. Beyond either the oldest turns are forgotten, each
of them whole; of a single turn that is beyond them alone, the oldest items, calls with their
results. :attr:`~unirt.conversation.Conversation.forgotten` counts them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from unirt.commands import Command, CreateItem, SeedHistory, SendToolResult
from unirt.conversation import Conversation
from unirt.events import (
    Ending,
    Event,
    HeardCorrected,
    InputCommitted,
    Interrupted,
    ItemDeleted,
    ResponseDone,
    ResponseStarted,
    ServerToolDelta,
    ServerToolResult,
    SpeechStarted,
    SpeechStopped,
    Stream,
    StreamClosed,
    StreamKind,
    StreamOpened,
    TextDelta,
    ToolCall,
    ToolCallCancelled,
    TranscriptDelta,
)
from unirt.items import Interruption, Item, ItemKind, Role
from unirt.playback import ItemPlayback
from unirt.session.entries import Entry, Part, Turn

__all__ = ["History"]

# Named once: to look a member up in its enumeration takes Python 3.11 some 80 ns.
_AUDIO, _SERVER_TOOL, _MESSAGE = StreamKind.AUDIO, StreamKind.SERVER_TOOL, ItemKind.MESSAGE
_ROLES = {role.value: role for role in Role}

_SPOKEN = {StreamKind.AUDIO, StreamKind.TRANSCRIPT}
_KEPT = {*_SPOKEN, StreamKind.TEXT, StreamKind.SERVER_TOOL}

_SPEECHES = 64
"How many stretches of the user's speech are remembered until it is known what was said."
_NEARLY_MS = 1.0
"What is left of audio when it counts as heard."


class History:
    """
    The items of one conversation.

    Args:
        limit: How many items it holds.
        seeded: What was said before the session began.
        characters: How many characters of text it holds.
    """

    def __init__(
        self, limit: int, seeded: Iterable[Item] = (), *, characters: int = 2_000_000
    ) -> None:
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            StreamOpened: self._stream_opened,
            TextDelta: self._grow,
            TranscriptDelta: self._grow,
            ServerToolDelta: self._grow,
            StreamClosed: self._stream_closed,
            ToolCall: self._tool_call,
            ServerToolResult: self._server_tool_result,
            ToolCallCancelled: self._cancelled,
            SpeechStarted: self._speech_started,
            SpeechStopped: self._speech_stopped,
            Interrupted: self._interrupted,
            HeardCorrected: self._corrected,
            InputCommitted: self._committed,
            ResponseStarted: self._response_started,
            ResponseDone: self._response_done,
            ItemDeleted: self._deleted,
        }
        "What each event does to it; no other event does anything."
        self._limit = limit
        self._characters = characters
        self._count = 0
        "Of all items."
        self._size = 0
        "Of all their text that is final, in characters."
        self._forgotten = 0
        self._speeches: dict[str, list[float | None]] = {}
        "Where the user's speech began and ended, by item; by turn until its item has an id."
        self._turns: dict[str, Turn] = {}
        self._entries: dict[str, Entry] = {}
        "By item id."
        self._calls: dict[str, Entry] = {}
        "By call id."
        self._open: dict[str, tuple[Entry, Part]] = {}
        "By stream id."
        self._outside: set[str] = set()
        "Responses outside the conversation."
        self._seeds = 0
        self._items: Conversation | None = None
        self._seed(seeded)

    @property
    def items(self) -> Conversation:
        """All items, in order."""
        if self._items is None:
            built = (entry.built() for turn in self._turns.values() for entry in turn.entries)
            known = (item for item in built if item is not None)
            self._items = Conversation(known, forgotten=self._forgotten)
        return self._items

    @property
    def position(self) -> int:
        """How many items there ever were."""
        return self._forgotten + self._count

    def since(self, position: int) -> Conversation:
        """The items after the first `position` that there ever were, as far as they are held."""
        return Conversation(self.items[max(0, position - self._forgotten) :])

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

    def _turn(self, turn_id: str | None) -> Turn:
        if turn_id is None:
            return next(reversed(self._turns.values()), None) or self._turn("")
        turn = self._turns.get(turn_id)
        if turn is None:
            turn = self._turns[turn_id] = Turn()
            self._trim()
        return turn

    def _add(self, turn: Turn, item: Item, *, user: bool) -> Entry:
        entry = self._new(turn, item)
        (turn.user if user else turn.answers).append(entry)
        self._trim()
        return entry

    def _new(self, turn: Turn, item: Item) -> Entry:
        entry = Entry(item, turn, item.status, interruption=item.interruption)
        self._count += 1
        self._measure(entry)
        if item.id is not None:
            self._entries[item.id] = entry
            self._place_speech(item.id)
        return entry

    def _measure(self, entry: Entry) -> None:
        """The text of an entry is final, or changed."""
        size = 0 if entry.gone else entry.measured()
        self._size += size - entry.size
        entry.size = size

    def _entry(self, stream: Stream, kind: ItemKind = _MESSAGE) -> Entry:
        known = self._entries.get(stream.item_id or stream.id)
        if known is not None:
            return known
        item = Item(
            kind=kind,
            id=stream.item_id or stream.id,
            role=_ROLES[stream.role] if kind is _MESSAGE else None,
            status="in_progress",
            phase=stream.phase,
            call_id=stream.call_id,
            name=stream.name,
        )
        entry = self._add(self._turn(stream.turn_id), item, user=stream.role == "user")
        entry.response_id = stream.response_id
        return entry

    def _trim(self) -> None:
        self._items = None
        if len(self._turns) <= self._limit and not self._too_large():
            return
        while len(self._turns) > 1 and (len(self._turns) > self._limit or self._too_large()):
            oldest = self._turns.pop(next(iter(self._turns)))
            self._forget(oldest.entries)
        only = next(iter(self._turns.values()), None)
        while only is not None and len(only) > 1 and self._too_large():
            first = (only.user or only.answers).pop(0)
            gone = [first]
            if first.item.kind is ItemKind.TOOL_CALL and first.item.call_id:
                gone += [e for e in only.entries if e.item.call_id == first.item.call_id]
                only.user = [e for e in only.user if e not in gone]
                only.answers = [e for e in only.answers if e not in gone]
            self._forget(gone)

    def _too_large(self) -> bool:
        return self._count > self._limit or self._size > self._characters

    def _forget(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._forgotten += 1
            self._leave(entry)

    def _leave(self, entry: Entry) -> None:
        entry.gone = True
        self._count -= 1
        self._size -= entry.size
        self._entries.pop(entry.item.id or "", None)
        known = self._calls.get(entry.item.call_id or "")
        if known is entry:
            del self._calls[entry.item.call_id or ""]

    # What the provider says.

    def _speech_started(self, event: SpeechStarted) -> None:
        self._turn(event.turn_id)
        where = event.item_id or event.turn_id
        if where is not None:
            self._speeches[where] = [event.audio_ms, None]
            if len(self._speeches) > _SPEECHES:
                del self._speeches[next(iter(self._speeches))]
            self._place_speech(where)

    def _speech_stopped(self, event: SpeechStopped) -> None:
        where = event.item_id or event.turn_id
        if where is not None and where in self._speeches:
            self._speeches[where][1] = event.audio_ms
            self._place_speech(where)

    def _place_speech(self, item_id: str) -> None:
        """Note where in the input an item of the user's was spoken, as far as both are known."""
        start_ms, end_ms = self._speeches.get(item_id, (None, None))
        known = self._entries.get(item_id)
        if known is None or start_ms is None:
            return
        known.start_ms = start_ms
        if end_ms is not None:
            known.duration_ms = end_ms - start_ms
        self._items = None

    def _committed(self, event: InputCommitted) -> None:
        if event.item_id is None or event.item_id in self._entries:
            return
        if (speech := self._speeches.pop(event.turn_id or "", None)) is not None:
            self._speeches[event.item_id] = speech
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
        if stream.kind is _SERVER_TOOL:
            entry = self._entry(stream, ItemKind.SERVER_TOOL)
            part = entry.part(0, spoken=False)
        else:
            entry = self._entry(stream)
            part = entry.part(stream.index, spoken=stream.kind in _SPOKEN)
        self._items = None
        if stream.kind is not _AUDIO:
            self._open[stream.id] = entry, part

    def _grow(self, event: TextDelta | TranscriptDelta | ServerToolDelta) -> None:
        known = self._open.get(event.stream.id)
        if known is not None:
            known[1].grow(event.text)
            self._items = None

    def _stream_closed(self, event: StreamClosed) -> None:
        entry, part = self._open.pop(event.stream.id, (None, None))
        if entry is None:
            known = self._entries.get(event.stream.item_id or "")
            if event.kind is not _AUDIO or known is None:
                return
            entry = known
            entry.part(event.stream.index, spoken=True).duration_ms = event.duration_ms
        if part is not None and event.text is not None:
            part.end(event.text)
            self._measure(entry)
            self._trim()
        if entry.status != "incomplete":
            whole = event.ending is Ending.COMPLETE or event.role == "user"
            entry.status = "completed" if whole else "incomplete"
        self._items = None

    def _interrupted(self, event: Interrupted) -> None:
        spoken = {item.item_id for item in event.items}
        for item in event.items:
            self._heard(item, event.by, exactly=event.heard_exactly)
        turn = self._turns.get(event.turn_id or "")
        if turn is None or not event.generating:
            return
        for entry in turn.answers:
            mine = entry.response_id == event.response_id and entry.status == "incomplete"
            if mine and entry.item.id not in spoken and entry.item.kind is ItemKind.MESSAGE:
                entry.interruption = Interruption(by=event.by)
        self._items = None

    def _corrected(self, event: HeardCorrected) -> None:
        for item in event.items:
            self._heard(item, None, exactly=True)

    def _heard(self, item: ItemPlayback, by: str | None, *, exactly: bool) -> None:
        """How much of a spoken item was heard; one that was heard whole was not cut."""
        entry = self._entries.get(item.item_id)
        if entry is None:
            return
        played = item.played_ms
        whole = played is not None and played > item.received_ms - _NEARLY_MS
        if entry.interruption is None and whole and entry.status != "incomplete":
            return
        known = "speech" if entry.interruption is None else entry.interruption.by
        entry.interruption = Interruption(by=by or known, heard_ms=played, exactly=exactly)
        entry.status = "incomplete"
        entry.heard = item.text
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
        self._calls[event.call_id] = self._add(turn, item, user=False)

    def _cancelled(self, event: ToolCallCancelled) -> None:
        for call_id in event.call_ids:
            known = self._calls.pop(call_id, None)
            if known is not None:
                known.status = "incomplete"
                self._items = None

    def _server_tool_result(self, event: ServerToolResult) -> None:
        if event.response_id not in self._outside:
            entry = self._entry(event.stream, ItemKind.SERVER_TOOL)
            entry.item = attrs.evolve(entry.item, output=event.output, error=event.error)
            self._measure(entry)
            self._trim()

    def _deleted(self, event: ItemDeleted) -> None:
        entry = self._entries.get(event.item_id or "")
        if entry is not None:
            turn = entry.turn
            turn.user = [e for e in turn.user if e is not entry]
            turn.answers = [e for e in turn.answers if e is not entry]
            self._leave(entry)
            self._items = None

    # What the application says.

    def _tool_result(self, command: SendToolResult) -> None:
        call = self._calls.get(command.call_id)
        if call is None:
            return
        turn = call.turn
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
        for entry in turn.answers:
            if (entry.item.kind, entry.item.call_id) == (ItemKind.TOOL_RESULT, command.call_id):
                turn.answers.remove(entry)
                self._leave(entry)
                break
        turn.answers.insert(turn.answers.index(call) + 1, self._new(turn, item))
        self._trim()

    def _seed(self, items: Iterable[Item]) -> None:
        """Append items: to the turn that nobody has answered yet, else after all turns."""
        latest = next(reversed(self._turns.values()), None)
        for item in items:
            if latest is None or latest.answers:
                self._seeds += 1
                latest = self._turn(f"seed {self._seeds}")
            self._add(latest, item, user=True)

    def _create(self, command: CreateItem) -> None:
        neighbour = self._entries.get(command.previous_item_id or "")
        if neighbour is None:
            if command.previous_item_id == "root":
                self._seed_first(command.item)
            else:
                self._seed([command.item])
            return
        turn = neighbour.turn
        entries = turn.user if neighbour in turn.user else turn.answers
        entries.insert(entries.index(neighbour) + 1, self._new(turn, command.item))
        self._trim()

    def _seed_first(self, item: Item) -> None:
        self._seeds += 1
        self._turns = {f"seed {self._seeds}": Turn(), **self._turns}
        self._add(next(iter(self._turns.values())), item, user=True)
