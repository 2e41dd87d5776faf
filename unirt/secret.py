"""
Keys, as a type: used like any text, and shown like none.

What is a key is one from the moment it comes in, so that it does not show in a tool that prints the
variables of a traceback, in a debugger, or in a dictionary that somebody logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

__all__ = [
    "Secret",
    "masked",
    "secret_or_none",
    "secret_url",
    "secret_values",
    "secret_variables",
    "secrets_in",
    "shown_url",
]

_NAMES: Final = re.compile(
    r"(?!UNIRT_).*(?:KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|HEADER|COOKIE|PROXY|_ORG_)",
    re.IGNORECASE,
)
"What variables are called that hold a key, or may; none of unirt's own does."
_LEAST: Final = 8
"Characters; what is shorter is no secret, and without it messages could not be read."


class Secret(str):
    """A text whose ``repr()`` does not tell it; ``str()`` and all else do."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def secret_or_none(value: str | None) -> Secret | None:
    """A text as a secret."""
    return None if value is None else Secret(value)


def secret_values(given: Mapping[str, str]) -> dict[str, str]:
    """The same, every value a secret."""
    return {name: Secret(text) for name, text in given.items()}


def secrets_in(headers: Mapping[str, str]) -> list[Secret]:
    """What headers hold that a server may quote back: of ``Bearer x`` that is ``x``."""
    return [Secret(text.rpartition(" ")[2]) for text in headers.values()]


def masked(text: str, secrets: Iterable[str]) -> str:
    """A text of somebody else's without those."""
    for secret in secrets:
        text = text.replace(secret, "***") if len(secret) >= _LEAST else text
    return text


def shown_url(url: str) -> str:
    """The address without query, fragment and credentials: what messages may show."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an invalid address"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else f"{host}{parts.path}"


def secret_url(url: str | None) -> str:
    """How the field of an address shows itself."""
    return repr(url if url is None else shown_url(url))


def secret_variables(given: Mapping[str, str]) -> dict[str, str]:
    """Variables, those a secret whose name says so."""
    return {name: Secret(text) if _NAMES.match(name) else text for name, text in given.items()}
