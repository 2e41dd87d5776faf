"""Client secrets: one call, one shape, on every provider that has them."""

from __future__ import annotations

import json
import time
import warnings
from typing import Any

import attrs
import pytest
from google import genai
from google.genai import types
from openai import AsyncOpenAI

import unirt
from tests.calling import HERE, calling, simulated
from unirt.clock import ManualClock
from unirt.registry import load
from unirt.simulator import Simulator


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_what_a_secret_opens_is_what_was_configured_with_it(provider: str) -> None:
    async with Simulator(load(provider)) as simulator:
        secret = await unirt.client_secret(
            provider, environ=simulator.env, env_file=None, instructions="Speak of the sea."
        )
        assert (secret.provider, secret.value in repr(secret)) == (provider, False)
        assert secret.model
        assert secret.expires_at > 1_700_000_000
        # The client wants something else, and does not get it.
        async with unirt.connect(
            provider, api_key=secret.value, environ=simulator.env, env_file=None
        ) as session:
            assert session.model
        line = simulator.connections[-1]
        assert line.server.config.instructions == "Speak of the sea."


async def test_a_token_locks_the_whole_setup() -> None:
    async with Simulator(load("google")) as simulator:
        secret = await unirt.client_secret(
            "google", environ=simulator.env, env_file=None, instructions="Speak of the sea."
        )
        async with unirt.connect(
            "google",
            api_key=secret.value,
            environ=simulator.env,
            env_file=None,
            instructions="Speak of money.",
        ):
            pass
        assert simulator.connections[-1].server.config.instructions == "Speak of the sea."


@pytest.mark.parametrize("transport", ["websocket", "webrtc"])
async def test_what_was_configured_with_a_secret_stays_unless_it_is_asked_for(
    transport: str,
) -> None:
    """No default of ours takes its place: who minted it may not want transcripts."""
    options = HERE if transport == "webrtc" else {}
    asked: dict[str, Any] = {
        "transport": transport,
        "env_file": None,
        "reconnect": False,
        "connection_options": options,
    }
    async with Simulator(load("openai")) as simulator:
        secret = await unirt.client_secret(
            "openai",
            environ=simulator.env,
            env_file=None,
            voice="cedar",
            instructions="Speak of the sea.",
            input_transcription=False,
        )
        environ = {**simulator.env, "OPENAI_API_KEY": secret.value}
        async with unirt.connect("openai", environ=environ, **asked):
            config = simulator.connections[-1].server.config
            assert (config.instructions, config.voice) == ("Speak of the sea.", "cedar")
            assert config.input_transcription == unirt.Transcription(enabled=False)
        async with unirt.connect(
            "openai",
            environ=environ,
            instructions="Speak of money.",
            input_transcription=True,
            **asked,
        ):
            config = simulator.connections[-1].server.config
            assert (config.instructions, config.voice) == ("Speak of money.", "cedar")
            assert config.input_transcription is not None
            assert config.input_transcription.enabled
        # A key holds nothing, and a default is one.
        async with unirt.connect("openai", environ=simulator.env, **asked):
            config = simulator.connections[-1].server.config
            assert config.input_transcription is not None
            assert config.input_transcription.enabled


# What a secret opens, and what it does not.


def made_up(provider: str) -> str:
    return {"openai": "ek_0123456789abcdef", "google": "auth_tokens/0123456789abcdef"}[provider]


async def opened(provider: str, simulator: Simulator, key: str, **more: Any) -> None:
    async with unirt.connect(
        provider,
        api_key=key,
        environ=simulator.env,
        env_file=None,
        reconnect=False,
        **more,
    ):
        pass


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_a_secret_that_was_never_given_out_opens_nothing(provider: str) -> None:
    async with Simulator(load(provider)) as simulator:
        with pytest.raises(unirt.DialError) as refused:
            await opened(provider, simulator, made_up(provider))
        assert refused.value.status == 401
        assert not simulator.connections


async def test_a_call_needs_a_secret_that_was_given_out() -> None:
    async with simulated() as simulator:
        with pytest.raises(unirt.DialError) as refused:
            async with calling(simulator, api_key=made_up("openai")):
                raise AssertionError("it came about")
        assert refused.value.status == 401
        assert simulator.calls == {}


