"""A conversation with the simulated model alone: no protocol, no socket, and a clock of its own."""

from __future__ import annotations

from typing import Any

from unirt import (
    PCM16_24K,
    AppendAudio,
    Command,
    Event,
    SessionConfig,
    SessionStarted,
    Transcription,
)
from unirt.events import Origin
from unirt.simulator.brain import Brain
from unirt.simulator.scenario import Cue, Pace, Reply, Say, Scenario
from unirt.simulator.voice import silence, speech
from unirt.testing import check
from unirt.translator import Frame, Heard, Upgrade, Verdict
from unirt.usage import Tokens, Usage

__all__ = ["TRANSCRIBED", "Talk", "long_reply"]

TRANSCRIBED = SessionConfig(input_transcription=Transcription())


class Ear:
    """A server side without a protocol: it keeps what it is told."""

    ready = True

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.told: list[tuple[float, Event]] = []

    def upgrade(self, request: Upgrade) -> Verdict:
        return Verdict()

    def start(self, now: float) -> None:
        pass

    def receive(self, frame: Frame, now: float) -> None:
        pass

    def send(self, event: Event, now: float) -> None:
        self.told.append((now, event))

    def heard(self) -> list[Heard]:
        return []

    def frames_to_send(self) -> list[Frame]:
        return []

    def close_wanted(self) -> tuple[int, str] | None:
        return None


class Talk:
    """One conversation with a brain, on a clock of its own."""

    def __init__(self, *replies: Reply, config: SessionConfig = TRANSCRIBED, **pace: Any) -> None:
        counts: dict[str, int] = {}

        def mint(noun: str) -> str:
            counts[noun] = counts.get(noun, 0) + 1
            return f"{noun}_{counts[noun]}"

        self.ear = Ear(config)
        scenario = Scenario(name="talk", replies=replies)
        pace.setdefault("latency_ms", 0)
        self.brain = Brain("toy", self.ear, scenario=scenario, mint=mint, pace=Pace(**pace))
        self.now = 0.0

    def say(self, command: Command) -> None:
        self.brain.hear(Heard(command=command, type=""), self.now)

    def speak(self, ms: float) -> None:
        """The user speaks, in real time."""
        self._append(speech(ms, PCM16_24K))

    def be_silent(self, ms: float) -> None:
        self._append(silence(ms, PCM16_24K))

    def _append(self, sound: bytes) -> None:
        for start in range(0, len(sound), 960):
            self.say(AppendAudio(data=sound[start : start + 960]))
            self.wait(0.02)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (timer := self.brain.get_timer()) is not None and timer <= end:
            self.now = timer
            self.brain.handle_timer(timer)
        self.now = end

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.ear.told]

    def of(self, *kinds: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]

    def names(self, *kinds: type[Event]) -> list[str]:
        return [type(event).__name__ for event in self.of(*kinds)]

    def check(self, complete: bool = True) -> None:
        start = SessionStarted(origin=Origin(provider="toy"))
        check([start, *self.events], complete=complete)


def long_reply(cue: Cue = Cue.TEXT) -> Reply:
    usage = Usage(input=Tokens(text=10), output=Tokens(text=20, audio=100))
    return Reply(cue=cue, steps=(Say(text="one two three four", ms=4000),), usage=usage)
