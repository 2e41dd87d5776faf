"""
Secrets: what they look like, and which ones are known.

A value that is known to be secret is found wherever it stands, as it is and in base64, JSON or an
address. What is not known is found by its shape, or by the name it stands under. Each shape has
limits that no base64 has inside of it, so audio is never taken for a key.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

import attrs

__all__ = ["PLACEHOLDER", "Secrets", "hidden", "is_secret_name", "scrubbed_url", "texts_in"]

PLACEHOLDER: Final = "SCRUBBED"
_KINDS: Final = re.compile("ek_|auth_tokens/")
"How secrets begin by which a client chooses its way: what they are for is kept, and is no secret."
LEAST: Final = 12
"Characters; a shorter value is no credential, and might be any word."


def _instead_of(secret: str) -> str:
    """What stands in the place of a secret, and tells no more than what kind it was."""
    kind = _KINDS.match(secret)
    return PLACEHOLDER if kind is None else kind[0] + PLACEHOLDER


def _matched(found: re.Match[str]) -> str:
    return _instead_of(found[0])


@attrs.frozen
class _Shape:
    """What a kind of secret looks like."""

    starts: tuple[str, ...]
    "One of these is in each; most texts hold none, and need no more than that."
    pattern: re.Pattern[str]

    def sub(self, text: str) -> str:
        return self.pattern.sub(_matched, text) if self._may_be_in(text) else text

    def finds(self, text: str) -> Iterator[tuple[int, int]]:
        if self._may_be_in(text):
            yield from (found.span() for found in self.pattern.finditer(text))

    def _may_be_in(self, text: str) -> bool:
        return any(start in text for start in self.starts)


_KEYS: Final = tuple(f"{kind}{sign}" for kind in ("sk", "ek", "pk", "rk") for sign in "-_")
_SHAPES: Final[Mapping[str, _Shape]] = {
    name: _Shape(starts, re.compile(pattern, re.ASCII))
    for name, starts, pattern in (
        (
            "key",
            _KEYS,
            rf"(?:(?<![\w-])|(?<={PLACEHOLDER}))(?:sk|ek|pk|rk)[-_][\w-]{{16,250}}(?![\w-])",
        ),
        ("API key", ("AIza",), r"(?<![\w+/])AIza[\w-]{35}(?![\w+/])"),
        ("access token", ("ya29.",), r"(?<![\w+/])ya29\.[\w.-]{16,}"),
        ("JSON web token", ("eyJ",), r"(?<![\w+/])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
        ("bearer token", ("earer ",), r"(?<=[Bb]earer )(?=\S*[\d_.-])[\w.~+/=-]{12,}"),
        ("ephemeral token", ("auth_tokens/",), r"(?<![\w+/])auth_tokens/[\w-]{12,}"),
        ("organisation", ("org-",), r"(?<![\w+/-])org-[A-Za-z0-9]{12,}(?![\w+/-])"),
        ("project", ("proj_",), r"(?<![\w+/-])proj_[A-Za-z0-9]{12,}(?![\w+/-])"),
        (
            "cloud project",
            ("projects/",),
            r"(?<=projects/)[a-z][a-z0-9-]{4,28}[a-z0-9](?=/locations/)",
        ),
        (
            "private key",
            ("-----BEGIN ",),
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END[A-Z ]*-----)?",
        ),
    )
}
"What secrets look like, by the name of the rule."

_NAMES: Final = re.compile(
    r"(?:.*[-_])?(?:authorization|cookie|password|passwd|(?:api|access|private|secret)[-_]?key"
    r"|token|secret|credentials?)|.*(?:ApiKey|Token|Secret|Password)|apikey",
    re.IGNORECASE,
)
_HEADERS: Final = re.compile(r".*(?:organization|project|auth|key|token|cookie|secret).*", re.I)
_QUERY: Final = re.compile(r"(?:.*[-_])?(?:key|token|secret|auth|sig|signature|password)", re.I)
_FORM: Final = re.compile(r"[^\s=&{}\[\]\"]+=[^\s=&{}\[\]\"]*(?:&[^\s=&{}\[\]\"]+=[^\s&]*)*")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_LONGEST: Final = 4_096
"Characters of base64 in which a text is looked for."


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
        self._forms: dict[str, str] = {}
        "Every way to write one, the longest first, and what a message calls it."
        self._all(values or {})

    def add(self, values: Iterable[str], name: str = "a credential of connect()") -> None:
        """Know some more; `name` is what a message calls them."""
        self._all(dict.fromkeys(values, name), by_value=True)

    def _all(self, values: Mapping[str, str], *, by_value: bool = False) -> None:
        found = dict(self._forms)
        for one, other in values.items():
            value, name = (one, other) if by_value else (other, one)
            if len(value) >= LEAST:
                for form in _forms(value):
                    found.setdefault(form, name)
        self._forms = dict(sorted(found.items(), key=lambda form: len(form[0]), reverse=True))

    def hide(self, text: str) -> str:
        """The text without any secret, known or not."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, _instead_of(form))
        for shape in _SHAPES.values():
            text = shape.sub(text)
        inner = _encoded_text(text)
        return text if inner is None or self.found(inner) is None else PLACEHOLDER

    def hide_bytes(self, data: bytes) -> bytes:
        """The same for bytes that are no text."""
        text = data.decode("latin-1")
        clean = self.hide(text)
        return data if clean == text else clean.encode("latin-1")

    def found(self, text: str) -> str | None:
        """Which rule finds a secret in a text, by name; ``None`` where none does."""
        for form, name in self._forms.items():
            if form in text:
                return f"the value of {name}"
        for name, shape in _SHAPES.items():
            if any(True for _ in shape.finds(text)):
                return f"what looks like a {name}"
        inner = _encoded_text(text)
        return None if inner is None else self.found(inner)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """From where to where there is a secret in a text, in order and apart."""
        found = [span for shape in _SHAPES.values() for span in shape.finds(text)]
        for form in self._forms:
            at = text.find(form)
            while at >= 0:
                found.append((at, at + len(form)))
                at = text.find(form, at + len(form))
        apart: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if apart and start <= apart[-1][1]:
                apart[-1] = apart[-1][0], max(end, apart[-1][1])
            else:
                apart.append((start, end))
        return apart


