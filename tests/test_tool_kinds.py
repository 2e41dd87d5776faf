"""
Whatever an application has is a tool of any provider: functions and models, declared and called.

The simulators say what was declared to them, and call it with what a model would send.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, Field

import unirt
from tests.pace import FAST
from tests.talking import Reader
from unirt import commands as cmd
from unirt.registry import installed, load
from unirt.simulator import Simulator, loads


class Seat(BaseModel):
    """Where somebody sits."""

    row: int = Field(description="Counted from the stage.")


class Booking(BaseModel):
    """Seats for an evening."""

    day: date
    seats: list[Seat]


@unirt.tool
def plain(seat: Seat, day: date) -> str:
    """Look at a seat."""
    return f"row {seat.row} in {day.year}"


@unirt.tool
async def waiting(row: int) -> dict[str, Any]:
    """Look at a row."""
    return {"row": row}


@unirt.tool(model=Booking)
def book(booking: Booking) -> str:
    return f"{[seat.row for seat in booking.seats]} in {booking.day.year}"


CALLING = loads("""
    [[reply]]
    cue = "text"
    steps = [
        { call = "plain", args = { seat = { row = 4 }, day = "2026-11-27" } },
        { call = "waiting", args = { row = 7 } },
        { call = "book", args = { day = "2026-11-27", seats = [{ row = 1 }, { row = 2 }] } },
        { call = "Booking", args = { day = "2026-11-27", seats = [] } },
    ]

    [[reply]]
    cue = "tool_result"
    steps = [{ say = "That is that." }]
""")

SEAT = {
    "type": "object",
    "properties": {"row": {"type": "integer", "description": "Counted from the stage."}},
    "required": ["row"],
}


@pytest.mark.parametrize("provider", installed())
async def test_functions_and_models_are_declared_and_called(provider: str) -> None:
    tools: list[Any] = [plain, waiting, book, Booking]
    async with (
        Simulator(load(provider), CALLING, pace=FAST) as simulator,
        unirt.connect(provider, tools=tools, environ=simulator.env, env_file=None) as session,
    ):
        reader = Reader(session)
        await session.send_text("Book something.")
        for call in await reader.many(unirt.ToolCall, 4):
            if call.name == "Booking":
                await session.send_tool_result(call.call_id, "by hand")
        await reader.many(unirt.ToolFinished, 3)
        await reader.until(lambda: [e for e in reader.of(unirt.ResponseDone) if e.audio_ms])
        line = simulator.connections[-1]
    await reader.done()

    results = [c.output for c in line.commands if type(c) is cmd.SendToolResult]
    assert sorted(str(result) for result in map(parsed, results)) == sorted(
        ["row 4 in 2026", "{'row': 7}", "[1, 2] in 2026", "by hand"]
    )
    told = line.server.config.tools or ()
    declared = {tool.name: tool for tool in told if isinstance(tool, unirt.Tool)}
    assert list(declared) == ["plain", "waiting", "book", "Booking"]
    assert (
        declared["book"].description == declared["Booking"].description == "Seats for an evening."
    )
    seat = seat_of(declared["plain"].parameters)
    assert seat == (in_upper_case(SEAT) if provider == "google" else SEAT)


def parsed(output: Any) -> Any:
    return json.loads(output) if isinstance(output, str) and output[0] == "{" else output


def seat_of(parameters: Any) -> Any:
    """What was declared of the seat, wherever in the schema it is."""
    seat = parameters["properties"]["seat"]
    if "$ref" in seat:
        seat = parameters["$defs"][seat["$ref"].rpartition("/")[2]]
    return {key: seat[key] for key in SEAT}


def in_upper_case(schema: Any) -> Any:
    """The same schema with its types as one protocol spells them."""
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.upper() if key == "type" else in_upper_case(value)
        for key, value in schema.items()
    }
