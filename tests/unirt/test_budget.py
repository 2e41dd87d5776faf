"""Budgets: how limits are written, merged, and refused."""

from decimal import Decimal
from typing import Any

import pytest

import unirt
from unirt import Bound, Budget, ConfigurationError


def test_a_number_is_a_limit_that_warns_and_ends() -> None:
    budget = Budget(duration=600, tokens="5000", cost=0.1, idle=Bound(5, warn_at=None, ends=False))

    assert budget.duration == Bound(600.0, warn_at=0.8, ends=True)
    assert budget.duration is not None
    assert budget.duration.near == 480
    assert budget.tokens == Bound(5000.0)
    assert budget.cost == Bound(Decimal("0.1"))
    assert budget.cost is not None
    assert budget.cost.near == Decimal("0.08")
    assert budget.idle == Bound(5.0, warn_at=None, ends=False)
    assert budget.idle is not None
    assert budget.idle.near is None


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"duration": 0}, "budget.duration"),
        ({"idle": -1}, "budget.idle"),
        ({"idle": float("nan")}, "budget.idle"),
        ({"tokens": float("inf")}, "budget.tokens"),
        ({"tokens": True}, "budget.tokens"),
        ({"cost": "much"}, "budget.cost"),
        ({"cost": Decimal("NaN")}, "budget.cost"),
        ({"cost": Bound(1, warn_at=1.0)}, "budget.cost.warn_at"),
    ],
)
def test_what_is_no_limit_is_refused(given: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Budget(**given)
    assert refused.value.where == where


def test_a_budget_is_something_where_anything_is_limited() -> None:
    assert not Budget()
    assert Budget(tokens=1)


def test_budgets_merge_limit_by_limit() -> None:
    one = Budget(duration=1, tokens=2)
    assert one.merged(None) == one
    assert one.merged(Budget(tokens=3, cost=4)) == Budget(duration=1, tokens=3, cost=4)


def connecting(environ: dict[str, str], **arguments: Any) -> Budget | None:
    return unirt.connect("openai", environ=environ, **arguments).budget


def test_variables_make_a_budget_and_arguments_win() -> None:
    environ = {
        "UNIRT_MAX_DURATION": "600",
        "UNIRT_MAX_IDLE": "30.5",
        "UNIRT_MAX_TOKENS": "1000",
        "UNIRT_MAX_COST": "0.25",
    }
    whole = Budget(duration=600, idle=30.5, tokens=1000, cost="0.25")
    assert connecting(environ) == whole
    assert connecting(environ, budget=Budget(idle=5)) == whole.merged(Budget(idle=5))
    assert connecting({}) is None
    assert connecting({}, budget=Budget()) is None


def test_limits_by_variables_end_the_session_unless_they_only_tell() -> None:
    assert connecting({"UNIRT_MAX_TOKENS": "5"}) == Budget(tokens=Bound(5, ends=True))
    told = {"UNIRT_MAX_TOKENS": "5", "UNIRT_AT_LIMIT": "tell"}
    assert connecting(told) == Budget(tokens=Bound(5, ends=False))
    assert connecting({"UNIRT_MAX_TOKENS": "5", "UNIRT_AT_LIMIT": "end"}) == Budget(tokens=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNIRT_MAX_DURATION", "0"),
        ("UNIRT_MAX_IDLE", "long"),
        ("UNIRT_MAX_TOKENS", "-1"),
        ("UNIRT_MAX_COST", "$1"),
        ("UNIRT_AT_LIMIT", "explode"),
    ],
)
def test_variables_that_are_no_limits_are_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        connecting({name: value})
    assert refused.value.where == name


def test_money_is_not_limited_where_it_cannot_be_counted() -> None:
    with pytest.raises(ConfigurationError, match="has no price for the model 'my-own'"):
        connecting({}, model="my-own", budget=Budget(cost=1))
    with pytest.raises(ConfigurationError) as refused:
        connecting({"UNIRT_MODEL": "my-own", "UNIRT_MAX_COST": "1"})
    assert refused.value.where == "budget.cost, or UNIRT_MAX_COST"
