"""
The hook in the ``websockets`` library, through which the vendors' SDKs connect.

Three places, as narrow as they come, and only while a cassette is in (websockets 15.0.1 to 17.4):

- the class of the protocol in both clients' modules: every message of every connection passes it,
  and that is where recording looks on (:mod:`unirt.deck.noted`);
- ``connect.create_connection`` of the client for asyncio, which 17 calls ``open_tcp_connection``:
  what would open a socket opens one end of a pair, with a recorded connection at the other
  (:mod:`unirt.deck.peer`);
- the code of ``websockets.sync.client.connect``, for the same: it is a function that many modules
  have imported by name, so it is not replaced but given other code, and its own again afterwards.

What unirt dials itself is recorded and played above all this, and passes through.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import websockets.asyncio.client as asyncio_client
import websockets.sync.client as sync_client
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from unirt.cassettes.entries import Opened, Segment
from unirt.deck.deck import Deck, stable
from unirt.deck.identify import is_for, provider_of
from unirt.deck.noted import CLIENT, NotedProtocol
from unirt.deck.peer import Peer
from unirt.deck.stack import current
from unirt.transports.noting import is_noting

__all__ = ["install", "uninstall"]

_INSTALLED = 0
_CREATE = (
    "create_connection"
    if hasattr(asyncio_client.connect, "create_connection")
    else "open_tcp_connection"
)
_OWN_CREATE: Callable[..., Any] = getattr(asyncio_client.connect, _CREATE)
_FACTORY = "protocol_factory" if _CREATE == "create_connection" else "factory"
_OWN_CONNECT = FunctionType(
    sync_client.connect.__code__,
    sync_client.connect.__globals__,
    "connect",
    sync_client.connect.__defaults__,
    sync_client.connect.__closure__,
)
_OWN_CONNECT.__kwdefaults__ = sync_client.connect.__kwdefaults__
_OWN_CODE = sync_client.connect.__code__
_PEERS: set[asyncio.Task[None]] = set()
_THREADS: list[tuple[threading.Thread, Peer]] = []
_JOIN_S = 2.0


def install() -> None:
    """Hook in; as often as it is taken out again."""
    global _INSTALLED  # noqa: PLW0603  (hooks are the whole process's)
    _INSTALLED += 1
    if _INSTALLED == 1:
        _put(NotedProtocol, _create_connection, _other_code)


def uninstall() -> None:
    """Take the hook out, when nobody needs it any more."""
    global _INSTALLED  # noqa: PLW0603  (hooks are the whole process's)
    _INSTALLED -= 1
    if not _INSTALLED:
        _put(ClientProtocol, _OWN_CREATE, None)
    for thread, peer in _THREADS:
        if peer.over:  # a client that closed is done with its peer; one that did not keeps it
            thread.join(_JOIN_S)
    _THREADS[:] = [entry for entry in _THREADS if entry[0].is_alive()]


def _put(
    protocol: type[ClientProtocol], create: Callable[..., Any], code: Callable[..., Any] | None
) -> None:
    vars(asyncio_client)["ClientProtocol"] = protocol
    vars(sync_client)["ClientProtocol"] = protocol
    setattr(asyncio_client.connect, _CREATE, create)
    sync_client.connect.__code__ = _OWN_CODE if code is None else code.__code__


def _other_code(*args: Any, **kwargs: Any) -> Any:
    # It runs with the globals of the library's module, so it knows nothing of this one.
    from unirt.deck.library import connect_in_thread

    return connect_in_thread(*args, **kwargs)


# What is dialled.


def _played(uri: str) -> tuple[Deck, Segment] | None:
    """What is played to whoever dials an address; ``None`` where it is dialled."""
    deck = None if is_noting() else current()
    if deck is None or deck.passes(parse_uri(uri).host):
        return None
    segment = deck.take(lambda segment: is_for(segment.opened, uri), uri.partition("?")[0])
    if segment is None:
        return None
    if segment.opened.status is None:
        raise OSError(segment.opened.error)
    return deck, segment


def _note_failure(uri: str, exc: OSError) -> None:
    """Note that nothing could be reached."""
    deck = None if is_noting() else current()
    if deck is not None and deck.tape is not None and not deck.passes(parse_uri(uri).host):
        url = stable(uri)
        provider = provider_of(url, {"authorization": "Bearer unknown"})
        why = str(exc) or type(exc).__name__
        deck.tape.open(Opened(url=url, provider=provider, status=None, error=why, client=CLIENT))


async def _create_connection(connecting: asyncio_client.connect) -> ClientConnection:
    """In the place of ``connect.create_connection``."""
    found = _played(connecting.uri)
    if found is None:
        try:
            connection: ClientConnection = await _OWN_CREATE(connecting)
            return connection
        except OSError as exc:
            _note_failure(connecting.uri, exc)
            raise
    near, far = socket.socketpair()
    peer = asyncio.create_task(Peer(*found, far).serve())
    _PEERS.add(peer)
    peer.add_done_callback(_PEERS.discard)
    factory: Callable[..., ClientConnection] = getattr(connecting, _FACTORY)
    uri = parse_uri(connecting.uri)
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: factory(uri), sock=near
    )
    return connection


def connect_in_thread(uri: str, **options: Any) -> Any:
    """In the place of ``websockets.sync.client.connect``."""
    found = _played(uri)
    if found is None:
        try:
            return _OWN_CONNECT(uri, **options)
        except OSError as exc:
            _note_failure(uri, exc)
            raise
    near, far = socket.socketpair()
    peer = Peer(*found, far)

    def serve() -> None:
        with contextlib.suppress(OSError):
            asyncio.run(peer.serve())

    thread = threading.Thread(target=serve, name="cassette", daemon=True)
    _THREADS.append((thread, peer))
    thread.start()
    # Neither TLS nor a proxy is between the ends of a pair.
    for name in ("ssl", "server_hostname", "ssl_context"):
        options.pop(name, None)
    plain = f"ws://{uri.partition('://')[2]}"
    return _OWN_CONNECT(plain, **{**options, "sock": near, "proxy": None, "unix": True})
