"""
Records the scenarios from live providers, and reports what differs from the simulators.

    python cassettes/live.py FOLDER

Every provider that has a key in the environment is asked; that costs a few cents. The cassettes go
to FOLDER and the report to the terminal: kinds of frames, their order, and their fields, but never
values, for no two conversations have the same words. What differs is what a simulator gets wrong.

The application of a scenario is driven by a clock and by what it hears, as it is in the simulator;
when everything is silent for a while, its next action has come.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

import unirt
from unirt import Event, SessionConfig
from unirt.cassettes import Cassette, Framed, read
from unirt.commands import AppendAudio
from unirt.config import Manual
from unirt.errors import UnirtError
from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.session import Session
from unirt.simulator.player import Player
from unirt.simulator.scenario import Action, Scenario, Silence, Speak
from unirt.simulator.script import builtin, builtin_names
from unirt.simulator.voice import load_wav, silence, speech

__all__ = ["differences", "hold", "main", "record"]

FOLDER = Path(__file__).parent
_TICK_S = 0.02
_LIMIT_S = 120.0
"No conversation may take longer."


# Recording.


async def record(
    provider: Provider, scenario: Scenario, path: Path, *, quiet_s: float = 2.0, **options: Any
) -> None:
    """
    Hold one scenario's conversation, and write it to a cassette.

    Args:
        provider: Whom to ask.
        scenario: What its application does; the server does as it likes.
        path: The cassette.
        quiet_s: How long nothing must come until everything is silent.
        options: More for ``connect()``.
    """
    with unirt.cassette(
        path, mode="rewrite", audio="silence", notes={"scenario": scenario.name}, http=False
    ):
        async with unirt.connect(provider, **_asked(scenario.session), **options) as session:
            with contextlib.suppress(unirt.ConnectionLost, unirt.SessionClosedError):
                await hold(session, scenario, quiet_s=quiet_s)


def _asked(config: SessionConfig) -> dict[str, Any]:
    names = [field.name for field in attrs.fields(SessionConfig)]
    return {name: value for name in names if (value := getattr(config, name)) is not None}


async def hold(session: Session, scenario: Scenario, *, quiet_s: float) -> None:
    """Do what a scenario's application does, in real time."""
    application = _Application(session, scenario, quiet_s)
    listening = asyncio.create_task(application.listen())
    try:
        async with asyncio.timeout(_LIMIT_S):
            await application.act()
    finally:
        listening.cancel()
        await asyncio.wait({listening})


class _Application:
    def __init__(self, session: Session, scenario: Scenario, quiet_s: float) -> None:
        self._session = session
        self._scenario = scenario
        self._quiet_s = quiet_s
        self._actions = deque(scenario.actions)
        self._microphone: deque[bytes] = deque()
        self._player = Player()
        self._seen: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._began = self._last = self._loop.time()
        self._format = session.config.input_format or session.capabilities.input_format
        manual = isinstance(session.config.turn_detection, Manual)
        spoken = any(isinstance(action.do, Speak | Silence) for action in scenario.actions)
        self._open_microphone = spoken and not manual

    async def listen(self) -> None:
        async for event in self._session:
            self._last = self._loop.time()
            self._seen.add(type(event).__name__)
            self._player.take(event)
            await self._answer(event)

    async def _answer(self, event: Event) -> None:
        match event:
            case unirt.ToolCall(name=name, call_id=call_id) if name in self._scenario.answers:
                await self._session.send_tool_result(call_id, self._scenario.answers[name])
            case _:
                pass

    async def act(self) -> None:
        while not self._session.closed:
            self._player.advance(round((self._loop.time() - self._began) * 1_000_000))
            while self._actions and self._come(self._actions[0]):
                self._seen.clear()
                await self._do(self._actions.popleft())
                self._last = self._loop.time()
            if not self._actions and self._silent:
                return
            await self._record()
            await asyncio.sleep(_TICK_S)

    @property
    def _silent(self) -> bool:
        quiet = self._loop.time() - self._last >= self._quiet_s
        return quiet and not self._microphone and not self._player.playing

    def _come(self, action: Action) -> bool:
        if self._microphone:
            return False
        if action.heard_ms is not None:
            return self._player.newest_ms >= action.heard_ms
        if action.after == "idle":
            return self._silent
        return action.after == "now" or action.after in self._seen

    async def _do(self, action: Action) -> None:
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
                await self._session.send(command)

    def _speak(self, sound: bytes) -> None:
        size = self._format.bytes_for(_TICK_S * 1000)
        quiet = silence(_TICK_S * 1000, self._format)
        for start in range(0, len(sound), size):
            piece = sound[start : start + size]
            self._microphone.append(piece + quiet[len(piece) :])

    async def _record(self) -> None:
        if self._microphone:
            await self._session.send(AppendAudio(data=self._microphone.popleft()))
        elif self._open_microphone:
            await self._session.send(AppendAudio(data=silence(_TICK_S * 1000, self._format)))


# The report.


def differences(live: Cassette, simulated: Cassette) -> list[str]:
    """How what a provider sends differs from what its simulator does: kinds, order, fields."""
    one, other = _kinds(live), _kinds(simulated)
    found = [f"only live: {kind}" for kind in one if kind not in other]
    found += [f"only simulated: {kind}" for kind in other if kind not in one]
    common = [kind for kind in one if kind in other]
    order = [kind for kind in other if kind in one]
    if common != order:
        found.append(f"first seen live in the order {common}, simulated {order}")
    for kind in common:
        for fields, where in (
            (one[kind] - other[kind], "live"),
            (other[kind] - one[kind], "simulated"),
        ):
            found += [f"{kind}: {field} only {where}" for field in sorted(fields)]
    return found


def _kinds(cassette: Cassette) -> dict[str, set[str]]:
    """The kinds of frames that are received, in order of appearance, each with all its fields."""
    kinds: dict[str, set[str]] = {}
    for entry in cassette.entries:
        if isinstance(entry, Framed) and entry.direction == "received":
            kinds.setdefault(_kind(entry.data), set()).update(_fields(entry.data, ""))
    return kinds


def _kind(data: Any) -> str:
    """A frame's type, or what stands in for one: its keys, one of each nested level."""
    if not isinstance(data, dict):
        return "no JSON object"
    if isinstance(data.get("type"), str):
        return str(data["type"])
    return "+".join(
        f"{key}.{'+'.join(inner)}" if isinstance(inner, dict) and inner else key
        for key, inner in data.items()
    )


def _fields(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}" if path else key
            yield from _fields(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, f"{path}[]")


def _with_keys(environ: Mapping[str, str]) -> Iterator[Provider]:
    for provider in map(load, installed()):
        if any(environ.get(variable.name) for variable in provider.env if variable.required):
            yield provider


def main(arguments: list[str]) -> int:
    """Record everything that there is a key for, and report."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder, providers = Path(arguments[0]), list(_with_keys(os.environ))
    for provider in providers:
        for name in builtin_names():
            simulated = FOLDER / provider.name / f"{name}.jsonl"
            if not simulated.exists():
                continue
            path = folder / provider.name / f"{name}.jsonl"
            try:
                asyncio.run(record(provider, builtin(name), path))
            except UnirtError as exc:
                print(f"{provider.name} {name}: {exc}")
                continue
            for line in differences(read(path), read(simulated)):
                print(f"{provider.name} {name}: {line}")
    if not providers:
        print("no provider has a key in the environment", file=sys.stderr)
    return 0 if providers else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
