"""Connecting: everything is refused as early as it can be, and a failed enter leaves nothing."""

import asyncio
import inspect
from typing import Any

import attrs
import pytest

import unirt
from unirt import Limits, SessionConfig
from unirt.provider import Credentials
from unirt.session.arguments import config_of
from unirt.transport import TransportClosed
from unirt.transports.memory import memory_pair

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


async def read_on(transport: Any) -> None:
    while True:
        await transport.receive()


async def closed_by_us(toy: Toy) -> int | None:
    """The close code that the server saw, all frames before it read."""
    with pytest.raises(TransportClosed) as gone:
        await read_on(toy.there)
    assert gone.value.by == "remote"
    return gone.value.code


async def test_the_provider_is_dialled_with_the_whole_configuration(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(
        voice="v",
        api_key="k",
        base_url="wss://toy.test",
        headers={"X": "1"},
        connection_options={"ping_interval": 5},
    ):
        pass
    ((config, credentials),) = toy.dialled

    assert config == SessionConfig(model="toy-1", voice="v")
    assert (credentials.api_key, credentials.base_url) == ("k", "wss://toy.test")
    assert credentials.headers == {"X": "1"}
    assert credentials.options == {"ping_interval": 5}
    assert (await toy.heard()) == {"do": "hello", "model": "toy-1", "voice": "v"}


async def test_a_provider_may_complete_the_configuration(toy: Toy) -> None:
    def resolve(config: SessionConfig, credentials: Credentials) -> SessionConfig:
        return attrs.evolve(config, model=f"{credentials.base_url}/{config.model}")

    await toy.greet()
    provider = attrs.evolve(toy.provider, resolve=resolve)
    async with toy.connecting(provider=provider, base_url="here"):
        pass
    assert toy.dialled[0][0].model == "here/toy-1"
    assert (await toy.heard())["model"] == "here/toy-1"


async def test_a_transport_can_be_given_instead_of_dialling(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(transport=toy.here) as session:
        assert session.session_id == "sess_1"
    assert toy.dialled == []
    assert await closed_by_us(toy) == 1000


async def test_what_opens_a_transport_can_be_given_too(toy: Toy) -> None:
    asked: list[tuple[SessionConfig, Credentials]] = []

    async def dial(config: SessionConfig, credentials: Credentials) -> Any:
        asked.append((config, credentials))
        return toy.here

    await toy.greet()
    async with toy.connecting(transport=dial, api_key="k"):
        pass
    assert toy.dialled == []
    assert (asked[0][0].model, asked[0][1].api_key) == ("toy-1", "k")


async def test_the_views_hold_what_the_handshake_heard(toy: Toy) -> None:
    await toy.say("note", why="early")
    await toy.greet()
    async with toy.connecting() as session:
        view = aiter(session)
        kinds = [type(await anext(view)).__name__ for _ in range(2)]
    assert kinds == ["SessionStarted", "Noted"]


# Refusals.


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"noise_reduction": "near_field"}, unirt.UnsupportedSetting),
        ({"turn_detection": unirt.ServerVAD(threshold=0.5)}, unirt.UnsupportedSetting),
        ({"parallel_tool_calls": True}, unirt.UnsupportedSetting),
    ],
)
@pytest.mark.parametrize("given", [True, False])
async def test_an_unsupported_setting_is_refused_before_dialling(
    arguments: dict[str, Any], error: type[Exception], given: bool, toy: Toy
) -> None:
    if given:
        arguments = {**arguments, "transport": toy.here}
    with pytest.raises(error):
        async with toy.connecting(**arguments):
            pass
    assert toy.dialled == []
    if given:
        assert await closed_by_us(toy) == 1000


async def test_a_close_before_the_session_is_ready_is_a_refusal(toy: Toy) -> None:
    await toy.there.close(1008, "no such model")
    with pytest.raises(unirt.HandshakeError) as refused:
        async with toy.connecting():
            pass
    error = refused.value
    assert (error.provider, error.code, error.why) == ("toy", 1008, "no such model")
    assert error.url == "memory://toy"


async def test_a_cut_before_the_session_is_ready_is_a_refusal_without_a_code(toy: Toy) -> None:
    toy.there.cut()
    with pytest.raises(unirt.HandshakeError, match="before the session was ready") as refused:
        async with toy.connecting():
            pass
    assert refused.value.code is None


@pytest.mark.parametrize("severity", ["error", "fatal"])
async def test_an_error_before_the_session_is_ready_is_a_refusal(severity: str, toy: Toy) -> None:
    await toy.say("error", message="bad voice", code="invalid_value", severity=severity)
    with pytest.raises(unirt.HandshakeError, match=r"bad voice \(invalid_value\)"):
        async with toy.connecting():
            pass
    assert await closed_by_us(toy) == 1000


async def test_a_benign_error_is_none(toy: Toy) -> None:
    await toy.say("error", message="a race", severity="benign")
    await toy.greet()
    async with toy.connecting() as session:
        assert not session.closed


async def test_a_provider_that_says_nothing_is_a_refusal(toy: Toy) -> None:
    await toy.say("note", why="not a greeting")
    with pytest.raises(unirt.HandshakeError, match=r"not ready after 0\.0\d* s"):
        async with toy.connecting(timeouts=unirt.Timeouts(handshake=0.05)):
            pass
    assert await closed_by_us(toy) == 1000


async def test_a_dial_that_never_ends_is_a_dial_error(toy: Toy) -> None:
    cancelled = asyncio.Event()

    async def dial(config: SessionConfig, credentials: Credentials) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(unirt.DialError, match=r"no connection within 0\.05 s"):
        async with toy.connecting(transport=dial, timeouts=unirt.Timeouts(dial=0.05)):
            pass
    assert cancelled.is_set()


