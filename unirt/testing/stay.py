"""
Stays: conversations that keep to one connection, in which the session does something by itself.

It runs tools, holds limits, finds turns by what it hears, and changes settings in place. That is no
matter of two translators, so a stay is held by a real session, as a journey is, by the same
:func:`unirt.testing.travel.travel`: a :class:`~unirt.testing.journey.Journey` that goes nowhere.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from unirt.audio import PCM16_16K
from unirt.budget import Bound, Budget
from unirt.capabilities import Change
from unirt.clock import Clock
from unirt.config import LocalVAD
from unirt.errors import ToolError
from unirt.provider import Provider
from unirt.simulator import loads
from unirt.testing.journey import Journey, Move, Way
from unirt.tools import tool

__all__ = ["STAYS", "keeps", "loud"]

_LOUD = 0.02
"More than this is speech; silence is none."


def loud(window: bytes) -> float:
    """A detector that takes for speech what is not silence."""
    return float(max(map(abs, array("f", window)), default=0.0) > _LOUD)


def keeps(provider: Provider, journey: Journey, model: str | None = None) -> Way | None:
    """How a stay is held with a model; ``None`` where its change needs another connection."""
    facts = provider.capabilities(model or provider.default_model)
    asked = {} if journey.move is None else journey.move.changes
    if any(facts.changing(name).change is not Change.IN_PLACE for name in asked):
        return None
    return Way(first=provider, second=provider, model=model)


async def _pass(clock: Clock, seconds: float) -> None:
    await clock.sleep_until(round(clock.now() + seconds, 6))  # in whole microseconds, everywhere


def _tools(clock: Clock) -> Mapping[str, Any]:
    @tool(blocking=True)
    async def get_weather(city: str) -> dict[str, Any]:
        """Tell the weather in a city."""
        await _pass(clock, 0.7)
        return {"city": city, "celsius": 14}

    @tool(blocking=True)
    async def get_time(city: str) -> str:
        """Tell the time in a city."""
        raise ToolError("no clock there")

    return {"tools": [get_weather, get_time]}


def _slow_tool(clock: Clock) -> Mapping[str, Any]:
    @tool(blocking=True)
    async def book_table(seats: int) -> str:
        """Book a table."""
        await _pass(clock, 60.0)
        return "booked"

    return {"tools": [book_table]}


def _tokens(clock: Clock) -> Mapping[str, Any]:
    return {"budget": Budget(tokens=Bound(100, warn_at=0.3))}


def _idle(clock: Clock) -> Mapping[str, Any]:
    return {"budget": Budget(idle=Bound(6.0, warn_at=0.5))}


def _ears(clock: Clock) -> Mapping[str, Any]:
    return {"turn_detection": LocalVAD(), "detector": loud, "audio_in": PCM16_16K}


def _nothing(clock: Clock) -> Mapping[str, Any]:
    return {}


_BRIEF = "Be brief."

_STAYS: Mapping[str, tuple[Callable[[Clock], Mapping[str, Any]], Move | None]] = {
    "own_tools": (_tools, None),
    "own_tool_called_off": (_slow_tool, None),
    "out_of_tokens": (_tokens, None),
    "out_of_patience": (_idle, None),
    "own_ears": (_ears, None),
    "update_in_place": (
        _nothing,
        Move(why="update", after="ResponseDone", instructions=_BRIEF),
    ),
    "update_deferred": (
        _nothing,
        Move(why="update", after="AudioDelta", count=5, instructions=_BRIEF),
    ),
}


def _stays() -> Mapping[str, Journey]:
    folder = files("unirt.testing") / "stays"
    found = {}
    for name, (own, move) in _STAYS.items():
        text = (folder / f"{name}.toml").read_text("utf-8")
        scenario = loads(text, name=name, where=f"{name}.toml")
        found[name] = Journey(name=name, scenario=scenario, move=move, own=own)
    return found


STAYS = _stays()
"Those that come with unirt, by name."
