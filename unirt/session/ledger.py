"""
The ledger: what the models of a session used, read off its events.

A response is counted when it is done, however it ended. Before that, and sometimes after, its
provider may report counts of it: each replaces the one before it, and the response's own replaces
them all. So what ran when the connection was lost is counted as far as it was told.

A response that called tools may come without usage, because its provider counts it with the
response that goes on afterwards. Such a one is only counted as untold if none with usage follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from unirt.events import (
    Event,
    ResponseDone,
    ResponseStarted,
    SessionStarted,
    ToolCall,
    UsageReported,
)
from unirt.usage import Account, SessionUsage, Tokens, Usage

__all__ = ["Ledger"]

_RECENT = 2
"How many finished responses may still be counted anew; providers speak of the latest alone."
_WAITING = 16
"How many that ended without usage may still be counted by a later one."


class _Count:
    """Tokens by modality, added up in place: a value made for each sum takes ten times as long."""

    __slots__ = ("audio", "image", "other", "text", "video")

    def __init__(self) -> None:
        self.text = self.audio = self.image = self.video = self.other = 0

    def add(self, more: Tokens) -> None:
        self.text += more.text
        self.audio += more.audio
        self.image += more.image
        self.video += more.video
        self.other += more.other

    @property
    def tokens(self) -> Tokens:
        return Tokens(
            text=self.text, audio=self.audio, image=self.image, video=self.video, other=self.other
        )


class _Sum:
    """What many responses used."""

    __slots__ = ("cached", "input", "output", "thinking", "tool_use")

    def __init__(self) -> None:
        self.input, self.cached, self.output = _Count(), _Count(), _Count()
        self.thinking = self.tool_use = 0

    def add(self, more: Usage) -> None:
        self.input.add(more.input)
        self.cached.add(more.cached)
        self.output.add(more.output)
        self.thinking += more.thinking
        self.tool_use += more.tool_use

    @property
    def usage(self) -> Usage:
        return Usage(
            input=self.input.tokens,
            cached=self.cached.tokens,
            output=self.output.tokens,
            thinking=self.thinking,
            tool_use=self.tool_use,
        )


@attrs.define(eq=False)
class _Page:
    """One account while it grows."""

    provider: str
    model: str | None
    settled: _Sum = attrs.field(factory=_Sum)
    recent: dict[str | None, Usage] = attrs.field(factory=dict)
    "By response; those that run, and the last that ended."
    count: int = 0
    untold: int = 0
    billed_ms: float = 0.0

    def account(self, *, untold: int) -> Account:
        return Account(
            provider=self.provider,
            model=self.model,
            usage=sum(self.recent.values(), self.settled.usage),
            count=self.count,
            untold=self.untold + untold,
            billed_ms=self.billed_ms,
        )


class Ledger:
    """
    Args:
        model: The model that answers now, where the provider does not say which that is.
    """

    __slots__ = ("_model", "_over", "_pages", "_running", "_told", "_untold", "handlers")

    def __init__(self, model: Callable[[], str | None]) -> None:
        self._model = model
        self._told: str | None = None
        self._over = False
        self._pages: dict[tuple[bool, str, str | None], _Page] = {}
        self._running: dict[str, bool] = {}
        "The responses that run, and whether each has called a tool."
        self._untold: dict[str | None, tuple[_Page, bool]] = {}
        "The last that ended without usage, where they are counted, and whether each called a tool."
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            SessionStarted: self._session_started,
            ResponseStarted: self._response_started,
            ToolCall: self._tool_called,
            UsageReported: self._reported,
            ResponseDone: self._response_done,
        }

    @property
    def usage(self) -> SessionUsage:
        """All of it, what runs included as far as told."""
        waiting = [page for page, called in self._untold.values() if self._over or not called]
        accounts: dict[bool, list[Account]] = {False: [], True: []}
        for (transcription, _, _), page in self._pages.items():
            accounts[transcription].append(page.account(untold=waiting.count(page)))
        return SessionUsage(responses=tuple(accounts[False]), transcription=tuple(accounts[True]))

    def account_of(self, event: ResponseDone | UsageReported) -> Account:
        """One event as an account of its own, at the model that answers now."""
        if isinstance(event, UsageReported) and event.scope == "transcription":
            model, billed_ms = event.model, event.duration_ms
        else:
            model, billed_ms = self._told or self._model(), None
        told = event.usage is not None or billed_ms is not None
        return Account(
            provider=event.provider,
            model=model,
            usage=event.usage or Usage(),
            count=1 if told else 0,
            untold=0 if told else 1,
            billed_ms=billed_ms or 0.0,
        )

    def leave(self) -> None:
        """The connection is left: what its responses left untold, nobody tells any more."""
        for page, _ in self._untold.values():
            page.untold += 1
        self._untold.clear()

    def settle(self) -> None:
        """The session is over: no later response counts what an earlier one left untold."""
        self._over = True

    def _page(self, event: Event, model: str | None, *, transcription: bool = False) -> _Page:
        key = transcription, event.provider, model
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = _Page(event.provider, model)
        return page

    def _answering(self, event: Event) -> _Page:
        return self._page(event, self._told or self._model())

    def _session_started(self, event: SessionStarted) -> None:
        self._told = event.model

    def _response_started(self, event: ResponseStarted) -> None:
        self._running[event.response_id] = False

    def _tool_called(self, event: ToolCall) -> None:
        if event.response_id in self._running:
            self._running[event.response_id] = True

    def _reported(self, event: UsageReported) -> None:
        if event.scope == "transcription":
            page = self._page(event, event.model, transcription=True)
            page.billed_ms += event.duration_ms or 0.0
            if event.usage is not None:
                page.settled.add(event.usage)
            if event.usage is None and event.duration_ms is None:
                page.untold += 1
            else:
                page.count += 1
        elif event.scope == "turn":
            page = self._answering(event)
            if event.usage is not None:
                page.settled.add(event.usage)
        elif event.usage is not None:
            page = self._answering(event)
            page.recent[event.response_id] = event.usage
            if self._untold.pop(event.response_id, None) is not None:
                page.count += 1

    def _response_done(self, event: ResponseDone) -> None:
        page = self._answering(event)
        called = self._running.pop(event.response_id, False)
        ahead = page.recent.pop(None, None)
        usage = event.usage or page.recent.pop(event.response_id, None) or ahead
        if usage is None:
            self._untold[event.response_id] = page, called
        else:
            page.recent[event.response_id] = usage
            page.count += 1
            for waiting in [id_ for id_, (_, called) in self._untold.items() if called]:
                del self._untold[waiting]
        self._forget(page)

    def _forget(self, page: _Page) -> None:
        """What ended long ago is not counted anew."""
        if len(page.recent) > _RECENT:
            ended = [id_ for id_ in page.recent if id_ not in self._running]
            for id_ in ended[: max(0, len(ended) - _RECENT)]:
                page.settled.add(page.recent.pop(id_))
        while len(self._untold) > _WAITING:
            oldest, _ = self._untold.pop(next(iter(self._untold)))
            oldest.untold += 1
