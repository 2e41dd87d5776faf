"""
Whoever finds the turns, one that was spoken is one turn with one answer, on every provider.

What a provider does not have is refused by its name; and where it was spoken is in the history.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import unirt
from tests.pace import FAST
from tests.talking import Reader
from unirt.grammar import Checker
from unirt.provider import Provider
from unirt.simulator import Simulator
from unirt.simulator.voice import load_wav, silence

AUDIO = Path(__file__).parent.parent / "examples" / "audio"
FORMAT = unirt.PCM16_24K
SPOKEN = load_wav(AUDIO / "go_forward.wav", FORMAT) + silence(1_500, FORMAT)
KINDS = ["server_vad", "semantic_vad", "manual", "local_vad"]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_spoken_is_one_turn_whoever_finds_it(provider: Provider, kind: str) -> None:
    async with Simulator(provider, pace=FAST) as simulator:
        arguments: dict[str, Any] = {"environ": simulator.env, "env_file": None}
        connecting = unirt.connect(
            provider,
            turn_detection=kind,
            audio_in=FORMAT,
            observers=[Checker().feed_all],
            **arguments,
        )
        if (provider.name, kind) == ("google", "semantic_vad"):
            with pytest.raises(unirt.UnsupportedSetting, match=r"turn_detection\.semantic_vad"):
                await connecting.__aenter__()
            assert not simulator.connections
            return
        async with connecting as session:
            reader = Reader(session)
            if kind == "manual":
                await session.start_turn()
            await session.send_audio(SPOKEN, FORMAT)
            if kind == "manual":
                await session.end_turn()
            (done,) = await reader.many(unirt.ResponseDone)
            (said, _) = session.history
    await reader.done()

    assert len(reader.of(unirt.ResponseStarted)) == 1
    (committed,) = reader.of(unirt.InputCommitted)
    assert committed.turn_id == done.turn_id
    assert said.role is unirt.Role.USER
    (spoken,) = said.content
    assert isinstance(spoken, unirt.AudioContent)
    started, stopped = reader.of(unirt.SpeechStarted), reader.of(unirt.SpeechStopped)
    told = kind == "local_vad" or (kind != "manual" and provider.name == "openai")
    assert len(started) == len(stopped) == told
    begins = [event.audio_ms for event in started if event.audio_ms is not None]
    ends = [event.audio_ms for event in stopped if event.audio_ms is not None]
    lasts = [end - begin for begin, end in zip(begins, ends, strict=True)]
    assert len(begins) == told
    assert spoken.start_ms == (begins[0] if begins else None)
    assert spoken.duration_ms == (lasts[0] if lasts else None)
