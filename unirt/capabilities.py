"""
What a provider and its model can do, as facts with sources.

A translator never asks which provider it is: it, the session, the docs and the tests read these
tables. A fact that is wrong is corrected in one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import attrs

from unirt.audio import PCM16_24K, AudioFormat
from unirt.config import SessionConfig
from unirt.errors import UnsupportedCommand, UnsupportedSetting
from unirt.value import Value

__all__ = [
    "LOCAL_VAD",
    "Capabilities",
    "Change",
    "Changing",
    "Emission",
    "Emits",
    "Fact",
    "Support",
    "settings_in",
]


class Support(StrEnum):
    """How a setting or a verb reaches the provider."""

    NATIVE = "native"
    "The provider has it."
    EMULATED = "emulated"
    "unirt does it with what the provider has; :attr:`Fact.how` says how."
    REFUSED = "refused"
    "A clear error, before anything is sent."


@attrs.frozen
class Fact(Value):
    """One row: what a provider does about one setting or verb, and who says so."""

    support: Support
    how: str = ""
    "The wire field or message; for emulations and refusals, in words."
    source: str = ""
    "Where it is documented or was seen, with a date."
    values: tuple[Any, ...] | None = None
    "The only values accepted, where not all are."
    remedy: str = ""
    "For refusals: what to do instead."


class Change(StrEnum):
    """When a setting of a running session can change."""

    IN_PLACE = "in place"
    "At any time; an answer that runs goes on as it began."
    BETWEEN = "between answers"
    "While no answer runs."
    RECONNECT = "by reconnecting"
    "Over a new connection, to which the session moves with its conversation."
    NEVER = "never"


@attrs.frozen
class Changing(Value):
    """One row: how a setting changes while a session runs, and who says so."""

    change: Change
    why: str = ""
    source: str = ""
    remedy: str = ""
    "For what never changes: what to do instead."


class Emission(StrEnum):
    """Whether an event of a kind will be seen."""

    SAID = "said"
    SYNTHESISED = "synthesised"
    "The provider does not say it; the translator concludes it."
    NEVER = "never"


@attrs.frozen
class Emits(Value):
    """One row: whether, and why, a kind of event will be seen."""

    emission: Emission
    why: str = ""
    source: str = ""


@attrs.frozen(kw_only=True)
class Capabilities(Value):
    """The facts about one model of one provider."""

    provider: str
    model: str
    settings: Mapping[str, Fact]
    "By path in :class:`SessionConfig`; see :func:`settings_in`."
    verbs: Mapping[str, Fact]
    "By the name of the command's class."
    emits: Mapping[str, Emits]
    "By the name of the event's class."
    changes: Mapping[str, Changing] = attrs.field(factory=dict)
    """
    By the name of the field of :class:`SessionConfig`. What has no row changes in place where the
    provider has the verb ``UpdateSession``, and else by reconnecting.
    """
    input_format: AudioFormat = PCM16_24K
    "What the model listens to, unless configured otherwise."
    output_format: AudioFormat = PCM16_24K
    "What the model speaks, unless configured or said otherwise."
    waits_for_tools: bool = True
    "Whether the model waits for the result of a tool that does not say ``blocking``."
    max_connection_ms: float | None = None
    "When the provider ends a connection by design."

    def check_config(self, config: SessionConfig) -> None:
        """
        Refuse what cannot be done, before anything is sent.

        Raises:
            UnsupportedSetting: A field asks for something that this model cannot do.
        """
        for path, value in settings_in(config):
            fact = self.settings.get(path)
            if fact is None or fact.support is Support.REFUSED:
                raise UnsupportedSetting(
                    path,
                    provider=self.provider,
                    model=self.model,
                    why=(fact.how if fact else "") or "it has no such setting",
                    remedy=(fact.remedy if fact else "") or "leave it out",
                )
            if fact.values is not None and value not in fact.values:
                accepted = ", ".join(repr(v) for v in fact.values)
                raise UnsupportedSetting(
                    path,
                    provider=self.provider,
                    model=self.model,
                    why=f"{value!r} is not accepted",
                    remedy=f"use one of {accepted}",
                )

    def check_command(self, command: object) -> None:
        """
        Refuse a verb that cannot be done, before anything is sent.

        Raises:
            UnsupportedCommand: The provider has neither the verb nor an emulation of it.
        """
        name = type(command).__name__
        fact = self.verbs.get(name)
        if fact is None or fact.support is Support.REFUSED:
            raise UnsupportedCommand(
                name,
                provider=self.provider,
                why=(fact.how if fact else "") or "it has no such verb",
                remedy=(fact.remedy if fact else "") or "do without it",
            )

    def changing(self, setting: str) -> Changing:
        """How a setting, by its field of :class:`SessionConfig`, changes while a session runs."""
        row = self.changes.get(setting)
        if row is not None:
            return row
        verb = self.verbs.get("UpdateSession")
        if verb is not None and verb.support is Support.NATIVE:
            return Changing(Change.IN_PLACE, source=verb.source)
        why = "the provider has no way to change it in a running session"
        return Changing(Change.RECONNECT, why, "" if verb is None else verb.source)

    def emission(self, event: str) -> Emission:
        """Whether events of the class of that name will be seen."""
        row = self.emits.get(event)
        return Emission.NEVER if row is None else row.emission


_OURS = "unirt's own doing"

LOCAL_VAD: Mapping[str, Fact] = {
    "turn_detection.local_vad": Fact(
        Support.EMULATED, "the session detects speech, and marks manual turns", _OURS
    ),
    **{
        f"turn_detection.local_vad.{part}": Fact(
            Support.EMULATED, "by the session's detector", _OURS
        )
        for part in ("threshold", "prefix_padding_ms", "silence_ms", "min_speech_ms")
    },
}
"What a session adds to every provider that has manual turns."

_OPAQUE = {"model", "tools", "history", "provider_options"}


def settings_in(config: SessionConfig) -> Iterator[tuple[str, Any]]:
    """
    The paths of all settings that a configuration sets, and their values.

    A nested value counts by its parts: ``turn_detection.server_vad`` for the choice,
    ``turn_detection.server_vad.threshold`` for a field of it. Of tools, only what their results may
    do is a setting of its own: ``tools.scheduling.when_idle``.
    """
    for field in attrs.fields(SessionConfig):
        value = getattr(config, field.name)
        if value is None:
            continue
        if field.name in _OPAQUE or not attrs.has(type(value)) or isinstance(value, AudioFormat):
            yield field.name, value
            if field.name == "tools":
                given = dict.fromkeys(getattr(tool, "scheduling", None) for tool in value)
                yield from ((f"tools.scheduling.{kind}", kind) for kind in given if kind)
            continue
        tag = getattr(value, "tag", None)
        path = field.name if tag is None else f"{field.name}.{tag}"
        yield path, value
        for part in attrs.fields(type(value)):
            inner = getattr(value, part.name)
            if inner is not None:
                yield f"{path}.{part.name}", inner
