"""
What goes over HTTP while a cassette is in: vcrpy records and plays it, into the same file.

vcrpy has the hooks in every HTTP client that matters, record modes, matchers and filters, and its
options can be given. It gets what to play from the cassette, and what it records goes to the tape
at the moment of the response, between the frames. Without vcrpy (the extra ``[cassettes]``) HTTP is
barred: it must not go live behind a cassette's back.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from unirt.cassettes.secrets import Secrets, hidden, scrubbed_url
from unirt.deck.modes import Mode
from unirt.errors import CassetteError, CassetteMismatch

if TYPE_CHECKING:
    from unirt.deck.deck import Deck

__all__ = ["Watch", "watching"]

_CLIENTS = (
    ("http.client", "HTTPConnection", "connect"),
    ("httpcore", "ConnectionPool", "handle_request"),
    ("httpcore", "AsyncConnectionPool", "handle_async_request"),
    ("httpcore2", "ConnectionPool", "handle_request"),
    ("httpcore2", "AsyncConnectionPool", "handle_async_request"),
    ("urllib3.connectionpool", "HTTPConnectionPool", "urlopen"),
    ("aiohttp", "ClientSession", "_request"),
)
"Where requests pass that must not, without vcrpy."


class Watch(Protocol):
    """What is asked at the end."""

    def left_over(self) -> list[str]:
        """The recorded requests that were not made, in words."""
        ...


@contextlib.contextmanager
def watching(deck: Deck, options: Mapping[str, Any]) -> Iterator[Watch]:
    """
    Record or play HTTP while this is entered.

    Args:
        deck: Whose cassette it is.
        options: vcrpy's own: ``match_on``, ``filter_headers``, ``ignore_hosts`` ...

    Raises:
        CassetteError: vcrpy is needed and not installed.
    """
    try:
        import vcr
    except ImportError:
        if deck.exchanges:
            raise _not_installed(str(deck.path), "HTTP is in the cassette") from None
        with _barred(deck):
            yield _Nothing()
        return
    with vcr.VCR(**{**_defaults(deck), **options}).use_cassette(
        str(deck.path), persister=_Persister(deck), serializer="json"
    ) as cassette:
        yield _Watched(deck, cassette)


def _defaults(deck: Deck) -> dict[str, Any]:
    mode = "once" if deck.mode is Mode.REWRITE else str(deck.mode)

    def hide(request: Any) -> Any:
        request.uri = scrubbed_url(request.uri, deck.secrets)
        if isinstance(request.body, str | bytes):  # which vcrpy may be told to compare
            request.body = _hidden_body(request.body, deck.secrets)
        return request

    return {
        "record_mode": mode,
        "before_record_request": hide,
        "ignore_hosts": deck.ignored,
        "decode_compressed_response": True,
    }


def _hidden_body(body: str | bytes, secrets: Secrets) -> str | bytes:
    text = _packed(body)
    shown: str | bytes = hidden(text if isinstance(text, str) else body, secrets)
    return shown


class _Persister:
    """What vcrpy loads from and saves to; it is saved as it happens, and not here."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck

    def load_cassette(self, path: str, serializer: object) -> tuple[list[Any], list[Any]]:
        from vcr.persisters.filesystem import CassetteNotFoundError
        from vcr.request import Request

        deck = self._deck
        if deck.cassette is None:
            raise CassetteNotFoundError
        requests = [Request._from_dict(_unpacked(one.request)) for one in deck.exchanges]
        responses = [_with_bytes(_unpacked(one.response)) for one in deck.exchanges]
        return requests, responses

    def save_cassette(self, path: str, content: object, serializer: object) -> None:
        """Nothing is left to do."""


class _Watched:
    """One cassette of vcrpy, which tells the deck what it records and what it misses."""

    def __init__(self, deck: Deck, cassette: Any) -> None:
        self._deck = deck
        self._cassette = cassette
        self._loaded = len(cassette)
        self._append: Callable[[Any, Any], None] = cassette.append
        self._similar: Callable[[Any], Any] = cassette.find_requests_with_most_matches
        cassette.append = self._note
        cassette.find_requests_with_most_matches = self._miss

    def _note(self, request: Any, response: Any) -> None:
        before = len(self._cassette)
        self._append(request, response)
        tape = self._deck.tape
        if tape is not None and len(self._cassette) > before:
            request, response = self._cassette.data[-1]
            tape.exchanged(_packed(request._to_dict()), _packed(response))

    def _miss(self, request: Any) -> Any:
        self._deck.failed(
            CassetteMismatch(
                f"the request {request.method} {request.uri} is not in the cassette",
                where=str(self._deck.path),
                remedy="record it again with the mode 'rewrite', or add it with 'new_episodes'",
            )
        )
        return self._similar(request)

    def left_over(self) -> list[str]:
        if not self._deck.playing:
            return []
        counts = self._cassette.play_counts
        requests = self._cassette.requests[: self._loaded]
        return [
            f"{request.method} {request.uri}"
            for index, request in enumerate(requests)
            if not counts[index]
        ]


class _Nothing:
    def left_over(self) -> list[str]:
        return []


# Without vcrpy.


@contextlib.contextmanager
def _barred(deck: Deck) -> Iterator[None]:
    """Let no request pass."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise _not_installed(str(deck.path), "an HTTP request was made while a cassette is in")

    with contextlib.ExitStack() as stack:
        for module, owner, name in _CLIENTS:
            if importlib.util.find_spec(module.partition(".")[0]) is None:
                continue
            found = getattr(importlib.import_module(module), owner, None)
            if found is not None and hasattr(found, name):
                stack.callback(setattr, found, name, getattr(found, name))
                setattr(found, name, refuse)
        yield


def _not_installed(where: str, why: str) -> CassetteError:
    return CassetteError(
        f"{why}, and vcrpy is not installed",
        where=where,
        remedy="pip install 'unirt-realtime[cassettes]', or pass http=False to let HTTP alone",
    )


# Bytes, which JSON has not.


def _packed(value: Any) -> Any:
    """A part of an exchange as JSON can hold it: text as text, other bytes in base64."""
    if isinstance(value, bytes):
        try:
            return _unplaced(value.decode())
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, str):
        return _unplaced(value)
    if isinstance(value, Mapping):
        return {str(key): _packed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(inner) for inner in value]
    return value


_PLACES = re.compile(r"^(a=candidate:|a=ice-pwd:|a=fingerprint:|c=IN IP[46] )[^\r\n]*", re.M)
"Where a peer of a call is, and how it is known: lines of SDP (RFC 8839, RFC 8122)."


def _unplaced(text: str) -> str:
    """The same, but for where the machine is that recorded it."""
    return _PLACES.sub(r"\1removed", text) if "\na=candidate:" in text else text


def _unpacked(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {"base64"}:
            return base64.b64decode(value["base64"])
        return {key: _unpacked(inner) for key, inner in value.items()}
    return [_unpacked(inner) for inner in value] if isinstance(value, list) else value


def _with_bytes(response: dict[str, Any]) -> dict[str, Any]:
    """A response as vcrpy wants it, with a body of bytes."""
    body = response.get("body")
    if isinstance(body, dict) and isinstance(body.get("string"), str):
        return {**response, "body": {**body, "string": body["string"].encode()}}
    return response
