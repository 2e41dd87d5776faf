"""Which providers are installed. The only reader of entry points."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from unirt.errors import ConfigurationError, UnknownProvider
from unirt.provider import Provider

__all__ = ["GROUP", "installed", "load"]

GROUP = "unirt.providers"


@cache
def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def installed() -> tuple[str, ...]:
    """The names of all installed providers, in alphabetical order."""
    return tuple(_found())


@cache
def load(name: str) -> Provider:
    """
    The provider of that name.

    Raises:
        UnknownProvider: None is installed; the error lists what is.
        ConfigurationError: It is installed and cannot be imported, or is no provider.
    """
    point = _found().get(name)
    if point is None:
        raise UnknownProvider(name, installed())
    try:
        provider = point.load()
    except ImportError as exc:
        raise ConfigurationError(
            f"the provider {name!r} cannot be imported: {exc}",
            where=f"entry point {point.value!r}",
            remedy="install what it needs, or repair the package that offers it",
        ) from exc
    if not isinstance(provider, Provider):
        raise ConfigurationError(
            f"the entry point {name!r} is a {type(provider).__name__}, not a unirt.Provider",
            where=f"entry point {point.value!r}",
            remedy="repair the package that offers it",
        )
    return provider
