"""Results of tools: the frames that each becomes, and how often a call is answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.openai_sending import CALLED, CREATE
from unirt import commands as cmd
from unirt.errors import UnirtError, UnsupportedCommand, UsageError
from unirt.items import Item, ItemKind


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ({"output": "plain"}, "plain"),
        ({"output": {"a": 1}}, '{"a": 1}'),
        ({"output": None}, "null"),
        ({"error": "broke"}, '{"error": "broke"}'),
    ],
)
def test_a_result_becomes_text(openai_wire: Any, command: dict[str, Any], output: str) -> None:
    wire = openai_wire()
    wire.hear(*CALLED)
    item, create = wire.send(cmd.SendToolResult(call_id="k1", **command))
    assert item["item"] == {
        "id": "u_item_1",
        "type": "function_call_output",
        "call_id": "k1",
        "output": output,
    }
    assert create == CREATE


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (cmd.SendToolResult(call_id="k1", output=object()), UsageError),
        (cmd.SendToolResult(call_id="k1", more_follows=True), UnsupportedCommand),
    ],
)
def test_a_result_that_cannot_be_sent_leaves_the_call_open(
    openai_wire: Any, command: cmd.Command, error: type[UnirtError]
) -> None:
    wire = openai_wire()
    wire.hear(*CALLED)
    with pytest.raises(error):
        wire.send(command)
    assert len(wire.send(cmd.SendToolResult(call_id="k1", output="x"))) == 2


def test_a_call_is_answered_once(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(*CALLED)
    wire.send(cmd.SendToolResult(call_id="k1", output="x"))
    with pytest.raises(UsageError, match="already"):
        wire.send(cmd.SendToolResult(call_id="k1", output="x"))


def test_a_call_that_was_answered_by_an_item_is_answered(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(*CALLED)
    item = Item(kind=ItemKind.TOOL_RESULT, call_id="k1", output="x")
    assert len(wire.send(cmd.CreateItem(item=item))) == 1
    with pytest.raises(UsageError, match="already"):
        wire.send(cmd.SendToolResult(call_id="k1", output="x"))


def test_the_result_of_a_call_that_was_created_may_be_seeded(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.send(
        cmd.CreateItem(
            item=Item(kind=ItemKind.TOOL_CALL, call_id="c9", name="look", arguments="{}")
        )
    )
    result = Item(kind=ItemKind.TOOL_RESULT, call_id="c9", output="fine")
    (frame,) = wire.send(cmd.SeedHistory(items=(result,)))
    assert frame["item"]["type"] == "function_call_output"
    assert frame["item"]["call_id"] == "c9"
