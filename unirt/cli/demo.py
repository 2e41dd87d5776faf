"""
``unirt demo``: one spoken conversation over every protocol at once.

Each leg is a simulator on a real socket and a session that talks to it through the adapter that
every user gets. One recorded voice speaks into all of them, 20 ms at a time, and one clock moves
them: it advances when every leg has digested the block before, so what is compared does not depend
on how fast this machine is. Real time only decides how long the demo waits between two blocks.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy
import soxr
from rich.console import Console
from rich.table import Table

import unirt
from unirt.capabilities import Capabilities
from unirt.cli.show import describe_step, merged
from unirt.cli.sound import BLOCK_MS, chunks, read_wav, write_wav
from unirt.clock import ManualClock
from unirt.errors import ConfigurationError
from unirt.registry import load
from unirt.session import Session
from unirt.simulator import Line, Simulator
from unirt.simulator.scenario import Action, Scenario, Speak
from unirt.simulator.script import loads
from unirt.testing import check, differences, fold, outline, rows

__all__ = ["run", "speech_folder"]

_BLOCK_S = BLOCK_MS / 1000
_SETTLE_S = 10.0
"How long a leg may take to digest one block before the demo gives up, in real seconds."
_LONGEST_S = 90.0
"How long the conversation may last, in its own seconds."
_REST_MS = 600
"How long everything must be quiet before the next sentence is spoken, or the demo ends."
_SHOW_EVERY = 25
"How many blocks share a row on the screen."


def speech_folder() -> Path:
    """
    Where the recorded sentences are: in the package, or in a checkout's ``examples``.

    Raises:
        ConfigurationError: They are in neither.
    """
    here = Path(str(files("unirt.cli")))
    for folder in (here / "audio", here.parent.parent / "examples" / "audio"):
        if (folder / "go_forward.wav").is_file():
            return folder
    raise ConfigurationError(
        "the demo's recordings are missing",
        where="examples/audio",
        remedy="install unirt from a checkout or a complete wheel",
    )


def scenario() -> Scenario:
    """What both sides say."""
    text = (files("unirt.cli") / "demo.toml").read_text("utf-8")
    return loads(text, name="demo", where="demo.toml", folder=speech_folder())


def _recorded(path: Path, microphone: unirt.AudioFormat) -> bytes:
    """What a microphone would have recorded of a WAV file."""
    data, format = read_wav(path)
    samples = numpy.frombuffer(data, dtype="<i2").reshape(-1, format.channels).mean(axis=1)
    heard = soxr.resample(samples.astype("<i2"), format.rate, microphone.rate)
    return bytes(heard.astype("<i2").tobytes())


class _Leg:
    """One provider's side of the demo: an application, reduced to what a demo needs."""

    def __init__(self, session: Session, line: Line, script: Scenario) -> None:
        self.session = session
        self.line = line
        self.events: list[unirt.Event] = []
        self.replies: dict[str, bytearray] = {}
        self.shown = 0
        self._microphone = session.capabilities.input_format
        "Opened at the rate the provider listens to, as a careful application would."
        self._answers: Mapping[str, Any] = script.answers
        self._actions = list(script.actions)
        self._voice: Iterator[bytes] = iter(())
        self._speaking = False
        self._responding: set[str] = set()
        self._player = bytearray()
        self._playing: str | None = None
        self._played_ms = 0.0
        self._quiet_ms = 0.0

    @property
    def capabilities(self) -> Capabilities:
        return self.session.capabilities

    @property
    def done(self) -> bool:
        """Whether the whole conversation is over."""
        return not self._actions and self._quiet_ms >= _REST_MS

    async def read(self) -> None:
        """Take the session's events, for as long as there are any."""
        async for event in self.session:
            self.events.append(event)
            match event:
                case unirt.ResponseStarted(response_id=id_):
                    self._responding.add(id_)
                case unirt.ResponseDone(response_id=id_):
                    self._responding.discard(id_)
                case unirt.AudioDelta(data=data):
                    self._hear(event.response_id or "", data)
                case unirt.Interrupted():
                    self._player.clear()
                case unirt.ToolCall(name=name, call_id=call_id):
                    await self.session.send_tool_result(call_id, self._answers.get(name))

    def _hear(self, response_id: str, data: bytes) -> None:
        self.replies.setdefault(response_id, bytearray()).extend(data)
        if response_id != self._playing:
            self._playing, self._played_ms = response_id, 0.0
            self._player.clear()
        self._player += data

    async def block(self) -> None:
        """Live through one block: play, decide, and send what the microphone hears."""
        self._play()
        if not self._speaking and self._actions and self._is_time(self._actions[0]):
            self._begin(self._actions.pop(0))
        heard = next(self._voice, None)
        if heard is None:
            self._speaking = False
            heard = bytes(self._microphone.bytes_for(BLOCK_MS))
        resting = not (self._speaking or self._player or self._responding)
        self._quiet_ms = self._quiet_ms + BLOCK_MS if resting else 0.0
        await self.session.send_audio(heard, self._microphone)

    def _play(self) -> None:
        size = unirt.PCM16_24K.bytes_for(BLOCK_MS)
        block = self._player[:size]
        if block:
            del self._player[:size]
            self._played_ms += unirt.PCM16_24K.duration_ms(len(block))

    async def report(self) -> None:
        """Tell the session how much of the latest reply was played."""
        if self._playing is not None:
            await self.session.report_playback(self._played_ms, self._playing)

    def _is_time(self, action: Action) -> bool:
        if action.heard_ms is not None:
            return self._played_ms >= action.heard_ms and bool(self._player)
        return self._quiet_ms >= _REST_MS

    def _begin(self, action: Action) -> None:
        if isinstance(action.do, Speak) and action.do.wav is not None:
            self._voice = chunks(_recorded(action.do.wav, self._microphone), self._microphone)
            self._speaking = True
            self._quiet_ms = 0.0

    def settled(self, now: float) -> bool:
        """Whether both ends have digested everything up to `now`."""
        stats, totals, timer = self.session.stats, self.line.totals, self.line.get_timer()
        return (
            stats.frames_waiting == 0
            and totals.frames_received == stats.frames_out
            and totals.frames_sent == stats.frames_in
            and (timer is None or timer > now)
            and len(self.events) == stats.events
        )


