"""
Client secrets: a key for one client, which holds a configuration.

``POST /realtime/client_secrets`` (openai 3.54.0, ``client_secrets.create``, 2026-11). One secret
opens as many sessions as its time allows, and lasts from 10 seconds to 2 hours.
"""

from __future__ import annotations

import json
import time

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError
from unirt.provider import ClientSecret, Credentials
from unirt.transports.http import check_options, post
from unirt.wire import Wire, WireError, parse_frame
from unirt_openai.call import http_address, whole_session
from unirt_openai.dial import caller
from unirt_openai.facts import DEFAULT_MODEL, PROVIDER_NAME

__all__ = ["client_secret"]

SHORTEST_S, LONGEST_S = 10, 7200
TIMEOUT_S = 20.0


async def client_secret(
    config: SessionConfig, credentials: Credentials, lasts: float
) -> ClientSecret:
    """
    Mint a secret.

    Raises:
        MissingKey: There is no key.
        ConfigurationError: It cannot last so long, or the address or an option cannot be used.
        DialError: The provider did not give one.
    """
    if not SHORTEST_S <= lasts <= LONGEST_S:
        raise ConfigurationError(
            f"a client secret cannot last {lasts:g} s",
            where="lasts",
            remedy=f"give from {SHORTEST_S} to {LONGEST_S} seconds",
        )
    check_options(credentials.options)
    key, base_url, headers = caller(credentials)
    url = http_address(base_url, "client_secrets")
    body = {
        "expires_after": {"anchor": "created_at", "seconds": int(lasts)},
        "session": whole_session(config),
    }
    answer = await post(
        PROVIDER_NAME,
        url,
        headers={**headers, "Content-Type": "application/json"},
        content=json.dumps(body).encode(),
        timeout=TIMEOUT_S,
        ssl=credentials.options.get("ssl"),
        secrets=[key],
        plaintext=credentials.plaintext,
    )
    try:
        told = Wire(parse_frame(answer.text))
        value, expires_at = told.text("value"), told.number_or("expires_at")
    except WireError as error:
        raise ConfigurationError(
            f"the server gave no client secret: {error}",
            where="base_url",
            remedy="give the address of a server that has them",
        ) from None
    return ClientSecret(
        value=value,
        provider=PROVIDER_NAME,
        model=config.model or DEFAULT_MODEL,
        expires_at=time.time() + lasts if expires_at is None else expires_at,
        url=http_address(base_url, "calls").partition("?")[0],
    )
