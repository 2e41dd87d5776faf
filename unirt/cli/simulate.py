"""``unirt simulate``: a simulator in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

from rich.console import Console

from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import load as load_scenario

__all__ = ["run"]


async def run(
    name: str, *, port: int = 0, script: Path | None = None, console: Console | None = None
) -> None:
    """Serve until interrupted; print where, and how to point a client at it."""
    console = console or Console()
    scenario = load_scenario(script) if script is not None else None
    provider = load(name)
    async with Simulator(provider, scenario, port=port) as simulator:
        console.print(f"[bold]{provider.label}[/] simulator on {simulator.url}")
        console.print("Point a client at it with:")
        for variable, value in simulator.env.items():
            console.print(f"  export {variable}={value}", highlight=False, soft_wrap=True)
        console.print("Stop with Ctrl-C.")
        await _interrupted()
    console.print("stopped")


async def _interrupted() -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on loops
            loop.add_signal_handler(number, stop.set)
    await stop.wait()
