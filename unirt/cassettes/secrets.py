"""
Secrets: what they look like, and which ones are known.

A value that is known to be secret is found wherever it stands. What is not known is found by its
shape, or by the name it stands under. Each shape has limits that no base64 has inside of it, so
audio is never taken for a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote_plus, urlsplit, urlunsplit

__all__ = ["PLACEHOLDER", "Secrets", "is_secret_name", "scrubbed_url"]

PLACEHOLDER: Final = "SCRUBBED"
LEAST: Final = 12
"Characters; a shorter value is no credential, and might be any word."

_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "key": re.compile(r"(?<![\w+/])(?:sk|ek|pk|rk)[-_][\w-]{16,}(?![\w+/])"),
    "API key": re.compile(r"(?<![\w+/])AIza[\w-]{35}(?![\w+/])"),
    "access token": re.compile(r"(?<![\w+/])ya29\.[\w.-]{16,}"),
    "JSON web token": re.compile(r"(?<![\w+/])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    "bearer token": re.compile(r"(?<=[Bb]earer )(?=\S*[\d_.-])[\w.~+/=-]{12,}"),
    "ephemeral token": re.compile(r"(?<![\w+/])auth_tokens/[\w-]{12,}"),
    "organisation": re.compile(r"(?<![\w+/-])org-[A-Za-z0-9]{12,}(?![\w+/-])"),
    "project": re.compile(r"(?<![\w+/-])proj_[A-Za-z0-9]{12,}(?![\w+/-])"),
    "cloud project": re.compile(r"(?<=projects/)[a-z][a-z0-9-]{4,28}[a-z0-9](?=/locations/)"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END[A-Z ]*-----)?"),
}
"What secrets look like, by the name of the rule."

_NAMES: Final = re.compile(
    r"(?:.*[-_])?(?:authorization|cookie|password|api[-_]?key|token|secret|credentials?)"
    r"|.*(?:ApiKey|Token|Secret|Password)|apikey",
    re.IGNORECASE,
)
_HEADERS: Final = re.compile(r".*(?:organization|project|auth|key|token|cookie|secret).*", re.I)
_QUERY: Final = re.compile(r"(?:.*[-_])?(?:key|token|secret|auth|sig|signature|password)", re.I)


def is_secret_name(name: str, *, header: bool = False) -> bool:
    """Whether a text that stands under a name is secret, whatever it looks like."""
    return bool((_HEADERS if header else _NAMES).fullmatch(name))


class Secrets:
    """
    The secrets that are known by their value.

    Args:
        values: Those of the environment, by the name of their variable.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values: dict[str, str] = {}
        for name, value in (values or {}).items():
            self._add(value, name)

    def add(self, values: Iterable[str], name: str = "a credential of connect()") -> None:
        """Know some more; `name` is what a message calls them."""
        for value in values:
            self._add(value, name)

    def _add(self, value: str, name: str) -> None:
        if len(value) >= LEAST:
            self._values.setdefault(value, name)

    def hide(self, text: str) -> str:
        """The text without any secret, known or not."""
        for value in self._known():
            if value in text:
                text = text.replace(value, PLACEHOLDER)
        for shape in _SHAPES.values():
            text = shape.sub(PLACEHOLDER, text)
        return text

    def found(self, text: str) -> str | None:
        """Which rule finds a secret in a text, by name; ``None`` where none does."""
        for value in self._known():
            if value in text:
                return f"the value of {self._values[value]}"
        for name, shape in _SHAPES.items():
            if shape.search(text):
                return f"what looks like a {name}"
        return None

    def _known(self) -> list[str]:
        return sorted(self._values, key=len, reverse=True)


def scrubbed_url(url: str, secrets: Secrets) -> str:
    """An address without the secrets in its query and without its user."""
    parts = urlsplit(url)
    query = "&".join(
        f"{quote_plus(name)}={PLACEHOLDER if _QUERY.fullmatch(name) else quote_plus(value)}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    host = parts.netloc.rpartition("@")[2]
    return secrets.hide(urlunsplit((parts.scheme, host, parts.path, query, "")))


def hidden(value: Any, secrets: Secrets, *, headers: bool = False) -> Any:
    """A decoded message without any secret; what holds none is the very same object."""
    if isinstance(value, str):
        return secrets.hide(value)
    if isinstance(value, list):
        copy: Any = [hidden(inner, secrets, headers=headers) for inner in value]
        return value if all(a is b for a, b in zip(copy, value, strict=True)) else copy
    if isinstance(value, dict):
        copy = {
            key: PLACEHOLDER
            if isinstance(inner, str) and inner and is_secret_name(key, header=headers)
            else hidden(inner, secrets, headers=headers)
            for key, inner in value.items()
        }
        return value if all(copy[key] is inner for key, inner in value.items()) else copy
    return value
