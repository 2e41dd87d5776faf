"""The session's own ears: what they keep, what they send, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from unirt.audio import PCM16_16K, PCM16_24K, AudioFormat, Encoding
from unirt.commands import Command, CommitInput, EndTurn, StartTurn, UpdateSession
from unirt.config import LocalVAD, Manual, SessionConfig
from unirt.errors import UsageError
from unirt.session.ears import Ears, check_turns

NATIVE = AudioFormat(rate=16_000, encoding=Encoding.FLOAT32)
"What the detector listens to: nothing is resampled, and every position is exact."
SETTINGS = LocalVAD(prefix_padding_ms=64, silence_ms=96, min_speech_ms=64)


class Bench:
    """Ears on a bench: made-up scores go in, what would be sent comes out."""

    def __init__(self, scores: list[float], settings: LocalVAD = SETTINGS) -> None:
        self.sent: list[Command | bytes] = []
        self.refuse: Exception | None = None
        self._scores: Iterator[float] = iter(scores)
        self._windows = len(scores)
        self.ears = Ears(
            settings,
            lambda _: next(self._scores),
            say=self._say,
            hand_on=lambda data, format: self.sent.append(data),
        )

    async def _say(self, command: Command) -> None:
        assert command is self.ears.own
        check_turns(self.ears, command)
        await asyncio.sleep(0)  # as where the network is congested
        if self.refuse is not None:
            raise self.refuse
        self.sent.append(command)

    async def hear(self, windows: int = 1, start: int = 0) -> None:
        """Hear so many windows, each of which says which it is."""
        for number in range(start, start + windows):
            await self.ears.hear(window(number), NATIVE)


def window(number: int) -> bytes:
    return bytes([number % 256]) * NATIVE.bytes_for(32)


def joined(sent: list[Command | bytes]) -> bytes:
    return b"".join(piece for piece in sent if isinstance(piece, bytes))


async def test_a_turn_is_what_was_before_it_the_speech_and_the_silence_behind_it() -> None:
    bench = Bench([0.0] * 5 + [0.9] * 4 + [0.0] * 6)
    await bench.hear(15)
    start, end = (each for each in bench.sent if not isinstance(each, bytes))
    assert start == StartTurn(audio_ms=3 * 32)
    assert end == EndTurn(audio_ms=12 * 32)
    assert (bench.sent[0], bench.sent[-1]) == (start, end)
    assert joined(bench.sent) == b"".join(map(window, range(3, 12)))


async def test_nothing_is_sent_while_nobody_speaks_and_little_is_kept() -> None:
    bench = Bench([0.0] * 200 + [0.9] * 2)
    await bench.hear(200)
    assert bench.sent == []
    await bench.hear(2, start=200)
    assert joined(bench.sent) == b"".join(map(window, range(198, 202)))


async def test_no_more_is_kept_than_a_turn_can_begin_with() -> None:
    bench = Bench([0.0] * 2_000)
    await bench.hear(100)
    kept = bench.ears.kept_ms
    assert 64 + 64 < kept < 500
    await bench.hear(1_000)
    assert bench.ears.kept_ms == kept


async def test_turns_that_follow_closely_share_nothing() -> None:
    bench = Bench([0.9] * 2 + [0.0] * 3 + [0.9] * 2 + [0.0] * 3)
    await bench.hear(10)
    assert joined(bench.sent) == b"".join(map(window, range(10)))
    kinds = [type(each).__name__ for each in bench.sent]
    assert kinds.count("StartTurn") == kinds.count("EndTurn") == 2


async def test_whoever_sends_a_piece_is_heard_to_its_end() -> None:
    bench = Bench([0.0] * 4 + [0.9] * 4)
    silence, speech = (b"".join(map(window, range(n, n + 4))) for n in (0, 4))
    await asyncio.gather(bench.ears.hear(silence, NATIVE), bench.ears.hear(speech, NATIVE))
    assert joined(bench.sent) == b"".join(map(window, range(2, 8)))


async def test_what_is_heard_in_one_format_may_go_on_in_another() -> None:
    bench = Bench([0.0] * 10 + [0.9] * 100)
    await bench.ears.hear(bytes(PCM16_24K.bytes_for(320)), PCM16_24K)
    assert bench.sent == []
    await bench.ears.hear(bytes([1]) * PCM16_16K.bytes_for(960), PCM16_16K)
    start, *sound = bench.sent
    assert isinstance(start, StartTurn)
    assert start.audio_ms == pytest.approx(320 - 64, abs=40)
    heard = joined(list(sound))
    assert heard.endswith(bytes([1]) * PCM16_16K.bytes_for(960))
    assert 0 < heard.count(0) <= PCM16_24K.bytes_for(64 + 40)


async def test_a_turn_that_is_refused_is_told_to_whoever_sends() -> None:
    bench = Bench([0.9] * 4)
    bench.refuse = UsageError("not now", where="StartTurn", remedy="wait")
    with pytest.raises(UsageError, match="not now"):
        await bench.hear(2)
    assert bench.sent == []
    assert bench.ears.own is None


def test_only_the_ears_mark_turns() -> None:
    ears = Bench([]).ears
    for command in (StartTurn(), EndTurn(), CommitInput(), StartTurn(audio_ms=1.0)):
        with pytest.raises(UsageError, match="by itself"):
            check_turns(ears, command)
        check_turns(None, command)


def test_who_marks_turns_does_not_change() -> None:
    to_local = UpdateSession(changes=SessionConfig(turn_detection=LocalVAD()))
    to_manual = UpdateSession(changes=SessionConfig(turn_detection=Manual()))
    for ears, command in ((None, to_local), (Bench([]).ears, to_manual)):
        with pytest.raises(UsageError, match="when it is opened"):
            check_turns(ears, command)
    check_turns(None, to_manual)
    check_turns(Bench([]).ears, UpdateSession(changes=SessionConfig(voice="x")))
