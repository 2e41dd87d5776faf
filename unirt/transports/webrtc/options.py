"""What can be chosen about a call: ``connection_options`` of ``transport="webrtc"``."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import attrs

from unirt.errors import ConfigurationError
from unirt.secret import secret_or_none
from unirt.transports.secrecy import is_loopback
from unirt.value import Value

__all__ = ["CallOptions", "IceServer", "call_options", "reaching"]


@attrs.frozen(kw_only=True)
class IceServer(Value):
    """A server that helps to find a way: STUN or TURN."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = attrs.field(default=None, repr=False, converter=secret_or_none)


@attrs.frozen(kw_only=True)
class CallOptions(Value):
    """How a call is made. By default no server but the provider's is spoken to."""

    ice_servers: tuple[IceServer, ...] = ()
    interfaces: tuple[str, ...] = ()
    "The addresses of this machine to use; by default all that lead to where the call goes."
    ports: tuple[int, int] | None = None
    "The first and the last UDP port to use; any by default."
    open_timeout: float = 10.0
    "How long each step of the call's set-up may take, in seconds."
    dead_after: float = 15.0
    "After how many seconds in which nothing came the network is taken for dead."
    measure_every: float = 5.0
    "How often the connection is measured, in seconds."
    ssl: Any = attrs.field(default=None, eq=False)
    "An ``ssl.SSLContext`` for the request that sets the call up; ``True`` is the system's own."
    extra_query: Mapping[str, Any] = attrs.field(factory=dict)
    "Added to the address of that request."


def call_options(given: Mapping[str, Any]) -> CallOptions:
    """
    The options of an application.

    Raises:
        ConfigurationError: There is no such option, or it cannot have that value.
    """
    known = [field.name for field in attrs.fields(CallOptions)]
    for name in given:
        if name not in known:
            raise _wrong(f"WebRTC has no option {name!r}", f"use {', '.join(known)}")
    options = dict(given)
    options["ice_servers"] = tuple(map(_server, _listed(options.get("ice_servers"))))
    options["interfaces"] = tuple(map(_address, _listed(options.get("interfaces"))))
    if options.get("ports") is not None:
        options["ports"] = _ports(options["ports"])
    for name in ("open_timeout", "dead_after", "measure_every"):
        value = options.get(name, 1.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise _wrong(f"{value!r} is no time for {name}", "give seconds, more than 0")
    query = options.get("extra_query")
    if not isinstance(query, Mapping | None):
        raise _wrong("extra_query holds no names and values", "give a dict")
    options["extra_query"] = dict(query or {})
    ssl = options.get("ssl")
    if ssl is not True and not isinstance(ssl, SSLContext | None):
        raise _wrong("ssl is no ssl.SSLContext", "make one with ssl.create_default_context()")
    return CallOptions(**options)


def reaching(options: CallOptions, url: str) -> CallOptions:
    """The same; but over loopback, where nothing else is chosen, if the server is this machine."""
    host = urlsplit(url).hostname or ""
    if not is_loopback(host) or options.interfaces or options.ice_servers:
        return options
    named = host.endswith("localhost")
    return attrs.evolve(options, interfaces=("127.0.0.1" if named else host,))


def _listed(value: Any) -> Sequence[Any]:
    """One or several; what is neither is refused as one."""
    if value is None:
        return ()
    one = isinstance(value, str | Mapping | IceServer) or not isinstance(value, Iterable)
    return (value,) if one else tuple(value)


def _server(given: IceServer | Mapping[str, Any] | str) -> IceServer:
    """A server, also as browsers write it: an object with ``urls``, or an address alone."""
    if isinstance(given, str):
        given = {"urls": given}
    if isinstance(given, Mapping) and {"urls"} <= set(given) <= {"urls", "username", "credential"}:
        given = IceServer(**{**given, "urls": tuple(map(str, _listed(given["urls"])))})
    if isinstance(given, IceServer) and given.urls:
        usable = all(url.startswith(("stun:", "turn:", "turns:")) for url in given.urls)
        if usable:
            return given
    raise _wrong(
        "ice_servers holds what is no ICE server",
        "give 'stun:host:port', or {'urls': 'turn:host:port', 'username': ..., 'credential': ...}",
    )


def _address(given: Any) -> str:
    try:
        return str(ipaddress.ip_address(str(given)))
    except ValueError:
        raise _wrong(
            f"{given!r} is no IP address of this machine",
            "give addresses, such as '192.0.2.7', in interfaces",
        ) from None


def _ports(given: Any) -> tuple[int, int]:
    try:
        first, last = (int(port) for port in given)
    except (TypeError, ValueError):
        first, last = 0, 0
    if not 0 < first <= last < 1 << 16:
        raise _wrong(f"{given!r} is no range of ports", "give (first, last), from 1 to 65535")
    return first, last


def _wrong(what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(what, where="connection_options", remedy=remedy)