async def run(
    names: list[str],
    *,
    fast: bool = False,
    out: Path,
    console: Console | None = None,
    scripts: Mapping[str, Scenario] | None = None,
) -> int:
    """
    Run the demo over the providers of those names.

    Args:
        names: Which providers.
        fast: Whether to run as fast as it goes.
        out: Where the replies are written.
        console: Where it is shown.
        scripts: For providers whose conversation shall be another one.

    Returns 0 where every stream was legal and all the folded streams agree, else 1.
    """
    console = console or Console(highlight=False)
    script = scenario()
    scripts = dict.fromkeys(names, script) | dict(scripts or {})
    clock = ManualClock()
    console.print(f"[bold]{script.about}[/]")
    console.print("Simulated on loopback. · control  ▸ content  * concluded, not said\n")
    console.print(_table(["", *(f"[bold]{load(name).label}[/]" for name in names)]))
    async with AsyncExitStack() as stack:
        legs = [await _leg(stack, name, scripts[name], clock) for name in names]
        await _converse(legs, clock, console, fast=fast)
        for leg in legs:
            await leg.session.close()
    return _verdict(names, legs, out, console)


async def _leg(stack: AsyncExitStack, name: str, script: Scenario, clock: ManualClock) -> _Leg:
    provider = load(name)
    simulator = await stack.enter_async_context(Simulator(provider, script, clock=clock))
    session = await stack.enter_async_context(
        unirt.connect(
            provider,
            instructions=script.session.instructions,
            tools=script.session.tools,
            environ=simulator.env,
            env_file=None,
            clock=clock,
        )
    )
    return _Leg(session, simulator.connections[-1], script)


async def _converse(legs: list[_Leg], clock: ManualClock, console: Console, *, fast: bool) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    readers = [asyncio.create_task(leg.read()) for leg in legs]
    try:
        for block in itertools.count(1):
            for leg in legs:
                await leg.report()
                await leg.block()
            await _settle(legs, clock.now())
            clock.advance(_BLOCK_S)
            await _settle(legs, clock.now())
            over = all(leg.done for leg in legs) or clock.now() > _LONGEST_S
            if over or block % _SHOW_EVERY == 0:
                _show(legs, clock.now(), console)
            if over:
                return
            due += _BLOCK_S
            await asyncio.sleep(0 if fast else max(0.0, due - loop.time()))
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


async def _settle(legs: list[_Leg], now: float) -> None:
    async with asyncio.timeout(_SETTLE_S):
        while not all(leg.settled(now) for leg in legs):
            await asyncio.sleep(0)


def _show(legs: list[_Leg], now: float, console: Console) -> None:
    columns = [list(merged(leg.events[leg.shown :])) for leg in legs]
    for leg in legs:
        leg.shown = len(leg.events)
    if not any(columns):
        return
    lines = enumerate(itertools.zip_longest(*columns, fillvalue=""))
    console.print(_table(*([f"{now:6.2f}s" if n == 0 else "", *row] for n, row in lines)))


def _table(*rows: list[str]) -> Table:
    """Times, and a column for each provider."""
    table = Table(box=None, show_header=False, padding=(0, 1), expand=True)
    table.add_column(width=7, style="dim", no_wrap=True)
    for _ in rows[0][1:]:
        table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _verdict(names: list[str], legs: list[_Leg], out: Path, console: Console) -> int:
    console.print("\n[bold]Folded: one stream of content a conversation[/]")
    outlines = [outline(fold(leg.events)) for leg in legs]
    for n, entries in enumerate(itertools.zip_longest(*outlines)):
        same = all(entry == entries[0] for entry in entries)
        lines = {describe_step(entry) if entry else "(nothing)" for entry in entries}
        console.print(f"  {'[green]=[/]' if same else '[red]≠[/]'} {n + 1:2} {' | '.join(lines)}")
    for name, leg in zip(names, legs, strict=True):
        check(leg.events, complete=True)
        for n, reply in enumerate(leg.replies.values(), 1):
            path = out / f"{name}-reply-{n}.wav"
            write_wav(path, bytes(reply), unirt.PCM16_24K)
            console.print(f"  wrote {path}")
    explained = _explain(legs, console)
    if not explained or any(other != outlines[0] for other in outlines):
        console.print("[bold red]The streams differ.[/]")
        return 1
    if not outlines[0] or not any(entry["heard_ms"] for entry in outlines[0]):
        console.print("[bold red]The conversation did not happen as written.[/]")
        return 1
    verb = "agree" if len(legs) > 1 else "is legal and complete"
    console.print(f"[bold green]The folded stream{'s' if len(legs) > 1 else ''} {verb}.[/]")
    return 0


def _explain(legs: list[_Leg], console: Console) -> bool:
    first, *others = legs
    unexplained = []
    for other in others:
        both = (first.events, other.events, first.capabilities, other.capabilities)
        console.print("\n[bold]Kept: where the providers differ, and why[/]")
        for row in rows(*both):
            console.print(f"  {row}")
        unexplained += differences(*both)
    for line in unexplained:
        console.print(f"  [red]no fact explains: {line}[/]")
    return not unexplained
