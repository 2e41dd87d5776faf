"""The words that were heard, as far as the arrival of the transcript beside the audio says it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unirt import PCM16_24K, HeardCorrected, Interrupted, StreamKind
from unirt.composer import Composer
from unirt.composer.heard_text import FASTEST
from unirt.events import Word

TRANSCRIPT = StreamKind.TRANSCRIPT
Arrival = list[str | float]
"What came, in order: pieces of transcript, and audio in ms."


def heard(
    arrival: Arrival, played_ms: float, *, done: bool = True, final: str | None = None
) -> str | None:
    composer = Composer("toy")
    composer.begin({}, 0.0)
    response = composer.response_started("r")
    for what in arrival:
        if isinstance(what, str):
            composer.text(response, TRANSCRIPT, "i", 0, what)
        else:
            composer.audio(response, "i", 0, bytes(int(48 * what)), PCM16_24K)
    if final is not None:
        composer.finish(response, TRANSCRIPT, "i", text=final)
    if done:
        composer.response_done("r")
    composer.playback(played_ms, "r")
    composer.interrupt(response)
    (cut,) = (e for e in composer.events_received() if isinstance(e, Interrupted))
    (item,) = cut.items
    return item.text


ONE_BY_ONE: Arrival = ["One", 500.0, " two", 500.0, " three", 500.0, " four.", 500.0]
BEHIND: Arrival = [500.0, "One", 500.0, " two", 500.0, " three", 500.0, " four."]
AT_ONCE: Arrival = ["One two", " three four.", 2000.0]
AFTER: Arrival = [1000.0, 1000.0, "One two", " three four."]
ARRIVALS = {"beside": ONE_BY_ONE, "behind": BEHIND, "at once": AT_ONCE, "after": AFTER}


@pytest.mark.parametrize("arrival", ARRIVALS.values(), ids=ARRIVALS)
@pytest.mark.parametrize("done", [True, False])
def test_however_the_transcript_comes_half_of_the_audio_is_about_half_of_it(
    arrival: Arrival, done: bool
) -> None:
    assert heard(arrival, 1050, done=done) in ("One", "One two")
    assert heard(arrival, 0, done=done) == ""


@pytest.mark.parametrize("arrival", ARRIVALS.values(), ids=ARRIVALS)
def test_what_was_heard_to_its_end_is_whole(arrival: Arrival) -> None:
    assert heard(arrival, 1999.5) == "One two three four."


def test_a_piece_is_spoken_before_the_next_one() -> None:
    """Of a slow word and quick ones the slow one takes its time."""
    arrival: Arrival = ["Well,", 3000.0, " here", 300.0, " it", 300.0, " is.", 300.0]
    assert heard(arrival, 2500) == ""
    assert heard(arrival, 3000) == "Well,"
    assert heard(arrival, 3310) == "Well, here"


def test_a_transcript_far_ahead_of_its_audio_is_not_taken_for_heard() -> None:
    text = "word " * 200
    told = heard([text, 1000.0], 1000, done=False)
    assert told is not None
    assert 0 < len(told) <= 1000 * FASTEST


def test_words_are_not_cut_in_two_unless_nothing_is_a_word() -> None:
    assert heard(["Extraordinary", 2000.0], 1000) == ""
    assert heard(["今日はとてもいい天気ですね", 2000.0], 1000) == "今日はとても"
    assert heard(["x" * 80, 8000.0], 4000) == "x" * 40


def test_the_final_wording_is_what_is_cut() -> None:
    assert heard([1000.0, "one two", 1000.0], 1050, final="Uno, dos.") in ("Uno,", "")
    assert heard([1000.0, 1000.0], 1050, final="Uno, dos.") == "Uno,"


def test_speech_without_a_transcript_has_no_words() -> None:
    assert heard([1000.0], 500) is None


def test_the_times_of_words_count_where_they_are_told() -> None:
    composer = Composer("toy")
    composer.begin({}, 0.0)
    response = composer.response_started("r")
    said = [("Slow", 70_000, 72_000), ("and", 72_100, 72_200), ("quick.", 72_200, 72_400)]
    words = tuple(Word(text=t, start_ms=start, end_ms=end) for t, start, end in said)
    composer.text(response, TRANSCRIPT, "i", 0, "Slow and", words=words[:2])
    composer.text(response, TRANSCRIPT, "i", 0, " quick.", words=words[2:])
    composer.audio(response, "i", 0, bytes(48 * 2400), PCM16_24K)
    composer.playback(2150, "r")
    composer.interrupt()
    (cut,) = (e for e in composer.events_received() if isinstance(e, Interrupted))
    assert cut.items[0].text == "Slow"
    composer.playback(2250, "r")
    corrected = composer.events_received()[-1]
    assert isinstance(corrected, HeardCorrected)
    assert corrected.items[0].text == "Slow and"


pieces = st.lists(st.one_of(st.text(max_size=12), st.floats(20, 2000)), min_size=1, max_size=20)


@given(arrival=pieces, share=st.floats(0, 1), done=st.booleans())
def test_it_is_always_a_beginning_of_what_was_said_and_grows_with_what_was_heard(
    arrival: Arrival, share: float, done: bool
) -> None:
    total = sum(ms for ms in arrival if isinstance(ms, float))
    said = "".join(text for text in arrival if isinstance(text, str))
    if not total or not said:
        return
    less, more = (
        heard(arrival, total * share / 2, done=done),
        heard(arrival, total * share, done=done),
    )
    assert less is not None
    assert more is not None
    assert said.strip().startswith(more)
    assert more.startswith(less)
