"""
The upgrade request, as the SDK would make it.

To the same address and as the same caller: what ``AsyncRealtimeConnectionManager._connect_ws`` does
with a key, ``default_headers`` and ``_websocket_query_params`` (openai 3.54.0, 2026-11). Left out
is what says that the SDK is the client, ``User-Agent`` and ``X-Stainless-*``, for it is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from unirt.errors import ConfigurationError
from unirt.secret import Secret

__all__ = ["address", "upgrade_headers"]

_SCHEMES = {"http": "ws", "https": "wss"}


def address(base_url: str, query: Mapping[str, Any]) -> str:
    """
    Where a session is opened.

    Args:
        base_url: ``http``, ``https``, ``ws`` or ``wss``; it may have a query of its own.
        query: Added to that one, and replaces what it has by the same names.

    Raises:
        ConfigurationError: A value of the query is no value.
    """
    parts = urlsplit(base_url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in query]
    pairs = [*kept, *_pairs(query)]
    return urlunsplit(
        parts._replace(
            scheme=_SCHEMES.get(parts.scheme, parts.scheme),
            path=f"{parts.path.rstrip('/')}/realtime",
            query=urlencode(pairs, quote_via=quote),
            fragment="",
        )
    )


def upgrade_headers(
    key: str, *, organization: str | None, project: str | None, headers: Mapping[str, str]
) -> dict[str, str]:
    """Who asks; `headers` win over the rest, by names of any case."""
    ours = {
        "Authorization": Secret(f"Bearer {key}"),
        "OpenAI-Organization": organization,
        "OpenAI-Project": project,
    }
    given = {name.lower() for name in headers}
    kept = {
        name: value
        for name, value in ours.items()
        if value is not None and name.lower() not in given
    }
    return {**kept, **headers}


def _pairs(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        for single in value if isinstance(value, list | tuple) else [value]:
            yield name, _written(name, single)


def _written(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
    raise ConfigurationError(
        f"{name!r} of extra_query is neither text nor a number, nor a list of such",
        where="connection_options",
        remedy="write it as it is to stand in the address",
    )
