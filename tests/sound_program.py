"""
A program that speaks and listens through real devices, and prints what became of a tone.

It holds two cables (``tests/cable.py``) at both ends. Into one it says the tone, as a user would;
a session hears it there, and a simulator of the provider says it again; the session plays that into
the other cable, at whose end it is judged.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import attrs

import unirt
from tests.tones import judge, tone
from unirt.events import AudioDelta, Origin, Stream, StreamKind
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import loads
from unirt.sound import Microphone, Speaker, devices

SECONDS = 1.0
ECHO = loads(
    """
    [[reply]]
    cue = "speech"
    steps = [{ say = "You said:", echo = true }]
    """
)
STREAM = Stream(id="s", kind=StreamKind.AUDIO, item_id="i", index=0, response_id="r", turn_id="t")


async def main(provider: str) -> None:
    settings: dict[str, Any] = {"block_ms": 40.0, "latency": 0.2}
    user = Speaker("voice", rate=48_000, **settings)
    ear = Microphone("ear_end", rate=48_000, most_ms=10_000, **settings)
    microphone = Microphone("voice_end", most_ms=10_000, **settings)
    speaker = Speaker("ear", **settings)
    heard = bytearray()
    more = asyncio.Event()

    async def hear() -> None:
        async for piece in ear:
            heard.extend(piece)
            more.set()

    async with (
        Simulator(load(provider), ECHO) as simulator,
        unirt.connect(provider, environ=simulator.env, env_file=None) as session,
        user.open(lambda ms: None),
    ):
        events = aiter(session)  # before the player's view, so that nothing is missed
        tasks = [
            asyncio.create_task(hear()),
            asyncio.create_task(session.listen(microphone)),
            asyncio.create_task(session.playback.play(speaker)),
        ]
        await more.wait()
        user.play(
            AudioDelta(
                origin=Origin(provider="user"),
                stream=STREAM,
                data=tone(user.format, SECONDS),
                format=user.format,
            )
        )
        async for event in events:
            if isinstance(event, unirt.ResponseDone):
                break
        await session.playback.finished()
        (response,) = session.playback.responses
        # What was played is in the cable, and comes out within its latency.
        size = len(heard) + ear.format.bytes_for(1_000)
        while len(heard) < size:
            more.clear()
            await more.wait()
        tasks[0].cancel()
        await session.close()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(
        json.dumps(
            {
                "devices": [device.name for device in devices()],
                "heard": attrs.asdict(judge(heard, ear.format)),
                "formats": [str(each.format) for each in (user, microphone, speaker, ear)],
                "received_ms": response.received_ms,
                "played_ms": response.played_ms,
                "exactly": response.exactly,
                "troubles": [user.underflows, speaker.underflows, ear.overflows, ear.dropped_ms],
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
