"""A connection that is about to end is left before that (field 1), over real sockets."""

from __future__ import annotations

import time

import pytest

import unirt
from tests.holding import NAMES, Talk, answers, ask
from unirt.clock import ManualClock


@pytest.mark.parametrize("name", NAMES)
async def test_a_connection_is_left_before_the_provider_ends_it(name: str) -> None:
    """Field 1: in total silence, by a timer."""
    clock = ManualClock()
    announce = '[[reply]]\ncue = "text"\nsteps = [{ say = "One.", ms = 300 }, { go_away = 50000 }]'
    async with Talk(name, answers(then=announce), answers("Two."), clock=clock) as (
        session,
        reader,
        simulator,
    ):
        await ask(reader)
        if name == "openai":
            clock.advance(59 * 60)
        await reader.many(unirt.Reconnected)
        await ask(reader, "Second")
        assert len(simulator.connections) == 2
    (there,) = reader.of(unirt.Reconnected)
    assert there.why == "expiring"
    assert not reader.of(unirt.Interrupted)
    assert [item.text for item in session.history] == ["Hi", "One.", "Second", "Two."]


async def test_a_connection_that_ends_before_the_cap_is_left_before_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Field 1: servers of the same protocol may end sessions after half an hour."""
    monkeypatch.setattr("unirt_openai.server.translator._LIFETIME_S", 30 * 60)
    clock = ManualClock(unix=time.time())
    async with Talk("openai", answers("One."), answers("Two."), clock=clock) as (
        session,
        reader,
        simulator,
    ):
        await ask(reader)
        clock.advance(29 * 60 + 30)  # the server began a little later
        (there,) = await reader.many(unirt.Reconnected)
        await ask(reader, "Second")
        assert len(simulator.connections) == 2
    assert there.why == "expiring"
    assert [item.text for item in session.history] == ["Hi", "One.", "Second", "Two."]


@pytest.mark.parametrize("name", NAMES)
async def test_it_is_left_at_the_end_of_an_answer_where_there_is_time(name: str) -> None:
    clock = ManualClock()
    story = (
        '[[reply]]\ncue = "text"\n'
        'steps = [{ say = "Once upon a time.", ms = 3000 }, { go_away = 50000 },'
        ' { say = "The end.", ms = 3000 }]'
    )
    async with Talk(name, answers(then=story), answers("Two."), clock=clock) as (
        session,
        reader,
        _,
    ):
        await session.send_text("A story")
        await reader.many(unirt.AudioDelta)
        if name == "openai":
            clock.advance(59 * 60)
        await reader.many(unirt.SessionExpiring)
        await reader.many(unirt.Reconnected)
        (done,) = reader.of(unirt.ResponseDone)
        place = reader.events.index
        assert done.ending is unirt.Ending.COMPLETE
        assert place(done) < place(reader.of(unirt.Reconnecting)[0])
