"""
Whose protocol a connection speaks that somebody else dialled, and what model it is for.

The installed providers' own server sides are asked: who would accept the request is who it is for,
and what its first frame configures names the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

import attrs

from unirt.cassettes.entries import (
    Cassette,
    Entry,
    Exchanged,
    Framed,
    Header,
    Opened,
    Origin,
    Segment,
)
from unirt.cassettes.meaning import new_server
from unirt.cassettes.secrets import PLACEHOLDER
from unirt.registry import installed, load
from unirt.translator import Upgrade
from unirt.transports.secrecy import is_loopback

__all__ = ["is_for", "origin_of", "provider_of", "with_models"]

_SLASHES = re.compile("//+")


def provider_of(url: str, headers: Mapping[str, str]) -> str | None:
    """The provider that a request is for, by name; ``None`` where it is for nobody installed."""
    parts = urlsplit(url)
    request = Upgrade(
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in headers.items()},
    )
    able = [name for name in installed() if _accepts(name, request)]
    if len(able) > 1:  # there are servers that do not look at the path
        elsewhere = attrs.evolve(request, path="/no/such/path")
        able = [name for name in able if not _accepts(name, elsewhere)] or able
    return able[0] if able else None


def _accepts(name: str, request: Upgrade) -> bool:
    build = load(name).server
    return build is not None and build().upgrade(request).status == 101


def with_models(recorded: Iterable[Entry]) -> tuple[Entry, ...]:
    """
    What was recorded, with the models of connections that do not say theirs.

    A connection of which the provider's server does not understand a word is none of it after all.
    """
    entries = list(recorded)
    whole = Cassette(header=Header(origin=Origin.LIVE), entries=tuple(entries))
    for segment in whole.segments:
        opened = segment.opened
        if opened.model is None and opened.provider is not None and not opened.failed:
            entries[segment.line - 2] = _with_model(segment)
    return tuple(entries)


def _with_model(segment: Segment) -> Opened:
    server = new_server(segment)
    if server is None:
        return segment.opened
    model, sent, understood = server.config.model, False, False
    for _, entry in segment.entries:
        if isinstance(entry, Framed) and entry.direction == "sent":
            sent = True
            server.receive(entry.frame, 0.0)
            understood = server.ready or any(heard.command for heard in server.heard())
            model = server.config.model or model
            if understood:
                break
    provider = segment.opened.provider if understood or not sent else None
    return attrs.evolve(segment.opened, provider=provider, model=model if provider else None)


def origin_of(recorded: Sequence[Entry]) -> Origin:
    """Where what was recorded comes from: a simulator where all of it came from this machine."""
    urls = [entry.url for entry in recorded if isinstance(entry, Opened)]
    urls += [str(entry.request["uri"]) for entry in recorded if isinstance(entry, Exchanged)]
    here = all(is_loopback(urlsplit(url).hostname or "") for url in urls)
    return Origin.SIMULATOR if here else Origin.LIVE


def is_for(opened: Opened, url: str) -> bool:
    """
    Whether a live address is the recorded one: the same path, and all of its query.

    An SDK writes a slash twice where its base address ends in one.
    The host may be another, and so may what the recording does not say: secrets are not in it.
    """
    recorded, live = urlsplit(opened.url), urlsplit(url)
    path = _SLASHES.sub("/", recorded.path)
    if path not in ("", "/") and path != _SLASHES.sub("/", live.path):
        return False
    query = dict(parse_qsl(live.query, keep_blank_values=True))
    told = parse_qsl(recorded.query, keep_blank_values=True)
    return all(value.endswith(PLACEHOLDER) or query.get(name) == value for name, value in told)
