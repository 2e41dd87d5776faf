"""Keys never show: not in reprs, not in errors, not on the command line."""

import traceback

import pytest
from websockets.asyncio.server import ServerConnection, serve

import unirt
from tests.pace import FAST
from unirt.config import ProviderTool, SessionConfig
from unirt.errors import UnirtError
from unirt.registry import installed, load
from unirt.simulator import Simulator

KEY = "sk-this-must-never-be-seen-0123456789"


def shown(exc: BaseException) -> str:
    return "".join(traceback.format_exception(exc)) + repr(exc) + str(vars(exc))


@pytest.mark.parametrize(
    "value",
    [
        unirt.Credentials(api_key=KEY, headers={"x": KEY}, environ={"K": KEY}, options={"p": KEY}),
        SessionConfig(provider_options={"authorization": KEY}),
        ProviderTool(spec={"authorization": KEY}),
        unirt.Respond(provider_options={"authorization": KEY}),
        unirt.SendRaw(frame={"authorization": KEY}),
        unirt.ResumptionUpdated(
            origin=unirt.Origin(provider="x", raw={"handle": KEY}), resumable=True, handle=KEY
        ),
        unirt.SessionUpdated(origin=unirt.Origin(provider="x"), config={"authorization": KEY}),
        unirt.Unmapped(origin=unirt.Origin(provider="x"), type="t", data={"secret": KEY}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_repr_shows_a_secret(value: object) -> None:
    assert KEY not in repr(value)


@pytest.mark.parametrize("provider", installed())
async def test_no_repr_of_a_connection_shows_the_key(provider: str) -> None:
    connecting = unirt.connect(provider, api_key=KEY, environ={})
    assert KEY not in repr(connecting)
    async with (
        Simulator(load(provider), pace=FAST) as simulator,
        unirt.connect(
            provider, api_key=KEY, environ=simulator.env, base_url=simulator.url
        ) as session,
    ):
        assert KEY not in repr(session)
        assert KEY not in session.url


@pytest.mark.parametrize("provider", installed())
@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "ws://127.0.0.1:1/x?key=" + KEY])
async def test_no_failed_dial_shows_the_key(provider: str, address: str) -> None:
    with pytest.raises(UnirtError) as caught:
        async with unirt.connect(provider, api_key=KEY, base_url=address, environ={}):
            pass
    assert KEY not in shown(caught.value)


@pytest.mark.parametrize("provider", installed())
async def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(provider: str) -> None:
    with pytest.raises(unirt.ConfigurationError) as caught:
        async with unirt.connect(provider, api_key=f"{KEY}\n{KEY}", environ={}):
            pass
    assert KEY not in shown(caught.value)


@pytest.mark.parametrize("provider", installed())
async def test_a_refusal_that_quotes_the_key_is_shown_without_it(provider: str) -> None:
    async def refuse(connection: ServerConnection) -> None:
        await connection.close(1008, f"no such key: {KEY}")

    async with serve(refuse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(unirt.HandshakeError) as caught:
            async with unirt.connect(
                provider, api_key=KEY, base_url=f"ws://127.0.0.1:{port}", environ={}
            ):
                pass

    assert "no such key: ***" in str(caught.value)
    assert caught.value.code == 1008
    assert KEY not in shown(caught.value)
