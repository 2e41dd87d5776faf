"""Pings at regular intervals: how a connection that nobody cut, and nobody answers, is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Keepalive"]


class Keepalive:
    """
    Pings a peer, and says when it no longer answers.

    The rhythm is that of the ``websockets`` library: a ping every `interval`, counted from ping to
    ping, and the next one not before this one is answered. It runs on timers, so that a connection
    needs no task for it.

    Args:
        ping: Sends a ping with this payload.
        lost: Called when a ping was not answered in time; no other follows unless it restarts.
        interval: From one ping to the next, in seconds.
        timeout: How long an answer may take, in seconds; ``None`` to ping and expect nothing.
    """

    def __init__(
        self,
        ping: Callable[[bytes], None],
        lost: Callable[[], None],
        *,
        interval: float,
        timeout: float | None,
    ) -> None:
        self._ping = ping
        self._lost = lost
        self._interval = interval
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._payload = b""
        "Of the ping that is not answered yet."
        self._sent_at = 0.0
        self._timer = self._loop.call_later(interval, self._send)

    def pong(self, payload: bytes) -> None:
        """Take note of a pong; one that answers no ping, or an older one, means nothing."""
        if self._timeout is None or not self._payload or payload != self._payload:
            return
        self._again(took=self._loop.time() - self._sent_at)

    def restart(self) -> None:
        """Expect no answer to the last ping, and send the next when its time has come."""
        self._again(took=0.0)

    def stop(self) -> None:
        """Ping no more. Idempotent."""
        self._timer.cancel()

    def _again(self, *, took: float) -> None:
        self._payload = b""
        self._timer.cancel()
        self._timer = self._loop.call_later(max(self._interval - took, 0.0), self._send)

    def _send(self) -> None:
        self._count += 1
        self._payload = self._count.to_bytes(4, "big")
        self._sent_at = self._loop.time()
        if self._timeout is None:
            self._timer = self._loop.call_later(self._interval, self._send)
        else:
            self._timer = self._loop.call_later(self._timeout, self._lost)
        self._ping(self._payload)
