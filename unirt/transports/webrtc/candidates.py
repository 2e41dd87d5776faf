"""
Where a peer can be reached: which addresses and ports of this machine are offered.

``aiortc`` offers every address but loopback, each at any port. Firewalls want a range of ports,
machines with several networks want one of them, and tests want loopback. Its ICE agent gathers per
component, and that step is replaced here (aioice 0.13, ``Connection.get_component_candidates``).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import Connection, StunProtocol, server_reflexive_candidate
from aiortc import RTCIceGatherer

from unirt.transports.webrtc.options import CallOptions

__all__ = ["NoAddress", "restrict"]

_RECEIVE_BUFFER = 1 << 18
"Bytes that the system keeps of what came, for an event loop that is busy."


class NoAddress(Exception):
    """Nothing that the options name can be had on this machine, at least not now."""


def restrict(gatherer: RTCIceGatherer, options: CallOptions) -> None:
    """
    Let a gatherer offer only what the options name.

    Where none of that can be had, its gathering raises :class:`NoAddress`: without a socket nobody
    is ever found, and who waits for that learns too late why.
    """
    if not (options.interfaces or options.ports):
        return
    connection = gatherer._connection
    others = connection.get_component_candidates

    async def gather(component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:
        wanted = list(options.interfaces) if options.interfaces and addresses else addresses
        found = [await _host(connection, component, address, options) for address in wanted]
        protocols = [protocol for protocol in found if protocol is not None]
        if wanted and not protocols:
            raise NoAddress(_unusable(wanted, options))
        connection._protocols += protocols
        candidates = [protocol.local_candidate for protocol in protocols]
        candidates += await _reflexive(connection, protocols, timeout)
        return candidates + await others(component, [], timeout)

    connection.get_component_candidates = gather  # type: ignore[method-assign]  # it asks no options for this


def _unusable(addresses: list[str], options: CallOptions) -> str:
    where = " or ".join(addresses)
    if options.ports is None:
        return f"no socket can be had at {where}, which is no address of this machine"
    first, last = options.ports
    return f"no socket can be had at {where} with a port from {first} to {last}"


async def _host(
    connection: Connection, component: int, address: str, options: CallOptions
) -> StunProtocol | None:
    """A socket at an address, in the range of ports; ``None`` where none is free."""
    first, last = options.ports or (0, 0)
    loop = asyncio.get_running_loop()
    for port in range(first, last + 1):
        with contextlib.suppress(OSError):
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: StunProtocol(connection), local_addr=(address, port)
            )
            sock: Any = transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            host, bound = transport.get_extra_info("sockname")[:2]
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", host),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=host,
                port=bound,
                type="host",
            )
            return protocol
    return None


async def _reflexive(
    connection: Connection, protocols: list[StunProtocol], timeout: int
) -> list[Candidate]:
    """How a STUN server sees those sockets, where there is one, and it answers."""
    server = connection.stun_server
    if server is None:
        return []
    asked = [
        asyncio.create_task(server_reflexive_candidate(protocol, server))
        for protocol in protocols
        if ":" not in protocol.local_candidate.host
    ]
    if not asked:
        return []
    try:
        done, _ = await asyncio.wait(asked, timeout=timeout)
        return [task.result()[0] for task in asked if task in done and not task.exception()]
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
