"""
One spoken question, read at once in both views: control as a dashboard, content as a transcript.

Running, with a provider and its key in the environment:

    python examples/both_views/both_views.py examples/audio/go_forward.wav
"""

from __future__ import annotations

import asyncio
import sys
import wave

import unirt


async def speak(session: unirt.Session, path: str) -> None:
    """Send a 16-bit WAV file in pieces of 20 ms, and a second of silence behind it."""
    with wave.open(path, "rb") as file:
        format = unirt.AudioFormat(rate=file.getframerate(), channels=file.getnchannels())
        while data := file.readframes(format.rate // 50):
            await session.send_audio(data, format)
    for _ in range(50):
        await session.send_audio(bytes(format.bytes_for(20)), format)


async def dashboard(session: unirt.Session) -> None:
    """Print the control plane until the answer is done."""
    async for event in session:
        if event.plane is unirt.Plane.CONTROL:
            concluded = " (concluded)" if event.synthesised else ""
            print(f"[control] {type(event).__name__}{concluded}")
        if isinstance(event, unirt.ResponseDone):
            return


async def transcript(session: unirt.Session) -> None:
    """Print the content, stream by stream, until the answer's words are complete."""
    async for step in session.content():
        if step.step != "close" or not step.text:
            continue
        print(f"[content] {step.stream.role}: {step.text} ({step.ending})")
        if step.stream.role == "assistant":
            return


async def main(path: str) -> None:
    async with unirt.connect(instructions="Answer in one sentence.") as session:
        await asyncio.gather(speak(session, path), dashboard(session), transcript(session))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
