"""
A session holds on to its provider: lost and resumed (fields 2, 3, 15), over real sockets.
"""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import attrs
import pytest
from websockets.asyncio.server import ServerConnection, serve

import unirt
from tests.holding import AT_ONCE, NAMES, Talk, answers, ask, hangs_up, said
from tests.talking import Reader
from unirt import commands as cmd
from unirt.clock import ManualClock
from unirt.registry import load
from unirt.simulator import Near, Simulator
from unirt.simulator.script import loads
from unirt.testing.virtual import LoopClock, run_virtually


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", [1001, 1011, 1012])
async def test_a_lost_connection_is_replaced(name: str, code: int) -> None:
    first, second = answers("One.", then=hangs_up(code, "bye")), answers("Two.", "Three.")
    async with Talk(name, first, second) as (session, reader, simulator):
        await ask(reader, "First")
        await session.send_text("Second")
        (there,) = await reader.many(unirt.Reconnected)
        await ask(reader, "Third")
        assert len(simulator.connections) == 2
        assert (there.why, there.previous, there.origin.provider) == ("lost", name, name)
        assert there.carried + there.changed >= 3  # what was said, and the turn without an answer
        assert not there.state_restored
        texts = [item.text for item in session.history]
        assert texts[:3] == ["First", "One.", "Second"]
        assert "Two." in texts
        told = said(simulator.connections[1].commands)
        assert told == ["First", "One.", "Second", "Third"]


@pytest.mark.parametrize("name", NAMES)
async def test_it_can_be_switched_off(name: str) -> None:
    async with Talk(name, answers(then=hangs_up(1011)), reconnect=False) as (session, reader, _):
        await session.send_text("Hi")
        await reader.done()
    assert not reader.of(unirt.Reconnecting)
    assert reader.error is not None


@pytest.mark.parametrize("name", NAMES)
async def test_it_can_be_switched_off_by_a_variable(name: str) -> None:
    simulator = Simulator(load(name), answers(then=hangs_up(1011)))
    async with simulator:
        environ = {**simulator.env, "UNIRT_RECONNECT": "off"}
        async with unirt.connect(name, environ=environ, env_file=None) as session:
            reader = Reader(session)
            await session.send_text("Hi")
            await reader.done()
    assert not reader.of(unirt.Reconnecting)


FATAL = [
    ("openai", 1008, "policy"),
    ("openai", 4000, "who knows"),
    ("google", 1007, "Request contains an invalid argument"),
    ("google", 1008, "Publisher model x was not found"),
    ("google", 1011, "RESOURCE_EXHAUSTED: you exceeded your current quota"),
]


@pytest.mark.parametrize(("name", "code", "reason"), FATAL)
async def test_what_would_happen_again_is_not_tried_again(
    name: str, code: int, reason: str
) -> None:
    async with Talk(name, answers(then=hangs_up(code, reason))) as (session, reader, simulator):
        await session.send_text("Hi")
        await reader.done()
        assert len(simulator.connections) == 1
    assert reader.error is not None
    assert (reader.error.code, reader.error.reason) == (code, reason)


async def test_what_users_have_seen_at_random_is_tried_again() -> None:
    first = answers(then=hangs_up(1008, "Requested entity was not found."))
    async with Talk("google", first, answers("Hi.")) as (session, reader, _):
        await session.send_text("Hi")
        await reader.many(unirt.Reconnected)


@pytest.mark.parametrize("name", NAMES)
async def test_a_handshake_does_not_reset_the_budget(name: str) -> None:
    """Field 15: connections that open and bring nothing are given up."""
    reconnect = unirt.Reconnect(tries=3, first_wait=0.0, jitter=0.0)
    dead = answers(then=hangs_up(1011, "overloaded") + '[[reply]]\ncue = "respond"\n'
                   'steps = [{ close = 1011, reason = "overloaded" }]')  # fmt: skip
    async with Talk(name, dead, reconnect=reconnect) as (session, reader, simulator):
        await session.send_text("Hi")
        await reader.done()
        assert len(simulator.connections) == 4
    assert reader.error is not None
    assert reader.error.reason == "overloaded"


@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_does(name: str) -> None:
    reconnect = unirt.Reconnect(tries=1, first_wait=0.0, jitter=0.0)
    asked = {"openai": "text", "google": "respond"}[name]  # what the turn that was lost is there
    first, others = (
        answers(
            then=f'[[reply]]\ncue = "{cue}"\nsteps = [{{ say = "Yes.", ms = 300 }}]\n'
            + hangs_up(1011)
        )
        for cue in ("text", asked)
    )
    async with Talk(name, first, others, reconnect=reconnect) as (session, reader, simulator):
        await ask(reader)
        for count in (1, 2, 3):
            await session.send_text("More")
            await reader.many(unirt.Reconnected, count)
            # The turn that was lost is asked for again, and has an answer.
            await reader.completed_ones(count + 1)
            session.playback.played(10_000)
        assert len(simulator.connections) == 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("lasted", "replaced"), [(59.0, 1), (61.0, 3)])
