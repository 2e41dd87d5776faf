"""Field 8, over real sockets: the microphone is open while a tool runs, and nothing breaks."""

from __future__ import annotations

import asyncio

import pytest

import unirt
from unirt.registry import load
from unirt.session import Stats
from unirt.simulator import Simulator, loads
from unirt_google.gate import Gate

OLDER = "gemini-2.5-flash-native-audio-preview-12-2025"
PREVIEW = "gemini-3.1-flash-live-preview"
ASKS = loads("""
[pace]
latency_ms = 0
speed = 1000
[[reply]]
cue = "text"
steps = [{ call = "look_up" }]
[[reply]]
cue = "tool_result"
steps = [{ say = "Here it is." }]
""")
ROOM = bytes(unirt.PCM16_16K.bytes_for(3_000))
"Three seconds in which nobody speaks: nothing that interrupts."


class Beside:
    """Three seconds of microphone while a tool runs."""

    def __init__(self) -> None:
        self.events: list[unirt.Event] = []
        self.heard_ms = 0.0
        "How much of it the server heard."
        self.stats: Stats | None = None

    async def run(self, provider: str, model: str | None) -> None:
        called, sent = asyncio.Event(), asyncio.Event()

        async def look_up() -> str:
            """Look it up."""
            called.set()
            await sent.wait()
            return "found"

        async with (
            Simulator(load(provider), ASKS, model=model) as simulator,
            unirt.connect(
                provider,
                model,
                tools=[look_up],
                audio_in=unirt.PCM16_16K,
                environ=simulator.env,
                env_file=None,
                reconnect=False,
                observers=[self.events.extend],
            ) as session,
        ):
            await session.send_text("look it up")
            await called.wait()
            for start in range(0, len(ROOM), 640):
                await session.send_audio(ROOM[start : start + 640])
            await simulator.settled()
            sent.set()
            async for event in session:
                if isinstance(event, unirt.StreamClosed) and event.text == "Here it is.":
                    break
            self.stats = session.stats
            self.heard_ms = simulator.connections[-1].totals.audio_ms_received


def dropped(events: list[unirt.Event]) -> list[float]:
    return [event.dropped_ms for event in events if isinstance(event, unirt.InputResumed)]


async def test_the_session_lives_on_and_tells_what_was_not_heard() -> None:
    beside = Beside()
    await beside.run("google", OLDER)
    assert dropped(beside.events) == [3_000.0]
    assert sum(isinstance(event, unirt.InputPaused) for event in beside.events) == 1
    assert beside.stats is not None
    assert beside.stats.input_dropped_ms == 3_000.0
    assert beside.heard_ms == 0.0


async def test_without_the_gate_the_server_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "closed", False)
    with pytest.raises((unirt.ConnectionLost, unirt.SessionClosedError)):
        await Beside().run("google", OLDER)


@pytest.mark.parametrize(
    ("provider", "model"), [("google", None), ("google", PREVIEW), ("openai", None)]
)
async def test_other_models_hear_it_all(provider: str, model: str | None) -> None:
    beside = Beside()
    await beside.run(provider, model)
    assert not dropped(beside.events)
    assert beside.stats is not None
    assert beside.stats.input_dropped_ms == 0.0
    assert beside.heard_ms == pytest.approx(3_000, abs=100)
