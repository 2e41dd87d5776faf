"""
Transports: how frames travel. One seam; what is above it sees frames and never sockets.

A transport moves frames and nothing else: it knows no provider and no meaning.
Foreign exceptions are turned into :class:`TransportClosed` inside each transport, at one place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from unirt.audio import AudioFormat
from unirt.condition import Condition

if TYPE_CHECKING:
    from unirt.translator import Frame

__all__ = ["Media", "Prompt", "Transport", "TransportClosed"]


class TransportClosed(Exception):
    """
    The connection is gone.

    Raised by every method of a transport from the moment it is; caught by the session, which turns
    it into events. It never reaches users.
    """

    def __init__(self, code: int | None, reason: str = "", *, by: str) -> None:
        super().__init__(code, reason, by)
        self.code = code
        "The close code; ``None`` where no close frame was exchanged."
        self.reason = reason
        self.by = by
        "``local``, ``remote``, or ``network`` where the connection was cut."


class Transport(Protocol):
    """One connection."""

    @property
    def url(self) -> str:
        """Where it goes, without query and credentials; for messages."""
        ...

    async def send(self, frame: Frame) -> None:
        """
        Send one frame; waits while the connection is congested.

        Raises:
            TransportClosed: The connection is gone.
        """
        ...

    async def receive(self) -> Frame:
        """
        Wait for the next frame. Safe to cancel: no frame is lost. One caller at a time.

        Raises:
            TransportClosed: The connection is gone, and every frame before has been received.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in bounded time. Idempotent; never raises."""
        ...


class Prompt(Protocol):
    """
    What a transport may also have, one or both: ways to send and to receive without a task.

    Where they are there, a session uses them: what is said leaves with the call that says it, and
    what comes is an event before the event loop goes on.
    """

    def send_now(self, frame: Frame) -> bool:
        """
        Send one frame if that needs no waiting; ``False`` where it does, or nothing can be sent.

        A frame that was not sent goes to :meth:`Transport.send`, which waits, or says why not.
        It may be called out of :meth:`deliver`'s `take`, and must not call that in turn.
        """
        ...

    async def deliver(
        self, take: Callable[[Iterable[Frame]], bool], room: Callable[[], Awaitable[None]]
    ) -> None:
        """
        Hand over every frame, in order, until the connection is gone; instead of ``receive``.

        Args:
            take: Called with frames, from any task or callback of the loop; never raises. Returns
                whether there is room for more. What was on its way may still be handed over where
                there is none. Frames that came in one read are a list or a tuple, at least one,
                and are taken all at one time. A transport that moves the clock itself, as one does
                that plays a recording, hands over an iterator: the time of each frame comes when
                it is asked for. Not all of it need be taken, and what is left is offered again.
            room: Waits until there is.

        Raises:
            TransportClosed: The connection is gone, and every frame before was handed over.
        """
        ...


class Media(Protocol):
    """
    What a transport has, as its attribute ``media``, that carries audio beside its frames.

    Audio goes both ways all the time, at the pace at which it is heard, and silence where there is
    none. So what is sent waits here until its moment, and commands that speak of it wait too.
    """

    @property
    def format(self) -> AudioFormat:
        """What is sent and received."""
        ...

    @property
    def largest(self) -> int | None:
        """How many bytes a frame may have, as the peer said; ``None`` for any number."""
        ...

    @property
    def call_id(self) -> str | None:
        """The provider's name of the call, with which others can join it."""
        ...

    @property
    def condition(self) -> Condition:
        """How the connection is doing, as measured last."""
        ...

    def attend(self, hear: Callable[[bytes], None], told: Callable[[Condition], None]) -> None:
        """
        Say who is to be told what comes; before it, and once the connection is gone, nobody is.

        Args:
            hear: Called with each piece of audio as it comes, silence included.
            told: Called with each measurement, and whenever the state changed.
        """
        ...

    def send(self, data: bytes) -> None:
        """Send audio after what was sent before. Never waits."""
        ...

    def hold(self, held: bool) -> None:
        """Keep what is to be sent, and send silence; or go on with it. Nothing is held at first."""
        ...

    def drop(self) -> None:
        """Forget what was to be sent and has not left."""
        ...

    async def room(self) -> None:
        """Wait until not too much waits to be sent, or the connection is gone."""
        ...

    async def drained(self) -> None:
        """Wait until the peer can have heard all that was sent, or the connection is gone."""
        ...
