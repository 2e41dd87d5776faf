"""Dialling: addresses, headers, errors and closes; the SDK's own dial is the oracle."""

from __future__ import annotations

import asyncio
import http
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError, DialError, MissingKey
from unirt.provider import Credentials
from unirt.transport import Transport, TransportClosed
from unirt_openai import PROVIDER
from unirt_openai.dial import dial

KEY = "sk-very-secret"
Handler = Callable[[ServerConnection], Awaitable[None]]


async def until_closed(connection: ServerConnection) -> None:
    await connection.wait_closed()


@asynccontextmanager
async def listening(
    handler: Handler = until_closed, **options: Any
) -> AsyncIterator[tuple[str, list[Request]]]:
    """A server's address without its path, and the requests that it saw."""
    requests: list[Request] = []

    def note(connection: ServerConnection, request: Request) -> Response | None:
        requests.append(request)
        process = options.get("process_request")
        return None if process is None else process(connection, request)

    server: Server
    async with serve(
        handler, "127.0.0.1", 0, **{**options, "process_request": note}, max_size=None
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"127.0.0.1:{port}", requests


Connect = Callable[..., Awaitable[Transport]]


@pytest.fixture(params=["websocket", "fast"])
def kind(request: pytest.FixtureRequest) -> str:
    """How frames travel."""
    name: str = request.param
    return name


@pytest.fixture
def connected(kind: str) -> Connect:
    """Dials with a key, for the model ``m``."""

    async def connect(base_url: str, **fields: Any) -> Transport:
        given = {"api_key": KEY, "base_url": base_url, "transport": kind, **fields}
        return await dial(SessionConfig(model="m"), Credentials(**given))

    return connect


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("http://{}/v1", "/v1/realtime?model=m"),
        ("ws://{}/v1/", "/v1/realtime?model=m"),
        ("http://{}", "/realtime?model=m"),
        ("http://{}/gw?tenant=7", "/gw/realtime?tenant=7&model=m"),
    ],
)
async def test_a_base_url_becomes_the_address_of_the_socket(
    connected: Connect, base: str, path: str
) -> None:
    async with listening() as (host, requests):
        transport = await connected(base.format(host))
        await transport.close()
    assert [request.path for request in requests] == [path]
    assert transport.url.startswith(f"ws://{host}/")
    assert "?" not in transport.url


async def test_the_environment_says_where_and_who(kind: str) -> None:
    async with listening() as (host, requests):
        environ = {
            "OPENAI_API_KEY": "sk-env",
            "OPENAI_BASE_URL": f"http://{host}/v1",
            "OPENAI_ORG_ID": "org-1",
            "OPENAI_PROJECT_ID": "proj-1",
            "OPENAI_CUSTOM_HEADERS": "X-One: 1\nX-Two: a: b\nbroken",
        }
        transport = await dial(SessionConfig(), Credentials(environ=environ, transport=kind))
        await transport.close()
    headers = requests[0].headers
    assert headers["Authorization"] == "Bearer sk-env"
    assert headers["OpenAI-Organization"] == "org-1"
    assert headers["OpenAI-Project"] == "proj-1"
    assert (headers["X-One"], headers["X-Two"]) == ("1", "a: b")
    assert "gpt-realtime" in requests[0].path


async def test_what_is_given_wins_over_the_process_environment(
    connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-process")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-process")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-process")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    async with listening() as (host, requests):
        transport = await connected(f"http://{host}/v1", headers={"X-Mine": "yes"})
        await transport.close()
    headers = requests[0].headers
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["X-Mine"] == "yes"
    assert "OpenAI-Organization" not in headers
    assert "OpenAI-Project" not in headers


async def test_headers_that_are_given_win_over_the_key(connected: Connect) -> None:
    async with listening() as (host, requests):
        headers = {"Authorization": "Bearer other", "OpenAI-Organization": "org-2"}
        transport = await connected(f"http://{host}/v1", headers=headers)
        await transport.close()
    assert requests[0].headers.get_all("Authorization") == ["Bearer other"]
    assert requests[0].headers["OpenAI-Organization"] == "org-2"


async def test_a_running_call_is_joined_by_its_id(connected: Connect) -> None:
    async with listening() as (host, requests):
        options = {"call_id": "rtc_1", "extra_query": {"a": "b"}}
        transport = await connected(f"http://{host}/v1", options=options)
        await transport.close()
    assert requests[0].path == "/v1/realtime?a=b&call_id=rtc_1"


