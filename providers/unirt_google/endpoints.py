"""
Where a connection goes, and as whom: pure, from credentials and a model's name.

The environment means what it means to the official SDK (``google.genai._api_client`` and
``google.genai.live`` 3.4.0, 2026-11), and whatever the application gives explicitly wins:

====================  ==================================  =======================================
Backend               Chosen by                           Goes to
====================  ==================================  =======================================
Gemini API            a key                               ``GenerativeService``, key in a header
Gemini API, token     a key ``auth_tokens/...``           the constrained method, as ``v1alpha``
Vertex AI, express    the switch below, and a key         ``LlmBidiService``, key in a header
Vertex AI             the switch, project and location    the location's host, bearer token
Vertex AI, gateway    the switch, and a base URL alone    the base URL as it is, no credentials
====================  ==================================  =======================================

The switch is ``GOOGLE_GENAI_USE_ENTERPRISE``, else its older name ``GOOGLE_GENAI_USE_VERTEXAI``,
else whether the model's name is a resource path of Vertex AI.
``GOOGLE_API_KEY`` wins over ``GEMINI_API_KEY``; a project or a location in the environment wins
over a key in the environment and loses to one given explicitly.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError, MissingKey
from unirt.provider import Credentials
from unirt.secret import Secret
from unirt.transports.secrecy import check_base_url, check_encrypted
from unirt.value import Value
from unirt_google.facts import DEFAULT_MODEL, PROVIDER_NAME
from unirt_google.families import is_vertex

__all__ = ["OPTIONS", "Endpoint", "endpoint", "resolve", "tokens"]

OPTIONS = frozenset({"vertexai", "project", "location", "credentials"})
"The connection options that are ours; all others are the WebSocket's."

_KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
_SWITCHES = ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI")
_GEMINI = "https://generativelanguage.googleapis.com"
_EPHEMERAL = "auth_tokens/"
"How a short-lived key begins."


@attrs.frozen(kw_only=True)
class Endpoint(Value):
    """Where a connection goes, and as whom."""

    url: str
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    bearer: bool = False
    "Whether a bearer token must be fetched, because the caller sends no ``Authorization``."


@attrs.frozen(kw_only=True)
class _Backend(Value):
    """Which of the backends is meant; nothing is missing yet."""

    vertex: bool
    key: str | None = attrs.field(repr=False)
    project: str | None
    location: str | None
    base_url: str | None
    version: str | None

    @property
    def gateway(self) -> bool:
        """Whether the base URL is all there is."""
        return self.vertex and self.key is None and self.base_url is not None and not self.project


def resolve(config: SessionConfig, credentials: Credentials) -> SessionConfig:
    """
    The configuration with the model's name as the backend wants it.

    The Gemini API says ``models/M``. Vertex AI says ``publishers/google/models/M``, within
    ``projects/P/locations/L`` where those are known. A name that is a path already stays.
    """
    model = config.model or DEFAULT_MODEL
    if "/" not in model:
        backend = _backend(credentials, model)
        path = f"models/{model}"
        if backend.vertex:
            path = f"publishers/google/{path}"
            if backend.key is None and backend.project and not backend.gateway:
                path = f"projects/{backend.project}/locations/{_location(backend)}/{path}"
        model = path
    return attrs.evolve(config, model=model)


def endpoint(credentials: Credentials, model: str) -> Endpoint:
    """
    Where to connect for a model.

    Raises:
        MissingKey: There is no key for the Gemini API.
        ConfigurationError: Vertex AI is meant and there is neither project nor key, or the base URL
            would carry the key in the clear.
    """
    backend = _backend(credentials, model)
    found = _vertex(backend) if backend.vertex else _gemini(backend)
    check_encrypted(found.url, plaintext=credentials.plaintext)
    given = {name.lower() for name in credentials.headers}
    headers = {name: value for name, value in found.headers.items() if name.lower() not in given}
    return attrs.evolve(
        found,
        headers={**headers, **credentials.headers},
        bearer=found.bearer and "authorization" not in given,
    )


def tokens(credentials: Credentials, model: str) -> Endpoint:
    """
    Where short-lived keys are had for a model: of the Gemini API alone, as ``v1alpha`` by default.

    Raises:
        MissingKey: There is no key for the Gemini API.
        ConfigurationError: Vertex AI is meant, which has none.
    """
    backend = _backend(credentials, model)
    if backend.vertex:
        raise ConfigurationError(
            "Vertex AI has no client secrets",
            where="client_secret",
            remedy="use the Gemini API, with a key of its own",
        )
    found = endpoint(credentials, model)
    parts = urlsplit(found.url)
    scheme = {"ws": "http", "wss": "https"}[parts.scheme]
    base = parts.path.partition("/ws/")[0]
    path = f"{base}/{_version(backend, 'v1alpha', 'v1beta')}/auth_tokens"
    return attrs.evolve(found, url=parts._replace(scheme=scheme, path=path).geturl())


def _backend(credentials: Credentials, model: str) -> _Backend:
    environ, options = credentials.environ, credentials.options
    vertex = _switched(credentials, model)
    explicit_project = options.get("project") or _step(model, "projects")
    explicit_location = options.get("location") or _step(model, "locations")
    project = explicit_project or environ.get("GOOGLE_CLOUD_PROJECT") or None
    location = explicit_location or environ.get("GOOGLE_CLOUD_LOCATION") or None
    key = credentials.api_key or next((environ[n] for n in _KEYS if environ.get(n)), None)
    if vertex and credentials.api_key and not (explicit_project or explicit_location):
        project = location = None
    elif vertex and not credentials.api_key and (project or location):
        key = None
    base_name = "GOOGLE_VERTEX_BASE_URL" if vertex else "GOOGLE_GEMINI_BASE_URL"
    base_url = credentials.base_url or environ.get(base_name) or None
    if base_url is not None:
        check_base_url(base_url, where=f"base_url or {base_name}", example="https://host/path")
    foreign = base_url is not None and not (urlsplit(base_url).hostname or "").endswith(
        ".googleapis.com"
    )
    if vertex and foreign and key is None and not (explicit_project and explicit_location):
        project = location = None
    return _Backend(
        vertex=vertex,
        key=Secret(key.strip()) if key else None,
        project=project,
        location=location,
        base_url=base_url,
        version=environ.get("GOOGLE_GENAI_API_VERSION") or None,
    )


def _switched(credentials: Credentials, model: str) -> bool:
    given = credentials.options.get("vertexai")
    if given is not None:
        return bool(given)
    for name in _SWITCHES:
        if (value := credentials.environ.get(name)) is not None:
            return value.lower() in ("true", "1")
    return is_vertex(model)


def _step(path: str, noun: str) -> str | None:
    """What follows `noun` in a resource path."""
    steps = path.split("/")
    return steps[steps.index(noun) + 1] if noun in steps[:-1] else None


def _gemini(backend: _Backend) -> Endpoint:
    key = backend.key
    if key is None:
        raise MissingKey(PROVIDER_NAME, _KEYS)
    headers = {"x-goog-api-key": key}
    method, version = "BidiGenerateContent", _version(backend, "v1", "v1beta")
    if key.startswith(_EPHEMERAL):
        method, version = f"{method}Constrained", _version(backend, "v1alpha", "v1beta")
        headers["Authorization"] = Secret(f"Token {key}")
    base = _websocket_base(backend.base_url or _GEMINI)
    service = f"google.ai.generativelanguage.{version}.GenerativeService"
    return Endpoint(url=f"{base}/ws/{service}.{method}", headers=headers)


def _vertex(backend: _Backend) -> Endpoint:
    if backend.gateway and backend.base_url is not None:
        return Endpoint(url=_websocket_base(backend.base_url, verbatim=True))
    if backend.key is None and backend.project is None:
        raise ConfigurationError(
            "Vertex AI needs a project or a key, and neither is set",
            where="GOOGLE_CLOUD_PROJECT",
            remedy="set GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION, or GOOGLE_API_KEY",
        )
    base = _websocket_base(backend.base_url or f"https://{_host(backend)}")
    version = _version(backend, "v1beta1", "v1beta1")
    url = f"{base}/ws/google.cloud.aiplatform.{version}.LlmBidiService/BidiGenerateContent"
    if backend.key is not None:
        return Endpoint(url=url, headers={"x-goog-api-key": backend.key})
    return Endpoint(url=url, bearer=True)


def _version(backend: _Backend, default: str, beta: str) -> str:
    if backend.version is None:
        return default
    return beta if backend.version == "beta" else backend.version


def _location(backend: _Backend) -> str:
    return backend.location or "global"


def _host(backend: _Backend) -> str:
    location = _location(backend)
    if location == "global":
        return "aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def _websocket_base(base_url: str, *, verbatim: bool = False) -> str:
    """A base URL as a WebSocket's, without a slash at its end unless it is to stay as it is."""
    parts = urlsplit(base_url)
    schemes = {"http": "ws", "ws": "ws", "https": "wss", "wss": "wss"}
    url = parts._replace(scheme=schemes[parts.scheme]).geturl()
    return url if verbatim else url.rstrip("/")
