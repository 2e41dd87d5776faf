"""
The ``UNIRT_*`` variables, from the environment and from a ``.env`` file.

Who wins: an argument of ``connect()``, then the environment, then the ``.env`` file, then the
provider's default. An empty variable is none.

A model, a voice and a base URL belong to a provider, and none of them is carried to another: a
``UNIRT_MODEL`` that was set for the provider of ``UNIRT_PROVIDER`` is left out where an argument,
or a stronger layer, chose another one. A key must not follow a base URL to a stranger's server.

A variable that starts with ``UNIRT_`` and is none of these is refused, with the nearest names:
one that is misspelt would otherwise be a setting that silently does nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import attrs
from dotenv import dotenv_values
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from unirt.budget import Bound, Budget
from unirt.errors import ConfigurationError
from unirt.log import NOBODY
from unirt.registry import installed
from unirt.secret import secret_variables
from unirt.spelling import nearest
from unirt.timeouts import Timeouts

__all__ = ["PREFIX", "SETTINGS", "Layers", "Settings", "apply_log", "read", "split_model"]

PREFIX = "UNIRT_"
"What every variable of unirt starts with."

_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(session)s] %(message)s"
"How ``UNIRT_LOG`` has records written."

_OF_THE_CONFIG = (
    "instructions",
    "modalities",
    "language",
    "temperature",
    "max_output_tokens",
    "speed",
    "turn_detection",
    "input_transcription",
)
"The settings of a session that any provider may be asked for."


class Settings(BaseSettings):
    """Everything that ``UNIRT_*`` variables can say; ``None`` where they say nothing."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    provider: str | None = Field(None, description="which provider, by name")
    model: str | None = Field(None, description="a model, or provider:model to choose both")
    voice: str | None = Field(None, description="who speaks, by the provider's name")
    instructions: str | None = Field(None, description="the system prompt")
    modalities: str | None = Field(None, description="audio, text, or audio,text")
    language: str | None = Field(None, description="what the model speaks, in BCP-47")
    temperature: float | None = Field(None, description="of sampling")
    max_output_tokens: int | None = Field(None, description="of one response", gt=0)
    speed: float | None = Field(None, description="of speech; 1.0 is normal", gt=0)
    turn_detection: Literal["server_vad", "semantic_vad", "manual", "local_vad"] | None = Field(
        None, description="who decides when a turn ends"
    )
    input_transcription: str | None = Field(None, description="on, off, or a transcription model")
    transport: Literal["websocket", "fast", "webrtc"] | None = Field(
        None, description="websocket, fast, or webrtc, which carries audio beside the frames"
    )
    fallback: str | None = Field(
        None, description="who answers when the provider fails, in order, by commas"
    )
    reconnect: Literal["on", "off"] | None = Field(
        None, description="whether another connection is opened where one is lost"
    )
    base_url: str | None = Field(None, description="another address of the provider")
    plaintext: Literal["on", "off"] | None = Field(
        None, description="whether keys may go to another machine unencrypted, by ws:// or http://"
    )
    input_rate: int | None = Field(
        None, description="what the application sends, in Hz", ge=1_000, le=384_000
    )
    output_rate: int | None = Field(
        None, description="what the application wants to hear, in Hz", ge=1_000, le=384_000
    )
    dial_timeout: float | None = Field(
        None, description="how long opening a connection may take, in seconds; inf for any", gt=0
    )
    handshake_timeout: float | None = Field(
        None, description="until the provider is ready over it, likewise", gt=0
    )
    answer_timeout: float | None = Field(
        None, description="until an answer that is due begins, likewise", gt=0
    )
    silence_timeout: float | None = Field(
        None, description="until more comes of an answer that has begun, likewise", gt=0
    )
    close_timeout: float | None = Field(
        None, description="how long closing may take, likewise", gt=0
    )
    at_overdue: Literal["tell", "reconnect"] | None = Field(
        None, description="what an overdue answer means: only an event, or another connection"
    )
    max_duration: float | None = Field(
        None, description="how long a session may last, in seconds", gt=0
    )
    max_idle: float | None = Field(
        None, description="how long nobody may do anything, in seconds", gt=0
    )
    max_tokens: int | None = Field(None, description="how many a session may use", gt=0)
    max_cost: Decimal | None = Field(
        None, description="what a session may cost, in US dollars", gt=0
    )
    at_limit: Literal["end", "tell"] | None = Field(
        None, description="what happens at the four before: the session ends, or only an event"
    )
    telemetry: Literal["on", "off"] | None = Field(
        None, description="whether OpenTelemetry is told of sessions"
    )
    log: Literal["debug", "info", "warning", "error"] | None = Field(
        None, description="how much the logger 'unirt' tells"
    )
    record: Literal["none", "once", "new_episodes", "all", "rewrite"] | None = Field(
        None, description="the record mode of cassettes that name none"
    )
    trace: str | None = Field(None, description="a file that is told every event, for debugging")


