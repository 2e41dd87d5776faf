"""Observers: who looks on at a session sees everything, and disturbs nothing."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

import unirt
from tests.pace import FAST
from tests.unirt.answering import answer, hear
from unirt import Event, Origin
from unirt.grammar import Checker
from unirt.registry import installed, load
from unirt.simulator import Simulator

Toy = Any  # the fixture's class lives in conftest.py, which no module may import
ORIGIN = Origin(provider="toy")


async def test_an_observer_is_given_every_event_of_every_step_before_a_view_has_it(
    toy: Toy,
) -> None:
    steps: list[Sequence[Event]] = []
    unseen: list[bool] = []
    heard: list[Event] = []

    def observe(events: Sequence[Event]) -> None:
        steps.append(events)
        unseen.append(not {id(event) for event in events} & {id(event) for event in heard})

    await toy.greet()
    async with toy.connecting(observers=[observe]) as session:
        await answer(toy)
        heard += await hear(session)
        await session.close()
        heard += [event async for event in session]

    told = [event for step in steps for event in step]
    assert list(map(id, told)) == list(map(id, heard))
    assert (type(told[0]), type(told[-1])) == (unirt.SessionStarted, unirt.SessionClosed)
    assert all(steps)
    assert all(unseen)


async def test_observers_are_told_in_their_order_and_of_audio_as_views_get_it(toy: Toy) -> None:
    calls: list[str] = []
    heard: list[Event] = []
    wanted = unirt.AudioFormat(rate=48_000)
    observers = [lambda _: calls.append("first"), lambda _: calls.append("second"), heard.extend]

    await toy.greet()
    async with toy.connecting(observers=observers, audio_out=wanted) as session:
        await answer(toy)
        await hear(session)

    assert calls == ["first", "second"] * (len(calls) // 2)
    assert {event.format for event in heard if isinstance(event, unirt.AudioDelta)} == {wanted}


@pytest.mark.parametrize("error", [ValueError, unirt.UsageError, asyncio.CancelledError])
async def test_an_observer_that_raises_is_logged_and_not_called_again_and_all_else_goes_on(
    error: type[BaseException], toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Sequence[Event]] = []
    after: list[Event] = []

    def breaks(events: Sequence[Event]) -> None:
        calls.append(events)
        raise error.__new__(error)

    await toy.greet()
    async with toy.connecting(observers=[breaks, after.extend]) as session:
        await answer(toy)
        heard = await hear(session)
        await session.send_text("still here")

    assert len(calls) == 1
    assert after[: len(heard)] == heard
    (record,) = (r for r in caplog.records if r.levelno == logging.ERROR)
    assert "breaks raised, and is not called again" in record.getMessage()
    assert record.exc_info


class Whole:
    """An observer that is more than a function."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[str] = []
        self.error = error

    def __call__(self, events: Sequence[Event]) -> None:
        self.told += [type(event).__name__ for event in events]

    def said(self, command: unirt.Command) -> None:
        self.told.append(type(command).__name__)
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.told.append("close")


async def test_an_observer_may_be_told_what_is_said_and_the_end(toy: Toy) -> None:
    whole = Whole()
    await toy.greet()
    async with toy.connecting(observers=[whole]) as session:
        await session.send_text("hello")
        with pytest.raises(unirt.UsageError):
            await session.send_text("refuse me")
        await session.close()
        await session.close()
    assert whole.told == [
        "SessionStarted",
        "SendText",
        "StreamOpened",
        "TextDelta",
        "StreamClosed",
        "SessionClosed",
        "close",
    ]


async def test_an_observer_is_told_the_end_of_a_session_that_never_came_about(toy: Toy) -> None:
    whole = Whole()
    await toy.say("error", message="no", severity="fatal")
    with pytest.raises(unirt.HandshakeError):
        async with toy.connecting(observers=[whole]):
            pass
    assert whole.told[-1] == "close"
    assert whole.told.count("close") == 1


async def test_an_observer_that_raises_at_what_is_said_is_not_called_again(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Whole(ValueError("a bug"))
    await toy.greet()
    async with toy.connecting(observers=[whole]) as session:
        await session.send_text("hello")
        await session.send_text("hello again")
    assert whole.told[-1] == "SendText"
    assert whole.told.count("SendText") == 1
    assert "Whole raised, and is not called again" in caplog.text


class Waits:
    async def __call__(self, events: Sequence[Event]) -> None: ...


async def coroutine(events: Sequence[Event]) -> None: ...


@pytest.mark.parametrize(
    "observers",
    [[coroutine], [partial(coroutine)], [Waits()], [len, 3], print, 3, None],
    ids=["coroutine", "partial", "async call", "number", "function", "no list", "none"],
)
async def test_what_cannot_be_an_observer_is_refused_before_anything_is_dialled(
    observers: Any, toy: Toy
) -> None:
    with pytest.raises(unirt.ConfigurationError, match="plain functions") as refused:
        toy.connecting(observers=observers)

    assert refused.value.where == "observers"
    assert toy.dialled == []


@pytest.mark.parametrize("provider", installed())
async def test_the_table_of_orders_can_be_switched_on(
    provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    checker = Checker()
    observers = [checker.feed_all]
    async with (
        Simulator(load(provider), pace=FAST) as simulator,
        unirt.connect(provider, environ=simulator.env, observers=observers) as session,
    ):
        await session.send_text("Hello")
        await hear(session)

    checker.finish()
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_an_illegal_order_is_logged_and_the_session_goes_on(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    checker = Checker()
    checker.feed(unirt.SessionStarted(origin=ORIGIN))  # so the session's own is a second one

    await toy.greet()
    async with toy.connecting(observers=[checker.feed_all]) as session:
        await answer(toy)
        await hear(session)

    assert "event 1 (SessionStarted): the session is open" in caplog.text
    assert "Checker.feed_all raised" in caplog.text
