"""
Journeys: conversations that go on over another connection, and the ways that they go.

A :class:`Journey` says what is said, and when and why the conversation moves; a :class:`Way` says
between whom. Any journey can go any way, and is one and the same conversation on each;
:func:`unirt.testing.travel` holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import product
from typing import Any, Literal

import attrs

from unirt.capabilities import Capabilities
from unirt.cassettes.entries import Entry
from unirt.commands import Command
from unirt.conversation import Conversation
from unirt.events import Event, LimitReached, Reconnected
from unirt.fold import ContentStep
from unirt.provider import Provider
from unirt.simulator import Line, Scenario, loads
from unirt.testing.own import Own, ears, nothing
from unirt.update import Updated
from unirt.usage import SessionUsage

__all__ = ["JOURNEYS", "Journey", "Leg", "Move", "Moved", "Said", "Way", "ways"]


@attrs.frozen(kw_only=True)
class Move:
    """How a conversation gets to another connection, and when."""

    why: Literal["switch", "update", "lost", "expiring"]
    """
    The application switches, or changes a setting that only a new connection can have; the server
    hangs up, or it is about to, by design.
    """
    after: str
    "The name of an event's class, or of a command's: once it was told, or said."
    count: int = 1
    "How many of them."
    patience: float = 0.0
    "Of a switch, in seconds."
    voice: str | None = None
    "What is changed: once a model has spoken, no provider changes its voice in place."
    instructions: str | None = None
    "What is changed: some models take others in place."

    @property
    def changes(self) -> dict[str, Any]:
        """Of an update, the arguments."""
        asked = {"voice": self.voice, "instructions": self.instructions}
        return {name: value for name, value in asked.items() if value is not None}


@attrs.frozen(kw_only=True)
class Journey:
    """A conversation that moves, or one that stays: see :mod:`unirt.testing.stay`."""

    name: str
    scenario: Scenario
    move: Move | None
    own: Own = nothing
    "What the session does by itself, on that clock, as arguments of ``connect()``."


@attrs.frozen(kw_only=True)
class Way:
    """Between whom a conversation moves."""

    first: Provider
    second: Provider
    remembers: bool = False
    "Whether the server hands out what its session can be resumed by, where its protocol has that."
    refuses: bool = False
    "Whether it then refuses that."
    model: str | None = None
    "Of the first; by default the scenario's, or else the provider's default."

    def takes(self, journey: Journey) -> bool:
        """Whether a journey can go this way: not all that moves it leads to somebody else."""
        move = journey.move
        return self.stays or move is None or move.why not in ("expiring", "update")

    @property
    def stays(self) -> bool:
        """Whether the conversation stays with its provider."""
        return self.first.name == self.second.name


@attrs.frozen
class Said:
    """One command of the application, or its move, and when it was given."""

    at: float
    "In seconds of virtual time."
    heard: int
    "How many frames had come by then."
    what: Command | Move


@attrs.frozen(kw_only=True)
class Leg:
    """What was told over one connection: up to and with the word that the next is in use."""

    provider: str
    capabilities: Capabilities
    events: tuple[Event, ...]


@attrs.frozen(kw_only=True)
class Moved:
    """What happened on a journey."""

    events: tuple[Event, ...] = attrs.field(repr=False)
    "All the session's events, in order."
    legs: tuple[Leg, ...] = attrs.field(repr=False)
    folded: tuple[ContentStep, ...] = attrs.field(default=(), repr=False)
    "What the session's folded view showed."
    usage: SessionUsage
    history: Conversation
    updated: Updated | None = None
    "What became of the application's update."
    entries: tuple[Entry, ...] = attrs.field(default=(), repr=False)
    "What went over the wire, as a cassette has it."
    said: tuple[Said, ...] = attrs.field(default=(), repr=False)
    "What the application said."
    lines: tuple[Line, ...] = attrs.field(default=(), repr=False)
    "The servers' ends."
    heard: int = 0
    "How many frames came."
    seconds: float = 0.0
    "How long it took, in virtual time."

    @property
    def ended(self) -> bool:
        """Whether the session ended by itself."""
        return any(isinstance(event, LimitReached) and event.ends for event in self.events)

    @property
    def arrivals(self) -> tuple[Reconnected, ...]:
        """What the session told of its moves."""
        return tuple(event for event in self.events if isinstance(event, Reconnected))


_MOVES: Mapping[str, tuple[Move, ...]] = {
    "between_turns": (
        Move(why="switch", after="ResponseDone"),
        Move(why="lost", after="ResponseDone"),
        Move(why="update", after="ResponseDone", voice="Aoede"),
    ),
    "in_silence": (Move(why="expiring", after="ResponseDone"),),
    "before_an_answer": (
        Move(why="switch", after="SendText"),
        Move(why="lost", after="SendText"),
    ),
    "in_mid_answer": (
        Move(why="switch", after="AudioDelta", count=5, patience=10.0),
        Move(why="lost", after="AudioDelta", count=5),
    ),
    "until_an_answer_is_over": (
        Move(why="update", after="ReportPlayback", count=5, voice="Aoede"),
    ),
    "cut_off": (Move(why="switch", after="AudioDelta", count=5),),
    "while_it_is_heard": (
        Move(why="switch", after="ResponseDone"),
        Move(why="lost", after="ResponseDone"),
    ),
    "while_a_tool_runs": (
        Move(why="switch", after="ToolCall"),
        Move(why="lost", after="ToolCall"),
    ),
    "until_a_tool_is_answered": (Move(why="switch", after="ToolCall", patience=10.0),),
    "before_a_result_is_answered": (
        Move(why="switch", after="SendToolResult"),
        Move(why="lost", after="SendToolResult"),
    ),
    "while_the_user_speaks": (
        Move(why="switch", after="AppendAudio", count=40),
        Move(why="lost", after="AppendAudio", count=40),
    ),
    "in_a_manual_turn": (
        Move(why="switch", after="AppendAudio", count=25),
        Move(why="lost", after="AppendAudio", count=25),
    ),
    "between_own_turns": (Move(why="switch", after="ResponseDone"),),
    "in_an_own_turn": (
        Move(why="switch", after="AppendAudio", count=40),
        Move(why="lost", after="AppendAudio", count=40),
    ),
}

_OWN: Mapping[str, Own] = {"between_own_turns": ears, "in_an_own_turn": ears}


def ways(providers: Iterable[Provider]) -> dict[str, Way]:
    """All the ways that a conversation can go between some providers, by name."""
    found = {}
    for first, second in product(tuple(providers), repeat=2):
        found[f"{first.name}-to-{second.name}"] = Way(first=first, second=second)
        if first is second and first.resume is not None:
            name, way = first.name, Way(first=first, second=second, remembers=True)
            found[f"{name}-resumed"] = way
            found[f"{name}-refused"] = attrs.evolve(way, refuses=True)
    return found


def _journeys() -> Mapping[str, Journey]:
    folder = files("unirt.testing") / "journeys"
    found = {}
    for place, moves in _MOVES.items():
        text = (folder / f"{place}.toml").read_text("utf-8")
        for move in moves:
            name = f"{move.why}_{place}"
            scenario = loads(text, name=name, where=f"{place}.toml")
            own = _OWN.get(place, nothing)
            found[name] = Journey(name=name, scenario=scenario, move=move, own=own)
    return found


JOURNEYS = _journeys()
"Those that come with unirt, by name."
