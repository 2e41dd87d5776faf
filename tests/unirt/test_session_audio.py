"""Audio into a session and out of it, in whatever format."""

from typing import Any

import numpy as np
import pytest

import unirt
from tests.unirt.reading import kept, names
from unirt import AudioFormat, Encoding
from unirt.testing import check

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


# In.


async def test_audio_in_the_providers_format_goes_untouched(
    session: unirt.Session, toy: Toy
) -> None:
    data = bytes(range(256)) * 2
    for form in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.int16)):
        await session.send_audio(form)
        assert bytes.fromhex((await toy.heard())["data"]) == data


async def test_audio_of_another_format_is_converted_and_flushed_at_the_end_of_the_turn(
    session: unirt.Session, toy: Toy
) -> None:
    stereo = AudioFormat(rate=48_000, channels=2, encoding=Encoding.FLOAT32)
    for _ in range(50):
        await session.send_audio(np.zeros((960, 2), np.float32), stereo)
    await session.end_turn()

    frames = 0
    while (frame := await toy.heard())["do"] == "audio":
        frames += len(bytes.fromhex(frame["data"])) // 2
    assert frame["do"] == "EndTurn"
    assert frames == 16_000  # a second, to the sample


async def test_the_format_of_audio_in_is_said_once_for_all(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(audio_in=AudioFormat(rate=8_000, encoding="ulaw")) as session:
        await session.send_audio(b"\xff" * 800)
        await session.commit()
        assert (await toy.heard())["do"] == "hello"
        sizes = []
        while (frame := await toy.heard())["do"] == "audio":
            sizes.append(len(frame["data"]) // 2)
        assert sum(sizes) == 3_200


async def test_cleared_audio_is_not_flushed_later(session: unirt.Session, toy: Toy) -> None:
    await session.send_audio(bytes(960), AudioFormat(rate=24_000))
    await session.clear_input()
    await session.end_turn()

    heard = [(await toy.heard())["do"]]
    while heard[-1] != "EndTurn":
        heard.append((await toy.heard())["do"])
    assert heard in (["ClearInput", "EndTurn"], ["audio", "ClearInput", "EndTurn"])


async def test_a_whole_file_goes_in_pieces_of_a_second(session: unirt.Session, toy: Toy) -> None:
    data = np.arange(16_000 * 3 // 2, dtype=np.int16)
    await session.send_audio(data)

    pieces = [bytes.fromhex((await toy.heard())["data"]) for _ in range(2)]
    assert [len(piece) for piece in pieces] == [32_000, 16_000]
    assert b"".join(pieces) == data.tobytes()


@pytest.mark.parametrize(
    ("data", "format", "said"),
    [
        (b"odd", None, "3 bytes are not a whole number of 2-byte"),
        (b"123456", AudioFormat(channels=2), "6 bytes"),
        ("text", None, "a str is no audio"),
        (b"12", "pcm", "'pcm' is no format"),
        (np.zeros(4, np.int32), None, "int32"),
        (np.zeros((2, 2, 2), np.int16), None, "shape"),
        (np.zeros(4, np.float32), AudioFormat(rate=16_000), "pcm16"),
    ],
    ids=str,
)
async def test_audio_that_is_not_what_it_says_is_refused(
    data: Any, format: AudioFormat | None, said: str, session: unirt.Session
) -> None:
    with pytest.raises(unirt.AudioFormatError, match=said):
        await session.send_audio(data, format)
    assert session.stats.frames_out <= 1  # the greeting


async def test_no_audio_is_no_frame(session: unirt.Session, toy: Toy) -> None:
    await session.send_audio(b"")
    await session.send_raw({"do": "next"})

    assert (await toy.heard())["do"] == "next"


# Out.


async def test_audio_out_comes_in_the_format_asked_for(toy: Toy) -> None:
    await toy.greet()
    wanted = AudioFormat(rate=8_000, encoding=Encoding.ULAW)
    async with toy.connecting(audio_out=wanted) as session:
        for _ in range(10):
            await toy.say("audio", response="r", size=4_800)
        await toy.say("done", response="r")
        await toy.there.close(1000)
        events = await kept(session)

    check(events, complete=True)
    deltas = [event for event in events if isinstance(event, unirt.AudioDelta)]
    assert {delta.format for delta in deltas} == {wanted}
    assert sum(delta.duration_ms for delta in deltas) == 1000
    assert all(delta.raw["is"] == "audio" for delta in deltas[:10])
    assert [delta.synthesised for delta in deltas] == [False] * 10 + [True]


async def test_the_tail_of_interrupted_audio_is_silent(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(audio_out=AudioFormat(rate=48_000)) as session:
        await toy.say("audio", response="r", size=4_800)
        await toy.say("interrupt")
        await toy.say("done", response="r")
        await toy.there.close(1000)
        events = await kept(session)

    check(events, complete=True)
    assert names(events).count("AudioDelta") == 1
