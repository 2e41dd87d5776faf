"""
A second peer, which nobody here wrote: a real Chromium calls the simulator, and speaks from a file.

The page is that of the example, served by its server, which joins the call and runs the tool.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.browser import binary, browser
from tests.calling import simulated
from tests.example_server import example_server
from tests.fake_microphone import flags, question
from unirt.simulator.scenario import Call, Cue, Pace, Reply, Say, Scenario

pytestmark = pytest.mark.long

EXAMPLE = Path(__file__).parent.parent / "examples" / "browser_call"
SCENARIO = Scenario(
    name="order",
    replies=(
        Reply(cue=Cue.SPEECH, steps=(Call(name="find_order", args={"number": 4711}),)),
        Reply(cue=Cue.TOOL_RESULT, steps=(Say(text="It comes tomorrow.", ms=900),)),
    ),
    pace=Pace(speed=8.0, latency_ms=1.0),
)


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    return question(tmp_path / "question.wav")


def visit(url: str, spoken: Path) -> tuple[str, float, list[str]]:
    """Call from a page; returns what was said, how loud the answer was, and what went wrong."""
    with browser(*flags(spoken)) as running:
        tab = running.tab()
        tab.open(url)
        tab.js("document.getElementById('call').click()")
        tab.wait("document.querySelector('#said .assistant')")
        tab.wait("document.getElementById('state').textContent === 'listening'")
        text = tab.js("document.getElementById('said').textContent")
        energy = tab.js(
            "(async () => { for (const one of (await peer.getStats()).values()) "
            "if (one.type === 'inbound-rtp') return one.totalAudioEnergy; })()"
        )
        tab.js("peer.close()")
        return text, energy, tab.troubles


@pytest.mark.timeout(120)
async def test_a_page_holds_a_turn_and_the_server_runs_its_tool(
    spoken: Path, tmp_path: Path
) -> None:
    binary()
    async with simulated(SCENARIO) as simulator:
        async with example_server(EXAMPLE, cwd=tmp_path, environ=simulator.env) as server:
            text, energy, troubles = await asyncio.to_thread(visit, server.url, spoken)
            assert text == "It comes tomorrow."
            assert energy > 0.001
            assert [trouble for trouble in troubles if "favicon" not in trouble] == []
            printed = await server.printed_until("is over")
            assert printed[:3] == [
                "joined rtc_1",
                "order 4711 is asked for",
                "the tool has answered",
            ]
            assert "assistant: It comes tomorrow." in printed
        call = next(line for line in simulator.connections if line.loudspeaker is not None)
    assert call.totals.audio_ms_received > 2_000
    assert np.isfinite(energy)
