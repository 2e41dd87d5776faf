"""A page in a real Chromium talks to a relay, and the relay to whatever it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import ClassVar, Self

import httpx2
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from examples.browser_relay import server as relay
from tests.browser import binary, browser
from tests.calling import idle
from tests.example_server import example_server
from tests.fake_microphone import flags, question
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.scenario import Cue, Pace, Reply, Say, Scenario
from unirt.sound import Caller

EXAMPLE = Path(__file__).parent.parent / "examples" / "browser_relay"
SCENARIO = Scenario(
    name="relayed",
    replies=(Reply(cue=Cue.SPEECH, steps=(Say(text="I hear you well.", ms=1_200),)),),
    pace=Pace(speed=8.0, latency_ms=1.0),
)

LOUD = """
new Promise((done) => {
  const look = async () => {
    for (const one of (await peer.getStats()).values())
      if (one.type === "inbound-rtp" && one.totalAudioEnergy > 0.001) done(one.totalAudioEnergy);
    setTimeout(look, 20);
  };
  look();
})
"""
"How loud the page has heard somebody, once it has."


def visit(url: str, spoken: Path) -> tuple[str, float, list[str]]:
    """Call from a page; returns what was answered, how loud, and what went wrong."""
    with browser(*flags(spoken)) as running:
        tab = running.tab()
        tab.open(url)
        tab.js("document.getElementById('call').click()")
        tab.wait("document.querySelector('#said .assistant')")
        loud = tab.js(LOUD)
        text = tab.js("document.querySelector('#said .assistant').textContent")
        tab.js("peer.close()")
        return text, loud, tab.troubles


class Known(Caller):
    """A caller of whom a test sees what became."""

    all: ClassVar[list[Caller]] = []

    async def __aenter__(self) -> Self:
        self.all.append(self)
        return await super().__aenter__()


async def offered() -> str:
    """What a page offers that speaks and has words."""
    async with contextlib.AsyncExitStack() as stack:
        page = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        stack.push_async_callback(page.close)
        page.addTransceiver("audio")
        page.createDataChannel("words")
        await page.setLocalDescription(await page.createOffer())
        return str(page.localDescription.sdp)


@pytest.mark.parametrize(
    ("address", "offer", "status", "why"),
    [
        ("127.0.0.1", "this is no SDP", 400, "the call cannot be answered"),
        ("192.0.2.7", None, 500, "no socket can be had at 192.0.2.7"),
    ],
)
async def test_a_call_that_cannot_be_taken_is_told_to_the_page(
    address: str, offer: str | None, status: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "Caller", Known)
    monkeypatch.setattr(Known, "all", [])
    answering = relay.Relay((address,))
    async with (
        await asyncio.start_server(answering.request, "127.0.0.1", 0) as server,
        httpx2.AsyncClient() as client,
    ):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/call"
        answer = await client.post(url, content=offer or await offered())
    assert (answer.status_code, why in answer.text) == (status, True)
    assert [caller.ended for caller in Known.all] == ["hung up here"]
    assert await idle() == set()


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("provider", "transport"), [("openai", "webrtc"), ("google", "websocket")], ids=str
)
async def test_a_page_talks_to_a_provider_through_a_relay(
    provider: str, transport: str, tmp_path: Path
) -> None:
    binary()
    async with Simulator(load(provider), SCENARIO) as simulator:
        environ = {
            **simulator.env,
            "UNIRT_PROVIDER": provider,
            "UNIRT_TRANSPORT": transport,
        }
        async with example_server(EXAMPLE, "127.0.0.1", cwd=tmp_path, environ=environ) as server:
            spoken = question(tmp_path / "question.wav")
            text, loud, troubles = await asyncio.to_thread(visit, server.url, spoken)
            assert text == "I hear you well."
            assert loud > 0.001
            assert [trouble for trouble in troubles if "favicon" not in trouble] == []
            printed = await server.printed_until("is over")
            scheme = "http" if transport == "webrtc" else "ws"
            assert printed[0] == f"a call to {provider}, by {scheme}"
            assert "assistant: I hear you well." in printed
            assert printed[-1] == "the call is over: the peer hung up"
        line = simulator.connections[-1]
    assert (line.loudspeaker is not None) == (transport == "webrtc")
    assert line.totals.audio_ms_received > 2_000
