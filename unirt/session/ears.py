"""
The session's own ears: turns that it marks by itself, by what it hears in the user's audio.

What the application sends is listened to on its way. While nobody speaks it is kept back, a moment
of it; when speech starts, the turn starts with what was kept, and the audio of the turn follows as
it comes; when speech has been over for long enough the turn ends and is answered. To the provider
these are manual turns, so this works wherever those do, and nothing is sent between them.

Detection is done where audio is sent, window by window, and between two windows everything else has
its turn. Nothing of it touches the way of the model's audio.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import attrs

from unirt.audio import AudioFormat
from unirt.commands import ClearInput, Command, CommitInput, EndTurn, StartTurn, UpdateSession
from unirt.config import LocalVAD, SessionConfig
from unirt.errors import UsageError
from unirt.session.local_vad import DEFAULTS, WINDOW_MS, Change, Score, VoiceActivity

__all__ = ["Ears", "check_turns", "ears_of"]

_LATENCY_MS = 6 * WINDOW_MS
"How far detection is behind what it is about, at most: a piece, its window, two resamplers."


class Ears:
    """
    The ears of one session.

    Args:
        settings: What is asked for; the rest is :data:`unirt.session.local_vad.DEFAULTS`.
        score: The detector.
        say: Says a command to the provider.
        hand_on: Sends it audio.
    """

    def __init__(
        self,
        settings: LocalVAD,
        score: Score,
        *,
        say: Callable[[Command], Awaitable[None]],
        hand_on: Callable[[bytes, AudioFormat], None],
    ) -> None:
        given = attrs.asdict(settings, recurse=False, filter=lambda _, value: value is not None)
        full = attrs.evolve(DEFAULTS, **given)
        self._most_ms = (full.prefix_padding_ms or 0) + (full.min_speech_ms or 0) + _LATENCY_MS
        self._activity = VoiceActivity(full, score)
        self._say = say
        self._hand_on = hand_on
        self._before: deque[_Piece] = deque()
        "What may become the beginning of the next turn."
        self._heard_ms = 0.0
        self._speaking = False
        self._lock = asyncio.Lock()
        "Whoever sends, one piece of audio is heard to its end before the next."
        self.own: Command | None = None
        "What is being said from here."

    @property
    def kept_ms(self) -> float:
        """How much is kept, in ms."""
        return sum(piece.ms for piece in self._before)

    async def hear(self, data: bytes, format: AudioFormat) -> None:
        """Take the next piece of audio, and send of it what is part of a turn."""
        size = format.bytes_for(WINDOW_MS)
        async with self._lock:
            for start in range(0, len(data), size):
                await self._hear(data[start : start + size], format)
                if start:
                    await asyncio.sleep(0)

    async def _hear(self, data: bytes, format: AudioFormat) -> None:
        if self._speaking:
            self._hand_on(data, format)
        else:
            self._before.append(_Piece(data, format, self._heard_ms))
        self._heard_ms += format.duration_ms(len(data))
        while self._before and self._before[0].starts_at_ms < self._heard_ms - self._most_ms:
            self._before.popleft()
        for activity in self._activity.feed(data, format):
            if activity.change is Change.STARTED:
                await self._tell(StartTurn(audio_ms=activity.audio_ms))
                self._speaking = True
                self._catch_up(activity.audio_ms)
            else:
                self._speaking = False
                await self._tell(EndTurn(audio_ms=activity.audio_ms))

    def _catch_up(self, since_ms: float) -> None:
        """Send what was kept since then."""
        for piece in self._before:
            skipped = piece.format.bytes_for(max(0.0, since_ms - piece.starts_at_ms))
            if data := piece.data[skipped:]:
                self._hand_on(data, piece.format)
        self._before.clear()

    async def _tell(self, command: Command) -> None:
        self.own = command
        try:
            await self._say(command)
        finally:
            self.own = None


@attrs.frozen
class _Piece:
    """Audio, and where in all that was heard it is."""

    data: bytes
    format: AudioFormat
    starts_at_ms: float

    @property
    def ms(self) -> float:
        return self.format.duration_ms(len(self.data))


def ears_of(
    config: SessionConfig,
    score: Score | None,
    say: Callable[[Command], Awaitable[None]],
    hand_on: Callable[[bytes, AudioFormat], None],
) -> Ears | None:
    """The ears that a session needs; ``None`` where it detects no turns by itself."""
    detection = config.turn_detection
    if score is None or not isinstance(detection, LocalVAD):
        return None
    return Ears(detection, score, say=say, hand_on=hand_on)


def check_turns(ears: Ears | None, command: Command) -> None:
    """
    Refuse what would mark turns beside the session, or change who does.

    Raises:
        UsageError: It would.
    """
    if isinstance(command, UpdateSession):
        detection = command.changes.turn_detection
        if detection is not None and (ears is not None or isinstance(detection, LocalVAD)):
            raise UsageError(
                "whether the session detects turns is decided when it is opened",
                where="update(turn_detection=)",
                remedy="open another session",
            )
    elif (
        ears is not None
        and command is not ears.own
        and isinstance(command, StartTurn | EndTurn | CommitInput | ClearInput)
    ):
        raise UsageError(
            "the session detects turns by itself",
            where=type(command).__name__,
            remedy="send all audio, silence included; or use Manual() to mark turns",
        )
