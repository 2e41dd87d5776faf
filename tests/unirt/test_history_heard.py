"""What was heard, as history tells it; and how large a history may become."""

from typing import Any

import pytest

import unirt
from unirt import AudioContent, Interruption
from unirt import commands as cmd
from unirt import events as ev
from unirt.composer import Composer
from unirt.session.history import History

WORDS = ("Once", " upon", " a", " time")


@pytest.fixture
def composer() -> Composer:
    made = Composer("toy")
    made.begin({}, 0.0)
    made.session_started()
    return made


def tell(composer: Composer, response_id: str = "r", item: str = "a") -> None:
    """Say some words, half a second each."""
    response = composer.response_started(response_id)
    for word in WORDS:
        composer.text(response, unirt.StreamKind.TRANSCRIPT, item, 0, word)
        composer.audio(response, item, 0, bytes(24_000), unirt.PCM16_24K)


def history_of(composer: Composer, history: History | None = None) -> History:
    made = history or History(100)
    for event in composer.events_received():
        made.feed(event)
    return made


def test_of_an_interrupted_answer_it_holds_what_was_heard_and_the_rest_is_within_reach(
    composer: Composer,
) -> None:
    tell(composer)
    composer.playback(1100.0)
    composer.interrupt()
    composer.response_done("r")
    (item,) = history_of(composer).items

    assert item.text == "Once upon"
    assert item.status == "incomplete"
    assert item.interruption == Interruption(by="speech", heard_ms=1100, exactly=True)
    assert item.content == (
        AudioContent(transcript="Once upon", whole="Once upon a time", duration_ms=2000),
    )


def test_what_only_the_clock_knows_is_marked_as_an_estimate(composer: Composer) -> None:
    tell(composer)
    composer.begin({}, 1.1)
    composer.interrupt()
    kept = history_of(composer).items
    for items in (kept, unirt.Conversation.from_json(kept.to_json())):
        assert items[0].text == "Once upon"
        assert items[0].interruption == Interruption(by="speech", heard_ms=1100, exactly=False)
        (spoken,) = items[0].content
        assert isinstance(spoken, AudioContent)
        assert spoken.whole == "Once upon a time"  # whose first words, by estimate, were heard


def test_a_playback_that_was_cut_is_told_alike(composer: Composer) -> None:
    """Whether the model had finished is the network's business; the user heard the same."""
    tell(composer)
    composer.response_done("r")
    composer.begin({}, 1.1)
    composer.interrupt(by="client")
    (item,) = history_of(composer).items

    assert (item.text, item.status) == ("Once upon", "incomplete")
    assert item.interruption is not None
    assert (item.interruption.by, item.interruption.exactly) == ("client", False)
    assert item.interruption.heard_ms == pytest.approx(1100)


def test_what_nobody_heard_is_there_and_empty(composer: Composer) -> None:
    tell(composer)
    composer.interrupt()
    (item,) = history_of(composer).items

    assert item.content == (
        AudioContent(transcript="", whole="Once upon a time", duration_ms=2000),
    )
    assert item.text == ""


def test_where_it_is_not_known_what_was_heard_the_text_is_whole() -> None:
    composer = Composer("toy", clocked=False)
    composer.begin({}, 0.0)
    tell(composer)
    composer.interrupt()
    (item,) = history_of(composer).items

    assert item.content == (AudioContent(transcript="Once upon a time", duration_ms=2000),)
    assert item.interruption == Interruption(heard_ms=None)


def test_an_item_that_was_heard_to_its_end_was_not_cut(composer: Composer) -> None:
    tell(composer, item="a")
    response = composer.active
    assert response is not None
    for kind in (unirt.StreamKind.AUDIO, unirt.StreamKind.TRANSCRIPT):
        composer.finish(response, kind, "a")
    tell(composer, item="b")
    composer.playback(2600.0)
    composer.interrupt()
    first, second = history_of(composer).items

    assert (first.text, first.status, first.interruption) == ("Once upon a time", "completed", None)
    assert (second.text, second.status) == ("Once", "incomplete")


def test_a_late_report_corrects_it(composer: Composer) -> None:
    tell(composer)
    composer.begin({}, 1.9)
    composer.interrupt(by="client")
    history = history_of(composer)
    assert history.items[0].text == "Once upon a"
    composer.playback(600.0, "r")
    (item,) = history_of(composer, history).items

    assert item.text == "Once"
    assert item.interruption == Interruption(by="client", heard_ms=600, exactly=True)


