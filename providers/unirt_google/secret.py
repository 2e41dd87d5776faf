"""
Client secrets: ephemeral tokens of the Gemini API, which hold a setup.

``POST /v1alpha/auth_tokens`` (google-genai 3.4.0, ``auth_tokens.create``, 2026-11). The whole setup
is locked: what a client sets up with the token is ignored. One token opens one session, as often as
that is resumed, and lasts at most 20 hours.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError
from unirt.provider import ClientSecret, Credentials
from unirt.transports.http import check_options, post
from unirt.wire import Wire, WireError, parse_frame
from unirt_google.configure import setup_frame, with_defaults
from unirt_google.endpoints import OPTIONS, endpoint, tokens
from unirt_google.facts import DEFAULT_MODEL, PROVIDER_NAME

__all__ = ["client_secret"]

LONGEST_S = 20 * 60 * 60
SESSION_S = 30 * 60
"How much longer than to begin it a session may be used: the provider's own default for both."
TIMEOUT_S = 20.0


async def client_secret(
    config: SessionConfig, credentials: Credentials, lasts: float
) -> ClientSecret:
    """
    Mint a token.

    Raises:
        MissingKey: There is no key.
        ConfigurationError: It cannot last so long, there is no such option, or Vertex AI is meant.
        DialError: The provider did not give one.
    """
    if not 1 <= lasts <= LONGEST_S - SESSION_S:
        raise ConfigurationError(
            f"a client secret cannot last {lasts:g} s",
            where="lasts",
            remedy=f"give from 1 to {LONGEST_S - SESSION_S} seconds",
        )
    check_options(credentials.options, OPTIONS)
    model = config.model or DEFAULT_MODEL
    place = tokens(credentials, model)
    now = datetime.now(UTC)
    begins_by = now + timedelta(seconds=lasts)
    body = {
        "uses": 1,
        "newSessionExpireTime": _written(begins_by),
        "expireTime": _written(begins_by + timedelta(seconds=SESSION_S)),
        "bidiGenerateContentSetup": setup_frame(with_defaults(config))["setup"],
    }
    answer = await post(
        PROVIDER_NAME,
        place.url,
        headers={**place.headers, "Content-Type": "application/json"},
        content=json.dumps(body).encode(),
        timeout=TIMEOUT_S,
        ssl=credentials.options.get("ssl"),
        plaintext=credentials.plaintext,
    )
    try:
        value = Wire(parse_frame(answer.text)).text("name")
    except WireError as error:
        raise ConfigurationError(
            f"the server gave no token: {error}",
            where="base_url",
            remedy="give the address of a server that has them",
        ) from None
    with_token = Credentials(
        api_key=value, base_url=credentials.base_url, environ=credentials.environ
    )
    return ClientSecret(
        value=value,
        provider=PROVIDER_NAME,
        model=model,
        expires_at=begins_by.timestamp(),
        url=endpoint(with_token, model).url,
    )


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
