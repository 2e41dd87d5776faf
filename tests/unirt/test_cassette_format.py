"""The format of cassettes: what is written is read, and what cannot be read says why and where."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unirt import cassettes
from unirt.cassettes import (
    Altered,
    Cassette,
    Closed,
    Entry,
    Exchanged,
    Framed,
    Header,
    Opened,
    Origin,
    Stalled,
    dumps,
    from_lines,
    kept,
    loads,
    read,
    reading,
    write,
)
from unirt.errors import CassetteError

HEADER = '{"unirt_cassette": 1, "origin": "hand-written", "provider": "google"}'
OPEN = '{"t": 0, "open": {"url": "wss://host/path"}}'
STALL = '{"stall": true}'


def talk(*lines: str, header: str = HEADER) -> Cassette:
    return loads("\n".join((header, *lines, "")).encode(), "talk.jsonl")


def refused(*lines: str, header: str = HEADER) -> CassetteError:
    with pytest.raises(CassetteError) as caught:
        talk(*lines, header=header)
    return caught.value


WHOLE = Cassette(
    header=Header(
        origin=Origin.LIVE,
        provider="google",
        model="m",
        protocol="/v1/x",
        recorded_by="unirt-realtime 1",
        against="wss://host/v1/x",
        recorded_at="2026-11-26T10:00:00Z",
        scrubbed={"keys": 2},
        match=("ids",),
        notes={"scenario": "talk"},
    ),
    entries=(
        Opened(url="wss://host/v1/x", subprotocol="realtime"),
        Exchanged(request={"method": "POST"}, response={"status": {"code": 200}}),
        Framed(direction="sent", data={"b": 1, "a": "ü"}, at_ms=1.5),
        Framed(direction="received", data={"x": [1, None]}, binary=True, at_ms=2),
        Framed(direction="received", data="no JSON", at_ms=2),
        Framed(direction="received", data=b"\xff\x00", binary=True, at_ms=2),
        Framed(
            direction="received",
            data={"parts": [{"data": "AAAA"}, {"data": "////"}]},
            altered=(
                Altered(at=("parts", 0, "data"), size=3, silence=0),
                Altered(at=("parts", 1, "data"), size=3, silence=255),
            ),
            at_ms=3,
        ),
        Framed(
            direction="received",
            data={"delta": "AQID"},
            altered=(Altered(at=("delta",), size=9600),),
            at_ms=3,
        ),
        Opened(url="ws://other/", provider="openai", model="n", status=401, error="no", at_ms=4,
               connection=2),
        Opened(url="ws://other/", status=None, error="refused", at_ms=4, connection=3),
        Opened(url="webrtc:", transport="datachannel", at_ms=4, connection=4),
        Stalled(at_ms=5, connection=4),
        Closed(code=1000, by="local", at_ms=6, connection=4),
        Closed(code=None, by="network", at_ms=6),
    ),
)  # fmt: skip


@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_written_is_read(compressed: bool) -> None:
    assert loads(dumps(WHOLE, "x", compressed=compressed), "x") == WHOLE


def test_equal_cassettes_make_equal_bytes() -> None:
    assert dumps(WHOLE, "x", compressed=True) == dumps(WHOLE, "x", compressed=True)
    assert gzip.decompress(dumps(WHOLE, "x", compressed=True)) == dumps(WHOLE, "x")


def test_a_line_holds_one_frame_and_silence_as_its_length() -> None:
    lines = dumps(WHOLE, "x").decode().splitlines()
    assert lines[3] == '{"t": 1.5, "sent": {"b": 1, "a": "ü"}}'
    assert lines[4] == '{"t": 2, "received": {"x": [1, null]}, "as": "binary"}'
    assert lines[6] == '{"t": 2, "received": "/wA=", "as": "base64"}'
    assert json.loads(lines[7]) == {
        "t": 3,
        "received": {"parts": [{"data": ""}, {"data": ""}]},
        "audio": [
            {"at": ["parts", 0, "data"], "silence": 3},
            {"at": ["parts", 1, "data"], "silence": 3, "of": 255},
        ],
    }
    assert len(lines) == 1 + len(WHOLE.entries)


def test_files_are_written_whole_and_read(tmp_path: Path) -> None:
    for name in ("talk.jsonl", "talk.jsonl.gz"):
        path = tmp_path / "new" / "folder" / name
        write(path, WHOLE)
        assert read(path) == WHOLE
    assert sorted(path.name for path in path.parent.iterdir()) == ["talk.jsonl", "talk.jsonl.gz"]


def test_a_cassette_that_no_reader_would_take_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    with pytest.raises(CassetteError, match="holds nothing"):
        write(path, Cassette(header=WHOLE.header, entries=()))
    assert list(tmp_path.iterdir()) == []


def test_by_hand_a_line_needs_little() -> None:
    cassette = talk(
        OPEN, '{"received": {}}', '{"t": 20, "received": {}}', '{"received": {}}', STALL
    )
    assert [entry.at_ms for entry in cassette.entries] == [0, 0, 20, 20, 20]
    (segment,) = cassette.segments
    assert (segment.provider, segment.number, segment.line) == ("google", 1, 2)
    assert [line for line, _ in segment.entries] == [3, 4, 5, 6]


def test_times_are_read_to_the_microsecond_as_they_are_written() -> None:
    lines = (
        b'{"unirt_cassette": 1, "origin": "hand-written"}',
        b'{"open": {"url": ""}}',
        b'{"t": 30.82001, "received": {}}',
        b'{"close": {}}',
    )
    cassette = loads(b"\n".join(lines), "test")
    assert [entry.at_ms for entry in cassette.entries] == [0.0, 30.82, 30.82]
    assert loads(dumps(cassette, "test"), "again") == cassette


def test_connections_are_told_apart_though_their_lines_are_mixed() -> None:
    cassette = talk(
        OPEN,
        '{"c": 2, "open": {"url": "ws://other/", "provider": "openai", "model": "n"}}',
        '{"received": {"n": 1}}',
        '{"c": 2, "received": {"n": 2}}',
        '{"close": {}}',
        '{"c": 2, "stall": true}',
    )
    first, second = cassette.segments
    assert [line for line, _ in first.entries] == [4, 6]
    assert [line for line, _ in second.entries] == [5, 7]
    assert (second.provider, second.model) == ("openai", "n")


@pytest.mark.parametrize(
    ("lines", "what", "line"),
    [
        ([OPEN, '{"received": {}'], "truncated", 3),
        ([OPEN, '{"received": {}', STALL], "not JSON", 3),
        ([OPEN, '{"received": {}}'], "truncated", 3),
        ([OPEN], "truncated", 2),
        ([OPEN, "", STALL], "not JSON", 3),
        ([OPEN, "[1]", STALL], "an array where an object", 3),
        ([OPEN, '{"recieved": {}}', STALL], "recieved: unknown, did you mean received", 3),
        ([OPEN, '{"t": 1}', STALL], "exactly one of", 3),
        ([OPEN, '{"received": ' + "[" * 1000 + "]" * 1000 + "}"], "not JSON: recursion", 3),
        ([OPEN, '{"t": 1e999, "received": {}}', STALL], "expected a time in ms", 3),
        ([OPEN, '{"received": {}, "sent": {}}', STALL], "exactly one of", 3),
        ([OPEN, '{"received": {}, "audoi": []}', STALL], "audoi: unknown, did you mean audio", 3),
        ([OPEN, '{"received": 7}', STALL], "expected an object", 3),
        ([OPEN, '{"received": NaN}', STALL], "not JSON", 3),
        ([OPEN, '{"received": {}, "as": "text"}', STALL], "expected 'binary' or 'base64'", 3),
        ([OPEN, '{"received": "x!", "as": "base64"}', STALL], "not base64", 3),
        ([OPEN, '{"t": -1, "received": {}}', STALL], "expected a time in ms", 3),
        ([OPEN, f'{{"t": {10**400}, "received": {{}}}}', STALL], "expected a time in ms", 3),
        ([OPEN, '{"t": true, "received": {}}', STALL], "expected a time in ms", 3),
        ([OPEN, '{"t": 9, "received": {}}', '{"t": 8, "stall": true}'], "before the line above", 4),
        ([OPEN, '{"c": 0, "received": {}}', STALL], "expected a connection", 3),
        ([OPEN, '{"c": 2, "received": {}}', STALL], "connection 2 was never opened", 3),
        ([OPEN, OPEN, STALL], "opened twice", 3),
        (['{"c": 2, "open": {"url": ""}}'], "opened before connection 1", 2),
        ([OPEN, '{"close": {}}', STALL], "connection 1 is over", 4),
        ([OPEN, STALL, '{"received": {}}'], "connection 1 is over", 4),
        (['{"open": {"url": "", "status": 403}}', '{"received": {}}'], "connection 1 is over", 3),
        (['{"open": {}}', STALL], "open.url: missing", 2),
        (['{"open": {"url": "", "status": "x"}}', STALL], "an HTTP status", 2),
        ([OPEN, '{"close": {"by": "me"}}'], "'local', 'remote' or 'network'", 3),
        ([OPEN, '{"close": {"code": "1000"}}'], "a close code", 3),
        ([OPEN, '{"stall": 1}'], "expected true", 3),
        ([OPEN, '{"received": {"a": ""}, "audio": [{"at": ["b"], "silence": 2}]}', STALL],
         "no empty string at ['b']", 3),
        ([OPEN, '{"received": {"a": "x"}, "audio": [{"at": ["a"], "silence": 2}]}', STALL],
         "no empty string at ['a']", 3),
        ([OPEN, '{"received": {"a": 1}, "audio": [{"at": ["a"], "cut_from": 2}]}', STALL],
         "no string at ['a']", 3),
        ([OPEN, '{"received": {"a": ""}, "audio": [{"at": ["a"]}]}', STALL],
         "cut_from, silence", 3),
        ([OPEN, '{"received": {"a": ""}, "audio": [{"at": "a", "silence": 2}]}', STALL],
         "an array of keys", 3),
        ([OPEN, '{"received": {"a": ""}, "audio": [{"at": ["a"], "silence": 2, "of": 999}]}',
          STALL],
         "a number of bytes", 3),
        ([OPEN, '{"received": {"a": ""}, "audio": [{"at": ["a"], "silence": 1000000000}]}', STALL],
         "a number of bytes", 3),
        (['{"http": {"request": {}}}'], "http.response: missing", 2),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_said_with_its_number(
    lines: list[str], what: str, line: int
) -> None:
    error = refused(*lines)
    assert what in error.what
    assert error.where == f"talk.jsonl, line {line}"
    assert error.remedy


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("interactions:", "no cassette of unirt"),
        ("{}", "no cassette of unirt"),
        ('{"unirt_cassette": 2, "origin": "live"}', "version is 2, and this unirt reads up to 1"),
        ('{"unirt_cassette": "1", "origin": "live"}', "its version is '1'"),
        ('{"unirt_cassette": 1}', "origin: missing"),
        ('{"unirt_cassette": 1, "origin": "dream"}', "expected one of live, simulator"),
        ('{"unirt_cassette": 1, "origin": "live", "modle": "x"}', "did you mean model"),
        ('{"unirt_cassette": 1, "origin": "live", "scrubbed": 1}', "expected an object"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_header_is_said(header: str, what: str) -> None:
    error = refused(OPEN, STALL, header=header)
    assert what in error.what
    assert error.where == "talk.jsonl, line 1"


def test_the_older_format_is_led_to_its_converter() -> None:
    assert "convert" in refused(header='{"direction": "sent", "data": {}}').remedy


def test_a_byte_order_mark_is_told() -> None:
    error = refused(OPEN, STALL, header='\ufeff{"unirt_cassette": 1, "origin": "live"}')
    assert "without a byte order mark" in error.remedy


def test_an_empty_file_is_not_an_empty_cassette() -> None:
    for data in (b"", b"\n"):
        with pytest.raises(CassetteError, match=r"empty|no cassette"):
            loads(data, "x")
    assert "holds nothing" in refused().what


def test_a_compressed_file_that_lost_its_end_is_no_cassette() -> None:
    data = dumps(WHOLE, "x", compressed=True)
    for size in range(2, len(data)):
        with pytest.raises(CassetteError, match="truncated"):
            loads(data[:size], "x")
    with pytest.raises(CassetteError, match="damaged"):
        loads(data[:20] + bytes(20) + data[40:], "x")


def test_a_plain_file_that_lost_its_end_is_no_cassette() -> None:
    data = dumps(WHOLE, "x")
    for size in range(len(data) - 1):
        with pytest.raises(CassetteError):
            loads(data[:size], "x")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="No such file"):
        read(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        ('{"a": 1}', {"a": 1}),
        (b'{"a": "\xc3\xbc"}', {"a": "ü"}),
        ("[1]", [1]),
        ("hello", "hello"),
        ("7", "7"),
        (b"\xff", b"\xff"),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        ('{"a": NaN}', '{"a": NaN}'),
        ('{"a": 1e999}', '{"a": 1e999}'),
        ('{"a": "\\ud800"}', '{"a": "\\ud800"}'),
        ('{"a": ', '{"a": '),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_message_is_decoded_only_where_that_loses_nothing(frame: str | bytes, data: Any) -> None:
    assert kept(frame) == data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)  # fmt: skip


@given(frame=st.text() | st.binary() | JSON.map(json.dumps) | JSON.map(json.dumps).map(str.encode))
def test_any_message_survives_the_file(frame: str | bytes) -> None:
    entry = Framed(direction="sent", data=kept(frame), binary=isinstance(frame, bytes))
    entries: tuple[Entry, ...] = (Opened(url=""), entry, Stalled())
    cassette = Cassette(header=Header(origin=Origin.LIVE), entries=entries)

    back = loads(dumps(cassette, "x"), "x").entries[1]
    assert isinstance(back, Framed)
    assert type(back.frame) is type(frame)
    if isinstance(entry.data, dict | list):
        assert json.loads(back.frame) == json.loads(frame)
    else:
        assert back.frame == frame


def test_older_recordings_are_imported() -> None:
    lines = (
        '{"direction": "note", "data": {"provider": "openai", "model": "m", "scenario": "s"}}\n'
        '{"direction": "received", "data": {"type": "session.created"}}\n\n'
        '{"direction": "sent", "data": {"type": "response.create"}}\n'
        '{"direction": "close", "data": {"code": 1008, "reason": "no"}}\n'
    )
    cassette = from_lines(lines.encode(), "old.jsonl")
    assert cassette.header == Header(
        origin=Origin.IMPORTED, provider="openai", model="m", notes={"scenario": "s"}
    )
    assert cassette.entries[1:] == (
        Framed(direction="received", data={"type": "session.created"}),
        Framed(direction="sent", data={"type": "response.create"}),
        Closed(code=1008, reason="no"),
    )
    assert loads(dumps(cassette, "x"), "x") == cassette


def test_an_older_recording_without_an_end_stalls() -> None:
    cassette = from_lines(b'{"direction": "sent", "data": {}}', "old.jsonl", provider="google")
    assert isinstance(cassette.entries[-1], Stalled)
    assert cassette.header.provider == "google"


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (b'{"direction": "sent", "data": 1}', "a frame"),
        (b'{"direction": "up", "data": {}}', "expected sent, received"),
        (b"x", "no line of a recording"),
        (b"", "holds no frame"),
    ],
)
def test_what_is_no_older_recording_is_refused(lines: bytes, what: str) -> None:
    with pytest.raises(CassetteError, match=what):
        cassettes.from_lines(lines, "old.jsonl")


@pytest.mark.parametrize(
    "line",
    [
        '{"received": {"a": 1}}',
        '{"t": 0, "c": 1, "sent": {"a": [1, "}"]}}',
        '{"t": 12.125, "received": [{"a": null}]}',
        '{"t": 012, "received": {}}',
        '{"t": 1.2.3, "received": {}}',
        '{"t": 99999999999999, "received": {}}',
        '{"c": 0, "received": {}}',
        '{"received": "text"}',
        '{"received": 5}',
        '{"received": {"a": 1}, "as": "binary"}',
        '{"received": {"a": NaN}}',
        '{"received": {"a": 1}, "sent": {}}',
        '{"received": {"a": 1}, "received": {"b": 2}}',
        '{"received": {"a": 1}',
        '{"received": {"a": 1}}}',
    ],
)
def test_the_usual_lines_are_read_as_all_others_are(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> tuple[Any, ...]:
        text = f'{{"unirt_cassette": 1, "origin": "live"}}\n{{"open": {{"url": "x:"}}}}\n{line}\n'
        try:
            framed = loads((text + '{"stall": true}\n').encode(), "x.jsonl").entries[1]
        except CassetteError as error:
            return (str(error),)
        assert isinstance(framed, Framed)
        return framed, type(framed.at_ms), framed.written, framed.payload

    usual = told()
    monkeypatch.setattr(reading, "_usual", lambda *_: None)
    assert told() == usual
