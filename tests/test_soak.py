"""The soak in small, and that it would see what it looks for. ``python -m tests.soak`` is all."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest

import unirt
from tests.soak.alone import alone
from tests.soak.gauge import Reading, grown_mb
from tests.soak.long import run_long
from tests.soak.many import FORMATS, run_many
from tests.soak.report import complaints, page
from unirt.session.views import View

pytestmark = pytest.mark.long

NAMES = list(FORMATS)


async def test_many_sessions_at_once_lose_nothing() -> None:
    many = await run_many(sessions=10, generations=2, rounds=1)

    assert many.ledger.turns == 10 * 2 * 2
    assert {now.descriptors for now in many.closed} == {many.before.descriptors}
    assert {now.tasks for now in many.closed} == {many.before.tasks}


@pytest.mark.parametrize("provider", NAMES)
async def test_a_long_session_goes_on_over_many_connections(provider: str) -> None:
    long = await run_long(provider, turns=24, reconnects=5)

    assert (long.ledger.turns, long.ledger.reconnects) == (24, 5)
    assert long.readings[-1].descriptors == long.readings[0].descriptors
    assert long.readings[-1].tasks == long.readings[0].tasks


@pytest.mark.parametrize("kind", [unirt.AudioDelta, unirt.TranscriptDelta])
async def test_what_is_lost_is_seen(kind: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that swallows the fifth piece of a kind."""
    read, seen = View.__anext__, 0

    async def swallowing(view: View) -> unirt.Event:
        nonlocal seen
        event = await read(view)
        if type(event) is kind:
            seen += 1
            if seen == 5:
                return await read(view)
        return event

    monkeypatch.setattr(View, "__anext__", swallowing)
    with pytest.RaisesGroup(AssertionError, flatten_subgroups=True, allow_unwrapped=True):
        await run_many(sessions=2, generations=1, rounds=2)


async def test_what_is_not_heard_of_the_user_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that swallows the fifth piece of a voice."""
    send, said = unirt.Session.send_audio, 0

    async def swallowing(session: unirt.Session, *sound: Any) -> None:
        nonlocal said
        said += 1
        if said != 5:
            await send(session, *sound)

    monkeypatch.setattr(unirt.Session, "send_audio", swallowing)
    with pytest.RaisesGroup(AssertionError, flatten_subgroups=True, allow_unwrapped=True):
        await run_many(sessions=2, generations=1, rounds=2)


def _reading(at: int, memory_mb: float, descriptors: int = 7) -> Reading:
    return Reading(at=at, memory_mb=memory_mb, descriptors=descriptors, threads=1, tasks=1)


def test_growth_is_that_from_the_third_quarter_to_the_last() -> None:
    warming = [_reading(at, mb) for at, mb in enumerate([10, 50, 60, 80, 95, 90, 92, 99, 90])]
    leaking = [_reading(at, 50 + 4.0 * at) for at in range(9)]

    assert grown_mb(warming) == 0
    assert grown_mb(leaking) == 8.0


async def test_the_page_and_the_complaints() -> None:
    many = await run_many(sessions=2, generations=2, rounds=1)
    long = await run_long("openai", turns=40, reconnects=1)
    many = attrs.evolve(many, open=tuple(_reading(at, 60.0) for at in range(6)), closed=())
    long = attrs.evolve(long, readings=tuple(_reading(20 * at, 60.0) for at in range(9)))

    assert not list(complaints(many, [long]))
    leaking = attrs.evolve(long, readings=(*long.readings[:6], *[_reading(1, 70.0, 8)] * 3))
    assert list(complaints(many, [leaking])) == [
        "openai: memory grew by 10.0 MB from the third quarter to the last",
        "openai: 1 descriptors are left over",
        "openai: from 7 to 8 file descriptors",
    ]
    text = page(
        attrs.evolve(many, open=()), [long], {"date": "", "python": "", "cores": 2, "processor": ""}
    )
    assert "| OpenAI Realtime | 40 | 1 |" in text


async def _endless() -> None:
    await asyncio.Event().wait()


def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        alone(_endless, seconds=0.1)
