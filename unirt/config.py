"""
What an application can ask a session for, in one vocabulary.

Every field's default is ``None``, which means: the provider's own default. Transcripts are the one
exception: unirt turns them on, for what both sides say, unless told otherwise.
Whether a provider does what a field asks natively, by emulation, or refuses it, is a fact in its
:class:`~unirt.capabilities.Capabilities`.
What has no place here goes through :attr:`SessionConfig.provider_options`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

import attrs

from unirt.audio import AudioFormat
from unirt.errors import ConfigurationError
from unirt.items import Item
from unirt.value import Value

__all__ = [
    "LocalVAD",
    "Manual",
    "NoiseReduction",
    "ProviderTool",
    "Scheduling",
    "SemanticVAD",
    "ServerVAD",
    "SessionConfig",
    "Thinking",
    "Tool",
    "Transcription",
    "TurnDetection",
]


@attrs.frozen(kw_only=True)
class ServerVAD(Value):
    """The provider decides by the sound when the user's turn starts and ends."""

    tag: ClassVar[str] = "server_vad"

    threshold: float | None = None
    "How loud speech must be, 0.0 to 1.0."
    prefix_padding_ms: int | None = None
    "Audio kept from before speech was detected."
    silence_ms: int | None = None
    "How long a silence ends the turn."
    respond: bool | None = None
    "Whether the end of the turn starts a response."
    interrupt: bool | None = None
    "Whether speech interrupts a running response."
    idle_timeout_ms: int | None = None
    "How long the user may say nothing before the model goes on by itself."


@attrs.frozen(kw_only=True)
class SemanticVAD(Value):
    """The provider decides by the words when the user has said what they want to say."""

    tag: ClassVar[str] = "semantic_vad"

    eagerness: str | None = None
    "``low``, ``medium``, ``high`` or ``auto``."
    respond: bool | None = None
    interrupt: bool | None = None


def _is_share(_instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not 0.0 < value < 1.0:
        raise _out_of_range(attribute.name, value, "give a number between 0.0 and 1.0")


def _is_time(_instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and not 0 <= value <= _LONGEST_MS:
        raise _out_of_range(attribute.name, value, f"give ms, from 0 to {_LONGEST_MS}")


def _out_of_range(name: str, value: object, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{value!r} is out of range", where=f"LocalVAD.{name}", remedy=remedy)


_LONGEST_MS = 10_000
"Of what a session keeps, and waits."


@attrs.frozen(kw_only=True)
class Manual(Value):
    """The application decides, with ``start_turn()`` and ``end_turn()``: push-to-talk."""

    tag: ClassVar[str] = "manual"


@attrs.frozen(kw_only=True)
class LocalVAD(Manual):
    """
    The session itself decides by the sound, before it is sent: manual turns that it marks.

    It needs the extra ``[vad]``, and works with every provider that has manual turns.
    """

    tag: ClassVar[str] = "local_vad"

    threshold: float | None = attrs.field(default=None, validator=_is_share)
    "How likely speech must be, 0.0 to 1.0; ``None`` for 0.5."
    prefix_padding_ms: int | None = attrs.field(default=None, validator=_is_time)
    "Audio kept from before speech was detected; ``None`` for 300."
    silence_ms: int | None = attrs.field(default=None, validator=_is_time)
    "How long a silence ends the turn; ``None`` for 500."
    min_speech_ms: int | None = attrs.field(default=None, validator=_is_time)
    "How long it must be speech before it counts, for a cough is shorter; ``None`` for 64."


TurnDetection = ServerVAD | SemanticVAD | Manual


@attrs.frozen(kw_only=True)
class Transcription(Value):
    """How the user's speech is transcribed."""

    enabled: bool = True
    model: str | None = None
    language: str | None = None
    "A BCP-47 hint."
    prompt: str | None = None
    vocabulary: Sequence[str] | None = None
    "Words the transcriber should expect."
    word_times: bool | None = None
    speakers: bool | None = None
    "Whether to tell speakers apart."


class NoiseReduction(StrEnum):
    """Where the microphone is."""

    NEAR_FIELD = "near_field"
    FAR_FIELD = "far_field"


@attrs.frozen(kw_only=True)
class Thinking(Value):
    """How much the model reasons before it speaks."""

    effort: str | None = None
    "``minimal``, ``low``, ``medium``, ``high`` or ``xhigh``."
    budget_tokens: int | None = None
    include_thoughts: bool | None = None
    "Whether summaries of the reasoning come as thought streams."


class Scheduling(StrEnum):
    """What a late tool result may do to the conversation."""

    INTERRUPT = "interrupt"
    "The model speaks of it at once, and stops what it is saying."
    WHEN_IDLE = "when_idle"
    "The model speaks of it when it has said, and the user has heard, what it is saying."
    SILENT = "silent"
    "The model knows it, and says nothing of its own accord."


@attrs.frozen(kw_only=True)
class Tool(Value):
    """
    A function that is run when the model asks for it.

    Of a tool that is no more than this the application answers the calls. One that carries its
    function is a :class:`~unirt.tools.FunctionTool`, and the session runs it.
    """

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    "A JSON schema of type ``object``."
    blocking: bool | None = None
    "Whether the model waits for the result before it goes on."
    scheduling: Scheduling | None = None
    "What its results may do to the conversation, where they do not say so themselves."


@attrs.frozen(kw_only=True)
class ProviderTool(Value):
    """A tool that the provider runs itself, in the provider's own words, passed on untouched."""

    spec: Mapping[str, Any] = attrs.field(repr=False)
    "It may hold credentials, so it is never shown."


@attrs.frozen(kw_only=True)
class SessionConfig(Value):
    """Everything that can be asked of a session."""

    model: str | None = None
    instructions: str | None = None
    voice: str | None = None
    modalities: tuple[str, ...] | None = None
    "``('audio',)`` or ``('text',)``."
    language: str | None = None
    "BCP-47: what the model speaks."
    temperature: float | None = None
    max_output_tokens: int | None = None
    speed: float | None = None
    "Of speech; 1.0 is normal."
    tools: tuple[Tool | ProviderTool, ...] | None = None
    tool_choice: str | None = None
    "``auto``, ``none``, ``required``, or the name of a tool."
    parallel_tool_calls: bool | None = None
    turn_detection: TurnDetection | None = None
    input_transcription: Transcription | None = None
    "``None``: on, with the transcriber that the provider takes by default."
    output_transcription: bool | None = None
    "Whether spoken output comes with its transcript; ``None``: it does."
    input_format: AudioFormat | None = None
    "What goes over the wire; the session resamples to it."
    output_format: AudioFormat | None = None
    "What comes over the wire; the session can resample from it."
    noise_reduction: NoiseReduction | None = None
    thinking: Thinking | None = None
    history: tuple[Item, ...] | None = None
    "What was said before, seeded before the session is ready."
    provider_options: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    """
    Settings that only this provider has, by the provider's own names; see its page in the docs.
    They may hold credentials, so they are never shown.
    """

    def merged(self, changes: SessionConfig) -> SessionConfig:
        """This configuration with every field that `changes` sets."""
        updates = {
            field.name: value
            for field in attrs.fields(SessionConfig)
            if (value := getattr(changes, field.name)) is not None
        }
        return attrs.evolve(self, **updates)
