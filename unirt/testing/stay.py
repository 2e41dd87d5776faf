"""
Stays: conversations that keep to one connection, in which the session does something by itself.

It runs tools, holds limits, finds turns by what it hears, and changes settings in place. That is no
matter of two translators, so a stay is held by a real session, as a journey is, by the same
:func:`unirt.testing.travel.travel`: a :class:`~unirt.testing.journey.Journey` that goes nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files

from unirt.budget import Bound
from unirt.capabilities import Change
from unirt.provider import Provider
from unirt.simulator import loads
from unirt.testing import own
from unirt.testing.journey import Journey, Move, Way

__all__ = ["STAYS", "keeps"]


def keeps(provider: Provider, journey: Journey, model: str | None = None) -> Way | None:
    """How a stay is held with a model; ``None`` where its change needs another connection."""
    facts = provider.capabilities(model or provider.default_model)
    asked = {} if journey.move is None else journey.move.changes
    if any(facts.changing(name).change is not Change.IN_PLACE for name in asked):
        return None
    return Way(first=provider, second=provider, model=model)


_BRIEF = "Be brief."

_TOLD_ONLY = {
    "duration": Bound(4.0, warn_at=0.5, ends=False),
    "tokens": Bound(100, warn_at=0.3, ends=False),
    "cost": Bound(Decimal("0.02"), warn_at=0.005, ends=False),
    "idle": Bound(3.0, warn_at=0.5, ends=False),
}

_STAYS: Mapping[str, tuple[own.Own, Move | None]] = {
    "own_tools": (own.tools, None),
    "own_tool_called_off": (own.slow_tool, None),
    "out_of_tokens": (own.limits(tokens=Bound(100, warn_at=0.3)), None),
    "out_of_money": (own.limits(cost=Bound(Decimal("0.02"), warn_at=0.005)), None),
    "out_of_time": (own.limits(duration=Bound(6.0, warn_at=0.5)), None),
    "out_of_patience": (own.limits(idle=Bound(6.0, warn_at=0.5)), None),
    "limits_that_only_tell": (own.limits(**_TOLD_ONLY), None),
    "own_ears": (own.ears, None),
    "update_in_place": (
        own.nothing,
        Move(why="update", after="ResponseDone", instructions=_BRIEF),
    ),
    "update_deferred": (
        own.nothing,
        Move(why="update", after="AudioDelta", count=5, instructions=_BRIEF),
    ),
}


def _stays() -> Mapping[str, Journey]:
    folder = files("unirt.testing") / "stays"
    found = {}
    for name, (does, move) in _STAYS.items():
        text = (folder / f"{name}.toml").read_text("utf-8")
        scenario = loads(text, name=name, where=f"{name}.toml")
        found[name] = Journey(name=name, scenario=scenario, move=move, own=does)
    return found


STAYS = _stays()
"Those that come with unirt, by name."
