"""Results that are owed: when the last of a response went out, and whether it is answered."""

import pytest

from unirt import SendToolResult
from unirt.config import Scheduling
from unirt.session import owed
from unirt.session.owed import Owed


def owing(*calls: tuple[str, str | None]) -> Owed:
    made = Owed()
    for call_id, response_id in calls:
        made.add(call_id, response_id)
    return made


def test_the_last_result_of_a_response_settles_it() -> None:
    calls = owing(("a", "r1"), ("b", "r1"), ("c", "r2"))
    assert calls.settle(SendToolResult(call_id="a", output=1)) is None
    assert list(calls.responses) == ["r1", "r2"]
    assert calls.settle(SendToolResult(call_id="b", output=1)) == ("r1", True)
    assert calls.settle(SendToolResult(call_id="b", output=1)) is None
    assert calls


def test_more_to_follow_settles_nothing() -> None:
    calls = owing(("a", "r"))
    assert calls.settle(SendToolResult(call_id="a", output=1, more_follows=True)) is None
    assert list(calls.responses) == ["r"]


@pytest.mark.parametrize(
    ("more", "answered"),
    [
        ({"respond": False}, False),
        ({"scheduling": Scheduling.SILENT}, False),
        ({"scheduling": Scheduling.WHEN_IDLE}, False),
        ({"scheduling": Scheduling.INTERRUPT}, True),
    ],
)
def test_a_result_may_be_for_later(more: dict[str, object], answered: bool) -> None:
    calls = owing(("a", None))
    assert calls.settle(SendToolResult(call_id="a", output=1, **more)) == (None, answered)  # type: ignore[arg-type]  # of each its own
    assert not calls


def test_what_needs_no_result_is_dropped() -> None:
    calls = owing(("a", "r1"), ("b", "r2"))
    calls.drop(["a", "unknown"])
    assert list(calls.responses) == ["r2"]
    calls.clear()
    assert not calls


def test_what_is_remembered_is_bounded() -> None:
    calls = owing(*((f"c{n}", f"r{n}") for n in range(owed._REMEMBERED + 1)))
    assert len(calls.responses) == owed._REMEMBERED
    assert "r0" not in calls.responses
