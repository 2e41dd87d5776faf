"""
A spoken question over WebRTC, and the answer as a file.

    python examples/webrtc_client/webrtc_client.py question.wav answer.wav

Nothing in it is about WebRTC but the name of the transport: the events are the same ones.
"""

import asyncio
import sys
import wave

import unirt


async def main(question: str, answer: str) -> None:
    with wave.open(question, "rb") as file:
        format = unirt.AudioFormat(rate=file.getframerate(), channels=file.getnchannels())
        spoken = file.readframes(file.getnframes())

    heard = bytearray()
    async with unirt.connect("openai", transport="webrtc", audio_in=format) as session:
        print(f"the call is {session.call_id}")
        await session.send_audio(spoken)
        async for event in session:
            match event:
                case unirt.AudioDelta():
                    heard += event.data
                case unirt.StreamClosed(kind=unirt.StreamKind.TRANSCRIPT):
                    print(f"{event.role}: {event.text}")
                case unirt.ConnectionMeasured(condition=condition) if condition.loss:
                    print(f"{condition.loss:.0%} of the audio is lost")
                case unirt.ResponseDone():
                    break

    with wave.open(answer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(heard)
    print(f"the answer lasts {len(heard) / 48_000:.1f} s")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
