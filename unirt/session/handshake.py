"""The time between an open connection and a session that takes commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from unirt.clock import Clock
from unirt.deadline import Deadline
from unirt.errors import HandshakeError
from unirt.events import Event, ProviderError, SessionClosed, Severity

__all__ = ["Handshake"]


class Handshake:
    """
    Waits for one session to become ready.

    Args:
        provider: Whose name errors carry.
        url: Where the connection goes, for errors.
        ready: Called when it is, in the very step.
    """

    def __init__(self, provider: str, url: str, ready: Callable[[], None] | None = None) -> None:
        self._ready = ready
        self._provider = provider
        self._url = url
        self._heard = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def judge(self, events: Sequence[Event], *, ready: bool) -> None:
        """Look at what the provider said."""
        for event in events:
            self._heard += event.raw is not None
            if self._done.done():
                return
            match event:
                case SessionClosed():
                    self.lost(event.code, event.reason)
                case ProviderError() if event.severity is not Severity.BENIGN:
                    code = f" ({event.code or event.type})" if event.code or event.type else ""
                    self._fail(f"{event.message}{code}", None)
                case _:
                    pass
        if ready and not self._done.done():
            self._done.set_result(None)
            if self._ready is not None:
                self._ready()

    def lost(self, code: int | None, reason: str) -> None:
        """The connection is gone."""
        if not self._done.done():
            why = reason or "the connection ended before the session was ready"
            self._fail(why, code, cut=code is None)

    def crash(self, exc: BaseException) -> None:
        """Something of our own failed."""
        if not self._done.done():
            self._done.set_exception(exc)

    async def wait(self, clock: Clock, timeout: float) -> None:
        """
        Wait until the session is ready.

        Raises:
            HandshakeError: The provider refused it, or it took longer than `timeout` seconds.
        """
        try:
            async with Deadline(clock, clock.now() + timeout):
                await self._done
        except TimeoutError:
            raise HandshakeError(
                self._provider,
                url=self._url,
                why=f"not ready after {timeout:g} s, {self._heard} events heard",
            ) from None

    def _fail(self, why: str, code: int | None, *, cut: bool = False) -> None:
        self._done.set_exception(
            HandshakeError(self._provider, url=self._url, why=why, code=code, cut=cut)
        )
