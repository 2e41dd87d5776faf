"""
Making a call: an offer goes out, an answer comes back, and the two ends find each other.

How the offer reaches the provider is the provider's business: it is given as a function. What fails
at any step leaves neither a task nor a socket nor a call behind.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import attrs

from unirt.errors import DialError
from unirt.secret import shown_url
from unirt.translator import Frame
from unirt.transport import Transport, TransportClosed
from unirt.transports.noting import rehearsed_at, rehearsing
from unirt.transports.webrtc.extra import need_aiortc
from unirt.transports.webrtc.options import CallOptions
from unirt.value import Value

__all__ = ["Answered", "Rehearsed", "open_call"]

_NO_OFFER = "v=0\r\n"
"What is offered where nobody listens: a call that is played has no peers."


@attrs.frozen(kw_only=True)
class Answered(Value):
    """What became of an offer."""

    sdp: str
    "The answer."
    call_id: str | None = None
    hang_up: Callable[[], Awaitable[None]] | None = None
    "Tells the provider that the call is over; ``None`` where that needs no telling."


class Rehearsed:
    """A call that is played: it was set up, and is to be hung up."""

    def __init__(self, url: str, answered: Answered, origin: str) -> None:
        self.url = url
        self.call_id = answered.call_id
        self._answered = answered
        self._origin = origin

    async def send(self, frame: Frame) -> None:
        raise TransportClosed(None, "nobody listens", by="local")

    async def receive(self) -> Frame:
        raise TransportClosed(None, "nobody speaks", by="local")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Hang up, where the cassette has that."""
        hang_up = self._answered.hang_up
        if hang_up is not None:
            with rehearsing(self._origin), contextlib.suppress(DialError):
                await hang_up()


async def open_call(
    provider: str,
    url: str,
    *,
    label: str,
    options: CallOptions,
    signal: Callable[[str], Awaitable[Answered]],
) -> Transport:
    """
    Make a call.

    Args:
        provider: Whose name errors carry.
        url: Where the call is set up, for messages; the query is dropped.
        label: What the data channel is called.
        options: How it is made.
        signal: Brings the offer to the provider, and its answer back.

    Raises:
        ConfigurationError: The extra is not installed.
        DialError: No call came about.
    """
    url = shown_url(url)
    if (origin := rehearsed_at()) is not None:
        return Rehearsed(url, await signal(_NO_OFFER), origin)
    need_aiortc("transport")
    from unirt.transports.webrtc.candidates import NoAddress
    from unirt.transports.webrtc.transport import WebRTCTransport

    transport = WebRTCTransport(options, url)
    try:
        offer = await transport.peer.offer(label)
        answered = await signal(offer)
        transport.hang_up, transport.media.call_id = answered.hang_up, answered.call_id
        await _connect(transport.peer.accept(answered.sdp), options)
        await _connect(transport.peer.opened(), options)
    except BaseException as exc:
        await transport.close()
        match exc:
            case ValueError():
                why = f"its answer is no SDP that fits the offer: {exc}"
            case TimeoutError():
                why = f"no way to the peer was found within {options.open_timeout:g} s"
            case NoAddress():
                why = str(exc)
            case TransportClosed():
                why = exc.reason or "the call ended before it began"
            case _:
                raise
        raise DialError(provider, url=url, why=why) from None
    return transport


async def _connect(step: Awaitable[None], options: CallOptions) -> None:
    async with asyncio.timeout(options.open_timeout):
        await step
