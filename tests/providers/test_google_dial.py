"""Dialling a real server on the loopback: what it sees, and what its refusals become."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import google.auth
import google.auth.credentials
import pytest
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from unirt import ConfigurationError, Credentials, DialError, MissingKey, SessionConfig
from unirt.transport import TransportClosed
from unirt_google import PROVIDER

MODEL = SessionConfig(model="models/gemini-3.8-live")
PATH = "/ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent"
VERTEX = {"GOOGLE_GENAI_USE_ENTERPRISE": "true"}


@pytest.fixture(params=["websocket", "fast"])
def kind(request: pytest.FixtureRequest) -> str:
    """How frames travel."""
    name: str = request.param
    return name


@asynccontextmanager
async def server(
    refuse: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> AsyncIterator[tuple[str, list[Request]]]:
    """A server that echoes one frame and hangs up; its address, and the requests it saw."""
    seen: list[Request] = []

    def look(connection: ServerConnection, request: Request) -> Response | None:
        seen.append(request)
        return refuse(connection, request) if refuse is not None else None

    async def echo(connection: ServerConnection) -> None:
        await connection.send(await connection.recv())
        await connection.close(1007, "Request contains an invalid argument")

    async with serve(echo, "127.0.0.1", 0, process_request=look, max_size=None) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}", seen


async def test_a_connection_carries_the_key_in_a_header_and_frames_both_ways(kind: str) -> None:
    async with server() as (url, seen):
        transport = await PROVIDER.dial(
            MODEL, Credentials(api_key="k", base_url=url, transport=kind)
        )
        frame = "x" * (2 << 20)
        await transport.send(frame)
        assert await transport.receive() == frame.encode()
        with pytest.raises(TransportClosed) as caught:
            await transport.receive()
        await transport.close()
    assert (caught.value.code, caught.value.by) == (1007, "remote")
    (request,) = seen
    assert request.path == PATH
    assert request.headers["x-goog-api-key"] == "k"
    assert "k" not in request.path.partition("?")[2]
    assert "Sec-WebSocket-Extensions" not in request.headers


async def test_the_application_s_headers_and_options_are_used(kind: str) -> None:
    async with server() as (url, seen):
        credentials = Credentials(
            api_key="k",
            base_url=url,
            transport=kind,
            headers={"X-Team": "voice"},
            options={"ping_timeout": 5, "user_agent_header": "mine", "project": "ignored"},
        )
        transport = await PROVIDER.dial(MODEL, credentials)
        await transport.close()
    assert seen[0].headers["X-Team"] == "voice"
    assert seen[0].headers["User-Agent"] == "mine"


async def test_a_refused_upgrade_tells_its_status_and_no_key(kind: str) -> None:
    def refuse(connection: ServerConnection, _request: Request) -> Response:
        return connection.respond(HTTPStatus.FORBIDDEN, "API key secret-key not valid\n")

    async with server(refuse) as (url, _):
        with pytest.raises(DialError) as caught:
            await PROVIDER.dial(
                MODEL, Credentials(api_key="secret-key", base_url=url, transport=kind)
            )
    assert caught.value.status == 403
    assert "secret-key" not in str(caught.value)


async def test_a_missing_key_is_told_before_anything_is_dialled() -> None:
    with pytest.raises(MissingKey):
        await PROVIDER.dial(MODEL, Credentials())


# Vertex AI.


class Tokens(google.auth.credentials.Credentials):
    """Credentials of google-auth that need no network."""

    def __init__(self, error: Exception | None = None, quota_project: str | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth does not annotate it
        self.error = error
        self._quota_project_id = quota_project

    def refresh(self, request: Any) -> None:
        if self.error is not None:
            raise self.error
        self.token = "fresh"
        self.expiry = datetime.datetime(2100, 1, 1)


def vertex(url: str, transport: str = "websocket", **options: Any) -> Credentials:
    return Credentials(
        base_url=url,
        transport=transport,
        environ=VERTEX,
        options={"project": "p", "location": "l", **options},
    )


async def test_vertex_ai_gets_a_fresh_bearer_token_and_the_quota_project(kind: str) -> None:
    async with server() as (url, seen):
        credentials = vertex(url, kind, credentials=Tokens(quota_project="q"))
        transport = await PROVIDER.dial(MODEL, credentials)
        await transport.close()
    assert seen[0].headers["Authorization"] == "Bearer fresh"
    assert seen[0].headers["x-goog-user-project"] == "q"
    assert seen[0].path.endswith("LlmBidiService/BidiGenerateContent")


async def test_a_caller_s_own_authorization_is_kept() -> None:
    async with server() as (url, seen):
        credentials = Credentials(
            base_url=url,
            environ=VERTEX,
            headers={"Authorization": "Bearer mine"},
            options={"project": "p", "location": "l"},
        )
        transport = await PROVIDER.dial(MODEL, credentials)
        await transport.close()
    assert seen[0].headers["Authorization"] == "Bearer mine"


async def test_a_token_that_cannot_be_fetched_is_a_failed_dial() -> None:
    with pytest.raises(DialError, match="RefreshError"):
        await PROVIDER.dial(
            MODEL, vertex("http://127.0.0.1:9", credentials=Tokens(RefreshError("no")))
        )


async def test_a_machine_without_google_credentials_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def default(**_: Any) -> None:
        raise DefaultCredentialsError("none")

    monkeypatch.setattr(google.auth, "default", default)
    with pytest.raises(ConfigurationError, match="gcloud auth"):
        await PROVIDER.dial(MODEL, vertex("http://127.0.0.1:9"))
