"""
OpenAI Realtime for unirt.

A plug-in: :data:`PROVIDER` is what unirt finds in the entry-point group ``unirt.providers``.
The client's side is read in this order: :mod:`~unirt_openai.facts`,
:mod:`~unirt_openai.configure`, :mod:`~unirt_openai.inbound`, :mod:`~unirt_openai.outbound`,
:mod:`~unirt_openai.translator`, :mod:`~unirt_openai.dial`.
"""

from __future__ import annotations

from typing import Any

from unirt.config import SessionConfig
from unirt.provider import ClientSecret, Credentials, EnvVar, Provider
from unirt.translator import ServerTranslator
from unirt.transport import Transport
from unirt_openai.facts import DEFAULT_MODEL, EPHEMERAL, FREE_FORM, PROVIDER_NAME, capabilities
from unirt_openai.policy import POLICY
from unirt_openai.translator import OpenAITranslator

__all__ = ["PROVIDER"]


async def _dial(config: SessionConfig, credentials: Credentials) -> Transport:
    from unirt_openai.dial import dial

    return await dial(config, credentials)


async def _client_secret(
    config: SessionConfig, credentials: Credentials, lasts: float
) -> ClientSecret:
    from unirt_openai.secret import client_secret

    return await client_secret(config, credentials, lasts)


def _holds_settings(credentials: Credentials) -> bool:
    """A client secret comes with a configuration, which a session may change."""
    key = credentials.api_key or credentials.environ.get("OPENAI_API_KEY") or ""
    return key.startswith(EPHEMERAL)


def _server(**options: Any) -> ServerTranslator:
    from unirt_openai.server import OpenAIServer

    return OpenAIServer(**options)


def _simulator_env(url: str) -> dict[str, str]:
    """The SDK wants an ``http`` base URL that ends before ``/realtime``."""
    http = "http" + url.removeprefix("ws") if url.startswith("ws") else url
    return {
        "OPENAI_API_KEY": "sk-simulator",
        "OPENAI_BASE_URL": f"{http.rstrip('/')}/v1",
    }


PROVIDER = Provider(
    name=PROVIDER_NAME,
    label="OpenAI Realtime",
    default_model=DEFAULT_MODEL,
    env=(
        EnvVar(name="OPENAI_API_KEY", what="the key", secret=True, required=True),
        EnvVar(name="OPENAI_BASE_URL", what="another server that speaks the protocol"),
        EnvVar(name="OPENAI_ORG_ID", what="the organisation that is billed"),
        EnvVar(name="OPENAI_PROJECT_ID", what="the project that is billed"),
        EnvVar(
            name="OPENAI_CUSTOM_HEADERS",
            what="extra headers, one 'Name: value' a line",
            secret=True,
        ),
    ),
    capabilities=capabilities,
    translator=OpenAITranslator,
    dial=_dial,
    transports=("websocket", "fast", "webrtc"),
    server=_server,
    policy=POLICY,
    free_form=FREE_FORM,
    joins_calls=True,
    client_secret=_client_secret,
    holds_settings=_holds_settings,
    simulator_env=_simulator_env,
)
"What unirt knows of OpenAI."
