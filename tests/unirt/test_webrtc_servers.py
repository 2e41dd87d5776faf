"""Servers that help to find a way, as a peer asks them: a small one of both kinds, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import pytest
from aioice import stun
from aioice.turn import make_integrity_key

from tests.calling import idle, quiet_peer
from unirt.transports.webrtc.options import call_options

Address = tuple[str, int]

SEEN: Address = ("192.0.2.99", 9_099)
"Where a peer is seen from."
RELAYED: Address = ("192.0.2.98", 9_098)
"Where it is reached through the relay."
REALM, USER, PASSWORD = "here", "unirt", "let-me-in"


class Helper(asyncio.DatagramProtocol):
    """A server for STUN and TURN: it tells where who asks is seen, and relays for whom it knows."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Address]] = []
        "What it did, and for whom."
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: Address) -> None:
        assert self._transport is not None
        self._transport.sendto(bytes(self._answer(stun.parse_message(data), address)), address)

    def _answer(self, request: stun.Message, address: Address) -> stun.Message:
        method = request.message_method
        answer = stun.Message(method, stun.Class.RESPONSE, request.transaction_id)
        told = answer.attributes
        key = make_integrity_key(USER, REALM, PASSWORD)
        if method is stun.Method.BINDING:
            told["XOR-MAPPED-ADDRESS"] = SEEN
            self.asked.append(("binding", address))
        elif not request.check_message_integrity(key):
            answer.message_class = stun.Class.ERROR
            told |= {"ERROR-CODE": (401, "who is it?"), "REALM": REALM, "NONCE": b"once"}
        else:
            lifetime = request.attributes["LIFETIME"]
            told["LIFETIME"] = lifetime
            if method is stun.Method.ALLOCATE:
                told |= {"XOR-MAPPED-ADDRESS": SEEN, "XOR-RELAYED-ADDRESS": RELAYED}
            self.asked.append(("relay" if lifetime else "no relay", address))
            answer.add_message_integrity(key)
        return answer


@contextlib.asynccontextmanager
async def helping() -> AsyncIterator[tuple[Helper, int]]:
    """Such a server, and its port."""
    loop = asyncio.get_running_loop()
    transport, helper = await loop.create_datagram_endpoint(Helper, local_addr=("127.0.0.1", 0))
    try:
        yield helper, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@pytest.mark.parametrize("ports", [None, (42_200, 42_210)], ids=["any port", "a range"])
async def test_a_server_says_where_a_peer_is_seen_and_another_relays(
    ports: tuple[int, int] | None,
) -> None:
    async with helping() as (helper, port):
        servers = [
            f"stun:127.0.0.1:{port}",
            {"urls": f"turn:127.0.0.1:{port}", "username": USER, "credential": PASSWORD},
        ]
        peer = quiet_peer(
            call_options({"ice_servers": servers, "interfaces": "127.0.0.1", "ports": ports})
        )
        offer = await peer.offer("events")
        found = [line.split() for line in offer.splitlines() if line.startswith("a=candidate:")]
        offered = {words[7]: (words[4], int(words[5])) for words in found}
        assert offered["srflx"] == SEEN
        assert offered["relay"] == RELAYED
        assert set(offered) == {"host", "srflx", "relay"}
        # It was asked from the very socket that the call will use.
        assert ("binding", offered["host"]) in helper.asked
        if ports is not None:
            assert ports[0] <= offered["host"][1] <= ports[1]
        await peer.close()
        assert [what for what, _ in helper.asked if what != "binding"] == ["relay", "no relay"]
    assert await idle() == set()
