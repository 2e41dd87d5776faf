"""
What is still to be heard of a connection that was left.

Audio comes faster than it is played, so a device may have seconds of an answer left when the
session moves. Until it has played them, its reports are about that answer; and when the user, or
the application, goes over it, that is an interruption like any other. Both are the business of the
translator that knows the answer, so the link that was left last is kept, until another one is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from unirt.commands import Command, Interrupt, ReportPlayback, SendText, StartTurn
from unirt.events import Event, SpeechStarted, StreamOpened
from unirt.session.link import Link

__all__ = ["Leftover"]


class Leftover:
    """
    Args:
        link: Tells the connection in use.
        now: The time of the session's events.
    """

    def __init__(self, link: Callable[[], Link], now: Callable[[], float]) -> None:
        self._link = link
        self._now = now
        self._past: Link | None = None
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            SpeechStarted: self._user_speaks,
            StreamOpened: self._stream_opened,
        }

    @property
    def links(self) -> tuple[Link, ...]:
        """The connections of which something may still be heard, the one in use last."""
        link = self._link()
        return (link,) if self._past is None or self._past is link else (self._past, link)

    def keep(self, link: Link) -> None:
        """A connection is left."""
        self._past = link

    def takes(self, command: Command) -> bool:
        """Do what a command says of an answer of before; ``False`` where it says nothing of one."""
        past = self._past
        if past is None or not isinstance(command, ReportPlayback | Interrupt):
            return False
        link, now, about = self._link(), self._now(), command.response_id
        if about is None and isinstance(command, Interrupt):
            return False  # of whatever is heard now
        if about is None:
            mine = link is past or not link.translator.playback(now)
        else:
            mine = any(each.response_id == about for each in past.translator.playback(now))
        if mine:
            past.translator.send(command, now)
            past.pump.run()
        return mine

    def said(self, command: Command) -> None:
        """The application said something; some of that interrupts whatever is heard."""
        if isinstance(command, StartTurn | SendText | Interrupt):
            self._hush("client")

    def end(self) -> None:
        """The session is over."""
        self._past = None

    def _hush(self, by: str) -> None:
        past = self._past
        if past is None or past is self._link():
            return
        now = self._now()
        if any(each.playing for each in past.translator.playback(now)):
            past.translator.send(Interrupt(by=by), now)
            past.pump.run()

    def _stream_opened(self, event: StreamOpened) -> None:
        if event.role == "user":
            self._user_speaks(event)

    def _user_speaks(self, event: Event) -> None:
        if self._past is not None:
            # What it interrupts is told behind what says so.
            asyncio.get_running_loop().call_soon(self._hush, "speech")
