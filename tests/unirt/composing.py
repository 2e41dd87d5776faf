"""A composer that has heard a little, and what it told."""

from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.composer import Composer, Response

__all__ = ["TENTH", "kinds", "speak"]

TENTH = b"\x01\x00" * 2_400  # 100 ms


def kinds(events: list[ev.Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def speak(composer: Composer, seconds: float = 0.1) -> Response:
    response = composer.response_started("r1")
    for _ in range(round(seconds * 10)):
        composer.audio(response, "i1", 0, TENTH, PCM16_24K)
    return response