async def test_frames_travel_both_ways_at_any_size(connected: Connect) -> None:
    async def echo(connection: ServerConnection) -> None:
        async for frame in connection:
            await connection.send(frame)

    big = '"' + "x" * (16 * 1024 * 1024) + '"'
    async with listening(echo) as (host, _):
        transport = await connected(f"http://{host}/v1")
        for frame in ("{}", big, b"\0\1"):
            await transport.send(frame)
            expected = frame if isinstance(frame, bytes) else frame.encode()
            assert await transport.receive() == expected
        await transport.close()


async def test_receiving_can_be_cancelled_without_losing_a_frame(connected: Connect) -> None:
    ask = asyncio.Event()

    async def late(connection: ServerConnection) -> None:
        await ask.wait()
        await connection.send("late")
        await connection.wait_closed()

    async with listening(late) as (host, _):
        transport = await connected(f"http://{host}/v1")
        waiting = asyncio.create_task(transport.receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        ask.set()
        assert await transport.receive() == b"late"
        await transport.close()


QUERIES: list[dict[str, Any]] = [
    {},
    {"a": "b c&d=ü/+", "none": None, "yes": True, "n": 1.5, "many": ["x", "y", None]},
    {"model": "other"},
    {"tenant": "8", "key": ["1", "2"]},
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("call", [{}, {"call_id": "rtc_1"}])
@pytest.mark.parametrize("path", ["/v1", "/a%20b/?tenant=7&empty=&x=%2F"])
async def test_the_request_is_the_one_that_the_sdk_would_make(
    query: dict[str, Any], call: dict[str, str], path: str, kind: str, monkeypatch: Any
) -> None:
    environ = {
        "OPENAI_ORG_ID": "org-1",
        "OPENAI_PROJECT_ID": "p",
        "OPENAI_CUSTOM_HEADERS": "x-one: 1\nX-Two: other",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with listening() as (host, requests):
        await _dial_by_sdk(f"http://{host}{path}", extra_query=query, **(call or {"model": "m"}))
        credentials = Credentials(
            api_key=KEY,
            base_url=f"http://{host}{path}",
            environ=environ,
            headers={"x-two": "2"},
            options={"extra_query": query, **call},
            transport=kind,
        )
        await (await dial(SessionConfig(model="m"), credentials)).close()
    by_sdk, by_us = requests
    parts = [urlsplit(request.path) for request in requests]
    assert parts[0].path == parts[1].path
    assert _pairs(parts[0].query) == _pairs(parts[1].query)
    missing = {name.lower() for name in by_sdk.headers} - {name.lower() for name in by_us.headers}
    assert {name for name in missing if not name.startswith("x-stainless-")} <= {
        "accept",
        "content-type",
    }
    own = {"sec-websocket-key", "sec-websocket-extensions", "user-agent", "upgrade", "connection"}
    for name, value in by_us.headers.raw_items():
        if name.lower() not in own:
            assert by_sdk.headers.get_all(name) == [value], name


async def _dial_by_sdk(base_url: str, **connect: Any) -> None:
    async with AsyncOpenAI(api_key=KEY, websocket_base_url=base_url) as client:
        manager = client.realtime.connect(extra_headers={"x-two": "2"}, **connect)
        await (await manager.enter()).close()


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


async def test_a_query_that_is_no_query_is_refused() -> None:
    options = {"extra_query": {"nested": {"a": 1}}}
    credentials = Credentials(api_key=KEY, options=options, transport="fast")
    with pytest.raises(ConfigurationError, match="'nested' of extra_query"):
        await dial(SessionConfig(), credentials)


# What fails.


async def test_no_key_names_the_variable(kind: str) -> None:
    with pytest.raises(MissingKey) as missing:
        await dial(SessionConfig(), Credentials(transport=kind))
    assert missing.value.variables == ("OPENAI_API_KEY",)


@pytest.mark.parametrize("status", [http.HTTPStatus.UNAUTHORIZED, 503])
async def test_a_refused_upgrade_says_status_and_words_and_no_key(
    connected: Connect, status: int
) -> None:
    def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(http.HTTPStatus(status), f"bad key {KEY}\n" + "x" * 9000)

    async with listening(process_request=refuse) as (host, _):
        with pytest.raises(DialError) as refused:
            await connected(f"http://{host}/v1")
    assert refused.value.status == status
    assert "bad key ***" in refused.value.why
    assert KEY not in str(refused.value)
    assert len(refused.value.why) <= 500


async def test_nobody_listening_is_a_dial_error(connected: Connect) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(DialError) as failed:
            await connected(f"http://127.0.0.1:{port}/v1")
    assert failed.value.status is None
    assert failed.value.url == f"ws://127.0.0.1:{port}/v1/realtime"


async def test_a_server_that_does_not_answer_is_given_up(connected: Connect) -> None:
    reached, hung_up = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        patience = 0.05
        while not reached.is_set():  # on a busy machine the time may be over before it dials
            with pytest.raises(DialError, match="no answer"):
                await connected(url, options={"open_timeout": patience})
            patience *= 4
        await hung_up.wait()


async def test_a_server_that_speaks_no_tls_is_a_dial_error(connected: Connect) -> None:
    async with listening() as (host, _):
        with pytest.raises(DialError):
            await connected(f"https://{host}/v1")


@pytest.mark.parametrize(
    "base_url", ["ftp://x/v1", "nonsense", "http://", "http://x:port/v1", "http://[::1"]
)
async def test_an_address_that_is_none_is_refused_before_dialling(
    connected: Connect, base_url: str
) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        await connected(base_url)


@pytest.mark.parametrize(
    "fields", [{"api_key": "sk-\nx"}, {"api_key": "sk-“x”"}, {"headers": {"X-A": "b\r\nc"}}]
)
async def test_a_key_that_no_header_can_hold_is_refused(
    connected: Connect, fields: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="characters") as refused:
        await connected("http://127.0.0.1:1/v1", **fields)
    assert "sk-" not in str(refused.value)


async def test_an_option_that_does_not_exist_is_refused(connected: Connect) -> None:
    async with listening() as (host, _):
        with pytest.raises(ConfigurationError, match="connection_options"):
            await connected(f"http://{host}/v1", options={"no_such_option": 1})


# How it ends.


async def closed(transport: Transport) -> TransportClosed:
    with pytest.raises(TransportClosed) as exc:
        await transport.receive()
    return exc.value


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "60 minutes"), (4321, "why")])
async def test_a_close_by_the_server_says_so(connected: Connect, code: int, reason: str) -> None:
    async def hang_up(connection: ServerConnection) -> None:
        await connection.close(code, reason)

    async with listening(hang_up) as (host, _):
        transport = await connected(f"http://{host}/v1")
        end = await closed(transport)
        assert (end.code, end.reason, end.by) == (code, reason, "remote")
        with pytest.raises(TransportClosed):
            await transport.send("{}")
        await transport.close()


