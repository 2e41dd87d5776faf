"""Frames in the log: both ways, short, without a secret, and none where nobody wants them."""

import base64
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest

import unirt
from unirt.provider import Provider
from unirt.simulator import Simulator
from unirt.transports.frames import logged, shown
from unirt.transports.memory import memory_pair

NAME = "unirt.transports.frames"
KEY = "sk-a-planted-canary-0123456789abcdef"


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == NAME]


def test_where_nobody_wants_them_nothing_is_in_the_way(caplog: pytest.LogCaptureFixture) -> None:
    here, _ = memory_pair()
    caplog.set_level(logging.INFO, NAME)
    assert logged(here, "1.1", str) is here
    caplog.set_level(logging.DEBUG, NAME)
    assert logged(here, "1.1", str) is not here


async def test_both_directions_and_the_end_are_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, NAME)
    here, there = memory_pair()
    transport = logged(here, "1.7", str)
    await transport.send('{"do":1}')
    await there.send(b'{"is":2}')
    await transport.receive()
    await there.close(1001, "bye")
    with pytest.raises(Exception, match="1001"):
        await transport.receive()
    assert told(caplog) == ['> {"do": 1}', '< {"is": 2}', "closed by remote, code 1001 bye"]
    assert {getattr(record, "session", None) for record in caplog.records} == {"1.7"}


async def test_frames_that_have_a_time_each_are_told_when_they_are_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, NAME)
    asked: list[int] = []

    def timed() -> Iterator[str]:
        for n in range(3):
            asked.append(n)
            yield f"[{n}]"

    class Timed:
        url = "here:"

        async def deliver(
            self, take: Callable[[Iterable[Any]], bool], room: Callable[[], Awaitable[None]]
        ) -> None:
            frames = timed()
            take(frames)  # takes one, and leaves the rest
            take(frames)
            take([b"[7]"])

    taken: list[Any] = []

    def take(frames: Iterable[Any]) -> bool:
        taken.append(next(iter(frames)))
        return True

    async def room() -> None: ...

    within: Any = Timed()
    transport: Any = logged(within, "1.1", str)
    await transport.deliver(take, room)
    assert taken == ["[0]", "[1]", b"[7]"]
    assert asked == [0, 1]
    assert told(caplog) == ["< [0]", "< [1]", "< [7]"]


def test_sound_is_a_size_and_a_long_text_is_cut() -> None:
    sound = base64.b64encode(bytes(range(256)) * 10).decode()
    frame = {"type": "x", "audio": sound, "text": "words and " * 100, "list": list(range(100))}
    line = shown(json.dumps(frame))
    assert sound[:40] not in line
    assert f"({len(sound)} characters)" in line
    assert '"words and words' in line
    assert "... (1000 characters)" in line
    assert len(line) < 500
    assert '"... (100)"' in line


def test_a_frame_is_one_short_line_whatever_it_holds() -> None:
    deep: Any = "x"
    for _ in range(12):
        deep = {f"k{n}": deep if n == 0 else "text\n" * 10 for n in range(10)}
    line = shown(json.dumps(deep))
    assert "\n" not in line
    assert len(line) < 2_100
    assert shown(b"\xff\xfe") == "2 bytes, no JSON"
    assert shown("no json") == "7 characters, no JSON"
    assert shown("[" * 100_000) == "100000 characters, no JSON"


@pytest.mark.parametrize(
    "frame",
    [
        {"note": f"the key {KEY} is wrong"},
        {KEY: 1},
        {"note": "x" * 75 + KEY},
        {"client_secret": {"value": "ek_planted_canary_0123456789"}},
        {"authorization": "planted canary"},
        {"sessionResumptionUpdate": {"newHandle": "planted-canary", "resumable": True}},
        {"setup": {"sessionResumption": {"handle": "planted-canary"}}},
        {"another": {"resume_handle": "planted-canary"}},
    ],
)
def test_what_is_secret_is_never_shown(frame: Any) -> None:
    line = shown(json.dumps(frame), lambda text: text.replace(KEY, "***"))
    assert "canary" not in line
    assert KEY[:8] not in line


async def test_a_whole_session_is_told_on_every_provider_and_no_key_is(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1, "unirt")
    async with Simulator(provider) as simulator:
        environ = dict(simulator.env)
        for name in environ:
            if name.endswith("_API_KEY"):
                environ[name] = KEY
        async with unirt.connect(simulator.provider, environ=environ, env_file=None) as session:
            await session.send_audio(bytes(3200))
            await session.send_text("Hello there")
            async for event in session:
                if isinstance(event, unirt.ResponseDone):
                    break
    lines = told(caplog)
    sent = [line for line in lines if line.startswith("> ")]
    came = [line for line in lines if line.startswith("< ")]
    assert any("Hello there" in line for line in sent)
    assert any("characters)" in line for line in sent)  # the user's sound
    assert any("characters)" in line for line in came)  # the model's
    assert lines[-1].startswith("closed by local, code 1000")
    marks = {r.__dict__["session"] for r in caplog.records if r.name.startswith("unirt.")}
    assert marks <= {session.log_id, "-"}
    assert KEY not in "".join(map(repr, (record.__dict__ for record in caplog.records)))
    assert max(map(len, lines)) < 2_100
