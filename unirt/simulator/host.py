"""
Simulated servers on real sockets.

It also answers the requests of protocols that are set up by one, and holds the calls that come of
them (:mod:`unirt.simulator.call`), on the address that it listens on, so over loopback.

One handler serves one connection (:mod:`unirt.simulator.serving`). Nothing else runs, so a
connection that ends leaves nothing behind, and leaving :class:`Simulator` joins them all.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit
from weakref import WeakKeyDictionary

import attrs
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response
from websockets.typing import Subprotocol

from unirt.clock import Clock, UnixClock
from unirt.passes import Passes
from unirt.provider import Provider
from unirt.simulator.front import Door
from unirt.simulator.line import Line
from unirt.simulator.scenario import Pace, Scenario
from unirt.simulator.serving import serve_line
from unirt.translator import HangUp, Offer, Reply, Request, RequestServer, Upgrade

if TYPE_CHECKING:
    from unirt.simulator.call import Call

__all__ = ["Simulator"]

_MAX_FRAME = 32 * 2**20
"In bytes: the largest that a protocol allows, 15 MiB of audio in base64, and room."
_REMEMBERED = 256
"How many connections stay in :attr:`Simulator.connections`."
_CLOSE_TIMEOUT_S = 2.0


class Simulator:
    """
    A server of a provider's protocol on loopback.

    ::

        async with Simulator(load(name)) as sim:
            ...  # point a client at sim.url, or put sim.env into its environment

    Args:
        provider: Whose protocol to speak.
        scenario: What to answer on each connection; ``None`` to improvise. Several are for one
            connection each, the last for all that follow.
        host: The address to listen on.
        port: 0 for any free one.
        clock: What times the answers.
        ssl: Serve TLS with this context.
        model: What the server is a server of; the provider's default by default.
        pace: How fast to answer; the scenario's by default.
        log: Whether each connection keeps its frames.
        mark: A part of every id that it mints, where several servers serve one session. No two
            connections have the same ids: on the second they are ``resp_2_1``.
    """

    def __init__(
        self,
        provider: Provider,
        scenario: Scenario | Sequence[Scenario | None] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        ssl: ssl_module.SSLContext | None = None,
        model: str | None = None,
        pace: Pace | None = None,
        log: bool = False,
        mark: str = "",
    ) -> None:
        self.provider = provider
        self.connections: deque[Line] = deque(maxlen=_REMEMBERED)
        "One for each connection that was accepted, the newest last."
        self.refused: deque[tuple[int, str]] = deque(maxlen=_REMEMBERED)
        "The status and path of each upgrade that was refused."
        self._scenarios = tuple(scenario) if isinstance(scenario, Sequence) else (scenario,)
        self._host = host
        self._port = port
        self._clock = clock or UnixClock()
        self._ssl = ssl
        self._model = model
        self._pace = pace
        self._log = log
        self._server: Server | None = None
        self._accepted: WeakKeyDictionary[ServerConnection, tuple[Line, str | None]]
        self._accepted = WeakKeyDictionary()
        "Weak, for a client may vanish between its upgrade and its first frame."
        self._calls: dict[str, Call] = {}
        "The calls that run, by their names."
        self._serving: set[asyncio.Task[None]] = set()
        self._joining: WeakKeyDictionary[ServerConnection, Call] = WeakKeyDictionary()
        self._passes = Passes()
        self._mark = mark
        self._count = 0
        self._busy: set[Line] = set()
        self._moved = asyncio.Event()

    async def __aenter__(self) -> Simulator:
        self._server = await serve(
            self._handle,
            self._host,
            self._port,
            ssl=self._ssl,
            process_request=self._upgrade,
            select_subprotocol=self._select,
            max_size=_MAX_FRAME,
            compression=None,
            ping_interval=None,
            close_timeout=_CLOSE_TIMEOUT_S,
            create_connection=type("_Door", (Door,), {"answering": staticmethod(self._request)}),
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for call in self._calls.values():
            call.hang_up()
        while self._serving:
            await asyncio.wait(self._serving)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it listens: ``ws://`` or ``wss://``, host and port."""
        if self._server is None or not self._server.sockets:
            raise RuntimeError("the simulator is not running; use it with 'async with'")
        address = next(iter(self._server.sockets)).getsockname()
        scheme = "ws" if self._ssl is None else "wss"
        name = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{name}:{address[1]}"

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables that point a client at it, with a made-up key."""
        return self.provider.simulator_env(self.url)

    @property
    def calls(self) -> Mapping[str, Call]:
        """The calls that run, by their names."""
        return self._calls

    async def settled(self) -> None:
        """Wait until everything that was received is processed and answered."""
        while self._busy:
            self._moved.clear()
            await self._moved.wait()

    def _line(self) -> Line:
        self._count += 1
        line = Line(
            self.provider,
            self._scenarios[min(self._count, len(self._scenarios)) - 1],
            model=self._model,
            pace=self._pace,
            log=self._log,
            mark=self._mark if self._count == 1 else f"{self._mark}{self._count}_",
        )
        if hasattr(line.server, "request"):
            cast("RequestServer", line.server).passes = self._passes
        return line

    # Plain requests, and the calls that they make.

    async def _request(self, request: Request) -> Reply:
        line = self._line()
        server = line.server
        if not hasattr(server, "request"):
            self._count -= 1
            return Reply(status=404, body="there is nothing but WebSockets here")
        answer = cast("RequestServer", server).request(request, self._clock.now())
        if isinstance(answer, Offer):
            return await self._called(line, answer)
        self._count -= 1  # no connection came of it
        if isinstance(answer, HangUp):
            call = self._calls.get(answer.call_id)
            if call is None:
                return Reply(status=404, body="there is no such call")
            call.hang_up()
            return answer.reply
        if answer.status >= HTTPStatus.BAD_REQUEST:
            self.refused.append((answer.status, request.path))
        return answer

    async def _called(self, line: Line, offer: Offer) -> Reply:
        if find_spec("aiortc") is None:
            return Reply(status=501, body="calls need pip install 'unirt-realtime[webrtc]'")
        from unirt.simulator.call import Call
        from unirt.transports.webrtc.options import CallOptions

        line.audio_beside()
        call = Call(line, self._clock, CallOptions(interfaces=(self._host,)), self._call_moved)
        task = asyncio.create_task(self._serve_call(call, offer.call_id))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            sdp = await call.answer(offer.sdp)
        except ValueError as exc:
            call.hang_up()
            self.refused.append((400, "the offer"))
            return Reply(status=400, body=f"the offer cannot be answered: {exc}")
        self._calls[offer.call_id] = call
        self.connections.append(line)
        return attrs.evolve(offer.reply, body=sdp)

    async def _serve_call(self, call: Call, call_id: str) -> None:
        try:
            await call.run()
        finally:
            self._calls.pop(call_id, None)

    def _call_moved(self, call: Call) -> None:
        self._told(call.line, not (call.line.idle or call.over.is_set()))

    # One connection.

    def _upgrade(self, connection: ServerConnection, request: HttpRequest) -> Response | None:
        parts = urlsplit(request.path)
        line = self._line()
        verdict = line.server.upgrade(
            Upgrade(
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in request.headers.raw_items()},
                at=self._clock.now(),
            )
        )
        if verdict.status != HTTPStatus.SWITCHING_PROTOCOLS:
            self.refused.append((verdict.status, parts.path))
            return connection.respond(HTTPStatus(verdict.status), verdict.body)
        if verdict.joins is not None:
            call = self._calls.get(verdict.joins)
            if call is None:
                self.refused.append((404, parts.path))
                return connection.respond(HTTPStatus.NOT_FOUND, "there is no such call")
            self._joining[connection] = call
        self._accepted[connection] = line, verdict.subprotocol
        return None

    def _select(
        self, connection: ServerConnection, _offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        _, chosen = self._accepted[connection]
        return None if chosen is None else Subprotocol(chosen)

    async def _handle(self, connection: ServerConnection) -> None:
        line, _ = self._accepted.pop(connection)
        if (call := self._joining.get(connection)) is not None:
            await call.join(connection)
            return
        self.connections.append(line)
        try:
            await serve_line(
                line,
                self._clock,
                receive=connection.recv,
                send=connection.send,
                close=connection.close,
                busy=partial(self._told, line),
            )
        except ConnectionClosed:
            pass
        finally:
            line.closed = connection.close_code, connection.close_reason or ""
            self._told(line, False)

    def _told(self, line: Line, busy: bool) -> None:
        if busy:
            self._busy.add(line)
        else:
            self._busy.discard(line)
        self._moved.set()
