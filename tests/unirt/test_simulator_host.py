"""Simulators on real sockets, spoken to by the providers' own dialling and translators."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.pace import FAST
from unirt import (
    Credentials,
    Event,
    ResponseDone,
    SendText,
    SessionClosed,
    SessionConfig,
    TranscriptDelta,
)
from unirt.clock import ManualClock
from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.simulator import Simulator, builtin, loads
from unirt.testing import check
from unirt.transport import Transport, TransportClosed


@pytest.fixture(params=installed())
def provider(request: pytest.FixtureRequest) -> Provider:
    found = load(request.param)
    if found.server is None:
        pytest.skip("the plug-in brings no server side")
    return found


class Client:
    """A client as thin as can be: a transport and a translator."""

    def __init__(self, provider: Provider, transport: Transport) -> None:
        self.translator = provider.new_translator(SessionConfig())
        self.transport = transport
        self.events: list[Event] = []
        self.translator.start(0.0)

    async def say(self, text: str) -> None:
        self.translator.send(SendText(text=text), 0.0)
        await self._flush()

    async def until(self, kind: type[Event]) -> Event:
        """Take frames until an event of a kind comes."""
        while True:
            await self._flush()
            for event in self.translator.events_received():
                self.events.append(event)
                if isinstance(event, kind):
                    return event
            try:
                self.translator.receive(await self.transport.receive(), 0.0)
            except TransportClosed as closed:
                self.translator.receive_close(closed.code, closed.reason, closed.by, 0.0)

    async def until_ready(self) -> None:
        while not self.translator.ready:
            await self._flush()
            self.translator.receive(await self.transport.receive(), 0.0)
        await self._flush()

    async def _flush(self) -> None:
        for frame in self.translator.frames_to_send():
            await self.transport.send(frame)

    @property
    def words(self) -> str:
        deltas = [event for event in self.events if isinstance(event, TranscriptDelta)]
        return "".join(delta.text for delta in deltas)


class Room:
    """Dials simulators, and hangs up at the end of the test."""

    def __init__(self, provider: Provider, kind: str) -> None:
        self._provider = provider
        self._kind = kind
        self._clients: list[Client] = []

    async def dial(self, sim: Simulator, **options: object) -> Client:
        config = SessionConfig(model=self._provider.default_model)
        credentials = Credentials(environ=sim.env, options=options, transport=self._kind)
        transport = await self._provider.dial(config, credentials)
        client = Client(self._provider, transport)
        self._clients.append(client)
        await client.until_ready()
        return client

    async def close(self) -> None:
        for client in self._clients:
            await client.transport.close()


@pytest.fixture(params=["websocket", "fast"])
async def room(provider: Provider, request: pytest.FixtureRequest) -> AsyncIterator[Room]:
    room = Room(provider, request.param)
    yield room
    await room.close()


async def test_the_environment_it_gives_points_a_client_at_it(
    provider: Provider, room: Room
) -> None:
    async with Simulator(provider, builtin("text_turn"), pace=FAST, log=True) as sim:
        client = await room.dial(sim)
        await client.say("Good morning.")
        await client.until(ResponseDone)
        await sim.settled()
        check(client.events)
        assert client.words == "Good morning to you."
        (line,) = sim.connections
        assert line.totals.commands["SendText"] == 1
        assert SendText in {type(command) for command in line.commands}
        assert line.log is not None
        assert line.totals.frames_received == sum(e.direction == "in" for e in line.log)
        assert line.totals.frames_sent == sum(e.direction == "out" for e in line.log)


async def test_many_connections_are_served_at_once(provider: Provider, room: Room) -> None:
    async with Simulator(provider, pace=FAST) as sim:
        clients = [await room.dial(sim) for _ in range(12)]
        for number, client in enumerate(clients):
            await client.say(f"number {number}")
        await asyncio.gather(*(client.until(ResponseDone) for client in clients))
        assert [client.words for client in clients] == [
            f"You wrote: number {number}" for number in range(12)
        ]
        assert len(sim.connections) == 12


async def test_every_connection_gets_the_whole_scenario(provider: Provider, room: Room) -> None:
    async with Simulator(provider, builtin("text_turn"), pace=FAST) as sim:
        for _ in range(2):
            client = await room.dial(sim)
            await client.say("Good morning.")
            await client.until(ResponseDone)
            assert client.words == "Good morning to you."


async def test_a_scripted_close_reaches_the_client(provider: Provider, room: Room) -> None:
    async with Simulator(provider, builtin("connection_lost"), pace=FAST) as sim:
        client = await room.dial(sim)
        await client.say("Go on.")
        closed = await client.until(SessionClosed)
        assert isinstance(closed, SessionClosed)
        assert (closed.code, closed.reason) == (1011, "Internal error occurred")
        assert closed.by == "remote"
        check(client.events, complete=True)


async def test_leaving_it_hangs_up_and_joins_everything(provider: Provider, room: Room) -> None:
    before = asyncio.all_tasks()
    plan = loads("[[reply]]\ncue = 'text'\nsteps = [{ say = 'On and on', ms = 20000 }]")
    async with Simulator(provider, plan) as sim:
        client = await room.dial(sim)
        await client.say("Talk.")
        await client.until(TranscriptDelta)
    closed = await client.until(SessionClosed)
    assert isinstance(closed, SessionClosed)
    assert closed.code == 1001
    await room.close()
    await asyncio.sleep(0)  # the client's own keepalive, cancelled by the close, ends
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not left
    assert sim.connections[0].closed is not None


async def test_a_request_without_a_key_is_refused(provider: Provider) -> None:
    async with Simulator(provider) as sim:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"{sim.url}/v1/realtime", proxy=None)
        assert caught.value.response.status_code in (401, 403, 404)
        assert caught.value.response.body
        assert list(sim.refused) == [(caught.value.response.status_code, "/v1/realtime")]
        assert not sim.connections


async def test_it_answers_by_the_clock_it_was_given(provider: Provider, room: Room) -> None:
    clock = ManualClock()
    async with Simulator(provider, builtin("text_turn"), clock=clock) as sim:
        client = await room.dial(sim)
        await client.say("Good morning.")
        while clock.next_wake() is None:
            await asyncio.sleep(0)
        settled = asyncio.ensure_future(sim.settled())
        answer = asyncio.ensure_future(client.until(ResponseDone))
        while not answer.done():
            wake = clock.next_wake()
            if wake is not None:
                clock.advance_to(wake)
            await asyncio.sleep(0)
        await settled
        assert client.words == "Good morning to you."
        assert 0.3 <= clock.now() <= 1.0


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def test_it_serves_tls(provider: Provider, room: Room, authority: trustme.CA) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with Simulator(provider, builtin("text_turn"), pace=FAST, ssl=server) as sim:
        assert sim.url.startswith("wss://")
        client = await room.dial(sim, ssl=trusting)
        await client.say("Good morning.")
        await client.until(ResponseDone)
        assert client.words == "Good morning to you."


async def test_its_address_is_unknown_before_it_runs(provider: Provider) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        _ = Simulator(provider).url
