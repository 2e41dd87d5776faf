"""
What usage costs, by the price list of the package ``genai-prices`` (the extra ``[prices]``).

A price that is not known is never 0: where anything of it is missing, :attr:`Cost.amount` is
``None``, :attr:`Cost.unknown` says why, and :attr:`Cost.known` is what could be priced.

What an amount is, and is not. It is the list price, in US dollars, of the provider that a session
was opened with: a discount, a gateway's or a reseller's margin, a service tier and taxes are not in
it. Each kind of token has its own price, cached ones too; a kind without a price of its own has
that of text. Tokens whose kind the provider did not tell are priced as text, and counted in
:attr:`Cost.assumed_tokens`. Thinking is written text. Searches and other calls of server-side tools
that are billed by the call are in no count, so in no amount.

The list is part of the installed package, and nothing is ever fetched here. An application that has
the package update itself (``genai_prices.UpdatePrices``) gets the newer prices here too.
:attr:`Cost.source` says which list it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs

from unirt.usage import Account, SessionUsage, Tokens, Usage
from unirt.value import Value

if TYPE_CHECKING:
    from datetime import datetime

    from genai_prices.types import PriceCalculation

__all__ = ["Cost", "PriceList", "can_price", "price", "price_session"]

_KINDS = ("text", "audio", "image", "video")
_SOME = Usage(input=Tokens(text=1, audio=1), output=Tokens(text=1, audio=1))


class _Unpriced(Exception):
    """Why something has no price; caught in this room."""


@attrs.frozen(kw_only=True)
class PriceList(Value):
    """Where prices are from."""

    name: str
    version: str
    "Of the installed package: its release is the date of the list."
    updated_at: datetime | None = None
    "When the application had the list updated; ``None`` for the list as installed."


@attrs.frozen(kw_only=True)
class Cost(Value):
    """What something cost. Costs add up."""

    amount: Decimal | None = Decimal(0)
    "``None`` where it is not known."
    known: Decimal = Decimal(0)
    "What could be priced: the amount, or the least that it can be."
    unknown: tuple[str, ...] = ()
    "Why the amount is not known, a clause each."
    assumed_tokens: int = 0
    "Tokens of a kind that the provider did not tell, priced as text."
    currency: str = "USD"
    source: PriceList | None = None
    "``None`` where nothing was looked up."

    def __add__(self, more: Cost) -> Cost:
        both = self.amount is not None and more.amount is not None
        known = self.known + more.known
        return Cost(
            amount=known if both else None,
            known=known,
            unknown=tuple(dict.fromkeys((*self.unknown, *more.unknown))),
            assumed_tokens=self.assumed_tokens + more.assumed_tokens,
            source=more.source or self.source,
        )


def price(account: Account) -> Cost:
    """
    What one model was used for, in money.

    Several responses are priced by their sum. Where a model's price depends on the size of each,
    the price of more than one is not known here; price them one by one.
    """
    source = _source()
    reasons = []
    if account.untold:
        reasons.append(f"the provider told no usage of {account.untold} of {account.model!r}")
    known, assumed = Decimal(0), 0
    if account.usage.total_tokens or account.billed_ms:
        try:
            known = _priced(account)
            assumed = account.usage.input.other + account.usage.output.other
        except _Unpriced as exc:
            reasons.append(str(exc))
    return Cost(
        amount=None if reasons else known,
        known=known,
        unknown=tuple(reasons),
        assumed_tokens=assumed,
        source=source,
    )


def price_session(usage: SessionUsage) -> Cost:
    """All of a session, transcription included."""
    return _sum((*usage.responses, *usage.transcription))


def can_price(provider: str, model: str | None) -> str | None:
    """Why tokens of a model cannot be priced; ``None`` where they can. Loads the price list."""
    _source()  # all that is on disk, so that a session with a budget finds it loaded
    try:
        _priced(Account(provider=provider, model=model, usage=_SOME, count=1))
    except _Unpriced as exc:
        return str(exc)
    return None


def _sum(accounts: Iterable[Account]) -> Cost:
    return sum((price(account) for account in accounts), Cost())


def _priced(account: Account) -> Decimal:
    """
    Raises:
        _Unpriced: Saying why.
    """
    found = _looked_up(account)
    for what, used, names in (
        ("tokens it read", account.usage.input_tokens, ("input_mtok",)),
        ("tokens it wrote", account.usage.output_tokens, ("output_mtok",)),
        ("audio by time", account.billed_ms, ("audio_hours", "input_audio_hours")),
    ):
        if used and all(getattr(found.model_price, name, None) is None for name in names):
            raise _Unpriced(f"{account.model!r} has no price for {what}")
    if account.count > 1 and any(_by_size(value) for value in vars(found.model_price).values()):
        raise _Unpriced(f"the price of {account.model!r} depends on the size of each response")
    return found.total_price


def _looked_up(account: Account) -> PriceCalculation:
    try:
        import genai_prices
    except ImportError:
        raise _Unpriced("there is no price list: pip install 'unirt-realtime[prices]'") from None
    if account.model is None:
        raise _Unpriced("the model is not known")
    counts = genai_prices.Usage(**_counts(account))
    names = (account.model, account.model.rpartition("/")[2])
    for name in dict.fromkeys(names):
        try:
            return genai_prices.calc_price(counts, name, provider_id=account.provider)
        except LookupError:
            continue
        except ValueError as exc:
            raise _Unpriced(f"{account.model!r} cannot be priced: {exc}") from exc
    raise _Unpriced(f"{account.provider!r} has no price for the model {account.model!r}")


def _counts(account: Account) -> dict[str, Any]:
    """The counts by the list's names, zeros included, so that nothing is left to be inferred."""
    usage = account.usage
    written = attrs.evolve(usage.output, text=usage.output.text + usage.thinking)
    counts: dict[str, Any] = {
        "input_tokens": usage.input_tokens,
        "cache_read_tokens": usage.cached.total,
        "output_tokens": usage.output_tokens,
        "output_reasoning_tokens": usage.thinking,
    }
    for kind in _KINDS:
        counts[f"input_{kind}_tokens"] = getattr(usage.input, kind)
        counts[f"cache_{kind}_read_tokens"] = getattr(usage.cached, kind)
        counts[f"output_{kind}_tokens"] = getattr(written, kind)
        counts[f"output_{kind}_reasoning_tokens"] = usage.thinking if kind == "text" else 0
    seconds = Decimal(str(account.billed_ms)) / 1000
    return counts | dict.fromkeys(("audio_seconds", "input_audio_seconds"), seconds)


def _by_size(value: object) -> bool:
    return hasattr(value, "tiers")


@cache
def _version() -> str:
    from importlib.metadata import version

    return version("genai-prices")


def _source() -> PriceList | None:
    try:
        from genai_prices.data_snapshot import get_snapshot
    except ImportError:
        return None
    snapshot = get_snapshot()
    updated_at = snapshot.timestamp if snapshot.from_auto_update else None
    return PriceList(name="genai-prices", version=_version(), updated_at=updated_at)
