"""Truncation on the wire: exact milliseconds, whatever players report, and whenever (field 6)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from unirt import commands as cmd
from unirt import events as ev
from unirt.errors import UsageError

SPEECH = {"type": "input_audio_buffer.speech_started", "audio_start_ms": 1, "item_id": "u2"}


def started(response: str) -> dict[str, Any]:
    return {"type": "response.created", "response": {"id": response, "conversation_id": "c"}}


def audio(response: str, item: str, ms: int) -> dict[str, Any]:
    data = base64.b64encode(bytes(48 * ms)).decode()
    ids = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
    return {"type": "response.output_audio.delta", "delta": data, **ids}


def item_done(response: str, item: str) -> dict[str, Any]:
    told = {"id": item, "type": "message", "role": "assistant", "status": "completed"}
    return {"type": "response.output_item.done", "response_id": response, "item": told}


def done(response: str) -> dict[str, Any]:
    return {"type": "response.done", "response": {"id": response, "status": "completed"}}


def truncated(frames: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """The truncations among frames; nothing may ever be truncated at 0."""
    cuts = [f for f in frames if f["type"] == "conversation.item.truncate"]
    assert all(f["audio_end_ms"] > 0 for f in cuts)
    return [(f["item_id"], f["audio_end_ms"]) for f in cuts]


def report(ms: float, response: str | None = None) -> cmd.ReportPlayback:
    return cmd.ReportPlayback(played_ms=ms, response_id=response)


def test_playback_that_runs_behind_is_truncated_although_the_next_response_runs(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.hear(started("r1"), audio("r1", "a", 5000), done("r1"))
    wire.hear(started("r2"), audio("r2", "b", 800))
    wire.send(report(1200, "r1"))
    cut = [e for e in wire.hear(SPEECH) if isinstance(e, ev.Interrupted)]

    assert [(e.response_id, e.generating, e.heard_ms) for e in cut] == [
        ("r1", False, 1200),
        ("r2", True, 0),
    ]
    assert truncated(wire.sent()) == [("a", 1200)]


def test_several_responses_in_a_row_are_each_cut_where_they_were(openai_wire: Any) -> None:
    wire = openai_wire()
    for n, ms in enumerate((300, 700, 450)):
        response, item = f"r{n}", f"i{n}"
        wire.hear(started(response), audio(response, item, 1000), done(response))
        wire.send(report(ms, response))
        wire.hear(SPEECH)
        assert truncated(wire.sent()) == [(item, ms)]


@pytest.mark.parametrize(
    ("played_ms", "cuts"),
    [
        (0, []),
        (250, [("a", 250)]),
        (400, []),  # the first to its end, the second not at all
        (520, [("b", 120)]),
        (1000, [("b", 600)]),  # as much as was received, and more was to come
        (9000, [("b", 600)]),
    ],
)
def test_of_several_items_the_one_that_was_playing_is_truncated(
    openai_wire: Any, played_ms: float, cuts: list[tuple[str, int]]
) -> None:
    wire = openai_wire()
    wire.hear(started("r"), audio("r", "a", 400), item_done("r", "a"), audio("r", "b", 600))
    wire.send(report(played_ms))
    wire.hear(SPEECH)
    assert truncated(wire.sent()) == cuts


def test_nothing_is_truncated_that_was_heard_to_its_end(openai_wire: Any) -> None:
    """The provider forgets the words of what it truncates."""
    wire = openai_wire()
    wire.hear(started("r1"), audio("r1", "a", 400), item_done("r1", "a"))
    wire.send(report(400))
    wire.hear(SPEECH)
    assert truncated(wire.sent()) == []


def test_reports_that_go_back_change_nothing(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started("r"), audio("r", "a", 1000))
    for ms in (100, 400, 250):
        wire.send(report(ms))
    wire.hear(SPEECH)
    assert truncated(wire.sent()) == [("a", 400)]


def test_a_report_beyond_what_was_received_counts_for_what_was(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started("r"), audio("r", "a", 300))
    wire.send(report(2000))
    wire.hear(audio("r", "a", 700), SPEECH)
    assert truncated(wire.sent()) == [("a", 300)]


def test_a_late_report_corrects_an_estimate_downwards(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started("r"), audio("r", "a", 2000))
    wire.now = 0.9
    wire.hear(SPEECH)
    assert truncated(wire.sent()) == [("a", 900)]

    assert truncated(wire.send(report(640, "r"))) == [("a", 640)]
    (corrected,) = wire.events()
    assert isinstance(corrected, ev.HeardCorrected)
    assert corrected.heard_ms == 640
    assert truncated(wire.send(report(700, "r"))) == []  # what is cut off does not come back


def test_a_late_report_truncates_what_was_taken_for_unheard(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started("r"), audio("r", "a", 2000), SPEECH)
    assert truncated(wire.sent()) == []
    assert truncated(wire.send(report(150, "r"))) == [("a", 150)]


def test_a_position_given_with_an_interruption_is_of_the_response_it_names(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.hear(started("r1"), audio("r1", "a", 1000), done("r1"))
    wire.hear(started("r2"), audio("r2", "b", 1000))
    frames = wire.send(cmd.Interrupt(played_ms=700, response_id="r1"))
    assert [frame["type"] for frame in frames[:1]] == ["response.cancel"]
    assert truncated(frames) == [("a", 700)]


def test_an_interruption_that_names_no_response_of_ours_does_nothing(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started("r1"), audio("r1", "a", 1000))
    with pytest.raises(UsageError, match="no response 'r9'"):
        wire.send(cmd.Interrupt(played_ms=700, response_id="r9"))
    assert wire.sent() == []
    assert wire.events() == []


def test_what_the_application_truncated_itself_is_only_cut_shorter(openai_wire: Any) -> None:
    wire = openai_wire()
    for n, (ms, told) in enumerate(((400, []), (250, [("i1", 250)]))):
        wire.hear(started(f"r{n}"), audio(f"r{n}", f"i{n}", 1000), done(f"r{n}"))
        cut = wire.send(cmd.TruncateItem(item_id=f"i{n}", audio_end_ms=300))
        assert truncated(cut) == [(f"i{n}", 300)]
        wire.send(report(ms, f"r{n}"))
        wire.hear(SPEECH)
        assert truncated(wire.sent()) == told