def test_a_minute_does_too(name: str, lasted: float, replaced: int) -> None:
    async def talk() -> int:
        clock = LoopClock()
        reconnect = unirt.Reconnect(tries=1, first_wait=0.0, jitter=0.0)
        near = Near(load(name), clock=clock)
        connecting = unirt.connect(
            near.provider, clock=clock, reconnect=reconnect, environ={}, env_file=None
        )
        async with near, connecting as session:
            reader = Reader(session)
            for count in range(1, 4):
                await clock.sleep_until(clock.now() + lasted)
                for transport in near._serving.values():
                    transport.cut()
                while len(reader.of(unirt.Reconnected)) < count and not session.closed:
                    await clock.sleep_until(clock.now() + 0.5)
        await reader.done()
        return len(reader.of(unirt.Reconnected))

    assert run_virtually(talk()) == replaced


# Resuming.


def setups(simulator: Simulator) -> list[dict[str, Any]]:
    """The setup of each connection."""
    found = []
    for line in simulator.connections:
        assert line.log is not None
        first = next(logged.frame for logged in line.log if logged.direction == "in")
        found.append(json.loads(first)["setup"])
    return found


RESUMABLE = """
    [[reply]]
    cue = "text"
    steps = [{ handle = "h1" }, { say = "One.", ms = 300 }, { handle = "h2" }, { handle = "" }]
"""


async def test_a_session_is_resumed_by_its_newest_handle() -> None:
    """Field 2: what cannot be resumed right now does not take the good handle away."""
    first = answers(then=RESUMABLE + hangs_up(1011))
    async with Talk("google", first, answers("Two.")) as (session, reader, simulator):
        await ask(reader)
        await reader.many(unirt.ResumptionUpdated, 3)
        await session.send_text("Second")
        (there,) = await reader.many(unirt.Reconnected)
        assert there.state_restored
        assert [each["sessionResumption"] for each in setups(simulator)] == [{}, {"handle": "h2"}]
        await reader.many(unirt.ResponseDone, 2)
        # It knows what was said until then; what came later it is told.
        told = [c for c in simulator.connections[-1].commands if not isinstance(c, cmd.Respond)]
        assert "Second" in repr(told)
        assert "One." not in repr(told)
    assert "h2" not in repr(reader.events)


@pytest.mark.parametrize("when", ["in the handshake", "afterwards"])
async def test_a_handle_that_is_refused_leads_to_a_new_session_that_is_told(when: str) -> None:
    late = answers(then='[[reply]]\ncue = "start"\nsteps = [{ close = 1008 }]')
    first, last = answers(then=RESUMABLE + hangs_up(1011)), answers("Two.")
    scenarios = (first, last) if when == "in the handshake" else (first, late, last)
    asked: list[str] = []

    async def refuse(socket: ServerConnection) -> None:
        asked.append(str(await socket.recv()))
        await socket.close(1008, "Session not found")

    dials = 0

    async def dial(config: unirt.SessionConfig, credentials: unirt.Credentials) -> Any:
        nonlocal dials
        dials += 1
        if dials == 2 and when == "in the handshake":
            port = next(iter(server.sockets)).getsockname()[1]
            credentials = attrs.evolve(credentials, base_url=f"ws://127.0.0.1:{port}")
        return await load("google").dial(config, credentials)

    async with (
        serve(refuse, "127.0.0.1", 0) as server,
        Talk("google", *scenarios, transport=dial) as (session, reader, simulator),
    ):
        await ask(reader)
        await reader.many(unirt.ResumptionUpdated, 3)
        await session.send_text("Second")
        await reader.until(lambda: dials == 3 and len(reader.of(unirt.ResponseDone)) >= 2)
        assert [each.state_restored for each in reader.of(unirt.Reconnected)][-1] is False
        assert "h2" in (asked[0] if asked else repr(setups(simulator)[1]))
        assert setups(simulator)[-1]["sessionResumption"] == {}
        await reader.until(lambda: reader.of(unirt.ResponseDone)[-1].audio_ms)
        assert "One." in repr(simulator.connections[-1].commands)