def _forms(value: str) -> Iterator[str]:
    """A value as it is, in JSON, in an address, in bytes that are no text, and in base64."""
    yield value
    for ascii_only in (False, True):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
    yield quote(value)
    yield quote(value, safe="")
    yield quote_plus(value)
    data = value.encode()
    yield data.decode("latin-1")
    for before, unsure in ((0, 0), (1, 2), (2, 3)):  # what stands before it moves its bits
        sure = (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + data).decode()[unsure:sure]


def _encoded_text(text: str) -> str | None:
    """The text that a string is the base64 of; ``None`` where it is of none."""
    if len(text) > _LONGEST or len(text) % 4 or not _BASE64.fullmatch(text):
        return None
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def scrubbed_url(url: str, secrets: Secrets) -> str:
    """An address without the secrets in its query and without its user."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = _scrubbed_query(parts.query, secrets)
    return secrets.hide(urlunsplit((parts.scheme, host, parts.path, query, "")))


def _scrubbed_query(query: str, secrets: Secrets) -> str:
    return "&".join(
        f"{quote_plus(name)}={quote_plus(_scrubbed_value(name, value, secrets))}"
        for name, value in parse_qsl(query, keep_blank_values=True)
    )


def _scrubbed_value(name: str, value: str, secrets: Secrets) -> str:
    secret = _QUERY.fullmatch(name) or is_secret_name(name)
    return PLACEHOLDER if secret else secrets.hide(value)


def hidden(value: Any, secrets: Secrets, *, headers: bool = False) -> Any:
    """
    A decoded message without any secret; what holds none is the very same object.

    Texts that are JSON, or a form, are looked into.
    """
    if isinstance(value, str):
        return _hidden_text(value, secrets)
    if isinstance(value, bytes):
        return secrets.hide_bytes(value)
    if isinstance(value, list):
        copy: Any = [hidden(inner, secrets, headers=headers) for inner in value]
        return value if all(a is b for a, b in zip(copy, value, strict=True)) else copy
    if isinstance(value, dict):
        copy = {
            key: _hidden_whole(inner, secrets)
            if is_secret_name(key, header=headers)
            else hidden(inner, secrets, headers=headers)
            for key, inner in value.items()
        }
        return value if all(copy[key] is inner for key, inner in value.items()) else copy
    return value


def _hidden_whole(value: Any, secrets: Secrets) -> Any:
    """What stands under the name of a secret: a text, some, or an object with a value."""
    if isinstance(value, str):
        clean = _instead_of(value) if value else value
        return value if clean == value else clean
    if isinstance(value, list):
        copy: Any = [_hidden_whole(inner, secrets) for inner in value]
        return value if all(a is b for a, b in zip(copy, value, strict=True)) else copy
    clean = hidden(value, secrets)
    if isinstance(clean, dict) and isinstance(clean.get("value"), str):
        inner = _hidden_whole(clean["value"], secrets)
        return clean if inner is clean["value"] else {**clean, "value": inner}
    return clean


def _hidden_text(text: str, secrets: Secrets) -> str:
    if text.startswith(("{", "[")):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return secrets.hide(text)
        clean = hidden(value, secrets)
        if clean is not value:
            text = json.dumps(clean, ensure_ascii=False)
    elif "=" in text and _FORM.fullmatch(text) and not _BASE64.fullmatch(text):
        named = parse_qsl(text, keep_blank_values=True)
        if any(_scrubbed_value(name, value, secrets) != value for name, value in named):
            text = _scrubbed_query(text, secrets)
    return secrets.hide(text)


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a decoded message, keys and all."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from texts_in(inner)
