"""
The official SDKs, recorded and played: no line of the code that drives them knows of cassettes.

Recorded against simulators over real sockets; played with every way to a network barred.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from google import genai
from google.genai import types
from openai import AsyncOpenAI, OpenAI
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_sync  # imported before any cassette is in

import unirt
from unirt import CassetteMismatch, ResponseDone
from unirt.cassettes import Closed, Framed, Opened, read
from unirt.cli.check import found_in
from unirt.cli.performance import is_ours, perform
from unirt.registry import load
from unirt.simulator import Pace, Simulator

MODEL = "gpt-realtime-2.1"
LIVE = "gemini-3.8-live"
AUDIO = base64.b64encode(bytes(4800)).decode()


AUTHORITY = trustme.CA()


def context(purpose: ssl.Purpose) -> ssl.SSLContext:
    """TLS on loopback: one of the SDKs speaks nothing else."""
    found = ssl.create_default_context(purpose)
    if purpose is ssl.Purpose.CLIENT_AUTH:
        AUTHORITY.issue_cert("localhost").configure_cert(found)
    else:
        AUTHORITY.configure_trust(found)
    return found


@contextmanager
def serving(provider: str) -> Iterator[Simulator]:
    """A simulator in another thread, for clients that block."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    pace = Pace(speed=100, latency_ms=1, word_ms=1)
    tls = context(ssl.Purpose.CLIENT_AUTH) if provider == "google" else None
    simulator = Simulator(load(provider), pace=pace, host="localhost", ssl=tls)

    async def serve() -> None:
        async with simulator:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield simulator
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Bars every way to a network from when it is called on."""

    def bar() -> None:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise AssertionError("it goes live")

        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)

    return bar


async def openai_talk(url: str, words: str = "Hello") -> list[str]:
    """A turn through the asyncio client; the types of what it hears."""
    client = AsyncOpenAI(api_key="sk-test-0123456789abcdef", websocket_base_url=f"{url}/v1")
    heard: list[str] = []
    async with client, client.realtime.connect(model=MODEL) as connection:
        # A session waits for it; what waits for nothing is recorded in whatever order it went.
        heard.append((await connection.recv()).type)
        await connection.session.update(session={"type": "realtime"})
        while not heard or heard[-1] != "session.updated":
            heard.append((await connection.recv()).type)
        item: Any = {"type": "message", "role": "user",
                     "content": [{"type": "input_text", "text": words}]}  # fmt: skip
        await connection.conversation.item.create(item=item)
        await connection.response.create()
        async for event in connection:
            heard.append(event.type)
            if event.type == "response.done":
                break
    return heard


def openai_talk_in_thread(url: str) -> list[str]:
    """The same through the client that blocks."""
    client = OpenAI(api_key="sk-test-0123456789abcdef", websocket_base_url=f"{url}/v1")
    heard: list[str] = []
    with client, client.realtime.connect(model=MODEL) as connection:
        connection.session.update(session={"type": "realtime"})
        connection.input_audio_buffer.append(audio=AUDIO)
        connection.response.create()
        for event in connection:
            heard.append(event.type)
            if event.type == "response.done":
                break
    return heard


async def google_talk(url: str) -> list[Any]:
    """A turn through the live API of the other SDK."""
    options = types.HttpOptions(
        base_url="http" + url.removeprefix("ws"),
        async_client_args={"ssl": context(ssl.Purpose.SERVER_AUTH)},
    )
    client = genai.Client(api_key="a-key-that-nobody-has", http_options=options)
    config: Any = {"response_modalities": ["AUDIO"]}
    async with client.aio.live.connect(model=LIVE, config=config) as session:
        await session.send_client_content(
            turns=types.Content(role="user", parts=[types.Part(text="Hello")])
        )
        return [message.model_dump(exclude_none=True) async for message in session.receive()]


async def test_the_asyncio_client_of_one_sdk(tmp_path: Path, offline: Callable[[], None]) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        live = await openai_talk(simulator.url)
    offline()
    for _ in range(2):
        with unirt.cassette(path):
            assert await openai_talk("wss://api.example.com") == live
    assert live[-1] == "response.done"
    assert "0123456789abcdef" not in path.read_text("utf-8")


# The SDK, which asks for websockets before 16, uses its client in a way that 17 warns about.
@pytest.mark.filterwarnings("ignore:connect\\(\\) must be used as a context manager")
def test_the_client_of_threads(tmp_path: Path, offline: Callable[[], None]) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        live = openai_talk_in_thread(simulator.url)
    offline()
    for _ in range(2):
        with unirt.cassette(path):
            assert openai_talk_in_thread("wss://api.example.com") == live
    assert live[-1] == "response.done"


async def test_the_client_of_the_other_sdk(tmp_path: Path, offline: Callable[[], None]) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("google") as simulator, unirt.cassette(path, mode="once"):
        live = await google_talk(simulator.url)
    offline()
    with unirt.cassette(path):
        assert await google_talk("wss://generativelanguage.googleapis.com") == live
    assert any("server_content" in message for message in live)
    assert "a-key-that-nobody-has" not in path.read_text("utf-8")


async def test_the_beta_of_one_sdk(tmp_path: Path, offline: Callable[[], None]) -> None:
    """Its protocol is another: what the server says to it is recorded and played all the same."""

    async def talk(url: str) -> list[str]:
        client = AsyncOpenAI(api_key="sk-test-0123456789abcdef", websocket_base_url=f"{url}/v1")
        async with client, client.beta.realtime.connect(model=MODEL) as connection:
            await connection.session.update(session={"modalities": ["text"]})
            return [(await connection.recv()).type for _ in range(2)]

    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        live = await talk(simulator.url)
    offline()
    with unirt.cassette(path):
        assert await talk("wss://api.example.com") == live


@pytest.mark.parametrize("name", ["openai", "google"])
async def test_what_an_sdk_said_is_fine_and_sent_as_it_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.jsonl"
    with serving(name) as simulator, unirt.cassette(path, mode="once"):
        await (openai_talk if name == "openai" else google_talk)(simulator.url)
    cassette = read(path)
    assert not is_ours(cassette)
    assert list(found_in(cassette, path.name)) == []
    played = await perform(cassette, path.name)
    assert [one.failure for one in played] == [None]


async def test_a_slash_that_an_sdk_writes_twice_is_one(
    tmp_path: Path, offline: Callable[[], None]
) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        live = await openai_talk(simulator.url)
    offline()
    with unirt.cassette(path):
        assert await openai_talk("wss://api.example.com/") == live


async def test_what_is_recorded_says_whose_protocol_it_is_and_how_it_went(tmp_path: Path) -> None:
    for provider, talk, model in (
        ("openai", openai_talk, MODEL),
        ("google", google_talk, LIVE),
    ):
        path = tmp_path / f"{provider}.jsonl"
        with serving(provider) as simulator, unirt.cassette(path, mode="once"):
            await talk(simulator.url)
        cassette = read(path)
        assert (cassette.header.provider, cassette.header.model) == (provider, model)
        opened, *frames, end = cassette.entries
        assert isinstance(opened, Opened)
        assert opened.url.partition("://")[2].startswith("localhost/")
        assert isinstance(end, Closed)
        assert end.by == "local"
        assert {type(frame) for frame in frames} == {Framed}


async def test_a_recording_of_an_sdk_plays_to_a_session(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        live = await openai_talk(simulator.url)
    with unirt.cassette(path):
        async with unirt.connect(input_transcription=False) as session:
            assert session.model == MODEL
            told = [event.raw["type"] for event in await turn(session) if event.raw]
    assert set(live) <= set(told) | {"session.updated"}


async def turn(session: unirt.Session) -> list[unirt.Event]:
    told = []
    await session.send_text("Hello")
    async for event in session:
        told.append(event)
        if isinstance(event, ResponseDone):
            break
    return told


async def test_a_recording_of_a_session_plays_to_an_sdk(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        async with unirt.connect(
            "openai", environ=simulator.env, input_transcription=False
        ) as session:
            told = [event.raw["type"] for event in await turn(session) if event.raw]
    with unirt.cassette(path):
        live = await openai_talk("wss://x")
    assert set(live) <= set(told)


async def test_a_mismatch_cuts_the_connection_and_is_told_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        await openai_talk(simulator.url)
    with pytest.raises(CassetteMismatch, match="'Hello' was recorded, 'Hallo' was sent"):
        await with_cassette(path, openai_talk("wss://x", "Hallo"))


async def with_cassette(path: Path, work: Any, **options: Any) -> None:
    with unirt.cassette(path, **options):
        await work


async def test_a_connection_that_was_not_recorded_fails_and_dials_nothing(
    tmp_path: Path, offline: Callable[[], None]
) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        await openai_talk(simulator.url)
    offline()
    with pytest.raises(CassetteMismatch, match="a connection to ws://x/elsewhere is not in"):
        await with_cassette(path, connect_async("ws://x/elsewhere"))

    def in_thread() -> None:
        with unirt.cassette(path):
            connect_sync("wss://x/elsewhere?key=secret")

    with pytest.raises(CassetteMismatch, match="a connection to wss://x/elsewhere is not in"):
        in_thread()


@pytest.mark.parametrize("in_thread", [False, True])
async def test_refusals_and_dead_ends_are_recorded_and_played(
    in_thread: bool, tmp_path: Path
) -> None:
    async def dial(url: str) -> str:
        try:
            if in_thread:
                await asyncio.to_thread(connect_sync, url)
            else:
                await connect_async(url)
        except InvalidStatus as exc:
            return f"{exc.response.status_code} {bytes(exc.response.body or b'').decode()}"
        except OSError as exc:
            return f"OSError {exc}"
        return "open"

    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator, unirt.cassette(path, mode="once"):
        live = [await dial(f"{simulator.url}/v1/realtime")]
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            live.append(await dial(f"ws://127.0.0.1:{nobody.getsockname()[1]}/v1/dead"))
    assert [answer[:3] for answer in live] == ["401", "OSE"]
    assert [opened.client for opened in read(path).entries if isinstance(opened, Opened)] == [
        "websockets", "websockets",
    ]  # fmt: skip
    with unirt.cassette(path):
        assert [await dial("wss://x/v1/realtime"), await dial("wss://x/v1/dead")] == live


async def test_a_failure_without_a_word_is_called_by_its_class(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.close()

    path = tmp_path / "talk.jsonl"
    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with unirt.cassette(path, mode="once"), pytest.raises(ConnectionResetError, match=r"^$"):
            await connect_async(f"wss://127.0.0.1:{port}/v1/realtime")
    with unirt.cassette(path), pytest.raises(OSError, match="ConnectionResetError"):
        await connect_async("wss://x/v1/realtime")


@pytest.mark.parametrize("in_thread", [False, True])
async def test_messages_and_closes_are_kept_as_they_are(in_thread: bool, tmp_path: Path) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def speak(connection: ServerConnection) -> None:
        assert await connection.recv() == "hello"
        await connection.send("text")
        await connection.send([b"bin", b"ary"])
        assert await connection.recv() == b"\x00\xff"
        await connection.close(4001, "enough")

    async def talk(url: str) -> list[Any]:
        async with connect_async(url) as connection:
            await connection.send(["hel", "lo"])
            heard: list[Any] = [await connection.recv(), await connection.recv()]
            await connection.send(b"\x00\xff")
            with pytest.raises(ConnectionClosed) as caught:
                await connection.recv()
            return [*heard, caught.value.rcvd]

    def talk_in_thread(url: str) -> list[Any]:
        with connect_sync(url) as connection:
            connection.send(["hel", "lo"])
            heard: list[Any] = [connection.recv(), connection.recv()]
            connection.send(b"\x00\xff")
            with pytest.raises(ConnectionClosed) as caught:
                connection.recv()
            return [*heard, caught.value.rcvd]

    async def act(url: str) -> list[Any]:
        return await (asyncio.to_thread(talk_in_thread, url) if in_thread else talk(url))

    path = tmp_path / "talk.jsonl"
    async with serve(speak, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with unirt.cassette(path, mode="once"):
            live = await act(f"ws://127.0.0.1:{port}/x")
    assert live[:2] == ["text", b"binary"]
    for _ in range(2):
        with unirt.cassette(path):
            assert await act("ws://host/x") == live
    end = read(path).entries[-1]
    assert end == Closed(code=4001, reason="enough", by="remote", at_ms=end.at_ms)


async def test_hosts_that_are_none_of_its_business_pass(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with serving("openai") as simulator:
        with unirt.cassette(path, mode="once"):
            await openai_talk(simulator.url)
        with pytest.raises(CassetteMismatch, match="never made"):
            await with_cassette(path, openai_talk(simulator.url), ignore=["localhost"])
        assert len(simulator.connections) == 2


async def test_the_library_is_as_it_was_when_no_cassette_is_in(tmp_path: Path) -> None:
    import websockets.asyncio.client as asyncio_client
    import websockets.sync.client as sync_client
    from websockets.client import ClientProtocol

    def hooked_places() -> tuple[Any, dict[str, Any]]:
        return sync_client.connect.__code__, dict(vars(asyncio_client.connect))

    before = hooked_places()
    with unirt.cassette(tmp_path / "x.jsonl", mode="once"):
        assert sync_client.connect.__code__ is not before[0]
        with unirt.cassette(tmp_path / "y.jsonl", mode="once"):
            pass
        assert sync_client.connect.__code__ is not before[0]
    assert hooked_places() == before
    for module in (asyncio_client, sync_client):
        assert vars(module)["ClientProtocol"] is ClientProtocol
