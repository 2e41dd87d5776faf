"""The extra ``[webrtc]``: whether calls can be made at all."""

from __future__ import annotations

from importlib.util import find_spec

from unirt.errors import ConfigurationError

__all__ = ["need_aiortc"]


def need_aiortc(where: str) -> None:
    """
    Raises:
        ConfigurationError: The extra is not installed.
    """
    if find_spec("aiortc") is None:
        raise ConfigurationError(
            "calls by WebRTC need aiortc, which is not installed",
            where=where,
            remedy="pip install 'unirt-realtime[webrtc]'",
        )
