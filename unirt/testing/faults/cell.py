"""
A cell of the fault matrix: one fault, at one point, of one conversation with one provider.

The conversation is held by a whole session with a simulated server, in virtual time. It leads to
the fault's phase, and then asks once more, to see whether the session goes on. Nothing about the
application is patient without end: it gives up what it waits for after :data:`PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence

import attrs

from unirt.audio import PCM16_24K
from unirt.clock import Clock
from unirt.connect import connect
from unirt.errors import UnirtError
from unirt.events import (
    AudioDelta,
    Ending,
    Event,
    Reconnected,
    ResponseDone,
    SessionClosed,
    ToolFinished,
)
from unirt.grammar import check
from unirt.provider import Provider
from unirt.reconnect import Reconnect
from unirt.session import Session
from unirt.simulator.near import Near
from unirt.simulator.script import loads
from unirt.simulator.voice import silence, speech
from unirt.testing.faults.agenda import Happened
from unirt.testing.faults.fault import Fault
from unirt.testing.faults.faults import Faults
from unirt.testing.faults.phases import Phase
from unirt.testing.virtual import LoopClock, run_virtually
from unirt.tools import tool
from unirt.value import Value

__all__ = ["PATIENCE_S", "Outcome", "run_cell"]

PATIENCE_S = 45.0
"How long the application waits for anything, in virtual seconds."

_SCENARIO = loads("""
[pace]
speed = 2.0
chunk_ms = 200

[[reply]]
cue = "text"
steps = [{ say = "This is the answer to what was asked, and it takes its time.", ms = 3000 }]

[[reply]]
cue = "speech"
heard = { text = "Stop.", when = "before" }
steps = [{ say = "I stopped.", ms = 600 }]
""")
_CALLS = loads("""
[[reply]]
cue = "text"
steps = [{ call = "look_up", args = {} }]