async def test_what_the_dial_raises_passes(toy: Toy) -> None:
    async def dial(config: SessionConfig, credentials: Credentials) -> Any:
        raise unirt.MissingKey("toy", ["TOY_API_KEY"])

    with pytest.raises(unirt.MissingKey, match="TOY_API_KEY"):
        async with toy.connecting(transport=dial):
            pass


async def test_a_bug_in_a_translator_is_raised_as_it_is(toy: Toy) -> None:
    await toy.say("bug")
    with pytest.raises(RuntimeError, match="a bug in the translator"):
        async with toy.connecting():
            pass


@pytest.mark.parametrize("when", ["dialling", "handshake"])
async def test_a_cancelled_enter_leaves_nothing(when: str, toy: Toy) -> None:
    reached = asyncio.Event()

    async def dial(config: SessionConfig, credentials: Credentials) -> Any:
        reached.set()
        if when == "dialling":
            await asyncio.Event().wait()
        return toy.here

    async def enter() -> None:
        async with toy.connecting(transport=dial):
            raise AssertionError("it was never ready")

    task = asyncio.create_task(enter())
    await reached.wait()
    if when == "handshake":
        assert (await toy.heard())["do"] == "hello"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    if when == "handshake":
        assert await closed_by_us(toy) == 1000


async def test_a_connection_is_entered_once(toy: Toy) -> None:
    await toy.greet()
    connecting = toy.connecting()
    async with connecting:
        pass
    with pytest.raises(unirt.UsageError, match=r"call unirt\.connect\(\) again"):
        async with connecting:
            pass


async def test_an_exception_of_the_block_passes_and_closes(toy: Toy) -> None:
    await toy.greet()
    with pytest.raises(ZeroDivisionError):
        async with toy.connecting():
            raise ZeroDivisionError
    assert await closed_by_us(toy) == 1000


async def test_many_sessions_at_once_are_strangers(toy: Toy) -> None:
    async def hold(n: int) -> str | None:
        here, there = memory_pair(f"memory://{n}")
        await there.send('{"is": "hello", "id": "' + str(n) + '"}')
        session: unirt.Session
        async with toy.connecting(transport=here, limits=Limits(events=n + 1)) as session:
            await asyncio.sleep(0)
            return session.session_id

    assert await asyncio.gather(*map(hold, range(50))) == [str(n) for n in range(50)]


# Short forms.


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("modalities", "audio", ("audio",)),
        ("modalities", "audio, text", ("audio", "text")),
        ("modalities", ["text"], ("text",)),
        ("turn_detection", "manual", unirt.Manual()),
        ("turn_detection", "server_vad", unirt.ServerVAD()),
        ("turn_detection", "semantic_vad", unirt.SemanticVAD()),
        ("turn_detection", unirt.ServerVAD(silence_ms=5), unirt.ServerVAD(silence_ms=5)),
        ("input_transcription", True, unirt.Transcription()),
        ("input_transcription", False, unirt.Transcription(enabled=False)),
        ("input_transcription", "whisper-1", unirt.Transcription(model="whisper-1")),
        ("noise_reduction", "far_field", unirt.NoiseReduction.FAR_FIELD),
        ("thinking", "low", unirt.Thinking(effort="low")),
        ("thinking", 512, unirt.Thinking(budget_tokens=512)),
        ("tools", [unirt.Tool(name="t")], (unirt.Tool(name="t"),)),
        ("tools", [], ()),
        ("temperature", 1, 1),
        ("output_transcription", False, False),
        ("voice", None, None),
    ],
)
def test_a_setting_may_be_written_short(field: str, value: Any, expected: Any) -> None:
    assert getattr(config_of({field: value}), field) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("voice", 3),
        ("temperature", "hot"),
        ("temperature", True),
        ("max_output_tokens", 1.5),
        ("modalities", 7),
        ("modalities", ()),
        ("modalities", "video"),
        ("turn_detection", "vad"),
        ("turn_detection", True),
        ("input_transcription", 3),
        ("input_transcription", ""),
        ("noise_reduction", "loud"),
        ("thinking", 1.5),
        ("thinking", True),
        ("tools", "t"),
        ("tools", [{"name": "t"}]),
        ("history", [{"role": "user"}]),
        ("output_transcription", "yes"),
        ("input_format", "pcm16"),
        ("provider_options", []),
        ("voise", "x"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(unirt.ConfigurationError) as refused:
        config_of({field: value})
    assert refused.value.where == field
    assert refused.value.remedy


@pytest.mark.parametrize("name", ["websocket", "fast"])
async def test_the_dial_is_told_which_transport(name: str, toy: Toy) -> None:
    await toy.greet()
    provider = attrs.evolve(toy.provider, transports=("websocket", "fast"))
    async with toy.connecting(provider=provider, transport=name):
        pass
    assert toy.dialled[0][1].transport == name


@pytest.mark.parametrize("name", ["webrtc", "fast", "pigeon", ""])
def test_a_transport_that_is_not_there_is_refused(name: str, toy: Toy) -> None:
    if not name:
        assert toy.connecting(transport=name).transport is None  # empty is not given
        return
    with pytest.raises(unirt.ConfigurationError, match="use 'websocket'"):
        toy.connecting(transport=name)


def test_connect_takes_every_setting_there_is() -> None:
    parameters = set(inspect.signature(unirt.connect).parameters)
    assert {field.name for field in attrs.fields(SessionConfig)} <= parameters
