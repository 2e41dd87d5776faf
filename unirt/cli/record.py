"""
``unirt record``: a conversation to a cassette.

Against a simulator the time is virtual: 20 ms pass when both ends have digested the 20 ms before.
So a recording takes no longer than its work, and its times do not depend on the machine. Against a
provider time is real, and so is the bill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

import unirt
from unirt.cassettes import Cassette, Framed, Origin, read
from unirt.cli.application import Application, arguments_of, in_real_time, settle
from unirt.cli.calls import new_file
from unirt.cli.show import merged
from unirt.cli.sound import BLOCK_MS
from unirt.clock import Clock, ManualClock
from unirt.commands import SendText
from unirt.connect import Connecting
from unirt.errors import ConfigurationError, DialError
from unirt.registry import load
from unirt.simulator import Scenario, Simulator
from unirt.simulator.scenario import Action, Speak
from unirt.simulator.script import builtin, builtin_names
from unirt.simulator.script import load as load_scenario
from unirt.sound import read_wav

__all__ = ["run", "scenario_named", "spoken"]

_PATIENCE_MS = 30_000.0
"How long to wait for a provider to answer."


def run(
    out: Path,
    inputs: list[str],
    *,
    simulator: str | None = None,
    scenario: str | None = None,
    instructions: str | None = None,
    audio: str | float = "keep",
    force: bool = False,
    console: Console | None = None,
) -> int:
    """
    Hold the conversation and write it; returns the exit status.

    Args:
        out: The file.
        inputs: What to say, in order: texts, and names of WAV files.
        simulator: Whose protocol to simulate; ``None`` to go live, as the settings say.
        scenario: What to say instead: the name or the file of a scenario.
        instructions: For the model.
        audio: What to record of it, as in :func:`unirt.cassette`.
        force: Whether a file that is there is thrown away.

    Raises:
        ConfigurationError: Something of it cannot work.
        CassetteError: The cassette cannot be written.
    """
    console = console or Console(highlight=False)
    script = _script(inputs, scenario)
    new_file(out, force=force)
    recording = _Recording(script, instructions, console)
    if simulator is not None:
        clock = ManualClock()
        tape = unirt.cassette(
            out, mode="rewrite", audio=audio, clock=clock, origin=Origin.SIMULATOR,
            notes={} if scenario is None else {"scenario": script.name},
        )  # fmt: skip
        with tape:
            told = asyncio.run(recording.simulated(simulator, clock, improvise=scenario is None))
    else:
        with unirt.cassette(out, mode="rewrite", audio=audio):
            told = asyncio.run(recording.live())
    for line in told:
        console.print(line, markup=False)
    if not out.exists():
        console.print(f"[red]nothing was connected, so there is no {out}[/]")
        return 1
    console.print(f"wrote {out}: {_summary(read(out))}", markup=False)
    return recording.status


def scenario_named(name: str) -> Scenario:
    """
    A scenario that comes with unirt, or one in a file.

    Raises:
        ConfigurationError: There is neither.
    """
    if name.endswith(".toml") or "/" in name:
        return load_scenario(name)
    if name in builtin_names():
        return builtin(name)
    raise ConfigurationError(
        f"there is no scenario {name!r}",
        where="--scenario",
        remedy=f"name a file that ends in .toml, or one of {', '.join(builtin_names())}",
    )


def spoken(inputs: list[str]) -> tuple[Action, ...]:
    """
    What an application does to say some texts and WAV files, each when the one before is answered.

    Raises:
        ConfigurationError: A file is none.
    """
    return tuple(Action(do=_said(what)) for what in inputs)


def _said(what: str) -> SendText | Speak:
    if not what.lower().endswith(".wav"):
        return SendText(text=what)
    read_wav(Path(what))  # so that a wrong one is told before anything is dialled
    return Speak(wav=Path(what))


def _script(inputs: list[str], scenario: str | None) -> Scenario:
    if scenario is not None and inputs:
        raise ConfigurationError(
            "a scenario says itself what is said",
            where="--scenario",
            remedy="leave one of them out",
        )
    if scenario is not None:
        return scenario_named(scenario)
    if not inputs:
        raise ConfigurationError(
            "nothing is to be said",
            where="unirt record",
            remedy="name texts or WAV files after the file to write, or a --scenario",
        )
    return Scenario(name="inputs", actions=spoken(inputs))


def _summary(cassette: Cassette) -> str:
    frames = [entry for entry in cassette.entries if isinstance(entry, Framed)]
    sent = sum(entry.direction == "sent" for entry in frames)
    seconds = cassette.entries[-1].at_ms / 1000
    return f"{sent} frames sent, {len(frames) - sent} received, {seconds:.1f} s"


class _Recording:
    """One conversation, while it is recorded."""

    def __init__(self, script: Scenario, instructions: str | None, console: Console) -> None:
        self.status = 0
        self._script = script
        self._instructions = instructions
        self._console = console
        self._shown = 0

    async def simulated(self, name: str, clock: ManualClock, *, improvise: bool) -> list[str]:
        """Talk to a simulator, which improvises or does its side of the scenario."""
        provider = load(name)
        scenario = None if improvise else self._script
        async with Simulator(provider, scenario, clock=clock) as simulator:

            def application(session: unirt.Session) -> Application:
                return Application(session, self._script, simulator.connections[-1])

            async def live(app: Application) -> None:
                while not app.done:
                    await app.block()
                    await settle([app], clock)
                    clock.advance(BLOCK_MS / 1000)
                    await settle([app], clock)
                    self._show(app)

            connecting = self._connecting(provider.name, clock, simulator.env)
            return await self._converse(connecting, application, live)

    async def live(self) -> list[str]:
        """Talk to the provider that the settings choose, in real time."""

        def application(session: unirt.Session) -> Application:
            return Application(session, self._script, patience_ms=_PATIENCE_MS)

        async def live(app: Application) -> None:
            await in_real_time(app, lambda: self._show(app))

        return await self._converse(self._connecting(), application, live)

    def _connecting(
        self,
        provider: str | None = None,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Connecting:
        fields = arguments_of(self._script.session)
        if self._instructions is not None:
            fields["instructions"] = self._instructions
        if environ is not None:
            return unirt.connect(
                provider, clock=clock, environ=environ, env_file=None, reconnect=False, **fields
            )
        return unirt.connect(reconnect=False, **fields)

    async def _converse(
        self,
        connecting: Connecting,
        application: Callable[[unirt.Session], Application],
        live: Callable[[Application], Coroutine[Any, Any, None]],
    ) -> list[str]:
        """Do the whole conversation; returns what is to be told of its end."""
        try:
            async with connecting as session:
                app = application(session)
                reader = asyncio.create_task(app.read())
                try:
                    await live(app)
                finally:
                    await session.close()
                    await reader
        except DialError as exc:  # it is recorded all the same
            self.status = 1
            return [f"{exc}"]
        self._show(app, rest=True)
        if app.unfinished:
            self.status = 1
            return [app.unfinished]
        return [] if app.lost is None else [f"{app.lost}"]

    def _show(self, app: Application, *, rest: bool = False) -> None:
        """Show what was said since, when a response is done."""
        new = app.events[self._shown :]
        if rest or any(isinstance(event, unirt.ResponseDone) for event in new):
            self._shown = len(app.events)
            for line in merged(new):
                self._console.print(f"[dim]{line.replace('[', chr(92) + '[')}[/]")
