"""
What a session does by itself in :mod:`stays <unirt.testing.stay>` and
:mod:`journeys <unirt.testing.journey>`, as arguments of ``connect()``: tools, limits, ears.

Each is made of the clock that the session has, so that a tool takes its time on it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import Any

from unirt.audio import PCM16_16K
from unirt.budget import Budget
from unirt.clock import Clock
from unirt.config import LocalVAD
from unirt.errors import ToolError
from unirt.tools import tool

__all__ = ["Own", "ears", "limits", "loud", "nothing", "slow_tool", "tools"]

Own = Callable[[Clock], Mapping[str, Any]]

_LOUD = 0.02
"More than this is speech; silence is none."


def loud(window: bytes) -> float:
    """A detector that takes for speech what is not silence."""
    return float(max(map(abs, array("f", window)), default=0.0) > _LOUD)


async def _pass(clock: Clock, seconds: float) -> None:
    await clock.sleep_until(round(clock.now() + seconds, 6))  # in whole microseconds, everywhere


def nothing(clock: Clock) -> Mapping[str, Any]:
    """Nothing of its own."""
    return {}


def ears(clock: Clock) -> Mapping[str, Any]:
    """Turns that the session finds."""
    return {"turn_detection": LocalVAD(), "detector": loud, "audio_in": PCM16_16K}


def limits(**bounds: Any) -> Own:
    """Limits that the session holds: those of a :class:`~unirt.budget.Budget`."""
    return lambda clock: {"budget": Budget(**bounds)}


def tools(clock: Clock) -> Mapping[str, Any]:
    """Two tools that the model waits for; one of them fails."""

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


def slow_tool(clock: Clock) -> Mapping[str, Any]:
    """A tool that takes a minute."""

    @tool(blocking=True)
    async def book_table(seats: int) -> str:
        """Book a table."""
        await _pass(clock, 60.0)
        return "booked"

    return {"tools": [book_table]}
