"""What is reported when a journey differs in more than it may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from unirt import Event, Reconnected, ResponseDone, StreamClosed
from unirt.registry import installed, load
from unirt.testing.journey import JOURNEYS, Moved, ways
from unirt.testing.moved import moved_apart, moved_outlines, moved_rows
from unirt.testing.travel import travel

WAYS = ways(map(load, installed()))
STAYS = next(way for way in WAYS.values() if way.stays)
LEAVES = next(way for way in WAYS.values() if not way.stays)


@pytest.fixture(scope="module")
def moved() -> Moved:
    return travel(STAYS, JOURNEYS["switch_between_turns"])


def changed(moved: Moved, change: Callable[[Event], Event | None]) -> Moved:
    def new(events: tuple[Event, ...]) -> tuple[Event, ...]:
        return tuple(one for event in events if (one := change(event)) is not None)

    legs = tuple(attrs.evolve(leg, events=new(leg.events)) for leg in moved.legs)
    return attrs.evolve(moved, events=new(moved.events), legs=legs)


def test_the_same_journey_is_the_same_each_time(moved: Moved) -> None:
    again = travel(STAYS, JOURNEYS["switch_between_turns"])
    assert (again.events, again.entries) == (moved.events, moved.entries)
    assert moved_apart(moved, again) == []
    one, other = moved_outlines(moved, again)
    assert one == other


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"lost": 1}, "Reconnected: lost is 0"),
        ({"carried": 9}, "Reconnected: known is 2"),
        ({"replayed_ms": 1.0}, "Reconnected: replayed_ms is 300.0"),
        ({"settings_lost": ("speed",)}, "Reconnected: settings_lost is ()"),
        ({"calls": ("c",)}, "Reconnected: calls is 0"),
    ],
)
def test_what_is_told_of_a_move_may_not_differ(
    moved: Moved, fields: dict[str, Any], said: str
) -> None:
    def change(event: Event) -> Event:
        return attrs.evolve(event, **fields) if isinstance(event, Reconnected) else event

    (found,) = moved_apart(moved, changed(moved, change))
    assert found.startswith(said)


@pytest.mark.parametrize("kind", [Reconnected, ResponseDone])
def test_no_event_may_be_missing(moved: Moved, kind: type[Event]) -> None:
    other = changed(moved, lambda event: None if isinstance(event, kind) else event)
    if kind is Reconnected:
        with pytest.raises(ValueError, match="shorter"):
            moved_apart(moved, other)
    else:
        assert any(f"{kind.__name__} comes" in words for words in moved_apart(moved, other))


def test_other_words_are_a_difference(moved: Moved) -> None:
    def change(event: Event) -> Event:
        return attrs.evolve(event, text="No.") if isinstance(event, StreamClosed) else event

    one, other = moved_outlines(moved, changed(moved, change))
    assert one != other


def test_rows_tell_of_each_connection(moved: Moved) -> None:
    there = travel(LEAVES, JOURNEYS["switch_between_turns"])
    found = [str(row) for row in moved_rows(moved, there)]
    assert found
    assert not any("Reconnect" in row for row in found)