class _Given(Settings):
    """The same, read from arguments and from nowhere else."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


SETTINGS: Mapping[str, str] = {
    PREFIX + name.upper(): field.description or "" for name, field in Settings.model_fields.items()
}
"Every variable, and what it is."


@attrs.frozen(kw_only=True)
class Layers:
    """What was read: the settings, and the variables of both layers."""

    settings: Settings
    process: Mapping[str, str] = attrs.field(repr=False)
    "The environment."
    file: Mapping[str, str] = attrs.field(repr=False)
    "The ``.env`` file."

    @property
    def budget(self) -> Budget:
        """What a session may use."""
        found, ends = self.settings, self.settings.at_limit != "tell"
        limits = {
            "duration": found.max_duration,
            "idle": found.max_idle,
            "tokens": found.max_tokens,
            "cost": found.max_cost,
        }
        return Budget(
            **{name: Bound(most, ends=ends) for name, most in limits.items() if most is not None}
        )

    @property
    def timeouts(self) -> Timeouts:
        """How long a session waits."""
        found = self.settings
        given = {
            "dial": found.dial_timeout,
            "handshake": found.handshake_timeout,
            "answer": found.answer_timeout,
            "silence": found.silence_timeout,
            "close": found.close_timeout,
            "at_overdue": found.at_overdue,
        }
        said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return Timeouts(**said)

    @property
    def environ(self) -> dict[str, str]:
        """Both layers, the environment on top: what the providers read."""
        return {**self.file, **self.process}

    @property
    def provider(self) -> str | None:
        """The provider that is chosen, by ``UNIRT_PROVIDER`` or by a ``UNIRT_MODEL``."""
        return _chosen(self.process) or _chosen(self.file)

    def of_provider(self, field: str, provider: str) -> str | None:
        """A model, voice or base URL; ``None`` where none was set for this provider."""
        layers = ((self.process, self.provider), (self.file, _chosen(self.file)))
        for layer, owner in layers:
            value = _get(layer, field)
            if value is None:
                continue
            named, value = split_model(value) if field == "model" else (None, value)
            if (named or owner) in (None, provider):
                return value
        return None

    def config_for(self, provider: str) -> dict[str, Any]:
        """The keyword arguments of a configuration, without those made for another provider."""
        found = {name: getattr(self.settings, name) for name in _OF_THE_CONFIG}
        found |= {name: self.of_provider(name, provider) for name in ("model", "voice")}
        return {name: value for name, value in found.items() if value is not None}


def split_model(model: str) -> tuple[str | None, str]:
    """The provider and the model of ``provider:model``; a model of another form stays whole."""
    name, colon, rest = model.partition(":")
    return (name, rest) if colon and rest and name in installed() else (None, model)


def read(
    env_file: str | os.PathLike[str] | None = ".env",
    environ: Mapping[str, str] | None = None,
) -> Layers:
    """
    Read the environment and a ``.env`` file.

    Args:
        env_file: ``None`` for no file. The default may be absent; any other must exist.
        environ: Read these variables, and neither the environment nor a file.

    Raises:
        ConfigurationError: A variable does not exist, or its value cannot be used.
    """
    if environ is not None:
        env_file = None
    if env_file is not None and env_file != ".env" and not Path(env_file).is_file():
        raise ConfigurationError(
            f"there is no file {os.fspath(env_file)!r}",
            where="env_file",
            remedy="give the path of a .env file, or None for none",
        )
    process = secret_variables(os.environ if environ is None else environ)
    file = {} if env_file is None else dotenv_values(env_file)
    known = secret_variables({name: value for name, value in file.items() if value is not None})
    _refuse_unknown((*process, *known))
    try:
        if environ is None:
            settings = Settings(_env_file=env_file)  # type: ignore[call-arg]  # only its plug-in knows
        else:
            values: dict[str, Any] = {name: _get(process, name) for name in Settings.model_fields}
            settings = _Given(**values)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(
            f"its value cannot be used: {first['msg']}",
            where=PREFIX + str(first["loc"][-1]).upper().removeprefix(PREFIX),
            remedy="correct it in the environment or in .env, or unset it",
        ) from None
    return Layers(settings=settings, process=process, file=known)


def apply_log(level: str | None) -> None:
    """Set how much the logger ``unirt`` tells, on standard error where nobody else listens."""
    if level is None:
        return
    logger = logging.getLogger("unirt")
    logger.setLevel(level.upper())
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_FORMAT, defaults={"session": NOBODY}))
        logger.addHandler(handler)


def _chosen(layer: Mapping[str, str]) -> str | None:
    """The provider that one layer names."""
    provider, model = _get(layer, "provider"), _get(layer, "model")
    named = split_model(model)[0] if model else None
    if provider and named and provider != named:
        raise ConfigurationError(
            f"it names {named!r}, and UNIRT_PROVIDER names {provider!r}",
            where="UNIRT_MODEL",
            remedy="correct one of the two, or unset it",
        )
    return provider or named


def _get(layer: Mapping[str, str], field: str) -> str | None:
    name = (PREFIX + field).upper()
    return next((value for key, value in layer.items() if key.upper() == name and value), None)


def _refuse_unknown(names: Iterable[str]) -> None:
    for name in names:
        if name.upper().startswith(PREFIX) and name.upper() not in SETTINGS:
            remedy = nearest(name.upper(), SETTINGS, prefix=PREFIX)
            raise ConfigurationError(f"there is no variable {name}", where=name, remedy=remedy)
