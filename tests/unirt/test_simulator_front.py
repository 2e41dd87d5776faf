"""A door for WebSockets and plain requests: what a simulator answers over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import httpx2
import pytest

from unirt.clock import ManualClock
from unirt.registry import load
from unirt.simulator import Simulator

KEY = {"Authorization": "Bearer sk-x"}


async def ask(simulator: Simulator, method: str, path: str, **more: Any) -> httpx2.Response:
    url = simulator.url.replace("ws", "http", 1)
    async with httpx2.AsyncClient() as client:
        return await client.request(method, url + path, **more)


@pytest.mark.parametrize(
    ("path", "more", "status", "said"),
    [
        ("/v1/realtime/nowhere", {"headers": KEY}, 404, "Invalid URL"),
        ("/v1/realtime/client_secrets", {"json": {}}, 401, "API key"),
        (
            "/v1/realtime/client_secrets",
            {"headers": KEY, "json": {"expires_after": {"seconds": 5}}},
            400,
            "between 10 and 7200",
        ),
        (
            "/v1/realtime/client_secrets",
            {"headers": KEY, "json": {"session": {"voice": 3}}},
            400,
            "voice",
        ),
        ("/v1/realtime/client_secrets", {"headers": KEY, "content": b"[]"}, 400, "not a JSON"),
        ("/v1/realtime/calls", {"headers": KEY, "content": b"no offer"}, 400, "not valid SDP"),
        ("/v1/realtime/calls", {"headers": KEY, "content": b"v=0\r\nnonsense"}, 400, "cannot be"),
        ("/v1/realtime/calls", {"content": b"v=0"}, 401, "API key"),
        ("/v1/realtime/calls/rtc_9/hangup", {"headers": KEY}, 404, "no such call"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_is_refused_with_a_reason(
    path: str, more: dict[str, Any], status: int, said: str
) -> None:
    async with Simulator(load("openai")) as simulator:
        answer = await ask(simulator, "POST", path, **more)
        assert answer.status_code == status
        assert said in answer.text
        assert simulator.calls == {}


async def test_a_secret_expires_when_it_was_asked_to() -> None:
    noon = ManualClock(1_700_000_000.0)
    async with Simulator(load("openai"), clock=noon) as simulator:
        body = {"expires_after": {"anchor": "created_at", "seconds": 60}}
        answer = await ask(simulator, "POST", "/v1/realtime/client_secrets", headers=KEY, json=body)
    told = json.loads(answer.text)
    assert told["expires_at"] == 1_700_000_060
    assert told["session"]["type"] == "realtime"


@pytest.mark.parametrize("said", [b"", b"POST /v1/realtime/calls HTTP/1.1\r\n"], ids=["", "half"])
async def test_who_comes_and_goes_is_no_trouble(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that is given up while it is dialled, say."""
    async with Simulator(load("openai")) as simulator:
        host, _, port = simulator.url.removeprefix("ws://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(said)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert caplog.records == []


async def test_pages_of_any_origin_may_ask() -> None:
    async with Simulator(load("openai")) as simulator:
        answer = await ask(simulator, "OPTIONS", "/v1/realtime/calls")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "location" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"uses": 1, "fieldMask": "model"}, 400),
        ({"uses": 1, "bidiGenerateContentSetup": {"model": "models/gemini-3.8-live"}}, 200),
    ],
)
async def test_tokens(body: dict[str, Any], status: int) -> None:
    async with Simulator(load("google")) as simulator:
        answer = await ask(
            simulator, "POST", "/v1alpha/auth_tokens", headers={"x-goog-api-key": "k"}, json=body
        )
        refused = await ask(simulator, "POST", "/v1alpha/auth_tokens", json=body)
        other = await ask(simulator, "POST", "/v1alpha/other", json=body)
    assert answer.status_code == status
    assert (refused.status_code, other.status_code) == (403, 404)


async def test_a_request_in_small_pieces_is_read_whole() -> None:
    async with Simulator(load("openai")) as simulator:
        host, _, port = simulator.url.removeprefix("ws://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = b'{"session": {"type": "realtime"}}'
        head = (
            b"POST /v1/realtime/client_secrets HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        for byte in head + body:
            writer.write(bytes([byte]))
            await writer.drain()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"ek_" in answer


async def test_a_request_without_end_is_cut_off() -> None:
    async with Simulator(load("openai")) as simulator:
        host, _, port = simulator.url.removeprefix("ws://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        with contextlib.suppress(ConnectionError):
            writer.write(b"POST / HTTP/1.1\r\n" + b"x: " + b"y" * (2 << 20))
            await writer.drain()
            assert await reader.read() == b""
        writer.close()


async def test_who_connects_and_says_nothing_does_not_keep_it_from_ending() -> None:
    async with Simulator(load("openai")) as simulator:
        host, _, port = simulator.url.removeprefix("ws://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"PO")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
