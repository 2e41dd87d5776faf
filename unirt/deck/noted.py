"""
The client side of the ``websockets`` library, noting what goes over it.

Both of the library's clients, for asyncio and for threads, do their protocol with one class without
I/O. A subclass in its place sees every message of either, whoever dials, and changes nothing.
"""

from __future__ import annotations

from typing import Any

import attrs
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import CLOSED, State

from unirt.cassettes.entries import Opened
from unirt.deck.deck import stable
from unirt.deck.identify import provider_of
from unirt.deck.stack import current
from unirt.deck.tape import Tape, TapeTrack
from unirt.transports.noting import is_noting
from unirt.transports.websocket import closed

__all__ = ["CLIENT", "NotedProtocol", "address"]

CLIENT = "websockets"
"What is recorded here was said by others than a session of unirt."
_EXCERPT = 500
"Characters of the body of a refusal."


class NotedProtocol(ClientProtocol):
    """A client's protocol that is recorded, where a cassette is in that records."""

    _tape: Tape | None = None
    _track: TapeTrack | None = None
    _asked = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        deck = None if is_noting() else current()
        if deck is not None and not deck.passes(self.uri.host):
            self._tape = deck.tape
        self._headers: dict[str, str] = {}
        self._incoming: tuple[bytearray, bool] | None = None
        self._outgoing: tuple[bytearray, bool] | None = None

    # The handshake.

    def send_request(self, request: Request) -> None:
        self._headers = dict(request.headers.raw_items())
        super().send_request(request)

    def process_response(self, response: Response) -> None:
        tape = self._tape
        if tape is None:
            super().process_response(response)
            return
        url = stable(address(self))
        opened = Opened(url=url, provider=provider_of(url, self._headers), client=CLIENT)
        try:
            super().process_response(response)
        except InvalidHandshake as exc:
            body = bytes(response.body or b"").decode("utf-8", "replace")
            why = body[:_EXCERPT] if isinstance(exc, InvalidStatus) else str(exc)
            status = response.status_code if isinstance(exc, InvalidStatus) else None
            tape.open(attrs.evolve(opened, status=status, error=why))
            raise
        self._track = tape.open(attrs.evolve(opened, subprotocol=self.subprotocol))

    # Messages.

    def send_text(self, data: bytes, fin: bool = True) -> None:
        super().send_text(data, fin)
        self._note_sent(data, fin, binary=False)

    def send_binary(self, data: bytes, fin: bool = True) -> None:
        super().send_binary(data, fin)
        self._note_sent(data, fin, binary=True)

    def send_continuation(self, data: bytes, fin: bool) -> None:
        super().send_continuation(data, fin)
        self._note_sent(data, fin, binary=None)

    def _note_sent(self, data: bytes, fin: bool, *, binary: bool | None) -> None:
        if self._track is None:
            return
        parts, kind = self._outgoing or (bytearray(), bool(binary))
        parts += data
        self._outgoing = None if fin else (parts, kind)
        if fin:
            self._track.sent(bytes(parts), binary=kind)

    def recv_frame(self, frame: Frame) -> None:
        super().recv_frame(frame)
        if self._track is None or frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        parts, kind = self._incoming or (bytearray(), frame.opcode is Opcode.BINARY)
        parts += frame.data
        self._incoming = None if frame.fin else (parts, kind)
        if frame.fin:
            self._track.received([(bytes(parts), kind)])

    # The end.

    def send_close(self, code: int | None = None, reason: str = "") -> None:
        self._asked = True
        super().send_close(code, reason)

    @property
    def state(self) -> State:
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state = state
        if state is CLOSED and self._track is not None:
            gone = closed(self.close_exc, asked=self._asked)
            self._track.closed(gone.code, gone.reason, gone.by)


def address(protocol: ClientProtocol) -> str:
    """Where a protocol's connection goes."""
    uri = protocol.uri
    usual = 443 if uri.secure else 80
    host = f"[{uri.host}]" if ":" in uri.host else uri.host
    port = "" if uri.port == usual else f":{uri.port}"
    return f"ws{'s' if uri.secure else ''}://{host}{port}{uri.resource_name}"
