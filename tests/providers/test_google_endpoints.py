"""Where a connection goes, and as whom: the SDK's environment, and what wins over it."""

from __future__ import annotations

from typing import Any

import pytest

from unirt import ConfigurationError, Credentials, MissingKey, SessionConfig
from unirt_google import PROVIDER
from unirt_google.endpoints import endpoint, resolve

MODEL = "gemini-3.8-live"
GEMINI = (
    "wss://generativelanguage.googleapis.com/ws/"
    "google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent"
)
SERVICE = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
KEY = {"x-goog-api-key": "k"}
VERTEX = {"GOOGLE_GENAI_USE_ENTERPRISE": "true"}
PROJECT = {**VERTEX, "GOOGLE_CLOUD_PROJECT": "p"}
IN_PROJECT = f"projects/p/locations/global/publishers/google/models/{MODEL}"
PUBLISHED = f"publishers/google/models/{MODEL}"
TOKEN = "auth_tokens/t"


def to(url: str, headers: dict[str, str], model: str, bearer: bool = False) -> tuple[Any, ...]:
    return url, headers, bearer, model


CASES: list[tuple[str, Credentials, tuple[Any, ...]]] = [
    ("a key", Credentials(api_key="k"), to(GEMINI, KEY, f"models/{MODEL}")),
    (
        "a key from the environment",
        Credentials(environ={"GEMINI_API_KEY": "k"}),
        to(GEMINI, KEY, f"models/{MODEL}"),
    ),
    (
        "two keys in the environment",
        Credentials(environ={"GEMINI_API_KEY": "other", "GOOGLE_API_KEY": "k"}),
        to(GEMINI, KEY, f"models/{MODEL}"),
    ),
    (
        "an explicit key",
        Credentials(api_key=" k\n", environ={"GOOGLE_API_KEY": "other"}),
        to(GEMINI, KEY, f"models/{MODEL}"),
    ),
    (
        "the switch is off",
        Credentials(
            api_key="k",
            environ={"GOOGLE_GENAI_USE_ENTERPRISE": "false", "GOOGLE_GENAI_USE_VERTEXAI": "true"},
        ),
        to(GEMINI, KEY, f"models/{MODEL}"),
    ),
    (
        "a version",
        Credentials(api_key="k", environ={"GOOGLE_GENAI_API_VERSION": "v1alpha"}),
        to(GEMINI.replace(".v1.", ".v1alpha."), KEY, f"models/{MODEL}"),
    ),
    (
        "the beta version",
        Credentials(api_key="k", environ={"GOOGLE_GENAI_API_VERSION": "beta"}),
        to(GEMINI.replace(".v1.", ".v1beta."), KEY, f"models/{MODEL}"),
    ),
    (
        "a token",
        Credentials(api_key=TOKEN),
        to(
            GEMINI.replace(".v1.", ".v1alpha.") + "Constrained",
            {"x-goog-api-key": TOKEN, "Authorization": f"Token {TOKEN}"},
            f"models/{MODEL}",
        ),
    ),
    (
        "a base URL of this machine",
        Credentials(api_key="k", base_url="http://127.0.0.1:9/gw/"),
        to(
            GEMINI.replace("wss://generativelanguage.googleapis.com", "ws://127.0.0.1:9/gw"),
            KEY,
            f"models/{MODEL}",
        ),
    ),
    (
        "a base URL in the environment",
        Credentials(environ={"GOOGLE_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": "https://h"}),
        to(GEMINI.replace("generativelanguage.googleapis.com", "h"), KEY, f"models/{MODEL}"),
    ),
    (
        "an explicit base URL",
        Credentials(
            api_key="k", base_url="wss://h", environ={"GOOGLE_GEMINI_BASE_URL": "https://other"}
        ),
        to(GEMINI.replace("generativelanguage.googleapis.com", "h"), KEY, f"models/{MODEL}"),
    ),
    (
        "Vertex AI with a key",
        Credentials(api_key="k", environ=VERTEX),
        to(f"wss://aiplatform.googleapis.com{SERVICE}", KEY, PUBLISHED),
    ),
    (
        "Vertex AI by its older name",
        Credentials(api_key="k", environ={"GOOGLE_GENAI_USE_VERTEXAI": "1"}),
        to(f"wss://aiplatform.googleapis.com{SERVICE}", KEY, PUBLISHED),
    ),
    (
        "Vertex AI by an option",
        Credentials(api_key="k", options={"vertexai": True}),
        to(f"wss://aiplatform.googleapis.com{SERVICE}", KEY, PUBLISHED),
    ),
    (
        "an explicit key wins over a project in the environment",
        Credentials(api_key="k", environ=PROJECT),
        to(f"wss://aiplatform.googleapis.com{SERVICE}", KEY, PUBLISHED),
    ),
    (
        "a project",
        Credentials(environ=PROJECT),
        to(f"wss://aiplatform.googleapis.com{SERVICE}", {}, IN_PROJECT, bearer=True),
    ),
    (
        "a project wins over a key in the environment",
        Credentials(environ={**PROJECT, "GOOGLE_API_KEY": "other"}),
        to(f"wss://aiplatform.googleapis.com{SERVICE}", {}, IN_PROJECT, bearer=True),
    ),
    (
        "a region",
        Credentials(environ={**PROJECT, "GOOGLE_CLOUD_LOCATION": "us-central1"}),
        to(
            f"wss://us-central1-aiplatform.googleapis.com{SERVICE}",
            {},
            IN_PROJECT.replace("global", "us-central1"),
            bearer=True,
        ),
    ),
    (
        "several regions",
        Credentials(environ={**PROJECT, "GOOGLE_CLOUD_LOCATION": "eu"}),
        to(
            f"wss://aiplatform.eu.rep.googleapis.com{SERVICE}",
            {},
            IN_PROJECT.replace("global", "eu"),
            bearer=True,
        ),
    ),
    (
        "explicit project and location",
        Credentials(options={"project": "p", "location": "l"}, environ=VERTEX),
        to(
            f"wss://l-aiplatform.googleapis.com{SERVICE}",
            {},
            IN_PROJECT.replace("global", "l"),
            bearer=True,
        ),
    ),
    (
        "a caller's own authorization",
        Credentials(environ=PROJECT, headers={"authorization": "Bearer mine"}),
        to(
            f"wss://aiplatform.googleapis.com{SERVICE}",
            {"authorization": "Bearer mine"},
            IN_PROJECT,
        ),
    ),
    (
        "a gateway",
        Credentials(base_url="https://gw.example.org/live/", environ=PROJECT, headers={"X-A": "1"}),
        to("wss://gw.example.org/live/", {"X-A": "1"}, PUBLISHED),
    ),
    (
        "a server of Vertex AI's protocol, with a key",
        Credentials(api_key="k", base_url="http://localhost:9", environ=VERTEX),
        to(f"ws://localhost:9{SERVICE}", KEY, PUBLISHED),
    ),
    (
        "a host of Google's",
        Credentials(
            environ={**PROJECT, "GOOGLE_VERTEX_BASE_URL": "https://x-aiplatform.googleapis.com"}
        ),
        to(f"wss://x-aiplatform.googleapis.com{SERVICE}", {}, IN_PROJECT, bearer=True),
    ),
    (
        "a header in other letters",
        Credentials(api_key="k", headers={"X-Goog-Api-Key": "mine"}),
        to(GEMINI, {"X-Goog-Api-Key": "mine"}, f"models/{MODEL}"),
    ),
]


