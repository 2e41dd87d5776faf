"""What a history is made of while it grows: turns, their entries, and the parts of those."""

from __future__ import annotations

import attrs

from unirt.items import AudioContent, Content, Interruption, Item, ItemKind, TextContent

__all__ = ["Entry", "Part", "Turn"]


@attrs.define(eq=False)
class Part:
    """One content part of a message, or the arguments of a server-side tool."""

    spoken: bool
    final: str | None = None
    duration_ms: float | None = None
    _pieces: list[str] | None = None

    @property
    def text(self) -> str:
        return "".join(self._pieces or ()) if self.final is None else self.final

    def grow(self, text: str) -> None:
        """There is more of it."""
        if self._pieces is None:
            self._pieces = []
        self._pieces.append(text)

    def end(self, text: str) -> None:
        """That is all of it."""
        self.final = text
        self._pieces = None


@attrs.define(eq=False)
class Entry:
    """One item while it grows."""

    item: Item
    "All that is known of it, except `content`, `status` and `interruption`."
    turn: Turn
    status: str | None
    response_id: str | None = None
    parts: dict[int, Part] = attrs.field(factory=dict)
    "By twice their index, and one more for what is spoken."
    interruption: Interruption | None = None
    heard: str | None = None
    "The words that were heard, by estimate, where it was cut short."
    start_ms: float | None = None
    "Where the user's speech began in the session's input audio."
    duration_ms: float | None = None
    "How long the user's speech is."
    size: int = 0
    "What it counts for in the bound on characters."
    gone: bool = False
    "It was forgotten, or deleted: it counts no more, though it may still grow."

    def part(self, index: int, *, spoken: bool) -> Part:
        place = 2 * index + spoken
        part = self.parts.get(place)
        if part is None:
            part = self.parts[place] = Part(spoken)
        return part

    def measured(self) -> int:
        """The characters of its text, as far as it is final."""
        item = self.item
        size = len(item.text) if item.content else 0
        for text in (item.arguments, item.output, item.error):
            if text is not None:
                size += len(text)
        for part in self.parts.values():
            if part.final is not None:
                size += len(part.final)
        return size

    def built(self) -> Item | None:
        """The item as it is now; ``None`` where nothing of it is known yet."""
        item = self.item
        if (item.status, item.interruption) != (self.status, self.interruption):
            item = attrs.evolve(item, status=self.status, interruption=self.interruption)
        if not self.parts:
            return item
        if item.kind is ItemKind.SERVER_TOOL:
            return attrs.evolve(item, arguments=self.part(0, spoken=False).text)
        content = [self._content(part) for _, part in sorted(self.parts.items())]
        known = tuple(part for part in content if part is not None)
        return attrs.evolve(item, content=known) if known else None

    def _content(self, part: Part) -> Content | None:
        text = part.text
        if not part.spoken:
            return TextContent(text=text) if text else None
        estimated = self.heard is not None and bool(text)
        return AudioContent(
            transcript=self.heard if estimated else text or None,
            whole=text if estimated else None,
            start_ms=self.start_ms,
            duration_ms=self.duration_ms if part.duration_ms is None else part.duration_ms,
        )


@attrs.define(eq=False)
class Turn:
    """One turn: what the user said, and then the answers to it."""

    user: list[Entry] = attrs.field(factory=list)
    answers: list[Entry] = attrs.field(factory=list)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (*self.user, *self.answers)

    def __len__(self) -> int:
        return len(self.user) + len(self.answers)
