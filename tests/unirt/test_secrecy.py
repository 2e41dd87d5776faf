"""What would be read on its way is refused before anything is sent, unless somebody said so."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

import unirt
from unirt.errors import ConfigurationError, DialError
from unirt.registry import installed
from unirt.transports.http import post
from unirt.transports.secrecy import check_encrypted, check_tls, is_loopback
from unirt.transports.websocket import open_websocket

KEY = "sk-this-must-never-be-seen-0123456789"
OTHER = "a-secret-of-the-offer"


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("api.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_what_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here


@pytest.mark.parametrize("scheme", ["ws", "http", "WS", "HTTP"])
def test_a_plain_address_of_another_machine_is_refused_unless_it_is_allowed(scheme: str) -> None:
    url = f"{scheme}://10.0.0.1/v1?key={KEY}"
    refusal = r"10\.0\.0\.1 unencrypted .* UNIRT_PLAINTEXT"
    with pytest.raises(ConfigurationError, match=refusal) as caught:
        check_encrypted(url, plaintext=False)
    assert KEY not in str(caught.value)
    check_encrypted(url, plaintext=True)
    check_encrypted(url.replace("10.0.0.1", "127.0.0.1"), plaintext=False)


@pytest.mark.parametrize("scheme", ["wss", "https"])
def test_an_encrypted_address_may_go_anywhere(scheme: str) -> None:
    check_encrypted(f"{scheme}://example.com/", plaintext=False)


@pytest.fixture
async def listener(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A machine of another name, and what comes to it."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(64_000))
        writer.close()

    loop = asyncio.get_running_loop()
    find = loop.getaddrinfo

    async def found(host: Any, port: Any, **more: Any) -> Any:
        return await find("127.0.0.1" if host == "far.example" else host, port, **more)

    monkeypatch.setattr(loop, "getaddrinfo", found)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"far.example:{server.sockets[0].getsockname()[1]}", heard


@pytest.mark.parametrize("transport", ["websocket", "fast"])
@pytest.mark.parametrize("provider", installed())
async def test_no_session_sends_its_key_in_the_clear(
    provider: str, transport: str, listener: tuple[str, list[bytes]]
) -> None:
    address, heard = listener

    async def go(**more: Any) -> None:
        base_url = f"ws://{address}"
        async with unirt.connect(
            provider, api_key=KEY, base_url=base_url, transport=transport, reconnect=False, **more
        ):
            pass

    with pytest.raises(ConfigurationError, match="unencrypted"):
        await go(environ={})
    assert heard == []
    with pytest.raises(DialError):
        await go(environ={"UNIRT_PLAINTEXT": "on"})
    assert KEY.encode() in heard.pop()
    with pytest.raises(DialError):
        await go(environ={}, connection_options={"plaintext": True})
    assert KEY.encode() in heard.pop()
    with pytest.raises(ConfigurationError, match="unencrypted"):
        await go(environ={"UNIRT_PLAINTEXT": "on"}, connection_options={"plaintext": False})
    assert heard == []


@pytest.mark.parametrize("provider", installed())
async def test_no_secret_is_minted_in_the_clear(provider: str) -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        await unirt.client_secret(
            provider, api_key=KEY, base_url="http://far.example:1", environ={}
        )


async def test_no_request_goes_in_the_clear(listener: tuple[str, list[bytes]]) -> None:
    address, heard = listener
    with pytest.raises(ConfigurationError, match="unencrypted"):
        await post("toy", f"http://{address}", headers={"x": KEY}, content=b"", timeout=5)
    assert heard == []


@pytest.mark.parametrize(
    "body", ["no such key: {}", '{{"error": {{"message": "no such key: {}"}}}}']
)
async def test_a_refused_request_is_told_without_the_key_that_it_quotes(body: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        await reader.readexactly(len(OTHER))
        assert f"Bearer {KEY}" in head
        said = body.format(f"{KEY} nor {OTHER} in 'it'").encode()
        writer.write(b"HTTP/1.1 401 No\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said))
        writer.close()

    headers = {"authorization": f"Bearer {KEY}", "x-short": "it"}
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(DialError) as caught:
            await post(
                "toy", url, headers=headers, content=OTHER.encode(), timeout=5, secrets=[OTHER]
            )
    assert (caught.value.status, caught.value.why) == (401, "no such key: *** nor *** in 'it'")


@pytest.mark.parametrize("transport", ["websocket", "fast"])
@pytest.mark.parametrize("wrong", [False, 0, "no"])
async def test_tls_cannot_be_switched_off_by_a_flag(
    transport: str, wrong: Any, listener: tuple[str, list[bytes]]
) -> None:
    address, heard = listener
    with pytest.raises(ConfigurationError, match="no TLS at all"):
        await open_websocket(
            "toy",
            f"wss://{address}",
            headers={"x": KEY},
            options={"ssl": wrong, "proxy": None},
            transport=transport,
        )
    assert heard == []


def test_a_context_that_checks_no_certificate_is_told(caplog: pytest.LogCaptureFixture) -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False
    with caplog.at_level(logging.WARNING, "unirt"):
        check_tls("wss://a.example/", None)
        check_tls("wss://b.example/", True)
        check_tls("wss://c.example/", ssl.create_default_context())
        assert caplog.messages == []
        check_tls("wss://d.example/", careless)
        careless.verify_mode = ssl.CERT_NONE
        check_tls("wss://e.example/", careless)
    assert caplog.messages == [
        f"the certificate of wss://{name}.example/ is not checked: anybody may be it"
        for name in "de"
    ]
