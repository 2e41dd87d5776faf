"""What a call is set up with: the requests that are made, and all that the provider is told."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError

import unirt
from tests.calling import HERE, calling, idle, simulated
from unirt.config import SessionConfig
from unirt.simulator import Simulator
from unirt.translator import Request


def noted(simulator: Simulator) -> list[Request]:
    """All requests that a simulator is asked; before it is entered."""
    asked: list[Request] = []
    answer = simulator._request

    async def note(request: Request) -> Any:
        asked.append(request)
        return await answer(request)

    simulator._request = note  # type: ignore[method-assign]  # to look on
    return asked


def parts(request: Request) -> dict[str, tuple[str, str]]:
    """The parts of a form, each with its type."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    found = {}
    for part in request.body.split(b"--" + boundary)[1:-1]:
        head, _, text = part.decode().partition("\r\n\r\n")
        name = head.partition('name="')[2].partition('"')[0]
        type_ = head.lower().partition("content-type: ")[2].partition("\r")[0]
        found[name] = type_, text
    return found


@unirt.tool
def look_up(number: int) -> str:
    """Look an order up."""
    return str(number)


SETTINGS: dict[str, Any] = {
    "model": "gpt-realtime-2",
    "voice": "cedar",
    "instructions": "Be brief.",
    "modalities": ["text"],
    "turn_detection": unirt.ServerVAD(silence_ms=321, threshold=0.4),
    "input_transcription": unirt.Transcription(model="gpt-4o-transcribe", language="de"),
    "tools": [look_up],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "max_output_tokens": 900,
    "noise_reduction": "near_field",
    "speed": 1.1,
    "thinking": "low",
    "provider_options": {
        "truncation": "disabled",
        "include": ["item.input_audio_transcription.logprobs"],
    },
}
"All that a session of this provider can have, but for formats, which a call has of its own."


async def told(transport: str, **settings: Any) -> tuple[dict[str, Any], SessionConfig]:
    """The session that the provider says it holds, and what the server holds."""
    simulator = simulated()
    async with (
        simulator,
        unirt.connect(
            "openai",
            transport=transport,
            environ=simulator.env,
            env_file=None,
            reconnect=False,
            connection_options=HERE if transport == "webrtc" else {},
            **settings,
        ) as session,
    ):
        async for event in session:
            if isinstance(event, unirt.SessionUpdated | unirt.SessionStarted) and event.config:
                if transport == "websocket" and isinstance(event, unirt.SessionStarted):
                    continue  # over a socket the settings follow
                config = dict(event.config)
                return config, simulator.connections[-1].server.config
    raise AssertionError("it ended")


async def test_all_settings_are_carried_with_the_call_as_they_are_over_a_socket() -> None:
    call, here = await told("webrtc", **SETTINGS)
    socket, there = await told("websocket", **SETTINGS)
    for settings in (call, socket):
        for name in ("id", "expires_at"):
            settings.pop(name, None)
    assert call == socket
    assert here == there
    assert (here.voice, here.instructions) == ("cedar", "Be brief.")
    assert isinstance(here.turn_detection, unirt.ServerVAD)
    assert here.turn_detection.silence_ms == 321
    assert (call["model"], call["output_modalities"]) == ("gpt-realtime-2", ["text"])
    assert (call["truncation"], call["reasoning"]["effort"]) == ("disabled", "low")
    (tool,) = here.tools or ()
    assert isinstance(tool, unirt.Tool)
    assert tool.name == "look_up"


async def test_a_key_brings_offer_and_settings_in_two_parts_as_the_vendors_client_does() -> None:
    simulator = simulated()
    asked = noted(simulator)
    async with simulator:
        async with calling(simulator, instructions="Be brief."):
            pass
        async with AsyncOpenAI(api_key="sk-x", base_url=simulator.env["OPENAI_BASE_URL"]) as client:
            with pytest.raises(BadRequestError):
                await client.realtime.calls.create(
                    sdp="v=0\r\nno offer", session={"type": "realtime"}
                )
    ours, hang_up, theirs = asked
    assert (
        (ours.method, ours.path) == (theirs.method, theirs.path) == ("POST", "/v1/realtime/calls")
    )
    here, there = parts(ours), parts(theirs)
    assert {name: type_ for name, (type_, _) in here.items()} == {
        name: type_ for name, (type_, _) in there.items()
    }
    assert here["sdp"][1].startswith("v=0")
    assert '"Be brief."' in here["session"][1]
    assert hang_up.path.endswith("/hangup")


async def test_frames_go_over_the_channel_of_the_name_that_the_provider_gives_it() -> None:
    async with simulated() as simulator, calling(simulator):
        (call,) = simulator.calls.values()
        channel = call._peer._channel
        assert channel is not None
        assert channel.label == "oai-events"
        assert channel.ordered
        assert channel.maxRetransmits is None


async def test_a_secret_brings_the_offer_alone() -> None:
    simulator = simulated()
    asked = noted(simulator)
    async with simulator:
        secret = await unirt.client_secret("openai", environ=simulator.env, env_file=None)
        async with calling(simulator, api_key=secret.value):
            pass
    _, call, _ = asked
    assert call.headers["content-type"] == "application/sdp"
    assert call.body.startswith(b"v=0")
    assert call.headers["authorization"] == f"Bearer {secret.value}"


async def test_who_closes_hangs_up_and_who_was_hung_up_on_does_not() -> None:
    simulator = simulated()
    asked = noted(simulator)
    async with simulator:
        async with calling(simulator) as reader:
            call_id = reader.session.call_id
        assert [request.path for request in asked] == [
            "/v1/realtime/calls",
            f"/v1/realtime/calls/{call_id}/hangup",
        ]
        assert asked[1].headers["authorization"].startswith("Bearer ")
        asked.clear()
        async with calling(simulator) as reader:
            next(iter(simulator.calls.values())).hang_up()
            await reader.done()
        assert [request.path for request in asked] == ["/v1/realtime/calls"]
    assert await idle() == set()


async def test_a_variable_makes_it_a_call_as_the_argument_does() -> None:
    async with simulated() as simulator:
        environ = {**simulator.env, "UNIRT_TRANSPORT": "webrtc"}
        async with unirt.connect("openai", environ=environ, env_file=None) as session:
            assert session.call_id == next(iter(simulator.calls))
        environ["UNIRT_TRANSPORT"] = "websocket"
        async with unirt.connect("openai", environ=environ, env_file=None) as session:
            assert session.call_id is None
