"""
A provider: everything that unirt needs to know of one, as data.

A plug-in is a package with an object of this class in the entry-point group ``unirt.providers``.
The two in-tree plug-ins use nothing that a stranger's could not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from unirt.config import SessionConfig
from unirt.ids import counting_ids
from unirt.policy import STANDARD, Policy
from unirt.secret import secret_or_none, secret_url, secret_values, secret_variables
from unirt.transport import Transport
from unirt.value import Value

if TYPE_CHECKING:
    # They come with the provider: whoever only names events needs neither.
    from unirt.capabilities import Capabilities
    from unirt.translator import ServerTranslator, Translator

__all__ = ["ClientSecret", "Credentials", "EnvVar", "Provider"]


@attrs.frozen(kw_only=True)
class EnvVar(Value):
    """One environment variable that a provider reads."""

    name: str
    what: str
    secret: bool = False
    "Whether its value must never be shown."
    required: bool = False
    "Whether a session needs it, or one of the others so marked."


@attrs.frozen(kw_only=True)
class Credentials(Value):
    """How to reach the provider: what the application gave, on top of the environment."""

    api_key: str | None = attrs.field(default=None, repr=False, converter=secret_or_none)
    base_url: str | None = attrs.field(default=None, repr=secret_url)
    "``http``, ``https``, ``ws`` or ``wss``; ``None`` for the provider's own."
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False, converter=secret_values)
    "Extra headers of the upgrade request."
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False, converter=secret_variables)
    "The environment, a ``.env`` file merged beneath it."
    options: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    "The transport's own options: ``ssl``, ``open_timeout``, ``ping_interval`` …"
    transport: str = "websocket"
    "How frames are to travel: one of :attr:`Provider.transports`."
    plaintext: bool = False
    "Whether a key may go to another machine unencrypted; refused without the application's word."


@attrs.frozen(kw_only=True)
class ClientSecret(Value):
    """A key for one client, that soon expires, and may open what was configured with it."""

    value: str = attrs.field(repr=False)
    "What the client gives in place of a key."
    provider: str
    model: str
    expires_at: float
    "Until when it opens sessions, in Unix seconds. A session that is open by then goes on."
    url: str
    "Where the client goes with it: a call's address, or a WebSocket's, without a query."


def _as_it_is(config: SessionConfig, _credentials: Credentials) -> SessionConfig:
    return config


@attrs.frozen(kw_only=True)
class Provider(Value):
    """One provider. Data, not a base class."""

    name: str
    "What users write: ``UNIRT_PROVIDER=name``."
    label: str
    "What people read."
    default_model: str
    env: tuple[EnvVar, ...]
    "What it reads, for ``unirt providers`` and for the message when a key is missing."
    capabilities: Callable[[str], Capabilities]
    "The facts about a model; an unknown model gets the facts of the newest family."
    translator: Callable[..., Translator]
    "``translator(config, *, ids=..., offline=...)``, see :meth:`new_translator`."
    dial: Callable[[SessionConfig, Credentials], Awaitable[Transport]]
    """
    Opens a connection for a configuration whose model is set.

    Raises :class:`~unirt.errors.MissingKey` or :class:`~unirt.errors.DialError`.
    """
    transports: tuple[str, ...] = ("websocket",)
    """
    What :attr:`dial` can open; any other is refused before it is called. ``fast`` belongs here
    where it hands :attr:`Credentials.transport` on to
    :func:`~unirt.transports.websocket.open_websocket`.
    """
    resolve: Callable[[SessionConfig, Credentials], SessionConfig] = _as_it_is
    """
    Completes a configuration with what only the credentials tell, before it is translated: the
    full name of a model, where backends name models differently. Raises nothing and does no I/O.
    """
    server: Callable[..., ServerTranslator] | None = None
    "``server(*, model=..., ids=...)``; ``None`` where the plug-in brings no server side."
    policy: Policy = STANDARD
    "What the end of a connection, and an error, mean: whether to try again."
    resume: Callable[[SessionConfig, str], SessionConfig] | None = None
    """
    Completes a configuration with a handle of ``ResumptionUpdated``, so that the provider goes on
    with the conversation that it remembers; ``None`` where it remembers none.
    """
    free_form: frozenset[str] = frozenset()
    """
    The keys of its frames beneath which stand data of the application's own: the arguments of a
    call, its result. Ids in there are none of the protocol's, and cassettes let them be.
    """
    telemetry_name: str | None = None
    "What OpenTelemetry's conventions call it (``gen_ai.provider.name``); :attr:`name` by default."
    joins_calls: bool = False
    "Whether :attr:`dial` takes the option ``call_id``, and joins a call that runs."
    client_secret: Callable[[SessionConfig, Credentials, float], Awaitable[ClientSecret]] | None = (
        None
    )
    """
    Mints a secret for a configuration, which is fixed with it; given how long it may be used to
    open sessions, in seconds. ``None`` where the provider has no such thing.
    """
    holds_settings: Callable[[Credentials], bool] | None = None
    """
    Whether a key holds the settings of what it opens, and others may be asked for beside them. Then
    no default takes their place: the translator has :class:`~unirt.translator.Prepared`.
    """
    simulator_env: Callable[[str], Mapping[str, str]] = lambda url: {}
    "The environment variables that point a client at a simulator's URL, with a made-up key."

    def new_translator(
        self,
        config: SessionConfig,
        *,
        ids: Callable[[str], str] | None = None,
        offline: bool = False,
    ) -> Translator:
        """
        A translator for one connection.

        Args:
            config: What is asked for; a model that is ``None`` becomes the default.
            ids: Mints ids; counts by default.
            offline: Whether the frames come from a recording: the times fed to it mean nothing,
                and it does not see what the client sent.

        Raises:
            UnsupportedSetting: The model cannot do what `config` asks.
        """
        return self.translator(config, ids=ids or counting_ids(), offline=offline)
