"""
One line to a simulated server: its protocol, its mind, and what went over it.

A line is the far end of one connection without the connection: frames and time go in, frames come
out. Sockets (:mod:`~unirt.simulator.host`) and couplings in memory
(:mod:`~unirt.simulator.exchange`) are drawn around it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Literal, cast

import attrs

from unirt.audio import PCM16_24K
from unirt.capabilities import Emission
from unirt.commands import AppendAudio, Command
from unirt.errors import ConfigurationError
from unirt.events import ApprovalRequested
from unirt.provider import Provider
from unirt.simulator.brain import Brain
from unirt.simulator.loudspeaker import Loudspeaker
from unirt.simulator.scenario import Pace, Scenario
from unirt.translator import CallServer, Frame, Heard, ServerTranslator

__all__ = ["Line", "Logged", "Totals", "new_server"]

_REMEMBERED = 10_000
"How many commands, and how many logged frames, a line remembers."


@attrs.frozen
class Logged:
    """One frame, and when it went which way."""

    at: float
    direction: Literal["in", "out"]
    frame: Frame


@attrs.define(kw_only=True)
class Totals:
    """What went over a line."""

    frames_received: int = 0
    frames_sent: int = 0
    audio_ms_received: float = 0.0
    commands: Counter[str] = attrs.field(factory=Counter)
    "By the name of the command's class; what was no command counts under its wire type."


def new_server(
    provider: Provider, model: str | None, ids: Callable[[str], str]
) -> ServerTranslator:
    """
    The server side of a provider.

    Raises:
        ConfigurationError: The plug-in brings none.
    """
    if provider.server is None:
        raise ConfigurationError(
            f"the provider {provider.name!r} cannot be simulated: it brings no server side",
            where="provider",
            remedy="choose another provider, or give its Provider a server=",
        )
    return provider.server(model=model, ids=ids)


class Line:
    """
    The far end of one connection.

    Args:
        provider: Whose protocol to speak.
        scenario: What to answer; ``None`` to improvise.
        model: What the server is a server of; the provider's default by default.
        pace: How fast to be; the scenario's by default.
        log: Whether to keep the frames.
        mark: A part of every id that the server mints, so that another connection has others.
    """

    def __init__(
        self,
        provider: Provider,
        scenario: Scenario | None = None,
        *,
        model: str | None = None,
        pace: Pace | None = None,
        log: bool = False,
        mark: str = "",
    ) -> None:
        self.loudspeaker: Loudspeaker | None = None
        "What plays, of a call; ``None`` where audio is in the frames."
        ids = _ids(mark)
        self.provider = provider
        self.server = new_server(provider, model or provider.default_model, ids)
        facts = provider.capabilities(model or provider.default_model)
        self.brain = Brain(
            provider.name,
            self.server,
            scenario=scenario,
            mint=ids,
            pace=pace,
            asks=facts.emission(ApprovalRequested.__name__) is not Emission.NEVER,
        )
        self.totals = Totals()
        self.heard: deque[Heard] = deque(maxlen=_REMEMBERED)
        "What the client said, the newest last."
        self.log: deque[Logged] | None = deque(maxlen=_REMEMBERED) if log else None
        self.closed: tuple[int | None, str] | None = None
        "How the connection ended; ``None`` while it is open."

    @property
    def commands(self) -> list[Command]:
        """The commands that the client gave, audio left out."""
        commands = (heard.command for heard in self.heard)
        return [c for c in commands if c is not None and not isinstance(c, AppendAudio)]

    @property
    def idle(self) -> bool:
        """Whether everything that was heard is answered, and nobody is in mid-sentence."""
        playing = self.loudspeaker is not None and self.loudspeaker.playing
        return not (self.brain.speaking or self.brain.listening or playing)

    def start(self, now: float) -> None:
        """The connection is open."""
        self.server.start(now)

    def receive(self, frame: Frame, now: float) -> None:
        """Take one client frame."""
        self.totals.frames_received += 1
        if self.log is not None:
            self.log.append(Logged(now, "in", frame))
        self.server.receive(frame, now)
        self._heed(now)

    def _heed(self, now: float) -> None:
        for heard in self.server.heard():
            self._count(heard)
            self.brain.hear(heard, now)
        if self.server.ready:
            self.brain.wake(now)

    # Of a call.

    def audio_beside(self) -> None:
        """The connection is a call: audio is heard and played beside the frames."""
        cast("CallServer", self.server).audio_beside()
        self.loudspeaker = self.brain.loudspeaker = Loudspeaker(self.server)

    def receive_audio(self, data: bytes, now: float) -> None:
        """Take the next piece of the client's audio, silence included."""
        cast("CallServer", self.server).receive_audio(data, now)
        self._heed(now)

    def play(self, size: int, now: float) -> bytes:
        """The next so many bytes of what is played, silence where that is nothing."""
        return bytes(size) if self.loudspeaker is None else self.loudspeaker.play(size, now)

    def get_timer(self) -> float | None:
        """When :meth:`handle_timer` wants to be called next."""
        return self.brain.get_timer()

    def handle_timer(self, now: float) -> None:
        """Say what is due by now."""
        self.brain.handle_timer(now)

    def frames_to_send(self, now: float) -> list[Frame]:
        """Take the frames to send, in order."""
        frames = self.server.frames_to_send()
        self.totals.frames_sent += len(frames)
        if self.log is not None:
            self.log.extend(Logged(now, "out", frame) for frame in frames)
        return frames

    def close_wanted(self) -> tuple[int, str] | None:
        """The close code and reason, where the server hangs up now."""
        if (hangup := self.brain.hangup) is not None:
            return hangup.code, hangup.reason
        return self.server.close_wanted()

    def _count(self, heard: Heard) -> None:
        self.heard.append(heard)
        command = heard.command
        name = heard.type if command is None else type(command).__name__
        self.totals.commands[name] += 1
        if isinstance(command, AppendAudio):
            format = self.server.config.input_format or PCM16_24K
            self.totals.audio_ms_received += format.duration_ms(len(command.data))


def _ids(mark: str) -> Callable[[str], str]:
    """Ids as providers write them, counted: ``resp_1``, ``item_1``, ``item_2``."""
    counts: Counter[str] = Counter()

    def mint(noun: str) -> str:
        counts[noun] += 1
        return f"{noun}_{mark}{counts[noun]}"

    return mint
