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
from collections.abc import Mapping
from contextlib import AsyncExitStack
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.table import Table

import unirt
from unirt.cli.application import Application, settle
from unirt.cli.show import describe_step, merged
from unirt.cli.sound import BLOCK_MS
from unirt.clock import ManualClock
from unirt.errors import ConfigurationError
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.scenario import Scenario
from unirt.simulator.script import loads
from unirt.sound import write_wav
from unirt.testing import check, differences, fold, outline, rows

__all__ = ["run", "speech_folder"]

_BLOCK_S = BLOCK_MS / 1000
_LONGEST_S = 90.0
"How long the conversation may last, in its own seconds."
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


async def _leg(
    stack: AsyncExitStack, name: str, script: Scenario, clock: ManualClock
) -> Application:
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
            reconnect=False,
        )
    )
    return Application(session, script, simulator.connections[-1])


async def _converse(
    legs: list[Application], clock: ManualClock, console: Console, *, fast: bool
) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    readers = [asyncio.create_task(leg.read()) for leg in legs]
    shown = [0] * len(legs)
    try:
        for block in itertools.count(1):
            for leg in legs:
                await leg.block()
            await settle(legs, clock)
            clock.advance(_BLOCK_S)
            await settle(legs, clock)
            over = all(leg.done for leg in legs) or clock.now() > _LONGEST_S
            if over or block % _SHOW_EVERY == 0:
                shown = _show(legs, shown, clock.now(), console)
            if over:
                return
            due += _BLOCK_S
            await asyncio.sleep(0 if fast else max(0.0, due - loop.time()))
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


def _show(legs: list[Application], shown: list[int], now: float, console: Console) -> list[int]:
    """Show what is new; returns how many events of each leg have been."""
    columns = [list(merged(leg.events[n:])) for leg, n in zip(legs, shown, strict=True)]
    shown = [len(leg.events) for leg in legs]
    if not any(columns):
        return shown
    lines = enumerate(itertools.zip_longest(*columns, fillvalue=""))
    console.print(_table(*([f"{now:6.2f}s" if n == 0 else "", *row] for n, row in lines)))
    return shown


def _table(*rows: list[str]) -> Table:
    """Times, and a column for each provider."""
    table = Table(box=None, show_header=False, padding=(0, 1), expand=True)
    table.add_column(width=7, style="dim", no_wrap=True)
    for _ in rows[0][1:]:
        table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _verdict(names: list[str], legs: list[Application], out: Path, console: Console) -> int:
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


def _explain(legs: list[Application], console: Console) -> bool:
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
