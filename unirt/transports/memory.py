"""Frames from hand to hand in one process: for tests, and for providers that need no network."""

from __future__ import annotations

import asyncio
from collections import deque

from unirt.translator import Frame
from unirt.transport import TransportClosed

__all__ = ["MemoryTransport", "memory_pair"]


class MemoryTransport:
    """One end of a connection made by :func:`memory_pair`."""

    def __init__(self, url: str, capacity: int) -> None:
        self._url = url
        self._capacity = capacity
        self._inbox: deque[Frame] = deque()
        self._moved = asyncio.Event()
        "Set whenever a frame came, a frame was taken or the connection ended."
        self._gone: TransportClosed | None = None
        self._peer = self

    @property
    def url(self) -> str:
        return self._url

    async def send(self, frame: Frame) -> None:
        while not self.send_now(frame):
            self._check_open()
            await _moves(self._peer)

    def send_now(self, frame: Frame) -> bool:
        peer = self._peer
        if self._gone is not None or len(peer._inbox) >= self._capacity:
            return False
        peer._inbox.append(frame)
        peer._moved.set()
        return True

    async def receive(self) -> Frame:
        while not self._inbox:
            self._check_open()
            await _moves(self)
        frame = self._inbox.popleft()
        self._moved.set()
        return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._end(code, reason, by="local", seen_by_peer="remote")

    def cut(self) -> None:
        """End the connection as a broken network does: no close frame, on either side."""
        self._end(None, "", by="network", seen_by_peer="network")

    def _check_open(self) -> None:
        if (gone := self._gone) is not None:
            raise TransportClosed(gone.code, gone.reason, by=gone.by)

    def _end(self, code: int | None, reason: str, *, by: str, seen_by_peer: str) -> None:
        for end, who in ((self, by), (self._peer, seen_by_peer)):
            if end._gone is None:
                end._gone = TransportClosed(code, reason, by=who)
            end._moved.set()


async def _moves(end: MemoryTransport) -> None:
    end._moved.clear()
    await end._moved.wait()


def memory_pair(
    url: str = "memory:", *, capacity: int = 64
) -> tuple[MemoryTransport, MemoryTransport]:
    """
    Two connected ends; what one sends, the other receives.

    Args:
        url: What both call their address.
        capacity: How many frames may be under way in one direction before ``send`` waits.
    """
    one, other = MemoryTransport(url, capacity), MemoryTransport(url, capacity)
    one._peer, other._peer = other, one
    return one, other
