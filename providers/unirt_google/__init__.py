"""
Gemini Live for unirt.

A plug-in: :data:`PROVIDER` is what unirt finds in the entry-point group ``unirt.providers``.
The client's side is read in this order: :mod:`~unirt_google.families`,
:mod:`~unirt_google.facts`, :mod:`~unirt_google.configure`, :mod:`~unirt_google.user`,
:mod:`~unirt_google.answer`, :mod:`~unirt_google.inbound`, :mod:`~unirt_google.parts`,
:mod:`~unirt_google.outbound`, :mod:`~unirt_google.translator`, :mod:`~unirt_google.endpoints`.
"""

from __future__ import annotations

from typing import Any

from unirt.config import SessionConfig
from unirt.provider import ClientSecret, Credentials, EnvVar, Provider
from unirt.translator import ServerTranslator
from unirt.transport import Transport
from unirt_google.endpoints import resolve
from unirt_google.facts import DEFAULT_MODEL, FREE_FORM, PROVIDER_NAME, capabilities
from unirt_google.options import resumed
from unirt_google.policy import POLICY
from unirt_google.translator import GoogleTranslator

__all__ = ["PROVIDER"]


async def _dial(config: SessionConfig, credentials: Credentials) -> Transport:
    from unirt_google.dial import dial

    return await dial(config, credentials)


def _server(**options: Any) -> ServerTranslator:
    from unirt_google.server import GoogleServer

    return GoogleServer(**options)


async def _client_secret(
    config: SessionConfig, credentials: Credentials, lasts: float
) -> ClientSecret:
    from unirt_google.secret import client_secret

    return await client_secret(config, credentials, lasts)


def _simulator_env(url: str) -> dict[str, str]:
    """The SDK's own variables; the switch is off, so that the simulator is the Gemini API."""
    http = "http" + url.removeprefix("ws") if url.startswith("ws") else url
    return {
        "GOOGLE_API_KEY": "simulator",
        "GOOGLE_GEMINI_BASE_URL": http,
        "GOOGLE_GENAI_USE_ENTERPRISE": "false",
    }


PROVIDER = Provider(
    name=PROVIDER_NAME,
    label="Gemini Live",
    default_model=DEFAULT_MODEL,
    env=(
        EnvVar(name="GOOGLE_API_KEY", what="the key", secret=True, required=True),
        EnvVar(
            name="GEMINI_API_KEY",
            what="the key, where GOOGLE_API_KEY is not set",
            secret=True,
            required=True,
        ),
        EnvVar(name="GOOGLE_GENAI_USE_ENTERPRISE", what="'true' for Vertex AI"),
        EnvVar(name="GOOGLE_GENAI_USE_VERTEXAI", what="the older name of the same"),
        EnvVar(name="GOOGLE_CLOUD_PROJECT", what="Vertex AI: the project"),
        EnvVar(name="GOOGLE_CLOUD_LOCATION", what="Vertex AI: the location, 'global' if not set"),
        EnvVar(name="GOOGLE_APPLICATION_CREDENTIALS", what="Vertex AI: a key file"),
        EnvVar(name="GOOGLE_GENAI_API_VERSION", what="the protocol's version, such as v1beta"),
        EnvVar(name="GOOGLE_GEMINI_BASE_URL", what="another server of the Gemini API"),
        EnvVar(name="GOOGLE_VERTEX_BASE_URL", what="another server, or a gateway, of Vertex AI"),
    ),
    capabilities=capabilities,
    translator=GoogleTranslator,
    dial=_dial,
    transports=("websocket", "fast"),
    resolve=resolve,
    server=_server,
    policy=POLICY,
    resume=resumed,
    free_form=FREE_FORM,
    telemetry_name="gcp.gen_ai",  # any of Google's endpoints (semantic-conventions-genai, 2026-11)
    client_secret=_client_secret,
    simulator_env=_simulator_env,
)
"What unirt knows of Gemini Live."
