"""
``provider_options`` of Google: the fields of ``LiveConnectConfig``, by the SDK's own names.

Either spelling is taken, ``session_resumption`` or ``sessionResumption``. The SDK's type checks
them (``google.genai.types.LiveConnectConfig`` 3.4.0, 2026-11, imported only when options are
given), :data:`PLACES` says where each goes in ``setup``, and what the application gives wins over
what the canonical settings produced. What cannot work is refused by its name, in :data:`REFUSED`
and :data:`REFUSED_ON_GEMINI_API`, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError, UnsupportedSetting
from unirt_google.facts import PROVIDER_NAME
from unirt_google.spelling import camel, snake

__all__ = [
    "PLACES",
    "REFUSED",
    "REFUSED_ON_GEMINI_API",
    "REFUSED_ON_VERTEX",
    "apply_options",
    "resumed",
]

_GENERATION = "generationConfig"

PLACES: Mapping[str, tuple[str, ...]] = {
    "response_modalities": (_GENERATION, "responseModalities"),
    "temperature": (_GENERATION, "temperature"),
    "top_p": (_GENERATION, "topP"),
    "top_k": (_GENERATION, "topK"),
    "max_output_tokens": (_GENERATION, "maxOutputTokens"),
    "media_resolution": (_GENERATION, "mediaResolution"),
    "seed": (_GENERATION, "seed"),
    "speech_config": (_GENERATION, "speechConfig"),
    "thinking_config": (_GENERATION, "thinkingConfig"),
    "enable_affective_dialog": (_GENERATION, "enableAffectiveDialog"),
    "translation_config": (_GENERATION, "translationConfig"),
    "system_instruction": ("systemInstruction",),
    "tools": ("tools",),
    "session_resumption": ("sessionResumption",),
    "input_audio_transcription": ("inputAudioTranscription",),
    "output_audio_transcription": ("outputAudioTranscription",),
    "realtime_input_config": ("realtimeInputConfig",),
    "context_window_compression": ("contextWindowCompression",),
    "proactivity": ("proactivity",),
    "explicit_vad_signal": ("explicitVadSignal",),
    "history_config": ("historyConfig",),
    "avatar_config": ("avatarConfig",),
    "safety_settings": ("safetySettings",),
    "labels": ("labels",),
}
"Where a field goes in ``setup``: ``google.genai._live_converters._LiveConnectConfig_to_*`` 3.4.0."

REFUSED: Mapping[str, tuple[str, str]] = {
    "http_options": (
        "it says how to connect, and the session does that",
        "use base_url=, headers= and GOOGLE_GENAI_API_VERSION",
    ),
    "generation_config": (
        "it is deprecated by the SDK itself, which takes its fields one level up",
        "give its fields directly",
    ),
    "speech_config.multi_speaker_voice_config": (
        "the Live API speaks with one voice",
        "use voice=",
    ),
}
"Refused on every backend: why, and what to do (``google.genai`` 3.4.0 raises for the last)."

_VERTEX_ONLY = ("only Vertex AI knows it", "leave it out, or connect to Vertex AI")

REFUSED_ON_GEMINI_API: Mapping[str, tuple[str, str]] = {
    "explicit_vad_signal": _VERTEX_ONLY,
    "session_resumption.transparent": _VERTEX_ONLY,
    "safety_settings.method": _VERTEX_ONLY,
}
"What ``_LiveConnectConfig_to_mldev`` raises for (``google.genai`` 3.4.0, 2026-11)."

_CONSENT = ("only the Gemini API knows it", "leave it out, or connect to the Gemini API")
_REPLICATED = "speech_config.voice_config.replicated_voice_config"

REFUSED_ON_VERTEX: Mapping[str, tuple[str, str]] = {
    f"{_REPLICATED}.consent_audio": _CONSENT,
    f"{_REPLICATED}.voice_consent_signature": _CONSENT,
}
"What ``_LiveConnectConfig_to_vertex`` raises for (``google.genai`` 3.4.0, 2026-11)."


def apply_options(setup: dict[str, Any], options: Mapping[str, Any], *, vertex: bool) -> None:
    """
    Merge options over a setup, in place.

    Objects are merged, tools are added, everything else is replaced.

    Raises:
        UnsupportedSetting: A field does not exist, has the wrong type, or cannot work.
        ConfigurationError: The SDK that knows the fields is not installed.
    """
    given = {snake(name): value for name, value in options.items()}
    backend = REFUSED_ON_VERTEX if vertex else REFUSED_ON_GEMINI_API
    for name, (why, remedy) in {**REFUSED, **backend}.items():
        if _holds(given, name.split(".")):
            raise _refused(name, why, remedy)
    for name, value in _validated(given).items():
        _merge(setup, PLACES[snake(name)], _written(name, value, setup))


def _written(name: str, value: Any, setup: Mapping[str, Any]) -> Any:
    """The value as the wire wants it, where that differs from the SDK's own JSON."""
    match name:
        case "systemInstruction":
            return _content(value)
        case "tools":
            return [*setup.get("tools", ()), *value]
        case _:
            return value


def _holds(given: Any, path: list[str]) -> bool:
    """Whether something is set at the path, in either spelling, in any entry of a list."""
    if not path:
        return given is not None
    if isinstance(given, list | tuple):
        return any(_holds(entry, path) for entry in given)
    if not isinstance(given, Mapping):
        dump = getattr(given, "model_dump", None)
        return dump is not None and _holds(dump(exclude_none=True), path)
    name, *rest = path
    return any(_holds(given.get(key), rest) for key in {name, camel(name)})


def _validated(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options as the SDK's type has them, as JSON with camelCase names."""
    try:
        from google.genai.types import LiveConnectConfig
    except ImportError as exc:
        raise ConfigurationError(
            "google-genai is not installed, and it is what checks these options",
            where="provider_options",
            remedy="pip install 'unirt-realtime[google]'",
        ) from exc
    from pydantic import ValidationError
    from pydantic_core import PydanticSerializationError

    try:
        config = LiveConnectConfig.model_validate(given)
        return config.model_dump(mode="json", by_alias=True, exclude_none=True)
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in error["loc"])
        raise _refused(where, error["msg"], "see google.genai.types.LiveConnectConfig") from None
    except PydanticSerializationError as exc:
        raise _refused("tools", f"not JSON: {exc}", "use tools=[Tool(...)]") from None


def _content(value: Any) -> Any:
    """An instruction as a ``Content``; the SDK takes a string, a part, or a list of them too."""
    if isinstance(value, dict) and "parts" in value:
        return value
    pieces = value if isinstance(value, list) else [value]
    parts = [{"text": piece} if isinstance(piece, str) else piece for piece in pieces]
    return {"role": "user", "parts": parts}


def _merge(setup: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *path, last = place
    for step in path:
        setup = setup.setdefault(step, {})
    so_far = setup.get(last)
    if isinstance(so_far, dict) and isinstance(value, dict):
        for name, inner in value.items():
            _merge(so_far, (name,), inner)
    else:
        setup[last] = value


def _refused(name: str, why: str, remedy: str) -> UnsupportedSetting:
    return UnsupportedSetting(
        f"provider_options.{name}", provider=PROVIDER_NAME, why=why, remedy=remedy
    )


def resumed(config: SessionConfig, handle: str) -> SessionConfig:
    """The configuration of a connection that goes on with what the handle stands for."""
    options = dict(config.provider_options or {})
    name = "sessionResumption" if "sessionResumption" in options else "session_resumption"
    options[name] = {**(options.get(name) or {}), "handle": handle}
    return attrs.evolve(config, provider_options=options)
