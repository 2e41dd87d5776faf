"""
Connecting to Gemini Live, by the documented endpoints and the ``websockets`` library.

The official SDK opens its connection behind a private attribute, and cannot be given a plain
loopback address; so only its authentication library is used, and only for Vertex AI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError, DialError
from unirt.provider import Credentials
from unirt.secret import Secret, shown_url
from unirt.transport import Transport
from unirt.transports.websocket import open_websocket
from unirt_google.endpoints import OPTIONS, endpoint
from unirt_google.facts import DEFAULT_MODEL, PROVIDER_NAME

__all__ = ["dial"]

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


async def dial(config: SessionConfig, credentials: Credentials) -> Transport:
    """
    Open a connection.

    `credentials.options` may hold ``vertexai``, ``project``, ``location`` and ``credentials`` (of
    google-auth) besides the options of the WebSocket.

    Raises:
        MissingKey: There is no key.
        ConfigurationError: The credentials do not fit together, or google-auth is not installed.
        DialError: No connection came about.
    """
    place = endpoint(credentials, config.model or DEFAULT_MODEL)
    headers = dict(place.headers)
    if place.bearer:
        given = credentials.options.get("credentials")
        for name, value in (await _bearer(given, place.url)).items():
            if name.lower() not in {known.lower() for known in headers}:
                headers[name] = value
    options = {name: value for name, value in credentials.options.items() if name not in OPTIONS}
    return await open_websocket(
        PROVIDER_NAME,
        place.url,
        headers=headers,
        options=options,
        transport=credentials.transport,
        plaintext=credentials.plaintext,
    )


async def _bearer(credentials: Any, url: str) -> Mapping[str, str]:
    """The headers that carry a fresh token; fetching one blocks, so a thread does it."""
    try:
        import google.auth
        from google.auth.exceptions import (
            DefaultCredentialsError,
            GoogleAuthError,
        )
        from google.auth.transport.requests import Request
    except ImportError as exc:
        raise ConfigurationError(
            "google-auth is not installed, and Vertex AI needs it",
            where="GOOGLE_CLOUD_PROJECT",
            remedy="pip install 'unirt-realtime[google]'",
        ) from exc

    def fetch() -> Mapping[str, str]:
        found = credentials
        if found is None:
            found, _ = google.auth.default(scopes=list(_SCOPES))
        if not found.valid:
            found.refresh(Request())
        headers = {"Authorization": Secret(f"Bearer {found.token}")}
        quota_project = getattr(found, "quota_project_id", None)
        return {**headers, "x-goog-user-project": quota_project} if quota_project else headers

    try:
        return await asyncio.to_thread(fetch)
    except DefaultCredentialsError:
        raise ConfigurationError(
            "there are no Google Cloud credentials on this machine",
            where="GOOGLE_APPLICATION_CREDENTIALS",
            remedy="run 'gcloud auth application-default login', or name a key file there",
        ) from None
    except GoogleAuthError as exc:
        why = f"no access token could be fetched: {type(exc).__name__}"
        raise DialError(PROVIDER_NAME, url=shown_url(url), why=why) from None
