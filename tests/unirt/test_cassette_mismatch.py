"""An application that does something else than was recorded: who is told, where, and what."""

import contextlib
from functools import partial
from pathlib import Path

import attrs
import pytest

import unirt
from tests.unirt.taping import all_of, every_provider, record, talk, using
from unirt import CassetteMismatch, CassetteMissing, ResponseStarted
from unirt.cassettes import read, write
from unirt.deck.stack import current
from unirt.errors import ConfigurationError


@every_provider
async def test_other_words_are_a_mismatch_that_the_verb_raises(
    provider: str, tmp_path: Path
) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, provider)

    async def application() -> None:
        async with unirt.connect() as session:
            await session.send_text("Hi.")

    with pytest.raises(CassetteMismatch, match=r"'Good morning\.' was recorded, 'Hi\.' was sent"):
        await using(path, application)


async def test_a_mismatch_comes_out_of_views_and_of_later_verbs(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai")

    async def application() -> None:
        async with unirt.connect() as session:
            with pytest.raises(CassetteMismatch):
                await session.send_text("Hi.")
            with pytest.raises(CassetteMismatch):
                await all_of(session)
            with pytest.raises(CassetteMismatch):
                await session.send_text("Good morning.")
            with pytest.raises(CassetteMismatch):
                await session.send_audio(bytes(480))

    with pytest.raises(CassetteMismatch):
        await using(path, application)


async def test_a_mismatch_that_the_application_swallows_comes_out_at_the_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google")

    async def application() -> None:
        with contextlib.suppress(Exception):
            await talk("Hi.")

    with pytest.raises(CassetteMismatch, match="another frame was expected"):
        await using(path, application)
    assert current() is None


async def test_an_error_that_hides_a_mismatch_gives_way_to_it(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google")

    async def hiding() -> None:
        try:
            await talk("Hi.")
        except AssertionError:
            raise RuntimeError("something went wrong") from None

    async def telling() -> None:
        try:
            await talk("Hi.")
        except AssertionError as exc:
            raise RuntimeError("something went wrong") from exc

    with pytest.raises(CassetteMismatch):
        await using(path, hiding)
    with pytest.raises(RuntimeError):
        await using(path, telling)


async def test_an_error_of_the_application_is_not_hidden_by_what_is_left_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google")

    async def application() -> None:
        async with unirt.connect():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await using(path, application)


async def test_what_the_application_did_not_do_fails_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai")

    async def application() -> None:
        async with unirt.connect():
            pass

    with pytest.raises(CassetteMismatch, match="left over; the first was sent"):
        await using(path, application)
    with pytest.raises(CassetteMismatch, match="1 recorded connections were never made"):
        await using(path)


@every_provider
async def test_with_a_pace_it_is_found_that_the_application_stopped_listening(
    provider: str, tmp_path: Path
) -> None:
    """At full speed an answer comes in one go, so the session has it, whoever reads it."""
    path = tmp_path / "talk.jsonl"
    await record(path, provider)

    async def application() -> None:
        async with unirt.connect() as session:
            await session.send_text("Good morning.")
            async for event in session:
                if isinstance(event, ResponseStarted):
                    break

    await using(path, application)
    slow_from(path, "response.created", "serverContent")
    with pytest.raises(CassetteMismatch, match="left over; the first was received"):
        await using(path, application, pace=20)


def slow_from(path: Path, *first: str) -> None:
    """After the first frame with one of these words in it a cassette takes minutes."""
    quick = read(path)
    began_ms = next(e.at_ms for e in quick.entries if any(word in repr(e) for word in first))
    slow = [
        attrs.evolve(entry, at_ms=began_ms + (entry.at_ms - began_ms) * 1e5)
        if entry.at_ms > began_ms
        else entry
        for entry in quick.entries
    ]
    write(path, attrs.evolve(quick, entries=tuple(slow)))


async def test_another_connection_than_was_recorded_fails(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai")
    with pytest.raises(CassetteMismatch, match="what is left in it is openai with 'gpt-realtime"):
        await using(path, partial(talk, provider="google"))
    with pytest.raises(CassetteMismatch, match="openai with 'gpt-realtime'"):
        await using(path, partial(talk, provider="openai", model="gpt-realtime"))
    with pytest.raises(CassetteMismatch, match="what is left in it is nothing"):
        await using(path, talk, partial(talk, provider="openai"))


async def test_a_missing_cassette_says_what_records_it_and_dials_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.orig_argv", ["python", "my app.py"])
    path = tmp_path / "none.jsonl"
    with pytest.raises(CassetteMissing) as caught, unirt.cassette(path):
        raise AssertionError("it must not get here")
    assert "UNIRT_RECORD=once python 'my app.py'" in caught.value.remedy
    assert not path.exists()
    monkeypatch.setenv("UNIRT_RECORD", "perhaps")
    with pytest.raises(ConfigurationError, match=r"no record mode 'perhaps' \(UNIRT_RECORD\)"):
        unirt.cassette(path)
