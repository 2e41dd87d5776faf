"""
An application, reduced to what holds a conversation by itself: it speaks, listens, plays and runs
tools.

It lives in blocks of 20 ms, as a sound card does: in each it plays, does the actions whose moment
has come, and sends what its microphone hears. Who drives it says how long a block takes:
:func:`in_real_time` takes the time that it is, :func:`settle` what both ends need.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import attrs

import unirt
from unirt.capabilities import Capabilities
from unirt.cli.sound import BLOCK_MS, chunks
from unirt.clock import ManualClock
from unirt.commands import (
    ApproveServerTool,
    Command,
    EndTurn,
    ReportPlayback,
    Respond,
    SendImage,
    SendText,
    SendToolResult,
)
from unirt.config import Manual, SessionConfig
from unirt.errors import ConnectionLost, SessionClosedError
from unirt.session import Session
from unirt.simulator import Line
from unirt.simulator.player import Player
from unirt.simulator.scenario import Action, Scenario, Silence, Speak
from unirt.simulator.voice import load_wav, silence, speech

__all__ = ["Application", "arguments_of", "in_real_time", "settle"]

_REST_MS = 600.0
"How long everything must be quiet before the next thing is said, or the conversation is over."
_TOOL_MS = 40.0
"How long a tool takes."
_SETTLE_S = 10.0
"How long an application may take to digest one block before it is given up, in real seconds."
_LONGEST_S = 300.0
"How long a conversation may last."
_CALM_TURNS = 4
"For how many turns of the event loop it must seem so: a server may be about to say something."


class Application:
    """
    Args:
        session: Open.
        script: What to do, and what the tools return.
        line: The server's end, where it is a simulator.
        patience_ms: How long to wait for an answer.
    """

    def __init__(
        self,
        session: Session,
        script: Scenario,
        line: Line | None = None,
        *,
        patience_ms: float = 5_000.0,
    ) -> None:
        self.session = session
        self.line = line
        self.events: list[unirt.Event] = []
        self.replies: dict[str, bytearray] = {}
        "What was heard of each response."
        self.lost: ConnectionLost | None = None
        "Why the session ended, where nobody here ended it."
        self._answers = script.answers
        self._failures = dict(script.failures)
        self._approves = script.approves
        self._actions = deque(script.actions)
        self._format = session.capabilities.input_format
        "The microphone is opened at the rate the provider listens to."
        spoken = any(isinstance(action.do, Speak | Silence) for action in script.actions)
        self._open = spoken and type(session.config.turn_detection) is not Manual
        "Whether the microphone hears silence when nobody speaks."
        self._voice: deque[bytes] = deque()
        self._results: deque[tuple[float, SendToolResult | ApproveServerTool]] = deque()
        self._responding: set[str] = set()
        self._seen: set[str] = set()
        "The classes of the events since the last action."
        self._player = Player()
        self._reported: tuple[str, float] | None = None
        self._patience_ms = patience_ms
        self._waiting_ms: float | None = None
        "For how long an answer is waited for; ``None`` for none."
        self._now_ms = 0.0
        self._quiet_ms = 0.0

    @property
    def capabilities(self) -> Capabilities:
        return self.session.capabilities

    @property
    def done(self) -> bool:
        """Whether the whole conversation is over, or as much of it as there will be."""
        rested = not self._actions and self._rested
        return self.session.closed or rested or bool(self.unfinished)

    @property
    def unfinished(self) -> str:
        """What it waits for in vain, in words; empty while it may still come."""
        if self._now_ms >= _LONGEST_S * 1000:
            return f"the conversation is not over after {_LONGEST_S:g} s"
        if not self._actions or self._quiet_ms <= max(self._patience_ms, _REST_MS):
            return ""
        awaited = self._actions[0]
        what = awaited.after if awaited.heard_ms is None else f"{awaited.heard_ms:g} ms of sound"
        return f"{what} never came, for which {type(awaited.do).__name__} waits"

    @property
    def _rested(self) -> bool:
        return self._quiet_ms >= _REST_MS

    async def read(self) -> None:
        """Take the session's events, for as long as there are any."""
        try:
            async for event in self.session:
                self.events.append(event)
                self._take(event)
        except ConnectionLost as exc:
            self.lost = exc

    def _take(self, event: unirt.Event) -> None:
        self._seen.add(type(event).__name__)
        self._player.take(event)
        match event:
            case unirt.ResponseStarted(response_id=id_):
                self._responding.add(id_)
                self._waiting_ms = None
            case unirt.ResponseDone(response_id=id_):
                self._responding.discard(id_)
            case unirt.AudioDelta(data=data):
                self.replies.setdefault(event.response_id or "", bytearray()).extend(data)
            case unirt.ToolCall(name=name, call_id=call_id) if name in self._failures:
                error = self._failures.pop(name)
                self._answer(SendToolResult(call_id=call_id, error=error))
            case unirt.ToolCall(name=name, call_id=call_id) if name in self._answers:
                self._answer(SendToolResult(call_id=call_id, output=self._answers[name]))
            case unirt.ApprovalRequested(approval_id=approval_id):
                self._answer(ApproveServerTool(approval_id=approval_id, approve=self._approves))
            case unirt.ToolCallCancelled(call_ids=call_ids):
                kept = [one for one in self._results if _call_of(one[1]) not in call_ids]
                self._results = deque(kept)
            case _:
                pass

    def _answer(self, answer: SendToolResult | ApproveServerTool) -> None:
        self._results.append((self._now_ms + _TOOL_MS, answer))

    async def block(self) -> None:
        """Live through one block."""
        self._now_ms += BLOCK_MS
        self._player.advance(round(self._now_ms * 1000))
        with contextlib.suppress(SessionClosedError):  # why it is over is told by the reader
            await self._report()
            await self._return_results()
            await self._act()
            await self._record()
        self._grow_quiet()

    async def _report(self) -> None:
        position = self._player.position
        if position is not None and position != self._reported:
            self._reported = position
            await self.session.send(ReportPlayback(response_id=position[0], played_ms=position[1]))

    async def _return_results(self) -> None:
        while self._results and self._results[0][0] <= self._now_ms:
            self._waiting_ms = 0.0
            await self.session.send(self._results.popleft()[1])

    async def _act(self) -> None:
        while self._actions and self._come(self._actions[0]):
            action = self._actions.popleft()
            self._seen.clear()
            self._quiet_ms = 0.0
            match action.do:
                case Speak(ms=ms, wav=path):
                    sound = (
                        speech(ms, self._format) if path is None else load_wav(path, self._format)
                    )
                    self._voice.extend(chunks(sound, self._format))
                    self._waiting_ms = 0.0 if self._open else None
                case Silence(ms=ms):
                    self._voice.extend(chunks(silence(ms, self._format), self._format))
                case command:
                    if isinstance(command, SendText | SendImage | EndTurn) and command.respond:
                        self._waiting_ms = 0.0
                    if isinstance(command, Respond):
                        self._waiting_ms = 0.0
                    await self.session.send(command)

    def _come(self, action: Action) -> bool:
        """Whether the moment for an action has come."""
        if self._voice:
            return False
        if action.heard_ms is not None:
            return self._player.newest_ms >= action.heard_ms
        if action.after == "idle":
            return self._rested
        return action.after == "now" or action.after in self._seen

    async def _record(self) -> None:
        if self._voice:
            await self.session.send_audio(self._voice.popleft(), self._format)
        elif self._open:
            await self.session.send_audio(silence(BLOCK_MS, self._format), self._format)

    def _grow_quiet(self) -> None:
        if self._waiting_ms is not None and not self._voice:
            self._waiting_ms += BLOCK_MS
            if self._waiting_ms > self._patience_ms:
                self._waiting_ms = None
        busy = (
            self._voice
            or self._results
            or self._responding
            or self._player.playing
            or self._waiting_ms is not None
            or (self.line is not None and (not self.line.idle or self.line.brain.expecting))
        )
        self._quiet_ms = 0.0 if busy else self._quiet_ms + BLOCK_MS

    def settled(self, now: float) -> bool:
        """Whether both ends have digested everything up to `now`."""
        line, session, stats = self.line, self.session, self.session.stats
        if session.closed:
            return len(self.events) == stats.events
        if line is None or line.closed is not None or line.close_wanted() is not None:
            return line is None
        timer, totals = line.get_timer(), line.totals
        return (
            stats.frames_waiting == 0
            and totals.frames_received == stats.frames_out
            and totals.frames_sent == stats.frames_in
            and (timer is None or timer > now)
            and len(self.events) == stats.events
        )


def arguments_of(config: SessionConfig) -> dict[str, Any]:
    """The arguments of ``connect()`` that ask for a configuration."""
    names = [field.name for field in attrs.fields(SessionConfig)]
    return {name: value for name in names if (value := getattr(config, name)) is not None}


def _call_of(answer: Command) -> str | None:
    return answer.call_id if isinstance(answer, SendToolResult) else None


async def in_real_time(
    application: Application, after_block: Callable[[], None] = lambda: None
) -> None:
    """Let an application live until it is done, a block of it in as long as it lasts."""
    loop = asyncio.get_running_loop()
    block_s = BLOCK_MS / 1000
    due = loop.time()
    while not application.done:
        due = max(due, loop.time() - block_s) + block_s
        await application.block()
        await asyncio.sleep(max(0.0, due - loop.time()))
        after_block()


async def settle(applications: Sequence[Application], clock: ManualClock) -> None:
    """
    Wait until every application has digested what happened so far.

    Raises:
        TimeoutError: One does not.
    """
    calm = 0
    async with asyncio.timeout(_SETTLE_S):
        while calm < _CALM_TURNS:
            await asyncio.sleep(0)
            settled = all(application.settled(clock.now()) for application in applications)
            calm = calm + 1 if settled else 0
