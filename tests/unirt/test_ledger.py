"""
The ledger: nothing that was used is missing, and nothing is counted twice.

Pain 24 of the field: peers count only what is complete, count running totals twice, or mix what
transcription used into what the model used.
"""

from typing import Any

import pytest

from unirt.composer import Composer
from unirt.events import Ending, Event, UsageReported
from unirt.session.ledger import Ledger
from unirt.usage import Account, SessionUsage, Tokens, Usage


def tokens(count: int) -> Usage:
    return Usage(input=Tokens(text=count), output=Tokens(audio=1))


class Books:
    """A ledger that is fed what a composer tells."""

    def __init__(self, model: str | None = "m1") -> None:
        self.composer = Composer("toy")
        self.ledger = Ledger(lambda: model)
        self.composer.begin(None, 0.0)

    @property
    def usage(self) -> SessionUsage:
        for event in self.composer.events_received():
            handler = self.ledger.handlers.get(type(event))
            if handler is not None:
                handler(event)
        return self.ledger.usage

    def start(self, *ids: str) -> None:
        for id_ in ids:
            self.composer.response_started(id_)

    def call(self, id_: str) -> None:
        response = self.composer.response_started(id_)
        self.composer.tool_call(response, "i", call_id="c" + id_, name="f", arguments="{}", args={})

    def report(self, count: int | None, id_: str | None = None, **fields: Any) -> None:
        usage = None if count is None else tokens(count)
        fields = {"scope": "response", "usage": usage, "response_id": id_, **fields}
        self.composer.emit(UsageReported, **fields)

    def done(self, id_: str, count: int | None = None, ending: Ending = Ending.COMPLETE) -> None:
        usage = None if count is None else tokens(count)
        self.composer.response_done(id_, ending=ending, usage=usage)


@pytest.mark.parametrize("ending", Ending)
def test_a_response_counts_however_it_ended(ending: Ending) -> None:
    """Pain 24: cancelled responses count."""
    books = Books()
    books.start("r1")
    books.done("r1", 5, ending)

    assert books.usage.total == tokens(5)
    assert books.usage.responses == (Account(provider="toy", model="m1", usage=tokens(5), count=1),)


def test_running_counts_replace_each_other_and_the_last_one_stays() -> None:
    books = Books()
    books.report(1)  # of the response to come
    books.start("r1")
    books.report(2, "r1")
    books.report(3, "r1")
    assert books.usage.input_tokens == 1 + 3

    books.done("r1", 4)
    assert books.usage.input_tokens == 4
    assert books.usage.responses[0].count == 1


def test_what_ran_when_the_connection_was_lost_counts_as_far_as_told() -> None:
    books = Books()
    books.start("r1")
    books.report(3, "r1")
    books.composer.session_closed(code=None, clean=False)

    assert books.usage.input_tokens == 3
    assert books.usage.untold == 0


def test_a_count_that_comes_after_the_end_is_the_responses_own() -> None:
    books = Books()
    books.start("r1")
    books.done("r1")
    assert books.usage.untold == 1

    books.report(3, "r1")
    books.report(4, "r1")
    assert books.usage.input_tokens == 4
    assert (books.usage.untold, books.usage.responses[0].count) == (0, 1)


def test_a_turn_without_a_response_counts_for_itself() -> None:
    books = Books()
    books.report(3, scope="turn")
    books.start("r1")
    books.done("r1", 4)

    assert books.usage.input_tokens == 7
    assert books.usage.responses[0].count == 1


def test_what_was_not_told_is_told_to_be_missing() -> None:
    books = Books()
    books.start("r1")
    books.done("r1", ending=Ending.FAILED)
    books.start("r2")
    books.done("r2", 2)

    assert (books.usage.input_tokens, books.usage.untold) == (2, 1)


def test_a_call_is_counted_with_the_answer_that_goes_on() -> None:
    books = Books()
    books.call("r1")
    books.done("r1")
    assert books.usage.untold == 0
    books.start("r2")
    books.done("r2", 2)
    books.composer.session_closed(code=1000, clean=True)
    books.ledger.settle()

    assert (books.usage.input_tokens, books.usage.untold) == (2, 0)


def test_a_call_that_nothing_followed_is_missing_at_the_end() -> None:
    books = Books()
    books.call("r1")
    books.done("r1")
    assert books.usage.untold == 0

    books.ledger.settle()
    assert books.usage.untold == 1


def test_transcription_is_apart_by_tokens_or_by_time() -> None:
    """Pain 24: what transcription costs is another model's."""
    books = Books()
    books.report(7, scope="transcription", model="whisper")
    books.report(None, scope="transcription", model="whisper", duration_ms=1500.0)
    books.report(None, scope="transcription", model="whisper", duration_ms=500.0)
    books.report(None, scope="transcription", model="whisper")

    usage = books.usage
    assert usage.total_tokens == 0
    assert usage.transcribed == tokens(7)
    assert usage.transcription == (
        Account(
            provider="toy",
            model="whisper",
            usage=tokens(7),
            count=3,
            untold=1,
            billed_ms=2000.0,
        ),
    )


def test_each_model_has_an_account() -> None:
    books = Books()
    books.composer.session_started(model="m1-dated")
    books.start("r1")
    books.done("r1", 1)
    assert books.usage.total_tokens == 2
    books.composer.started = False
    books.composer.session_started(model="m2")  # the conversation goes on elsewhere
    books.start("r2")
    books.done("r2", 10)

    accounts = books.usage.responses
    assert [(a.model, a.usage.input_tokens) for a in accounts] == [("m1-dated", 1), ("m2", 10)]
    assert books.usage.input_tokens == 11


def test_what_it_holds_is_bounded_and_the_sum_is_not() -> None:
    books = Books()
    for number in range(100):
        books.start(f"r{number}")
        books.done(f"r{number}", 1 if number % 2 else None)
        assert books.usage.input_tokens == (number + 1) // 2
    assert books.usage.untold == 50

    page = next(iter(books.ledger._pages.values()))
    assert len(page.recent) == 2
    assert len(books.ledger._untold) == 16


def test_totals_add_up() -> None:
    usage = Usage(
        input=Tokens(text=1, audio=2, image=3, video=4, other=5),
        cached=Tokens(text=1, audio=1, image=2, video=3, other=4),
        output=Tokens(text=6, audio=7),
        thinking=8,
        tool_use=9,
    )
    session = SessionUsage(
        responses=(
            Account(provider="toy", model="a", usage=usage),
            Account(provider="toy", model="b", usage=usage, untold=2),
        )
    )
    assert session.total == Usage(
        input=Tokens(text=2, audio=4, image=6, video=8, other=10),
        cached=Tokens(text=2, audio=2, image=4, video=6, other=8),
        output=Tokens(text=12, audio=14),
        thinking=16,
        tool_use=18,
    )
    assert (session.input_tokens, session.output_tokens) == (30, 42)
    assert session.total_tokens == 72
    assert session.untold == 2


def test_events_are_not_its_business_where_they_count_nothing() -> None:
    kinds: set[type[Event]] = set(Books().ledger.handlers)
    assert {kind.__name__ for kind in kinds} == {
        "SessionStarted",
        "ResponseStarted",
        "ToolCall",
        "UsageReported",
        "ResponseDone",
    }
