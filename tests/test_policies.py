"""The policies: each row has a source and is reached, refusals are judged, and waits are spread."""

from __future__ import annotations

import pytest

import unirt
from unirt.policy import Verdict
from unirt.registry import load

names = pytest.mark.parametrize("name", ["openai", "google"])


@names
def test_every_row_of_a_policy_has_a_source_and_is_reached(name: str) -> None:
    policy = load(name).policy
    assert policy.rows
    for row in policy.rows:
        assert row.source
        assert row.why
        code = min(row.codes) if row.codes else None
        status = min(row.statuses) if row.statuses else None
        errors = [min(row.errors)] if row.errors else []
        judged = policy.judge(code=code, status=status, errors=errors, reason=_reason(row))
        ignored = policy.ignores(errors, _reason(row))
        if row.verdict is Verdict.IGNORE:
            assert ignored
            others = [each for each in policy.rows if each is not row]
            assert not unirt.policy.Policy(tuple(others)).ignores(errors, _reason(row))
            assert judged.verdict is Verdict.RETRY  # an end is never ignored
        else:
            assert judged is row
            assert not ignored


REASONS = [
    "you exceeded your current quota",
    "Publisher model x was not found",
    "Requested entity was not found",
    "The operation was aborted",
    "maximum duration",
    "Cancellation failed: no active response found",
    "Audio content of 3700ms is already shorter than 3760ms",
]


def _reason(row: unirt.policy.Row) -> str:
    fits = (r for r in REASONS if row.fits(min(row.codes or {0}), r, 0, ()))
    return "" if row.reason is None else next(fits)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(401, Verdict.FATAL), (403, Verdict.FATAL), (429, Verdict.RETRY), (503, Verdict.RETRY)],
)
@names
def test_refused_upgrades_are_judged(name: str, status: int, verdict: Verdict) -> None:
    error = unirt.DialError(name, url="wss://x", why="no", status=status)
    assert load(name).policy.judge_error(error).verdict is verdict


def test_waits_double_up_to_a_bound_and_are_spread() -> None:
    plain = unirt.Reconnect(first_wait=1.0, longest_wait=5.0, jitter=0.0)
    assert [plain.wait(n) for n in range(5)] == [0.0, 1.0, 2.0, 4.0, 5.0]
    drawn = iter([0.0, 0.5, 1.0, 1.0])
    spread = unirt.Reconnect(first_wait=1.0, jitter=0.5, random=lambda: next(drawn))
    assert [spread.wait(2) for _ in range(3)] == [2.0, 1.5, 1.0]
    assert spread.wait(2, asked=30.0) == 30.0  # what the provider asks for is waited for
