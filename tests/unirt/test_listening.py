"""Listening: a session takes what a source has, and lets go of it when it is over."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

import unirt
from unirt.audio import AudioFormat
from unirt.session import Source
from unirt.sound import MemorySource

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


class Talker:
    """A source that says what a test gives it."""

    def __init__(self, format: AudioFormat = unirt.PCM16_16K) -> None:
        self.format = format
        self.words: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.closed = asyncio.Event()

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        try:
            while (word := await self.words.get()) is not None:
                if isinstance(word, Exception):
                    raise word
                yield word
        finally:
            self.closed.set()


async def test_what_a_source_has_is_sent_to_its_end(session: unirt.Session, toy: Toy) -> None:
    talker = Talker()
    assert isinstance(talker, Source)
    listening = asyncio.create_task(session.listen(talker))
    for word in (b"ab", b"cdef", None):
        talker.words.put_nowait(word)
    await listening

    assert await toy.heard() == {"do": "audio", "data": b"ab".hex()}
    assert await toy.heard() == {"do": "audio", "data": b"cdef".hex()}
    assert talker.closed.is_set()
    assert not session.closed


async def test_the_last_samples_of_another_rate_are_sent_too(
    session: unirt.Session, toy: Toy
) -> None:
    sound = AudioFormat(rate=48_000)
    await session.listen(MemorySource(bytes(96 * 100), sound, realtime=False))
    await session.send_text("that was all")

    sent = 0
    while (heard := await toy.heard())["do"] == "audio":
        sent += len(bytes.fromhex(heard["data"]))
    assert sent == 32 * 100


async def test_it_ends_with_the_session_though_the_source_says_nothing(
    session: unirt.Session,
) -> None:
    talker = Talker()
    listening = asyncio.create_task(session.listen(talker))
    await asyncio.sleep(0)
    await session.close()
    await listening

    assert talker.closed.is_set() or not talker.words.qsize()


async def test_it_ends_with_a_lost_connection_and_leaves_the_news_to_the_reader(
    session: unirt.Session, toy: Toy
) -> None:
    talker = Talker()
    listening = asyncio.create_task(session.listen(talker))
    talker.words.put_nowait(b"ab")
    await toy.heard()
    await toy.there.close(1011, "gone")
    await listening

    assert talker.closed.is_set()
    with pytest.raises(unirt.ConnectionLost):
        async for _ in session:
            pass


async def test_what_goes_wrong_with_the_source_is_raised_and_the_session_goes_on(
    session: unirt.Session, toy: Toy
) -> None:
    talker = Talker()
    talker.words.put_nowait(unirt.DeviceLost("a microphone", "unplugged"))
    with pytest.raises(unirt.DeviceLost, match="unplugged"):
        await session.listen(talker)
    wrong = Talker()
    wrong.words.put_nowait(b"odd")
    with pytest.raises(unirt.AudioFormatError):
        await session.listen(wrong)
    assert wrong.closed.is_set()

    await session.send_text("still here")
    assert (await toy.heard())["text"] == "still here"


async def test_it_can_be_cancelled(session: unirt.Session) -> None:
    talker = Talker()
    talker.words.put_nowait(b"ab")
    listening = asyncio.create_task(session.listen(talker))
    while talker.words.qsize():
        await asyncio.sleep(0)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening

    assert talker.closed.is_set()
    assert not session.closed


async def test_a_session_that_is_over_listens_to_nobody(session: unirt.Session) -> None:
    await session.close()
    with pytest.raises(unirt.SessionClosedError, match="listen"):
        await session.listen(Talker())
