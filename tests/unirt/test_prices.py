"""
Prices: each kind of token at its own, and nothing unknown passed off as free.

Pain 24 of the field, its second half: a cost of 0 where there should be "not known".
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import data_snapshot
from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice, Tier, TieredPrices
from genai_prices.types import Provider as Priced

from unirt import Account, Cost, SessionUsage, Tokens, Usage
from unirt.prices import can_price, price, price_session
from unirt.registry import load

PRICES = {
    "spoken": {
        "input_mtok": 4,
        "cache_read_mtok": 1,
        "output_mtok": 16,
        "input_audio_mtok": 32,
        "cache_audio_read_mtok": 2,
        "output_audio_mtok": 64,
        "input_image_mtok": 5,
        "cache_image_read_mtok": 3,
    },
    "text-only": {"input_mtok": 1, "output_mtok": 3},
    "no-output": {"input_mtok": 1},
    "by-time": {"audio_hours": 36},
    "by-input-time": {"audio_hours": 36, "input_audio_hours": 36},
    "thinking-apart": {"input_mtok": 1, "output_mtok": 3, "output_reasoning_mtok": 7},
}
FULL = Usage(
    input=Tokens(text=100, audio=50, image=10),
    cached=Tokens(text=40, audio=20),
    output=Tokens(text=5, audio=30),
    thinking=3,
)


def model(name: str, prices: dict[str, Any]) -> ModelInfo:
    values = {key: v if isinstance(v, TieredPrices) else Decimal(v) for key, v in prices.items()}
    return ModelInfo(id=name, match=ClauseEquals(name), prices=ModelPrice(**values))


@pytest.fixture(autouse=True)
def price_list() -> Iterator[None]:
    """A list of our own, so that the amounts here stay what they are."""
    tiers = TieredPrices(base=Decimal(1), tiers=[Tier(start=100, price=Decimal(2))])
    models = [model(name, prices) for name, prices in PRICES.items()]
    models.append(model("by-size", {"input_mtok": tiers, "output_mtok": 1}))
    toy = Priced(id="toy", name="Toy", api_pattern="nowhere", models=models)
    data_snapshot.set_custom_snapshot(
        data_snapshot.DataSnapshot(providers=[toy], from_auto_update=False)
    )
    yield
    data_snapshot.set_custom_snapshot(None)


def account(name: str | None = "spoken", usage: Usage = FULL, **fields: Any) -> Account:
    return Account(**{"provider": "toy", "model": name, "usage": usage, "count": 1, **fields})


def micro(amount: Decimal | None) -> Decimal:
    assert amount is not None
    return amount * 1_000_000


def test_each_kind_has_its_price_and_cached_is_not_paid_twice() -> None:
    cost = price(account())
    text = (100 - 40) * 4 + 40 * 1
    audio = (50 - 20) * 32 + 20 * 2
    written = (5 + 3) * 16 + 30 * 64
    assert micro(cost.amount) == text + audio + 10 * 5 + written
    assert (cost.known, cost.unknown, cost.currency) == (cost.amount, (), "USD")
    assert isinstance(cost.amount, Decimal)


def test_thinking_is_written_text_and_may_have_its_own_price() -> None:
    usage = Usage(output=Tokens(text=10), thinking=4)
    assert micro(price(account("text-only", usage)).amount) == 14 * 3
    assert micro(price(account("thinking-apart", usage)).amount) == 10 * 3 + 4 * 7


def test_tokens_of_no_known_kind_are_priced_as_text_and_counted() -> None:
    usage = Usage(input=Tokens(audio=2, other=3), output=Tokens(other=4))
    cost = price(account(usage=usage))
    assert micro(cost.amount) == 2 * 32 + 3 * 4 + 4 * 16
    assert cost.assumed_tokens == 7


@pytest.mark.parametrize("name", ["by-time", "by-input-time"])
def test_audio_by_time(name: str) -> None:
    cost = price(account(name, Usage(), billed_ms=1500.0))
    assert cost.amount == Decimal("0.015")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (account("nobody-knows"), "'toy' has no price for the model 'nobody-knows'"),
        (account(provider="elsewhere"), "'elsewhere' has no price for the model 'spoken'"),
        (account(None), "the model is not known"),
        (account("by-time"), "'by-time' has no price for tokens it read"),
        (account("no-output"), "'no-output' has no price for tokens it wrote"),
        (account("spoken", billed_ms=10.0), "'spoken' has no price for audio by time"),
        (account(untold=1, count=0, usage=Usage()), "the provider told no usage of 1 of 'spoken'"),
        (
            account("by-size", count=2),
            "the price of 'by-size' depends on the size of each response",
        ),
        (
            account(usage=Usage(input=Tokens(text=1), cached=Tokens(text=5))),
            "'spoken' cannot be priced: Invalid usage data",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_known_is_not_free(given: Account, why: str) -> None:
    """Pain 24: said to be unknown."""
    cost = price(given)
    assert cost.amount is None
    assert cost.known == 0
    (said,) = cost.unknown
    assert said.startswith(why)


def test_one_response_has_a_price_though_that_depends_on_its_size() -> None:
    usage = Usage(input=Tokens(text=200))
    assert micro(price(account("by-size", usage)).amount) == 200 * 2


def test_what_used_nothing_cost_nothing_whatever_it_was() -> None:
    assert price(account("nobody-knows", Usage(), count=0)).amount == 0
    assert price_session(SessionUsage()) == Cost()


def test_a_model_may_be_named_by_a_path() -> None:
    assert price(account("publishers/x/models/spoken")) == price(account())


def test_a_session_is_the_sum_transcription_included() -> None:
    spoken = account()
    heard = account("by-time", Usage(), billed_ms=1000.0)
    both = price_session(SessionUsage(responses=(spoken,), transcription=(heard,)))
    assert both.amount == (price(spoken).amount or 0) + Decimal("0.01")
    assert both.unknown == ()


def test_an_unknown_part_leaves_the_least_that_it_can_be() -> None:
    usage = SessionUsage(responses=(account(), account("mystery")), transcription=(account(None),))
    cost = price_session(usage)
    assert cost.amount is None
    assert cost.known == price(account()).amount
    assert len(cost.unknown) == 2


def test_it_says_which_list_it_was() -> None:
    source = price(account()).source
    assert source is not None
    assert (source.name, source.updated_at) == ("genai-prices", None)
    assert source.version[0].isdigit()

    snapshot = data_snapshot.get_snapshot()
    snapshot.from_auto_update = True
    updated = price(account()).source
    assert updated is not None
    assert isinstance(updated.updated_at, datetime)


def test_without_the_list_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("genai_prices", "genai_prices.data_snapshot"):
        monkeypatch.setitem(sys.modules, name, None)
    cost = price(account())
    assert cost.amount is None
    assert cost.unknown == ("there is no price list: pip install 'unirt-realtime[prices]'",)
    assert cost.source is None
    assert can_price("toy", "spoken") == cost.unknown[0]


def test_whether_a_model_can_be_priced() -> None:
    assert can_price("toy", "spoken") is None
    assert can_price("toy", "mystery") == "'toy' has no price for the model 'mystery'"
    assert can_price("toy", "by-time") is not None


@pytest.mark.parametrize("name", ["openai", "google"])
def test_the_default_models_are_in_the_list_as_installed(name: str) -> None:
    data_snapshot.set_custom_snapshot(None)
    provider = load(name)
    assert can_price(name, provider.default_model) is None
    cost = price(account(provider.default_model, provider=name))
    assert cost.amount is not None
    assert cost.amount > 0


def test_the_default_transcriber_is_in_the_list_as_installed() -> None:
    from unirt_openai.facts import TRANSCRIBER

    data_snapshot.set_custom_snapshot(None)
    hour = account(TRANSCRIBER, Usage(), provider="openai", billed_ms=3_600_000.0)
    amount = price(hour).amount
    assert amount is not None
    assert amount > 0
