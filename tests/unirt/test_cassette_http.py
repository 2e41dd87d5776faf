"""HTTP in a cassette: recorded and played by vcrpy, in the same file as the frames."""

import contextlib
import http.client
import json
import sys
import threading
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import OpenAI

import unirt
from tests.unirt.taping import every_provider, shown, simulated, talk
from unirt import CassetteError, CassetteMismatch
from unirt.cassettes import Exchanged, Framed, Opened, read
from unirt.registry import load
from unirt.simulator import Pace, Simulator

SECRET = "ek_68af296e8e408191a1120ab6383263c2"


class Handler(BaseHTTPRequestHandler):
    """Makes client secrets, as a provider's server does, and echoes anything else."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        answer = body
        if self.path.endswith("/client_secrets"):
            session = {"type": "realtime", "object": "realtime.session", "id": "sess_A1b2C3d4"}
            answer = json.dumps({"value": SECRET, "expires_at": 1, "session": session}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))  # it looks so often
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def post(url: str, body: bytes) -> bytes:
    with urllib.request.urlopen(url, data=body) as answer:
        found: bytes = answer.read()
    return found


def replaying(path: Path, act: Callable[[], Any], **options: Any) -> Any:
    with unirt.cassette(path, **options):
        return act()


def test_a_client_secret_is_made_recorded_and_played(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.jsonl"

    def make() -> str:
        client = OpenAI(api_key="sk-0123456789abcdef0123", base_url=f"{server}/v1", max_retries=0)
        with client:
            return client.realtime.client_secrets.create(session={"type": "realtime"}).value

    with unirt.cassette(path, mode="once"):
        assert make() == SECRET
    (exchanged,) = read(path).entries
    assert isinstance(exchanged, Exchanged)
    text = path.read_text("utf-8")
    assert SECRET not in text
    assert "sk-0123456789abcdef0123" not in text
    assert '\\"sess_1\\"' in text
    monkeypatch.delattr(Handler, "do_POST")
    assert replaying(path, make) == "ek_SCRUBBED", "what it is for is seen by how it begins"


@every_provider
async def test_a_session_that_a_client_secret_opens_is_played_as_it_was_recorded(
    provider: str, tmp_path: Path
) -> None:
    """The way goes by how a secret begins: another address, or less that may be configured."""
    path = tmp_path / "talk.jsonl"

    async def application(environ: Mapping[str, str] | None) -> list[str]:
        options: dict[str, Any] = {"environ": environ, "env_file": None}
        secret = await unirt.client_secret(provider, **options)
        return shown(await talk(provider=provider, api_key=secret.value, **options))

    async with simulated(provider) as simulator:
        with unirt.cassette(path, mode="once"):
            live = await application(environ := simulator.env)
    kinds = [type(entry) for entry in read(path).entries[:2]]
    assert kinds == [Exchanged, Opened]
    for known in (environ, {}):
        with unirt.cassette(path):
            assert await application(known) == live


async def test_http_and_frames_are_in_one_file_in_order(server: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"

    async def talk(**options: Any) -> None:
        async with httpx2.AsyncClient() as client:
            answer = await client.post(f"{server}/token?key=very-secret-key", json={"a": 1})
            assert answer.json() == {"a": 1}
            async with unirt.connect(**options) as session:
                await session.send_text("Hello")
                async for event in session:
                    if isinstance(event, unirt.ResponseDone):
                        break
            assert (await client.post(f"{server}/bye", content=b"\x00\xff")).content == b"\x00\xff"

    async with Simulator(load("google"), pace=Pace(speed=100, latency_ms=1)) as simulator:
        with unirt.cassette(path, mode="once"):
            await talk(provider="google", environ=simulator.env)
    entries = read(path).entries
    kinds = [type(entry) for entry in entries]
    assert kinds[0] is kinds[-1] is Exchanged
    assert Framed in kinds
    assert [entry.at_ms for entry in entries] == sorted(entry.at_ms for entry in entries)
    assert "very-secret-key" not in path.read_text("utf-8")
    with unirt.cassette(path):
        await talk()


def test_a_request_that_was_not_recorded_fails_even_if_that_is_swallowed(
    server: str, tmp_path: Path
) -> None:
    path = tmp_path / "talk.jsonl"
    with unirt.cassette(path, mode="once"):
        post(f"{server}/one", b"1")

    def swallow() -> None:
        post(f"{server}/one", b"1")
        with contextlib.suppress(Exception):
            post(f"{server}/two", b"2")

    with pytest.raises(CassetteMismatch, match=r"the request POST .*/two is not in the cassette"):
        replaying(path, swallow)


def test_a_recorded_request_that_is_not_made_fails(server: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with unirt.cassette(path, mode="once"):
        post(f"{server}/one", b"1")
        post(f"{server}/two", b"2")
    with pytest.raises(CassetteMismatch, match=r"1 recorded requests were never made.*/two"):
        replaying(path, lambda: post(f"{server}/one", b"1"))


@pytest.mark.parametrize(("mode", "kept"), [("new_episodes", 2), ("all", 2), ("rewrite", 1)])
def test_modes_are_those_of_vcrpy(mode: str, kept: int, server: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with unirt.cassette(path, mode="once"):
        post(f"{server}/one", b"1")
    with unirt.cassette(path, mode=mode):
        if mode == "new_episodes":
            post(f"{server}/one", b"1")
        post(f"{server}/two", b"2")
    assert len(read(path).entries) == kept


def test_options_of_vcrpy_are_handed_on(server: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    options = {"match_on": ["method", "path", "body"]}
    with unirt.cassette(path, mode="once", http=options):
        post(f"{server}/one", b"a=1")
    with pytest.raises(CassetteMismatch, match="is not in the cassette"):
        replaying(path, lambda: post(f"{server}/one", b"a=2"), http=options)
    assert replaying(path, lambda: post(f"{server}/one", b"a=2")) == b"a=1"


@pytest.mark.parametrize("body", [b'{"password": "open sesame"}', b"token=open+sesame&x=1"])
def test_a_body_is_compared_without_its_secrets(body: bytes, server: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    options = {"match_on": ["method", "path", "body"]}
    with unirt.cassette(path, mode="once", http=options):
        assert post(f"{server}/one", body) == body
    assert "sesame" not in path.read_text("utf-8")
    replaying(path, lambda: post(f"{server}/one", body), http=options)


def test_http_may_be_let_alone(server: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with unirt.cassette(path, mode="once", http=False):
        assert post(f"{server}/one", b"1") == b"1"
    assert not path.exists()


async def _httpx(url: str) -> Any:
    async with httpx2.AsyncClient() as client:
        return await client.get(url)


def _requests(url: str) -> Any:
    import requests

    return requests.get(url, timeout=5)


@pytest.mark.parametrize(
    "request_", [lambda url: post(url, b"1"), httpx2.get, _httpx, _requests],
    ids=["urllib", "httpx", "httpx-async", "requests"],
)  # fmt: skip
async def test_without_vcrpy_no_request_goes_live(
    request_: Callable[[str], Any], server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.jsonl"
    with unirt.cassette(path, mode="once"):
        post(f"{server}/one", b"1")
    monkeypatch.setitem(sys.modules, "vcr", None)
    with pytest.raises(CassetteError, match=r"pip install 'unirt-realtime\[cassettes\]'"):
        replaying(path, lambda: None)

    async def act() -> None:
        with unirt.cassette(tmp_path / "other.jsonl", mode="once"):
            found = request_(f"{server}/one")
            if isinstance(found, Awaitable):
                await found

    with pytest.raises(CassetteError, match="an HTTP request was made while a cassette is in"):
        await act()
    connect = http.client.HTTPConnection.connect
    assert connect.__name__ == "connect"
