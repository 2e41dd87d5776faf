"""``unirt providers``: what is installed, what it reads, and what it can do."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from unirt.capabilities import Capabilities, Emission, Support
from unirt.errors import ConfigurationError
from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.settings import PREFIX, Settings, read

__all__ = ["run"]

_MARKS = {
    Support.NATIVE: "[green]native[/]",
    Support.EMULATED: "[yellow]emulated[/]",
    Support.REFUSED: "[red]refused[/]",
}
_EMITS = {
    Emission.SAID: "[green]said[/]",
    Emission.SYNTHESISED: "[yellow]synthesised[/]",
    Emission.NEVER: "[red]never[/]",
}


def run(console: Console | None = None) -> None:
    """Print everything; a provider that cannot be loaded is told and passed over."""
    console = console or Console()
    loaded: list[Provider] = []
    for name in installed():
        try:
            loaded.append(load(name))
        except ConfigurationError as exc:
            console.print(f"[red]{exc}[/]")
    console.print(_environment(loaded, _variables(console)))
    facts = [provider.capabilities(provider.default_model) for provider in loaded]
    console.print(_table("Settings", facts, "settings"))
    console.print(_table("Verbs", facts, "verbs"))
    console.print(_events(facts))


def _variables(console: Console) -> Mapping[str, str]:
    """The environment, on top of a ``.env`` file; what is wrong in them is told."""
    try:
        return read().environ
    except ConfigurationError as exc:
        console.print(f"[red]{exc}[/]")
        return os.environ


def _environment(providers: list[Provider], variables: Mapping[str, str]) -> Table:
    table = Table(title="Environment", title_justify="left")
    for column in ("variable", "for", "what", "set"):
        table.add_column(column)
    for name, field in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        table.add_row(variable, "unirt", field.description or "", _is_set(variables, variable))
    for provider in providers:
        table.add_section()
        for env in provider.env:
            need = " (a key)" if env.required else ""
            table.add_row(
                env.name, provider.name, f"{env.what}{need}", _is_set(variables, env.name)
            )
    return table


def _is_set(variables: Mapping[str, str], name: str) -> str:
    return "[green]yes[/]" if variables.get(name) else "no"


def _table(title: str, facts: list[Capabilities], kind: str) -> Table:
    table = _headed(title, facts)
    for path in dict.fromkeys(path for caps in facts for path in getattr(caps, kind)):
        cells = []
        for caps in facts:
            fact = getattr(caps, kind).get(path)
            if fact is None:
                cells.append(_MARKS[Support.REFUSED])
                continue
            told = fact.how if fact.support is not Support.NATIVE else ""
            cells.append(f"{_MARKS[fact.support]} {told}".rstrip())
        table.add_row(path, *cells)
    return table


def _events(facts: list[Capabilities]) -> Table:
    table = _headed("Events", facts)
    for name in dict.fromkeys(name for caps in facts for name in caps.emits):
        cells = []
        for caps in facts:
            row = caps.emits.get(name)
            why = "" if row is None or row.emission is Emission.SAID else row.why
            cells.append(f"{_EMITS[caps.emission(name)]} {why}".rstrip())
        table.add_row(name, *cells)
    return table


def _headed(title: str, facts: list[Capabilities]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for caps in facts:
        table.add_column(f"{caps.provider}\n{caps.model}")
    return table