def test_a_written_answer_that_was_cut_says_so(composer: Composer) -> None:
    response = composer.response_started("r")
    composer.text(response, unirt.StreamKind.TEXT, "a", 0, "In writ")
    composer.interrupt(by="client")
    (item,) = history_of(composer).items

    assert (item.text, item.status) == ("In writ", "incomplete")
    assert item.interruption == Interruption(by="client")


def test_speech_of_the_user_can_be_found_in_a_recording(composer: Composer) -> None:
    turn = composer.turn("u")
    ids: dict[str, Any] = {"item_id": "u", "turn_id": turn}
    composer.emit(ev.SpeechStarted, audio_ms=1200.0, **ids)
    composer.user_text(unirt.StreamKind.TRANSCRIPT, "u", 0, "Hello")
    composer.emit(ev.SpeechStopped, audio_ms=2000.0, **ids)
    composer.emit(ev.InputCommitted, **ids)
    (item,) = history_of(composer).items

    assert item.content == (AudioContent(transcript="Hello", start_ms=1200, duration_ms=800),)


def test_late_transcripts_stand_before_the_answer_that_was_cut(composer: Composer) -> None:
    """Field 12."""
    composer.emit(ev.InputCommitted, item_id="u", turn_id=composer.turn("u"))
    tell(composer)
    composer.playback(600.0)
    composer.interrupt()
    composer.response_done("r")
    composer.user_text(unirt.StreamKind.TRANSCRIPT, "u", 0, "Tell me")
    composer.user_finish(unirt.StreamKind.TRANSCRIPT, "u", 0)
    user, answer = history_of(composer).items

    assert (user.text, answer.text) == ("Tell me", "Once")


def test_a_conversation_with_an_interruption_comes_back_from_json(composer: Composer) -> None:
    tell(composer)
    composer.playback(1100.0)
    composer.interrupt()
    items = history_of(composer).items

    assert unirt.Conversation.from_json(items.to_json()) == items


# Bounds.


def message(text: str, **fields: Any) -> unirt.Item:
    return unirt.Item(role=unirt.Role.USER, content=(unirt.TextContent(text=text),), **fields)


def test_text_is_bounded_and_what_was_forgotten_is_counted(composer: Composer) -> None:
    history = History(100, characters=100)
    for n in range(10):
        tell(composer, f"r{n}", f"a{n}")  # sixteen characters, each a turn of its own
        composer.response_done(f"r{n}")
        composer.turn(f"u{n}")
    history_of(composer, history)

    assert [item.id for item in history.items] == [f"a{n}" for n in range(4, 10)]
    assert history.items.forgotten == 4


def test_a_result_is_not_kept_without_its_call() -> None:
    composer = Composer("toy")
    composer.begin({}, 0.0)
    response = composer.response_started("r")
    for n in range(4):
        given: dict[str, Any] = {"name": f"tool{n}", "arguments": "{}", "args": {}}
        composer.tool_call(response, f"i{n}", call_id=f"c{n}", **given)
    history = history_of(composer, History(5))
    for n in range(4):
        history.said(cmd.SendToolResult(call_id=f"c{n}", output="found"))

    kept = [(item.kind, item.call_id) for item in history.items]
    kinds = (unirt.ItemKind.TOOL_CALL, unirt.ItemKind.TOOL_RESULT)
    assert kept == [(kind, f"c{n}") for n in (2, 3) for kind in kinds]
    assert history.items.forgotten == 4


def test_deleted_and_replaced_items_count_no_more() -> None:
    history = History(100, [message("x" * 60, id="1")], characters=100)
    composer = Composer("toy")
    composer.begin({}, 0.0)
    composer.emit(ev.ItemDeleted, item_id="1")
    response = composer.response_started("r")
    composer.tool_call(response, "i", call_id="c", name="t", arguments="{}", args={})
    history_of(composer, history)
    for _ in range(5):
        history.said(cmd.SendToolResult(call_id="c", output="y" * 60))

    assert [item.output for item in history.items] == [None, "y" * 60]
    assert history.items.forgotten == 0


def test_what_is_forgotten_while_it_grows_counts_no_more(composer: Composer) -> None:
    history = History(1)
    response = composer.response_started("r")
    composer.text(response, unirt.StreamKind.TEXT, "a", 0, "x" * 50)
    composer.text(response, unirt.StreamKind.TEXT, "b", 0, "y" * 50)
    composer.response_done("r")
    history_of(composer, history)

    assert [item.id for item in history.items] == ["b"]
    assert history._size == 50
