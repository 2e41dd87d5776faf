"""
What the kept views of one conversation on two providers may differ in, and what they do.

Two kept streams of one conversation are equal but for five freedoms, and each of them has a reason
that can be read off a provider's :class:`~unirt.capabilities.Capabilities` or off the grammar:

1. *Never said.* A kind of event that either provider's facts mark ``NEVER`` is left out of both,
   and with it the streams that hold nothing else.
2. *Cut differently.* How many deltas a stream comes in, and whether an empty one is announced, is
   the provider's business: the deltas of one stream count as one, a stream without any as none.
3. *Frames, not facts.* ``Noted``, ``ContentDiscarded`` and ``UsageReported`` tell of frames: what
   came twice, too late, or on the way. The facts in them have other events.
4. *Left open.* Between the events of a turn only this order is promised: a response starts, calls,
   is cut and is done, in that order. The user's words, buffers, items and limits come when they
   come; a cut of the playback alone comes before or after the end of the response.
5. *Who plays.* Where only one of the two owns the playback, as in a call, what is told of that is
   left out: ``PlaybackStarted``, ``PlaybackStopped``, ``PlaybackCleared``; and ``ItemTruncated``,
   for who plays need not be told how much was heard; and ``InputCleared``, for who always listens
   has heard silence before a turn of push to talk.

Whatever else differs is a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from unirt.capabilities import Capabilities, Emission
from unirt.events import (
    ContentDiscarded,
    ContentEvent,
    Event,
    InputCleared,
    Interrupted,
    ItemTruncated,
    Noted,
    PlaybackCleared,
    PlaybackStarted,
    PlaybackStopped,
    ResponseDone,
    ResponseStarted,
    SessionEvent,
    StreamClosed,
    StreamOpened,
    ToolCall,
    UsageReported,
)
from unirt.grammar import GROWTH

__all__ = ["comparable", "differences", "told_apart"]

_FRAMES: frozenset[type[Event]] = frozenset({Noted, ContentDiscarded, UsageReported})
_PLAYBACK: frozenset[type[Event]] = frozenset(
    {PlaybackStarted, PlaybackStopped, PlaybackCleared, ItemTruncated, InputCleared}
)
_PROMISED = (ResponseStarted, ToolCall, Interrupted, ResponseDone)

Place = tuple[str | None, str | None]
"The turn and the response that an event belongs to, renamed by first appearance."


def differences(
    events_a: Sequence[Event],
    events_b: Sequence[Event],
    caps_a: Capabilities,
    caps_b: Capabilities,
) -> list[str]:
    """
    How two kept streams of one conversation differ beyond the five freedoms, in words.

    Args:
        events_a: What one provider's translator told.
        events_b: What the other's told.
        caps_a: The facts about the one.
        caps_b: The facts about the other.
    """
    a, b = comparable(events_a, events_b, caps_a, caps_b)
    return told_apart(a, b, caps_a.provider, caps_b.provider)


def comparable(
    events_a: Sequence[Event],
    events_b: Sequence[Event],
    caps_a: Capabilities,
    caps_b: Capabilities,
) -> tuple[list[Event], list[Event]]:
    """The events of the kinds that both could have told."""
    told = {type(event) for event in (*events_a, *events_b)} - _FRAMES
    if _plays(events_a) is not _plays(events_b):
        told -= _PLAYBACK
    compared = {
        kind
        for kind in told
        if issubclass(kind, SessionEvent)  # told by the session itself, wherever it is
        or Emission.NEVER not in (caps_a.emission(kind.__name__), caps_b.emission(kind.__name__))
    }
    a, b = ([e for e in events if type(e) in compared] for events in (events_a, events_b))
    return a, b


def told_apart(
    events_a: Sequence[Event], events_b: Sequence[Event], name_a: str, name_b: str
) -> list[str]:
    """How often each kind comes, and in what order, where that differs, in words."""
    a, b = _Summary(events_a), _Summary(events_b)
    found = []
    for place, kind in sorted({*a.counts, *b.counts}, key=repr):
        in_a, in_b = a.counts[place, kind], b.counts[place, kind]
        if in_a != in_b:
            found.append(
                f"{_named(place)}: {kind} comes {in_a} times on {name_a}, {in_b} times on {name_b}"
            )
    found += [
        f"{_named(place)}: {a.order.get(place)} on {name_a}, {b.order.get(place)} on {name_b}"
        for place in sorted({*a.order, *b.order}, key=repr)
        if a.order.get(place) != b.order.get(place)
    ]
    return found


def _plays(events: Sequence[Event]) -> bool:
    """Whether the provider owned the playback."""
    return any(isinstance(event, PlaybackStarted) for event in events)


class _Summary:
    """What is compared of one stream: how often each kind comes, and what is promised in order."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.counts: Counter[tuple[Place, str]] = Counter()
        self.order: dict[Place, list[str]] = {}
        turns: dict[str, str] = {}
        responses: dict[str, str] = {}
        for event in _merged(events):
            kind = type(event).__name__
            turn = _renamed(turns, event.turn_id, "turn")
            place = (turn, _renamed(responses, event.response_id, "response"))
            self.counts[place, kind] += 1
            if isinstance(event, _PROMISED) and getattr(event, "generating", True):
                self.order.setdefault(place, []).append(kind)


def _merged(events: Sequence[Event]) -> Iterator[Event]:
    """The events, with one delta of each kind a stream, and without streams that hold nothing."""
    content = [event for event in events if isinstance(event, ContentEvent)]
    frame = (StreamOpened, StreamClosed)
    holding = {event.stream.id for event in content if not isinstance(event, frame)}
    grown: set[tuple[str, type[Event]]] = set()
    for event in events:
        if isinstance(event, ContentEvent):
            step = event.stream.id, type(event)
            if event.stream.id not in holding or step in grown:
                continue
            if type(event) in GROWTH:
                grown.add(step)
        yield event


def _renamed(names: dict[str, str], id_: str | None, noun: str) -> str | None:
    return None if id_ is None else names.setdefault(id_, f"{noun} {len(names) + 1}")


def _named(place: Place) -> str:
    return ", ".join(name for name in place if name is not None) or "session"