[[reply]]
cue = "tool_result"
steps = [{ say = "It was found.", ms = 600 }]
""")
_PIECE_MS = 200


@attrs.frozen(kw_only=True)
class Outcome(Value):
    """What came of it."""

    fault: Fault
    provider: str
    happened: tuple[Happened, ...]
    events: tuple[Event, ...] = attrs.field(repr=False)
    "What the application was told, in order."
    since: int
    "How many of them it had been told when the fault was done; what was on its way came after."
    opening: UnirtError | None
    "Why no session came about."
    error: UnirtError | None
    "What the loop over the events ended with."
    gave_up: tuple[str, ...]
    "What the application waited for in vain."
    answered: bool
    "Whether the session answered once more afterwards."
    seconds: float
    "How long it took, in virtual time."
    frames: int
    "How many frames the session took."
    told_of: int
    "How many of them are behind an event."
    leaks: tuple[str, ...]
    "What was left when all was closed."


def run_cell(provider: Provider, fault: Fault) -> Outcome:
    """
    Hold the conversation, with the fault in it.

    Raises:
        IllegalStream: What the application was told breaks the grammar.
        RuntimeError: Something waits for what can never come.
        ConfigurationError: The provider has no words for the fault.
    """
    return run_virtually(_Cell(provider, fault).run())


class _Cell:
    def __init__(self, provider: Provider, fault: Fault) -> None:
        self._provider = provider
        self._fault = fault
        self._clock: Clock = LoopClock()
        lost = Fault(kind="cut", phase=Phase.MID_AUDIO)
        before = (lost,) if fault.phase is Phase.RECONNECT else ()
        self._faults = Faults(*before, fault, clock=self._clock)
        self._events: list[Event] = []
        self._moved = asyncio.Event()
        self._since: int | None = None
        self._origins: dict[int, object] = {}
        self._gave_up: list[str] = []
        self._answered = False
        self._told_closed = False
        self._over = False
        self._sound: deque[bytes] = deque()
        "What the user is about to say."

    async def run(self) -> Outcome:
        opening: UnirtError | None = None
        error: UnirtError | None = None
        frames = 0
        scenario = _CALLS if self._fault.phase is Phase.TOOL_CALL else _SCENARIO
        async with Near(self._provider, scenario, clock=self._clock) as near:
            connecting = connect(
                self._faults.on(near.provider),
                clock=self._clock,
                reconnect=Reconnect(jitter=0.0),
                tools=[tool(self.look_up, blocking=True)],
                observers=[self._observe],
                environ={},
                env_file=None,
            )
            try:
                async with connecting as session:
                    reading = asyncio.create_task(self._read(session))
                    listening = asyncio.create_task(self._listen(session))
                    await self._talk(session)
                    await session.close()
                    error = await reading
                    await listening
                    frames = session.stats.frames_in
            except UnirtError as exc:
                opening = exc
            seconds = self._clock.now()
            await self._clock.sleep_until(seconds + 1.0)  # the server notices
            leaks = [f"{near.open} connections"] if near.open else []
        others = asyncio.all_tasks() - {asyncio.current_task()}
        leaks += sorted(task.get_name() for task in others)
        if opening is None:
            check(self._events, complete=True)
        return Outcome(
            fault=self._fault,
            provider=self._provider.name,
            happened=tuple(each for each in self._faults.happened if each.fault == self._fault),
            events=tuple(self._events),
            since=len(self._events) if self._since is None else self._since,
            opening=opening,
            error=error,
            gave_up=tuple(self._gave_up),
            answered=self._answered,
            seconds=seconds,
            frames=frames,
            told_of=len(self._origins),
            leaks=tuple(leaks),
        )

    # The application.

    async def look_up(self) -> str:
        """Look it up."""
        await self._clock.sleep_until(self._clock.now() + 1.0)
        return "found"

    async def _talk(self, session: Session) -> None:
        match self._fault.phase:
            case Phase.DIAL | Phase.HANDSHAKE | Phase.READY:
                pass
            case Phase.BARGE_IN:
                await session.send_text("Tell me.")
                if await self._until("audio", lambda: self._of(AudioDelta)):
                    await self._speak(session)
            case Phase.TOOL_CALL:
                await self._ask(session, "Look it up.")
                await self._until("the tool", lambda: self._of(ToolFinished))
            case Phase.RECONNECT:
                await self._ask(session, "Tell me.")
                await self._until("another connection", lambda: self._of(Reconnected))
            case _:
                await self._ask(session, "Tell me.")
        if self._fault.phase is not Phase.CLOSE:
            self._answered = await self._ask(session, "And now?") and not self._over

    async def _ask(self, session: Session, text: str) -> bool:
        """Ask something, and wait until it is answered; whether it was."""
        before = len(self._complete())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await session.send_text(text)
        except TimeoutError:
            self._gave_up.append("saying it")
            return False
        except UnirtError:
            return False
        answered = await self._until("an answer", lambda: len(self._complete()) > before)
        session.playback.played(60_000)
        return answered

    async def _speak(self, session: Session) -> None:
        """Speak over an answer, and wait until somebody answers that."""
        before = len(self._complete())
        sound = speech(600, PCM16_24K)
        size = PCM16_24K.bytes_for(_PIECE_MS)
        self._sound += (sound[start : start + size] for start in range(0, len(sound), size))
        await self._until("an answer", lambda: len(self._complete()) > before)

    async def _listen(self, session: Session) -> None:
        """The microphone: what the user says, and silence between, in real time."""
        quiet = silence(_PIECE_MS, PCM16_24K)
        while not self._over:
            piece = self._sound.popleft() if self._sound else quiet
            with contextlib.suppress(UnirtError):
                await session.send_audio(piece, PCM16_24K)
            await self._clock.sleep_until(self._clock.now() + _PIECE_MS / 1000)

    def _complete(self) -> list[Event]:
        return [e for e in self._of(ResponseDone) if getattr(e, "ending", None) is Ending.COMPLETE]

    def _of(self, *kinds: type[Event]) -> list[Event]:
        return [event for event in self._events if isinstance(event, kinds)]

    async def _until(self, what: str, told: Callable[[], object]) -> bool:
        """Wait until something was told; not longer than the session, and one's patience, last."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not told():
                    if self._over:
                        return False
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            self._gave_up.append(what)
            return False
        return True

    async def _read(self, session: Session) -> UnirtError | None:
        try:
            async for event in session:
                self._events.append(event)
                self._moved.set()
        except UnirtError as exc:
            return exc
        finally:
            self._over = True
            self._moved.set()
        return None

    def _observe(self, events: Sequence[Event]) -> None:
        if self._since is None and any(h.fault == self._fault for h in self._faults.happened):
            self._since = len(self._events)
        for event in events:
            if self._told_closed:
                self._origins.clear()  # a first try failed: the next has frames of its own
            self._told_closed = isinstance(event, SessionClosed)
            if event.raw is not None:
                self._origins[id(event.origin)] = event.origin
