"""
A whole conversation without a socket: a client's translator and a simulated server, hand in hand.

Time is virtual and moves only when there is nothing left to do: to the next 20 ms of microphone and
loudspeaker, or to the next timer of either side. Frames take no time. So an exchange is a pure
function of its provider, its scenario and its configuration.

The application is simulated too: it does the scenario's actions when their moments come, answers
the tools' calls and the server's requests for approval, plays what it hears in real time and
reports how far it got.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import cast

import attrs

from unirt.audio import PCM16_24K
from unirt.capabilities import Capabilities
from unirt.commands import (
    AppendAudio,
    ApproveServerTool,
    Command,
    ReportPlayback,
    SendToolResult,
)
from unirt.config import Manual, SessionConfig
from unirt.errors import ConfigurationError, UnirtError
from unirt.events import ApprovalRequested, Event, ToolCall, ToolCallCancelled
from unirt.ids import counting_ids
from unirt.provider import Provider
from unirt.simulator.line import Line
from unirt.simulator.player import Player
from unirt.simulator.scenario import Action, Pace, Scenario, Silence, Speak
from unirt.simulator.voice import load_wav, silence, speech
from unirt.translator import Beside, Frame, Translator

__all__ = ["Exchange", "Said", "run"]

_TICK_US = 20_000
_PIECE = PCM16_24K.bytes_for(_TICK_US / 1000)
_JITTER_TICKS = 5
"How long audio of a call is on its way, in ticks: frames come sooner."
_SOON_S = 60.0
"A timer that is due sooner is about the conversation, and not about the session's end."
_TOOL_US = 40_000
"How long the application's tools take."
_LIMIT_US = 300 * 1_000_000
"No scenario may take longer, in virtual time."


@attrs.frozen
class Said:
    """One command of the application, and when it was given."""

    at: float
    "In seconds of virtual time."
    heard: int
    "How many frames had come by then."
    command: Command


@attrs.frozen(kw_only=True)
class Exchange:
    """What happened."""

    provider: str
    capabilities: Capabilities | None = None
    "``None`` where the configuration was refused."
    events: tuple[Event, ...] = ()
    "All the client's events, in order."
    frames: tuple[tuple[str, Frame], ...] = attrs.field(default=(), repr=False)
    "What went over the wire, in order: ``sent`` by the client, or ``received`` by it."
    times: tuple[float, ...] = attrs.field(default=(), repr=False)
    "When each frame went, in seconds of virtual time."
    said: tuple[Said, ...] = attrs.field(default=(), repr=False)
    "What the application said."
    closed: tuple[int, str] | None = None
    "The code and reason with which the server hung up, where it did."
    line: Line | None = attrs.field(default=None, repr=False)
    "The server's end, with what it heard."
    refused: UnirtError | None = None
    "The error that the configuration was refused with, where the scenario expects one."
    seconds: float = 0.0
    "How long it took, in virtual time."

    @property
    def frames_sent(self) -> tuple[Frame, ...]:
        """What the client said."""
        return tuple(frame for direction, frame in self.frames if direction == "sent")

    @property
    def frames_received(self) -> tuple[Frame, ...]:
        """What the server said."""
        return tuple(frame for direction, frame in self.frames if direction == "received")


def run(
    provider: Provider,
    scenario: Scenario,
    config: SessionConfig | None = None,
    *,
    pace: Pace | None = None,
    in_a_call: bool = False,
) -> Exchange:
    """
    Hold the scenario's conversation in a provider's protocol.

    Args:
        provider: Whose protocol to speak.
        scenario: Both sides.
        config: Settings on top of the scenario's.
        pace: How fast the server is; the scenario's by default.
        in_a_call: Whether audio goes beside the frames, as it does over WebRTC.

    Raises:
        ConfigurationError: The scenario waits for something that never happens.
        UnirtError: A setting or a command is refused, and the scenario did not expect that.
    """
    settings = scenario.session.merged(config or SessionConfig())
    try:
        translator = provider.new_translator(settings, ids=counting_ids())
        if in_a_call:
            cast("Beside", translator).audio_beside()
    except UnirtError as exc:
        if type(exc).__name__ != scenario.refused:
            raise
        return Exchange(provider=provider.name, refused=exc)
    line = Line(provider, scenario, model=settings.model, pace=pace)
    if in_a_call:
        line.audio_beside()
        return _Run(translator, line, scenario, cast("Beside", translator)).run()
    return _Run(translator, line, scenario).run()


class _Run:
    """One exchange, while it happens."""

    def __init__(
        self,
        translator: Translator,
        line: Line,
        scenario: Scenario,
        beside: Beside | None = None,
    ) -> None:
        self._translator = translator
        self._beside = beside
        "The translator's other side, in a call."
        self._leaves = bytearray()
        "Audio that waits for its moment, in a call."
        self._comes: deque[bytes] = deque(bytes(_PIECE) for _ in range(_JITTER_TICKS))
        "What the server played, on its way through the jitter buffer."
        self._line = line
        self._answers: Mapping[str, object] = scenario.answers
        self._failures = dict(scenario.failures)
        self._scenario = scenario
        self._actions = deque(scenario.actions)
        self._player = Player()
        self._reported: tuple[str, float] | None = None
        self._microphone: deque[bytes] = deque()
        self._results: deque[tuple[int, SendToolResult | ApproveServerTool]] = deque()
        self._events: list[Event] = []
        self._seen: set[str] = set()
        "The classes of the events since the last action."
        self._frames: list[tuple[str, Frame]] = []
        self._times: list[float] = []
        self._said: list[Said] = []
        self._heard = 0
        self._hangup: tuple[int, str] | None = None
        self._now_us = 0
        self._tick_us = 0
        self._closed = False
        self._format = translator.config.input_format or translator.capabilities.input_format
        manual = isinstance(translator.config.turn_detection, Manual)
        spoken = any(isinstance(action.do, Speak | Silence) for action in scenario.actions)
        self._open_microphone = spoken and not manual

    @property
    def _now(self) -> float:
        return self._now_us / 1_000_000

    def run(self) -> Exchange:
        self._translator.start(self._now)
        self._line.start(self._now)
        self._settle()
        while not self._over():
            if self._now_us > _LIMIT_US:
                raise self._stuck()
            self._act()
            self._advance()
        if not self._closed:
            self._closed = True
            self._translator.receive_close(1000, "", "local", self._now)
            self._drain()
        return Exchange(
            provider=self._line.provider.name,
            capabilities=self._translator.capabilities,
            events=tuple(self._events),
            frames=tuple(self._frames),
            times=tuple(self._times),
            said=tuple(self._said),
            closed=self._hangup,
            line=self._line,
            seconds=self._now,
        )

    # Time.

    def _advance(self) -> None:
        """Move on to the next moment at which something happens."""
        next_us = self._tick_us
        for timer in (self._line.get_timer(), self._translator.get_timer()):
            if timer is not None:
                next_us = min(next_us, _not_before(timer))
        self._now_us = max(self._now_us, next_us)
        self._play()
        if self._now_us >= self._tick_us:
            self._tick_us += _TICK_US
            self._record()
            self._carry_audio()
        self._return_results()
        self._translator.handle_timer(self._now)
        self._settle()

    def _settle(self) -> None:
        """Carry frames to and fro until nobody has anything to say."""
        while not self._closed and self._carry():
            pass

    def _carry(self) -> bool:
        line, now = self._line, self._now
        self._drain()
        outgoing = self._translator.frames_to_send()
        self._note("sent", outgoing)
        for frame in outgoing:
            line.receive(frame, now)
        line.handle_timer(now)
        incoming = line.frames_to_send(now)
        self._note("received", incoming)
        for frame in incoming:
            self._heard += 1
            self._translator.receive(frame, now)
            self._drain()
        if (wanted := line.close_wanted()) is not None:
            self._closed = True
            self._hangup = wanted
            self._translator.receive_close(*wanted, "remote", now)
            self._drain()
        return bool(outgoing or incoming)

    def _carry_audio(self) -> None:
        """Of a call: the next 20 ms, each way."""
        beside = self._beside
        if beside is None or self._closed:
            return
        for data in beside.audio_to_send():
            self._leaves += data
        piece = b"" if beside.audio_waits else bytes(self._leaves[:_PIECE])
        del self._leaves[: len(piece)]
        self._line.receive_audio(piece + bytes(_PIECE - len(piece)), self._now)
        self._comes.append(self._line.play(_PIECE, self._now))
        self._settle()
        if not self._closed:
            beside.receive_audio(self._comes.popleft(), self._now)
            self._drain()

    def _note(self, direction: str, frames: list[Frame]) -> None:
        self._frames += ((direction, frame) for frame in frames)
        self._times += [self._now] * len(frames)

    def _drain(self) -> None:
        for event in self._translator.events_received():
            self._events.append(event)
            self._seen.add(type(event).__name__)
            self._player.take(event)
            self._call_tools(event)

    # The application.

    def _act(self) -> None:
        """Do every action whose moment has come."""
        while self._actions and not self._closed and self._come(self._actions[0]):
            action = self._actions.popleft()
            self._seen.clear()
            match action.do:
                case Speak(ms=ms, wav=None):
                    self._speak(speech(ms, self._format))
                case Speak(wav=path) if path is not None:
                    self._speak(load_wav(path, self._format))
                case Silence(ms=ms):
                    self._speak(silence(ms, self._format))
                case Speak():
                    pass
                case command:
                    self._send(command)
            self._settle()

    def _come(self, action: Action) -> bool:
        if self._microphone or self._leaves or not self._translator.ready:
            return False
        if action.heard_ms is not None:
            return self._player.newest_ms >= action.heard_ms
        if action.after == "idle":
            return self._idle()
        return action.after == "now" or action.after in self._seen

    def _send(self, command: Command) -> None:
        self._said.append(Said(self._now, self._heard, command))
        self._translator.send(command, self._now)

    def _speak(self, sound: bytes) -> None:
        size = self._format.bytes_for(_TICK_US / 1000)
        quiet = silence(_TICK_US / 1000, self._format)
        for start in range(0, len(sound), size):
            piece = sound[start : start + size]
            self._microphone.append(piece + quiet[len(piece) :])

    def _record(self) -> None:
        """Send the next 20 ms of the microphone."""
        if self._closed or not self._translator.ready:
            return
        if self._microphone:
            self._send(AppendAudio(data=self._microphone.popleft()))
        elif self._open_microphone:
            self._send(AppendAudio(data=silence(_TICK_US / 1000, self._format)))

    def _play(self) -> None:
        self._player.advance(self._now_us)
        position = self._player.position
        if self._closed or position is None or position == self._reported:
            return
        self._reported = position
        self._send(ReportPlayback(response_id=position[0], played_ms=position[1]))

    def _call_tools(self, event: Event) -> None:
        match event:
            case ToolCall(name=name, call_id=call_id) if name in {*self._answers, *self._failures}:
                error = self._failures.pop(name, None)
                output = None if error is not None else self._answers.get(name)
                result = SendToolResult(call_id=call_id, output=output, error=error)
                self._results.append((self._now_us + _TOOL_US, result))
            case ApprovalRequested(approval_id=approval_id):
                answer = ApproveServerTool(approval_id=approval_id, approve=self._scenario.approves)
                self._results.append((self._now_us + _TOOL_US, answer))
            case ToolCallCancelled(call_ids=call_ids):
                kept = [
                    (at, command)
                    for at, command in self._results
                    if getattr(command, "call_id", None) not in call_ids
                ]
                self._results = deque(kept)
            case _:
                pass

    def _return_results(self) -> None:
        while self._results and self._results[0][0] <= self._now_us and not self._closed:
            self._send(self._results.popleft()[1])

    # The end.

    def _idle(self) -> bool:
        quiet = not (self._microphone or self._results or self._player.playing or self._leaves)
        if self._beside is not None and not self._heard_out():
            return False
        return quiet and self._translator.ready and self._line.idle

    def _heard_out(self) -> bool:
        """Of a call: whether nothing is on its way, and the translator waits for nothing."""
        timer = self._translator.get_timer()
        waits = timer is not None and timer < self._now + _SOON_S
        return not (waits or any(map(any, self._comes)))

    def _over(self) -> bool:
        if self._closed:
            return True
        return not self._actions and self._idle() and not self._line.brain.expecting

    def _stuck(self) -> ConfigurationError:
        waiting = self._actions[0] if self._actions else None
        return ConfigurationError(
            f"the scenario {self._scenario.name!r} waits for something that never happens: "
            + ("everything to fall silent" if waiting is None else repr(waiting)),
            where=f"scenario {self._scenario.name!r} on {self._line.provider.name!r}",
            remedy="correct its last action's moment, or the replies it waits for",
        )


def _not_before(seconds: float) -> int:
    """The first whole microsecond that is not before a time, as a float sees both."""
    us = math.ceil(seconds * 1_000_000)
    return us if us / 1_000_000 >= seconds else us + 1