@pytest.mark.parametrize(
    ("credentials", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_where_a_connection_goes(credentials: Credentials, expected: tuple[Any, ...]) -> None:
    model = resolve(SessionConfig(), credentials).model
    found = endpoint(credentials, model or "")
    assert (found.url, dict(found.headers), found.bearer, model) == expected


@pytest.mark.parametrize(
    "model", ["models/m", "tunedModels/m", "publishers/google/models/m", IN_PROJECT]
)
def test_a_path_stays_as_it_is(model: str) -> None:
    assert resolve(SessionConfig(model=model), Credentials(api_key="k")).model == model


def test_a_path_of_vertex_ai_says_the_backend_project_and_location() -> None:
    path = "projects/q/locations/eu/publishers/google/models/m"
    found = endpoint(Credentials(), path)
    assert (found.url, found.bearer) == (
        f"wss://aiplatform.eu.rep.googleapis.com{SERVICE}",
        True,
    )


@pytest.mark.parametrize(
    ("credentials", "kind", "match"),
    [
        (Credentials(), MissingKey, "GOOGLE_API_KEY or GEMINI_API_KEY"),
        (Credentials(environ={"GOOGLE_API_KEY": ""}), MissingKey, "GEMINI_API_KEY"),
        (Credentials(environ=VERTEX), ConfigurationError, "GOOGLE_CLOUD_PROJECT"),
        (Credentials(api_key="k", base_url="ftp://h"), ConfigurationError, "no http"),
        (Credentials(api_key="k", base_url="h"), ConfigurationError, "no http"),
        (Credentials(api_key="k", base_url="https://[::1"), ConfigurationError, "no http"),
        (Credentials(api_key="k", base_url="https://h:99999"), ConfigurationError, "no http"),
        (Credentials(api_key="k", base_url="http://h"), ConfigurationError, "unencrypted"),
        (Credentials(api_key="k", base_url="ws://10.0.0.1"), ConfigurationError, "unencrypted"),
    ],
)
def test_what_cannot_be_reached_is_refused(
    credentials: Credentials, kind: type[Exception], match: str
) -> None:
    with pytest.raises(kind, match=match):
        endpoint(credentials, MODEL)


def test_resolving_needs_no_key() -> None:
    assert resolve(SessionConfig(), Credentials()).model == f"models/{MODEL}"


def test_the_simulator_s_environment_points_at_it() -> None:
    environ = {**VERTEX, **PROVIDER.simulator_env("ws://127.0.0.1:9")}
    found = endpoint(Credentials(environ=environ), MODEL)
    assert found.url.startswith("ws://127.0.0.1:9/ws/google.ai.generativelanguage.")


def test_no_representation_shows_a_key() -> None:
    found = endpoint(Credentials(api_key="secret-key"), MODEL)
    assert "secret-key" not in repr(found)
