"""Who is called with which event of a session: those who listen, once each, in order."""

from collections.abc import Callable
from typing import Any

import pytest

from unirt import events as ev
from unirt.composer import Composer
from unirt.session.limits import Limits
from unirt.session.state import Handlers, State

Called = list[str]


@pytest.fixture
def called() -> Called:
    return []


@pytest.fixture
def state() -> State:
    return State(Limits(), (), lambda: "m")


def who(called: Called, name: str) -> Handlers:
    return {ev.SessionStarted: lambda event: called.append(name)}


def tell(state: State) -> None:
    composer = Composer("toy")
    composer.begin(None, 0.0)
    composer.session_started()
    state.feed(composer.events_received())


def test_who_listened_first_is_called_first(state: State, called: Called) -> None:
    for name in "abc":
        state.listen(who(called, name))
    tell(state)
    assert called == ["a", "b", "c"]


def test_who_listens_twice_is_called_once_and_where_it_was(state: State, called: Called) -> None:
    first = who(called, "a")
    for handlers in (first, who(called, "b"), first):
        state.listen(handlers)
    tell(state)
    assert called == ["a", "b"]


def test_who_is_ignored_is_called_no_more_and_the_others_are(state: State, called: Called) -> None:
    first = who(called, "a")
    state.listen(first)
    state.listen(who(called, "b"))
    state.ignore(first)
    state.ignore(who(called, "a stranger"))
    tell(state)
    assert called == ["b"]


def test_who_goes_while_an_event_is_told_takes_nobody_with_it(state: State, called: Called) -> None:
    once: dict[type[ev.Event], Callable[[Any], None]] = {}

    def go(event: Any) -> None:
        called.append("once")
        state.ignore(once)

    once[ev.SessionStarted] = go
    state.listen(once)
    state.listen(who(called, "always"))
    tell(state)
    tell(state)
    assert called == ["once", "always", "always"]
