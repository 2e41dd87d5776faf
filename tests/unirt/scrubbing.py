"""Cassettes with something in them that is to be scrubbed, and what is left of it."""

import base64
from typing import Any

from unirt.cassettes import Cassette, Entry, Framed, Header, Opened, Origin, Stalled, dumps
from unirt.cassettes.scrub import Scrub, scrubbed
from unirt.cassettes.secrets import Secrets

__all__ = ["KEY", "cassette", "clean", "encoded", "received", "text_of"]

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz012345"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def cassette(*entries: Entry, provider: str | None = None, **header: Any) -> Cassette:
    return Cassette(
        header=Header(origin=Origin.LIVE, provider=provider, **header),
        entries=(Opened(url="wss://host/"), *entries, Stalled()),
    )


def received(data: Any, **more: Any) -> Framed:
    return Framed(direction="received", data=data, **more)


def clean(found: Cassette, scrub: Scrub | None = None, **secrets: str) -> Cassette:
    return scrubbed(found, scrub or Scrub(), Secrets(secrets))


def text_of(found: Cassette) -> str:
    return dumps(found, "x").decode()
