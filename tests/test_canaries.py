"""
Keys are planted wherever keys may be, and nothing that people may be shown holds one afterwards.

What is looked at: every line of every log at every level, what every living object of ours says of
itself, tracebacks with the variables of our frames in them, traces, cassettes, and pages made of
these.
"""

from __future__ import annotations

import base64
import gc
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

import unirt
from tests.calling import HERE
from tests.pace import FAST
from unirt.cli.inspect import run as inspect
from unirt.provider import Provider
from unirt.registry import load
from unirt.simulator import Simulator, loads

CANARY = "canary-4f1d9c77e2ab"
KEY = f"sk-proj-{CANARY}-key"
HEADER = f"Basic {CANARY}-header"
QUERY = f"{CANARY}-query"
PLANTED = {"x-gateway-authorization": HEADER}
VARIABLES = {"openai": "OPENAI_API_KEY", "google": "GOOGLE_API_KEY"}
TALK = loads(
    """
    [[session.tools]]
    name = "find"

    [[reply]]
    cue = "text"
    steps = [{ call = "find", args = { where = "here" } }]

    [[reply]]
    cue = "tool_result"
    steps = [{ say = "Found." }]
    """
)


def shows(text: str) -> bool:
    """Whether a text holds a canary, also in base64 at any offset."""
    encoded = [base64.b64encode(b"x" * n + CANARY.encode()).decode()[4:-4] for n in range(3)]
    return any(form in text for form in (CANARY, *encoded))


def ours(module: object) -> bool:
    return str(module).split(".")[0] in {"unirt", "unirt_openai", "unirt_google"}


def living() -> Iterator[str]:
    """What every living object of ours says of itself."""
    for thing in gc.get_objects():
        kind = type(thing)
        if ours(kind.__module__):
            yield f"{kind.__qualname__}: {thing!r}"


def told(exc: BaseException) -> str:
    """A traceback with the variables of our own frames, and whatever an exception holds."""
    whole = traceback.TracebackException.from_exception(exc, capture_locals=True)
    text = str(exc) + repr(exc) + repr(vars(exc))
    walker: traceback.TracebackException | None = whole
    while walker is not None:
        for frame in walker.stack:
            if "/unirt" in frame.filename:
                text += f"\n{frame.filename}:{frame.lineno} {frame.locals}"
        walker = walker.__cause__ or walker.__context__
    return text


def leaked(log: pytest.LogCaptureFixture) -> list[str]:
    """The lines with a canary, but for those of the server that is called."""
    called = [record for record in log.records if not record.name.startswith("websockets.server")]
    lines = [f"{record.name}: {logging.Formatter().format(record)}" for record in called]
    return [line for line in lines if shows(line)]


def caught_by_reprs(text: str) -> list[str]:
    return [line for line in text.split("\n") if shows(line)]


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every logger, at its lowest level."""
    with caplog.at_level(logging.DEBUG):
        yield caplog


def find(where: str) -> str:
    """A tool with a secret of its own, which fails."""
    password = f"{CANARY}-password"
    raise OSError(f"no {where} with {len(password)} letters")


WAYS = [
    ("openai", "websocket"),
    ("openai", "fast"),
    ("openai", "webrtc"),
    ("google", "websocket"),
    ("google", "fast"),
]


@pytest.mark.parametrize(("name", "transport"), WAYS)
async def test_a_session_shows_no_key(
    name: str,
    transport: str,
    everything: pytest.LogCaptureFixture,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    provider = load(name)
    cassette, trace, page = tmp_path / "a.jsonl", tmp_path / "trace", tmp_path / "a.html"
    async with Simulator(provider, TALK, pace=FAST) as simulator:
        environ = {
            **simulator.env,
            VARIABLES[provider.name]: KEY,
            "UNIRT_TRACE": str(trace),
            "OPENAI_ORG_ID": f"org-{CANARY}",
        }
        with unirt.cassette(cassette, mode="all"):
            connecting = unirt.connect(
                provider,
                environ=environ,
                transport=transport,
                headers=PLANTED,
                base_url=f"{simulator.url}?token={QUERY}" if provider.name == "openai" else None,
                tools=[find],
                connection_options=HERE if transport == "webrtc" else {},
            )
            async with connecting as session:
                shown = list(living())
                await session.send_text("Find it.")
                answers = 0
                async for event in session:
                    shown.append(repr(event))
                    answers += isinstance(event, unirt.ResponseDone)
                    if answers == 2:
                        break
                shown += [*living(), repr(connecting), repr(session.history), repr(session.config)]
    assert inspect(cassette, html=page) == inspect(cassette) == 0
    said = capsys.readouterr()
    leaks = [line for line in shown if shows(line)]
    assert leaks == []
    assert leaked(everything) == []
    assert any("is ready" in line for line in everything.messages)
    assert not shows(said.err)
    for text in (cassette.read_text(), trace.read_text(), page.read_text(), said.out):
        assert len(text) > 0
        assert not shows(text)


def test_what_shows_is_found() -> None:
    assert shows(KEY)
    assert all(shows(base64.b64encode(b"y" * n + KEY.encode()).decode()) for n in range(5))
    assert not shows("sk-proj-other")


async def failures(provider: Provider, **more: Any) -> BaseException:
    with pytest.raises(unirt.UnirtError) as caught:
        async with unirt.connect(
            provider,
            environ={VARIABLES[provider.name]: KEY},
            headers=PLANTED,
            reconnect=False,
            **more,
        ):
            pass
    return caught.value


async def test_no_failure_shows_a_key(
    provider: Provider, everything: pytest.LogCaptureFixture
) -> None:
    async def refuse(connection: ServerConnection) -> None:
        await connection.close(1008, f"no such key: {KEY}")

    async with serve(refuse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        tried = [
            await failures(provider, base_url=f"ws://127.0.0.1:{port}", transport=transport)
            for transport in ("websocket", "fast")
        ]
    tried += [
        await failures(provider, base_url="ws://127.0.0.1:1"),
        await failures(provider, base_url="ws://127.0.0.1:1", transport="fast"),
        await failures(provider, base_url="ws://far.example"),
        await failures(provider, api_key=f"{KEY}\n", base_url="ws://127.0.0.1:1"),
        await failures(provider, connection_options={"novel": 1}),
        await failures(provider, connection_options={"ssl": False}),
        await failures(provider, fallback="nobody"),
        await failures(provider, temperature=9e9, voice=7),
    ]
    for exc in tried:
        assert caught_by_reprs(told(exc)) == [], f"{exc!r}"
    assert leaked(everything) == []


async def test_no_minting_shows_a_key(
    provider: Provider, everything: pytest.LogCaptureFixture
) -> None:
    async with Simulator(load(provider.name), pace=FAST) as simulator:
        environ = {**simulator.env, VARIABLES[provider.name]: KEY}
        secret = await unirt.client_secret(provider, environ=environ, headers=PLANTED)
        with pytest.raises(unirt.DialError) as caught:
            await unirt.client_secret(
                provider, environ=environ, headers=PLANTED, base_url="http://127.0.0.1:1"
            )
    assert secret.value not in repr(secret)
    assert caught_by_reprs(told(caught.value)) == []
    assert leaked(everything) == []
