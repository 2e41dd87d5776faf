"""What tests of holding on to a provider need: simulators that hang up, and who talks to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import unirt
from tests.talking import Reader
from unirt import commands as cmd
from unirt.commands import Command
from unirt.registry import load
from unirt.simulator import Scenario, Simulator
from unirt.simulator.script import loads

__all__ = ["AT_ONCE", "NAMES", "Talk", "answers", "ask", "hangs_up", "said"]

NAMES = ["openai", "google"]
AT_ONCE = unirt.Reconnect(first_wait=0.0, jitter=0.0)


def answers(*texts: str, then: str = "") -> Scenario:
    replies = "".join(
        f'[[reply]]\ncue = "text"\nsteps = [{{ say = "{text}", ms = 300 }}]\n' for text in texts
    )
    return loads(f"[pace]\nspeed = 50\n{replies}{then}")


def hangs_up(code: int, reason: str = "") -> str:
    return f"""
        [[reply]]
        cue = "text"
        steps = [{{ close = {code}, reason = "{reason}" }}]
    """


class Talk:
    """One simulator, whose every connection has a scenario of its own, and a session with it."""

    def __init__(self, name: str, *scenarios: Scenario, **more: Any) -> None:
        self.simulator = Simulator(load(name), scenarios or None, log=True)
        self.more = {"reconnect": AT_ONCE, "env_file": None, **more}

    async def __aenter__(self) -> tuple[unirt.Session, Reader, Simulator]:
        await self.simulator.__aenter__()
        arguments = {"environ": self.simulator.env, **self.more}
        self.connecting = unirt.connect(self.simulator.provider, **arguments)
        self.session = await self.connecting.__aenter__()
        self.reader = Reader(self.session)
        return self.session, self.reader, self.simulator

    async def __aexit__(self, *exc: Any) -> None:
        await self.session.close()
        await self.simulator.__aexit__(None, None, None)
        if exc[0] is None:
            await self.reader.done()


async def ask(reader: Reader, text: str = "Hi") -> None:
    answers = len(reader.of(unirt.ResponseDone))
    await reader.session.send_text(text)
    await reader.many(unirt.ResponseDone, answers + 1)
    reader.session.playback.played(10_000)


def said(commands: Iterable[Command]) -> list[str]:
    """What a server was told of the conversation, in whatever words its protocol has for it."""
    texts: list[str] = []
    for command in commands:
        match command:
            case cmd.SeedHistory():
                texts += [item.text for item in command.items]
            case cmd.CreateItem():
                texts.append(command.item.text)
            case cmd.SendText():
                texts.append(command.text)
            case _:
                pass
    return texts
