"""Guards: a loudspeaker does not interrupt itself, and a voice does."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from tests.tones import tone
from unirt.audio import G711_ALAW, PCM16_16K, AudioFormat
from unirt.sound import EchoGuard, HalfDuplex
from unirt.sound.level import QUIET, Level


class Loudspeaker:
    """Plays what a test says."""

    def __init__(self) -> None:
        self.rms_db: float | None = None

    @property
    def sounding(self) -> bool:
        return self.rms_db is not None

    @property
    def level(self) -> Level:
        return QUIET if self.rms_db is None else Level(self.rms_db, self.rms_db + 3)


class Room:
    """A microphone, and what it hears: a loudness, and how loud the speaker is meanwhile."""

    def __init__(self, speaker: Loudspeaker, format: AudioFormat = PCM16_16K) -> None:
        self.format = format
        self.speaker = speaker
        self.script: Sequence[tuple[float, float | None]] = ()
        self.closed = False

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        try:
            for heard_db, played_db in self.script:
                self.speaker.rms_db = played_db
                amplitude = 2**0.5 * 10 ** (heard_db / 20)
                yield tone(self.format, 0.02, amplitude=amplitude)
        finally:
            self.closed = True


async def passes(guard: HalfDuplex | EchoGuard) -> str:
    """A letter a piece: ``v`` for what got through, ``-`` for silence."""
    silence = guard.format.silence(20)
    return "".join(["-" if piece == silence else "v" async for piece in guard])


async def test_half_duplex_hears_nothing_while_something_is_played() -> None:
    room = Room(speaker := Loudspeaker())
    room.script = [(-20, None)] * 2 + [(-20, -30)] * 3 + [(-20, None)] * 5
    guard = HalfDuplex(room, speaker, tail_ms=60)

    assert await passes(guard) == "vv" + "---" + "---" + "vv"
    assert guard.held_back_ms == 120
    assert room.closed


async def test_an_echo_is_held_back() -> None:
    room = Room(speaker := Loudspeaker())
    room.script = [(-32, -20)] * 10 + [(-32, None)] * 12
    guard = EchoGuard(room, speaker, loss_db=10, tail_ms=200)

    assert await passes(guard) == "-" * 10 + "-" * 9 + "v" * 3


async def test_a_voice_over_it_gets_through_and_its_soft_places_too() -> None:
    room = Room(speaker := Loudspeaker())
    room.script = [(-40, -20)] * 3 + [(-15, -20), (-40, -20), (-40, -20)] + [(-40, -20)] * 3
    guard = EchoGuard(room, speaker, loss_db=10, hold_ms=60)

    assert await passes(guard) == "---" + "vvv" + "---"
    assert guard.held_back_ms == 120


async def test_a_pause_in_what_is_played_is_no_gap() -> None:
    room = Room(speaker := Loudspeaker())
    room.script = [(-32, -20)] + [(-32, -60)] * 3 + [(-25, -20)]
    guard = EchoGuard(room, speaker, loss_db=10)

    assert await passes(guard) == "----v"


@pytest.mark.parametrize("guard", [HalfDuplex, EchoGuard])
async def test_a_guard_is_a_source_of_the_same_format(
    guard: type[HalfDuplex] | type[EchoGuard],
) -> None:
    room = Room(speaker := Loudspeaker(), G711_ALAW)
    room.script = [(-40, -20)]
    pieces = [piece async for piece in guard(room, speaker)]

    assert guard(room, speaker).format == G711_ALAW
    assert pieces == [b"\xd5" * 160]