@pytest.mark.parametrize(
    ("provider", "error"), [("openai", unirt.DialError), ("google", unirt.HandshakeError)]
)
async def test_after_its_time_a_secret_opens_nothing(
    provider: str, error: type[unirt.UnirtError]
) -> None:
    clock = ManualClock(time.time())
    async with Simulator(load(provider), clock=clock) as simulator:
        used, unused = [
            await unirt.client_secret(provider, lasts=60, environ=simulator.env, env_file=None)
            for _ in range(2)
        ]
        clock.advance_to(clock.now() + 50)
        await opened(provider, simulator, used.value)
        clock.advance_to(clock.now() + 20)
        with pytest.raises(error):
            await opened(provider, simulator, unused.value)


async def test_a_secret_opens_as_many_sessions_as_its_time_allows_and_a_token_one() -> None:
    async with Simulator(load("openai")) as simulator:
        secret = await unirt.client_secret("openai", environ=simulator.env, env_file=None)
        for _ in range(3):
            await opened("openai", simulator, secret.value)
        assert len(simulator.connections) == 3
    async with Simulator(load("google")) as simulator:
        secret = await unirt.client_secret("google", environ=simulator.env, env_file=None)
        await opened("google", simulator, secret.value)
        with pytest.raises(unirt.HandshakeError, match="opens no more sessions"):
            await opened("google", simulator, secret.value)
        other = await unirt.client_secret("google", environ=simulator.env, env_file=None)
        await opened("google", simulator, other.value)


async def test_to_resume_a_session_is_no_use_of_a_token_and_changes_nothing_that_is_locked() -> (
    None
):
    async with Simulator(load("google")) as simulator:
        secret = await unirt.client_secret(
            "google", environ=simulator.env, env_file=None, instructions="Speak of the sea."
        )
        await opened("google", simulator, secret.value)
        await opened(
            "google",
            simulator,
            secret.value,
            instructions="Speak of money.",
            provider_options={"session_resumption": {"handle": "handle_1"}},
        )
        config = simulator.connections[-1].server.config
        assert config.instructions == "Speak of the sea."


async def test_the_addresses_are_where_clients_go() -> None:
    for provider, path in {"openai": "/v1/realtime/calls", "google": "Constrained"}.items():
        async with Simulator(load(provider)) as simulator:
            secret = await unirt.client_secret(provider, environ=simulator.env, env_file=None)
        assert secret.url.endswith(path)
        assert "?" not in secret.url


async def bodies(provider: str, ask: Any) -> list[tuple[str, dict[str, Any]]]:
    """What was asked of a simulator, while `ask` runs."""
    asked: list[tuple[str, dict[str, Any]]] = []
    simulator = Simulator(load(provider))
    answer = simulator._request

    async def note(request: Any) -> Any:
        asked.append((request.path, json.loads(request.body)))
        return await answer(request)

    simulator._request = note  # type: ignore[method-assign]  # to look on
    async with simulator:
        await ask(simulator)
    return asked


async def test_ours_is_the_request_of_the_vendors_client_at_openai() -> None:
    async def both(simulator: Simulator) -> None:
        await unirt.client_secret(
            "openai",
            model="gpt-realtime-2.1",
            lasts=60,
            environ=simulator.env,
            env_file=None,
            instructions="Be brief.",
            input_transcription=False,
        )
        client = AsyncOpenAI(api_key="sk-x", base_url=simulator.env["OPENAI_BASE_URL"])
        async with client:
            await client.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 60},
                session={  # type: ignore[arg-type]  # null turns it off, and is not declared
                    "type": "realtime",
                    "model": "gpt-realtime-2.1",
                    "instructions": "Be brief.",
                    "audio": {"input": {"transcription": None}},
                },
            )

    ours, theirs = await bodies("openai", both)
    assert ours == theirs


