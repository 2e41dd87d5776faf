"""
``with unirt.cassette("talk.jsonl"):`` puts a cassette in.
"""

from __future__ import annotations

import inspect
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from unirt.cassettes.entries import Origin
from unirt.cassettes.match import Rule, matching
from unirt.cassettes.scrub import EntryRule, Scrub
from unirt.clock import Clock, SystemClock
from unirt.deck import library, stack
from unirt.deck.deck import Deck, Plan
from unirt.deck.http import watching
from unirt.deck.modes import mode_named
from unirt.errors import ConfigurationError
from unirt.transports.noting import hooked
from unirt.transports.tape_clock import speed_of

__all__ = ["CassetteIn", "cassette"]

_F = TypeVar("_F", bound=Callable[..., Any])

VARIABLE = "UNIRT_RECORD"


def cassette(
    path: str | os.PathLike[str],
    *,
    mode: str | None = None,
    match: Rule | Iterable[Rule] | None = None,
    pace: str | float = "fast",
    audio: str | float = "keep",
    scrub: EntryRule | Iterable[EntryRule] = (),
    ids: bool = True,
    clock: Clock | None = None,
    origin: str | None = None,
    notes: Mapping[str, Any] | None = None,
    ignore: Iterable[str] = (),
    http: bool | Mapping[str, Any] = True,
    command: str | None = None,
) -> CassetteIn:
    """
    Record what the program connects to, or play it: ``with unirt.cassette("talk.jsonl"):``.

    It also decorates a function, ``async`` or not. While it is in, it holds for the whole process.

    Args:
        path: The file: ``.jsonl``, or ``.jsonl.gz`` for a compressed one.
        mode: A record mode: see :mod:`unirt.deck.modes`. By default what ``UNIRT_RECORD`` says,
            else ``none``: it is played, and nothing goes over the network.
        match: When a frame that is sent is the one that was recorded: see
            :mod:`unirt.cassettes.match`. By default what the cassette says, else ``command``.
        pace: ``fast``, ``recorded``, or how many times faster than recorded.
        audio: What to record of it: ``keep``, ``silence``, or how many ms of each piece.
        scrub: Your own rules for what is recorded: functions of an entry that return one, or
            ``None`` to leave it out.
        ids: Whether ids are renamed in what is recorded.
        clock: The time of what is recorded; the header has its date where the clock tells one.
        origin: ``live`` or ``simulator``, for the header; by default the address tells.
        notes: What else the header shall say.
        ignore: Hosts, by name, that are neither recorded nor played: the program may connect to
            them as if no cassette were in.
        http: Whether HTTP is recorded and played too; or options of vcrpy, which does that:
            ``{"match_on": ["method", "path", "body"]}``.
        command: What records the cassette, for the message that it is not there.

    Raises:
        ConfigurationError: Something of it cannot work.
        CassetteError: When it is put in: there is no file, or not a good one. When it is taken out:
            what was recorded still holds a secret.
        CassetteMismatch: When it is taken out: the program did something else than was recorded,
            or less.
    """
    chosen, where = mode, "mode"
    if chosen is None:
        chosen, where = os.environ.get(VARIABLE) or "none", VARIABLE
    rules = (scrub,) if callable(scrub) else tuple(scrub)
    plan = Plan(
        path=Path(path),
        mode=mode_named(chosen, where),
        match=None if match is None else matching(match),
        speed=speed_of(pace),
        scrub=Scrub(audio=audio, ids=ids, rules=rules),
        clock=clock or SystemClock(),
        origin=None if origin is None else _origin(origin),
        notes=dict(notes or {}),
        ignore=tuple(ignore),
        command=command or _command(explicit=mode is not None),
    )
    options = dict(http) if isinstance(http, Mapping) else {}
    return CassetteIn(plan, None if http is False else options)


class CassetteIn:
    """A cassette that is in while a ``with`` block or a function runs."""

    def __init__(self, plan: Plan, http: Mapping[str, Any] | None) -> None:
        self._plan = plan
        self._http = http
        self._decks: list[tuple[Deck, ExitStack]] = []

    def __enter__(self) -> Deck:
        deck = Deck(self._plan)
        with ExitStack() as hooks:
            if self._http is not None:
                deck.watch = hooks.enter_context(watching(deck, self._http))
            hooks.enter_context(hooked())
            library.install()
            hooks.callback(library.uninstall)
            self._decks.append((deck, hooks.pop_all()))
        stack.push(deck)
        return deck

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        deck, hooks = self._decks.pop()
        stack.pop(deck)
        hooks.close()
        deck.finish(exc)

    def __call__(self, function: _F) -> _F:
        """
        Decorate a function: each call puts the cassette in anew.

        Raises:
            ConfigurationError: It is a generator, whose call is over before any of it has run.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ConfigurationError(
                f"{function.__name__} is a generator, and cannot be decorated",
                where="unirt.cassette",
                remedy="put the cassette in inside of it, in a with block",
            )
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with CassetteIn(self._plan, self._http):
                    return await function(*args, **kwargs)

            return cast("_F", awaited)

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with CassetteIn(self._plan, self._http):
                return function(*args, **kwargs)

        return cast("_F", called)


def _origin(name: str) -> Origin:
    try:
        return Origin(name)
    except ValueError:
        raise ConfigurationError(
            f"the origin cannot be {name!r}",
            where="origin",
            remedy=f"use one of {', '.join(Origin)}",
        ) from None


def _command(*, explicit: bool) -> str:
    """What records the cassette: the command that runs, in another mode."""
    if explicit:
        return "run it with mode='once'"
    return f"{VARIABLE}=once {shlex.join(sys.orig_argv)}"
