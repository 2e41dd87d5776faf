"""
Client secrets: a server mints one, and a browser or an app goes to the provider with it.

The key stays on the server. What the secret opens is configured here, by the same words as a
session, and the client cannot have another model, or pay for more than was meant.

Where a cassette is played that has such a request, its answer is the recorded one, and no key is
needed. The secret in it is none: it is scrubbed, and begins as the recorded one did.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Unpack

import attrs

from unirt.connect import connect
from unirt.deck.stack import current
from unirt.errors import ConfigurationError, MissingKey
from unirt.provider import ClientSecret, Provider
from unirt.secret import secret_or_none, secret_values, secret_variables
from unirt.session.arguments import ConfigFields
from unirt.spelling import nearest
from unirt.transports.noting import rehearsing

__all__ = ["client_secret"]

_NOBODY: Final = "a-key-of-nobody"
"What a request is made with that a cassette answers."


async def client_secret(
    provider: str | Provider | None = None,
    *,
    lasts: float = 600.0,
    api_key: str | None = None,
    base_url: str | None = None,
    headers: Mapping[str, str] | None = None,
    connection_options: Mapping[str, Any] | None = None,
    env_file: str | os.PathLike[str] | None = ".env",
    environ: Mapping[str, str] | None = None,
    **settings: Unpack[ConfigFields],
) -> ClientSecret:
    """
    Mint a secret with which a client may open a session.

    Args:
        provider: As :func:`unirt.connect` takes it.
        lasts: How long it may be used to open a session, in seconds.
        api_key: Instead of the one in the environment.
        base_url: Another address of the provider.
        headers: Added to the request.
        connection_options: ``ssl``, and what the provider itself knows besides its transport's.
        env_file: Where the ``.env`` file is; ``None`` for no file.
        environ: The variables to read, instead of the environment's and the file's.
        settings: What the session will be: the fields of :class:`~unirt.SessionConfig`.

    Raises:
        ConfigurationError: The provider has none, or something of it cannot work.
        MissingKey: There is no key to mint it with.
        UnsupportedSetting: The model cannot do what is asked.
        DialError: The provider did not give one.
    """
    api_key, headers = secret_or_none(api_key), headers and secret_values(headers)
    environ = None if environ is None else secret_variables(environ)
    fields: dict[str, Any] = dict(settings)
    for name in fields:
        if name not in ConfigFields.__annotations__:
            raise ConfigurationError(
                f"a client secret has no setting {name!r}",
                where=name,
                remedy=nearest(name, ConfigFields.__annotations__),
            )
    if isinstance(lasts, bool) or not isinstance(lasts, int | float):
        raise ConfigurationError(
            f"{lasts!r} is no time", where="lasts", remedy="give how many seconds it lasts"
        )
    connecting = connect(
        provider,
        fields.pop("model", None),
        **fields,
        transport="websocket",
        api_key=api_key,
        base_url=base_url,
        headers=headers,
        connection_options=connection_options,
        env_file=env_file,
        environ=environ,
    )
    route = connecting.route
    mint = route.provider.client_secret
    if mint is None:
        raise ConfigurationError(
            f"{route.provider.name!r} has no client secrets",
            where="client_secret",
            remedy="connect from a server, and relay",
        )
    connecting.plan.translator(route, ())  # refuses what the model cannot do
    config = route.provider.resolve(route.config, route.credentials)
    deck = current()
    origin = None if deck is None else deck.answers_at
    if origin is None:
        return await mint(config, route.credentials, lasts)
    with rehearsing(origin):
        try:
            return await mint(config, route.credentials, lasts)
        except MissingKey:
            return await mint(config, attrs.evolve(route.credentials, api_key=_NOBODY), lasts)
