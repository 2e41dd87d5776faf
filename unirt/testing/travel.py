"""
A scenario's conversation that goes on over another connection, by a real session.

Moves happen in the session, so this is no matter of two translators: a session is opened with
:func:`unirt.connect`, over connections in memory, on virtual time. The far ends are simulated
servers that share one script: what one has not said, the next one says. So a scenario is one and
the same conversation wherever it goes on, and when.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Sequence

import attrs

from unirt.audio import AudioFormat
from unirt.capabilities import Capabilities
from unirt.cassettes.entries import Opened
from unirt.commands import AppendAudio, Command, ReportPlayback, SendToolResult
from unirt.config import Manual, SessionConfig
from unirt.connect import connect
from unirt.deck.tape import Tape
from unirt.errors import ConnectionLost, LimitReachedError
from unirt.events import (
    Event,
    Reconnected,
    SessionExpiring,
    ToolCall,
    ToolCallCancelled,
    ToolFinished,
    ToolStarted,
)
from unirt.failover import Candidate, Cooldowns, Failover
from unirt.fold import ContentStep
from unirt.provider import Credentials, Provider
from unirt.session import ContentView, Session
from unirt.simulator.line import Line
from unirt.simulator.player import Player
from unirt.simulator.recital import ORIGIN
from unirt.simulator.scenario import Action, Handle, Reply, Scenario, Silence, Speak
from unirt.simulator.serving import serve_line
from unirt.simulator.voice import load_wav, silence, speech
from unirt.testing.journey import Journey, Leg, Move, Moved, Said, Way
from unirt.testing.virtual import LoopClock, run_virtually
from unirt.translator import Frame
from unirt.transport import Transport, TransportClosed
from unirt.transports.memory import MemoryTransport, memory_pair
from unirt.transports.recording import RecordingTransport
from unirt.update import Updated

__all__ = ["travel"]

_TICK_US = 20_000
_REST_S = 0.2
"How long everything must be quiet before the next thing is said, or the conversation is over."
_TOOL_S = 0.3
"How long the application's tools take."
_LONGEST_S = 7_200.0
"No journey may take longer, in virtual time."
_HANDLE = "handle_"
"What all begin with that a session can be resumed by."


def travel(way: Way, journey: Journey) -> Moved:
    """
    Hold a journey's conversation, one way.

    Raises:
        RuntimeError: The scenario, or the move, waits for something that never happens.
    """
    return run_virtually(_Traveller(way, journey).travel())


class _Servers:
    """The far ends: simulated servers, one for each connection."""

    def __init__(self, way: Way, scenario: Scenario, clock: LoopClock) -> None:
        self.lines: list[Line] = []
        self.tape = Tape(clock)
        self.tasks: list[asyncio.Task[None]] = []
        self._way = way
        self._scenario = scenario
        self._clock = clock
        self._ends: list[MemoryTransport] = []
        self._replies: Sequence[Reply] = tuple(
            self._with_handles(number, reply) for number, reply in enumerate(scenario.replies, 1)
        )

    def candidate(self, provider: Provider) -> Candidate:
        """How a provider is reached here."""

        async def dial(config: SessionConfig, credentials: Credentials) -> Transport:
            return self._dial(provider, config)

        model = self._way.model or self._scenario.session.model
        return Candidate(provider=provider, model=model, api_key="simulated", transport=dial)

    def _dial(self, provider: Provider, config: SessionConfig) -> Transport:
        model = provider.resolve(config, Credentials()).model
        near, far = memory_pair("simulator:", capacity=10_000)
        if self.lines:
            self._replies = self.lines[-1].brain.replies
        mark = f"{len(self.lines) + 1}_" if self.lines else ""
        script = attrs.evolve(self._scenario, replies=tuple(self._replies))
        line = Line(provider, script, model=model, mark=mark)
        self.lines.append(line)
        self._ends.append(far)
        self.tasks.append(asyncio.create_task(self._serve(far, line)))
        opened = Opened(url="simulator:", provider=provider.name, model=model)
        return RecordingTransport(near, self.tape.open(opened))

    async def hang_up(self, code: int, reason: str) -> None:
        """End the newest connection."""
        await self._ends[-1].close(code, reason)

    async def warn(self, time_left: float) -> None:
        """Announce the end of the newest connection, where the protocol has words for that."""
        server, now = self.lines[-1].server, self._clock.now()
        server.send(SessionExpiring(origin=ORIGIN, time_left_ms=time_left * 1000), now)
        for frame in self.lines[-1].frames_to_send(now):
            await self._ends[-1].send(frame)

    def _with_handles(self, number: int, reply: Reply) -> Reply:
        """What the session can be resumed by comes when an answer begins, and when it ends."""
        if not self._way.remembers:
            return reply
        begin, end = (Handle(handle=f"{_HANDLE}{number}{which}") for which in "ab")
        return attrs.evolve(reply, steps=(begin, *reply.steps, end))

    async def _serve(self, end: MemoryTransport, line: Line) -> None:
        async def receive() -> Frame:
            frame = await end.receive()
            if self._way.refuses and _HANDLE in str(frame):
                await end.close(1008, "Session not found")
                raise TransportClosed(1008, "Session not found", by="local")
            return frame

        try:
            await serve_line(line, self._clock, receive=receive, send=end.send, close=end.close)
            line.closed = line.close_wanted()
        except TransportClosed as gone:
            line.closed = gone.code, gone.reason


class _Traveller:
    """The application of one journey: it lives in ticks of 20 ms, as a sound card does."""

    def __init__(self, way: Way, journey: Journey) -> None:
        scenario, move = journey.scenario, journey.move
        self._clock = LoopClock()
        self._own = journey.own(self._clock)
        self._servers = _Servers(way, scenario, self._clock)
        self._way = way
        self._scenario = scenario
        self._move: Move | None = move
        self._target = self._servers.candidate(way.second)
        self._actions = deque(scenario.actions)
        self._player = Player()
        self._reported: tuple[str, float] | None = None
        self._microphone: deque[bytes] = deque()
        self._results: deque[tuple[float, SendToolResult]] = deque()
        self._failures = dict(scenario.failures)
        self._events: list[Event] = []
        self._legs: list[tuple[str, Capabilities, int]] = []
        "Who tells, and from which event on."
        self._seen: set[str] = set()
        "The classes of the events since the last action."
        self._said: list[Said] = []
        self._left = 0 if move is None else move.count
        "How often the moment of the move has to come."
        self._moving: asyncio.Task[None] | None = None
        self._session: Session | None = None
        model = way.model or way.first.default_model
        heard: AudioFormat = way.first.capabilities(model).input_format
        self._format = self._own.get("audio_in", heard)
        "The microphone's: by default what the first provider listens to."
        self._running: set[str] = set()
        "The calls that the session answers by itself."
        self._updated: Updated | None = None
        self._quiet_from = 0.0
        "Since when nothing is said, sent or played."
        self._expiring = False
        self._arrived = asyncio.Event()

    async def travel(self) -> Moved:
        way, config = self._way, self._scenario.session
        first = self._servers.candidate(way.first)
        chain = Failover(
            chain=(first, self._target), retries=0, cooldowns=Cooldowns(self._clock.now)
        )
        names = [field.name for field in attrs.fields(SessionConfig)]
        asked = {n: value for n in names if (value := getattr(config, n)) is not None}
        asked.pop("model", None)
        async with connect(
            way.first,
            model=first.model,
            transport=first.transport,
            api_key=first.api_key,
            fallback=None if way.stays else chain,
            clock=self._clock,
            observers=[self._told],
            environ={},
            env_file=None,
            **{**asked, **self._own},
        ) as session:
            self._session = session
            folding = asyncio.create_task(_all_of(session.content()))
            self._legs.insert(0, (session.provider, session.capabilities, 0))
            await self._live(session)
        await asyncio.gather(*self._servers.tasks)
        return Moved(
            events=tuple(self._events),
            legs=self._split(),
            folded=tuple(await folding),
            entries=self._servers.tape.entries(),
            said=tuple(self._said),
            usage=session.usage,
            history=session.history,
            updated=self._updated,
            lines=tuple(self._servers.lines),
            heard=session.stats.frames_in,
            seconds=self._clock.now(),
        )

    async def _live(self, session: Session) -> None:
        manual = isinstance(self._scenario.session.turn_detection, Manual)
        spoken = any(isinstance(a.do, Speak | Silence) for a in self._scenario.actions)
        quiet = silence(_TICK_US / 1000, self._format)
        tick_us = 0
        while not (session.closed or (not self._actions and self._idle() and self._move is None)):
            await self._clock.sleep_until(tick_us / 1_000_000)
            if tick_us / 1_000_000 > _LONGEST_S:
                raise RuntimeError(f"{self._scenario.name!r} waits for what never happens")
            self._player.advance(tick_us)
            await self._report()
            await self._return_results()
            await self._act()
            if self._microphone:
                await self._say(AppendAudio(data=self._microphone.popleft()))
            elif spoken and not manual:
                await self._say(AppendAudio(data=quiet))
            tick_us += _TICK_US
            if self._expiring:
                await self._arrived.wait()  # nothing is said for as long as that takes
                self._expiring = False
                tick_us = math.ceil(self._clock.now() * 1_000_000 / _TICK_US) * _TICK_US
        if self._moving is not None:
            await self._moving

    # What it hears.

    def _told(self, events: Sequence[Event]) -> None:
        for event in events:
            self._events.append(event)
            self._seen.add(type(event).__name__)
            self._player.take(event)
            self._call_tools(event)
            if isinstance(event, Reconnected) and self._session is not None:
                place = self._session.provider, self._session.capabilities, len(self._events)
                self._legs.append(place)
                self._arrived.set()
            self._watch(event)

    def _call_tools(self, event: Event) -> None:
        answers = self._scenario.answers
        match event:
            case ToolCall(name=name, call_id=call_id) if name in {*answers, *self._failures}:
                error = self._failures.pop(name, None)
                output = None if error is not None else answers.get(name)
                result = SendToolResult(call_id=call_id, output=output, error=error)
                self._results.append((self._clock.now() + _TOOL_S, result))
            case ToolCallCancelled(call_ids=call_ids):
                kept = [one for one in self._results if one[1].call_id not in call_ids]
                self._results = deque(kept)
            case ToolStarted(call_id=call_id):
                self._running.add(call_id)
            case ToolFinished(call_id=call_id):
                self._running.discard(call_id)
            case _:
                pass

    def _split(self) -> tuple[Leg, ...]:
        ends = [begin for _, _, begin in self._legs[1:]] + [len(self._events)]
        return tuple(
            Leg(provider=name, capabilities=facts, events=tuple(self._events[begin:end]))
            for (name, facts, begin), end in zip(self._legs, ends, strict=True)
        )

    # What it does.

    async def _say(self, command: Command) -> None:
        session = self._session
        if session is None or session.closed:
            return
        self._said.append(Said(self._clock.now(), session.stats.frames_in, command))
        if not isinstance(command, AppendAudio | ReportPlayback):
            self._quiet_from = self._clock.now()
        await session.send(command)
        self._watch(command)

    async def _report(self) -> None:
        position = self._player.position
        if position is not None and position != self._reported:
            self._reported = position
            await self._say(ReportPlayback(response_id=position[0], played_ms=position[1]))

    async def _return_results(self) -> None:
        while self._results and self._results[0][0] <= self._clock.now():
            await self._say(self._results.popleft()[1])

    async def _act(self) -> None:
        while self._actions and self._come(self._actions[0]):
            action = self._actions.popleft()
            self._seen.clear()
            match action.do:
                case Speak(ms=ms, wav=path):
                    format = self._format
                    self._speak(speech(ms, format) if path is None else load_wav(path, format))
                case Silence(ms=ms):
                    self._speak(silence(ms, self._format))
                case command:
                    await self._say(command)

    def _speak(self, sound: bytes) -> None:
        format = self._format
        size, quiet = format.bytes_for(_TICK_US / 1000), silence(_TICK_US / 1000, format)
        for start in range(0, len(sound), size):
            piece = sound[start : start + size]
            self._microphone.append(piece + quiet[len(piece) :])

    def _come(self, action: Action) -> bool:
        if self._microphone:
            return False
        if action.heard_ms is not None:
            return self._player.newest_ms >= action.heard_ms
        if action.after == "idle":
            return self._idle()
        return action.after == "now" or action.after in self._seen

    def _idle(self) -> bool:
        busy = self._microphone or self._results or self._running or self._player.playing
        still = self._moving is None or self._moving.done()
        if busy or not (still and self._servers.lines[-1].idle):
            self._quiet_from = self._clock.now()
        return self._clock.now() >= self._quiet_from + _REST_S

    # The move.

    def _watch(self, what: Event | Command) -> None:
        move = self._move
        if move is None or type(what).__name__ != move.after:
            return
        self._left -= 1
        if self._left == 0:
            self._move = None
            self._moving = asyncio.create_task(self._go(move))

    async def _go(self, move: Move) -> None:
        session = self._session
        if session is None:
            return
        match move.why:
            case "switch":
                self._said.append(Said(self._clock.now(), session.stats.frames_in, move))
                await session.switch(self._target, patience=move.patience)
            case "update":
                self._said.append(Said(self._clock.now(), session.stats.frames_in, move))
                self._updated = await session.update(**move.changes)
            case "lost":
                await self._servers.hang_up(1011, "Internal error occurred")
            case _:
                self._expiring = True
                await self._servers.warn(50.0)


async def _all_of(view: ContentView) -> list[ContentStep]:
    steps: list[ContentStep] = []
    with contextlib.suppress(ConnectionLost, LimitReachedError):
        async for step in view:
            steps += [step]
    return steps
