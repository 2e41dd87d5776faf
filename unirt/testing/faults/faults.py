"""
Faults for a session: the same provider, over connections that go wrong.

::

    faults = Faults("stall@mid_audio")
    async with unirt.connect(faults.on("..."), ...) as session: ...
    print(faults.happened)
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs

from unirt.capabilities import Emission
from unirt.clock import Clock, SystemClock
from unirt.config import SessionConfig
from unirt.errors import ConfigurationError, DialError
from unirt.provider import Credentials, Provider
from unirt.registry import load
from unirt.testing.faults.agenda import Agenda, Happened
from unirt.testing.faults.fault import Fault
from unirt.testing.faults.phases import Course
from unirt.testing.faults.wrapper import FaultyTransport
from unirt.transport import Transport

__all__ = ["Faults"]

_SAID = {"error": "ProviderError", "go_away": "SessionExpiring"}
"The events that a fault has the provider say."


class Faults:
    """
    What is to go wrong with the connections of a session.

    Args:
        faults: As values, or as text: ``stall@mid_audio``.
        clock: The time of delays; the same as the session's, where a test moves that.

    Raises:
        ConfigurationError: One of them cannot be read, or takes the proxy.
    """

    def __init__(self, *faults: str | Fault, clock: Clock | None = None) -> None:
        self._agenda = Agenda(faults)
        self._clock = clock or SystemClock()
        self._dialled = 0
        for fault in self._agenda.faults:
            if fault.about.socket_only:
                raise ConfigurationError(
                    f"{fault.kind!r} takes a socket",
                    where=f"fault {str(fault)!r}",
                    remedy="use a FaultProxy",
                )

    @property
    def happened(self) -> Sequence[Happened]:
        """What went wrong so far, in order."""
        return tuple(self._agenda.happened)

    def on(self, provider: str | Provider) -> Provider:
        """
        A provider whose connections go wrong; give it to ``connect()``.

        Raises:
            ConfigurationError: A fault is about something that this provider never says.
        """
        real = load(provider) if isinstance(provider, str) else provider
        check_said(self._agenda.faults, real)

        async def dial(config: SessionConfig, credentials: Credentials) -> Transport:
            return await self._dial(real, config, credentials)

        return attrs.evolve(real, dial=dial)

    async def _dial(
        self, provider: Provider, config: SessionConfig, credentials: Credentials
    ) -> Transport:
        self._dialled += 1
        number, url = self._dialled, credentials.base_url or f"{provider.name} behind a fault"
        fault = self._agenda.at_dial(number, self._clock.now())
        match fault:
            case Fault(kind="refuse", number=status, reason=reason):
                why = reason or "refused on purpose"
                raise DialError(provider.name, url=url, why=why, status=status)
            case Fault(kind="cut"):
                raise DialError(provider.name, url=url, why="cut on purpose")
            case Fault(kind="stall"):
                await asyncio.get_running_loop().create_future()
            case Fault(kind="delay", number=ms):
                await self._clock.sleep_until(self._clock.now() + ms / 1000)
            case _:
                pass
        inner = await provider.dial(config, credentials)
        course = Course(provider, config.model, inner.url, first=number == 1)
        return FaultyTransport(inner, self._agenda, course, number, self._clock)


def never_said(fault: Fault, provider: Provider) -> str | None:
    """The event that a fault takes and a provider never says; ``None`` where it says it."""
    event = _SAID.get(fault.kind)
    if event is None:
        return None
    facts = provider.capabilities(provider.default_model)
    return None if facts.emission(event) is Emission.SAID else event


def check_said(faults: Sequence[Fault], provider: Provider) -> None:
    """
    Refuse a fault that a provider has no words for.

    Raises:
        ConfigurationError: There is one.
    """
    for fault in faults:
        if (event := never_said(fault, provider)) is not None:
            raise ConfigurationError(
                f"{provider.name!r} never says {event}",
                where=f"fault {str(fault)!r}",
                remedy="choose another fault for this provider",
            )
