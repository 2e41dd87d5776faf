"""Ids that are minted, and names that two connections gave."""

from __future__ import annotations

from unirt import ids
from unirt.composer import Composer
from unirt.ids import Ids, Names, counting_ids, names_of


def test_ids_count_by_noun() -> None:
    mint = counting_ids()
    assert [mint("resp"), mint("item"), mint("resp")] == ["u_resp_1", "u_item_1", "u_resp_2"]
    assert counting_ids("s")("item") == "s_item_1"


def test_a_name_is_whose_it_was_first() -> None:
    session = Ids()
    asked, one, other, third = (Names(session) for _ in range(4))
    assert [one("a"), one("a"), one("b")] == ["a", "a", "b"]
    assert [other("a"), other("c"), third("a"), third("c")] == ["a@2", "c", "a@3", "c@3"]
    assert one("a") == "a"
    assert other(other("a")) == "a@2"
    assert asked("a") == "a@4"


def test_a_connection_that_goes_on_with_another_has_its_names() -> None:
    session = Ids()
    one, resumed, other = Names(session, goes_on=True), Names(session, goes_on=True), Names(session)
    assert [one("a"), one.before("a")] == ["a", False]  # there was nothing to go on with
    assert [resumed("a"), resumed.before("a"), resumed.before("b")] == ["a", True, False]
    assert [other("a"), other.before("a")] == ["a@2", False]
    assert Names(session, goes_on=True)("a") == "a@2"


def test_what_a_resumed_connection_calls_as_before_is_the_same_also_under_a_mark() -> None:
    session = Ids()
    first, second, resumed = Names(session), Names(session), Names(session, goes_on=True)
    assert [first("a"), second("a"), second.before("a")] == ["a", "a@2", False]
    assert [resumed.before("a"), resumed("a"), resumed.before("b")] == [True, "a@2", False]


def test_a_name_that_comes_with_a_mark_is_no_name_of_the_session() -> None:
    session = Ids()
    one, other = Names(session), Names(session)
    assert [one("a"), one("b@2")] == ["a", "b@2"]
    assert [other("a@2"), other("a"), other("b@2")] == ["a@2", "a@2@2", "b@2@2"]
    assert [other("a"), other(other("a")), other("a@2")] == ["a@2@2", "a@2@2", "a@2"]


def test_what_is_minted_names_nothing_else() -> None:
    session = counting_ids()
    one, other = Composer("toy", ids=session), Composer("toy", ids=session)
    assert one.named("u_item_1") == "u_item_1"
    assert other.mint("item") == "u_item_2"
    assert one.named("u_item_2") == "u_item_2@1"
    assert one.mint("item") == "u_item_3"
    assert one.named("u_item_3") == "u_item_3"


def test_who_mints_by_another_way_has_one_connection() -> None:
    assert names_of("x_{}".format)("a") == "a"


def test_what_is_remembered_is_bounded() -> None:
    session = Ids()
    one, other = Names(session), Names(session)
    most = ids._REMEMBERED + ids._SWEEP
    for number in range(most):
        one(f"n{number}")
    assert len(session._users) == ids._REMEMBERED
    assert (other("n0"), other(f"n{most - 1}")) == ("n0", f"n{most - 1}@2")
    for number in range(most):
        assert (one(f"m{number}"), other(f"m{number}")) == (f"m{number}", f"m{number}@2")
    assert 2 * ids._REMEMBERED <= len(session._marked) < 2 * most
