"""
unirt: one session over any realtime speech model.

The front door. Everything public is importable from here or from a module named in the docs.
"""

from unirt.audio import G711_ALAW, G711_ULAW, PCM16_16K, PCM16_24K, AudioFormat, Encoding
from unirt.capabilities import Capabilities, Emission, Emits, Fact, Support
from unirt.commands import *  # noqa: F403  (each module lists its own public names)
from unirt.commands import __all__ as _commands
from unirt.config import *  # noqa: F403
from unirt.config import __all__ as _config
from unirt.errors import *  # noqa: F403
from unirt.errors import __all__ as _errors
from unirt.events import *  # noqa: F403
from unirt.events import __all__ as _events
from unirt.fold import ContentStep, Fold
from unirt.items import *  # noqa: F403
from unirt.items import __all__ as _items
from unirt.provider import Credentials, EnvVar, Provider
from unirt.usage import Tokens, Usage

__all__ = [
    "G711_ALAW",
    "G711_ULAW",
    "PCM16_16K",
    "PCM16_24K",
    "AudioFormat",
    "Capabilities",
    "ContentStep",
    "Credentials",
    "Emission",
    "Emits",
    "Encoding",
    "EnvVar",
    "Fact",
    "Fold",
    "Provider",
    "Support",
    "Tokens",
    "Usage",
    *_commands,
    *_config,
    *_errors,
    *_events,
    *_items,
]
