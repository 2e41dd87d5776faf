"""A chain of candidates: how it is written, who is asked first, and who rests."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

import unirt
from tests.failing import SECOND, chain, failing
from tests.talking import PAIRS, Reader, two
from unirt.failover import Cooldowns
from unirt.registry import load
from unirt.simulator import Simulator

first_and_second = pytest.mark.parametrize("names", PAIRS, ids="-to-".join)


@first_and_second
async def test_the_chain_holds_for_the_first_connection_too(names: tuple[str, str]) -> None:
    async with two(*names, None, SECOND) as pair:
        fallback = chain(pair)
        await pair.here.__aexit__(None, None, None)
        async with pair.connect(fallback=fallback) as session:
            assert session.provider == names[1]
            reader = Reader(session)
        await reader.done()


@first_and_second
async def test_a_provider_without_a_key_is_passed_over(names: tuple[str, str]) -> None:
    async with (
        two(*names, None, SECOND) as pair,
        unirt.connect(
            environ={**pair.there.env, "UNIRT_FALLBACK": ", ".join(names)}, env_file=None
        ) as session,
    ):
        assert session.provider == names[1]


@first_and_second
async def test_where_nobody_answers_at_first_every_reason_is_told(names: tuple[str, str]) -> None:
    async with two(*names) as pair:
        connecting = pair.connect(fallback=chain(pair))
        for simulator in (pair.here, pair.there):
            await simulator.__aexit__(None, None, None)
        with pytest.raises(unirt.DialError) as raised:
            await connecting.__aenter__()

    assert raised.value.provider == names[0]
    assert any(names[1] in note for note in raised.value.__notes__)


@first_and_second
async def test_who_failed_rests_and_is_tried_last_meanwhile(names: tuple[str, str]) -> None:
    """Field 29: nobody stays on a dead provider, and nobody asks it first again and again."""
    now = 0.0
    async with two(*names, None, None) as pair:
        fallback = chain(pair, cooldowns=Cooldowns(lambda: now))
        url = pair.here.url
        await pair.here.__aexit__(None, None, None)
        async with pair.connect(fallback=fallback) as session:
            assert session.provider == names[1]
        async with Simulator(load(names[0]), port=int(url.rpartition(":")[2])) as again:
            async with pair.connect(fallback=fallback) as session:
                assert session.provider == names[1]
            assert not again.connections
            now = 61.0
            async with pair.connect(fallback=fallback) as session:
                assert session.provider == names[0]


@first_and_second
@pytest.mark.parametrize("rested", [False, True])
async def test_in_mid_conversation_each_is_tried_and_who_failed_rests(
    names: tuple[str, str], rested: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Field 29: the second is dead, and the third goes on; at once, where the second rests."""
    third = attrs.evolve(load(names[0]), name="third")
    async with (
        two(*names, failing(1011, "internal error"), None) as pair,
        Simulator(load(names[0]), SECOND, mark="c") as other,
    ):
        candidates = (
            *(unirt.Candidate(provider=name) for name in names),
            unirt.Candidate(provider=third, api_key="k", base_url=other.url),
        )
        fallback = chain(pair, chain=candidates)
        if rested:
            fallback.cooldowns.failed(candidates[1], 60.0)
        await pair.there.__aexit__(None, None, None)
        async with pair.connect(fallback=fallback) as session:
            reader = Reader(session)
            await session.send_text("I am Ada.")
            await reader.many(unirt.ResponseDone)
            await session.send_text("What is my name?")
            await reader.many(unirt.Reconnected)
            await reader.many(unirt.ResponseDone, 3)
            assert session.history[-1].text == "As I was saying: your name is Ada."
        await reader.done()

    targets = [event.target for event in reader.of(unirt.Reconnecting)]
    assert targets == (["third"] if rested else [names[1], "third"])
    logged = [record for record in caplog.records if record.name == "unirt.session.moves"]
    assert len(logged) == len(targets) - 1
    assert all(getattr(record, "session", None) == session.log_id for record in logged)
    assert [fallback.cooldowns.rests(each) for each in candidates] == [True, True, False]


def test_only_who_failed_rests_while_time_goes_on() -> None:
    ticks = iter(range(100))
    cooldowns = Cooldowns(lambda: float(next(ticks)))
    dead, alive = unirt.Candidate(provider="openai"), unirt.Candidate(provider="google")
    cooldowns.failed(dead, 60.0)

    assert cooldowns.rests(dead)
    assert not cooldowns.rests(alive)
    cooldowns.answered(dead)
    assert not cooldowns.rests(dead)


def test_a_chain_is_written_as_a_list_or_as_text() -> None:
    written = "openai, google:gemini-x"
    variable = {"UNIRT_FALLBACK": written}
    for fallback, environ in (
        (written, {}),
        (["openai", "google:gemini-x"], {}),
        (None, variable),
        (["openai", "google:gemini-x"], {"UNIRT_FALLBACK": "google"}),
    ):
        connecting = unirt.connect(fallback=fallback, environ=environ, env_file=None)
        assert connecting.provider.name == "openai"
        _, other = connecting.plan.first()
        assert (other.name, other.model) == ("google", "gemini-x")


@pytest.mark.parametrize(
    ("fallback", "words"),
    [("openai,nobody", "nobody"), ("openai,openai", "twice"), (["openai", 3], "3")],
)
def test_a_chain_that_cannot_work_is_refused(fallback: Any, words: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match=words):
        unirt.connect(fallback=fallback, environ={}, env_file=None)