async def test_a_close_of_ours_says_so_and_can_be_repeated(connected: Connect) -> None:
    async with listening() as (host, _):
        transport = await connected(f"http://{host}/v1")
        await transport.close(1000, "bye")
        await transport.close()
        end = await closed(transport)
    assert (end.code, end.reason, end.by) == (1000, "bye", "local")


async def test_a_cut_connection_is_the_networks_doing(connected: Connect) -> None:
    async def cut(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with listening(cut) as (host, _):
        transport = await connected(f"http://{host}/v1")
        end = await closed(transport)
        await transport.close()
    assert (end.code, end.by) == (None, "network")


async def test_a_close_is_bounded_where_the_server_never_answers(connected: Connect) -> None:
    over = asyncio.Event()

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()

    async with listening(deaf) as (host, _):
        transport = await connected(f"http://{host}/v1", options={"close_timeout": 0.05})
        await transport.close()
        end = await closed(transport)
        over.set()
    assert end.by == "local"


async def test_a_dial_leaves_no_task_behind(connected: Connect) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(DialError):
        await connected("http://127.0.0.1:1/v1")
    assert asyncio.all_tasks() == before


async def test_a_connection_made_by_the_application_s_own_factory_is_the_one_that_is_used() -> None:
    made: list[ClientConnection] = []

    class Own(ClientConnection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    async with listening() as (host, _):
        credentials = Credentials(
            api_key=KEY, base_url=f"http://{host}/v1", options={"create_connection": Own}
        )
        transport = await dial(SessionConfig(model="m"), credentials)
        await transport.close()
    assert [connection.close_code for connection in made] == [1000]


# The plug-in.


def test_the_plug_in_names_every_variable_that_it_reads() -> None:
    names = {var.name for var in PROVIDER.env}
    assert {"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"} <= names
    assert [var.name for var in PROVIDER.env if var.required] == ["OPENAI_API_KEY"]
    assert all(var.secret for var in PROVIDER.env if "KEY" in var.name)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9", "http://127.0.0.1:9/"])
def test_the_plug_in_points_clients_at_a_simulator(url: str) -> None:
    environ = PROVIDER.simulator_env(url)
    assert environ["OPENAI_BASE_URL"] == "http://127.0.0.1:9/v1"
    assert environ["OPENAI_API_KEY"]


async def test_the_plug_in_dials() -> None:
    async with listening() as (host, requests):
        credentials = Credentials(api_key=KEY, base_url=f"http://{host}/v1")
        transport = await PROVIDER.dial(SessionConfig(model="m"), credentials)
        await transport.close()
    assert len(requests) == 1
