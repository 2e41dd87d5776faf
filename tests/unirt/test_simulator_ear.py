"""What a simulated server remembers of what it heard."""

from __future__ import annotations

from unirt.audio import PCM16_16K, PCM16_24K
from unirt.simulator.ear import HEARD_MS, Ear

SECOND = PCM16_16K.bytes_for(1_000)


def heard(seconds: int) -> Ear:
    ear = Ear()
    for n in range(seconds):
        ear.hear(bytes([n]) * SECOND, PCM16_16K)
    return ear


def test_a_turn_is_where_it_was_in_the_sound() -> None:
    ear = heard(10)
    ear.turn_ended(2_000, ago_ms=3_000)
    assert ear.turn(PCM16_16K) == bytes([5]) * SECOND + bytes([6]) * SECOND


def test_of_a_turn_that_is_longer_than_what_is_remembered_the_beginning_is_forgotten() -> None:
    ear = heard(70)
    ear.turn_ended(70_000)
    turn = ear.turn(PCM16_16K)
    assert PCM16_16K.duration_ms(len(turn)) == HEARD_MS == 60_000
    assert (turn[0], turn[-1]) == (10, 69)


def test_sound_in_another_format_begins_anew() -> None:
    ear = heard(2)
    ear.hear(bytes(PCM16_24K.bytes_for(500)), PCM16_24K)
    ear.turn_ended(2_000)
    assert PCM16_24K.duration_ms(len(ear.turn(PCM16_24K))) == 500
    assert Ear().turn(PCM16_16K) == b""
