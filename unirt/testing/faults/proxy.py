"""
Faults on real sockets: a proxy on loopback, between any client and a server of a provider's
protocol.

What no fault is done to goes on byte by byte as it came. Whether frames are compressed is agreed
between the two ends, and the proxy could not read them then, so it takes that offer out.

A connection is one task with two below it, one for each direction; it ends with either socket, and
leaving :class:`FaultProxy` joins all of them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

from unirt.clock import Clock, SystemClock
from unirt.errors import ConfigurationError
from unirt.provider import Provider
from unirt.registry import load
from unirt.testing.faults.agenda import Agenda, Happened
from unirt.testing.faults.fault import Fault
from unirt.testing.faults.faults import check_said
from unirt.testing.faults.phases import Course
from unirt.testing.faults.relay import Relay, reset

__all__ = ["FaultProxy"]

_HEAD: Final = b"\r\n\r\n"
_OFFER: Final = re.compile(rb"(?im)^sec-websocket-extensions:[^\r\n]*\r\n")


class FaultProxy:
    """
    A way to a server on which things go wrong.

    ::

        async with FaultProxy(simulator.url, name, "reset@mid_audio") as proxy:
            ...  # point a client at proxy.url, or put proxy.env into its environment

    Args:
        url: The server's, ``ws://host:port``.
        provider: Whose protocol is spoken.
        faults: As values, or as text.
        clock: The time of delays.

    Raises:
        ConfigurationError: A fault cannot be read, or is about what this provider never says; or
            the address is not one of a WebSocket without TLS.
    """

    def __init__(
        self, url: str, provider: str | Provider, *faults: str | Fault, clock: Clock | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "ws" or parts.hostname is None or parts.port is None:
            raise ConfigurationError(
                f"{url!r} is no address that a proxy can stand before",
                where="url",
                remedy="give the url of a Simulator, ws://host:port",
            )
        self._host, self._port = parts.hostname, parts.port
        self._provider = load(provider) if isinstance(provider, str) else provider
        self._agenda = Agenda(faults)
        check_said(self._agenda.faults, self._provider)
        self._clock = clock or SystemClock()
        self._dialled = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> FaultProxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the proxy is not running; use it with 'async with'")
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables that point a client at it, with a made-up key."""
        return self._provider.simulator_env(self.url)

    @property
    def happened(self) -> Sequence[Happened]:
        """What went wrong so far, in order."""
        return tuple(self._agenda.happened)

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (a callback of a server is a task)
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError):
            pass  # one of the two went: so does the other
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._dialled += 1
        number = self._dialled
        request = await reader.readuntil(_HEAD)
        fault = self._agenda.at_dial(number, self._clock.now())
        match fault:
            case Fault(kind="refuse", number=status, reason=reason):
                head = f"HTTP/1.1 {status} {reason or 'refused on purpose'}\r\n"
                writer.write(f"{head}content-length: 0\r\nconnection: close\r\n\r\n".encode())
                return await writer.drain()
            case Fault(kind="cut"):
                return None
            case Fault(kind="reset"):
                return reset(writer)
            case Fault(kind="stall"):
                await reader.read()
                return None
            case Fault(kind="delay", number=ms):
                await self._clock.sleep_until(self._clock.now() + ms / 1000)
            case _:
                pass
        there, back = await asyncio.open_connection(self._host, self._port)
        try:
            back.write(_OFFER.sub(b"", request))
            answer = await there.readuntil(_HEAD)
            writer.write(answer)
            path = request.split(b" ", 2)[1].decode("latin-1")
            course = Course(
                self._provider, self._provider.default_model, f"{self.url}{path}", first=number == 1
            )
            relay = Relay(
                (reader, writer),
                (there, back),
                agenda=self._agenda,
                course=course,
                number=number,
                clock=self._clock,
            )
            await relay.run()
        finally:
            back.close()
