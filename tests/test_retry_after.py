"""What a server asks for by ``Retry-After`` is waited for, up to as long as anybody waits."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import attrs
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

import unirt
from tests.refusing import refusal, refusing, refusing_calls
from tests.talking import Reader
from unirt.registry import load
from unirt.simulator import Near
from unirt.testing.virtual import LoopClock, run_virtually

names = pytest.mark.parametrize("name", ["openai", "google"])
POLITE = unirt.Reconnect(first_wait=1.0, longest_wait=20.0, jitter=0.0)


headers_read = pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        (
            {
                "Date": "Thu, 26 Nov 2026 10:00:00 GMT",
                "Retry-After": "Thu, 26 Nov 2026 10:00:09 GMT",
            },
            9.0,
        ),
        ({"Date": "now", "Retry-After": "Thu, 26 Nov 2026 10:00:09 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)


@names
@headers_read
@pytest.mark.parametrize("transport", ["websocket", "fast"])
async def test_the_header_is_read(
    name: str, transport: str, headers: dict[str, str], seconds: float | None
) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "busy")
        del response.headers["Date"]
        response.headers.update(headers)
        return response

    async with refusing(refuse) as url:
        error = await refusal(name, url, transport=transport, reconnect=False)
    assert error.status == 503
    assert error.retry_after == seconds


@headers_read
async def test_the_header_is_read_where_a_call_is_refused(
    headers: dict[str, str], seconds: float | None
) -> None:
    async with refusing_calls(503, "busy", headers) as (url, _):
        error = await refusal("openai", url, transport="webrtc", reconnect=False)
    assert error.status == 503
    assert error.retry_after == seconds


class Busy:
    """A provider whose server refuses some dials, by number, and says when to come again."""

    def __init__(self, name: str, refused: dict[int, float], clock: LoopClock) -> None:
        self.near = Near(load(name), clock=clock)
        self.provider = attrs.evolve(self.near.provider, dial=self.dial)
        self.dialled: list[float] = []
        self._refused = refused
        self._clock = clock

    async def dial(self, config: Any, credentials: Any) -> Any:
        self.dialled.append(self._clock.now())
        asked = self._refused.get(len(self.dialled))
        if asked is not None:
            name = self.provider.name
            raise unirt.DialError(name, url="x:", why="busy", status=503, retry_after=asked)
        return await self.near.provider.dial(config, credentials)


def talked(name: str, refused: dict[int, float]) -> tuple[list[float], unirt.ConnectionLost | None]:
    """When a session dialled, whose first connection is cut, and how it ended."""

    async def talk() -> tuple[list[float], unirt.ConnectionLost | None]:
        clock = LoopClock()
        busy = Busy(name, refused, clock)
        connecting = unirt.connect(
            busy.provider, clock=clock, reconnect=POLITE, environ={}, env_file=None
        )
        async with busy.near, connecting as session:
            reader = Reader(session)
            await reader.many(unirt.SessionStarted)
            for transport in busy.near._serving.values():
                transport.cut()
            while not (reader.of(unirt.Reconnected) or session.closed):
                await clock.sleep_until(clock.now() + 0.5)
            await session.close()
            await reader.done()
            return busy.dialled, reader.error

    return run_virtually(talk())


@names
def test_it_is_waited_for_before_a_lost_connection_is_replaced(name: str) -> None:
    (first, *again), error = talked(name, {2: 7.0, 3: 3.0})
    assert [round(then - first, 3) for then in again] == [0.0, 7.0, 10.0]
    assert error is None


@names
def test_it_is_waited_for_before_the_first_dial_is_tried_again(name: str) -> None:
    dialled, error = talked(name, {1: 7.0})
    assert dialled[1] - dialled[0] == pytest.approx(7.0)
    assert error is None


@names
def test_who_asks_to_be_left_alone_for_longer_than_anybody_waits_is_given_up(name: str) -> None:
    dialled, error = talked(name, {2: 21.0})
    assert len(dialled) == 2
    assert error is not None
    assert "busy" in error.reason
    with pytest.raises(unirt.DialError) as refused:
        talked(name, {1: 21.0})
    assert refused.value.retry_after == 21.0


@names
def test_others_are_tried_meanwhile_and_it_is_waited_for_when_it_is_its_turn_again(
    name: str,
) -> None:
    async def talk() -> list[tuple[str, float]]:
        clock = LoopClock()
        busy = Busy(name, {2: 7.0}, clock)
        other = "google" if name == "openai" else "openai"
        away = Busy(other, dict.fromkeys(range(1, 9), 0.0), clock)
        connecting = unirt.connect(
            busy.provider,
            clock=clock,
            reconnect=POLITE,
            fallback=[away.provider],
            environ={},
            env_file=None,
        )
        async with busy.near, away.near, connecting as session:
            reader = Reader(session)
            await reader.many(unirt.SessionStarted)
            for transport in busy.near._serving.values():
                transport.cut()
            await reader.many(unirt.Reconnected)
            await session.close()
            await reader.done()
        return [*((name, at) for at in busy.dialled), *((other, at) for at in away.dialled)]

    dialled = run_virtually(talk())
    begun = dialled[0][1]
    mine = [round(at - begun, 3) for who, at in dialled if who == name]
    assert len(mine) == 3
    assert mine[2] >= 7.0
