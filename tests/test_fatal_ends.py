"""What an account or its key cannot have is asked for once, wherever the provider says so."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

import unirt
from tests.refusing import refusal, refusing, refusing_calls
from tests.talking import Reader
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import loads

REFUSED = [
    ("openai", 401, '{"error": {"code": "invalid_api_key", "message": "Incorrect API key"}}'),
    ("openai", 429, '{"error": {"code": "insufficient_quota", "message": "no more of it"}}'),
    ("openai", 429, "You exceeded your current quota, please check your plan"),
    ("google", 400, "API key not valid. Please pass a valid API key."),
    ("google", 403, "permission denied"),
    ("google", 429, "RESOURCE_EXHAUSTED: You exceeded your current quota"),
]
CLOSED = [
    ("openai", 1011, "insufficient_quota"),
    ("openai", 1011, "You exceeded your current quota"),
    ("openai", 1013, "Incorrect API key provided"),
    ("google", 1007, "API key not valid. Please pass a valid API key."),
    ("google", 1008, "API key expired. Please renew the API key."),
    ("google", 1011, "RESOURCE_EXHAUSTED"),
]
AT_ONCE = unirt.Reconnect(tries=4, first_tries=4, first_wait=0.0, jitter=0.0)

transports = pytest.mark.parametrize("transport", ["websocket", "fast"])


@transports
@pytest.mark.parametrize(("name", "status", "body"), REFUSED)
async def test_at_the_dial(name: str, status: int, body: str, transport: str) -> None:
    dials = 0

    def refuse(connection: ServerConnection, request: Request) -> Response:
        nonlocal dials
        dials += 1
        return connection.respond(HTTPStatus(status), body)

    async with refusing(refuse) as url:
        error = await refusal(name, url, transport=transport, reconnect=AT_ONCE)
    assert error.status == status
    assert dials == 1


@pytest.mark.parametrize(
    ("status", "body"), [(status, body) for name, status, body in REFUSED if name == "openai"]
)
async def test_at_the_dial_of_a_call(status: int, body: str) -> None:
    """Only one of the two has calls."""
    async with refusing_calls(status, body) as (url, asked):
        error = await refusal("openai", url, transport="webrtc", reconnect=AT_ONCE)
    assert error.status == status
    assert asked == ["POST /v1/realtime/calls HTTP/1.1"]


@transports
@pytest.mark.parametrize(("name", "code", "reason"), CLOSED)
async def test_in_the_handshake(name: str, code: int, reason: str, transport: str) -> None:
    dials = 0

    async def refuse(connection: ServerConnection) -> None:
        nonlocal dials
        dials += 1
        await connection.close(code, reason)

    async with serve(refuse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"ws://127.0.0.1:{port}"
        error = await refusal(name, url, transport=transport, reconnect=AT_ONCE)
    assert isinstance(error, unirt.HandshakeError)
    assert error.code == code
    assert dials == 1


async def ended(name: str, steps: str) -> Reader:
    """What a session told whose answer was these steps; nobody was asked a second time."""
    scenario = loads(f'[[reply]]\ncue = "text"\nsteps = [{steps}]')
    async with Simulator(load(name), scenario) as simulator:
        connecting = unirt.connect(
            simulator.provider, environ=simulator.env, env_file=None, reconnect=AT_ONCE
        )
        async with connecting as session:
            reader = Reader(session)
            await session.send_text("Hi")
            await reader.done()
        assert len(simulator.connections) == 1
    assert not reader.of(unirt.Reconnecting)
    return reader


@pytest.mark.parametrize(("name", "code", "reason"), CLOSED)
async def test_in_a_session(name: str, code: int, reason: str) -> None:
    reader = await ended(name, f'{{ close = {code}, reason = "{reason}" }}')
    assert reader.error is not None
    assert (reader.error.code, reader.error.reason) == (code, reason)


@pytest.mark.parametrize("code", ["insufficient_quota", "invalid_api_key"])
async def test_an_error_says_what_the_close_after_it_does_not(code: str) -> None:
    """Only one of the two has error messages in a session."""
    said = f'{{ error = "It is over.", code = "{code}" }}'
    reader = await ended("openai", f"{said}, {{ close = 1011 }}")
    assert reader.error is not None


RACES = [
    ("response_cancel_not_active", "Cancellation failed: no active response found"),
    ("input_audio_buffer_commit_empty", "the buffer is too small"),
    ("conversation_already_has_active_response", "there is one"),
    ("", "Audio content of 3700ms is already shorter than 3760ms"),
    ("", "Cancellation failed: no active response found"),
]


def told(*errors: tuple[str, str]) -> str:
    steps = [
        f'{{ error = "{words}", severity = "benign"' + (f', code = "{code}" }}' if code else " }")
        for code, words in errors
    ]
    return ", ".join(steps)


@transports
@pytest.mark.parametrize(("code", "words"), RACES)
async def test_a_race_is_told_and_changes_nothing(code: str, words: str, transport: str) -> None:
    script = loads(
        f"""
        [pace]
        speed = 50
        [[reply]]
        cue = "text"
        steps = [{told((code, words))}, {{ say = "Still here.", ms = 100 }}]
        [[reply]]
        cue = "text"
        steps = [{told((code, words))}, {{ close = 1011 }}]
        """
    )
    async with Simulator(load("openai"), [script, None]) as simulator:
        connecting = unirt.connect(
            "openai",
            transport=transport,
            environ=simulator.env,
            env_file=None,
            reconnect=AT_ONCE,
        )
        async with connecting as session:
            reader = Reader(session)
            await session.send_text("Hi")
            await reader.completed_ones(1)
            (error,) = reader.of(unirt.ProviderError)
            assert error.severity is unirt.Severity.BENIGN
            assert (error.code or "", error.message) == (code, words)
            assert not reader.of(unirt.Reconnecting)
            await session.send_text("Once more")
            (there,) = await reader.many(unirt.Reconnected)
            assert there.attempts == 1  # the end is judged as if nothing had been told
        await reader.done()


@pytest.mark.parametrize(("code", "words"), RACES)
async def test_a_race_hides_no_error_that_was_told_before_it(code: str, words: str) -> None:
    script = loads(
        f"""
        [[reply]]
        cue = "text"
        steps = [
            {{ error = "It is over.", code = "insufficient_quota", severity = "fatal" }},
            {told((code, words))},
            {{ close = 1011 }},
        ]
        """
    )
    async with Simulator(load("openai"), script) as simulator:
        connecting = unirt.connect(
            "openai", environ=simulator.env, env_file=None, reconnect=AT_ONCE
        )
        async with connecting as session:
            reader = Reader(session)
            await session.send_text("Hi")
            await reader.done()
        assert len(reader.of(unirt.ProviderError)) == 2
        assert not reader.of(unirt.Reconnecting)
        assert len(simulator.connections) == 1
