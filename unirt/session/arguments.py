"""
What people write, as the values of :class:`~unirt.config.SessionConfig`.

``turn_detection="manual"``, ``input_transcription=False``, ``thinking="low"``: the short forms that
``connect()``, ``Session.update()`` and the ``UNIRT_*`` variables share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

import attrs

from unirt.audio import AudioFormat
from unirt.config import (
    LocalVAD,
    Manual,
    NoiseReduction,
    ProviderTool,
    SemanticVAD,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
    TurnDetection,
)
from unirt.errors import ConfigurationError
from unirt.items import Item
from unirt.spelling import nearest
from unirt.tools.function import AnyTool, tools_of

__all__ = ["ConfigFields", "config_of"]


class ConfigFields(TypedDict, total=False):
    """The keyword arguments that make a configuration; see :class:`SessionConfig`."""

    model: str | None
    instructions: str | None
    voice: str | None
    modalities: str | Iterable[str] | None
    language: str | None
    temperature: float | None
    max_output_tokens: int | None
    speed: float | None
    tools: Iterable[AnyTool] | None
    tool_choice: str | None
    parallel_tool_calls: bool | None
    turn_detection: TurnDetection | str | None
    input_transcription: Transcription | bool | str | None
    output_transcription: bool | None
    input_format: AudioFormat | None
    output_format: AudioFormat | None
    noise_reduction: NoiseReduction | str | None
    thinking: Thinking | str | int | None
    history: Iterable[Item] | None
    provider_options: Mapping[str, Any] | None


def config_of(fields: Mapping[str, Any], *, where: Callable[[str], str] = str) -> SessionConfig:
    """
    A configuration from keyword arguments, short forms included; ``None`` leaves a field unset.

    Args:
        fields: By the names of :class:`SessionConfig`.
        where: Turns a field's name into what an error calls it.

    Raises:
        ConfigurationError: A name or a value that no configuration can have.
    """
    values = {}
    for name, value in fields.items():
        if name not in _FORMS:
            raise ConfigurationError(
                f"there is no setting {name!r}", where=where(name), remedy=nearest(name, _FORMS)
            )
        if value is not None:
            values[name] = _FORMS[name](value, where(name))
    return SessionConfig(**values)


def _wrong(value: object, where: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{value!r} cannot be used", where=where, remedy=remedy)


def _plain(*kinds: type, what: str) -> Callable[[Any, str], Any]:
    def form(value: Any, where: str) -> Any:
        is_flag = isinstance(value, bool)
        if isinstance(value, kinds) and (not is_flag or bool in kinds):
            return value
        raise _wrong(value, where, f"give {what}")

    return form


def _modalities(value: Any, where: str) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    try:
        named = tuple(str(part).strip().lower() for part in parts)
    except TypeError:
        named = ()
    if named and set(named) <= {"audio", "text"}:
        return named
    raise _wrong(value, where, "give 'audio', 'text', or both")


def _turn_detection(value: Any, where: str) -> TurnDetection:
    if isinstance(value, ServerVAD | SemanticVAD | Manual):
        return value
    kinds: dict[str, type[TurnDetection]] = {
        kind.tag: kind for kind in (ServerVAD, SemanticVAD, Manual, LocalVAD)
    }
    if isinstance(value, str) and value in kinds:
        return kinds[value]()
    raise _wrong(value, where, f"give one of {', '.join(kinds)}, or a ServerVAD(...) and the like")


def _transcription(value: Any, where: str) -> Transcription:
    if isinstance(value, Transcription):
        return value
    if isinstance(value, bool):
        return Transcription(enabled=value)
    if isinstance(value, str) and value:
        switch = {"on": True, "off": False}.get(value.lower())
        return Transcription(model=value) if switch is None else Transcription(enabled=switch)
    raise _wrong(value, where, "give on, off, a transcription model, or a Transcription(...)")


def _noise_reduction(value: Any, where: str) -> NoiseReduction:
    try:
        return NoiseReduction(value)
    except ValueError:
        raise _wrong(value, where, f"give one of {', '.join(NoiseReduction)}") from None


def _thinking(value: Any, where: str) -> Thinking:
    if isinstance(value, Thinking):
        return value
    if isinstance(value, str):
        return Thinking(effort=value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Thinking(budget_tokens=value)
    raise _wrong(value, where, "give an effort ('low'), a budget of tokens, or a Thinking(...)")


def _several(*kinds: type, what: str) -> Callable[[Any, str], Any]:
    def form(value: Any, where: str) -> Any:
        if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
            entries = tuple(value)
            wrong = [entry for entry in entries if not isinstance(entry, kinds)]
            if not wrong:
                return entries
            value = wrong[0]
        raise _wrong(value, where, f"give {what}")

    return form


def _tools(value: Any, where: str) -> tuple[Tool | ProviderTool, ...]:
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return tools_of(value, where)
    raise _wrong(value, where, "give a sequence of functions, and Tool and ProviderTool values")


_TEXT = _plain(str, what="a string")
_NUMBER = _plain(int, float, what="a number")
_COUNT = _plain(int, what="a whole number")
_FLAG = _plain(bool, what="True or False")
_FORMAT = _plain(AudioFormat, what="an AudioFormat")

_FORMS: Mapping[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(("model", "instructions", "voice", "language", "tool_choice"), _TEXT),
    **dict.fromkeys(("temperature", "speed"), _NUMBER),
    **dict.fromkeys(("parallel_tool_calls", "output_transcription"), _FLAG),
    **dict.fromkeys(("input_format", "output_format"), _FORMAT),
    "max_output_tokens": _COUNT,
    "modalities": _modalities,
    "tools": _tools,
    "turn_detection": _turn_detection,
    "input_transcription": _transcription,
    "noise_reduction": _noise_reduction,
    "thinking": _thinking,
    "history": _several(Item, what="a sequence of Item values"),
    "provider_options": _plain(Mapping, what="a mapping"),
}
"How each field may be written."

if missing := {field.name for field in attrs.fields(SessionConfig)} - set(_FORMS):
    raise AssertionError(f"settings without a form: {missing}")