async def test_ours_is_the_request_of_the_vendors_client_at_google() -> None:
    async def both(simulator: Simulator) -> None:
        await unirt.client_secret(
            "google",
            model="gemini-3.8-live",
            environ=simulator.env,
            env_file=None,
            instructions="Be brief.",
        )
        client = genai.Client(
            api_key="simulator",
            http_options=types.HttpOptions(
                base_url=simulator.env["GOOGLE_GEMINI_BASE_URL"], api_version="v1alpha"
            ),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            await client.aio.auth_tokens.create(
                config=types.CreateAuthTokenConfig(
                    uses=1,
                    live_connect_constraints=types.LiveConnectConstraints(
                        model="gemini-3.8-live",
                        config=types.LiveConnectConfig(
                            system_instruction="Be brief.",
                            response_modalities=[types.Modality.AUDIO],
                        ),
                    ),
                )
            )
            await client.aio.aclose()

    (our_path, ours), (their_path, theirs) = await bodies("google", both)
    assert our_path == their_path
    assert set(theirs) <= set(ours)
    assert ours["uses"] == theirs["uses"]
    here, there = ours["bidiGenerateContentSetup"], theirs["bidiGenerateContentSetup"]
    assert here["model"] == there["model"]
    assert here["systemInstruction"]["parts"] == there["systemInstruction"]["parts"]


@pytest.mark.parametrize(
    ("provider", "lasts"), [("openai", 9), ("openai", 7201), ("google", 0), ("google", 80_000)]
)
async def test_a_time_that_cannot_be_is_refused_before_anything_is_asked(
    provider: str, lasts: float
) -> None:
    with pytest.raises(unirt.ConfigurationError, match="cannot last") as refused:
        await unirt.client_secret(provider, lasts=lasts, api_key="k", env_file=None, environ={})
    assert refused.value.where == "lasts"


@pytest.mark.parametrize(("provider", "given"), [("openai", "temperature"), ("google", "speed")])
async def test_what_cannot_be_configured_is_refused_before_anything_is_asked(
    provider: str, given: str
) -> None:
    settings: dict[str, Any] = {given: 0.5}
    with pytest.raises(unirt.UnsupportedSetting) as refused:
        await unirt.client_secret(provider, api_key="k", env_file=None, environ={}, **settings)
    assert given in str(refused.value)


@pytest.mark.parametrize("provider", ["openai", "google"])
@pytest.mark.parametrize(
    ("given", "where"),
    [({"fallback": "echo"}, "fallback"), ({"voise": "x"}, "voise"), ({"lasts": "1 h"}, "lasts")],
    ids=str,
)
async def test_what_is_no_setting_of_a_secret_is_refused(
    provider: str, given: dict[str, Any], where: str
) -> None:
    with pytest.raises(unirt.ConfigurationError) as refused:
        await unirt.client_secret(provider, api_key="k", env_file=None, environ={}, **given)
    assert refused.value.where == where


@pytest.mark.parametrize("provider", ["openai", "google"])
@pytest.mark.parametrize("name", ["open_timeout", "sls"])
async def test_an_option_that_its_request_does_not_have_is_refused(
    provider: str, name: str
) -> None:
    with pytest.raises(unirt.ConfigurationError, match=f"no option '{name}'") as refused:
        await unirt.client_secret(
            provider, api_key="k", env_file=None, environ={}, connection_options={name: 3}
        )
    assert refused.value.where == "connection_options"


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_without_a_key_there_is_no_secret(provider: str) -> None:
    with pytest.raises(unirt.MissingKey):
        await unirt.client_secret(provider, env_file=None, environ={})


async def test_vertex_has_none() -> None:
    environ = {"GOOGLE_GENAI_USE_ENTERPRISE": "true", "GOOGLE_CLOUD_PROJECT": "p"}
    with pytest.raises(unirt.ConfigurationError, match="use the Gemini API"):
        await unirt.client_secret("google", env_file=None, environ=environ)


async def test_a_provider_without_them_says_so() -> None:
    provider = attrs.evolve(load("openai"), client_secret=None)
    with pytest.raises(unirt.ConfigurationError, match="has no client secrets"):
        await unirt.client_secret(provider, env_file=None, environ={})
