"""Reading untrusted JSON: a value of the type named, or a path to what is wrong."""

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unirt.wire import Wire, WireError, decode_audio, parse_frame

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
READS = ["text", "text_or", "number_or", "count", "flag", "obj", "obj_or", "objs", "texts"]


@pytest.mark.parametrize(
    ("read", "value", "what"),
    [
        ("text", None, "$.k: null, expected a string"),
        ("text_or", 1, "$.k: a number, expected a string"),
        ("number_or", True, "$.k: a boolean, expected a number"),
        ("count", "x1", "$.k: a string, expected a whole number"),
        ("count", 1.5, "$.k: a number, expected a whole number"),
        ("flag", "true", "$.k: a string, expected a boolean"),
        ("obj", [], "$.k: an array, expected an object"),
        ("objs", {}, "$.k: an object, expected an array"),
        ("objs", [{}, 3], "$.k[1]: a number where an object was expected"),
        ("texts", ["a", {}], "$.k[1]: an object, expected a string"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(read: str, value: Any, what: str) -> None:
    with pytest.raises(WireError) as caught:
        getattr(Wire({"k": value}), read)("k")
    assert str(caught.value) == what


def test_a_missing_value_is_called_missing() -> None:
    with pytest.raises(WireError, match=r"\$\.a\.b: missing, expected a string"):
        Wire({"a": {}}).obj("a").text("b")


def test_absent_and_null_read_as_the_default() -> None:
    for wire in (Wire({}), Wire({"k": None})):
        assert wire.text_or("k", "d") == "d"
        assert wire.number_or("k") is None
        assert wire.count("k") == 0
        assert wire.flag("k") is False
        assert wire.obj_or("k") is None
        assert wire.objs("k") == []
        assert wire.texts("k") == []
        assert "k" not in wire


def test_whole_numbers_may_come_as_protojson_writes_them() -> None:
    assert [Wire({"k": v}).count("k") for v in (12, "12", 12.0)] == [12, 12, 12]


@given(JSON, st.sampled_from(READS))
def test_no_read_of_any_json_raises_anything_else(value: Any, read: str) -> None:
    with contextlib.suppress(WireError):
        getattr(Wire({"k": value}), read)("k")


@given(st.binary() | st.text())
def test_no_frame_raises_anything_else(frame: str | bytes) -> None:
    with contextlib.suppress(WireError):
        Wire(parse_frame(frame))


@pytest.mark.parametrize(
    "frame",
    ["[" * 100_000, "[" * 300 + "]" * 300, '{"a":' * 300 + "1" + "}" * 300, "1" * 4_301],
    ids=["endless", "arrays", "objects", "digits"],
)
def test_what_nests_or_counts_without_measure_is_no_frame(frame: str) -> None:
    with pytest.raises(WireError, match="not JSON"):
        parse_frame(frame)
    assert parse_frame("[" * 190 + "]" * 190)
    assert parse_frame("1" * 4_300)


@given(st.binary())
def test_base64_is_read_in_both_alphabets_padded_or_not(data: bytes) -> None:
    for text in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        assert decode_audio(text.decode(), "$") == data
        assert decode_audio(text.decode().rstrip("="), "$") == data


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(WireError):
        decode_audio(text, "$.delta")


@pytest.mark.parametrize("text", ["a", "ab\u00e9=", "a b=", "====", "AAAA*AAA"])
def test_what_is_not_base64_is_said_so(text: str) -> None:
    with pytest.raises(WireError, match=r"\$\.delta: not base64"):
        decode_audio(text, "$.delta")
