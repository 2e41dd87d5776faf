"""Tool calls of the composer: each is whole, told once, answered or taken back."""

from typing import Any

import pytest

from tests.unirt.composing import kinds
from unirt import events as ev
from unirt.composer import Composer
from unirt.events import Ending, StreamKind


def call(composer: Composer, call_id: str | None, item: str = "i2") -> Any:
    response = composer.response_started("r1")
    return composer.tool_call(
        response, item, call_id=call_id, name="f", arguments='{"a":1}', args={"a": 1}
    )


def test_a_call_is_whole_then_closed(composer: Composer) -> None:
    call(composer, "c1")
    opened, delta, whole, closed = composer.events_received()[2:]

    assert isinstance(opened, ev.StreamOpened)
    assert isinstance(delta, ev.ToolCallDelta)
    assert isinstance(whole, ev.ToolCall)
    assert (whole.call_id, whole.name, whole.args) == ("c1", "f", {"a": 1})
    assert isinstance(closed, ev.StreamClosed)
    assert closed.text == '{"a":1}'


def test_one_call_id_runs_once(composer: Composer) -> None:
    assert call(composer, "c1") is not None
    assert call(composer, "c1", item="i3") is None
    assert kinds(composer.events_received()).count("ToolCall") == 1


def test_an_invented_call_id_is_known_as_invented(composer: Composer) -> None:
    made = call(composer, None)

    assert made.id
    assert made.wire_id is None


def test_cancelled_calls_are_told_once_and_answered_ones_never(composer: Composer) -> None:
    call(composer, "c1")
    call(composer, "c2", item="i3").answered = True
    composer.events_received()
    composer.cancel_calls(["c1", "c2"])
    composer.cancel_calls(["c1"])
    told, noted = composer.events_received()

    assert isinstance(told, ev.ToolCallCancelled)
    assert told.call_ids == ("c1",)
    assert isinstance(noted, ev.Noted)
    assert composer.pending_calls() == []


@pytest.mark.parametrize(
    ("result", "ending"),
    [({"output": "found"}, Ending.COMPLETE), ({"error": "no"}, Ending.FAILED)],
)
def test_a_server_side_tool_closes_with_its_result(
    composer: Composer, result: dict[str, Any], ending: Ending
) -> None:
    response = composer.response_started("r1")
    composer.server_tool_result(response, "i1", name="search", **result)
    told, closed = composer.events_received()[-2:]

    assert isinstance(told, ev.ServerToolResult)
    assert (told.output, told.error) == (result.get("output"), result.get("error"))
    assert isinstance(closed, ev.StreamClosed)
    assert (closed.ending, closed.synthesised) == (ending, True)


def test_a_call_keeps_the_id_that_its_stream_was_opened_with(composer: Composer) -> None:
    response = composer.response_started("r1")
    composer.open(response, StreamKind.TOOL_CALL, "i1", call_id="mine", name="f")
    made = composer.tool_call(response, "i1", call_id=None, name="f", arguments="{}", args={})

    assert made is not None
    assert (made.id, made.wire_id) == ("mine", None)
    whole = composer.events_received()[-2]
    assert isinstance(whole, ev.ToolCall)
    assert whole.call_id == "mine"


def test_what_is_told_twice_is_noted(composer: Composer) -> None:
    call(composer, "c1")
    call(composer, "c1", item="i3")
    assert kinds(composer.events_received())[-1] == "Noted"


def test_cancelled_calls_know_what_they_belonged_to(composer: Composer) -> None:
    call(composer, "c1")
    composer.cancel_calls(["c1", "nobody's"])
    told = composer.events_received()[-1]

    assert isinstance(told, ev.ToolCallCancelled)
    assert (told.call_ids, told.response_id) == (("c1", "nobody's"), "r1")
    composer.cancel_calls(["elsewhere"])
    assert composer.events_received()[-1].response_id is None
