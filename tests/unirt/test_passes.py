"""What a server gave out and is shown: how long it is good, and how often."""

from __future__ import annotations

import pytest

from unirt.passes import Pass, Passes


def test_one_that_was_given_out_is_found_and_no_other() -> None:
    passes = Passes()
    given = Pass(opens={"a": 1}, begin_by=10.0)
    name = passes.give("ek_", given)
    assert name.startswith("ek_")
    assert passes.find(name) is given
    assert passes.find("ek_other") is None
    assert passes.give("ek_", given) != name


@pytest.mark.parametrize(("uses", "opened"), [(1, 1), (2, 2), (None, 5)])
def test_it_opens_so_many_sessions(uses: int | None, opened: int) -> None:
    given = Pass(opens=None, begin_by=10.0, uses=uses)
    assert [given.begin(1.0) for _ in range(5)].count(True) == opened


def test_after_its_time_it_opens_none_and_what_it_opened_ends() -> None:
    given = Pass(opens=None, begin_by=10.0, end_by=20.0, uses=1)
    assert not given.begin(10.1)
    assert given.begin(10.0)  # what was refused was no use
    assert (given.over(20.0), given.over(20.1)) == (False, True)
    assert not Pass(opens=None, begin_by=10.0).over(1e9)


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unirt.passes._MOST", 2)
    passes = Passes()
    names = [passes.give("t/", Pass(opens=n, begin_by=1.0)) for n in range(3)]
    assert [passes.find(name) is not None for name in names] == [False, True, True]