@pytest.mark.parametrize("name", NAMES)
async def test_a_first_connection_that_is_cut_in_its_handshake_is_tried_again(name: str) -> None:
    cuts = 1

    async def cut(socket: ServerConnection) -> None:
        socket.transport.abort()

    async def dial(config: unirt.SessionConfig, credentials: unirt.Credentials) -> Any:
        nonlocal cuts
        if cuts:
            cuts -= 1
            port = next(iter(server.sockets)).getsockname()[1]
            credentials = attrs.evolve(credentials, base_url=f"ws://127.0.0.1:{port}")
        return await load(name).dial(config, credentials)

    async with serve(cut, "127.0.0.1", 0) as server:
        async with Talk(name, answers("One."), transport=dial) as (_, reader, _):
            await ask(reader)
            assert not cuts
        cuts = 2  # as many as are tried
        environ = {"OPENAI_API_KEY": "sk-0123456789", "GEMINI_API_KEY": "0123456789"}
        connecting = unirt.connect(
            name, environ=environ, env_file=None, transport=dial, reconnect=AT_ONCE
        )
        with pytest.raises(unirt.HandshakeError, match="was lost before it was ready") as caught:
            await connecting.__aenter__()
    assert not cuts
    assert caught.value.cut


# The beginning.


@pytest.mark.parametrize("name", NAMES)
async def test_the_first_dial_is_tried_again_too(name: str) -> None:
    dials = 0

    async def dial(config: unirt.SessionConfig, credentials: Any) -> Any:
        nonlocal dials
        dials += 1
        if dials == 1:
            raise unirt.DialError(name, url="wss://x", why="busy", status=503)
        return await load(name).dial(config, credentials)

    async with Talk(name, answers("Hi."), transport=dial) as (_, reader, _sim):
        await ask(reader)
    assert dials == 2


@pytest.mark.parametrize("name", NAMES)
async def test_a_bad_key_is_never_tried_again(name: str) -> None:
    dials = 0

    async def dial(config: unirt.SessionConfig, credentials: Any) -> Any:
        nonlocal dials
        dials += 1
        raise unirt.DialError(name, url="wss://x", why="bad key", status=401)

    with pytest.raises(unirt.DialError, match="bad key"):
        await unirt.connect(name, transport=dial, env_file=None, environ={}).__aenter__()
    assert dials == 1


async def test_what_cannot_be_had_is_refused_before_a_connection_that_can_be_resumed_is_left() -> (
    None
):
    async with Talk("google", answers(then=RESUMABLE)) as (session, reader, simulator):
        await ask(reader)
        await reader.many(unirt.ResumptionUpdated, 3)
        with pytest.raises(unirt.UnsupportedSetting):
            await session.update(provider_options={"no_such_thing": 1})
        assert len(simulator.connections) == 1
    assert not reader.of(unirt.Reconnecting)


async def test_a_change_goes_with_the_memory_of_the_provider() -> None:
    async with Talk("google", answers(then=RESUMABLE), answers("Two.")) as (
        session,
        reader,
        simulator,
    ):
        await ask(reader)
        await reader.many(unirt.ResumptionUpdated, 3)
        result = await session.update(instructions="Be brief.")
        assert result["instructions"] is unirt.Outcome.RECONNECTED
        (there,) = await reader.many(unirt.Reconnected)
        assert there.state_restored
        last = setups(simulator)[-1]
        assert last["sessionResumption"] == {"handle": "h2"}
        assert "Be brief." in repr(last["systemInstruction"])


@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_that_the_end_of_a_connection_cuts_off_is_asked_for_again(
    name: str,
) -> None:
    clock = ManualClock()
    endless = loads("""
        [pace]
        speed = 50
        [[reply]]
        cue = "text"
        steps = [{ say = "Once.", ms = 300 }, { go_away = 50000 }, { say = "On.", ms = 600000 }]
    """)
    again = '[[reply]]\ncue = "{}"\nsteps = [{{ say = "Again.", ms = 300 }}]\n'
    asked = {"openai": "text", "google": "respond"}[name]  # what the turn that was cut is there
    # Time flies here, and no dial is to be late for it.
    endless_time = unirt.Timeouts(dial=math.inf, handshake=math.inf)
    more = {"clock": clock, "timeouts": endless_time}
    async with Talk(name, endless, answers(then=again.format(asked)), **more) as (
        session,
        reader,
        _,
    ):
        await session.send_text("A story")
        await reader.many(unirt.AudioDelta)
        if name == "openai":
            clock.advance(59 * 60)
        await reader.many(unirt.SessionExpiring)
        while not reader.of(unirt.Reconnected):
            await asyncio.sleep(0)
            clock.advance(1.0)
        await reader.completed_ones(1)
        assert session.history[-1].text == "Again."
    (cut,) = reader.of(unirt.Interrupted)
    assert cut.by == "reconnecting"
